#include "cli/cli.h"
#include "cli/cmd.h"

static int
run(struct cli *cli)
{
    return cli_run_deck(cli, cli->options.arguments[0], true);
}

const struct command cmd_console = {
    .name = "console",
    .usage = "GUEST[:CONSOLE]",
    .summary = "Open one console, without the rest of the deck",
    .text = "The whole terminal is the console; the prefix key works as in the "
            "deck (prefix, then d leaves).",
    .min_arguments = 1,
    .max_arguments = 1,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
