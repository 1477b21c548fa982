#include "console/watchdog.h"

#include "base/xalloc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The loop is looked at this often before it counts as late. Several looks, so
 * that a process that was stopped as a whole gets a chance to turn. */
#define LOOKS 4
#define EVENTS 16

struct guarded {
    int fd;
    bool is_taken;
};

struct watchdog {
    unsigned late_ms;
    atomic_ulong turns;
    atomic_uint taken_count;
    pthread_t thread;
    bool is_running;
    int epoll_fd;          /* owned */
    int stop_fd;           /* owned; an eventfd */
    int harmless[2];       /* owned; a pipe in which nothing is ever written */
    pthread_mutex_t mutex; /* for what follows */
    struct guarded *items; /* owned */
    size_t count;
    size_t capacity;
};

/* The thread --------------------------------------------------------------- */

static bool
arm(struct watchdog *watchdog, int fd, int operation)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT};
    event.data.fd = fd;
    return epoll_ctl(watchdog->epoll_fd, operation, fd, &event) == 0;
}

static void
arm_all(struct watchdog *watchdog)
{
    pthread_mutex_lock(&watchdog->mutex);
    for (size_t i = 0; i < watchdog->count; i++) {
        if (!watchdog->items[i].is_taken)
            arm(watchdog, watchdog->items[i].fd, EPOLL_CTL_MOD);
    }
    pthread_mutex_unlock(&watchdog->mutex);
}

static bool
has_unread(struct watchdog *watchdog)
{
    bool is_any = false;
    for (size_t i = 0; i < watchdog->count && !is_any; i++) {
        int unread = 0;
        is_any = !watchdog->items[i].is_taken &&
                 ioctl(watchdog->items[i].fd, FIONREAD, &unread) == 0 &&
                 unread > 0;
    }
    return is_any;
}

/* Puts the harmless descriptor in the place of every guarded one. */
static void
take_all(struct watchdog *watchdog)
{
    pthread_mutex_lock(&watchdog->mutex);
    bool is_due = has_unread(watchdog);
    for (size_t i = 0; i < watchdog->count && is_due; i++) {
        struct guarded *item = &watchdog->items[i];
        if (item->is_taken)
            continue;
        if (dup3(watchdog->harmless[0], item->fd, O_CLOEXEC) < 0)
            continue;
        item->is_taken = true;
        atomic_fetch_add(&watchdog->taken_count, 1);
    }
    pthread_mutex_unlock(&watchdog->mutex);
}

