#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/session.h"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How long the server may take to leave, ms. */
#define LEAVE_TIMEOUT_MS 10000

/* Waits until the process is gone: a server that starts at once after must
 * find the lock free. */
static bool
wait_gone(int pidfd, struct error *error)
{
    struct pollfd wait = {.fd = pidfd, .events = POLLIN};
    int ready = 0;
    do {
        ready = poll(&wait, 1, LEAVE_TIMEOUT_MS);
    } while (ready < 0 && errno == EINTR);
    if (ready > 0)
        return true;
    return error_set(error, ERROR_CODE_TIMEOUT,
                     "the server is still there after %d s",
                     LEAVE_TIMEOUT_MS / 1000);
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    struct session *session = session_open(cli, CONNECTION_START_NEVER, &error);
    if (!session)
        return cli_fail(&error);
    bool is_local = !options_has(&cli->options, "host");
    int pidfd = -1;
    if (is_local)
        pidfd = (int)syscall(SYS_pidfd_open, session_server_pid(session), 0);
    bool ok = session_call(session, "server-quit", NULL,
                           SESSION_REPLY_TIMEOUT_MS, NULL, &error) &&
              session_wait_closed(session, LEAVE_TIMEOUT_MS, &error);
    if (ok && pidfd >= 0)
        ok = wait_gone(pidfd, &error);
    if (pidfd >= 0)
        (void)close(pidfd);
    int status = ok ? COMMAND_DONE : session_fail(session, &error);
    session_close(session);
    return status;
}

const struct command cmd_kill_server = {
    .name = "kill-server",
    .usage = "",
    .summary = "End the server; guests go on",
    .text =
        "The guests keep running and logging. The next command starts a "
        "new server, which adopts them. Programs on terminals of the "
        "server's (\"exec\" in a fleet file) end with it. Exits with 1 when "
        "no server runs.",
    .run = run,
};
