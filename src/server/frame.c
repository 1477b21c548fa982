#include "server/frame.h"

#include "base/utf8.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

void
frame_state_init(struct frame_state *state, int rows, int cols)
{
    *state = (struct frame_state){.rows = rows, .cols = cols};
    state->stamps = xcalloc((size_t)rows, sizeof(*state->stamps));
    state->fresh = xcalloc((size_t)rows, sizeof(*state->fresh));
    state->wraps = xcalloc((size_t)rows, sizeof(*state->wraps));
}

void
frame_state_finish(struct frame_state *state)
{
    if (!state)
        return;
    free(state->stamps);
    free(state->title);
    free(state->fresh);
    free(state->wraps);
    free(state->runs);
    rewrap_finish(&state->rewrap);
    state->stamps = NULL;
    state->fresh = NULL;
    state->wraps = NULL;
    state->runs = NULL;
    state->title = NULL;
}

void
frame_state_resize(struct frame_state *state, int rows, int cols)
{
    bool is_scrolled = state->is_scrolled;
    bool is_pinned = state->is_pinned;
    uint64_t anchor = state->anchor;
    struct rewrap rewrap = state->rewrap;
    state->rewrap = (struct rewrap){0};
    frame_state_finish(state);
    frame_state_init(state, rows, cols);
    state->rewrap = rewrap;
    state->is_scrolled = is_scrolled;
    state->is_pinned = is_pinned;
    state->anchor = anchor;
}

/* Which part of the console ------------------------------------------------ */

static int
clamp(int value, int max)
{
    return value < 0 || max < 0 ? 0 : value > max ? max : value;
}

static int
hidden_rows(const struct frame_state *state, const struct terminal *terminal)
{
    return terminal_rows(terminal) - state->rows;
}

static int
hidden_cols(const struct frame_state *state, const struct terminal *terminal)
{
    return terminal_cols(terminal) - state->cols;
}

/* The first row of a live view that follows the cursor: it moves no further
 * than it takes to show it. */
static int
follow_row(const struct frame_state *state, const struct terminal *terminal)
{
    int cursor = terminal_cursor(terminal).row;
    int first = state->first_row;
    if (cursor >= first + state->rows)
        first = cursor - state->rows + 1;
    if (cursor < first)
        first = cursor;
    return clamp(first, hidden_rows(state, terminal));
}

/* The first column: lines begin at the left, so that is where the view is
 * whenever the cursor can be seen there. */
static int
follow_col(const struct frame_state *state, const struct terminal *terminal)
{
    int cursor = terminal_cursor(terminal).col;
    int first = state->first_col;
    if (cursor < state->cols)
        first = 0;
    else if (cursor < first || cursor >= first + state->cols)
        first = cursor - state->cols / 2;
    return clamp(first, hidden_cols(state, terminal));
}

static void
set_origin(struct frame_state *state, int row, int col)
{
    state->first_row = row;
    if (col == state->first_col)
        return;
    /* every row looks other from there */
    state->first_col = col;
    state->is_all_due = true;
    memset(state->stamps, 0, (size_t)state->rows * sizeof(*state->stamps));
}

void
frame_state_scroll(struct frame_state *state, const struct terminal *terminal,
                   int64_t rows)
{
    uint64_t history = terminal_history_rows(terminal);
    if (rows < 0)
        rows = 0;
    if ((uint64_t)rows > history)
        rows = (int64_t)history;
    state->is_scrolled = rows > 0;
    state->is_pinned = false;
    state->anchor =
        terminal_history_dropped(terminal) + history - (uint64_t)rows;
}

void
frame_state_pin(struct frame_state *state, uint64_t row)
{
    state->is_scrolled = true;
    state->is_pinned = true;
    state->anchor = row;
}

/* Keeps a scrolled view's anchor within what exists, now that the history may
 * have grown or been dropped. Returns whether the view is scrolled still. */
