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

struct past {
    struct console *console; /* borrowed */
    size_t history_lines;
    past_ready_fn on_ready;
    void *data;
    int fd; /* owned: the log */
    struct loop_defer *turn;
    struct terminal *terminal; /* owned; NULL: nothing was asked for */
    char *scratch;             /* owned: PAST_SLICE_BYTES */
    unsigned generation;
    uint64_t at;     /* what lies before was interpreted */
    uint64_t target; /* … and is to be up to here */
    uint64_t marked; /* marks before this offset were applied */
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

/* Where a replay for the target begins: at a boot, where the terminal was reset
 * anyway, or as far before it as the scrollback of then reached; at a line in
 * any case. */
static uint64_t
find_base(const struct past *past)
{
    uint64_t start = console_log_start(past->console);
    uint64_t boot = find_boot(past);
    uint64_t reach = (uint64_t)past->history_lines * PAST_LINE_BYTES;
    uint64_t want = past->target > reach ? past->target - reach : 0;
    uint64_t base = want < boot ? want : boot;
    if (past->target > PAST_MAX_BYTES && base < past->target - PAST_MAX_BYTES)
        base = past->target - PAST_MAX_BYTES;
    if (base <= start)
        return start;
    return base == boot ? base : find_line(past, base);
}

static void
begin_anew(struct past *past, uint64_t base)
{
    const struct terminal *live = console_terminal(past->console);
    struct terminal_config config = {
        .rows = terminal_rows(live),
        .cols = terminal_cols(live),
        .history_lines = past->history_lines,
    };
    terminal_free(past->terminal);
    past->terminal = terminal_new(&config);
    past->generation++;
    past->at = base;
    past->marked = 0;
}

void
past_seek(struct past *past, uint64_t offset)
{
    uint64_t start = console_log_start(past->console);
    uint64_t end = log_bytes(past);
    past->target = offset > end ? end : offset;
    if (past->target < start)
        past->target = start;
    uint64_t base = find_base(past);
    /* Forward it goes on, unless the scrollback of then begins further on. */
    if (!past->terminal || past->target < past->at || base > past->at ||
        past->at < start || past->marked > past->target + 1)
        begin_anew(past, base);
    past->is_ready = false;
    loop_defer_request(past->turn);
}

/* Replaying ---------------------------------------------------------------- */

/* Applies the marks up to the place; returns where the next one is. */
static uint64_t
apply_marks(struct past *past)
{
    const struct mark *items = NULL;
    size_t count = marks_list(console_marks(past->console), &items);
    for (size_t i = 0; i < count; i++) {
        if (items[i].offset > past->at)
            return items[i].offset;
        if (items[i].offset < past->marked)
            continue;
        if (items[i].kind == MARKS_KIND_SIZE)
            terminal_resize(past->terminal, items[i].rows, items[i].cols);
        else if (items[i].kind == MARKS_KIND_BOOT && items[i].offset > 0)
            terminal_reset(past->terminal);
    }
    return UINT64_MAX;
}

/* Interprets one slice; false when there is nothing more to read. */
static bool
replay_slice(struct past *past)
{
    uint64_t left = past->target - past->at;
    size_t want = left < PAST_SLICE_BYTES ? (size_t)left : PAST_SLICE_BYTES;
    ssize_t got = pread(past->fd, past->scratch, want, (off_t)past->at);
    if (got <= 0)
        return false;
    const char *bytes = past->scratch;
    for (size_t rest = (size_t)got; rest > 0;) {
        uint64_t next = apply_marks(past);
        past->marked = past->at + 1;
        size_t part = next - past->at < rest ? (size_t)(next - past->at) : rest;
        terminal_write(past->terminal, bytes, part, TERMINAL_WRITE_REPLAY);
        past->at += part;
        bytes += part;
        rest -= part;
    }
    return true;
}

static void
on_turn(void *data)
{
    struct past *past = data;
    if (past->at < past->target && replay_slice(past) &&
        past->at < past->target) {
        loop_defer_request(past->turn);
        return;
    }
    (void)apply_marks(past);
    past->marked = past->at + 1;
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
