#include "base/buffer.h"
#include "cli/cli.h"
#include "cli/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes that are copied at once; no more is kept, so that a slow side slows the
 * other one. */
#define CHUNK_BYTES 65536

/* One direction. */
struct pipe {
    int from;
    int to;
    char bytes[CHUNK_BYTES];
    size_t len;
    size_t at;
    bool is_over; /* from ended, and all of it was written */
};

/* Moves what can be moved now; false when it failed for good. */
static bool
move_bytes(struct pipe *pipe, bool may_read, bool may_write)
{
    if (pipe->at == pipe->len && may_read) {
        ssize_t got = read(pipe->from, pipe->bytes, sizeof(pipe->bytes));
        if (got < 0)
            return errno == EINTR || errno == EAGAIN;
        pipe->at = 0;
        pipe->len = (size_t)got;
        pipe->is_over = got == 0;
        may_write = true;
    }
    if (pipe->at < pipe->len && may_write) {
        ssize_t put =
            write(pipe->to, pipe->bytes + pipe->at, pipe->len - pipe->at);
        if (put < 0)
            return errno == EINTR || errno == EAGAIN;
        pipe->at += (size_t)put;
    }
    return true;
}

/* Whether everything read was written. */
static bool
is_empty(const struct pipe *pipe)
{
    return pipe->at == pipe->len;
}

static bool
copy(struct pipe *up, struct pipe *down)
{
    bool has_told_end = false;
    for (;;) {
        struct pollfd waits[] = {
            {.fd = is_empty(up) && !up->is_over ? up->from : -1,
             .events = POLLIN},
            {.fd = is_empty(up) ? -1 : up->to, .events = POLLOUT},
            {.fd = is_empty(down) ? down->from : -1, .events = POLLIN},
            {.fd = is_empty(down) ? -1 : down->to, .events = POLLOUT},
        };
        if (poll(waits, 4, -1) < 0 && errno != EINTR)
            return false;
        if (!move_bytes(up, waits[0].revents != 0, waits[1].revents != 0) ||
            !move_bytes(down, waits[2].revents != 0, waits[3].revents != 0))
            return false;
        if (down->is_over)
            return true;
        /* the server answers what it has got, then closes its side */
        if (up->is_over && !has_told_end)
            has_told_end = shutdown(up->to, SHUT_WR) == 0;
    }
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    int fd = cli_connect(cli, CONNECTION_START_SERVER, &error);
    if (fd < 0)
        return cli_fail(&error);
    struct pipe up = {.from = STDIN_FILENO, .to = fd};
    struct pipe down = {.from = fd, .to = STDOUT_FILENO};
    bool ok = copy(&up, &down);
    (void)close(fd);
    return ok ? COMMAND_DONE : COMMAND_FAILED;
}

const struct command cmd_proxy = {
    .name = "proxy",
    .usage = "",
    .summary = "Connect standard input and output to the server's API",
    .text =
        "For --host, which runs it through ssh, and for programs that speak "
        "the API but no unix sockets.",
    .run = run,
};
