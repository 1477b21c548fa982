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
}

void
frame_state_finish(struct frame_state *state)
{
    if (!state)
        return;
    free(state->stamps);
    state->stamps = NULL;
}

void
frame_state_resize(struct frame_state *state, int rows, int cols)
{
    bool is_scrolled = state->is_scrolled;
    bool is_pinned = state->is_pinned;
    uint64_t anchor = state->anchor;
    frame_state_finish(state);
    frame_state_init(state, rows, cols);
    state->is_scrolled = is_scrolled;
    state->is_pinned = is_pinned;
    state->anchor = anchor;
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

/* The terminal's first row on the screen, as an absolute one. */
static uint64_t
screen_row(const struct terminal *terminal)
{
    return terminal_history_dropped(terminal) + terminal_history_rows(terminal);
}

/* Keeps a scrolled view's anchor within what exists, now that the history may
 * have grown or been dropped. Returns whether the view is scrolled still. */
static bool
update_anchor(struct frame_state *state, const struct terminal *terminal)
{
    uint64_t dropped = terminal_history_dropped(terminal);
    uint64_t newest = screen_row(terminal);
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

/* The terminal's row that a live view shows on top. When it does not fit, the
 * view moves no further than it takes to show the cursor. */
static int
live_first_row(struct frame_state *state, const struct terminal *terminal)
{
    int hidden = terminal_rows(terminal) - state->rows;
    int cursor = terminal_cursor(terminal).row;
    int first = state->first_row;
    if (cursor >= first + state->rows)
        first = cursor - state->rows + 1;
    if (cursor < first)
        first = cursor;
    if (first > hidden)
        first = hidden;
    state->first_row = first > 0 ? first : 0;
    return state->first_row;
}

/* --- rows
 * --------------------------------------------------------------------- */

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

static json_t *
run_to_json(const struct terminal_run *run, int cols)
{
    size_t bytes = run->bytes;
    if (run->col + run->cols > cols)
        bytes = fit_text(run->text, run->bytes, cols - run->col);
    json_t *array = json_array();
    json_array_append_new(array, json_integer(run->col));
    json_array_append_new(array, json_stringn_nocheck(run->text, bytes));
    const struct style *style = &run->style;
    uint32_t values[] = {style->foreground, style->background,
                         style->attributes, style->underline_colour};
    size_t count = 4;
    while (count && !values[count - 1])
        count--;
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_integer(values[i]));
    return array;
}

static json_t *
row_to_json(const struct frame_state *state, struct terminal *terminal,
            int index, int row, struct terminal_run *runs)
{
    json_t *array = json_array();
    json_array_append_new(array, json_integer(index));
    size_t count = terminal_read_row(terminal, row, runs,
                                     (size_t)terminal_cols(terminal), NULL);
    for (size_t i = 0; i < count && runs[i].col < state->cols; i++)
        json_array_append_new(array, run_to_json(&runs[i], state->cols));
    return array;
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

/* Adds "shift" and "rows"; returns whether there was anything to add. */
static bool
add_rows(struct frame_state *state, struct terminal *terminal, int first_row,
         json_t *data)
{
    int available = terminal_rows(terminal) - first_row;
    size_t bytes = (size_t)state->rows * sizeof(struct terminal_row_stamp);
    struct terminal_row_stamp *stamps = xmalloc(bytes);
    memset(stamps, 0, bytes);
    for (int i = 0; i < state->rows && i < available; i++)
        stamps[i] = terminal_row_stamp(terminal, first_row + i);
    int shift = find_shift(state, stamps);
    if (shift) {
        shift_stamps(state, shift);
        json_object_set_new(data, "shift", json_integer(shift));
    }
    struct terminal_run *runs =
        xcalloc((size_t)terminal_cols(terminal), sizeof(*runs));
    json_t *rows = json_array();
    for (int i = 0; i < state->rows; i++) {
        if (state->has_sent && stamps[i].id == state->stamps[i].id &&
            stamps[i].version == state->stamps[i].version)
            continue;
        if (i < available) {
            json_array_append_new(
                rows, row_to_json(state, terminal, i, first_row + i, runs));
        } else {
            json_t *blank = json_array();
            json_array_append_new(blank, json_integer(i));
            json_array_append_new(rows, blank);
        }
    }
    free(runs);
    free(state->stamps);
    state->stamps = stamps;
    bool has_rows = json_array_size(rows) > 0;
    if (has_rows)
        json_object_set_new(data, "rows", rows);
    else
        json_decref(rows);
    return has_rows || shift;
}

/* --- the rest
 * ----------------------------------------------------------------- */

static const struct {
    unsigned mode;
    const char *name;
} mode_names[] = {
    {TERMINAL_MODE_ALTERNATE_SCREEN, "alternate-screen"},
    {TERMINAL_MODE_APPLICATION_CURSOR, "application-cursor"},
    {TERMINAL_MODE_APPLICATION_KEYPAD, "application-keypad"},
    {TERMINAL_MODE_AUTOWRAP, "autowrap"},
    {TERMINAL_MODE_BRACKETED_PASTE, "bracketed-paste"},
    {TERMINAL_MODE_FOCUS, "focus"},
    {TERMINAL_MODE_MOUSE_CLICK, "mouse-click"},
    {TERMINAL_MODE_MOUSE_DRAG, "mouse-drag"},
    {TERMINAL_MODE_MOUSE_MOVE, "mouse-move"},
    {TERMINAL_MODE_MOUSE_SGR, "mouse-sgr"},
    {TERMINAL_MODE_NEWLINE, "newline"},
    {TERMINAL_MODE_REVERSE_SCREEN, "reverse-screen"},
};

static json_t *
modes_to_json(unsigned modes)
{
    json_t *array = json_array();
    for (size_t i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++) {
        if (modes & mode_names[i].mode)
            json_array_append_new(array, json_string(mode_names[i].name));
    }
    return array;
}

static bool
add_size(struct frame_state *state, const struct terminal *terminal,
         json_t *data)
{
    int rows = terminal_rows(terminal);
    int cols = terminal_cols(terminal);
    if (state->has_sent && rows == state->console_rows &&
        cols == state->console_cols)
        return false;
    state->console_rows = rows;
    state->console_cols = cols;
    json_object_set_new(data, "size", json_pack("[i,i]", rows, cols));
    return true;
}

static bool
add_modes(struct frame_state *state, const struct terminal *terminal,
          json_t *data)
{
    unsigned modes =
        terminal_modes(terminal) & ~(unsigned)TERMINAL_MODE_SYNCHRONIZED;
    if (state->has_sent && modes == state->modes)
        return false;
    state->modes = modes;
    json_object_set_new(data, "modes", modes_to_json(modes));
    return true;
}

/* Where the rows stand among all. The history's size alone is worth no frame
 * while the view shows live rows that did not change: it goes with the next
 * one. */
static bool
add_history(struct frame_state *state, const struct terminal *terminal,
            int first_row, json_t *data)
{
    int64_t history = (int64_t)terminal_history_rows(terminal);
    int64_t dropped = (int64_t)terminal_history_dropped(terminal);
    int64_t top = (int64_t)screen_row(terminal) + first_row;
    int64_t scroll = first_row < 0 ? -first_row : 0;
    bool has_changed = false;
    if (!state->has_sent || history != state->history ||
        dropped != state->dropped || top != state->top) {
        state->history = history;
        state->dropped = dropped;
        state->top = top;
        json_object_set_new(data, "history", json_integer(history));
        json_object_set_new(data, "dropped", json_integer(dropped));
        json_object_set_new(data, "top", json_integer(top));
        has_changed = state->is_scrolled;
    }
    if (!state->has_sent || scroll != state->scroll) {
        state->scroll = scroll;
        json_object_set_new(data, "scroll", json_integer(scroll));
        has_changed = true;
    }
    return has_changed;
}

static bool
add_cursor(struct frame_state *state, const struct terminal *terminal,
           int first_row, json_t *data)
{
    struct terminal_cursor cursor = terminal_cursor(terminal);
    cursor.row -= first_row;
    if (cursor.row < 0 || cursor.row >= state->rows ||
        cursor.col >= state->cols)
        cursor.row = -1;
    json_object_set_new(data, "cursor",
                        json_pack("[i,i,b,i]", cursor.row, cursor.col,
                                  cursor.is_visible, cursor.shape));
    bool has_changed = !state->has_sent || cursor.row != state->cursor.row ||
                       cursor.col != state->cursor.col ||
                       cursor.is_visible != state->cursor.is_visible ||
                       cursor.shape != state->cursor.shape;
    state->cursor = cursor;
    return has_changed;
}

json_t *
frame_build(struct frame_state *state, struct terminal *terminal)
{
    json_t *data = json_object();
    int64_t history = state->history;
    int64_t dropped = state->dropped;
    int64_t top = state->top;
    int first_row = 0;
    if (update_anchor(state, terminal))
        first_row =
            (int)((int64_t)state->anchor - (int64_t)screen_row(terminal));
    else
        first_row = live_first_row(state, terminal);
    if (first_row >= 0)
        state->first_row = first_row;
    bool has_changed = add_size(state, terminal, data);
    has_changed |= add_rows(state, terminal, first_row, data);
    has_changed |= add_modes(state, terminal, data);
    has_changed |= add_history(state, terminal, first_row, data);
    has_changed |= add_cursor(state, terminal, first_row, data);
    state->has_sent = true;
    if (has_changed)
        return data;
    json_decref(data);
    /* these go with the next one */
    state->history = history;
    state->dropped = dropped;
    state->top = top;
    return NULL;
}
