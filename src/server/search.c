#include "server/search.h"

#include "base/clock.h"
#include "base/xalloc.h"
#include "server/peer.h"
#include "server/search-line.h"
#include "server/search-text.h"
#include "server/server-internal.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS UINT64_C(1000000)
/* Lines between two looks at the clock. */
#define CLOCK_LINES 32
/* Rows that are searched in their order when the search goes backwards. */
#define CHUNK_ROWS 128
/* When nothing is left but consoles whose logs are still replayed, ms. */
#define REPLAY_PAUSE_MS 20

enum progress {
    PROGRESS_WAITING, /* its log is still replayed */
    PROGRESS_RUNNING,
    PROGRESS_DONE,
};

struct search_console {
    char *guest; /* owned */
    size_t index;
    enum progress progress;
    const struct terminal
        *terminal; /* what was searched so far; only compared */
    int cols;
    uint64_t at;          /* the next row to look at */
    uint64_t low;         /* backwards: what is left are rows low … */
    uint64_t high;        /* … to high-1 */
    uint64_t chunk_start; /* of the rows that are looked at now */
    json_t *lines;        /* owned */
    json_t *chunk;        /* owned: backwards, those of the present rows */
    size_t count;
    bool has_more;
};

struct search {
    struct server *server;   /* borrowed */
    struct request *request; /* owned, once started */
    struct search_options options;
    struct pattern *pattern;         /* owned */
    struct search_line line;         /* owned */
    struct search_console *consoles; /* owned: console_count */
    size_t console_count;
    size_t console_capacity;
    size_t current;
    size_t bytes;             /* of the answer so far */
    uint64_t took_ns;         /* so far */
    struct loop_defer *step;  /* owned */
    struct loop_timer *pause; /* owned */
};

struct search *
search_new(struct server *server, const struct search_options *options,
           struct error *error)
{
    struct pattern *pattern =
        pattern_new(options->pattern, options->pattern_flags, error);
    if (!pattern)
        return NULL;
    struct search *search = xcalloc(1, sizeof(*search));
    search->server = server;
    search->options = *options;
    search->options.pattern = NULL; /* the request's */
    search->pattern = pattern;
    search->line.options = &search->options;
    search->line.pattern = pattern;
    return search;
}

void
search_free(struct search *search)
{
    if (!search)
        return;
    if (search->step)
        search->server->search_count--;
    for (size_t i = 0; i < search->console_count; i++) {
        free(search->consoles[i].guest);
        json_decref(search->consoles[i].lines);
        json_decref(search->consoles[i].chunk);
    }
    free(search->consoles);
    loop_defer_free(search->step);
    loop_timer_free(search->pause);
    search_line_finish(&search->line);
    pattern_free(search->pattern);
    free(search);
}

void
search_add(struct search *search, const char *guest, size_t console)
{
    if (search->console_count == search->console_capacity) {
        search->console_capacity = search->console_capacity * 2 + 8;
        search->consoles =
            xreallocarray(search->consoles, search->console_capacity,
                          sizeof(*search->consoles));
    }
    search->consoles[search->console_count++] = (struct search_console){
        .guest = xstrdup(guest), .index = console, .lines = json_array()};
}

/* Answering ---------------------------------------------------------------- */

static struct console *
find_console(const struct search *search, const struct search_console *console,
             struct guest **ret_guest)
{
    struct error ignored = {0};
    *ret_guest = registry_find(search->server, console->guest, &ignored);
    if (!*ret_guest || console->index >= guest_console_count(*ret_guest))
        return NULL;
    return guest_console(*ret_guest, console->index);
}

/* Hands the request over and frees the rest. */
static struct request *
search_take(struct search *search)
{
    struct request *request = search->request;
    request_on_cancel(request, NULL, NULL);
    search_free(search);
    return request;
}

static void
on_cancel(void *data)
{
    struct error error = {0};
    error_set(&error, ERROR_CODE_IO, "the client went away");
    request_fail(search_take(data), &error);
}

/* Adds a console and its lines to the answer. */
static void
add_console(const struct search *search, struct search_console *console,
            json_t *lines, json_t *consoles)
{
    struct guest *guest = NULL;
    struct console *found = find_console(search, console, &guest);
    if (!found)
        return;
    const char *name = guest_console_name(guest, console->index);
    struct terminal *terminal = console_terminal(found);
    json_array_append_new(
        consoles,
        json_pack("{s:s,s:s,s:I,s:I,s:i,s:i,s:I,s:b}", "guest", console->guest,
                  "console", name, "dropped",
                  (json_int_t)terminal_history_dropped(terminal), "history",
                  (json_int_t)terminal_history_rows(terminal), "rows",
                  terminal_rows(terminal), "cols", terminal_cols(terminal),
                  "count", (json_int_t)console->count, "more",
                  console->has_more));
    for (size_t i = 0; i < json_array_size(console->lines); i++) {
        json_t *line = json_array_get(console->lines, i);
        json_object_set_new(line, "guest", json_string(console->guest));
        json_object_set_new(line, "console", json_string(name));
        json_array_append(lines, line);
    }
}

