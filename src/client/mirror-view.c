#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "client/mirror.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The largest view a client can have; the server's own limits lie below. */
#define MAX_ROWS 4096
#define MAX_COLS 4096
/* Numbers of rows beyond this are nonsense, and sums of them could overflow. */
#define MAX_ABSOLUTE_ROW (INT64_MAX / 8)
/* The longest title kept, columns. */
#define MAX_TITLE_COLS 256
/* Combining characters kept on one cell. */
#define MAX_COMBINING 8
/* Bits of attributes that mean something: enum mirror_attribute and the
 * underline style in bits 12 to 14. */
#define KNOWN_ATTRIBUTES 0x71FFu
/* DECSCUSR's shapes are 0 to 6. */
#define MAX_CURSOR_SHAPE 6

static int
clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static void
free_rows(struct mirror_row *rows, int count)
{
    for (int i = 0; rows && i < count; i++)
        free(rows[i].runs);
    free(rows);
}

void
mirror_view_init(struct mirror_view *view, int rows, int cols)
{
    *view = (struct mirror_view){.cursor_row = -1};
    mirror_view_resize(view, rows, cols);
}

void
mirror_view_finish(struct mirror_view *view)
{
    if (!view)
        return;
    free_rows(view->lines, view->rows);
    free_rows(view->spare, view->rows);
    free(view->title);
    *view = (struct mirror_view){.cursor_row = -1};
}

static void
mark_all_dirty(struct mirror_view *view)
{
    for (int i = 0; i < view->rows; i++)
        view->lines[i].is_dirty = true;
}

/* A copy of rows with another count, what does not fit freed. */
static struct mirror_row *
resize_rows(struct mirror_row *old, int old_count, int count)
{
    struct mirror_row *rows = xcalloc((size_t)count, sizeof(*rows));
    for (int i = 0; i < old_count; i++) {
        if (i < count)
            rows[i] = old[i];
        else
            free(old[i].runs);
    }
    free(old);
    return rows;
}

void
mirror_view_resize(struct mirror_view *view, int rows, int cols)
{
    rows = clamp(rows, 1, MAX_ROWS);
    cols = clamp(cols, 1, MAX_COLS);
    view->lines = resize_rows(view->lines, view->rows, rows);
    view->spare = resize_rows(view->spare, view->rows, rows);
    view->rows = rows;
    view->cols = cols;
    for (int i = 0; i < rows; i++) {
        struct mirror_row *row = &view->lines[i];
        while (row->run_count && row->runs[row->run_count - 1].col >= cols)
            row->run_count--;
        /* a run across the new edge is the drawer's to clip, until the server
         * sends the row anew */
        if (row->run_count) {
            struct mirror_run *last = &row->runs[row->run_count - 1];
            if (last->col + last->cols > cols)
                last->cols = cols - last->col;
        }
    }
    if (view->cursor_row >= rows)
        view->cursor_row = -1;
    view->cursor_col = clamp(view->cursor_col, 0, cols - 1);
    mark_all_dirty(view);
}

/* Reading one run ---------------------------------------------------------- */

static bool
malformed(struct error *error, const char *what)
{
    return error_set(error, ERROR_CODE_PROTOCOL, "SCREEN event: %s", what);
}

/* Integer at index of an array; absent: 0. */
static bool
read_number(const json_t *array, size_t index, int64_t max, uint32_t *ret_value)
{
    const json_t *value = json_array_get(array, index);
    *ret_value = 0;
    if (!value)
        return true;
    int64_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || number > max)
        return false;
    *ret_value = (uint32_t)number;
    return true;
}

/* A colour that this version knows; others are the default. */
static uint32_t
known_colour(uint32_t colour)
{
    uint32_t kind = colour & MIRROR_COLOUR_KIND_MASK;
    uint32_t value = colour & MIRROR_COLOUR_VALUE_MASK;
    if (kind == MIRROR_COLOUR_RGB ||
        (kind == MIRROR_COLOUR_INDEXED && value <= 255))
        return colour;
    return MIRROR_COLOUR_DEFAULT;
}

static bool
is_plain_ascii(const char *text, size_t len)
{
    unsigned bad = 0;
    for (size_t i = 0; i < len; i++)
        bad |= (unsigned char)(text[i] - 0x20) > 0x5E;
    return !bad;
}

/* Copies what is fit to show and fits into max_cols; returns the columns and
 * moves *at behind the text and its terminator. */
