#include "base/json.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

#include <stdlib.h>
#include <string.h>

/* What the server gets on top of the timeout to answer, ms. */
#define GRACE_MS 10000u

static const struct option options[] = {
    {
        .name = "for",
        .type = OPTION_TEXT,
        .value = "REGEX",
        .summary = "wait until a line of the console matches (PCRE2)",
    },
    {
        .name = "literal",
        .letter = 'F',
        .type = OPTION_FLAG,
        .summary = "what --for says is plain text",
    },
    {
        .name = "state",
        .type = OPTION_TEXT,
        .value = "STATE[,STATE]…",
        .summary = "wait until the guest is in one of these states",
    },
    {
        .name = "until",
        .type = OPTION_TEXT,
        .value = "STAGE",
        .summary = "wait until the guest's boot has come to this stage",
    },
    ROW_TIMEOUT("0", "how long to wait at most; 0: any time"),
    {
        .name = "since-boot",
        .type = OPTION_FLAG,
        .summary = "match what the guest printed since its start too",
    },
    {
        .name = "after",
        .type = OPTION_INTEGER,
        .value = "CURSOR",
        .max = INT64_MAX,
        .summary = "match what came after this place in the log, which `send "
                   "--json` prints",
    },
    ROW_JSON,
};

static json_t *
split_states(const char *text)
{
    json_t *states = json_array();
    char *copy = xstrdup(text);
    char *rest = NULL;
    for (char *word = strtok_r(copy, ",", &rest); word;
         word = strtok_r(NULL, ",", &rest))
        json_array_append_new(states, json_from_text(word));
    free(copy);
    return states;
}

static json_t *
build_arguments(const struct cli *cli)
{
    const struct options *given = &cli->options;
    json_t *arguments = json_object();
    json_object_set_new(arguments, "guest",
                        json_from_text(given->arguments[0]));
    if (options_number(given, "timeout"))
        json_object_set_new(arguments, "timeout-ms",
                            json_integer(options_number(given, "timeout")));
    if (options_has(given, "state")) {
        json_object_set_new(arguments, "states",
                            split_states(options_text(given, "state")));
        return arguments;
    }
    if (options_has(given, "until")) {
        json_object_set_new(arguments, "until",
                            json_from_text(options_text(given, "until")));
        return arguments;
    }
    json_object_set_new(arguments, "pattern",
                        json_from_text(options_text(given, "for")));
    if (options_has(given, "literal"))
        json_object_set_new(arguments, "literal", json_true());
    if (options_has(given, "since-boot"))
        json_object_set_new(arguments, "since-boot", json_true());
    if (options_has(given, "after"))
        json_object_set_new(arguments, "after",
                            json_integer(options_number(given, "after")));
    return arguments;
}

static bool
check_use(const struct cli *cli, struct error *error)
{
    const struct options *given = &cli->options;
    bool has_for = options_has(given, "for");
    if (has_for + options_has(given, "state") + options_has(given, "until") !=
        1)
        return error_set(error, ERROR_CODE_INVALID,
                         "wait: say one of --for REGEX, --state STATE and "
                         "--until STAGE");
    bool has_place =
        options_has(given, "since-boot") || options_has(given, "after");
    if (!has_for && (has_place || options_has(given, "literal")))
        return error_set(error, ERROR_CODE_INVALID,
                         "wait: --literal, --since-boot and --after go with "
                         "--for");
    if (options_has(given, "since-boot") && options_has(given, "after"))
        return error_set(error, ERROR_CODE_INVALID,
                         "wait: --since-boot and --after exclude each other");
    return true;
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    if (!check_use(cli, &error))
        return cli_fail_usage(cli, &error);
    bool is_stage = options_has(&cli->options, "until");
    bool is_state = is_stage || options_has(&cli->options, "state");
    uint64_t timeout_ms = (uint64_t)options_number(&cli->options, "timeout");
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    json_t *value = NULL;
    bool ok =
        session &&
        session_call(session, is_state ? "guest-wait" : "console-wait",
                     build_arguments(cli),
                     timeout_ms ? timeout_ms + GRACE_MS : SESSION_NO_TIMEOUT,
                     &value, &error);
    int status = ok ? COMMAND_DONE : session_fail(session, &error);
    if (ok && options_has(&cli->options, "json"))
        output_json(value);
    else if (ok && is_stage)
        guests_print_stage(cli->options.arguments[0], value);
    else if (ok && is_state)
        guests_print_state(cli->options.arguments[0], value);
    else if (ok)
        output_line(guests_text(value, "line"));
    json_decref(value);
    session_close(session);
    return status;
}

const struct command cmd_wait = {
    .name = "wait",
    .usage = "GUEST[:CONSOLE] (--for REGEX | --state STATE | --until STAGE) "
             "[--timeout S]",
    .summary = "Wait for a line on a console, a guest's state or boot stage",
    .text = "--for matches what appears from the moment of the call on, unless "
            "--since-boot or --after says otherwise, line by line, escape "
            "sequences left out; the line is printed. Exits with 3 when the "
            "time is over, with 1 when the guest ended meanwhile. States: "
            "defined starting running paused shutting-down stopped crashed "
            "lost, and QEMU's own (guest-panicked, io-error, watchdog …). "
            "Stages: firmware boot-loader kernel init cloud-init login agent "
            "ssh; a later one counts too, and so does one that was reached "
            "before the call.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = 1,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