static void
answer(struct search *search)
{
    json_t *lines = json_array();
    json_t *consoles = json_array();
    for (size_t i = 0; i < search->console_count; i++)
        add_console(search, &search->consoles[i], lines, consoles);
    json_t *value =
        json_pack("{s:o,s:o}", "lines", lines, "consoles", consoles);
    search_tell_skipped(search->pattern, value);
    request_return(search_take(search), value);
}

/* Looking ------------------------------------------------------------------ */

/* Rows of the screen down to the last one that holds something, or the
 * cursor. */
static int
content_rows(struct terminal *terminal)
{
    struct terminal_run run;
    int cursor = terminal_cursor(terminal).row;
    int rows = terminal_rows(terminal);
    while (rows > cursor + 1 &&
           terminal_read_row(terminal, rows - 1, &run, 1, NULL) == 0)
        rows--;
    return rows;
}

static void
aim(struct search *search, struct terminal *terminal)
{
    search->line.reader.terminal = terminal;
    search->line.around.terminal = terminal;
    search->line.top = terminal_screen_top(terminal);
    search->line.end = content_rows(terminal);
}

/* Begins a console, again when its rows are others now. */
static void
begin(struct search *search, struct search_console *console,
      struct terminal *terminal)
{
    const struct search_options *options = &search->options;
    uint64_t top = search->line.top;
    int row = 0;
    console->progress = PROGRESS_RUNNING;
    console->terminal = terminal;
    console->cols = terminal_cols(terminal);
    console->count = 0;
    console->has_more = false;
    json_array_clear(console->lines);
    json_decref(console->chunk);
    console->chunk = NULL;
    console->low = terminal_history_dropped(terminal);
    console->high = top + (uint64_t)search->line.end;
    if (options->flags & SEARCH_ONE_LINE) {
        bool is_found = line_find(terminal, options->line, &row);
        console->low = is_found ? top + (uint64_t)(int64_t)row : 0;
        console->high = is_found ? console->low + 1 : 0;
    } else if (options->flags & SEARCH_HAS_PLACE) {
        if (options->flags & SEARCH_BACKWARDS) {
            if (options->row < console->high)
                console->high = options->row + 1;
        } else if (options->row > console->low) {
            console->low = options->row;
        }
    }
    console->at = console->low;
    if (options->flags & SEARCH_BACKWARDS)
        console->at = console->high;
}

/* Looks at the line that a row is part of; returns the row behind it. */
static uint64_t
look_at_row(struct search *search, struct search_console *console,
            uint64_t number, json_t *lines)
{
    struct line line;
    line_read(&search->line.reader,
              (int)((int64_t)number - (int64_t)search->line.top), &line);
    json_t *value = search_line_look(&search->line, &line, &search->bytes);
    if (value) {
        console->count++;
        if (search->options.flags & SEARCH_COUNT)
            json_decref(value);
        else
            json_array_append_new(lines, value);
    }
    return search->line.top + (uint64_t)((int64_t)line.row + line.rows);
}

/* Ends a console when it has what was wanted. */
static bool
is_enough(const struct search *search, struct search_console *console,
          bool is_rest)
{
    if (json_array_size(console->lines) < search->options.max_lines &&
        search->bytes < SEARCH_MAX_BYTES)
        return false;
    console->has_more |= is_rest;
    return true;
}

static bool
is_late(uint64_t deadline_ns)
{
    return clock_monotonic_ns() >= deadline_ns;
}

static void
go_forwards(struct search *search, struct search_console *console,
            uint64_t oldest, uint64_t deadline_ns)
{
    for (unsigned lines = 1;; lines++) {
        if (console->at < oldest)
            console->at = oldest;
        if (console->at >= console->high || is_enough(search, console, true)) {
            console->progress = PROGRESS_DONE;
            return;
        }
        console->at = look_at_row(search, console, console->at, console->lines);
        if (lines % CLOCK_LINES == 0 && is_late(deadline_ns))
            return;
    }
}

/* Moves what a chunk of rows had to the lines, its last line first. */
static void
take_chunk(const struct search *search, struct search_console *console)
{
    size_t left = json_array_size(console->chunk);
    while (left && json_array_size(console->lines) < search->options.max_lines)
        json_array_append(console->lines,
                          json_array_get(console->chunk, --left));
    console->has_more |= left > 0;
    console->count -= left;
    json_decref(console->chunk);
    console->chunk = NULL;
}

/* Begins the chunk of rows above those that were looked at; false when there
 * are none. `high` is where it ends. */
