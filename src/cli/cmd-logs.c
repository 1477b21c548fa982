#include "base/clock.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/labels.h"
#include "cli/logprinter.h"
#include "cli/logreader.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long the server waits for new output before it answers with nothing, ms;
 * then it is asked again. */
#define FOLLOW_WAIT_MS 60000
/* A line that is longer is printed in parts, when several logs are. */
#define LINE_MAX_BYTES (64u << 10)

static const struct option options[] = {
    ROW_LABEL,
    {
        .name = "follow",
        .letter = 'f',
        .type = OPTION_FLAG,
        .summary = "go on with what comes, until Ctrl-C or the guest's end",
    },
    {
        .name = "lines",
        .letter = 'n',
        .type = OPTION_INTEGER,
        .value = "N",
        .max = 10000000,
        .summary = "only the last N lines",
    },
    ROW_SINCE,
    ROW_UNTIL,
    ROW_BOOT,
    {
        .name = "timestamps",
        .letter = 't',
        .type = OPTION_FLAG,
        .summary = "when each line was printed; ~ for lines that came while no "
                   "server ran: then or later",
    },
    {
        .name = "after",
        .type = OPTION_INTEGER,
        .value = "CURSOR",
        .max = INT64_MAX,
        .summary = "from this place in the log on, which `send --json` prints",
    },
    {
        .name = "raw",
        .type = OPTION_FLAG,
        .summary = "the bytes as the guest sent them, escape sequences and "
                   "all; refused on a terminal",
    },
    {
        .name = "force",
        .type = OPTION_FLAG,
        .summary = "--raw on a terminal too, which the guest then steers",
    },
    {
        .name = "json",
        .type = OPTION_FLAG,
        .summary = "each line as a JSON object",
    },
};

/* One log, and what comes next of it. */
struct source {
    struct logreader reader;
    struct logprinter printer;
    struct logreader_piece piece; /* what is left of the last one */
    struct logreader_piece item;  /* to be printed next: of line, or a mark */
    struct buffer line;           /* owned */
    bool has_item;
    bool is_dry;      /* there is no more at present */
    bool is_finished; /* there will be no more */
};

struct logs {
    struct cli *cli;         /* borrowed */
    struct session *session; /* owned */
    struct source *sources;  /* owned */
    size_t count;
    bool follows;
};

/* Reading ------------------------------------------------------------------ */

/* Takes of the piece up to the line's end. */
static void
take_line(struct source *source)
{
    struct logreader_piece *piece = &source->piece;
    const char *end = memchr(piece->bytes, '\n', piece->len);
    size_t len = end ? (size_t)(end - piece->bytes) + 1 : piece->len;
    if (source->line.len == 0)
        source->item = *piece;
    buffer_append(&source->line, piece->bytes, len);
    piece->bytes += len;
    piece->offset += (int64_t)len;
    piece->len -= len;
    source->has_item = end || source->line.len >= LINE_MAX_BYTES;
}

/* Reads until there is a whole line or a mark, or no more. */
static bool
fill(struct source *source, struct error *error)
{
    while (!source->has_item && !source->is_dry) {
        struct logreader_piece *piece = &source->piece;
        if (piece->len > 0) {
            take_line(source);
        } else if (piece->mark.kind != LOGREADER_NO_MARK) {
            source->has_item = true;
            if (source->line.len > 0)
                break; /* the mark comes after it */
            source->item = *piece;
            piece->mark.kind = LOGREADER_NO_MARK;
        } else if (!logreader_next(&source->reader, piece, error)) {
            return false;
        } else {
            source->is_dry =
                piece->len == 0 && piece->mark.kind == LOGREADER_NO_MARK;
        }
    }
    return true;
}

static int64_t
item_ms(const struct source *source)
{
    if (source->item.mark.kind != LOGREADER_NO_MARK)
        return source->item.mark.ms;
    return source->item.to_ms;
}

static void
print_item(struct source *source)
{
    if (source->item.mark.kind == LOGREADER_NO_MARK) {
        source->item.bytes = source->line.data;
        source->item.len = source->line.len;
    }
    logprinter_print(&source->printer, &source->item);
    if (source->item.mark.kind == LOGREADER_NO_MARK)
        logprinter_end_line(&source->printer);
    buffer_reset(&source->line);
    source->has_item = false;
}

/* Printing ----------------------------------------------------------------- */

