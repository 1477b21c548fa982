#include "console/follower.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BUCKETS 256u
#define EVENTS_BYTES (16u << 10)
/* ms; how often files are looked at that cannot be watched. */
#define UNWATCHED_PAUSE_MS 250

/* One inotify descriptor. */
struct source {
    struct follower_set *set; /* borrowed: lives as long */
    int fd;                   /* owned */
    struct loop_poll *poll;
    struct loop_timer *pause;
    struct follower *buckets[BUCKETS]; /* by watch descriptor */
    unsigned credit;                   /* reads left before a pause */
    uint64_t read_ms;                  /* when a file was last read */
};

struct follower_set {
    uv_loop_t *loop; /* borrowed */
    struct source sources[FOLLOWER_PACE_COUNT];
    struct follower *first; /* all of them */
    /* With more to read, oldest request first, by pace. */
    struct follower *ready_first[FOLLOWER_PACE_COUNT];
    struct follower *ready_last[FOLLOWER_PACE_COUNT];
    unsigned ready_count[FOLLOWER_PACE_COUNT];
    struct loop_defer *turn;
    struct loop_timer *unwatched; /* armed while a file cannot be watched */
    char *scratch;                /* FOLLOWER_SLICE_BYTES */
};

struct follower {
    struct follower_set *set; /* borrowed: lives as long */
    const struct follower_handlers *handlers;
    void *data;
    char *path; /* owned */
    int fd;     /* owned; read only */
    uint64_t offset;
    enum follower_pace pace;
    int wd; /* in the pace's source; -1 when not watched */
    struct follower *bucket_next;
    struct follower *ready_next;
    struct follower *next;
    bool is_ready;          /* in the ready queue of its pace */
    bool is_busy;           /* a handler runs */
    bool is_dead;           /* freed meanwhile */
    bool has_read_trouble;  /* told once */
    bool has_moved;         /* told once */
    int watch_errnum;       /* why it cannot be watched, to be told, or 0 */
    bool has_watch_trouble; /* told once */
};

static void on_events(void *data, int status, int events);
static void on_pause_over(void *data);
static void on_turn(void *data);
static void on_unwatched(void *data);

/* The set ------------------------------------------------------------------ */

static bool
source_init(struct source *source, struct follower_set *set,
            struct error *error)
{
    source->set = set;
    source->credit = FOLLOWER_HOT_CREDIT;
    source->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (source->fd < 0)
        return error_set_errno(error, errno,
                               "cannot watch console logs (the limit is "
                               "fs.inotify.max_user_instances)");
    source->poll = loop_poll_new(set->loop, source->fd, on_events, source);
    if (!source->poll)
        return error_set(error, ERROR_CODE_IO, "cannot poll inotify");
    source->pause = loop_timer_new(set->loop, on_pause_over, source);
    loop_poll_set(source->poll, UV_READABLE);
    return true;
}

struct follower_set *
follower_set_new(uv_loop_t *loop, struct error *error)
{
    struct follower_set *set = xcalloc(1, sizeof(*set));
    set->loop = loop;
    set->scratch = xmalloc(FOLLOWER_SLICE_BYTES);
    set->turn = loop_defer_new(loop, on_turn, set);
    set->unwatched = loop_timer_new(loop, on_unwatched, set);
    for (int i = 0; i < FOLLOWER_PACE_COUNT; i++)
        set->sources[i].fd = -1;
    for (int i = 0; i < FOLLOWER_PACE_COUNT; i++) {
        if (!source_init(&set->sources[i], set, error)) {
            follower_set_free(set);
            return NULL;
        }
    }
    return set;
}

void
follower_set_free(struct follower_set *set)
{
    if (!set)
        return;
    for (int i = 0; i < FOLLOWER_PACE_COUNT; i++) {
        loop_poll_free(set->sources[i].poll);
        loop_timer_free(set->sources[i].pause);
        if (set->sources[i].fd >= 0)
            close(set->sources[i].fd);
    }
    loop_timer_free(set->unwatched);
    loop_defer_free(set->turn);
    free(set->scratch);
    free(set);
}

/* The ready queue ---------------------------------------------------------- */

static void
queue_push(struct follower *follower)
{
    struct follower_set *set = follower->set;
    enum follower_pace pace = follower->pace;
    if (follower->is_ready)
        return;
    follower->is_ready = true;
    set->ready_count[pace]++;
    follower->ready_next = NULL;
    if (set->ready_last[pace])
        set->ready_last[pace]->ready_next = follower;
    else
        set->ready_first[pace] = follower;
    set->ready_last[pace] = follower;
}

