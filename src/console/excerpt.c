#include "console/excerpt.h"

#include "base/utf8.h"
#include "base/xalloc.h"
#include "console/cell.h"

#include <stdlib.h>

/* Where copying stands. */
struct copier {
    struct terminal *terminal;
    struct terminal_run *runs; /* owned: cols of them */
    struct buffer *out;
    size_t line_start; /* where the present line begins in out */
};

/* The columns from..to of one row. */
struct span {
    int from;
    int to; /* included */
};

static void
put_blanks(struct copier *copier, int count)
{
    for (int i = 0; i < count; i++)
        buffer_append_byte(copier->out, ' ');
}

/* Appends the characters of a run that have a column in the span; *at: the
 * column that comes next, which blanks lead up to. */
static void
put_run(struct copier *copier, const struct terminal_run *run,
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
                put_blanks(copier, col - *at);
            if (is_inside)
                *at = col + cols;
            if (is_inside && is_hidden)
                put_blanks(copier, cols);
            col += cols;
        }
        if (is_inside && !is_hidden)
            buffer_append(copier->out, run->text + i, bytes);
        i += bytes;
    }
}

/* Appends a row's part; returns the row's flags. */
static unsigned
put_row(struct copier *copier, int row, const struct span *span)
{
    unsigned flags = 0;
    size_t count =
        terminal_read_row(copier->terminal, row, copier->runs,
                          (size_t)terminal_cols(copier->terminal), &flags);
    int at = span->from;
    for (size_t i = 0; i < count; i++) {
        const struct terminal_run *run = &copier->runs[i];
        if (run->col + run->cols > span->from && run->col <= span->to)
            put_run(copier, run, span, &at);
    }
    return flags;
}

static void
trim_line(struct copier *copier)
{
    struct buffer *out = copier->out;
    while (out->len > copier->line_start && out->data[out->len - 1] == ' ')
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

bool
excerpt_render(struct terminal *terminal, const struct excerpt *excerpt,
               size_t max_bytes, struct buffer *out, size_t *ret_lines)
{
    int cols = terminal_cols(terminal);
    int oldest = -(int)terminal_history_rows(terminal);
    int newest = terminal_rows(terminal) - 1;
    int first = excerpt->first < oldest ? oldest : excerpt->first;
    int last = excerpt->last > newest ? newest : excerpt->last;
    size_t before = out->len;
    struct copier copier = {
        .terminal = terminal,
        .runs = xcalloc((size_t)cols, sizeof(struct terminal_run)),
        .out = out,
        .line_start = before,
    };
    *ret_lines = first <= last;
    for (int row = first; row <= last && out->len - before <= max_bytes;
         row++) {
        struct span span = span_of(excerpt, row, cols);
        unsigned flags = put_row(&copier, row, &span);
        if (!excerpt->is_block && (flags & TERMINAL_ROW_WRAPPED) && row < last)
            continue;
        trim_line(&copier);
        if (row == last)
            break;
        buffer_append_byte(out, '\n');
        copier.line_start = out->len;
        ++*ret_lines;
    }
    free(copier.runs);
    return out->len - before <= max_bytes;
}