static bool
flush(struct error *error)
{
    return output_flush() ? true
                          : error_set(error, ERROR_CODE_IO,
                                      "cannot write to standard output");
}

/* Several logs, each line whole, the oldest first. */
static bool
print_merged(struct logs *logs, struct error *error)
{
    for (;;) {
        struct source *oldest = NULL;
        for (size_t i = 0; i < logs->count; i++) {
            struct source *source = &logs->sources[i];
            if (!fill(source, error))
                return false;
            if (source->has_item &&
                (!oldest || item_ms(source) < item_ms(oldest)))
                oldest = source;
        }
        if (!oldest)
            return flush(error);
        print_item(oldest);
    }
}

/* One log, in whatever parts it comes. */
static bool
print_one(struct source *source, struct error *error)
{
    while (!source->is_dry) {
        struct logreader_piece piece;
        if (!logreader_next(&source->reader, &piece, error))
            return false;
        source->is_dry = piece.len == 0 && piece.mark.kind == LOGREADER_NO_MARK;
        if (source->is_dry)
            break;
        logprinter_print(&source->printer, &piece);
        if (ferror(stdout))
            break;
    }
    return flush(error);
}

static bool
print_present(struct logs *logs, struct error *error)
{
    return logs->count == 1 ? print_one(&logs->sources[0], error)
                            : print_merged(logs, error);
}

/* Following ---------------------------------------------------------------- */

static bool
is_active(struct logs *logs, const struct source *source, bool *ret_active,
          struct error *error)
{
    json_t *guest = NULL;
    bool ok = session_call(
        logs->session, "guest-query",
        json_pack("{s:o}", "guest", json_from_text(source->reader.guest)),
        SESSION_REPLY_TIMEOUT_MS, &guest, error);
    *ret_active = ok && guests_is_active(guest);
    json_decref(guest);
    return ok;
}

/* Something came for this log, or its wait was in vain. */
static bool
go_on(struct logs *logs, struct source *source, struct error *error)
{
    bool active = false;
    source->is_dry = false;
    if (!print_present(logs, error))
        return false;
    if (source->reader.bytes.len > 0)
        return true;
    if (!is_active(logs, source, &active, error))
        return false;
    /* it may have printed its last since it was looked at, and ended */
    if (!active && !print_present(logs, error))
        return false;
    source->is_finished = !active;
    return true;
}

static bool
follow(struct logs *logs, struct error *error)
{
    for (;;) {
        size_t waiting = 0;
        bool has_any = false;
        for (size_t i = 0; i < logs->count; i++) {
            struct source *source = &logs->sources[i];
            if (source->is_finished)
                continue;
            waiting++;
            if (logreader_has_waited(&source->reader)) {
                has_any = true;
                if (!go_on(logs, source, error))
                    return false;
            } else {
                logreader_wait(&source->reader, FOLLOW_WAIT_MS);
            }
        }
        if (waiting == 0)
            return true;
        if (!has_any && !session_wait_reply(
                            logs->session,
                            FOLLOW_WAIT_MS + SESSION_REPLY_TIMEOUT_MS, error))
            return false;
    }
}

/* Opening ------------------------------------------------------------------ */

static unsigned
printer_flags(const struct logs *logs)
{
    const struct options *given = &logs->cli->options;
    unsigned flags = 0;
    if (options_has(given, "raw"))
        flags |= LOGPRINTER_RAW;
    if (options_has(given, "json"))
        flags |= LOGPRINTER_JSON;
    if (options_has(given, "timestamps"))
        flags |= LOGPRINTER_TIMES;
    if (logs->count > 1)
        flags |= LOGPRINTER_NAMES;
    return flags;
}

static bool
open_source(struct logs *logs, size_t index,
            const struct logreader_range *range, struct error *error)
{
    const struct options *given = &logs->cli->options;
    struct source *source = &logs->sources[index];
    source->printer.reader = &source->reader;
    source->printer.flags = printer_flags(logs);
    if (!logreader_open(&source->reader, logs->session, given->arguments[index],
                        range, error))
        return false;
    /* where the log ends now, however fast it grows */
    if (!logs->follows && source->reader.size < source->reader.end)
        source->reader.end = source->reader.size;
    int64_t after = options_number(given, "after");
    if (after > source->reader.size)
        return error_set(error, ERROR_CODE_NOT_FOUND,
                         "%s: its log ends at %" PRId64 ": %" PRId64
                         " is no cursor of it",
                         source->reader.target, source->reader.size, after);
    if (after > source->reader.offset)
        source->reader.offset = after;
    return !options_has(given, "lines") ||
           logreader_seek_lines(&source->reader, options_number(given, "lines"),
                                error);
}

