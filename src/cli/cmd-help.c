#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/help.h"

static const struct option options[] = {
    {
        .name = "man",
        .type = OPTION_FLAG,
        .flags = OPTION_HIDDEN,
        .summary = "print the manual's tables",
    },
};

static int
run(struct cli *cli)
{
    if (options_has(&cli->options, "man")) {
        help_print_manual();
        return COMMAND_DONE;
    }
    if (!cli->options.argument_count) {
        help_print_all();
        return COMMAND_DONE;
    }
    struct error error = {0};
    const struct command *command =
        commands_find(cli->options.arguments[0], &error);
    if (!command)
        return cli_fail_usage(cli, &error);
    help_print_command(command);
    return COMMAND_DONE;
}

const struct command cmd_help = {
    .name = "help",
    .usage = "[COMMAND]",
    .summary = "Print help",
    COMMAND_OPTIONS(options),
    .max_arguments = 1,
    .flags = COMMAND_NO_PATHS,
    .argument = COMMAND_ARGUMENT_COMMAND,
    .run = run,
};
