#include "console/keyboard.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/xalloc.h"
#include "console/outqueue.h"
#include "console/trickle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* A pty gives at most 4 KiB a read. */
#define READ_BYTES 4096
/* Read in one go; the rest in the loop's next turn. */
#define DRAIN_BYTES (64u << 10)

struct keyboard {
    uv_loop_t *loop;           /* borrowed */
    struct watchdog *watchdog; /* borrowed: lives as long */
    const struct keyboard_handlers *handlers;
    void *data;
    char *path; /* owned; NULL: nothing to type into */
    dev_t device;
    struct timespec changed; /* with device: which pty it was at first */
    int fd;                  /* guarded by the watchdog; -1 while closed */
    struct loop_poll *poll;
    struct loop_timer *linger;
    struct loop_timer *retry;
    struct loop_timer *drain_pause;
    enum keyboard_mode mode;
    struct outqueue queue;
    struct trickle trickle;
    unsigned holds;
    uint64_t opened_ms;
    uint64_t written_ms; /* monotonic; the last byte that was written */
    bool is_blocked;     /* the pty took less than it was offered */
    bool is_expected;    /* a path will follow */
    bool has_trouble;    /* told once per path */
    bool is_dead;
    unsigned busy; /* handlers that run */
};

static void on_poll(void *data, int status, int events);
static void on_linger(void *data);
static void on_retry(void *data);
static void on_drain_pause(void *data);

/* Handlers ----------------------------------------------------------------- */

/* Not inlined: gcc would take nested leaves for a use after the free. */
__attribute__((noinline)) static void
destroy(struct keyboard *keyboard)
{
    outqueue_finish(&keyboard->queue);
    free(keyboard->path);
    free(keyboard);
}

static void
leave(struct keyboard *keyboard)
{
    if (--keyboard->busy == 0 && keyboard->is_dead)
        destroy(keyboard);
}

static void
tell_state(struct keyboard *keyboard)
{
    if (keyboard->is_dead)
        return;
    keyboard->busy++;
    keyboard->handlers->on_state(keyboard->data);
    leave(keyboard);
}

static void
tell_trouble(struct keyboard *keyboard, const struct error *error)
{
    if (keyboard->is_dead || keyboard->has_trouble)
        return;
    keyboard->has_trouble = true;
    keyboard->busy++;
    keyboard->handlers->on_trouble(keyboard->data, error);
    leave(keyboard);
}

/* Inside a handler's bounds. */
static void
tell_taken(struct keyboard *keyboard)
{
    if (!keyboard->is_dead)
        keyboard->handlers->on_taken(keyboard->data);
}

/* The line discipline ------------------------------------------------------ */

/* Throws away whatever QEMU writes. No character ends a line: NL becomes CR,
 * CR stays, the others that could are disabled. */
static void
make_discarding(struct termios *mode)
{
    memset(mode->c_cc, _POSIX_VDISABLE, sizeof(mode->c_cc));
    mode->c_iflag = INLCR;
    mode->c_oflag = 0;
    mode->c_lflag = ICANON;
}

static bool
set_mode(int fd, enum keyboard_mode mode)
{
    struct termios termios;
    if (tcgetattr(fd, &termios) != 0)
        return false;
    if (mode == KEYBOARD_MODE_DRAIN) {
        cfmakeraw(&termios);
        termios.c_iflag &= (tcflag_t) ~(IXANY | IXOFF | IMAXBEL);
        termios.c_cc[VMIN] = 1;
        termios.c_cc[VTIME] = 0;
    } else {
        make_discarding(&termios);
    }
    if (tcsetattr(fd, TCSANOW, &termios) != 0)
        return false;
    /* What lay there counts as a complete line now, which would not be thrown
     * away. Only this direction: the other has what was typed and QEMU has not
     * read yet. */
    return tcflush(fd, TCIFLUSH) == 0;
}

/* Opening and closing ------------------------------------------------------ */

struct keyboard *
keyboard_new(uv_loop_t *loop, struct watchdog *watchdog,
             const struct keyboard_handlers *handlers, void *data)
{
    struct keyboard *keyboard = xcalloc(1, sizeof(*keyboard));
    keyboard->loop = loop;
    keyboard->watchdog = watchdog;
    keyboard->handlers = handlers;
    keyboard->data = data;
    keyboard->fd = -1;
    keyboard->linger = loop_timer_new(loop, on_linger, keyboard);
    keyboard->retry = loop_timer_new(loop, on_retry, keyboard);
    keyboard->drain_pause = loop_timer_new(loop, on_drain_pause, keyboard);
    return keyboard;
}

