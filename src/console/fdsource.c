#include "console/fdsource.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/xalloc.h"
#include "console/outqueue.h"
#include "console/trickle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

/* A read that gives less than this emptied the pty: asking again for EAGAIN
 * would be a system call for nothing. */
#define SHORT_READ_BYTES 2048

/* Device numbers of ptys (Linux's Documentation/admin-guide/devices.txt). A
 * master opened through /dev/ptmx has that one's: 5, 2. */
#define UNIX98_PTY_MASTER_MAJOR 5
#define UNIX98_PTY_SLAVE_MAJOR 136
#define UNIX98_PTY_MAJORS 8

struct fdsource {
    const struct fdsource_handlers *handlers;
    void *data;
    int fd;                               /* owned; -1 after its end */
    const struct fdsource_shared *shared; /* borrowed */
    struct loop_poll *poll;
    struct loop_timer *pause;
    struct loop_timer *break_end; /* armed while a break is sent */
    struct outqueue queue;
    struct trickle trickle;
    unsigned credit;  /* small reads at once that are left, in focus */
    uint64_t read_ms; /* monotonic: the last read */
    enum fdsource_pace pace;
    bool is_blocked; /* it took less than it was offered */
    bool is_dead;
    unsigned busy; /* handlers that run */
};

static void
destroy(struct fdsource *source)
{
    outqueue_finish(&source->queue);
    free(source);
}

static void
leave(struct fdsource *source)
{
    if (--source->busy == 0 && source->is_dead)
        destroy(source);
}

static void
shut(struct fdsource *source)
{
    if (source->fd < 0)
        return;
    loop_poll_free(source->poll);
    source->poll = NULL;
    close(source->fd);
    source->fd = -1;
    loop_timer_stop(source->pause);
    loop_timer_stop(source->break_end);
    outqueue_drop(&source->queue);
}

static void
end(struct fdsource *source, int errnum)
{
    if (source->fd < 0 || source->is_dead)
        return;
    shut(source);
    source->handlers->on_end(source->data, errnum);
}

static void
want_events(struct fdsource *source)
{
    int events = 0;
    if (source->pace != FDSOURCE_PACE_STOPPED &&
        !loop_timer_is_armed(source->pause))
        events |= UV_READABLE;
    if (source->is_blocked)
        events |= UV_WRITABLE;
    loop_poll_set(source->poll, events);
}

static void
write_queue(struct fdsource *source)
{
    if (loop_timer_is_armed(source->break_end))
        return; /* behind the break */
    int errnum = outqueue_write(&source->queue, source->fd, NULL);
    if (errnum) {
        /* What it still has to say is read first; that ends in an error or
         * end of file of its own. */
        outqueue_drop(&source->queue);
    }
    source->is_blocked = outqueue_pending(&source->queue) > 0;
    want_events(source);
}

/* Whether the source stands back for somebody who types elsewhere. */
static bool
is_yielding(const struct fdsource *source)
{
    uint64_t typed_ms = source->shared->typed_ms;
    return source->pace == FDSOURCE_PACE_COLD && typed_ms &&
           clock_monotonic_ms() - typed_ms < FDSOURCE_TYPING_MS;
}

static size_t
slice_bytes(const struct fdsource *source)
{
    if (source->pace == FDSOURCE_PACE_HOT)
        return FDSOURCE_SLICE_BYTES;
    return is_yielding(source) ? FDSOURCE_YIELD_SLICE_BYTES
                               : FDSOURCE_COLD_SLICE_BYTES;
}

/* Reads until nothing is left or the slice is full. Returns false at the end
 * of the file, with the reason. */
static bool
read_slice(struct fdsource *source, size_t *ret_len, int *ret_errnum)
{
    size_t max = slice_bytes(source);
    size_t len = 0;
    bool is_open = true;
    while (len < max) {
        ssize_t n = read(source->fd, source->shared->scratch + len, max - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) {
            is_open = false;
            /* EIO: how a pty says that its last user is gone. */
            *ret_errnum = n == 0 || errno == EIO ? 0 : errno;
        }
        if (n <= 0)
            break;
        len += (size_t)n;
        if (n < SHORT_READ_BYTES)
            break;
    }
    *ret_len = len;
    return is_open;
}

/* Whether what follows a read of len bytes is better gathered for a moment. */
static bool
is_spaced(struct fdsource *source, size_t len)
{
    if (source->pace == FDSOURCE_PACE_COLD)
        return trickle_add(&source->trickle, len) || is_yielding(source);
    uint64_t now = clock_monotonic_ms();
    if (now - source->read_ms > FDSOURCE_REST_MS)
        source->credit = FDSOURCE_HOT_CREDIT;
    source->read_ms = now;
    if (len >= SHORT_READ_BYTES)
        return false; /* a flood gathers by itself */
    if (source->credit == 0)
        return true;
    source->credit--;
    return false;
}

static void
take_bytes(struct fdsource *source)
{
    size_t len = 0;
    int errnum = 0;
    bool is_open = read_slice(source, &len, &errnum);
    if (is_spaced(source, len))
        loop_timer_start(source->pause, source->pace == FDSOURCE_PACE_HOT
                                            ? FDSOURCE_HOT_PAUSE_MS
                                            : FDSOURCE_COLD_PAUSE_MS);
    if (len > 0)
        source->handlers->on_bytes(source->data, source->shared->scratch, len);
    if (!is_open)
        end(source, errnum);
}

