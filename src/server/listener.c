#include "server/listener.h"

#include "base/loop.h"
#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Connections that wait to be accepted; as many clients may start at once. */
#define BACKLOG 128

struct listener {
    char *path;             /* owned */
    int lock_fd;            /* holds the lock while open */
    int fd;                 /* the listening socket */
    int spare_fd;           /* given up to turn a client away; or -1 */
    struct loop_poll *poll; /* owned */
    listener_fn on_connect;
    void *data;
};

/* The lock file stays for ever: removing it would let two servers lock two
 * files of one name. */
static int
take_lock(const struct paths *paths, struct error *error)
{
    char *path = xasprintf("%s/lock", paths->runtime_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        error_set_errno(error, errno, "cannot open %s", path);
    } else if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK)
            error_set(error, ERROR_CODE_EXISTS,
                      "a server named '%s' runs already (%s is locked)",
                      paths->server, path);
        else
            error_set_errno(error, errno, "cannot lock %s", path);
        (void)close(fd);
        fd = -1;
    }
    free(path);
    return fd;
}

/* Binds under the lock, so whatever socket lies there is stale. It is bound
 * under another name first and renamed: who connects finds a socket that
 * listens or none. */
static int
bind_socket(const char *path, struct error *error)
{
    char *temporary = xasprintf("%s~", path);
    int fd = -1;
    if (!paths_check_socket(temporary, error)) {
        free(temporary);
        return -1;
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, temporary, strlen(temporary) + 1);
    (void)unlink(temporary);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 &&
              bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
              chmod(temporary, 0600) == 0 && listen(fd, BACKLOG) == 0 &&
              rename(temporary, path) == 0;
    if (!ok) {
        error_set_errno(error, errno, "cannot listen on %s", path);
        if (fd >= 0)
            (void)close(fd);
        (void)unlink(temporary);
        fd = -1;
    }
    free(temporary);
    return fd;
}

static bool
is_same_user(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return false;
    return peer.uid == geteuid() || peer.uid == 0;
}

static int
open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* There is no descriptor left for a client that knocks. It has to be taken and
 * let go, else the loop would hear it knock for ever. */
static bool
turn_away(struct listener *listener)
{
    if (listener->spare_fd < 0)
        return false;
    (void)close(listener->spare_fd);
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        (void)close(fd);
    listener->spare_fd = open_spare();
    return fd >= 0;
}

static void
on_readable(void *data, int status, int events)
{
    (void)events;
    struct listener *listener = data;
    if (status < 0)
        return;
    for (;;) {
        int fd =
            accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE) &&
            turn_away(listener))
            continue;
        if (fd < 0)
            return;
        if (is_same_user(fd))
            listener->on_connect(listener->data, fd);
        else
            (void)close(fd);
    }
}

struct listener *
listener_new(uv_loop_t *loop, const struct paths *paths, listener_fn on_connect,
             void *data, struct error *error)
{
    int lock_fd = take_lock(paths, error);
    if (lock_fd < 0)
        return NULL;
    char *path = paths_api_socket(paths);
    int fd = bind_socket(path, error);
    if (fd < 0) {
        free(path);
        (void)close(lock_fd);
        return NULL;
    }
    struct listener *listener = xcalloc(1, sizeof(*listener));
    listener->path = path;
    listener->lock_fd = lock_fd;
    listener->fd = fd;
    listener->spare_fd = open_spare();
    listener->on_connect = on_connect;
    listener->data = data;
    listener->poll = loop_poll_new(loop, fd, on_readable, listener);
    loop_poll_set(listener->poll, UV_READABLE);
    return listener;
}

void
listener_free(struct listener *listener)
{
    if (!listener)
        return;
    loop_poll_free(listener->poll);
    (void)unlink(listener->path);
    (void)close(listener->fd);
    if (listener->spare_fd >= 0)
        (void)close(listener->spare_fd);
    (void)close(listener->lock_fd);
    free(listener->path);
    free(listener);
}
