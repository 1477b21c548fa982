#include "base/clock.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/happening.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How far around a moment is looked, ms, when nothing is said. */
#define DEFAULT_WINDOW "2"
#define MAX_WINDOW_MS 86400000

static const struct option options[] = {
    ROW_MOMENT("since", 'S', "from then on"),
    ROW_MOMENT("until", 'U', "up to then"),
    {
        .name = "around",
        .letter = 'a',
        .type = OPTION_TEXT,
        .value = "WHEN",
        .summary = "around a TIME, or a line: GUEST:OFFSET or "
                   "GUEST:CONSOLE:OFFSET, as alerts and --json tell it",
    },
    {
        .name = "window",
        .letter = 'w',
        .type = OPTION_SECONDS,
        .value = "SECONDS",
        .default_value = DEFAULT_WINDOW,
        .max = MAX_WINDOW_MS,
        .summary = "how far around",
    },
    {
        .name = "grep",
        .letter = 'g',
        .type = OPTION_TEXT,
        .value = "REGEX",
        .summary = "only what matches (PCRE2; upper case counts when there is "
                   "some)",
    },
    {
        .name = "lines",
        .letter = 'n',
        .type = OPTION_INTEGER,
        .value = "N",
        .default_value = "1000",
        .min = 1,
        .max = 10000,
        .summary = "only the newest N, or the nearest",
    },
    {
        .name = "json",
        .type = OPTION_FLAG,
        .summary = "each line and event as a JSON object on a line of its own",
    },
};

/* "GUEST:OFFSET" or "GUEST:CONSOLE:OFFSET": false when it is neither. */
static bool
split_place(const char *text, char **ret_target, int64_t *ret_offset)
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || !colon[1] ||
        colon[1 + strspn(colon + 1, "0123456789")])
        return false;
    /* "14:05" is a time */
    if (strspn(text, "0123456789:") == strlen(text))
        return false;
    *ret_target = xstrndup(text, (size_t)(colon - text));
    *ret_offset = strtoll(colon + 1, NULL, 10);
    return true;
}

/* When the line at an offset was printed. */
static bool
find_moment(struct session *session, const char *target, int64_t offset,
            int64_t *ret_ms, struct error *error)
{
    json_t *value = NULL;
    json_t *arguments =
        json_pack("{s:o,s:I,s:i}", "guest", json_from_text(target), "offset",
                  (json_int_t)offset, "max-bytes", 1);
    if (!session_call(session, "console-log", arguments,
                      SESSION_REPLY_TIMEOUT_MS, &value, error))
        return false;
    const json_t *stamp = json_array_get(json_object_get(value, "times"), 0);
    int64_t at_ms = json_integer_value(json_array_get(stamp, 1));
    if (json_array_size(stamp) > 2)
        at_ms = json_integer_value(json_array_get(stamp, 2));
    bool is_there = guests_number(value, "offset") == offset && stamp && at_ms;
    json_decref(value);
    *ret_ms = at_ms;
    return is_there || error_set(error, ERROR_CODE_NOT_FOUND,
                                 "%s: nothing is known of when offset %" PRId64
                                 " was printed",
                                 target, offset);
}

static bool
add_around(const struct options *given, struct session *session,
           json_t *arguments, struct error *error)
{
    const char *text = options_text(given, "around");
    int64_t window_ms = options_number(given, "window");
    int64_t at_ms = 0;
    int64_t offset = 0;
    char *target = NULL;
    if (!text)
        return true;
    bool ok = split_place(text, &target, &offset)
                  ? find_moment(session, target, offset, &at_ms, error)
                  : moment_parse(text, clock_wall_ms(), &at_ms, error) ||
                        error_prefix(error, "timeline: --around");
    if (ok)
        json_object_set_new(arguments, "around-ms", json_integer(at_ms));
    if (ok && target) {
        json_object_set_new(arguments, "around", json_from_text(target));
        json_object_set_new(arguments, "around-offset", json_integer(offset));
    }
    free(target);
    if (!ok)
        return false;
    int64_t since = at_ms - window_ms;
    json_object_set_new(arguments, "since-ms",
                        json_integer(since > 0 ? since : 0));
    json_object_set_new(arguments, "until-ms", json_integer(at_ms + window_ms));
    return true;
}

static json_t *
make_arguments(const struct options *given)
{
    json_t *arguments =
        json_pack("{s:o,s:I}", "guests", guests_named(given, 0), "limit",
                  (json_int_t)options_number(given, "lines"));
    if (options_has(given, "grep")) {
        json_object_set_new(arguments, "pattern",
                            json_from_text(options_text(given, "grep")));
        json_object_set_new(arguments, "regex", json_true());
    }
    return arguments;
}

static bool
print(const struct cli *cli, const json_t *value, struct error *error)
{
    const json_t *rows = json_object_get(value, "rows");
    int name_cols = happening_name_cols(rows);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        if (options_has(&cli->options, "json")) {
            (void)json_dumpf(row, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
            (void)putchar('\n');
        } else {
            happening_print(row, name_cols);
        }
    }
    if (guests_number(value, "skipped"))
        cli_warn(
            "timeline: the pattern takes too long to match %" JSON_INTEGER_FORMAT
            " of the lines, which may match too; use a simpler one",
            guests_number(value, "skipped"));
    if (json_is_true(json_object_get(value, "cut")))
        (void)fprintf(stderr,
                      "guestmux: only the %s %zu are shown (-n N shows "
                      "more, --since, --until and --around other ones)\n",
                      options_has(&cli->options, "around") ? "nearest"
                                                           : "newest",
                      json_array_size(rows));
    return output_flush() ? true
                          : error_set(error, ERROR_CODE_IO,
                                      "cannot write to standard output");
}

static int
run(struct cli *cli)
{
    const struct options *given = &cli->options;
    struct error error = {0};
    json_t *arguments = make_arguments(given);
    if (options_has(given, "around") &&
        (options_has(given, "since") || options_has(given, "until")))
        error_set(&error, ERROR_CODE_INVALID,
                  "timeline: --around goes without --since and --until");
    if (error.code || !moment_put_range(arguments, given, &error)) {
        json_decref(arguments);
        return cli_fail_usage(cli, &error);
    }
    json_t *value = NULL;
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    bool ok = session && add_around(given, session, arguments, &error) &&
              session_call(session, "timeline", json_incref(arguments),
                           SESSION_REPLY_TIMEOUT_MS, &value, &error) &&
              print(cli, value, &error);
    int status = ok ? COMMAND_DONE : session_fail(session, &error);
    json_decref(arguments);
    json_decref(value);
    session_close(session);
    return status;
}

const struct command cmd_timeline = {
    .name = "timeline",
    .usage = "[GUEST[:CONSOLE]…] [--around WHEN] [--since TIME] [--grep REGEX]",
    .summary = "Print all consoles' lines and all events, by time",
    .text = "What did every node print within two seconds of this line? Lines "
            "are those of the consoles' logs, with the time at which the "
            "server saw them come (to some 50 ms; ~ when none was there), "
            "events those of `guestmux events`, marked by *. TIME is as for "
            "logs.",
    COMMAND_OPTIONS(options),
    .max_arguments = -1,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