static int
copy_characters(const char *text, size_t len, int max_cols, char **at)
{
    int cols = 0;
    int combining = MAX_COMBINING; /* none without a character to sit on */
    char *out = *at;
    for (size_t i = 0; i < len;) {
        uint32_t codepoint = UTF8_REPLACEMENT;
        size_t bytes = utf8_decode(text + i, len - i, &codepoint);
        i += bytes ? bytes : len - i;
        int width = utf8_width(codepoint);
        if (width == 0 &&
            (combining == MAX_COMBINING || !utf8_is_combining(codepoint)))
            continue;
        if (width < 0) {
            /* one byte in can be three bytes out: '?' is never longer */
            codepoint = '?';
            width = 1;
        }
        if (cols + width > max_cols)
            break;
        combining = width ? 0 : combining + 1;
        cols += width;
        out += utf8_encode(codepoint, out);
    }
    *out++ = '\0';
    *at = out;
    return cols;
}

static int
copy_text(const char *text, size_t len, int max_cols, char **at)
{
    if (!is_plain_ascii(text, len))
        return copy_characters(text, len, max_cols, at);
    if (len > (size_t)max_cols)
        len = (size_t)max_cols;
    memcpy(*at, text, len);
    (*at)[len] = '\0';
    *at += len + 1;
    return (int)len;
}

/* Reads one run into *run, its text to *at. A run outside the view, or without
 * visible text, has no columns. */
static bool
read_run(const json_t *item, int min_col, int view_cols, struct mirror_run *run,
         char **at, struct error *error)
{
    uint32_t col = 0;
    const json_t *text = json_array_get(item, 1);
    if (!json_is_string(text) || !read_number(item, 0, INT32_MAX, &col))
        return malformed(error, "a run is not [column, text, …]");
    if ((int)col < min_col)
        return malformed(error, "the runs of a row are not in order");
    bool ok = read_number(item, 2, UINT32_MAX, &run->foreground) &&
              read_number(item, 3, UINT32_MAX, &run->background) &&
              read_number(item, 4, UINT32_MAX, &run->attributes) &&
              read_number(item, 5, UINT32_MAX, &run->underline_colour);
    if (!ok)
        return malformed(error, "a run's style is no number");
    run->foreground = known_colour(run->foreground);
    run->background = known_colour(run->background);
    run->underline_colour = known_colour(run->underline_colour);
    run->attributes &= KNOWN_ATTRIBUTES;
    run->col = (int)col;
    run->cols = 0;
    if (run->col >= view_cols)
        return true;
    run->text = *at;
    run->cols = copy_text(json_string_value(text), json_string_length(text),
                          view_cols - run->col, at);
    return true;
}

/* Memory that the runs of a row need at most. */
static size_t
row_bytes(const json_t *items)
{
    size_t bytes = 0;
    for (size_t i = 1; i < json_array_size(items); i++) {
        const json_t *text = json_array_get(json_array_get(items, i), 1);
        bytes += sizeof(struct mirror_run) + json_string_length(text) + 1;
    }
    return bytes;
}

/* Reads [index, run …] into the spare row of that index. */
static bool
read_row(struct mirror_view *view, const json_t *items, struct error *error)
{
    const json_t *index = json_array_get(items, 0);
    if (!json_is_integer(index) || json_integer_value(index) < 0)
        return malformed(error, "a row is not [index, run …]");
    if (json_integer_value(index) >= view->rows)
        return true;
    struct mirror_row *row = &view->spare[json_integer_value(index)];
    size_t count = json_array_size(items) - 1;
    size_t bytes = row_bytes(items);
    if (bytes > row->capacity_bytes) {
        free(row->runs);
        row->runs = xmalloc(bytes);
        row->capacity_bytes = bytes;
    }
    row->run_count = 0;
    row->is_dirty = true;
    row->is_wrapped = false;
    if (!count)
        return true;
    char *at = (char *)(row->runs + count);
    int min_col = 0;
    for (size_t i = 1; i <= count; i++) {
        struct mirror_run *run = &row->runs[row->run_count];
        if (!read_run(json_array_get(items, i), min_col, view->cols, run, &at,
                      error))
            return false;
        min_col = run->col < INT32_MAX ? run->col + 1 : run->col;
        if (run->cols)
            row->run_count++;
    }
    return true;
}

/* The other members ------------------------------------------------------- */

