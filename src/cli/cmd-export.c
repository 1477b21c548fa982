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

/* Opens the file; NULL with error. */
static FILE *
open_file(const struct cli *cli, const char *path, struct error *error)
{
    if (is_stdout(path))
        return stdout;
    bool may_overwrite = options_has(&cli->options, "force");
    int fd = open(path,
                  O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY |
                      (may_overwrite ? O_TRUNC : O_EXCL),
                  0666);
    if (fd < 0 && errno == EEXIST)
        error_set(error, ERROR_CODE_EXISTS,
                  "%s is there already; say --force to overwrite it", path);
    else if (fd < 0)
        error_set_errno(error, errno, "cannot write %s", path);
    return fd < 0 ? NULL : fdopen(fd, "w");
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
    const char *path = options_text(&cli->options, "asciicast");
    if (reader->size < reader->end)
        reader->end = reader->size;
    FILE *file = open_file(cli, path, error);
    if (!file)
        return false;
    bool ok = export_log(cli, reader, file, error);
    if (file == stdout)
        return ok;
    if (fclose(file) != 0 && ok)
        ok = error_set_errno(error, errno, "cannot write %s", path);
    struct stat info;
    /* not half a recording; but only of what is a file */
    if (!ok && lstat(path, &info) == 0 && S_ISREG(info.st_mode))
        (void)unlink(path);
    return ok;
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
