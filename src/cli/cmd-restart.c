#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/labels.h"
#include "cli/rows.h"
#include "cli/startup.h"

static const struct option options[] = {
    ROW_LABEL,
    {
        .name = "force",
        .type = OPTION_FLAG,
        .summary = "force them off instead of pressing the power button",
    },
    ROW_TIMEOUT("60", "how long a guest may take to shut down; what its "
                      "definition says, when this is not given"),
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
    bool is_timed = options_has(&cli->options, "timeout");
    struct startup_restart how = {
        .timeout_ms =
            is_timed ? (uint64_t)options_number(&cli->options, "timeout") : 0,
        .is_killed = is_forced,
        .waits = !options_has(&cli->options, "no-wait"),
    };
    struct error error = {0};
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    if (!session)
        return cli_fail(&error);
    int status = startup_restart(cli, session,
                                 (const char *const *)cli->options.arguments,
                                 (size_t)cli->options.argument_count, &how);
    session_close(session);
    return status;
}

const struct command cmd_restart = {
    .name = "restart",
    .usage = "GUEST…",
    .summary = "Shut guests down and start them again",
    .text = "Of several, those that come \"after\" others end first, and are "
            "started when the others are as far as \"until\" says. What does "
            "not end in time is left running; on a terminal the time left is "
            "shown, and any key stops it. The new run uses the present "
            "definition. Asks first on a terminal, unless --yes is given.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .flags = COMMAND_CONFIRMS,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
