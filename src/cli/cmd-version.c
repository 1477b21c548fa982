#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/help.h"

static int
run(struct cli *cli)
{
    (void)cli;
    help_print_version();
    return COMMAND_DONE;
}

const struct command cmd_version = {
    .name = "version",
    .usage = "",
    .summary = "Print the version",
    .flags = COMMAND_NO_PATHS,
    .run = run,
};