static bool
begin_chunk(struct search *search, struct search_console *console,
            uint64_t oldest)
{
    if (console->low < oldest)
        console->low = oldest;
    if (console->high <= console->low || is_enough(search, console, true))
        return false;
    uint64_t start = console->low;
    if (console->high - start > CHUNK_ROWS)
        start = console->high - CHUNK_ROWS;
    struct line line;
    line_read(&search->line.reader,
              (int)((int64_t)start - (int64_t)search->line.top), &line);
    console->at = search->line.top + (uint64_t)(int64_t)line.row;
    if (console->at < console->low)
        console->at = console->low;
    console->chunk = json_array();
    console->chunk_start = console->at;
    return true;
}

static void
go_backwards(struct search *search, struct search_console *console,
             uint64_t oldest, uint64_t deadline_ns)
{
    for (unsigned lines = 1;; lines++) {
        if (!console->chunk && !begin_chunk(search, console, oldest)) {
            console->progress = PROGRESS_DONE;
            return;
        }
        if (console->at < oldest)
            console->at = oldest;
        if (console->at < console->high)
            console->at =
                look_at_row(search, console, console->at, console->chunk);
        if (console->at >= console->high) {
            console->high = console->chunk_start;
            take_chunk(search, console);
        }
        if (lines % CLOCK_LINES == 0 && is_late(deadline_ns))
            return;
    }
}

static void
look_at_console(struct search *search, struct search_console *console,
                uint64_t deadline_ns)
{
    struct guest *guest = NULL;
    struct console *found = find_console(search, console, &guest);
    if (!found) {
        console->progress = PROGRESS_DONE;
        return;
    }
    if (console_is_replaying(found)) {
        console->progress = PROGRESS_WAITING;
        return;
    }
    struct terminal *terminal = console_terminal(found);
    aim(search, terminal);
    if (console->progress == PROGRESS_WAITING ||
        console->terminal != terminal ||
        console->cols != terminal_cols(terminal))
        begin(search, console, terminal);
    uint64_t oldest = terminal_history_dropped(terminal);
    if (search->options.flags & SEARCH_BACKWARDS)
        go_backwards(search, console, oldest, deadline_ns);
    else
        go_forwards(search, console, oldest, deadline_ns);
}

/* Turns -------------------------------------------------------------------- */

/* The next console that is not done, those that wait after the others; false
 * when there is none. */
static bool
find_next(struct search *search)
{
    size_t count = search->console_count;
    for (size_t i = 0; i < count; i++) {
        size_t index = (search->current + i) % count;
        if (search->consoles[index].progress != PROGRESS_DONE) {
            search->current = index;
            return true;
        }
    }
    return false;
}

/* Looks until the deadline; whether there is more to do at once. */
static bool
run_slice(struct search *search, uint64_t deadline_ns)
{
    size_t waiting = 0;
    while (!is_late(deadline_ns) && find_next(search)) {
        struct search_console *console = &search->consoles[search->current];
        look_at_console(search, console, deadline_ns);
        if (pattern_has_overrun(search->pattern, NULL))
            return true;
        if (console->progress == PROGRESS_RUNNING)
            continue;
        search->current = (search->current + 1) % search->console_count;
        waiting = console->progress == PROGRESS_WAITING ? waiting + 1 : 0;
        if (waiting >= search->console_count)
            return false;
    }
    return true;
}

static void
on_step(void *data)
{
    struct search *search = data;
    struct error error = {0};
    uint64_t start_ns = clock_monotonic_ns();
    uint64_t slice_ns =
        SEARCH_SLICE_MS * NS_PER_MS / search->server->search_count;
    bool goes_on = run_slice(search, start_ns + slice_ns);
    search->took_ns += clock_monotonic_ns() - start_ns;
    if (pattern_has_overrun(search->pattern, &error)) {
        request_fail(search_take(search), &error);
    } else if (!find_next(search)) {
        answer(search);
    } else if (search->took_ns > SEARCH_MAX_MS * NS_PER_MS) {
        error_set(&error, ERROR_CODE_LIMIT,
                  "the search took more than %d s of work; use a simpler "
                  "pattern, or search fewer consoles",
                  SEARCH_MAX_MS / 1000);
        request_fail(search_take(search), &error);
    } else if (goes_on) {
        loop_defer_request(search->step);
    } else {
        loop_timer_start(search->pause, REPLAY_PAUSE_MS);
    }
}

/* Lines that a console may have, so that the answer is not too large. */
static size_t
share_of(const struct search *search)
{
    size_t share = search->options.max_lines;
    if (search->console_count > 1)
        share = SEARCH_ANSWER_LINES / search->console_count;
    if (share < SEARCH_SHARE_LINES)
        share = SEARCH_SHARE_LINES;
    return share < search->options.max_lines ? share
                                             : search->options.max_lines;
}

void
search_start(struct search *search, struct request *request)
{
    struct server *server = search->server;
    search->options.max_lines = share_of(search);
    search->request = request;
    search->step = loop_defer_new(&server->loop, on_step, search);
    search->pause = loop_timer_new(&server->loop, on_step, search);
    server->search_count++;
    request_on_cancel(request, on_cancel, search);
    loop_defer_request(search->step);
}