static bool
open_all(struct logs *logs, const struct logreader_range *range,
         struct error *error)
{
    int name_cols = 0;
    for (size_t i = 0; i < logs->count; i++) {
        if (!open_source(logs, i, range, error))
            return false;
        int cols = (int)strlen(logs->sources[i].reader.target);
        if (cols > name_cols)
            name_cols = cols;
    }
    for (size_t i = 0; i < logs->count; i++)
        logs->sources[i].printer.name_cols = name_cols;
    return true;
}

static bool
check_options(const struct options *given, struct error *error)
{
    bool is_raw = options_has(given, "raw");
    if (is_raw && isatty(STDOUT_FILENO) && !options_has(given, "force"))
        return error_set(error, ERROR_CODE_DENIED,
                         "logs: --raw would let the guest steer this terminal; "
                         "write it to a file, or say --force");
    if (is_raw &&
        (options_has(given, "json") || options_has(given, "timestamps")))
        return error_set(error, ERROR_CODE_INVALID,
                         "logs: --raw is the bytes alone: without --json and "
                         "--timestamps");
    if (is_raw && given->argument_count > 1)
        return error_set(error, ERROR_CODE_INVALID,
                         "logs: --raw is for one console");
    if (options_has(given, "follow") &&
        (options_has(given, "until") || options_number(given, "boot") < 0))
        return error_set(error, ERROR_CODE_INVALID,
                         "logs: --follow never comes to what --until and an "
                         "earlier --boot end at");
    return true;
}

static void
finish(struct logs *logs)
{
    for (size_t i = 0; i < logs->count; i++) {
        struct source *source = &logs->sources[i];
        logprinter_finish(&source->printer);
        buffer_finish(&source->line);
        logreader_finish(&source->reader);
    }
    session_close(logs->session);
    free(logs->sources);
}

/* Lines that have no end yet are printed when nothing more is awaited. */
static bool
print_rest(struct logs *logs, struct error *error)
{
    for (size_t i = 0; i < logs->count; i++) {
        struct source *source = &logs->sources[i];
        if (source->line.len > 0)
            print_item(source);
        if (source->printer.flags & LOGPRINTER_JSON)
            logprinter_end_line(&source->printer);
    }
    return flush(error);
}

static int
run(struct cli *cli)
{
    struct logs logs = {
        .cli = cli,
        .count = (size_t)cli->options.argument_count,
        .follows = options_has(&cli->options, "follow"),
    };
    struct logreader_range range;
    struct error error = {0};
    if (!check_options(&cli->options, &error) ||
        !logreader_read_range(&range, &cli->options, clock_wall_ms(), &error))
        return cli_fail_usage(cli, &error);
    logs.sources = xcalloc(logs.count, sizeof(*logs.sources));
    logs.session = session_open(cli, CONNECTION_START_SERVER, &error);
    bool ok = logs.session && open_all(&logs, &range, &error) &&
              print_present(&logs, &error) &&
              (!logs.follows || follow(&logs, &error)) &&
              print_rest(&logs, &error);
    int status = COMMAND_DONE;
    if (!ok)
        status = output_has_reader() ? session_fail(logs.session, &error)
                                     : COMMAND_FAILED;
    finish(&logs);
    return status;
}

const struct command cmd_logs = {
    .name = "logs",
    .usage = "GUEST[:CONSOLE]… [-f] [-n N] [--since TIME] [--boot N]",
    .summary = "Print consoles' logs",
    .text = "The log holds the newest part of what the console printed, from "
            "all of the guest's runs, up to its bound (log.max, see "
            "guestmux-fleet(5)); where a run begins there is a line of its "
            "own. It is printed as plain text: escape sequences are left out, "
            "unless --raw is given. Several logs are merged by time. TIME is "
            "how long ago (90s, 10m, 1h30m, 2d), a time of today (14:05), "
            "today, yesterday, a date, both (\"2026-03-01 14:05\"), or "
            "@SECONDS since 1970. With --json a boot is an object with a "
            "member boot, a line one with line, offset, time-ms, and until-ms "
            "when it was printed between the two.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
