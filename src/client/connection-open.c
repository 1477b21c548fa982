#include "base/buffer.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "client/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long the whole of connection_open may take, ms. */
#define OPEN_TIMEOUT_MS 10000u
/* How long after a server that ended without a word another one, which was
 * first, is given to listen, ms; and how often one is started. */
#define RACE_TIMEOUT_MS 500u
#define MAX_STARTS 8
/* How long a server that lost its socket is given to make a new one, ms. */
#define MOVE_TIMEOUT_MS 1500u
/* The ready pipe's number in the server. */
#define READY_FD 3
/* Most of an error text that is taken from the ready pipe. */
#define READY_MAX_BYTES 4000u
/* A server log beyond this is started anew (the old one is kept once). */
#define LOG_MAX_BYTES (1 << 20)

/* Milliseconds until the deadline, for poll. */
static int
left_ms(uint64_t deadline_ms)
{
    uint64_t now = clock_monotonic_ms();
    return now < deadline_ms ? (int)(deadline_ms - now) : 0;
}

static bool
check_peer(int fd, struct error *error)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return error_set_errno(error, errno, "cannot ask who the server is");
    if (peer.uid != geteuid() && peer.uid != 0)
        return error_set(error, ERROR_CODE_DENIED,
                         "the server's socket is served by uid %u, not by you",
                         (unsigned)peer.uid);
    return true;
}

/* Waits for the first byte of the greeting, which stays to be read: a server
 * that is being killed still takes connections, and never says anything. */
static bool
await_greeting(int fd, const char *path, uint64_t deadline_ms,
               struct error *error)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int ready = 0;
    do {
        ready = poll(&wait, 1, left_ms(deadline_ms));
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return error_set(error, ERROR_CODE_TIMEOUT,
                         "the server at %s says nothing; is it stopped?", path);
    char byte;
    if (recv(fd, &byte, 1, MSG_PEEK) > 0)
        return true;
    return error_set_errno(error, ECONNREFUSED, "the server at %s is leaving",
                           path);
}

/* Connects, waiting when the server's backlog is full. -1 with error set;
 * error->errnum tells whether a server was there. */
static int
connect_socket(const char *path, uint64_t deadline_ms, struct error *error)
{
    if (!paths_check_socket(path, error))
        return -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        error_set_errno(error, errno, "cannot make a socket");
        return -1;
    }
    int wait_ms = left_ms(deadline_ms) + 1;
    struct timeval limit = {.tv_sec = wait_ms / 1000,
                            .tv_usec = wait_ms % 1000 * 1000L};
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    bool ok = true;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        int errnum = errno;
        ok = error_set_errno(error, errnum, "cannot connect to %s", path);
        if (errnum == EAGAIN && error)
            ok = error_set(error, ERROR_CODE_TIMEOUT,
                           "the server at %s accepts nobody; is it stopped?",
                           path);
    }
    ok = ok && check_peer(fd, error) &&
         await_greeting(fd, path, deadline_ms, error);
    if (ok && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        ok = error_set_errno(error, errno, "cannot set up the socket");
    if (ok)
        return fd;
    (void)close(fd);
    return -1;
}

/* Whether a failed connect means that nobody serves there. */
static bool
is_absent(const struct error *error)
{
    return error->errnum == ENOENT || error->errnum == ECONNREFUSED;
}

/* Connects to a server whose runtime directory is gone, or is another than
 * ours. -1 with error set, as connect_socket. */
static int
connect_through_state(const struct paths *paths, uint64_t deadline_ms,
                      struct error *error)
{
    char *path = paths_state_socket(paths);
    struct error ignored = {0};
    struct error failure = {0};
    int fd = -1;
    if (paths_check_socket(path, &ignored))
        fd = connect_socket(path, deadline_ms, &failure);
    if (fd < 0 && failure.code && !is_absent(&failure))
        *error = failure;
    free(path);
    return fd;
}

/* Where the server's own complaints go. */
static int
open_log(const struct paths *paths, struct error *error)
{
    if (!paths_make_dir(paths->state_dir, error))
        return -1;
    char *path = xasprintf("%s/server.log", paths->state_dir);
    struct stat info;
    if (lstat(path, &info) == 0 && info.st_size > LOG_MAX_BYTES) {
        char *old = xasprintf("%s.old", path);
        (void)rename(path, old);
        free(old);
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                  0600);
    if (fd < 0)
        error_set_errno(error, errno, "cannot open %s", path);
    free(path);
    return fd;
}

/* In the forked child: becomes the server. Nothing but async-signal-safe calls,
 * and no way back. */
static _Noreturn void
become_server(char *const *argv, int null_fd, int log_fd, int ready_fd)
{
    /* a second fork: the server is nobody's child to wait for */
    if (fork() != 0)
        _exit(0);
    (void)setsid();
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)umask(077);
    if (dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(log_fd, 2) < 0 ||
        chdir("/") < 0)
        _exit(1);
    if (ready_fd == READY_FD)
        (void)fcntl(ready_fd, F_SETFD, 0);
    else if (dup2(ready_fd, READY_FD) < 0)
        _exit(1);
    /* what the operator's shell or script left open is not the server's */
    (void)close_range(READY_FD + 1, UINT_MAX, 0);
    execv(argv[0], argv);
    static const char text[] = "cannot run the server: the program cannot be "
                               "executed";
    (void)!write(READY_FD, text, sizeof(text) - 1);
    _exit(1);
}