static bool
update_anchor(struct frame_state *state, const struct terminal *terminal)
{
    uint64_t dropped = terminal_history_dropped(terminal);
    uint64_t newest = terminal_screen_top(terminal);
    if (!state->is_scrolled)
        return false;
    if (state->anchor < dropped)
        state->anchor = dropped;
    if (state->anchor < newest)
        return true;
    if (!state->is_pinned) {
        state->is_scrolled = false;
        return false;
    }
    /* a console with more rows than the view can be pinned within its screen */
    int below = terminal_rows(terminal) - state->rows;
    uint64_t last = newest + (uint64_t)(below > 0 ? below : 0);
    if (state->anchor > last)
        state->anchor = last;
    return true;
}

/* A view that is scrolled back stays with its rows when lines are wrapped anew.
 * Writes "moved": where they begin now. */
static void
write_moved(struct frame_state *state, struct terminal *terminal,
            struct json_writer *out)
{
    const struct rewrap *rewrap = &state->rewrap;
    if (!state->is_scrolled || state->anchor != rewrap->top ||
        !rewrap_is_due(rewrap, terminal))
        return;
    struct rewrap_row *rows =
        xcalloc((size_t)rewrap->count, sizeof(struct rewrap_row));
    if (rewrap_find(rewrap, terminal, rows)) {
        state->anchor = rows[0].row;
        json_writer_open_array(out, "moved");
        for (int i = 0; i < rewrap->count; i++) {
            json_writer_open_array(out, NULL);
            json_writer_integer(out, NULL, (int64_t)rows[i].row);
            json_writer_integer(out, NULL, rows[i].col);
            json_writer_close_array(out);
        }
        json_writer_close_array(out);
    }
    free(rows);
}

/* The rows that the client has from now on. */
static void
note_rows(struct frame_state *state, struct terminal *terminal, int first_row)
{
    if (state->is_scrolled)
        rewrap_note(&state->rewrap, terminal, first_row, state->rows);
    else
        state->rewrap.count = 0;
}

/* Settles which row and column of the console the view begins with; returns the
 * row, which is negative in the history. */
static int
settle_origin(struct frame_state *state, const struct terminal *terminal)
{
    set_origin(state, clamp(state->first_row, hidden_rows(state, terminal)),
               clamp(state->first_col, hidden_cols(state, terminal)));
    if (update_anchor(state, terminal)) {
        int row = (int)((int64_t)state->anchor -
                        (int64_t)terminal_screen_top(terminal));
        /* who selects there counts columns from the lines' beginnings */
        set_origin(state, row >= 0 ? row : state->first_row, 0);
        return row;
    }
    if (!state->is_panned)
        set_origin(state, follow_row(state, terminal),
                   follow_col(state, terminal));
    return state->first_row;
}

void
frame_state_pan(struct frame_state *state, const struct terminal *terminal,
                int row, int col)
{
    row = row < 0 ? state->first_row : row;
    col = col < 0 ? state->first_col : col;
    row = clamp(row, hidden_rows(state, terminal));
    col = clamp(col, hidden_cols(state, terminal));
    set_origin(state, row, col);
    state->is_panned = follow_row(state, terminal) != row ||
                       follow_col(state, terminal) != col;
}

bool
frame_state_follow(struct frame_state *state)
{
    bool was_panned = state->is_panned;
    state->is_panned = false;
    return was_panned;
}

/* Rows --------------------------------------------------------------------- */

/* Bytes of text that fit into cols columns. */
static size_t
fit_text(const char *text, size_t bytes, int cols)
{
    size_t at = 0;
    int used = 0;
    while (at < bytes) {
        uint32_t codepoint = 0;
        size_t len = utf8_decode(text + at, bytes - at, &codepoint);
        int width = utf8_width(codepoint);
        if (!len || used + (width > 0 ? width : 0) > cols)
            break;
        used += width > 0 ? width : 0;
        at += len;
    }
    return at;
}

/* Bytes of text that cover its first cols columns, with the marks that combine
 * with what is there. *ret_cols: the columns that they cover, one more where a
 * wide character is cut. */