static void
on_poll(void *data, int status, int events)
{
    struct fdsource *source = data;
    source->busy++;
    if (events & UV_WRITABLE) {
        write_queue(source);
        if (!source->is_blocked && source->fd >= 0)
            source->handlers->on_taken(source->data);
    }
    if (source->fd >= 0 && (status < 0 || (events & UV_READABLE)))
        take_bytes(source);
    if (status < 0)
        end(source, EIO); /* an error that reading does not show */
    if (source->fd >= 0)
        want_events(source);
    leave(source);
}

static void
on_pause_over(void *data)
{
    struct fdsource *source = data;
    if (source->fd >= 0)
        want_events(source);
}

static void
on_break_end(void *data)
{
    struct fdsource *source = data;
    if (source->fd < 0)
        return;
    (void)ioctl(source->fd, TIOCCBRK);
    write_queue(source);
}

struct fdsource *
fdsource_new(uv_loop_t *loop, int fd, const struct fdsource_shared *shared,
             const struct fdsource_handlers *handlers, void *data,
             struct error *error)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        error_set_errno(error, errno, "the console's descriptor");
        return NULL;
    }
    struct fdsource *source = xcalloc(1, sizeof(*source));
    source->poll = loop_poll_new(loop, fd, on_poll, source);
    if (!source->poll) {
        free(source);
        error_set(error, ERROR_CODE_INVALID,
                  "the console's descriptor is none that can be waited for");
        return NULL;
    }
    source->fd = fd;
    source->shared = shared;
    source->handlers = handlers;
    source->data = data;
    source->pause = loop_timer_new(loop, on_pause_over, source);
    source->break_end = loop_timer_new(loop, on_break_end, source);
    return source;
}

void
fdsource_free(struct fdsource *source)
{
    if (!source || source->is_dead)
        return;
    shut(source);
    loop_timer_free(source->pause);
    loop_timer_free(source->break_end);
    source->is_dead = true;
    if (source->busy == 0)
        destroy(source);
}

void
fdsource_set_pace(struct fdsource *source, enum fdsource_pace pace)
{
    if (source->pace == pace || source->fd < 0)
        return;
    source->pace = pace;
    loop_timer_stop(source->pause);
    want_events(source);
}

bool
fdsource_type(struct fdsource *source, const char *bytes, size_t len,
              size_t max_pending, struct error *error)
{
    size_t pending = outqueue_pending(&source->queue);
    if (source->fd < 0)
        return error_set(error, ERROR_CODE_STATE,
                         "there is nothing to type into: the console's "
                         "program has ended");
    if (len > max_pending || pending > max_pending - len)
        return error_set(error, ERROR_CODE_LIMIT,
                         "%zu bytes wait for the guest already, which does "
                         "not read them",
                         pending);
    outqueue_push(&source->queue, bytes, len);
    if (!source->is_blocked)
        write_queue(source);
    source->credit = FDSOURCE_HOT_CREDIT;
    /* What it answers is read at once. */
    if (loop_timer_is_armed(source->pause)) {
        loop_timer_stop(source->pause);
        want_events(source);
    }
    return true;
}

void
fdsource_discard(struct fdsource *source)
{
    outqueue_drop(&source->queue);
    if (source->fd < 0)
        return;
    (void)tcflush(source->fd, TCOFLUSH); /* refused by a socket */
    source->is_blocked = false;
    want_events(source);
}

size_t
fdsource_pending(const struct fdsource *source)
{
    return outqueue_pending(&source->queue);
}

bool
fdsource_is_open(const struct fdsource *source)
{
    return source->fd >= 0;
}

/* A pty takes the ioctl for a break and does nothing. */
static bool
has_line(int fd)
{
    struct stat status;
    struct termios mode;
    if (fstat(fd, &status) != 0 || tcgetattr(fd, &mode) != 0)
        return false;
    unsigned number = major(status.st_rdev);
    return number != UNIX98_PTY_MASTER_MAJOR &&
           (number < UNIX98_PTY_SLAVE_MAJOR ||
            number >= UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJORS);
}

bool
fdsource_send_break(struct fdsource *source, struct error *error)
{
    if (source->fd < 0)
        return error_set(error, ERROR_CODE_STATE,
                         "there is no line any more to send a break on");
    if (!has_line(source->fd))
        return error_set(error, ERROR_CODE_STATE,
                         "it is no serial line: there is no break on it");
    if (ioctl(source->fd, TIOCSBRK) != 0)
        return error_set_errno(error, errno, "cannot send a break");
    loop_timer_start(source->break_end, FDSOURCE_BREAK_MS);
    return true;
}

void
fdsource_resize(struct fdsource *source, int rows, int cols)
{
    unsigned number;
    /* Only a pty's master has a number; a real serial line has no window. */
    if (source->fd < 0 || ioctl(source->fd, TIOCGPTN, &number) != 0)
        return;
    struct winsize size = {.ws_row = (unsigned short)rows,
                           .ws_col = (unsigned short)cols};
    /* Refused while the program is gone: no harm. */
    (void)ioctl(source->fd, TIOCSWINSZ, &size);
}
