#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/rows.h"

#include <unistd.h>

static const struct option options[] = {
    {
        .name = "purge",
        .type = OPTION_FLAG,
        .summary = "delete their console logs and exit reports too",
    },
    ROW_YES,
    ROW_JSON,
};

static int
run(struct cli *cli)
{
    bool purges = options_has(&cli->options, "purge");
    struct error error = {0};
    if (purges && !options_has(&cli->options, "yes") && !isatty(STDIN_FILENO)) {
        error_set(&error, ERROR_CODE_INVALID,
                  "rm: --purge deletes logs; without a terminal to ask on it "
                  "wants --yes");
        return cli_fail_usage(cli, &error);
    }
    if (!act_confirm_arguments(cli, "forget",
                               purges ? "their logs are deleted too" : NULL))
        return COMMAND_FAILED;
    json_t *arguments = json_pack("{s:b}", "purge", purges);
    struct act act = {
        .method = "guest-remove",
        .arguments = arguments,
        .timeout_ms = SESSION_REPLY_TIMEOUT_MS,
        .done = "removed",
    };
    int status = act_on_arguments(cli, &act);
    json_decref(arguments);
    return status;
}

const struct command cmd_rm = {
    .name = "rm",
    .alias = "remove",
    .usage = "[--purge] GUEST…",
    .summary = "Forget guests that do not run",
    .text = "Takes their definitions away; disks are never touched, and logs "
            "only with --purge. Asks first on a terminal, unless --yes is "
            "given; without a terminal --purge wants --yes.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .flags = COMMAND_CONFIRMS,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