static size_t
skip_text(const char *text, size_t bytes, int cols, int *ret_cols)
{
    size_t at = 0;
    int used = 0;
    while (at < bytes) {
        uint32_t codepoint = 0;
        size_t len = utf8_decode(text + at, bytes - at, &codepoint);
        int width = utf8_width(codepoint);
        if (!len || (used >= cols && width > 0))
            break;
        used += width > 0 ? width : 0;
        at += len;
    }
    *ret_cols = used;
    return at;
}

/* Writes the part of a run that the view's columns show, if there is any.
 * first: the column that the view begins with. */
static void
write_run(struct json_writer *out, const struct terminal_run *run, int first,
          int cols)
{
    const char *text = run->text;
    size_t bytes = run->bytes;
    int col = run->col - first;
    if (col < 0) {
        int skipped = 0;
        size_t len = skip_text(text, bytes, -col, &skipped);
        text += len;
        bytes -= len;
        col += skipped;
    }
    if (!bytes || col >= cols)
        return;
    if (run->col + run->cols - first > cols)
        bytes = fit_text(text, bytes, cols - col);
    json_writer_open_array(out, NULL);
    json_writer_integer(out, NULL, col);
    json_writer_string(out, NULL, text, bytes);
    const struct style *style = &run->style;
    uint32_t values[] = {style->foreground, style->background,
                         style->attributes, style->underline_colour};
    size_t count = 4;
    while (count && !values[count - 1])
        count--;
    for (size_t i = 0; i < count; i++)
        json_writer_integer(out, NULL, values[i]);
    json_writer_close_array(out);
}

/* row: the terminal's, shown at index of the view; NULL runs: a blank row.
 * Returns whether it goes on in the next row. */
static bool
write_row(const struct frame_state *state, struct terminal *terminal, int index,
          int row, struct json_writer *out)
{
    json_writer_open_array(out, NULL);
    json_writer_integer(out, NULL, index);
    unsigned flags = 0;
    size_t count =
        row < terminal_rows(terminal)
            ? terminal_read_row(terminal, row, state->runs,
                                (size_t)terminal_cols(terminal), &flags)
            : 0;
    int end = state->first_col + state->cols;
    for (size_t i = 0; i < count && state->runs[i].col < end; i++)
        write_run(out, &state->runs[i], state->first_col, state->cols);
    json_writer_close_array(out);
    return flags & TERMINAL_ROW_WRAPPED;
}

/* By how many rows what the client has moved up: where the row that is now on
 * top stood before. */
static int
find_shift(const struct frame_state *state,
           const struct terminal_row_stamp *stamps)
{
    if (!stamps[0].id || stamps[0].id == state->stamps[0].id)
        return 0;
    for (int shift = 1; shift < state->rows; shift++) {
        if (state->stamps[shift].id == stamps[0].id)
            return shift;
    }
    return 0;
}

static void
shift_stamps(struct frame_state *state, int shift)
{
    size_t kept = (size_t)(state->rows - shift);
    memmove(state->stamps, state->stamps + shift,
            kept * sizeof(*state->stamps));
    memset(state->stamps + kept, 0, (size_t)shift * sizeof(*state->stamps));
}

/* The stamps that the view's rows have now, and the memory for its runs. */
static void
read_stamps(struct frame_state *state, const struct terminal *terminal,
            int first_row)
{
    int available = terminal_rows(terminal) - first_row;
    for (int i = 0; i < state->rows; i++)
        state->fresh[i] = i < available
                              ? terminal_row_stamp(terminal, first_row + i)
                              : (struct terminal_row_stamp){0};
    if (state->run_capacity < terminal_cols(terminal)) {
        state->run_capacity = terminal_cols(terminal);
        state->runs = xreallocarray(state->runs, (size_t)state->run_capacity,
                                    sizeof(*state->runs));
    }
}

/* Writes "wrapped": those of the rows told that go on in the next one. */
static void
write_wrapped(const struct frame_state *state, struct json_writer *out)
{
    bool has_any = false;
    for (int i = 0; i < state->rows; i++) {
        if (!state->wraps[i])
            continue;
        if (!has_any)
            json_writer_open_array(out, "wrapped");
        has_any = true;
        json_writer_integer(out, NULL, i);
    }
    if (has_any)
        json_writer_close_array(out);
}