static struct follower *
queue_pop(struct follower_set *set, enum follower_pace pace)
{
    struct follower *follower = set->ready_first[pace];
    if (!follower)
        return NULL;
    set->ready_first[pace] = follower->ready_next;
    if (!set->ready_first[pace])
        set->ready_last[pace] = NULL;
    set->ready_count[pace]--;
    follower->is_ready = false;
    return follower;
}

static void
queue_remove(struct follower *follower)
{
    struct follower_set *set = follower->set;
    enum follower_pace pace = follower->pace;
    struct follower *before = NULL;
    if (!follower->is_ready)
        return;
    for (struct follower *at = set->ready_first[pace]; at != follower;
         at = at->ready_next)
        before = at;
    if (before)
        before->ready_next = follower->ready_next;
    else
        set->ready_first[pace] = follower->ready_next;
    if (set->ready_last[pace] == follower)
        set->ready_last[pace] = before;
    set->ready_count[pace]--;
    follower->is_ready = false;
}

/* Watching ----------------------------------------------------------------- */

static void
watch(struct follower *follower)
{
    struct source *source = &follower->set->sources[follower->pace];
    char path[64];
    /* By descriptor: the very file that is read, whatever its name is now. */
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", follower->fd);
    follower->wd = inotify_add_watch(source->fd, path,
                                     IN_MODIFY | IN_MOVE_SELF | IN_ATTRIB |
                                         IN_MASK_CREATE);
    if (follower->wd < 0) {
        /* Somebody else follows the same file (EEXIST), or
         * fs.inotify.max_user_watches: look now and then instead. */
        follower->watch_errnum = errno == EEXIST ? 0 : errno;
        loop_timer_start(follower->set->unwatched, UNWATCHED_PAUSE_MS);
        return;
    }
    unsigned bucket = (unsigned)follower->wd % BUCKETS;
    follower->bucket_next = source->buckets[bucket];
    source->buckets[bucket] = follower;
}

static void
unwatch(struct follower *follower)
{
    struct source *source = &follower->set->sources[follower->pace];
    if (follower->wd < 0)
        return;
    struct follower **link = &source->buckets[(unsigned)follower->wd % BUCKETS];
    while (*link != follower)
        link = &(*link)->bucket_next;
    *link = follower->bucket_next;
    inotify_rm_watch(source->fd, follower->wd);
    follower->wd = -1;
}

static struct follower *
find_watched(const struct source *source, int wd)
{
    struct follower *follower = source->buckets[(unsigned)wd % BUCKETS];
    while (follower && follower->wd != wd)
        follower = follower->bucket_next;
    return follower;
}

/* Reading ------------------------------------------------------------------ */

static void
destroy(struct follower *follower)
{
    close(follower->fd);
    free(follower->path);
    free(follower);
}

static void
report(struct follower *follower, const struct error *error)
{
    if (!follower->is_dead && follower->handlers->on_trouble)
        follower->handlers->on_trouble(follower->data, error);
}

static void
read_failed(struct follower *follower, int errnum)
{
    struct error error = {0};
    if (follower->has_read_trouble)
        return;
    follower->has_read_trouble = true;
    error_set_errno(&error, errnum, "cannot read the console log %s",
                    follower->path);
    report(follower, &error);
}

/* At the file's end: or is it shorter than what was read? */
static void
check_truncated(struct follower *follower)
{
    struct error error = {0};
    uint64_t end = follower_end(follower);
    if (end >= follower->offset)
        return;
    error_set(&error, ERROR_CODE_IO,
              "the console log %s was cut from %llu to %llu bytes",
              follower->path, (unsigned long long)follower->offset,
              (unsigned long long)end);
    follower->offset = end;
    report(follower, &error);
}

/* Reads one slice. Returns the bytes read; the follower may be gone after. */
static size_t
read_slice(struct follower *follower)
{
    struct follower_set *set = follower->set;
    const struct follower_handlers *handlers = follower->handlers;
    follower->is_busy = true;
    ssize_t n = pread(follower->fd, set->scratch, FOLLOWER_SLICE_BYTES,
                      (off_t)follower->offset);
    if (n < 0) {
        read_failed(follower, errno);
    } else if (n == 0) {
        check_truncated(follower);
    } else {
        follower->has_read_trouble = false;
        follower->offset += (uint64_t)n;
        handlers->on_bytes(follower->data, set->scratch, (size_t)n);
    }
    if (!follower->is_dead && n == (ssize_t)FOLLOWER_SLICE_BYTES)
        queue_push(follower);
    else if (!follower->is_dead && n >= 0)
        handlers->on_caught_up(follower->data);
    follower->is_busy = false;
    if (follower->is_dead)
        destroy(follower);
    return n > 0 ? (size_t)n : 0;
}