/* Closes without telling. */
static void
shut(struct keyboard *keyboard)
{
    loop_timer_stop(keyboard->linger);
    loop_timer_stop(keyboard->retry);
    loop_timer_stop(keyboard->drain_pause);
    if (keyboard->fd < 0)
        return;
    loop_poll_free(keyboard->poll);
    keyboard->poll = NULL;
    if (keyboard->mode == KEYBOARD_MODE_DRAIN)
        (void)set_mode(keyboard->fd, KEYBOARD_MODE_DISCARD);
    watchdog_close(keyboard->watchdog, keyboard->fd);
    keyboard->fd = -1;
    keyboard->is_blocked = false;
}

void
keyboard_free(struct keyboard *keyboard)
{
    if (!keyboard || keyboard->is_dead)
        return;
    shut(keyboard);
    loop_timer_free(keyboard->linger);
    loop_timer_free(keyboard->retry);
    loop_timer_free(keyboard->drain_pause);
    keyboard->is_dead = true;
    if (keyboard->busy == 0)
        destroy(keyboard);
}

/* QEMU is gone, or its pty is. */
static void
lose(struct keyboard *keyboard)
{
    bool was_open = keyboard->fd >= 0;
    shut(keyboard);
    outqueue_drop(&keyboard->queue);
    free(keyboard->path);
    keyboard->path = NULL;
    if (was_open)
        tell_state(keyboard);
}

static void
want_events(struct keyboard *keyboard)
{
    int events = UV_DISCONNECT;
    if (keyboard->mode == KEYBOARD_MODE_DRAIN &&
        !loop_timer_is_armed(keyboard->drain_pause))
        events |= UV_READABLE;
    if (keyboard->is_blocked)
        events |= UV_WRITABLE;
    loop_poll_set(keyboard->poll, events);
}

/* Makes fd ours alone; what lies in it is stale. */
static bool
prepare(int fd, enum keyboard_mode mode, struct error *error)
{
    if (ioctl(fd, TIOCEXCL) != 0)
        return error_set_errno(error, errno, "it cannot be had alone");
    if (!set_mode(fd, mode))
        return error_set_errno(error, errno, "its mode cannot be set");
    return true;
}

static bool
is_same_pty(const struct keyboard *keyboard, const struct stat *status)
{
    return S_ISCHR(status->st_mode) && status->st_rdev == keyboard->device &&
           status->st_ctim.tv_sec == keyboard->changed.tv_sec &&
           status->st_ctim.tv_nsec == keyboard->changed.tv_nsec;
}

static int
open_pty(const struct keyboard *keyboard, struct error *error)
{
    struct stat status;
    /* Looked at before it is opened as well: opening a stranger's terminal is
     * no harm, but opening a FIFO or a device can be. */
    if (lstat(keyboard->path, &status) != 0) {
        error_set_errno(error, errno, "%s", keyboard->path);
        return -1;
    }
    int fd = -1;
    if (is_same_pty(keyboard, &status)) {
        fd = open(keyboard->path,
                  O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0) {
            error_set_errno(error, errno, "cannot open %s", keyboard->path);
            return -1;
        }
    }
    if (fd < 0 || fstat(fd, &status) != 0 || !is_same_pty(keyboard, &status)) {
        if (fd >= 0)
            close(fd);
        error_set(error, ERROR_CODE_STATE,
                  "%s is not the guest's serial port any more", keyboard->path);
        return -1;
    }
    if (!prepare(fd, keyboard->mode, error)) {
        error_prefix(error, "%s", keyboard->path);
        close(fd);
        return -1;
    }
    return fd;
}

static bool
try_open(struct keyboard *keyboard, struct error *error)
{
    if (keyboard->fd >= 0)
        return true;
    if (!keyboard->path)
        return error_set(error, ERROR_CODE_STATE,
                         "there is nothing to type into: the guest is not "
                         "running");
    int fd = open_pty(keyboard, error);
    if (fd < 0)
        return false;
    struct loop_poll *poll =
        loop_poll_new(keyboard->loop, fd, on_poll, keyboard);
    if (!poll || !watchdog_guard(keyboard->watchdog, fd, error)) {
        if (!poll)
            error_set(error, ERROR_CODE_IO, "cannot poll %s", keyboard->path);
        loop_poll_free(poll);
        close(fd);
        return false;
    }
    keyboard->fd = fd;
    keyboard->poll = poll;
    keyboard->opened_ms = clock_monotonic_ms();
    keyboard->has_trouble = false;
    want_events(keyboard);
    return true;
}

