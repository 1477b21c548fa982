#include "cli/cli.h"
#include "cli/cmd.h"
#include "fleet/fleet.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static int
run(struct cli *cli)
{
    const char *file = cli->options.argument_count ? cli->options.arguments[0]
                                                   : "guestmux.json";
    struct error error = {0};
    struct fleet *fleet = fleet_read(file, &error);
    if (!fleet)
        return cli_fail(&error);
    (void)printf("%s: %zu guest%s, no mistake\n", file, fleet->guest_count,
                 fleet->guest_count == 1 ? "" : "s");
    fleet_free(fleet);
    return COMMAND_DONE;
}

const struct command cmd_check = {
    .name = "check",
    .usage = "[FILE]",
    .summary = "Look for mistakes in a fleet file",
    .text = "Tells every mistake with its place, and starts nothing. Without "
            "FILE it is guestmux.json.",
    .max_arguments = 1,
    .flags = COMMAND_NO_PATHS,
    .argument = COMMAND_ARGUMENT_FILE,
    .run = run,
};