/* Writes "shift", "rows" and "wrapped"; returns whether there was anything to
 * write. */
static bool
write_rows(struct frame_state *state, struct terminal *terminal, int first_row,
           struct json_writer *out)
{
    read_stamps(state, terminal, first_row);
    int shift = find_shift(state, state->fresh);
    if (shift) {
        shift_stamps(state, shift);
        json_writer_integer(out, "shift", shift);
    }
    bool has_rows = false;
    for (int i = 0; i < state->rows; i++) {
        state->wraps[i] = false;
        if (state->has_sent && !state->is_all_due &&
            state->fresh[i].id == state->stamps[i].id &&
            state->fresh[i].version == state->stamps[i].version)
            continue;
        if (!has_rows)
            json_writer_open_array(out, "rows");
        has_rows = true;
        state->wraps[i] = write_row(state, terminal, i, first_row + i, out);
    }
    if (has_rows)
        json_writer_close_array(out);
    write_wrapped(state, out);
    struct terminal_row_stamp *sent = state->stamps;
    state->stamps = state->fresh;
    state->fresh = sent;
    state->is_all_due = false;
    return has_rows || shift;
}

/* The rest ----------------------------------------------------------------- */

static const struct {
    unsigned mode;
    const char *name;
} mode_names[] = {
    {TERMINAL_MODE_ALTERNATE_SCREEN, "alternate-screen"},
    {TERMINAL_MODE_ALTERNATE_SCROLL, "alternate-scroll"},
    {TERMINAL_MODE_APPLICATION_CURSOR, "application-cursor"},
    {TERMINAL_MODE_APPLICATION_KEYPAD, "application-keypad"},
    {TERMINAL_MODE_AUTOWRAP, "autowrap"},
    {TERMINAL_MODE_BRACKETED_PASTE, "bracketed-paste"},
    {TERMINAL_MODE_FOCUS, "focus"},
    {TERMINAL_MODE_MOUSE_CLICK, "mouse-click"},
    {TERMINAL_MODE_MOUSE_DRAG, "mouse-drag"},
    {TERMINAL_MODE_MOUSE_MOVE, "mouse-move"},
    {TERMINAL_MODE_MOUSE_PRESS, "mouse-press"},
    {TERMINAL_MODE_MOUSE_SGR, "mouse-sgr"},
    {TERMINAL_MODE_NEWLINE, "newline"},
    {TERMINAL_MODE_REVERSE_SCREEN, "reverse-screen"},
};

/* All of them. */
#define FRAME_MODES                                                            \
    (~((unsigned)TERMINAL_MODE_SYNCHRONIZED | TERMINAL_MODE_MOUSE_UTF8 |       \
       TERMINAL_MODE_MOUSE_URXVT))

static bool
write_size(struct frame_state *state, const struct terminal *terminal,
           struct json_writer *out)
{
    int rows = terminal_rows(terminal);
    int cols = terminal_cols(terminal);
    if (state->has_sent && rows == state->console_rows &&
        cols == state->console_cols)
        return false;
    state->console_rows = rows;
    state->console_cols = cols;
    json_writer_open_array(out, "size");
    json_writer_integer(out, NULL, rows);
    json_writer_integer(out, NULL, cols);
    json_writer_close_array(out);
    return true;
}

static bool
write_origin(struct frame_state *state, struct json_writer *out)
{
    if (state->has_sent && state->first_row == state->origin_row &&
        state->first_col == state->origin_col)
        return false;
    state->origin_row = state->first_row;
    state->origin_col = state->first_col;
    json_writer_open_array(out, "origin");
    json_writer_integer(out, NULL, state->first_row);
    json_writer_integer(out, NULL, state->first_col);
    json_writer_close_array(out);
    return true;
}

