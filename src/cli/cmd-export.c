#include "base/clock.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cli/cast.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/logreader.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct option options[] = {
    {
        .name = "asciicast",
        .type = OPTION_TEXT,
        .value = "FILE",
        .summary = "to this file, in asciinema's format (v2); - is standard "
                   "output",
    },
    ROW_SINCE,
    ROW_UNTIL,
    ROW_BOOT,
    {
        .name = "idle",
        .type = OPTION_SECONDS,
        .value = "SECONDS",
        .min = 1,
        .max = ROW_MAX_TIMEOUT_MS,
        .summary = "players shorten longer pauses to this",
    },
    {
        .name = "force",
        .type = OPTION_FLAG,
        .summary = "overwrite the file",
    },
};

static bool
is_stdout(const char *path)
{
    return !strcmp(path, "-");
}

/* Where a recording goes to. */
struct target {
    char *path;      /* owned; NULL: standard output */
    char *temporary; /* owned: beside it, what takes its place at the end; NULL:
                      * it is written to itself */
    FILE *file;
};

/* What is overwritten stays until the recording is whole: a file beside it. */
static int
open_beside(struct target *target, const struct stat *old)
{
    char *real = realpath(target->path, NULL);
    if (!real)
        return -1;
    target->temporary = xasprintf("%s.XXXXXX", real);
    free(target->path);
    target->path = real;
    int fd = mkostemp(target->temporary, O_CLOEXEC);
    if (fd >= 0)
        (void)fchmod(fd, old->st_mode & 0777);
    return fd;
}

static bool
open_target(const struct cli *cli, const char *path, struct target *target,
            struct error *error)
{
    struct stat old;
    *target = (struct target){.file = stdout};
    if (is_stdout(path))
        return true;
    target->path = xstrdup(path);
    bool may_overwrite = options_has(&cli->options, "force");
    bool is_there = may_overwrite && stat(path, &old) == 0;
    int fd = is_there && S_ISREG(old.st_mode)
                 ? open_beside(target, &old)
                 : open(path,
                        O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY |
                            (is_there ? 0 : O_EXCL),
                        0666);
    target->file = fd < 0 ? NULL : fdopen(fd, "w");
    if (target->file)
        return true;
    if (errno == EEXIST && !may_overwrite)
        error_set(error, ERROR_CODE_EXISTS,
                  "%s is there already; say --force to overwrite it", path);
    else
        error_set_errno(error, errno, "cannot write %s", path);
    free(target->path);
    free(target->temporary);
    return false;
}

/* Ends the file, and leaves a whole recording or what was there before. */
static bool
close_target(struct target *target, bool ok, struct error *error)
{
    struct stat info;
    if (!target->path)
        return ok;
    if (fclose(target->file) != 0 && ok)
        ok = error_set_errno(error, errno, "cannot write %s", target->path);
    const char *written = target->temporary ? target->temporary : target->path;
    if (ok && target->temporary && rename(written, target->path) != 0)
        ok = error_set_errno(error, errno, "cannot replace %s", target->path);
    /* not half a recording; but only of what is a file */
    if (!ok && lstat(written, &info) == 0 && S_ISREG(info.st_mode))
        (void)unlink(written);
    free(target->path);
    free(target->temporary);
    return ok;
}

static void
write_mark(struct cast *cast, const struct logreader_mark *mark)
{
    switch (mark->kind) {
    case LOGREADER_SIZE:
        cast_resize(cast, mark->ms, mark->cols, mark->rows);
        break;
    case LOGREADER_BOOT:
        cast_marker(cast, mark->ms, "boot");
        break;
    case LOGREADER_GAP:
        cast_marker(cast, mark->ms, "bytes are missing");
        break;
    case LOGREADER_NO_MARK:
        break;
    }
}

static int64_t
piece_ms(const struct logreader_piece *piece)
{
    if (piece->mark.kind != LOGREADER_NO_MARK)
        return piece->mark.ms;
    return piece->from_ms ? piece->from_ms : piece->to_ms;
}

static bool
export_log(const struct cli *cli, struct logreader *reader, FILE *file,
           struct error *error)
{
    struct logreader_piece piece;
    struct cast cast;
    if (!logreader_next(reader, &piece, error))
        return false;
    struct cast_header header = {
        .cols = reader->first_size.cols,
        .rows = reader->first_size.rows,
        .start_ms = piece_ms(&piece),
        .idle_ms = options_number(&cli->options, "idle"),
        .title = reader->target,
    };
    cast_begin(&cast, file, &header);
    bool ok = true;
    while (ok && (piece.len > 0 || piece.mark.kind != LOGREADER_NO_MARK)) {
        if (piece.mark.kind != LOGREADER_NO_MARK)
            write_mark(&cast, &piece.mark);
        else
            cast_output(&cast, piece_ms(&piece), piece.bytes, piece.len);
        ok = !ferror(file) && logreader_next(reader, &piece, error);
    }
    bool is_written = cast_finish(&cast);
    if (!is_written)
        error_set_errno(error, errno, "cannot write the recording");
    return ok && is_written;
}

static bool
export_to(const struct cli *cli, struct logreader *reader, struct error *error)
{
    struct target target;
    if (reader->size < reader->end)
        reader->end = reader->size;
    if (!open_target(cli, options_text(&cli->options, "asciicast"), &target,
                     error))
        return false;
    bool ok = export_log(cli, reader, target.file, error);
    return close_target(&target, ok, error);
}

static int
run(struct cli *cli)
{
    struct logreader reader = {0};
    struct logreader_range range;
    struct error error = {0};
    const char *path = options_text(&cli->options, "asciicast");
    if (!path || !path[0]) {
        error_set(&error, ERROR_CODE_INVALID,
                  "export: say where to: --asciicast FILE");
        return cli_fail_usage(cli, &error);
    }
    if (!logreader_read_range(&range, &cli->options, clock_wall_ms(), &error))
        return cli_fail_usage(cli, &error);
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    bool ok = session &&
              logreader_open(&reader, session, cli->options.arguments[0],
                             &range, &error) &&
              export_to(cli, &reader, &error);
    int status = COMMAND_DONE;
    if (!ok)
        status = output_has_reader() ? session_fail(session, &error)
                                     : COMMAND_FAILED;
    logreader_finish(&reader);
    session_close(session);
    return status;
}

const struct command cmd_export = {
    .name = "export",
    .usage = "GUEST[:CONSOLE] --asciicast FILE [--boot N] [--since TIME]",
    .summary = "Write a console's record as a recording to be played",
    .text = "What the console printed, when, and in which size: `asciinema "
            "play FILE` shows it. Boots are markers. Without --boot, --since "
            "and --until it is all that is kept. TIME is as for logs.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = 1,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
