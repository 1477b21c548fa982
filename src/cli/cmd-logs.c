#include "base/base64.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/strip.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Bytes asked for at once. */
#define CHUNK_BYTES (256 << 10)
/* How long the server waits for new output before it answers with nothing, ms;
 * then it is asked again. */
#define FOLLOW_WAIT_MS 60000
/* What is looked through at first for the last N lines; more when they turn out
 * longer. */
#define BYTES_PER_LINE 256

static const struct option options[] = {
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
};

/* A log being read. */
struct reader {
    struct cli *cli;         /* borrowed */
    struct session *session; /* borrowed */
    struct strip strip;      /* owned */
    struct buffer out;       /* owned: scratch */
    int64_t offset;          /* of the next byte */
    int64_t size;            /* the log's, as last told */
    bool is_raw;
};

/* Asks for bytes from the offset on and appends them to bytes. */
static bool
read_chunk(struct reader *reader, int64_t offset, int64_t max_bytes,
           int64_t wait_ms, struct buffer *bytes, struct error *error)
{
    json_t *arguments =
        json_pack("{s:o,s:I,s:I,s:I}", "guest",
                  json_from_text(reader->cli->options.arguments[0]), "offset",
                  (json_int_t)offset, "max-bytes", (json_int_t)max_bytes,
                  "wait-ms", (json_int_t)wait_ms);
    json_t *value = NULL;
    if (!session_call(reader->session, "console-log", arguments,
                      SESSION_REPLY_TIMEOUT_MS + (uint64_t)wait_ms, &value,
                      error))
        return false;
    const char *data = guests_text(value, "data");
    bool ok = base64_decode(data, strlen(data), bytes);
    reader->offset = guests_number(value, "next-offset");
    reader->size = guests_number(value, "size");
    json_decref(value);
    return ok ? true
              : error_set(error, ERROR_CODE_PROTOCOL,
                          "the server's answer holds no base64");
}

static bool
print_bytes(struct reader *reader, const char *bytes, size_t len,
            struct error *error)
{
    if (reader->is_raw) {
        (void)fwrite(bytes, 1, len, stdout);
    } else {
        buffer_reset(&reader->out);
        strip_feed(&reader->strip, bytes, len, &reader->out);
        (void)fwrite(reader->out.data ? reader->out.data : "", 1,
                     reader->out.len, stdout);
    }
    return output_flush() ? true
                          : error_set(error, ERROR_CODE_IO,
                                      "cannot write to standard output");
}

/* Where the last count lines begin within the bytes; false when they begin
 * before. */
static bool
find_last_lines(const struct buffer *bytes, int64_t count, size_t *ret_at)
{
    size_t at = bytes->len;
    if (at && bytes->data[at - 1] == '\n')
        at--;
    while (at > 0) {
        if (bytes->data[at - 1] == '\n' && --count == 0) {
            *ret_at = at;
            return true;
        }
        at--;
    }
    return false;
}

/* Moves reader->offset to where the last count lines begin. */
static bool
seek_lines(struct reader *reader, int64_t count, struct error *error)
{
    for (int64_t span = count * BYTES_PER_LINE;; span *= 4) {
        struct buffer bytes = {0};
        int64_t want = span;
        bool ok = read_chunk(reader, -span, CHUNK_BYTES, 0, &bytes, error);
        int64_t start = reader->offset - (int64_t)bytes.len;
        while (ok && reader->offset < reader->size && (int64_t)bytes.len < want)
            ok = read_chunk(reader, reader->offset, CHUNK_BYTES, 0, &bytes,
                            error);
        size_t at = 0;
        bool is_found = ok && find_last_lines(&bytes, count, &at);
        buffer_finish(&bytes);
        if (!ok)
            return false;
        if (is_found || start == 0) {
            reader->offset = start + (int64_t)at;
            return true;
        }
    }
}

static bool
find_start(struct reader *reader, struct error *error)
{
    const struct options *given = &reader->cli->options;
    if (options_has(given, "after")) {
        reader->offset = options_number(given, "after");
        return true;
    }
    int64_t count = options_number(given, "lines");
    if (!options_has(given, "lines"))
        return true;
    if (count)
        return seek_lines(reader, count, error);
    struct buffer none = {0};
    bool ok = read_chunk(reader, -1, 1, 0, &none, error);
    reader->offset = reader->size;
    buffer_finish(&none);
    return ok;
}

/* Whether the guest still runs; *ret_ok: whether it could be asked. */
static bool
is_running(struct reader *reader, bool *ret_ok, struct error *error)
{
    json_t *guest = NULL;
    const char *name = reader->cli->options.arguments[0];
    *ret_ok = session_call(
        reader->session, "guest-query",
        json_pack("{s:o}", "guest", json_from_bytes(name, strcspn(name, ":"))),
        SESSION_REPLY_TIMEOUT_MS, &guest, error);
    bool is_active = *ret_ok && guests_is_active(guest);
    json_decref(guest);
    return is_active;
}

/* Prints up to the end that the log has now, however fast it grows. */
static bool
print_present(struct reader *reader, struct error *error)
{
    int64_t end = INT64_MAX;
    while (reader->offset < end) {
        struct buffer bytes = {0};
        int64_t want = end - reader->offset;
        bool ok = read_chunk(reader, reader->offset,
                             want < CHUNK_BYTES ? want : CHUNK_BYTES, 0, &bytes,
                             error);
        size_t len = bytes.len;
        ok =
            ok && print_bytes(reader, bytes.data ? bytes.data : "", len, error);
        buffer_finish(&bytes);
        if (!ok || !len)
            return ok;
        if (end == INT64_MAX)
            end = reader->size;
    }
    return true;
}

/* Prints what comes until the guest is gone. */
static bool
print_following(struct reader *reader, struct error *error)
{
    for (;;) {
        struct buffer bytes = {0};
        bool ok = read_chunk(reader, reader->offset, CHUNK_BYTES,
                             FOLLOW_WAIT_MS, &bytes, error);
        size_t len = bytes.len;
        ok =
            ok && print_bytes(reader, bytes.data ? bytes.data : "", len, error);
        buffer_finish(&bytes);
        if (!ok)
            return false;
        if (len || reader->offset < reader->size)
            continue;
        if (!is_running(reader, &ok, error))
            return ok;
    }
}

static int
run(struct cli *cli)
{
    struct reader reader = {
        .cli = cli,
        .is_raw = options_has(&cli->options, "raw"),
    };
    struct error error = {0};
    if (reader.is_raw && isatty(STDOUT_FILENO) &&
        !options_has(&cli->options, "force")) {
        error_set(&error, ERROR_CODE_DENIED,
                  "logs: --raw would let the guest steer this terminal; write "
                  "it to a file, or say --force");
        return cli_fail_usage(cli, &error);
    }
    reader.session = session_open(cli, CONNECTION_START_SERVER, &error);
    bool ok = reader.session && find_start(&reader, &error) &&
              print_present(&reader, &error) &&
              (!options_has(&cli->options, "follow") ||
               print_following(&reader, &error));
    int status = COMMAND_DONE;
    if (!ok)
        status = output_has_reader() ? session_fail(reader.session, &error)
                                     : COMMAND_FAILED;
    session_close(reader.session);
    strip_finish(&reader.strip);
    buffer_finish(&reader.out);
    return status;
}

const struct command cmd_logs = {
    .name = "logs",
    .usage = "GUEST[:CONSOLE] [-f] [-n N]",
    .summary = "Print a console's log",
    .text = "The log holds everything the console ever printed, from all of "
            "the guest's runs. It is printed as plain text: escape sequences "
            "are left out, unless --raw is given.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = 1,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
