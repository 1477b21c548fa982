#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/help.h"
#include "cli/manual.h"

static const struct option options[] = {
    {
        .name = "manual",
        .type = OPTION_TEXT,
        .flags = OPTION_HIDDEN,
        .value = "TABLE",
        .summary = "print one of the manual's tables, for the build",
    },
};

static int
run(struct cli *cli)
{
    struct error error = {0};
    const char *table = options_text(&cli->options, "manual");
    if (table)
        return manual_print(table, &error) ? COMMAND_DONE : cli_fail(&error);
    if (!cli->options.argument_count) {
        help_print_all();
        return COMMAND_DONE;
    }
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