/* Starts the server; returns the reading end of its ready pipe, or -1. */
static int
spawn_server(const struct paths *paths, const char *executable,
             struct error *error)
{
    char number[16];
    (void)snprintf(number, sizeof(number), "%d", READY_FD);
    const char *const argv[] = {executable,   "-L",   paths->server, "server",
                                "--ready-fd", number, NULL};
    int log_fd = open_log(paths, error);
    if (log_fd < 0)
        return -1;
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int ends[2] = {-1, -1};
    pid_t pid = -1;
    if (null_fd < 0 || pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0)
        error_set_errno(error, errno, "cannot start the server");
    if (pid == 0)
        become_server((char *const *)argv, null_fd, log_fd, ends[1]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    if (null_fd >= 0)
        (void)close(null_fd);
    (void)close(log_fd);
    if (ends[1] >= 0)
        (void)close(ends[1]);
    if (pid < 0 && ends[0] >= 0) {
        (void)close(ends[0]);
        return -1;
    }
    return ends[0];
}

/* Reads what the server says through its ready pipe: a byte 0, or a text up to
 * the end. */
static bool
read_ready(int fd, uint64_t deadline_ms, struct buffer *text,
           struct error *error)
{
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, left_ms(deadline_ms));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return error_set(error, ERROR_CODE_TIMEOUT,
                             "the server did not become ready within %u s",
                             OPEN_TIMEOUT_MS / 1000);
        char bytes[512];
        ssize_t got = read(fd, bytes, sizeof(bytes));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return true;
        buffer_append(text, bytes, (size_t)got);
        if (text->len > READY_MAX_BYTES || text->data[0] == '\0')
            return true;
    }
}

/* What changes in the runtime directory. */
static int
watch_runtime(const struct paths *paths, struct error *error)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd >= 0 && inotify_add_watch(fd, paths->runtime_dir,
                                     IN_CREATE | IN_MOVED_TO | IN_ATTRIB) >= 0)
        return fd;
    error_set_errno(error, errno, "cannot watch %s", paths->runtime_dir);
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

/* Tries to connect whenever something changes in the runtime directory. */
static int
wait_for_socket(int watch_fd, const char *path, uint64_t deadline_ms,
                struct error *error)
{
    for (;;) {
        struct error failure = {0};
        int fd = connect_socket(path, deadline_ms, &failure);
        if (fd >= 0)
            return fd;
        struct pollfd wait = {.fd = watch_fd, .events = POLLIN};
        if (!is_absent(&failure) || poll(&wait, 1, left_ms(deadline_ms)) == 0) {
            if (error)
                *error = failure;
            return -1;
        }
        char events[4096];
        (void)!read(watch_fd, events, sizeof(events));
    }
}

/* Starts one server and tells what became of it: a descriptor; -1 with error
 * set; -1 without, when another server was first. */
static int
start_once(const struct paths *paths, const char *executable, const char *path,
           uint64_t deadline_ms, struct error *error)
{
    int ready_fd = spawn_server(paths, executable, error);
    if (ready_fd < 0)
        return -1;
    struct buffer text = {0};
    int fd = -1;
    if (read_ready(ready_fd, deadline_ms, &text, error) && text.len) {
        char *printable =
            text_printable(text.data, text.len, 0, TEXT_KEEP_LINES);
        if (text.data[0] == '\0')
            fd = connect_socket(path, deadline_ms, error);
        else
            error_set(error, ERROR_CODE_IO, "%s", printable);
        free(printable);
    }
    (void)close(ready_fd);
    buffer_finish(&text);
    return fd;
}

/* The server that was first may still be about to listen, or about to leave:
 * then one more is started. */
static int
start_and_connect(const struct paths *paths, const char *executable,
                  const char *path, uint64_t deadline_ms, struct error *error)
{
    int watch_fd = watch_runtime(paths, error);
    if (watch_fd < 0)
        return -1;
    struct error failure = {0};
    int fd = -1;
    for (int i = 0; fd < 0 && !failure.code && i < MAX_STARTS; i++) {
        fd = start_once(paths, executable, path, deadline_ms, &failure);
        if (fd < 0 && !failure.code)
            fd = wait_for_socket(watch_fd, path,
                                 clock_monotonic_ms() + RACE_TIMEOUT_MS, NULL);
    }
    /* it may be that a running server has just lost its socket */
    if (fd < 0 && failure.code)
        fd = wait_for_socket(watch_fd, path,
                             clock_monotonic_ms() + MOVE_TIMEOUT_MS, NULL);
    if (fd < 0)
        fd = connect_through_state(paths, deadline_ms, &failure);
    (void)close(watch_fd);
    if (fd < 0 && !failure.code)
        error_set(&failure, ERROR_CODE_IO,
                  "the server ended without a word; %s/server.log may say why",
                  paths->state_dir);
    if (fd < 0 && error)
        *error = failure;
    return fd;
}

int
connection_open(const struct paths *paths, enum connection_start start,
                const char *executable, struct error *error)
{
    uint64_t deadline_ms = clock_monotonic_ms() + OPEN_TIMEOUT_MS;
    char *path = paths_api_socket(paths);
    struct error failure = {0};
    int fd = connect_socket(path, deadline_ms, &failure);
    if (fd < 0 && is_absent(&failure))
        fd = connect_through_state(paths, deadline_ms, &failure);
    if (fd < 0 && is_absent(&failure)) {
        if (start == CONNECTION_START_SERVER)
            fd = start_and_connect(paths, executable, path, deadline_ms, error);
        else
            error_set(error, ERROR_CODE_NOT_FOUND,
                      "no server named %s is running", paths->server);
    } else if (fd < 0 && error) {
        *error = failure;
    }
    free(path);
    return fd;
}
