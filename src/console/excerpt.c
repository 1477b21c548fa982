#include "console/excerpt.h"

#include "base/utf8.h"
#include "base/xalloc.h"
#include "console/cell.h"

#include <stdlib.h>

/* The columns from..to of one row. */
struct span {
    int from;
    int to; /* included */
};

static void
put_blanks(struct excerpt_reader *reader, int count)
{
    for (int i = 0; i < count; i++)
        buffer_append_byte(reader->out, ' ');
}

/* Appends the characters of a run that have a column in the span; *at: the
 * column that comes next, which blanks lead up to. */
static void
put_run(struct excerpt_reader *reader, const struct terminal_run *run,
        const struct span *span, int *at)
{
    bool is_hidden = run->style.attributes & STYLE_HIDDEN;
    bool is_inside = false;
    int col = run->col;
    for (size_t i = 0; i < run->bytes;) {
        uint32_t codepoint = 0;
        size_t bytes = utf8_decode(run->text + i, run->bytes - i, &codepoint);
        if (!bytes)
            break;
        int cols = cell_width(codepoint);
        if (cols > 0) {
            if (col > span->to)
                break;
            is_inside = col + cols > span->from;
            if (is_inside && col > *at)
                put_blanks(reader, col - *at);
            if (is_inside)
                *at = col + cols;
            if (is_inside && is_hidden)
                put_blanks(reader, cols);
            col += cols;
        }
        if (is_inside && !is_hidden)
            buffer_append(reader->out, run->text + i, bytes);
        i += bytes;
    }
}

/* Appends a row's part; returns the row's flags. */
static unsigned
put_row(struct excerpt_reader *reader, int row, const struct span *span)
{
    unsigned flags = 0;
    size_t count =
        terminal_read_row(reader->terminal, row, reader->runs,
                          (size_t)terminal_cols(reader->terminal), &flags);
    int at = span->from;
    for (size_t i = 0; i < count; i++) {
        const struct terminal_run *run = &reader->runs[i];
        if (run->col + run->cols > span->from && run->col <= span->to)
            put_run(reader, run, span, &at);
    }
    return flags;
}

static void
trim_line(struct excerpt_reader *reader)
{
    struct buffer *out = reader->out;
    while (out->len > reader->line_start && out->data[out->len - 1] == ' ')
        out->len--;
    if (out->data)
        out->data[out->len] = '\0';
}

static struct span
span_of(const struct excerpt *excerpt, int row, int cols)
{
    struct span span = {.from = 0, .to = cols - 1};
    if (excerpt->is_block || row == excerpt->first)
        span.from = excerpt->first_col;
    if (excerpt->is_block || row == excerpt->last)
        span.to = excerpt->last_col;
    return span;
}

void
excerpt_begin(struct excerpt_reader *reader, struct terminal *terminal,
              const struct excerpt *excerpt, struct buffer *out)
{
    int oldest = -(int)terminal_history_rows(terminal);
    int newest = terminal_rows(terminal) - 1;
    int cols = terminal_cols(terminal);
    *reader = (struct excerpt_reader){
        .terminal = terminal,
        .excerpt = *excerpt,
        .runs = xcalloc((size_t)cols, sizeof(struct terminal_run)),
        .out = out,
        .cols = cols,
        .screen = (int64_t)terminal_screen_top(terminal),
        .start = out->len,
        .line_start = out->len,
    };
    if (reader->excerpt.first < oldest)
        reader->excerpt.first = oldest;
    if (reader->excerpt.last > newest)
        reader->excerpt.last = newest;
    reader->next = reader->excerpt.first;
    reader->lines = reader->excerpt.first <= reader->excerpt.last;
}

/* Numbers the rows as they are numbered now. */
static void
renumber(struct excerpt_reader *reader)
{
    int64_t screen = (int64_t)terminal_screen_top(reader->terminal);
    int by = (int)(screen - reader->screen);
    int oldest = -(int)terminal_history_rows(reader->terminal);
    reader->screen = screen;
    reader->excerpt.first -= by;
    reader->excerpt.last -= by;
    reader->next -= by;
    if (reader->next < oldest)
        reader->next = oldest;
}

/* Reads the next row, which is not behind the last one. */
static void
read_row(struct excerpt_reader *reader)
{
    const struct excerpt *excerpt = &reader->excerpt;
    int row = reader->next++;
    struct span span = span_of(excerpt, row, reader->cols);
    unsigned flags = put_row(reader, row, &span);
    bool is_last = row == excerpt->last;
    if (!excerpt->is_block && (flags & TERMINAL_ROW_WRAPPED) && !is_last)
        return;
    trim_line(reader);
    if (is_last)
        return;
    buffer_append_byte(reader->out, '\n');
    reader->line_start = reader->out->len;
    reader->lines++;
}

bool
excerpt_step(struct excerpt_reader *reader, int max_rows)
{
    renumber(reader);
    for (int i = 0; i < max_rows && reader->next <= reader->excerpt.last; i++)
        read_row(reader);
    return reader->next > reader->excerpt.last;
}

bool
excerpt_is_stale(const struct excerpt_reader *reader)
{
    return terminal_cols(reader->terminal) != reader->cols;
}

void
excerpt_finish(struct excerpt_reader *reader)
{
    free(reader->runs);
    reader->runs = NULL;
}

bool
excerpt_render(struct terminal *terminal, const struct excerpt *excerpt,
               size_t max_bytes, struct buffer *out, size_t *ret_lines)
{
    struct excerpt_reader reader;
    excerpt_begin(&reader, terminal, excerpt, out);
    while (out->len - reader.start <= max_bytes && !excerpt_step(&reader, 1))
        continue;
    *ret_lines = reader.lines;
    excerpt_finish(&reader);
    return out->len - reader.start <= max_bytes;
}

/* Lines ---------------------------------------------------------------------
 */

static bool
is_wrapped(struct terminal *terminal, int row, struct terminal_run *runs)
{
    unsigned flags = 0;
    (void)terminal_read_row(terminal, row, runs,
                            (size_t)terminal_cols(terminal), &flags);
    return flags & TERMINAL_ROW_WRAPPED;
}

void
excerpt_take_lines(struct terminal *terminal, struct excerpt *excerpt)
{
    int cols = terminal_cols(terminal);
    int oldest = -(int)terminal_history_rows(terminal);
    int newest = terminal_rows(terminal) - 1;
    struct terminal_run *runs = xcalloc((size_t)cols, sizeof(*runs));
    for (int i = 0; i < EXCERPT_LINE_ROWS && excerpt->first > oldest &&
                    is_wrapped(terminal, excerpt->first - 1, runs);
         i++)
        excerpt->first--;
    for (int i = 0; i < EXCERPT_LINE_ROWS && excerpt->last < newest &&
                    is_wrapped(terminal, excerpt->last, runs);
         i++)
        excerpt->last++;
    excerpt->first_col = 0;
    excerpt->last_col = cols - 1;
    free(runs);
}
