#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/labels.h"
#include "cli/rows.h"

static const struct option options[] = {
    ROW_LABEL,
    ROW_TIMEOUT("60", "how long a guest may take"),
    ROW_NO_WAIT,
    ROW_JSON,
};

static int
run(struct cli *cli)
{
    uint64_t timeout_ms = (uint64_t)options_number(&cli->options, "timeout");
    json_t *arguments =
        json_pack("{s:b,s:I}", "wait", !options_has(&cli->options, "no-wait"),
                  "timeout-ms", (json_int_t)timeout_ms);
    struct act act = {
        .method = "guest-shutdown",
        .arguments = arguments,
        .timeout_ms = timeout_ms,
    };
    int status = act_on_arguments(cli, &act);
    json_decref(arguments);
    return status;
}

const struct command cmd_shutdown = {
    .name = "shutdown",
    .usage = "GUEST…",
    .summary = "Press the power button (ACPI) and wait for the guests to end",
    .text = "A guest that ignores the button is left running when the time is "
            "over (exit status 3); `guestmux kill` forces it off.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
