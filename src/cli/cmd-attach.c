#include "cli/cli.h"
#include "cli/cmd.h"

static int
run(struct cli *cli)
{
    return cli_run_deck(cli, cli->options.arguments[0], false);
}

const struct command cmd_attach = {
    .name = "attach",
    .usage = "[GUEST[:CONSOLE]]",
    .summary = "Open the deck",
    .text = "Shows every guest's console on one screen, beside a sidebar of "
            "the guests; GUEST is focused first. `guestmux` alone does the "
            "same. Detaching (prefix, then d) leaves everything as it is.",
    .max_arguments = 1,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
