#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/completion.h"

static int
run(struct cli *cli)
{
    struct error error = {0};
    if (completion_print(cli->options.arguments[0], &error))
        return COMMAND_DONE;
    return cli_fail_usage(cli, &error);
}

const struct command cmd_completion = {
    .name = "completion",
    .usage = "bash | zsh | fish",
    .summary = "Print a completion script for a shell",
    .min_arguments = 1,
    .max_arguments = 1,
    .flags = COMMAND_NO_PATHS | COMMAND_HIDDEN,
    .run = run,
};
