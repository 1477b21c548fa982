#include "console/past.h"

#include "base/loop.h"
#include "base/xalloc.h"
#include "console/console.h"
#include "console/marks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where in the log a replay is: what lies before at was interpreted, and of
 * the marks those before marked and the first mark_count that lie there. */
struct position {
    uint64_t origin; /* where it began */
    uint64_t at;
    uint64_t marked;
    size_t mark_count;
};

/* The terminal as it was on the way. */
struct keyframe {
    struct position position;
    struct terminal *terminal; /* owned */
};

struct past {
    struct console *console; /* borrowed */
    size_t history_lines;
    past_ready_fn on_ready;
    void *data;
    int fd; /* owned: the log */
    unsigned log_number;
    struct loop_defer *turn;
    struct terminal *terminal; /* owned; NULL: nothing was asked for */
    char *scratch;             /* owned: PAST_SLICE_BYTES */
    unsigned generation;
    struct position position;
    uint64_t target; /* where position.at is to come */
    uint64_t replayed;
    struct keyframe keyframes[PAST_KEYFRAMES_MAX]; /* in no order */
    size_t keyframe_count;
    bool is_ready;
};

static uint64_t
log_bytes(const struct past *past)
{
    struct stat status;
    return fstat(past->fd, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* Beginning ---------------------------------------------------------------- */

/* The line that begins behind the first line end at or after offset. */
static uint64_t
find_line(const struct past *past, uint64_t offset)
{
    ssize_t len =
        pread(past->fd, past->scratch, PAST_SLICE_BYTES, (off_t)offset);
    const char *end = len > 0 ? memchr(past->scratch, '\n', (size_t)len) : NULL;
    return end ? offset + (uint64_t)(end - past->scratch) + 1 : offset;
}

/* Where the boot before the target began, or what is kept of it. */
static uint64_t
find_boot(const struct past *past)
{
    const struct mark *items = NULL;
    uint64_t base = console_log_start(past->console);
    size_t count = marks_list(console_marks(past->console), &items);
    for (size_t i = 0; i < count && items[i].offset <= past->target; i++) {
        if (items[i].kind == MARKS_KIND_BOOT && items[i].offset > base)
            base = items[i].offset;
    }
    return base;
}

/* Where a replay for the target has to begin: at a boot, where the terminal
 * was reset anyway, or as far before it as the scrollback of then reached. A
 * boot that is too far back does not count. */
static uint64_t
find_base(const struct past *past)
{
    uint64_t start = console_log_start(past->console);
    uint64_t boot = find_boot(past);
    uint64_t reach = (uint64_t)past->history_lines * PAST_LINE_BYTES;
    uint64_t want = past->target > reach ? past->target - reach : 0;
    uint64_t least =
        past->target > PAST_MAX_BYTES ? past->target - PAST_MAX_BYTES : 0;
    uint64_t base = boot < want && boot >= least ? boot : want;
    base = base > least ? base : least;
    return base > start ? base : start;
}

/* Where one begins: as far back as may be, so that other moments before the
 * target need none of their own; at a line in any case. */
static uint64_t
find_origin(const struct past *past)
{
    uint64_t start = console_log_start(past->console);
    if (past->target <= start + PAST_MAX_BYTES)
        return start;
    return find_line(past, past->target - PAST_MAX_BYTES);
}

/* Keyframes ---------------------------------------------------------------- */

static void
drop_keyframe(struct past *past, size_t index)
{
    terminal_free(past->keyframes[index].terminal);
    past->keyframes[index] = past->keyframes[--past->keyframe_count];
}

static uint64_t
distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* Drops those near a place that know less of what was before. */
static void
drop_lesser(struct past *past, const struct position *place)
{
    for (size_t i = past->keyframe_count; i > 0; i--) {
        const struct position *other = &past->keyframes[i - 1].position;
        if (other->origin > place->origin &&
            distance(other->at, place->at) <= PAST_KEYFRAME_BYTES / 2)
            drop_keyframe(past, i - 1);
    }
}

/* Makes room by dropping the one that is farthest away. */
static void
drop_farthest(struct past *past)
{
    size_t farthest = 0;
    uint64_t most = 0;
    for (size_t i = 0; i < past->keyframe_count; i++) {
        uint64_t away = distance(past->keyframes[i].position.at, past->target);
        if (away < most)
            continue;
        most = away;
        farthest = i;
    }
    drop_keyframe(past, farthest);
}

/* The keyframe nearest before an offset that began at base or before; or NULL.
 */
static const struct keyframe *
find_keyframe(const struct past *past, uint64_t base, uint64_t offset)
{
    const struct keyframe *best = NULL;
    for (size_t i = 0; i < past->keyframe_count; i++) {
        const struct position *position = &past->keyframes[i].position;
        if (position->origin <= base && position->at <= offset &&
            (!best || position->at > best->position.at))
            best = &past->keyframes[i];
    }
    return best;
}

/* Keeps the terminal as it is now, unless that is known well enough. */
static void
keep_keyframe(struct past *past)
{
    const struct position *now = &past->position;
    const struct keyframe *last = find_keyframe(past, now->origin, now->at);
    uint64_t from = last && last->position.at > now->origin ? last->position.at
                                                            : now->origin;
    if (now->at - from < PAST_KEYFRAME_BYTES)
        return;
    drop_lesser(past, now);
    if (past->keyframe_count == PAST_KEYFRAMES_MAX)
        drop_farthest(past);
    past->keyframes[past->keyframe_count++] = (struct keyframe){
        .position = *now, .terminal = terminal_copy(past->terminal)};
}

static void
show(struct past *past, struct terminal *terminal,
     const struct position *position)
{
    terminal_free(past->terminal);
    past->terminal = terminal;
    past->position = *position;
    past->generation++;
}

static void
begin_anew(struct past *past)
{
    const struct terminal *live = console_terminal(past->console);
    struct terminal_config config = {
        .rows = terminal_rows(live),
        .cols = terminal_cols(live),
        .history_lines = past->history_lines,
        .freezer = console_freezer(past->console),
    };
    uint64_t origin = find_origin(past);
    struct position position = {.origin = origin, .at = origin};
    show(past, terminal_new(&config), &position);
}

/* Drops what was made of another log, or of what was taken away since. */
static void
forget_stale(struct past *past)
{
    uint64_t start = console_log_start(past->console);
    unsigned number = console_log_number(past->console);
    bool is_other = number != past->log_number;
    for (size_t i = past->keyframe_count; i > 0; i--) {
        if (is_other || past->keyframes[i - 1].position.at < start)
            drop_keyframe(past, i - 1);
    }
    if (!is_other)
        return;
    terminal_free(past->terminal);
    past->terminal = NULL;
    past->log_number = number;
    int fd = open(console_log_path(past->console),
                  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    (void)close(past->fd);
    past->fd = fd;
}

void
past_seek(struct past *past, uint64_t offset)
{
    forget_stale(past);
    uint64_t start = console_log_start(past->console);
    uint64_t end = log_bytes(past);
    past->target = offset > end ? end : offset;
    if (past->target < start)
        past->target = start;
    uint64_t base = find_base(past);
    const struct position *now = &past->position;
    const struct keyframe *near = find_keyframe(past, base, past->target);
    bool goes_on = past->terminal && past->target >= now->at &&
                   now->origin <= base && now->at >= start;
    if (near && (!goes_on || near->position.at > now->at))
        show(past, terminal_copy(near->terminal), &near->position);
    else if (!goes_on)
        begin_anew(past);
    past->is_ready = false;
    loop_defer_request(past->turn);
}

/* Replaying ---------------------------------------------------------------- */

/* Applies the marks up to the place; returns where the next one is. */
static uint64_t
apply_marks(struct past *past)
{
    struct position *now = &past->position;
    const struct mark *items = NULL;
    size_t count = marks_list(console_marks(past->console), &items);
    size_t known = now->mark_count;
    for (size_t i = 0; i < count; i++) {
        if (items[i].offset > now->at)
            return items[i].offset;
        if (items[i].offset < now->marked)
            continue;
        if (items[i].offset == now->marked && known > 0) {
            known--;
            continue;
        }
        if (items[i].kind == MARKS_KIND_SIZE)
            terminal_resize(past->terminal, items[i].rows, items[i].cols);
        else if (items[i].kind == MARKS_KIND_BOOT && items[i].offset > 0)
            terminal_reset(past->terminal);
        now->mark_count =
            items[i].offset == now->marked ? now->mark_count + 1 : 1;
        now->marked = items[i].offset;
        known = 0;
    }
    return UINT64_MAX;
}

/* Interprets one slice; false when there is nothing more to read. */
static bool
replay_slice(struct past *past)
{
    struct position *now = &past->position;
    uint64_t left = past->target - now->at;
    size_t want = left < PAST_SLICE_BYTES ? (size_t)left : PAST_SLICE_BYTES;
    ssize_t got = pread(past->fd, past->scratch, want, (off_t)now->at);
    if (got <= 0)
        return false;
    const char *bytes = past->scratch;
    for (size_t rest = (size_t)got; rest > 0;) {
        uint64_t next = apply_marks(past);
        size_t part = next - now->at < rest ? (size_t)(next - now->at) : rest;
        terminal_write(past->terminal, bytes, part, TERMINAL_WRITE_REPLAY);
        now->at += part;
        past->replayed += part;
        bytes += part;
        rest -= part;
    }
    return true;
}

static void
on_turn(void *data)
{
    struct past *past = data;
    if (past->position.at < past->target && replay_slice(past) &&
        past->position.at < past->target) {
        keep_keyframe(past);
        loop_defer_request(past->turn);
        return;
    }
    (void)apply_marks(past);
    past->is_ready = true;
    past->on_ready(past->data);
}

/* A past ------------------------------------------------------------------- */

struct past *
past_new(uv_loop_t *loop, struct console *console, size_t history_lines,
         past_ready_fn on_ready, void *data, struct error *error)
{
    const char *path = console_log_path(console);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        error_set_errno(error, errno, "cannot open the console log %s", path);
        return NULL;
    }
    struct past *past = xcalloc(1, sizeof(*past));
    past->console = console;
    past->history_lines = history_lines < PAST_MAX_HISTORY_LINES
                              ? history_lines
                              : PAST_MAX_HISTORY_LINES;
    past->on_ready = on_ready;
    past->data = data;
    past->fd = fd;
    past->log_number = console_log_number(console);
    past->turn = loop_defer_new(loop, on_turn, past);
    past->scratch = xmalloc(PAST_SLICE_BYTES);
    return past;
}

void
past_free(struct past *past)
{
    if (!past)
        return;
    loop_defer_free(past->turn);
    terminal_free(past->terminal);
    while (past->keyframe_count)
        drop_keyframe(past, past->keyframe_count - 1);
    free(past->scratch);
    close(past->fd);
    free(past);
}

bool
past_is_ready(const struct past *past)
{
    return past->is_ready;
}

uint64_t
past_offset(const struct past *past)
{
    return past->target;
}

struct terminal *
past_terminal(struct past *past)
{
    return past->terminal;
}

unsigned
past_generation(const struct past *past)
{
    return past->generation;
}

uint64_t
past_replayed_bytes(const struct past *past)
{
    return past->replayed;
}