/* Opens because it is wanted, not because somebody waits for an answer. */
static void
open_or_retry(struct keyboard *keyboard)
{
    struct error error = {0};
    if (!keyboard->path || keyboard->fd >= 0)
        return;
    if (try_open(keyboard, &error)) {
        tell_state(keyboard);
        return;
    }
    loop_timer_start(keyboard->retry, KEYBOARD_RETRY_MS);
    tell_trouble(keyboard, &error);
}

static bool
is_wanted(const struct keyboard *keyboard)
{
    return keyboard->path &&
           (keyboard->holds > 0 || outqueue_pending(&keyboard->queue) > 0);
}

static void
on_retry(void *data)
{
    struct keyboard *keyboard = data;
    if (is_wanted(keyboard))
        open_or_retry(keyboard);
}

static void
linger(struct keyboard *keyboard)
{
    if (keyboard->fd >= 0 && !is_wanted(keyboard))
        loop_timer_start(keyboard->linger, KEYBOARD_LINGER_MS);
}

static void
on_linger(void *data)
{
    struct keyboard *keyboard = data;
    if (is_wanted(keyboard))
        return;
    shut(keyboard);
    tell_state(keyboard);
}

void
keyboard_set_path(struct keyboard *keyboard, const char *path)
{
    struct stat status;
    if (path && keyboard->path && strcmp(path, keyboard->path) == 0 &&
        stat(path, &status) == 0 && is_same_pty(keyboard, &status))
        return;
    keyboard->busy++;
    if (path && keyboard->is_expected)
        free(keyboard->path); /* what was typed meanwhile stays */
    else
        lose(keyboard);
    keyboard->path = NULL;
    keyboard->is_expected = false;
    if (path && !keyboard->is_dead) {
        keyboard->has_trouble = false;
        keyboard->path = xstrdup(path);
        keyboard->device = 0;
        if (stat(path, &status) == 0) {
            keyboard->device = status.st_rdev;
            keyboard->changed = status.st_ctim;
        }
        keyboard->is_blocked = outqueue_pending(&keyboard->queue) > 0;
        if (is_wanted(keyboard))
            open_or_retry(keyboard);
    }
    leave(keyboard);
}

void
keyboard_expect(struct keyboard *keyboard)
{
    keyboard->is_expected = !keyboard->path;
}

void
keyboard_set_mode(struct keyboard *keyboard, enum keyboard_mode mode)
{
    if (keyboard->mode == mode)
        return;
    keyboard->mode = mode;
    loop_timer_stop(keyboard->drain_pause);
    if (keyboard->fd < 0)
        return;
    /* A failure means that QEMU is gone, which the poll tells. */
    (void)set_mode(keyboard->fd, mode);
    want_events(keyboard);
}

enum keyboard_mode
keyboard_mode(const struct keyboard *keyboard)
{
    return keyboard->mode;
}

void
keyboard_hold(struct keyboard *keyboard)
{
    keyboard->holds++;
    loop_timer_stop(keyboard->linger);
    if (keyboard->holds == 1)
        open_or_retry(keyboard);
}

void
keyboard_release(struct keyboard *keyboard)
{
    if (keyboard->holds == 0)
        return;
    keyboard->holds--;
    linger(keyboard);
}

/* Reading and writing ------------------------------------------------------ */

/* Inside a handler's bounds. */
static size_t
drain(struct keyboard *keyboard)
{
    char bytes[READ_BYTES];
    size_t total = 0;
    while (keyboard->fd >= 0 && total < DRAIN_BYTES) {
        ssize_t n = read(keyboard->fd, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            lose(keyboard);
            break;
        }
        if (n < 0)
            break;
        total += (size_t)n;
        keyboard->handlers->on_drained(keyboard->data, bytes, (size_t)n);
    }
    return total;
}

size_t
keyboard_drain(struct keyboard *keyboard)
{
    keyboard->busy++;
    size_t total = drain(keyboard);
    leave(keyboard);
    return total;
}

static void
write_queue(struct keyboard *keyboard)
{
    size_t written = 0;
    int errnum = outqueue_write(&keyboard->queue, keyboard->fd, &written);
    if (written > 0)
        keyboard->written_ms = clock_monotonic_ms();
    /* EBADF: the watchdog took it this moment; it will be opened again. */
    if (errnum == EBADF)
        return;
    if (errnum) {
        lose(keyboard);
        return;
    }
    keyboard->is_blocked = outqueue_pending(&keyboard->queue) > 0;
    want_events(keyboard);
    linger(keyboard);
}