/* Reads the hot ones and a bounded part of the cold ones. */
static void
on_turn(void *data)
{
    struct follower_set *set = data;
    struct follower *follower;
    /* Who has still more is queued again: only once round. */
    for (unsigned i = set->ready_count[FOLLOWER_PACE_HOT]; i > 0; i--) {
        if ((follower = queue_pop(set, FOLLOWER_PACE_HOT)))
            read_slice(follower);
    }
    size_t bytes = 0;
    while (bytes < FOLLOWER_TURN_BYTES &&
           (follower = queue_pop(set, FOLLOWER_PACE_COLD)))
        bytes += read_slice(follower);
    if (set->ready_first[FOLLOWER_PACE_HOT] ||
        set->ready_first[FOLLOWER_PACE_COLD])
        loop_defer_request(set->turn);
}

/* Events ------------------------------------------------------------------- */

/* Outside read_slice; the follower may be gone after. */
static void
tell_trouble(struct follower *follower, const struct error *error)
{
    follower->is_busy = true;
    report(follower, error);
    follower->is_busy = false;
    if (follower->is_dead)
        destroy(follower);
}

/* Returns whether it told: then any follower may be gone. */
static bool
tell_unwatched(struct follower *follower)
{
    struct error error = {0};
    if (!follower->watch_errnum || follower->has_watch_trouble)
        return false;
    follower->has_watch_trouble = true;
    error_set_errno(&error, follower->watch_errnum,
                    "the console log %s cannot be watched and is looked at "
                    "every %d ms (fs.inotify.max_user_watches is the limit)",
                    follower->path, UNWATCHED_PAUSE_MS);
    tell_trouble(follower, &error);
    return true;
}

static void
on_unwatched(void *data)
{
    struct follower_set *set = data;
    bool is_any = false;
    for (struct follower *at = set->first; at; at = at->next) {
        if (at->wd >= 0)
            continue;
        is_any = true;
        watch(at); /* arms the timer again when it fails */
        queue_push(at);
        if (tell_unwatched(at))
            break; /* the others next time */
    }
    if (is_any)
        on_turn(set);
}

static void
attributes_changed(struct follower *follower)
{
    struct error error = {0};
    if (follower->has_moved || follower_is_current(follower))
        return;
    follower->has_moved = true;
    error_set(&error, ERROR_CODE_IO,
              "the console log %s was moved or removed: what is printed from "
              "now on will be missing in it",
              follower->path);
    tell_trouble(follower, &error);
}

static void
take_event(struct source *source, const struct inotify_event *event)
{
    struct follower_set *set = source->set;
    if (event->mask & IN_Q_OVERFLOW) {
        for (struct follower *at = set->first; at; at = at->next)
            queue_push(at);
        return;
    }
    struct follower *follower = find_watched(source, event->wd);
    if (!follower || (event->mask & IN_IGNORED))
        return;
    queue_push(follower);
    if (event->mask & (IN_MOVE_SELF | IN_ATTRIB))
        attributes_changed(follower);
}

static void
take_events(struct source *source)
{
    char events[EVENTS_BYTES] __attribute__((aligned(8)));
    ssize_t n;
    do {
        n = read(source->fd, events, sizeof(events));
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(events + at);
            at += (ssize_t)(sizeof(*event) + event->len);
            take_event(source, event);
        }
    } while (n > (ssize_t)(sizeof(events) - sizeof(struct inotify_event)));
}

/* A hot file is read at once as long as it is an answer to somebody's typing
 * or the first output after quiet; one that grows on and on is spaced. */
static bool
spend_credit(struct source *source)
{
    uint64_t now = clock_monotonic_ms();
    if (now - source->read_ms >= FOLLOWER_COLD_PAUSE_MS)
        source->credit = FOLLOWER_HOT_CREDIT;
    source->read_ms = now;
    if (source->credit == 0)
        return false;
    source->credit--;
    return true;
}

static void
on_events(void *data, int status, int events)
{
    struct source *source = data;
    struct follower_set *set = source->set;
    bool is_hot = source == &set->sources[FOLLOWER_PACE_HOT];
    (void)events;
    if (status < 0)
        return;
    take_events(source);
    if (!is_hot || !spend_credit(source)) {
        loop_poll_set(source->poll, 0);
        loop_timer_start(source->pause, is_hot ? FOLLOWER_HOT_PAUSE_MS
                                               : FOLLOWER_COLD_PAUSE_MS);
    }
    on_turn(set);
}

