#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/rows.h"

static const struct option options[] = {
    ROW_JSON,
};

static int
run(struct cli *cli)
{
    struct act act = {
        .method = "console-break",
        .timeout_ms = SESSION_REPLY_TIMEOUT_MS,
        .done = "break sent",
    };
    return act_on_arguments(cli, &act);
}

const struct command cmd_break = {
    .name = "break",
    .usage = "GUEST[:CONSOLE]…",
    .summary = "Send a break on consoles' serial lines",
    .text = "Linux takes a break on its serial console as the SysRq key; boot "
            "loaders and other systems have uses of their own. `sysrq` sends "
            "the break and a command behind it.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
