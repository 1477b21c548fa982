#include "cli/cli.h"
#include "cli/cmd.h"
#include "server/server.h"

#include <unistd.h>

static const struct option options[] = {
    {
        .name = "foreground",
        .type = OPTION_FLAG,
        .summary = "stay in the foreground, as a service manager wants it, "
                   "also while there is nothing to do",
    },
    {
        .name = "ready-fd",
        .type = OPTION_INTEGER,
        .flags = OPTION_HIDDEN,
        .value = "N",
        .default_value = "-1",
        .min = -1,
        .max = 65535,
        .summary = "the descriptor that is told when the server listens",
    },
};

/* Without options the server is started as any command would start it. */
static int
start_detached(struct cli *cli)
{
    struct error error = {0};
    int fd = cli_connect(cli, CONNECTION_START_SERVER, &error);
    if (fd < 0)
        return cli_fail(&error);
    (void)close(fd);
    return COMMAND_DONE;
}

static int
run(struct cli *cli)
{
    bool is_foreground = options_has(&cli->options, "foreground");
    if (!is_foreground && !options_has(&cli->options, "ready-fd"))
        return start_detached(cli);
    struct error error = {0};
    struct server_options server_options = {
        .paths = &cli->paths,
        .ready_fd = (int)options_number(&cli->options, "ready-fd"),
        .flags = is_foreground ? SERVER_FOREGROUND : 0,
    };
    if (server_run(&server_options, &error))
        return COMMAND_DONE;
    /* another server was first: who started this one talks to that */
    if (error.code == ERROR_CODE_EXISTS && !is_foreground)
        return COMMAND_DONE;
    return cli_fail(&error);
}

const struct command cmd_server = {
    .name = "server",
    .usage = "[--foreground]",
    .summary = "Start the server",
    .text = "Every command starts the server when there is none, detached from "
            "the terminal, so this is for service managers (--foreground) and "
            "for those who want it early. It adopts the guests that an earlier "
            "server left running, and with --foreground starts those that have "
            "\"autostart\". A second server of one name refuses to run.",
    COMMAND_OPTIONS(options),
    .run = run,
};
