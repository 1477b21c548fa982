#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/labels.h"
#include "cli/rows.h"

static const struct option options[] = {
    ROW_LABEL,
    ROW_JSON,
};

static int
run_pause(struct cli *cli)
{
    struct act act = {
        .method = "guest-pause",
        .timeout_ms = SESSION_REPLY_TIMEOUT_MS,
    };
    return act_on_arguments(cli, &act);
}

static int
run_resume(struct cli *cli)
{
    struct act act = {
        .method = "guest-resume",
        .timeout_ms = SESSION_REPLY_TIMEOUT_MS,
    };
    return act_on_arguments(cli, &act);
}

const struct command cmd_pause = {
    .name = "pause",
    .usage = "GUEST…",
    .summary = "Stop guests' processors",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run_pause,
};

const struct command cmd_resume = {
    .name = "resume",
    .usage = "GUEST…",
    .summary = "Let paused guests go on",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run_resume,
};
