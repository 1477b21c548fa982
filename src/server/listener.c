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
/* ms from the loss of the socket to a new one: who takes its directory away is
 * not to find something new in it. */
#define MOVE_DELAY_MS 500u

struct listener {
    uv_loop_t *loop;           /* borrowed */
    const struct paths *paths; /* borrowed: lives as long */
    char *path;                /* owned: where the socket is */
    char *state_path;          /* owned: the link to it, or itself */
    struct stat place;         /* the socket's, to know it again */
    int lock_fd;               /* holds the lock while open */
    int state_lock_fd;         /* the same */
    int fd;                    /* the listening socket */
    int spare_fd;              /* given up to turn a client away; or -1 */
    struct loop_poll *poll;    /* owned */
    struct loop_timer *move;   /* owned: until a lost socket is made anew */
    uv_fs_event_t *watch;      /* owned: tells of changes beside the socket */
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

/* The first lock is as good as its directory, which XDG_RUNTIME_DIR names; a
 * server that was started without it must not take over our guests. */
static int
take_state_lock(const struct paths *paths, struct error *error)
{
    const char *path = paths->state_dir;
    if (!paths_make_dir(path, error))
        return -1;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        error_set_errno(error, errno, "cannot open %s", path);
        return -1;
    }
    /* A file system without locks is no reason to refuse. */
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return fd;
    error_set(error, ERROR_CODE_STATE,
              "a server with other sockets than %s has the guests in %s; set "
              "XDG_RUNTIME_DIR as it was for that one, or end it (the guests "
              "go on)",
              paths->runtime_dir, path);
    (void)close(fd);
    return -1;
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

/* The place ---------------------------------------------------------------- */

/* Whether what lies at the path is the socket that was bound there. */
static bool
is_in_place(const struct listener *listener)
{
    struct stat now;
    return lstat(listener->path, &now) == 0 &&
           now.st_dev == listener->place.st_dev &&
           now.st_ino == listener->place.st_ino;
}

/* A client with another XDG_RUNTIME_DIR finds us through the state directory.
 * Failing is no harm to the others. */
static void
link_from_state(const struct listener *listener)
{
    char *temporary = xasprintf("%s~", listener->state_path);
    (void)unlink(temporary);
    if (symlink(listener->path, temporary) == 0 &&
        rename(temporary, listener->state_path) < 0)
        (void)unlink(temporary);
    free(temporary);
}

/* Listens at path, which becomes the listener's, in place of where it did. */
static bool
listen_at(struct listener *listener, char *path, struct error *error)
{
    int fd = bind_socket(path, error);
    if (fd < 0) {
        free(path);
        return false;
    }
    loop_poll_free(listener->poll);
    if (listener->fd >= 0)
        (void)close(listener->fd);
    free(listener->path);
    listener->path = path;
    listener->fd = fd;
    if (lstat(path, &listener->place) < 0)
        listener->place = (struct stat){0};
    listener->poll = loop_poll_new(listener->loop, fd, on_readable, listener);
    loop_poll_set(listener->poll, UV_READABLE);
    return true;
}

static void
on_watch_closed(uv_handle_t *handle)
{
    free(handle);
}

static void
stop_watch(struct listener *listener)
{
    if (listener->watch)
        uv_close((uv_handle_t *)listener->watch, on_watch_closed);
    listener->watch = NULL;
}

static void
on_place_event(uv_fs_event_t *handle, const char *name, int events, int status)
{
    struct listener *listener = handle->data;
    (void)name;
    (void)events;
    (void)status;
    if (!is_in_place(listener))
        loop_timer_start(listener->move, MOVE_DELAY_MS);
}

static void
start_watch(struct listener *listener)
{
    stop_watch(listener);
    listener->watch = xcalloc(1, sizeof(*listener->watch));
    uv_fs_event_init(listener->loop, listener->watch);
    listener->watch->data = listener;
    /* Without inotify the socket is not watched: as good as it gets. */
    (void)uv_fs_event_start(listener->watch, on_place_event,
                            listener->paths->runtime_dir, 0);
    /* It is no reason to go on turning. */
    uv_unref((uv_handle_t *)listener->watch);
}

/* The lock file may be another one by now; false: another server has that. */
static bool
renew_lock(struct listener *listener)
{
    struct stat held;
    struct stat now;
    char *path = xasprintf("%s/lock", listener->paths->runtime_dir);
    bool is_same = fstat(listener->lock_fd, &held) == 0 &&
                   lstat(path, &now) == 0 && held.st_dev == now.st_dev &&
                   held.st_ino == now.st_ino;
    free(path);
    if (is_same)
        return true;
    int fd = take_lock(listener->paths, NULL);
    if (fd < 0)
        return false;
    (void)close(listener->lock_fd);
    listener->lock_fd = fd;
    return true;
}

static void
on_move(void *data)
{
    struct listener *listener = data;
    struct error error = {0};
    if (is_in_place(listener))
        return;
    if (paths_make_runtime(listener->paths, &error) && renew_lock(listener) &&
        listen_at(listener, paths_api_socket(listener->paths), &error)) {
        link_from_state(listener);
        start_watch(listener);
        return;
    }
    stop_watch(listener);
    if (!listen_at(listener, xstrdup(listener->state_path), &error))
        (void)fprintf(stderr, "guestmux: the API socket is gone: %s\n",
                      error.text);
}

/* Beginning and end -------------------------------------------------------- */

struct listener *
listener_new(uv_loop_t *loop, const struct paths *paths, listener_fn on_connect,
             void *data, struct error *error)
{
    int lock_fd = take_lock(paths, error);
    int state_lock_fd = lock_fd < 0 ? -1 : take_state_lock(paths, error);
    if (state_lock_fd < 0) {
        if (lock_fd >= 0)
            (void)close(lock_fd);
        return NULL;
    }
    struct listener *listener = xcalloc(1, sizeof(*listener));
    *listener = (struct listener){
        .loop = loop,
        .paths = paths,
        .state_path = paths_state_socket(paths),
        .lock_fd = lock_fd,
        .state_lock_fd = state_lock_fd,
        .fd = -1,
        .spare_fd = open_spare(),
        .on_connect = on_connect,
        .data = data,
    };
    listener->move = loop_timer_new(loop, on_move, listener);
    if (!listen_at(listener, paths_api_socket(paths), error)) {
        listener_free(listener);
        return NULL;
    }
    link_from_state(listener);
    start_watch(listener);
    return listener;
}

void
listener_free(struct listener *listener)
{
    if (!listener)
        return;
    stop_watch(listener);
    loop_timer_free(listener->move);
    loop_poll_free(listener->poll);
    if (listener->path) {
        if (is_in_place(listener))
            (void)unlink(listener->path);
        (void)unlink(listener->state_path);
        (void)close(listener->fd);
    }
    if (listener->spare_fd >= 0)
        (void)close(listener->spare_fd);
    (void)close(listener->lock_fd);
    (void)close(listener->state_lock_fd);
    free(listener->path);
    free(listener->state_path);
    free(listener);
}
