#include "base/json.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

#include <stdio.h>
#include <string.h>

static const struct option options[] = {
    {
        .name = "list",
        .letter = 'l',
        .type = OPTION_FLAG,
        .summary = "list the methods with their arguments",
    },
    {
        .name = "follow",
        .letter = 'f',
        .type = OPTION_FLAG,
        .summary = "then print the server's events, one JSON object a line, "
                   "until Ctrl-C",
    },
    {
        .name = "names",
        .type = OPTION_FLAG,
        .flags = OPTION_HIDDEN,
        .summary = "list nothing but the methods' names (for completion); "
                   "starts no server",
    },
    ROW_TIMEOUT("30", "how long the answer may take; 0: any time"),
    ROW_JSON,
};

static const char *
member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void
print_method(const json_t *method)
{
    (void)printf("%s", output_style(OUTPUT_BOLD));
    (void)printf("%s", member(method, "name"));
    (void)printf("%s\n", output_style(OUTPUT_PLAIN));
    (void)printf("    %s\n", member(method, "summary"));
    const json_t *arguments = json_object_get(method, "arguments");
    for (size_t i = 0; i < json_array_size(arguments); i++) {
        const json_t *argument = json_array_get(arguments, i);
        bool is_required = json_is_true(json_object_get(argument, "required"));
        (void)printf("      %s%s (%s): %s\n", member(argument, "name"),
                     is_required ? "" : "?", member(argument, "type"),
                     member(argument, "summary"));
    }
}

static bool
list_methods(struct cli *cli, struct session *session, struct error *error)
{
    json_t *methods = NULL;
    if (!session_call(session, "query-commands", NULL, SESSION_REPLY_TIMEOUT_MS,
                      &methods, error))
        return false;
    bool is_json = options_has(&cli->options, "json");
    if (is_json) {
        output_json(methods);
    }
    for (size_t i = 0; !is_json && i < json_array_size(methods); i++) {
        const json_t *method = json_array_get(methods, i);
        if (options_has(&cli->options, "names"))
            output_line(member(method, "name"));
        else
            print_method(method);
    }
    json_decref(methods);
    return true;
}

static void
on_event(void *user, const char *name, json_t *data)
{
    json_t *event = json_pack("{s:s,s:O?}", "event", name, "data", data);
    (void)json_dumpf(event, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    (void)putchar('\n');
    json_decref(event);
    if (!output_flush())
        session_stop_waiting(user);
}

static bool
call(struct cli *cli, struct session *session, struct error *error)
{
    const char *method = cli->options.arguments[0];
    json_t *arguments = NULL;
    if (cli->options.argument_count > 1) {
        arguments = input_json(cli->options.arguments[1], error);
        if (!arguments)
            return false;
    }
    json_t *value = NULL;
    if (!session_call(session, method, arguments,
                      (uint64_t)options_number(&cli->options, "timeout"),
                      &value, error))
        return false;
    output_json(value);
    json_decref(value);
    return true;
}

static bool
follow(struct session *session, struct error *error)
{
    session_set_on_event(session, on_event, session);
    return session_call(session, "events-subscribe", NULL,
                        SESSION_REPLY_TIMEOUT_MS, NULL, error) &&
           session_wait_closed(session, SESSION_NO_TIMEOUT, error);
}

static int
run(struct cli *cli)
{
    bool names = options_has(&cli->options, "names");
    bool lists = names || options_has(&cli->options, "list");
    bool follows = options_has(&cli->options, "follow");
    bool calls = cli->options.argument_count > 0;
    struct error error = {0};
    if (!lists && !follows && !calls) {
        error_set(&error, ERROR_CODE_INVALID,
                  "api: a method is missing (--list shows them)");
        return cli_fail_usage(cli, &error);
    }
    struct session *session = session_open(
        cli, names ? CONNECTION_START_NEVER : CONNECTION_START_SERVER, &error);
    bool ok = session && (!lists || list_methods(cli, session, &error)) &&
              (!calls || call(cli, session, &error)) &&
              (!follows || follow(session, &error));
    int status = ok ? COMMAND_DONE : session_fail(session, &error);
    session_close(session);
    return status;
}

const struct command cmd_api = {
    .name = "api",
    .usage = "METHOD [JSON] | --list",
    .summary = "Call a method of the server's API",
    .text =
        "JSON is an object with the method's arguments; \"-\" reads it from "
        "standard input. What the method returns is printed as JSON. "
        "guestmux-api(7) describes the methods.",
    COMMAND_OPTIONS(options),
    .max_arguments = 2,
    .argument = COMMAND_ARGUMENT_METHOD,
    .run = run,
};