/* What an event says besides its rows, checked, before any of it counts. */
struct update {
    int64_t frame;
    int64_t console_rows; /* 0: as before */
    int64_t console_cols;
    int64_t shift;
    int64_t history;
    int64_t dropped;
    int64_t top;
    int64_t scroll;
    const char *title;    /* borrowed; NULL: as before */
    const json_t *cursor; /* borrowed; NULL: as before */
    const json_t *modes;  /* borrowed; NULL: as before */
    const json_t *origin; /* borrowed; NULL: as before */
    const json_t *rows;   /* borrowed; NULL: none changed */
    const json_t *wraps;  /* borrowed; NULL: none of those */
};

static bool
is_integer_at(const json_t *array, size_t index)
{
    return json_is_integer(json_array_get(array, index));
}

/* Whether a row or column of a console stands there. */
static bool
is_place_at(const json_t *array, size_t index)
{
    const json_t *value = json_array_get(array, index);
    return json_is_integer(value) && json_integer_value(value) >= 0 &&
           json_integer_value(value) <= UINT16_MAX;
}

static bool
read_members(const struct mirror_view *view, const json_t *data,
             struct update *update, struct error *error)
{
    json_t *cursor = NULL;
    json_t *modes = NULL;
    json_t *rows = NULL;
    json_t *wraps = NULL;
    json_t *size = NULL;
    json_t *origin = NULL;
    *update = (struct update){
        .history = view->history,
        .dropped = view->dropped,
        .top = view->top,
        .scroll = view->scroll,
    };
    bool ok =
        json_get_integer(data, "frame", JSON_REQUIRED, 0, INT64_MAX,
                         &update->frame, error) &&
        json_get_integer(data, "shift", JSON_OPTIONAL, 0, INT32_MAX,
                         &update->shift, error) &&
        json_get_integer(data, "history", JSON_OPTIONAL, 0, MAX_ABSOLUTE_ROW,
                         &update->history, error) &&
        json_get_integer(data, "dropped", JSON_OPTIONAL, 0, MAX_ABSOLUTE_ROW,
                         &update->dropped, error) &&
        json_get_integer(data, "top", JSON_OPTIONAL, 0, MAX_ABSOLUTE_ROW,
                         &update->top, error) &&
        json_get_integer(data, "scroll", JSON_OPTIONAL, 0, INT64_MAX,
                         &update->scroll, error) &&
        json_get_string(data, "title", JSON_OPTIONAL, &update->title, error) &&
        json_get_array(data, "cursor", JSON_OPTIONAL, &cursor, error) &&
        json_get_array(data, "modes", JSON_OPTIONAL, &modes, error) &&
        json_get_array(data, "size", JSON_OPTIONAL, &size, error) &&
        json_get_array(data, "origin", JSON_OPTIONAL, &origin, error) &&
        json_get_array(data, "rows", JSON_OPTIONAL, &rows, error) &&
        json_get_array(data, "wrapped", JSON_OPTIONAL, &wraps, error);
    if (!ok)
        return error_prefix(error, "SCREEN event");
    if (cursor && (!is_integer_at(cursor, 0) || !is_integer_at(cursor, 1)))
        return malformed(error, "the cursor is not [row, column, …]");
    if (size) {
        update->console_rows = json_integer_value(json_array_get(size, 0));
        update->console_cols = json_integer_value(json_array_get(size, 1));
        if (update->console_rows < 1 || update->console_rows > UINT16_MAX ||
            update->console_cols < 1 || update->console_cols > UINT16_MAX)
            return malformed(error, "the size is not [rows, columns]");
    }
    if (origin && (!is_place_at(origin, 0) || !is_place_at(origin, 1)))
        return malformed(error, "the origin is not [row, column]");
    update->cursor = cursor;
    update->modes = modes;
    update->origin = origin;
    update->rows = rows;
    update->wraps = wraps;
    return true;
}

static bool
read_rows(struct mirror_view *view, const json_t *rows, struct error *error)
{
    size_t count = json_array_size(rows);
    for (size_t i = 0; i < count; i++) {
        if (!read_row(view, json_array_get(rows, i), error))
            return false;
    }
    return true;
}

/* Marks those of the spare rows that go on in the next one. */
static void
read_wraps(struct mirror_view *view, const json_t *wraps)
{
    for (size_t i = 0; i < json_array_size(wraps); i++) {
        const json_t *index = json_array_get(wraps, i);
        int64_t row = json_is_integer(index) ? json_integer_value(index) : -1;
        if (row >= 0 && row < view->rows)
            view->spare[row].is_wrapped = true;
    }
}

