#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/labels.h"
#include "cli/rows.h"

static const struct option options[] = {
    ROW_LABEL,
    ROW_YES,
    ROW_NO_WAIT,
    ROW_JSON,
};

static int
run(struct cli *cli)
{
    if (!act_confirm_arguments(cli, "force off",
                               "what was not written to disk is lost"))
        return COMMAND_FAILED;
    json_t *arguments =
        json_pack("{s:b}", "wait", !options_has(&cli->options, "no-wait"));
    struct act act = {.method = "guest-kill", .arguments = arguments};
    int status = act_on_arguments(cli, &act);
    json_decref(arguments);
    return status;
}

const struct command cmd_kill = {
    .name = "kill",
    .usage = "GUEST…",
    .summary = "Force guests off, as pulling the plug does",
    .text = "Asks first on a terminal, unless --yes is given; in a script it "
            "acts at once.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .flags = COMMAND_CONFIRMS,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
