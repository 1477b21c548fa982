#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/labels.h"
#include "cli/rows.h"

static const struct option options[] = {
    ROW_LABEL,
    ROW_NO_WAIT,
    ROW_JSON,
};

static int
run(struct cli *cli)
{
    json_t *arguments =
        json_pack("{s:b}", "wait", !options_has(&cli->options, "no-wait"));
    struct act act = {.method = "guest-start", .arguments = arguments};
    int status = act_on_arguments(cli, &act);
    json_decref(arguments);
    return status;
}

const struct command cmd_start = {
    .name = "start",
    .usage = "GUEST…",
    .summary = "Start guests that are defined or ended",
    .text = "Returns when their monitors answer.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