/* Whether the thread has to end; waits for that at most timeout_ms. */
static bool
is_stopped(struct watchdog *watchdog, int timeout_ms)
{
    struct pollfd stop = {.fd = watchdog->stop_fd, .events = POLLIN};
    int n;
    do
        n = poll(&stop, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    return n > 0;
}

/* A pty got bytes. Looks whether the loop turns; false: the thread ends. */
static bool
watch_loop(struct watchdog *watchdog)
{
    unsigned long turns = atomic_load(&watchdog->turns);
    for (int look = 0; look < LOOKS; look++) {
        if (is_stopped(watchdog, (int)(watchdog->late_ms / LOOKS)))
            return false;
        if (atomic_load(&watchdog->turns) != turns)
            return true;
    }
    take_all(watchdog);
    return true;
}

static void *
run(void *data)
{
    struct watchdog *watchdog = data;
    struct epoll_event events[EVENTS];
    for (;;) {
        int n = epoll_wait(watchdog->epoll_fd, events, EVENTS, -1);
        if (n < 0 && errno != EINTR)
            break;
        if (n <= 0)
            continue;
        if (!watch_loop(watchdog))
            break;
        arm_all(watchdog);
    }
    return NULL;
}

/* The loop's side ---------------------------------------------------------- */

struct watchdog *
watchdog_new(unsigned late_ms)
{
    struct watchdog *watchdog = xcalloc(1, sizeof(*watchdog));
    assert(late_ms >= LOOKS);
    watchdog->late_ms = late_ms;
    watchdog->epoll_fd = watchdog->stop_fd = -1;
    watchdog->harmless[0] = watchdog->harmless[1] = -1;
    pthread_mutex_init(&watchdog->mutex, NULL);
    return watchdog;
}

static void
close_all(struct watchdog *watchdog)
{
    int *fds[] = {&watchdog->epoll_fd, &watchdog->stop_fd,
                  &watchdog->harmless[0], &watchdog->harmless[1]};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}

static bool
start(struct watchdog *watchdog, struct error *error)
{
    sigset_t all;
    sigset_t old;
    struct epoll_event stop = {.events = EPOLLIN};
    watchdog->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    watchdog->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watchdog->epoll_fd < 0 || watchdog->stop_fd < 0 ||
        pipe2(watchdog->harmless, O_CLOEXEC | O_NONBLOCK) != 0 ||
        epoll_ctl(watchdog->epoll_fd, EPOLL_CTL_ADD, watchdog->stop_fd,
                  &stop) != 0) {
        error_set_errno(error, errno, "cannot start the ptys' watchdog");
        close_all(watchdog);
        return false;
    }
    /* The process' signals are the loop's business. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int errnum = pthread_create(&watchdog->thread, NULL, run, watchdog);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (errnum != 0) {
        close_all(watchdog);
        return error_set_errno(error, errnum,
                               "cannot start the ptys' watchdog");
    }
    watchdog->is_running = true;
    return true;
}

void
watchdog_free(struct watchdog *watchdog)
{
    if (!watchdog)
        return;
    assert(watchdog->count == 0);
    if (watchdog->is_running) {
        eventfd_write(watchdog->stop_fd, 1);
        pthread_join(watchdog->thread, NULL);
    }
    close_all(watchdog);
    pthread_mutex_destroy(&watchdog->mutex);
    free(watchdog->items);
    free(watchdog);
}

void
watchdog_turn(struct watchdog *watchdog)
{
    atomic_fetch_add_explicit(&watchdog->turns, 1, memory_order_relaxed);
}

bool
watchdog_guard(struct watchdog *watchdog, int fd, struct error *error)
{
    if (!watchdog->is_running && !start(watchdog, error))
        return false;
    pthread_mutex_lock(&watchdog->mutex);
    bool is_armed = arm(watchdog, fd, EPOLL_CTL_ADD);
    int errnum = errno;
    if (is_armed) {
        if (watchdog->count == watchdog->capacity) {
            watchdog->capacity += 16;
            watchdog->items = xreallocarray(watchdog->items, watchdog->capacity,
                                            sizeof(*watchdog->items));
        }
        watchdog->items[watchdog->count++] = (struct guarded){.fd = fd};
    }
    pthread_mutex_unlock(&watchdog->mutex);
    return is_armed || error_set_errno(error, errnum, "cannot guard a pty");
}

/* With the mutex held. */
static struct guarded *
find(struct watchdog *watchdog, int fd)
{
    for (size_t i = 0; i < watchdog->count; i++) {
        if (watchdog->items[i].fd == fd)
            return &watchdog->items[i];
    }
    return NULL;
}

void
watchdog_close(struct watchdog *watchdog, int fd)
{
    pthread_mutex_lock(&watchdog->mutex);
    struct guarded *item = find(watchdog, fd);
    if (item)
        *item = watchdog->items[--watchdog->count];
    /* Inside the lock: the number may be somebody else's right after. */
    close(fd);
    pthread_mutex_unlock(&watchdog->mutex);
}

bool
watchdog_is_taken(struct watchdog *watchdog, int fd)
{
    pthread_mutex_lock(&watchdog->mutex);
    const struct guarded *item = find(watchdog, fd);
    bool is_taken = item && item->is_taken;
    pthread_mutex_unlock(&watchdog->mutex);
    return is_taken;
}

unsigned
watchdog_taken_count(struct watchdog *watchdog)
{
    return atomic_load_explicit(&watchdog->taken_count, memory_order_relaxed);
}
