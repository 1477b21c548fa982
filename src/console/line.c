#include "console/line.h"

#include "base/utf8.h"
#include "base/xalloc.h"
#include "console/terminal-internal.h"

#include <assert.h>
#include <stdlib.h>

void
line_reader_finish(struct line_reader *reader)
{
    buffer_finish(&reader->text);
    free(reader->runs);
    reader->runs = NULL;
    reader->run_count = 0;
}

static void
reserve_runs(struct line_reader *reader)
{
    size_t count = (size_t)reader->terminal->cols;
    if (reader->run_count >= count)
        return;
    reader->runs =
        xreallocarray(reader->runs, count, sizeof(struct terminal_run));
    reader->run_count = count;
}

static void
append_blanks(struct buffer *text, int cols)
{
    for (int i = 0; i < cols; i++)
        buffer_append_byte(text, ' ');
}

/* Appends the text of a row on the screen. */
static void
append_screen_row(struct line_reader *reader, int row)
{
    struct terminal *terminal = reader->terminal;
    reserve_runs(reader);
    size_t count =
        terminal_read_row(terminal, row, reader->runs, reader->run_count, NULL);
    int col = 0;
    for (size_t i = 0; i < count; i++) {
        const struct terminal_run *run = &reader->runs[i];
        append_blanks(&reader->text, run->col - col);
        buffer_append(&reader->text, run->text, run->bytes);
        col = run->col + run->cols;
    }
    append_blanks(&reader->text,
                  row_content_cols(terminal->grid->row[row]) - col);
}

static bool
is_wrapped(const struct terminal *terminal, int row)
{
    return terminal->grid->row[row]->flags & ROW_WRAPPED;
}

/* Whether the history's newest line goes on in the screen's first row. */
static bool
joins_screen(const struct terminal *terminal)
{
    return terminal->grid == &terminal->main.grid &&
           history_rows(terminal->history) > 0 &&
           history_is_open(terminal->history);
}

/* Appends rows of the screen to the line while they continue it. */
static void
read_screen(struct line_reader *reader, int row, struct line *line)
{
    const struct terminal *terminal = reader->terminal;
    int count = 0;
    bool goes_on = true;
    for (; goes_on && row < terminal->rows && count < LINE_MAX_SCREEN_ROWS &&
           reader->text.len < LINE_MAX_BYTES;
         row++) {
        append_screen_row(reader, row);
        reader->ends[count++] = reader->text.len;
        goes_on = is_wrapped(terminal, row);
    }
    line->rows += count;
    buffer_append(&reader->text, "", 0); /* data is never NULL */
    line->text = reader->text.data;
    line->bytes = reader->text.len;
}

static void
read_history(struct line_reader *reader, size_t number, struct line *line)
{
    struct terminal *terminal = reader->terminal;
    size_t rows = history_rows(terminal->history);
    history_find_line(terminal->history, number, &line->history);
    line->row = (int)((int64_t)line->history.row - (int64_t)rows);
    line->rows = (int)line->history.rows;
    line->id = line->history.id;
    bool is_open = line->history.row + line->history.rows == rows &&
                   joins_screen(terminal);
    line->text = history_line_text(&line->history, &line->bytes);
    line->history_bytes = line->bytes;
    if (line->text && !is_open)
        return;
    history_line_append(&line->history, &reader->text);
    line->history_bytes = reader->text.len;
    if (is_open) {
        read_screen(reader, 0, line);
        return;
    }
    buffer_append(&reader->text, "", 0);
    line->text = reader->text.data;
    line->bytes = reader->text.len;
}

/* The screen's row that a line starts in; -1: in the history. */
static int
screen_start(const struct terminal *terminal, int row)
{
    while (row > 0 && is_wrapped(terminal, row - 1))
        row--;
    return row == 0 && joins_screen(terminal) ? -1 : row;
}

void
line_read(struct line_reader *reader, int row, struct line *ret_line)
{
    struct terminal *terminal = reader->terminal;
    int64_t rows = (int64_t)history_rows(terminal->history);
    int start = row < 0 ? row : screen_start(terminal, row);
    /* piece by piece, if it is that long */
    do {
        *ret_line = (struct line){.row = start};
        buffer_reset(&reader->text);
        if (start < 0) {
            read_history(reader, (size_t)(rows + start), ret_line);
        } else {
            ret_line->id = terminal->grid->row[start]->id;
            read_screen(reader, start, ret_line);
        }
        start = ret_line->row + ret_line->rows;
    } while (start <= row);
}

/* Places ------------------------------------------------------------------- */

/* Columns of a part of a row's text. */
static int
text_cols(const char *text, size_t bytes)
{
    int cols = 0;
    for (size_t at = 0; at < bytes;) {
        uint32_t codepoint = 0;
        size_t len = utf8_decode(text + at, bytes - at, &codepoint);
        if (!len)
            break;
        int width = cell_width(codepoint);
        cols += width > 0 ? width : 0;
        at += len;
    }
    return cols;
}

/* Where a row of the line ends in its text; start: where it begins. */
static size_t
row_end(const struct line_reader *reader, const struct line *line, int row,
        size_t start)
{
    int in_history = (int)line->history.rows;
    if (row >= in_history)
        return reader->ends[row - in_history];
    return start + history_line_row_bytes(
                       reader->terminal->history, &line->history, (size_t)row,
                       line->text, line->history_bytes, start);
}

size_t
line_spans(const struct line_reader *reader, const struct line *line,
           size_t start, size_t end, struct line_span *spans, size_t max)
{
    size_t count = 0;
    size_t from = 0; /* of the row */
    for (int row = 0; row < line->rows && count < max; row++) {
        size_t to = row_end(reader, line, row, from);
        bool is_last = row + 1 == line->rows;
        /* what is empty stands in the row that goes on there */
        if (start < to || is_last) {
            size_t first = start > from ? start : from;
            size_t last = end < to ? end : to;
            spans[count++] = (struct line_span){
                .row = line->row + row,
                .col = text_cols(line->text + from, first - from),
                .cols = text_cols(line->text + first, last - first)};
            if (end <= to)
                break;
        }
        from = to;
    }
    return count;
}

bool
line_find(struct terminal *terminal, uint64_t id, int *ret_row)
{
    size_t number = 0;
    for (int row = 0; row < terminal->rows; row++) {
        if (terminal->grid->row[row]->id != id)
            continue;
        *ret_row = row;
        return true;
    }
    if (!history_find_id(terminal->history, id, &number))
        return false;
    *ret_row =
        (int)((int64_t)number - (int64_t)history_rows(terminal->history));
    return true;
}
