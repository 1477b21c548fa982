#include "console/place.h"

#include "base/xalloc.h"
#include "console/bound.h"
#include "console/console-internal.h"
#include "console/line.h"
#include "console/plain.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Most bytes of a log that are read at once, and how far the line that is
 * looked for may reach beyond the next stop. */
#define WINDOW_BYTES ((uint64_t)1 << 20)
#define LINE_BYTES ((uint64_t)2 * PLAIN_LINE_MAX_BYTES)
/* Stops that are tried when the nearest one's row is gone. */
#define TRIES 8
/* Lines beyond those counted that are looked at. */
#define SLACK_LINES 16
/* Bytes that two lines must have in common to be the same but for their end. */
#define MIN_COMMON_BYTES 4

/* A part of the log, cut into lines. */
struct window {
    char *bytes; /* owned */
    size_t len;
    uint64_t start;
    struct plain plain; /* owned: the line that was read last … */
    uint64_t line;      /* … where it begins … */
    uint64_t at;        /* … and what comes behind it */
};

static void
window_open(struct window *window, const struct console *console, uint64_t from,
            uint64_t to)
{
    uint64_t start = console_log_start(console);
    *window = (struct window){.start = from > start ? from : start};
    /* what the terminal has not had is none of its lines */
    to = to < console->offset ? to : console->offset;
    window->at = window->start;
    if (to <= window->start)
        return;
    if (to - window->start > WINDOW_BYTES)
        to = window->start + WINDOW_BYTES;
    size_t want = (size_t)(to - window->start);
    int fd =
        open(console->log_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    window->bytes = xmalloc(want);
    ssize_t got = pread(fd, window->bytes, want, (off_t)window->start);
    window->len = got > 0 ? (size_t)got : 0;
    (void)close(fd);
}

static void
window_close(struct window *window)
{
    plain_finish(&window->plain);
    free(window->bytes);
}

/* Goes to where a line begins. */
static void
window_seek(struct window *window, uint64_t offset)
{
    plain_finish(&window->plain);
    window->at = offset > window->start ? offset : window->start;
}

/* Reads the next line; false when there is none. */
static bool
window_next(struct window *window)
{
    size_t at = (size_t)(window->at - window->start);
    bool is_done = false;
    if (at >= window->len)
        return false;
    plain_next_line(&window->plain);
    window->line = window->at;
    at += plain_feed(&window->plain, window->bytes + at, window->len - at,
                     &is_done);
    window->at = window->start + at;
    return true;
}

/* Reading the same --------------------------------------------------------- */

/* A line's text. */
struct wanted {
    const char *text; /* borrowed */
    size_t len;
    bool is_loose; /* parts of lines do: the end was erased, say */
};

static size_t
trimmed(const char *text, size_t len)
{
    while (len > 0 && text[len - 1] == ' ')
        len--;
    return len;
}

static bool
is_same(const struct wanted *wanted, const char *text, size_t len)
{
    len = trimmed(text, len);
    if (len == wanted->len && memcmp(text, wanted->text, len) == 0)
        return true;
    /* one that is cut for its length goes on in the other */
    size_t least =
        wanted->is_loose ? MIN_COMMON_BYTES : PLAIN_LINE_MAX_BYTES - 3;
    size_t less = len < wanted->len ? len : wanted->len;
    if (less >= least && memcmp(text, wanted->text, less) == 0)
        return true;
    return wanted->is_loose && wanted->len >= MIN_COMMON_BYTES &&
           memmem(text, len, wanted->text, wanted->len) != NULL;
}

/* Whether the line that was read last reads so. */
static bool
window_is_same(const struct window *window, const struct wanted *wanted)
{
    const struct buffer *line = &window->plain.line;
    return line->data && is_same(wanted, line->data, line->len);
}

/* Lines of the window that begin at from … to-1. */
struct count {
    size_t lines;
    size_t same;
};

static struct count
count_lines(struct window *window, uint64_t from, uint64_t to,
            const struct wanted *wanted)
{
    struct count count = {0};
    window_seek(window, from);
    while (window->at < to && window_next(window)) {
        count.lines++;
        count.same += window_is_same(window, wanted);
    }
    return count;
}

/* From the log to the terminal --------------------------------------------- */

/* A terminal's lines, one after the other. */
struct walk {
    struct line_reader reader; /* owned */
    struct line line;
    int step; /* 1: down; -1: up */
};

static bool
has_row(const struct terminal *terminal, int64_t row)
{
    return row < terminal_rows(terminal) &&
           row >= -(int64_t)terminal_history_rows(terminal);
}

/* Goes from the line of a row on past so many that read the same; true when
 * it stands on the one behind them. */
static bool
walk_past(struct walk *walk, int row, const struct count *count,
          const struct wanted *wanted)
{
    size_t same = count->same;
    for (size_t left = count->lines + SLACK_LINES;
         left > 0 && has_row(walk->reader.terminal, row); left--) {
        line_read(&walk->reader, row, &walk->line);
        if (is_same(wanted, walk->line.text, walk->line.bytes) && same-- == 0)
            return true;
        row = walk->step > 0 ? walk->line.row + walk->line.rows
                             : walk->line.row - 1;
    }
    return false;
}

/* Looks from the stops before the line down. 1: it is there; 0: it is not; -1:
 * none of them is. */
static int
look_down(const struct console *console, uint64_t offset, struct walk *walk,
          const struct wanted *wanted)
{
    const struct stops *stops = &console->stops;
    size_t last = stops_until(stops, offset);
    int row = 0;
    for (size_t i = last; i > 0 && last - i < TRIES; i--) {
        const struct stop *stop = &stops->items[i - 1];
        if (stop->offset < console_log_start(console) ||
            !line_find(console->terminal, stop->id, &row))
            continue;
        struct window window;
        window_open(&window, console, stop->offset, offset + LINE_BYTES);
        struct count count = count_lines(&window, stop->offset, offset, wanted);
        window_close(&window);
        walk->step = 1;
        return walk_past(walk, row, &count, wanted);
    }
    return -1;
}

/* Looks from the stops behind the line up, or from the newest row. */
static bool
look_up(const struct console *console, uint64_t offset, struct walk *walk,
        const struct wanted *wanted)
{
    const struct stops *stops = &console->stops;
    size_t first = stops_until(stops, offset);
    int row = terminal_rows(console->terminal);
    uint64_t end = console->offset;
    bool is_there = first == stops->count;
    for (size_t i = first; !is_there && i < stops->count && i - first < TRIES;
         i++) {
        is_there = line_find(console->terminal, stops->items[i].id, &row);
        end = stops->items[i].offset;
    }
    if (!is_there)
        return false;
    struct window window;
    window_open(&window, console, offset, end + LINE_BYTES);
    struct count count = {0};
    if (window_next(&window))
        count = count_lines(&window, window.at, end, wanted);
    /* blank rows below the last line */
    count.lines +=
        end == console->offset ? (size_t)terminal_rows(console->terminal) : 0;
    window_close(&window);
    walk->step = -1;
    return walk_past(walk, row - 1, &count, wanted);
}

static bool
look(const struct console *console, uint64_t offset, struct walk *walk,
     const struct wanted *wanted)
{
    int is_there = look_down(console, offset, walk, wanted);
    return is_there < 0 ? look_up(console, offset, walk, wanted) : is_there > 0;
}

bool
place_find_row(struct console *console, uint64_t offset,
               struct place_line *ret_line)
{
    struct terminal *terminal = console->terminal;
    struct walk walk = {.reader = {.terminal = terminal}};
    struct window window;
    window_open(&window, console, offset, offset + LINE_BYTES);
    bool is_there = window.start == offset && window_next(&window);
    struct wanted wanted = {.text = window.plain.line.data};
    if (is_there && wanted.text)
        wanted.len = trimmed(wanted.text, window.plain.line.len);
    is_there =
        is_there && wanted.len > 0 && look(console, offset, &walk, &wanted);
    if (!is_there && wanted.len > 0) {
        wanted.is_loose = true;
        is_there = look(console, offset, &walk, &wanted);
    }
    if (is_there)
        *ret_line = (struct place_line){
            .row = terminal_screen_top(terminal) +
                   (uint64_t)(int64_t)walk.line.row,
            .rows = walk.line.rows,
            .id = walk.line.id,
        };
    window_close(&window);
    line_reader_finish(&walk.reader);
    return is_there;
}

uint64_t
place_text_offset(const struct console *console, uint64_t offset)
{
    struct window window;
    window_open(&window, console, offset, offset + LINE_BYTES);
    bool is_there = window.start == offset && window_next(&window) &&
                    window.plain.line.len > 0;
    uint64_t text = offset + (is_there ? window.plain.text_at : 0);
    window_close(&window);
    return text;
}

/* From the terminal to the log --------------------------------------------- */

/* How many lines from a row to another one read the same. */
static size_t
count_rows(struct line_reader *reader, int from, int to,
           const struct wanted *wanted)
{
    size_t same = 0;
    while (from < to) {
        struct line line;
        line_read(reader, from, &line);
        same += is_same(wanted, line.text, line.bytes);
        from = line.row + line.rows;
    }
    return same;
}

/* The line of a part of the log that has so many before it that read the same.
 */
static bool
find_in_log(const struct console *console, uint64_t from, uint64_t to,
            size_t same, const struct wanted *wanted, uint64_t *ret_offset)
{
    struct window window;
    bool is_there = false;
    window_open(&window, console, from, to);
    while (!is_there && window_next(&window))
        is_there = window_is_same(&window, wanted) && same-- == 0;
    if (is_there)
        *ret_offset = window.line;
    window_close(&window);
    return is_there;
}

/* Whether a stop's row stands in the terminal, and in the log still. */
static bool
stop_is_there(const struct console *console, const struct stop *stop,
              int *ret_row)
{
    return stop->offset >= console_log_start(console) &&
           line_find(console->terminal, stop->id, ret_row);
}

/* Looks from the stop down that stands next above a line, or on it. 1: found;
 * 0: not; -1: there is no such stop. */
static int
search_down(const struct console *console, struct line_reader *reader,
            const struct line *line, const struct wanted *wanted,
            uint64_t *ret_offset)
{
    const struct stops *stops = &console->stops;
    int row = 0;
    int tries = 0;
    for (size_t i = stops->count; i > 0 && tries < TRIES; i--) {
        if (stops->items[i - 1].id > line->id + (uint64_t)line->rows)
            continue;
        tries++;
        if (!stop_is_there(console, &stops->items[i - 1], &row) ||
            row > line->row)
            continue;
        uint64_t end =
            i + 1 < stops->count ? stops->items[i + 1].offset : console->offset;
        return find_in_log(
            console, stops->items[i - 1].offset, end + LINE_BYTES,
            count_rows(reader, row, line->row, wanted), wanted, ret_offset);
    }
    return -1;
}

/* Looks from the first stop below a line up, or from the newest row. */
static bool
search_up(const struct console *console, struct line_reader *reader,
          const struct line *line, const struct wanted *wanted,
          uint64_t *ret_offset)
{
    const struct stops *stops = &console->stops;
    int row = terminal_rows(console->terminal);
    uint64_t end = console->offset;
    size_t i = 0;
    for (; i < stops->count; i++) {
        if (stops->items[i].id <= line->id ||
            !stop_is_there(console, &stops->items[i], &row) || row <= line->row)
            continue;
        end = stops->items[i].offset;
        break;
    }
    uint64_t start = i ? stops->items[i - 1].offset : 0;
    struct window window;
    window_open(&window, console, start, end);
    size_t in_log = count_lines(&window, start, end, wanted).same;
    window_close(&window);
    size_t below = count_rows(reader, line->row + line->rows, row, wanted);
    return in_log > below &&
           find_in_log(console, start, end, in_log - 1 - below, wanted,
                       ret_offset);
}

static bool
find_offset(const struct console *console, struct line_reader *reader,
            const struct line *line, struct wanted *wanted,
            uint64_t *ret_offset)
{
    for (int pass = 0; wanted->len && pass < 2; pass++) {
        wanted->is_loose = pass > 0;
        int found = search_down(console, reader, line, wanted, ret_offset);
        if (found < 0)
            found = search_up(console, reader, line, wanted, ret_offset);
        if (found > 0)
            return true;
    }
    return false;
}

bool
place_find_offset(struct console *console, uint64_t row, uint64_t *ret_offset)
{
    struct terminal *terminal = console->terminal;
    int64_t at = (int64_t)(row - terminal_screen_top(terminal));
    if (!has_row(terminal, at))
        return false;
    struct line_reader of_line = {.terminal = terminal};
    struct line_reader reader = {.terminal = terminal};
    struct line line;
    line_read(&of_line, (int)at, &line);
    struct wanted wanted = {.text = line.text,
                            .len = trimmed(line.text, line.bytes)};
    bool is_there = find_offset(console, &reader, &line, &wanted, ret_offset);
    line_reader_finish(&of_line);
    line_reader_finish(&reader);
    return is_there;
}