static void
on_poll(void *data, int status, int events)
{
    struct keyboard *keyboard = data;
    keyboard->busy++;
    if (status < 0 || (events & (UV_READABLE | UV_DISCONNECT))) {
        size_t total = drain(keyboard);
        /* A trickle is left to gather; a flood is read as it comes. */
        if (keyboard->mode == KEYBOARD_MODE_DRAIN && keyboard->fd >= 0 &&
            trickle_add(&keyboard->trickle, total))
            loop_timer_start(keyboard->drain_pause, KEYBOARD_DRAIN_PAUSE_MS);
    }
    /* An error that reading does not show. */
    if (keyboard->fd >= 0 && status < 0 &&
        !watchdog_is_taken(keyboard->watchdog, keyboard->fd))
        lose(keyboard);
    if (keyboard->fd >= 0 && (events & UV_WRITABLE)) {
        write_queue(keyboard);
        if (keyboard->fd >= 0 && !keyboard->is_blocked)
            tell_taken(keyboard);
    }
    if (keyboard->fd >= 0)
        want_events(keyboard);
    leave(keyboard);
}

static void
on_drain_pause(void *data)
{
    struct keyboard *keyboard = data;
    if (keyboard->fd >= 0)
        want_events(keyboard);
}

bool
keyboard_type(struct keyboard *keyboard, const char *bytes, size_t len,
              size_t max_pending, struct error *error)
{
    size_t pending = outqueue_pending(&keyboard->queue);
    if (len > max_pending || pending > max_pending - len)
        return error_set(error, ERROR_CODE_LIMIT,
                         "%zu bytes wait for the guest already, which does "
                         "not read them",
                         pending);
    bool was_open = keyboard->fd >= 0;
    if (keyboard->is_expected) {
        outqueue_push(&keyboard->queue, bytes, len);
        return true;
    }
    if (!try_open(keyboard, error))
        return false;
    outqueue_push(&keyboard->queue, bytes, len);
    keyboard->busy++;
    if (!keyboard->is_blocked)
        write_queue(keyboard);
    if (!was_open && keyboard->fd >= 0)
        tell_state(keyboard);
    leave(keyboard);
    return true;
}

void
keyboard_discard(struct keyboard *keyboard)
{
    outqueue_drop(&keyboard->queue);
    if (keyboard->fd < 0)
        return;
    (void)tcflush(keyboard->fd, TCOFLUSH);
    keyboard->is_blocked = false;
    want_events(keyboard);
    linger(keyboard);
}

size_t
keyboard_pending(const struct keyboard *keyboard)
{
    return outqueue_pending(&keyboard->queue);
}

bool
keyboard_has_path(const struct keyboard *keyboard)
{
    return keyboard->path != NULL;
}

bool
keyboard_is_open(const struct keyboard *keyboard)
{
    return keyboard->fd >= 0;
}

uint64_t
keyboard_open_ms(const struct keyboard *keyboard)
{
    return keyboard->fd < 0 ? 0
                            : clock_monotonic_ms() - keyboard->opened_ms + 1;
}

uint64_t
keyboard_settles_ms(const struct keyboard *keyboard)
{
    if (keyboard->fd < 0 || outqueue_pending(&keyboard->queue) > 0)
        return KEYBOARD_SETTLE_MS;
    uint64_t since = keyboard->opened_ms > keyboard->written_ms
                         ? keyboard->opened_ms
                         : keyboard->written_ms;
    uint64_t past = clock_monotonic_ms() - since;
    return past < KEYBOARD_SETTLE_MS ? KEYBOARD_SETTLE_MS - past : 0;
}

bool
keyboard_check_taken(struct keyboard *keyboard)
{
    if (keyboard->fd < 0 ||
        !watchdog_is_taken(keyboard->watchdog, keyboard->fd))
        return false;
    shut(keyboard);
    keyboard->busy++;
    if (is_wanted(keyboard))
        open_or_retry(keyboard);
    if (keyboard->fd >= 0) {
        write_queue(keyboard);
        if (keyboard->fd >= 0 && !keyboard->is_blocked)
            tell_taken(keyboard);
    } else {
        tell_state(keyboard);
    }
    leave(keyboard);
    return true;
}
