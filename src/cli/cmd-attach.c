#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/rows.h"

static const struct option options[] = {
    ROW_READ_ONLY,
};

static int
run(struct cli *cli)
{
    bool is_readonly = options_has(&cli->options, "read-only");
    return cli_run_deck(cli, cli->options.arguments[0],
                        is_readonly ? CLI_DECK_READ_ONLY : 0u);
}

const struct command cmd_attach = {
    .name = "attach",
    .usage = "[GUEST[:CONSOLE]] [--read-only]",
    .summary = "Open the deck",
    .text = "Shows every guest's console on one screen, beside a sidebar of "
            "the guests; GUEST is focused first. `guestmux` alone does the "
            "same. Detaching (prefix, then d) leaves everything as it is.",
    COMMAND_OPTIONS(options),
    .max_arguments = 1,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
