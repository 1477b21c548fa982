#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/rows.h"

#include <stdlib.h>
#include <string.h>

static const struct option options[] = {
    ROW_JSON,
};

/* A card's number, or -1. */
static int
read_card(const char *text)
{
    char *end = NULL;
    long number = strtol(text, &end, 10);
    return end == text || *end || number < 0 || number > 63 ? -1 : (int)number;
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    int count = cli->options.argument_count;
    const char *state = cli->options.arguments[count - 1];
    int card = count == 3 ? read_card(cli->options.arguments[1]) : 0;
    bool is_up = strcmp(state, "up") == 0;
    if (!is_up && strcmp(state, "down") != 0)
        error_set(&error, ERROR_CODE_INVALID,
                  "link: a cable is \"up\" or \"down\", not \"%.64s\"", state);
    else if (card < 0)
        error_set(&error, ERROR_CODE_INVALID,
                  "link: \"%.64s\" is not a card's number (they count from 0)",
                  cli->options.arguments[1]);
    if (error.code)
        return cli_fail_usage(cli, &error);
    json_t *arguments = json_pack("{s:b,s:i}", "up", is_up, "nic", card);
    struct act act = {
        .method = "guest-link",
        .arguments = arguments,
        .timeout_ms = SESSION_REPLY_TIMEOUT_MS,
        .done = is_up ? "the cable is in" : "the cable is out",
    };
    int status = act_on_one(cli, cli->options.arguments[0], &act);
    json_decref(arguments);
    return status;
}

const struct command cmd_link = {
    .name = "link",
    .usage = "GUEST [NIC] down|up",
    .summary = "Pull the cable of a guest's network card, or put it in again",
    .text = "NIC is the card's number, from 0, the default. The guest sees "
            "that its link is gone. A cable that is out stays out until it is "
            "put in again or the guest is started anew.",
    COMMAND_OPTIONS(options),
    .min_arguments = 2,
    .max_arguments = 3,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
