#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/happening.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

#include <stdio.h>
#include <string.h>

static const struct option options[] = {
    {
        .name = "follow",
        .letter = 'f',
        .type = OPTION_FLAG,
        .summary = "go on with what happens, until Ctrl-C",
    },
    ROW_MOMENT("since", 'S', "what happened then and later"),
    ROW_MOMENT("until", 'U', "what happened up to then"),
    {
        .name = "lines",
        .letter = 'n',
        .type = OPTION_INTEGER,
        .value = "N",
        .min = 1,
        .max = 10000,
        .summary = "only the last N",
    },
    {
        .name = "severity",
        .type = OPTION_TEXT,
        .value = "SEVERITY",
        .summary = "only this and worse: info, warning, critical",
    },
    {
        .name = "kind",
        .type = OPTION_TEXT,
        .value = "KIND",
        .summary = "only state (of guests), stage (of their boots), alert, "
                   "action (of people), notice",
    },
    {
        .name = "json",
        .type = OPTION_FLAG,
        .summary = "each event as a JSON object on a line of its own",
    },
};

/* Following: what comes while the past is asked for waits. */
struct follower {
    const struct cli *cli; /* borrowed */
    json_t *waiting;       /* owned; NULL: it is printed at once */
    int name_cols;
};

static int
severity_rank(const char *name)
{
    static const char *const names[] = {"info", "warning", "critical"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

static bool
check_options(const struct options *given, struct error *error)
{
    static const char *const kinds[] = {"state", "stage", "alert", "action",
                                        "notice"};
    const char *severity = options_text(given, "severity");
    const char *kind = options_text(given, "kind");
    if (severity && severity_rank(severity) < 0)
        return error_set(error, ERROR_CODE_INVALID,
                         "events: there is no severity \"%.32s\"; it is info, "
                         "warning or critical",
                         severity);
    for (size_t i = 0; kind && i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (strcmp(kind, kinds[i]) == 0)
            kind = NULL;
    }
    if (kind)
        return error_set(error, ERROR_CODE_INVALID,
                         "events: there is no kind \"%.32s\"; it is state, "
                         "stage, alert, action or notice",
                         kind);
    if (options_has(given, "follow") && options_has(given, "until"))
        return error_set(error, ERROR_CODE_INVALID,
                         "events: --follow never comes to --until's end");
    return true;
}

/* NULL: a wrong option. */
static json_t *
make_arguments(const struct options *given, struct error *error)
{
    json_t *arguments = json_object();
    const char *const texts[] = {"severity", "kind"};
    for (size_t i = 0; i < 2; i++) {
        if (options_has(given, texts[i]))
            json_object_set_new(arguments, texts[i],
                                json_from_text(options_text(given, texts[i])));
    }
    if (options_has(given, "lines"))
        json_object_set_new(arguments, "limit",
                            json_integer(options_number(given, "lines")));
    json_object_set_new(arguments, "guests", guests_named(given, 0));
    if (moment_put_range(arguments, given, error))
        return arguments;
    json_decref(arguments);
    return NULL;
}

static void
print(const struct cli *cli, const json_t *event, int name_cols)
{
    if (!options_has(&cli->options, "json")) {
        happening_print(event, name_cols);
        return;
    }
    (void)json_dumpf(event, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    (void)putchar('\n');
}

/* Whether an event that just happened is one of those asked for. */
static bool
is_wanted(const struct cli *cli, const json_t *event)
{
    const struct options *given = &cli->options;
    const char *severity = options_text(given, "severity");
    const char *kind = options_text(given, "kind");
    const char *is_kind = guests_text(event, "kind");
    if (strcmp(is_kind, "seen") == 0 || (kind && strcmp(kind, is_kind) != 0))
        return false;
    if (severity &&
        severity_rank(guests_text(event, "severity")) < severity_rank(severity))
        return false;
    for (int i = 0; i < given->argument_count; i++) {
        if (strcmp(given->arguments[i], guests_text(event, "guest")) == 0)
            return true;
    }
    return given->argument_count == 0;
}

static void
on_event(void *user, const char *name, json_t *data)
{
    struct follower *follower = user;
    if (strcmp(name, "JOURNAL") != 0 || !is_wanted(follower->cli, data))
        return;
    if (follower->waiting) {
        json_array_append(follower->waiting, data);
        return;
    }
    print(follower->cli, data, follower->name_cols);
    (void)fflush(stdout);
}

static bool
is_among(const json_t *list, const json_t *event)
{
    for (size_t i = json_array_size(list); i > 0; i--) {
        if (json_equal(json_array_get(list, i - 1), event))
            return true;
    }
    return false;
}

static bool
print_past(struct session *session, struct follower *follower,
           json_t *arguments, struct error *error)
{
    json_t *value = NULL;
    if (!session_call(session, "event-list", arguments,
                      SESSION_REPLY_TIMEOUT_MS, &value, error))
        return false;
    const json_t *list = json_object_get(value, "events");
    follower->name_cols = happening_name_cols(list);
    for (size_t i = 0; i < json_array_size(list); i++)
        print(follower->cli, json_array_get(list, i), follower->name_cols);
    /* what came meanwhile, unless the list has it already */
    for (size_t i = 0; i < json_array_size(follower->waiting); i++) {
        const json_t *event = json_array_get(follower->waiting, i);
        if (!is_among(list, event))
            print(follower->cli, event, follower->name_cols);
    }
    json_decref(follower->waiting);
    follower->waiting = NULL;
    json_decref(value);
    return output_flush() ? true
                          : error_set(error, ERROR_CODE_IO,
                                      "cannot write to standard output");
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    struct follower follower = {.cli = cli};
    json_t *arguments = NULL;
    bool follows = options_has(&cli->options, "follow");
    if (!check_options(&cli->options, &error) ||
        !(arguments = make_arguments(&cli->options, &error)))
        return cli_fail_usage(cli, &error);
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    bool ok = session != NULL;
    if (ok && follows) {
        follower.waiting = json_array();
        session_set_on_event(session, on_event, &follower);
        ok = session_call(session, "events-subscribe", NULL,
                          SESSION_REPLY_TIMEOUT_MS, NULL, &error);
    }
    if (!ok)
        json_decref(arguments);
    ok = ok && print_past(session, &follower, arguments, &error) &&
         (!follows || session_wait_closed(session, SESSION_NO_TIMEOUT, &error));
    int status = ok ? COMMAND_DONE : session_fail(session, &error);
    session_close(session);
    json_decref(follower.waiting);
    return status;
}

const struct command cmd_events = {
    .name = "events",
    .usage = "[GUEST…] [-f] [--since TIME] [--severity SEVERITY]",
    .summary = "Print what happened to the guests, and who did what",
    .text =
        "Guests that started, ended, crashed or were paused, alerts, and what "
        "people did to them, from a journal that outlives the server (its "
        "newest 2 MiB). TIME is as for logs: 10m, 14:05, yesterday, "
        "\"2026-03-01 14:05\".",
    COMMAND_OPTIONS(options),
    .max_arguments = -1,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
