#include "base/json.h"
#include "base/xalloc.h"
#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/rows.h"

#include <string.h>

static const struct option options[] = {
    ROW_JSON,
};

static int
run(struct cli *cli)
{
    struct error error = {0};
    const struct options *given = &cli->options;
    if (strcmp(given->arguments[0], "renew") != 0) {
        error_set(&error, ERROR_CODE_INVALID,
                  "cloud-init does renew, not \"%s\"", given->arguments[0]);
        return cli_fail_usage(cli, &error);
    }
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    if (!session)
        return cli_fail(&error);
    struct act act = {
        .method = "cloud-init-renew",
        .timeout_ms = SESSION_REPLY_TIMEOUT_MS,
        .done = "a new machine for cloud-init when it boots next",
    };
    int status =
        act_on_guests(cli, session, (const char *const *)given->arguments + 1,
                      (size_t)given->argument_count - 1, &act);
    session_close(session);
    return status;
}

const struct command cmd_cloud_init = {
    .name = "cloud-init",
    .usage = "renew GUEST…",
    .summary = "Let cloud-init take guests for new machines",
    .text = "Gives each a new instance-id, so that cloud-init does at the next "
            "boot what it does once for a machine: users, passwords, keys, ssh "
            "host keys. Disks stay as they are.",
    COMMAND_OPTIONS(options),
    .min_arguments = 2,
    .max_arguments = -1,
    .argument = COMMAND_ARGUMENT_NONE,
    .run = run,
};