static unsigned
read_modes(const json_t *names)
{
    static const struct {
        const char *name;
        enum mirror_mode mode;
    } table[] = {
        {"alternate-screen", MIRROR_MODE_ALTERNATE_SCREEN},
        {"alternate-scroll", MIRROR_MODE_ALTERNATE_SCROLL},
        {"application-cursor", MIRROR_MODE_APPLICATION_CURSOR},
        {"bracketed-paste", MIRROR_MODE_BRACKETED_PASTE},
        {"reverse-screen", MIRROR_MODE_REVERSE_SCREEN},
        {"mouse-click", MIRROR_MODE_MOUSE_CLICK},
        {"mouse-drag", MIRROR_MODE_MOUSE_DRAG},
        {"mouse-move", MIRROR_MODE_MOUSE_MOVE},
        {"mouse-sgr", MIRROR_MODE_MOUSE_SGR},
        {"mouse-press", MIRROR_MODE_MOUSE_PRESS},
    };
    unsigned modes = 0;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        for (size_t j = 0; name && j < sizeof(table) / sizeof(table[0]); j++) {
            if (strcmp(name, table[j].name) == 0)
                modes |= table[j].mode;
        }
    }
    return modes;
}

/* Applying ----------------------------------------------------------------- */

static void
shift_up(struct mirror_view *view, int64_t shift)
{
    int by = shift < view->rows ? (int)shift : view->rows;
    if (by < 1)
        return;
    /* the rows that leave come back blank, with their memory */
    for (int i = 0; i < view->rows; i++) {
        if (i < by) {
            view->lines[i].run_count = 0;
            view->lines[i].is_wrapped = false;
        }
        view->lines[i].is_dirty = true;
    }
    struct mirror_row *top = xmalloc((size_t)by * sizeof(*top));
    memcpy(top, view->lines, (size_t)by * sizeof(*top));
    memmove(view->lines, view->lines + by,
            (size_t)(view->rows - by) * sizeof(*top));
    memcpy(view->lines + view->rows - by, top, (size_t)by * sizeof(*top));
    free(top);
    view->shift_pending = by < view->rows - view->shift_pending
                              ? view->shift_pending + by
                              : view->rows;
}

static void
apply_cursor(struct mirror_view *view, const json_t *cursor)
{
    int64_t row = json_integer_value(json_array_get(cursor, 0));
    int64_t col = json_integer_value(json_array_get(cursor, 1));
    const json_t *visible = json_array_get(cursor, 2);
    int64_t shape = json_integer_value(json_array_get(cursor, 3));
    view->cursor_row = row < 0 || row >= view->rows ? -1 : (int)row;
    view->cursor_col = col < 0             ? 0
                       : col >= view->cols ? view->cols - 1
                                           : (int)col;
    view->is_cursor_visible =
        !visible || json_is_true(visible) || json_integer_value(visible) != 0;
    view->cursor_shape = shape < 0 || shape > MAX_CURSOR_SHAPE ? 0 : (int)shape;
}

static void
apply_members(struct mirror_view *view, const struct update *update)
{
    view->frame = update->frame;
    view->history = update->history;
    view->dropped = update->dropped;
    view->top = update->top;
    view->scroll = update->scroll;
    if (update->console_rows) {
        view->console_rows = (int)update->console_rows;
        view->console_cols = (int)update->console_cols;
    }
    if (update->origin) {
        view->origin_row =
            (int)json_integer_value(json_array_get(update->origin, 0));
        view->origin_col =
            (int)json_integer_value(json_array_get(update->origin, 1));
    }
    if (update->cursor)
        apply_cursor(view, update->cursor);
    if (update->modes)
        view->modes = read_modes(update->modes);
    if (update->title) {
        free(view->title);
        view->title = text_printable(update->title, strlen(update->title),
                                     MAX_TITLE_COLS, TEXT_ONE_LINE);
    }
}

bool
mirror_view_apply(struct mirror_view *view, const json_t *data,
                  struct error *error)
{
    struct update update;
    if (!read_members(view, data, &update, error))
        return false;
    bool ok = read_rows(view, update.rows, error);
    if (ok) {
        read_wraps(view, update.wraps);
        shift_up(view, update.shift);
        apply_members(view, &update);
    }
    for (int i = 0; i < view->rows; i++) {
        if (!view->spare[i].is_dirty)
            continue;
        if (ok) {
            struct mirror_row old = view->lines[i];
            view->lines[i] = view->spare[i];
            view->spare[i] = old;
        }
        view->spare[i].is_dirty = false;
    }
    return ok;
}
