#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/labels.h"
#include "cli/rows.h"

static const struct option options[] = {
    ROW_LABEL,
    {
        .name = "force",
        .type = OPTION_FLAG,
        .summary = "force them off instead of pressing the power button",
    },
    ROW_TIMEOUT("60", "how long a guest may take to shut down"),
    ROW_YES,
    ROW_NO_WAIT,
    ROW_JSON,
};

static int
run(struct cli *cli)
{
    bool is_forced = options_has(&cli->options, "force");
    if (!act_confirm_arguments(cli,
                               is_forced ? "force off and start again"
                                         : "shut down and start again",
                               NULL))
        return COMMAND_FAILED;
    uint64_t timeout_ms = (uint64_t)options_number(&cli->options, "timeout");
    json_t *arguments = json_pack(
        "{s:b,s:b,s:I}", "wait", !options_has(&cli->options, "no-wait"),
        "force", is_forced, "timeout-ms", (json_int_t)timeout_ms);
    struct act act = {
        .method = "guest-restart",
        .arguments = arguments,
        /* the start has its own limit in the server, on top of this one */
        .timeout_ms = SESSION_NO_TIMEOUT,
    };
    int status = act_on_arguments(cli, &act);
    json_decref(arguments);
    return status;
}

const struct command cmd_restart = {
    .name = "restart",
    .usage = "GUEST…",
    .summary = "Shut guests down and start them again",
    .text = "The new run uses the present definition. Asks first on a "
            "terminal, unless --yes is given.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .flags = COMMAND_CONFIRMS,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