static bool
write_modes(struct frame_state *state, const struct terminal *terminal,
            struct json_writer *out)
{
    /* neither synchronized output nor a mouse's form is for the client */
    unsigned modes = terminal_modes(terminal) & FRAME_MODES;
    if (state->has_sent && modes == state->modes)
        return false;
    state->modes = modes;
    json_writer_open_array(out, "modes");
    for (size_t i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++) {
        const char *name = mode_names[i].name;
        if (modes & mode_names[i].mode)
            json_writer_string(out, NULL, name, strlen(name));
    }
    json_writer_close_array(out);
    return true;
}

/* Where the rows stand among all. The history's size alone is worth no frame
 * while the view shows live rows that did not change: it goes with the next
 * one. */
static bool
write_history(struct frame_state *state, const struct terminal *terminal,
              int first_row, struct json_writer *out)
{
    int64_t history = (int64_t)terminal_history_rows(terminal);
    int64_t dropped = (int64_t)terminal_history_dropped(terminal);
    int64_t top = (int64_t)terminal_screen_top(terminal) + first_row;
    int64_t scroll = first_row < 0 ? -first_row : 0;
    bool has_changed = false;
    if (!state->has_sent || history != state->history ||
        dropped != state->dropped || top != state->top) {
        state->history = history;
        state->dropped = dropped;
        state->top = top;
        json_writer_integer(out, "history", history);
        json_writer_integer(out, "dropped", dropped);
        json_writer_integer(out, "top", top);
        has_changed = state->is_scrolled;
    }
    if (!state->has_sent || scroll != state->scroll) {
        state->scroll = scroll;
        json_writer_integer(out, "scroll", scroll);
        has_changed = true;
    }
    return has_changed;
}

static bool
write_cursor(struct frame_state *state, const struct terminal *terminal,
             int first_row, struct json_writer *out)
{
    struct terminal_cursor cursor = terminal_cursor(terminal);
    cursor.row -= first_row;
    cursor.col -= state->first_col;
    if (cursor.row < 0 || cursor.row >= state->rows || cursor.col < 0 ||
        cursor.col >= state->cols)
        cursor.row = -1;
    if (cursor.col < 0)
        cursor.col = 0;
    json_writer_open_array(out, "cursor");
    json_writer_integer(out, NULL, cursor.row);
    json_writer_integer(out, NULL, cursor.col);
    json_writer_boolean(out, NULL, cursor.is_visible);
    json_writer_integer(out, NULL, cursor.shape);
    json_writer_close_array(out);
    bool has_changed = !state->has_sent || cursor.row != state->cursor.row ||
                       cursor.col != state->cursor.col ||
                       cursor.is_visible != state->cursor.is_visible ||
                       cursor.shape != state->cursor.shape;
    state->cursor = cursor;
    return has_changed;
}

static bool
write_title(struct frame_state *state, const struct terminal *terminal,
            struct json_writer *out)
{
    const char *title = terminal_title(terminal);
    const char *told = state->title ? state->title : "";
    if (state->has_sent && strcmp(title, told) == 0)
        return false;
    free(state->title);
    state->title = xstrdup(title);
    json_writer_string(out, "title", title, strlen(title));
    return true;
}

bool
frame_write(struct frame_state *state, struct terminal *terminal,
            struct json_writer *out)
{
    int64_t history = state->history;
    int64_t dropped = state->dropped;
    int64_t top = state->top;
    write_moved(state, terminal, out);
    int first_row = settle_origin(state, terminal);
    bool has_changed = write_size(state, terminal, out);
    has_changed |= write_origin(state, out);
    has_changed |= write_rows(state, terminal, first_row, out);
    has_changed |= write_modes(state, terminal, out);
    has_changed |= write_history(state, terminal, first_row, out);
    has_changed |= write_cursor(state, terminal, first_row, out);
    has_changed |= write_title(state, terminal, out);
    state->has_sent = true;
    note_rows(state, terminal, first_row);
    if (has_changed)
        return true;
    /* these go with the next one */
    state->history = history;
    state->dropped = dropped;
    state->top = top;
    return false;
}
