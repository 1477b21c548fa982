#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/labels.h"
#include "cli/rows.h"

static const struct option options[] = {
    ROW_LABEL,
    ROW_YES,
    ROW_JSON,
};

static int
run(struct cli *cli)
{
    if (!act_confirm_arguments(cli, "reset",
                               "what was not written to disk is lost"))
        return COMMAND_FAILED;
    struct act act = {
        .method = "guest-reset",
        .timeout_ms = SESSION_REPLY_TIMEOUT_MS,
    };
    return act_on_arguments(cli, &act);
}

const struct command cmd_reset = {
    .name = "reset",
    .usage = "GUEST…",
    .summary = "Press guests' reset button",
    .text = "Asks first on a terminal, unless --yes is given.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .flags = COMMAND_CONFIRMS,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
