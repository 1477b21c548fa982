#include "base/paths.h"
#include "qemu/qmp.h"
#include "wire/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Our connection, and one of an operator's tool that comes too early. */
#define BACKLOG 4

pid_t
qmp_probe(const char *path, struct error *error)
{
    struct error refusal = {0};
    int fd = stream_connect_unix(path, &refusal);
    if (fd < 0) {
        if (refusal.errnum == ENOENT || refusal.errnum == ECONNREFUSED)
            return 0;
        if (error)
            *error = refusal;
        return -1;
    }
    struct ucred peer = {0};
    socklen_t len = sizeof(peer);
    int failed = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
    int errnum = errno;
    (void)close(fd);
    if (!failed && peer.pid > 0)
        return peer.pid;
    error_set_errno(error, failed ? errnum : ESRCH, "cannot tell who serves %s",
                    path);
    return -1;
}

/* Removes a socket that nobody serves. */
static bool
clear_path(const char *path, struct error *error)
{
    struct stat info;
    if (lstat(path, &info) < 0) {
        if (errno == ENOENT)
            return true;
        return error_set_errno(error, errno, "cannot look at %s", path);
    }
    if (!S_ISSOCK(info.st_mode))
        return error_set(error, ERROR_CODE_EXISTS,
                         "%s is in the way of the monitor's socket and is no "
                         "socket; remove it",
                         path);
    pid_t pid = qmp_probe(path, error);
    if (pid < 0)
        return false;
    if (pid > 0)
        return error_set(error, ERROR_CODE_EXISTS,
                         "process %d serves the monitor's socket %s: the guest "
                         "runs already",
                         (int)pid, path);
    if (unlink(path) < 0 && errno != ENOENT)
        return error_set_errno(error, errno, "cannot remove the stale %s",
                               path);
    return true;
}

int
qmp_listen(const char *path, struct error *error)
{
    if (!paths_check_socket(path, error) || !clear_path(path, error))
        return -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        error_set_errno(error, errno, "cannot make the monitor's socket");
        return -1;
    }
    /* On Linux the socket file gets the descriptor's mode less the umask:
     * private from its first moment, whatever the umask is. */
    if (fchmod(fd, 0600) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        error_set_errno(error, errno, "cannot make the monitor's socket %s",
                        path);
        (void)close(fd);
        return -1;
    }
    if (listen(fd, BACKLOG) == 0)
        return fd;
    error_set_errno(error, errno, "cannot listen on %s", path);
    (void)unlink(path);
    (void)close(fd);
    return -1;
}