static void
on_pause_over(void *data)
{
    struct source *source = data;
    loop_poll_set(source->poll, UV_READABLE);
}

void
follower_set_typed(struct follower_set *set)
{
    struct source *source = &set->sources[FOLLOWER_PACE_HOT];
    source->credit = FOLLOWER_HOT_CREDIT;
    if (!loop_timer_is_armed(source->pause))
        return;
    loop_timer_stop(source->pause);
    loop_poll_set(source->poll, UV_READABLE);
}

/* A follower --------------------------------------------------------------- */

static int
open_log(const char *path, struct error *error)
{
    struct stat status;
    /* Non-blocking: a FIFO at this place must not hang the server. */
    int fd = open(path,
                  O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
                      O_CLOEXEC,
                  0600);
    if (fd < 0) {
        error_set_errno(error, errno, "cannot open the console log %s", path);
        return -1;
    }
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return fd;
    close(fd);
    error_set(error, ERROR_CODE_INVALID, "%s is no regular file", path);
    return -1;
}

struct follower *
follower_new(struct follower_set *set, const char *path, uint64_t offset,
             const struct follower_handlers *handlers, void *data,
             struct error *error)
{
    int fd = open_log(path, error);
    if (fd < 0)
        return NULL;
    struct follower *follower = xcalloc(1, sizeof(*follower));
    follower->set = set;
    follower->handlers = handlers;
    follower->data = data;
    follower->path = xstrdup(path);
    follower->fd = fd;
    follower->offset = offset;
    follower->wd = -1;
    follower->next = set->first;
    set->first = follower;
    watch(follower);
    queue_push(follower);
    loop_defer_request(set->turn);
    return follower;
}

void
follower_free(struct follower *follower)
{
    if (!follower || follower->is_dead)
        return;
    struct follower **link = &follower->set->first;
    while (*link != follower)
        link = &(*link)->next;
    *link = follower->next;
    queue_remove(follower);
    unwatch(follower);
    follower->is_dead = true;
    if (!follower->is_busy)
        destroy(follower);
}

void
follower_set_pace(struct follower *follower, enum follower_pace pace)
{
    if (follower->pace == pace)
        return;
    queue_remove(follower);
    unwatch(follower);
    follower->pace = pace;
    watch(follower);
    /* What was written while nobody watched. */
    queue_push(follower);
    loop_defer_request(follower->set->turn);
}

uint64_t
follower_offset(const struct follower *follower)
{
    return follower->offset;
}

void
follower_seek(struct follower *follower, uint64_t offset)
{
    follower->offset = offset;
    queue_push(follower);
    loop_defer_request(follower->set->turn);
}

uint64_t
follower_end(const struct follower *follower)
{
    struct stat status;
    if (fstat(follower->fd, &status) != 0)
        return follower->offset;
    return (uint64_t)status.st_size;
}

uint64_t
follower_free_bytes(const struct follower *follower)
{
    struct statvfs status;
    if (fstatvfs(follower->fd, &status) != 0 || status.f_blocks == 0)
        return UINT64_MAX;
    return (uint64_t)status.f_bavail * status.f_frsize;
}

int64_t
follower_changed_ms(const struct follower *follower)
{
    struct stat status;
    if (fstat(follower->fd, &status) != 0)
        return 0;
    return (int64_t)status.st_mtim.tv_sec * 1000 +
           status.st_mtim.tv_nsec / 1000000;
}

bool
follower_is_current(const struct follower *follower)
{
    struct stat named;
    struct stat opened;
    return fstat(follower->fd, &opened) == 0 &&
           lstat(follower->path, &named) == 0 &&
           named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

uint64_t
follower_find_text(const struct follower *follower, uint64_t offset,
                   const char *text)
{
    char *bytes = follower->set->scratch;
    ssize_t n = pread(follower->fd, bytes, FOLLOWER_SLICE_BYTES, (off_t)offset);
    const char *found =
        n > 0 ? memmem(bytes, (size_t)n, text, strlen(text)) : NULL;
    return found ? offset + (uint64_t)(found - bytes) : UINT64_MAX;
}

uint64_t
follower_find_line(const struct follower *follower, uint64_t offset)
{
    char *bytes = follower->set->scratch;
    if (offset == 0)
        return 0;
    /* The byte before decides whether a line begins right here. */
    ssize_t n =
        pread(follower->fd, bytes, FOLLOWER_SLICE_BYTES, (off_t)offset - 1);
    const char *end = n > 0 ? memchr(bytes, '\n', (size_t)n) : NULL;
    return end ? offset + (uint64_t)(end - bytes) : offset;
}
