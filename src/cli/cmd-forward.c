#include "base/json.h"
#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option options[] = {
    {
        .name = "nic",
        .type = OPTION_INTEGER,
        .value = "N",
        .min = 0,
        .max = 63,
        .summary = "add: which of its cards, from 0 (the first one on a user "
                   "network)",
    },
    ROW_JSON,
};

static void
add_row(struct output_table *table, const json_t *forward)
{
    char from[96];
    char to[96];
    (void)snprintf(from, sizeof(from), "%.45s:%d", guests_text(forward, "host"),
                   (int)guests_number(forward, "host-port"));
    (void)snprintf(to, sizeof(to), "%.45s:%d", guests_text(forward, "guest"),
                   (int)guests_number(forward, "guest-port"));
    const char *cells[] = {guests_text(forward, "protocol"), from, to,
                           guests_text(forward, "netdev")};
    output_table_add(table, cells);
}

static int
print(const struct cli *cli, const json_t *value)
{
    const json_t *forwards = json_object_get(value, "forwards");
    if (options_has(&cli->options, "json")) {
        output_json(forwards);
        return COMMAND_DONE;
    }
    if (json_array_size(forwards) == 0) {
        (void)fprintf(stderr, "no port of the host leads to it\n");
        return COMMAND_DONE;
    }
    static const char *const head[] = {"PROTOCOL", "HOST", "GUEST", "NETWORK"};
    struct output_table *table = output_table_new(4);
    output_table_add(table, head);
    for (size_t i = 0; i < json_array_size(forwards); i++)
        add_row(table, json_array_get(forwards, i));
    output_table_print(table);
    return COMMAND_DONE;
}

/* "2222", "0.0.0.0:2222", "udp:53" into the method's arguments. */
static bool
read_port(const char *text, json_t *arguments, struct error *error)
{
    const char *digits = text;
    if (!strncmp(text, "udp:", 4) || !strncmp(text, "tcp:", 4)) {
        json_object_set_new(arguments, "protocol", json_stringn(text, 3));
        digits += 4;
    }
    const char *colon = strchr(digits, ':');
    if (colon) {
        json_object_set_new(arguments, "host",
                            json_from_bytes(digits, (size_t)(colon - digits)));
        digits = colon + 1;
    }
    char *end = NULL;
    long port = strtol(digits, &end, 10);
    if (end == digits || *end || port < 1 || port > 65535)
        return error_set(error, ERROR_CODE_INVALID,
                         "forward: \"%.64s\" is not a port of the host (try "
                         "2222, 0.0.0.0:2222, or udp:53)",
                         text);
    json_object_set_new(arguments, "host-port", json_integer(port));
    return true;
}

/* The method of the verb that is given, and its arguments. */
static const char *
read_verb(const struct cli *cli, json_t *arguments, struct error *error)
{
    const struct options *given = &cli->options;
    const char *verb = given->argument_count > 1 ? given->arguments[1] : "ls";
    bool has_what = given->argument_count > 2;
    if (!strcmp(verb, "ls") && !has_what)
        return "guest-query";
    if (!strcmp(verb, "add") && has_what) {
        json_object_set_new(arguments, "forward",
                            json_from_text(given->arguments[2]));
        if (options_has(given, "nic"))
            json_object_set_new(arguments, "nic",
                                json_integer(options_number(given, "nic")));
        return "guest-forward-add";
    }
    if (!strcmp(verb, "rm") && has_what)
        return read_port(given->arguments[2], arguments, error)
                   ? "guest-forward-remove"
                   : NULL;
    error_set(error, ERROR_CODE_INVALID,
              "forward: GUEST ls, GUEST add PORT:PORT or GUEST rm PORT is what "
              "it does");
    return NULL;
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    json_t *arguments = json_object();
    json_object_set_new(arguments, "guest",
                        json_from_text(cli->options.arguments[0]));
    const char *method = read_verb(cli, arguments, &error);
    if (!method) {
        json_decref(arguments);
        return cli_fail_usage(cli, &error);
    }
    return session_ask(cli, method, arguments, SESSION_REPLY_TIMEOUT_MS, print);
}

const struct command cmd_forward = {
    .name = "forward",
    .usage = "GUEST [ls | add [HOST:]PORT:PORT | rm [HOST:]PORT]",
    .summary = "List, add and remove ports of the host that lead to a guest",
    .text = "For running guests with a user network. What is added has the "
            "form of a fleet file's hostfwd: 2222:22, udp:5353:53, "
            "0.0.0.0:8080:80, or auto:22 for a port that is free; without an "
            "address it is 127.0.0.1. It lasts until the guest ends. All "
            "forwarded ports are listed then.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = 3,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
