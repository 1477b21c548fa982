#include "console/render.h"

#include "base/xalloc.h"

#include <stdlib.h>

/* Where rendering stands. */
struct renderer {
    struct terminal *terminal;
    struct terminal_run *runs; /* owned: cols of them */
    struct buffer *out;
    unsigned flags;
    struct style style; /* what the output's SGR state is */
};

static void
change_style(struct renderer *renderer, const struct style *style)
{
    if (!(renderer->flags & RENDER_ANSI) ||
        style_is_equal(&renderer->style, style))
        return;
    char sgr[STYLE_SGR_BYTES];
    style_to_sgr(style, sgr);
    buffer_printf(renderer->out, "\033[%sm", sgr);
    renderer->style = *style;
}

/* Appends a row without its line end; returns its flags. A row that wraps keeps
 * the blanks at its end by itself; a column that it does not fill is what a
 * wide character left over. */
static unsigned
put_row(struct renderer *renderer, int row)
{
    static const struct style plain = {0};
    unsigned flags = 0;
    size_t count =
        terminal_read_row(renderer->terminal, row, renderer->runs,
                          (size_t)terminal_cols(renderer->terminal), &flags);
    int col = 0;
    for (size_t i = 0; i < count; i++) {
        const struct terminal_run *run = &renderer->runs[i];
        if (run->col > col)
            change_style(renderer, &plain);
        for (; col < run->col; col++)
            buffer_append_byte(renderer->out, ' ');
        change_style(renderer, &run->style);
        buffer_append(renderer->out, run->text, run->bytes);
        col += run->cols;
    }
    change_style(renderer, &plain);
    return flags;
}

static void
trim_blanks(struct buffer *out, size_t start)
{
    while (out->len > start && out->data[out->len - 1] == ' ')
        out->len--;
    if (out->data)
        out->data[out->len] = '\0';
}

bool
render_rows_within(struct terminal *terminal, int first, int last,
                   unsigned flags, size_t max_bytes, struct buffer *out)
{
    int oldest = -(int)terminal_history_rows(terminal);
    int newest = terminal_rows(terminal) - 1;
    struct renderer renderer = {
        .terminal = terminal,
        .runs = xcalloc((size_t)terminal_cols(terminal),
                        sizeof(struct terminal_run)),
        .out = out,
        .flags = flags,
    };
    bool joins = (flags & RENDER_JOIN_WRAPPED) != 0;
    size_t before = out->len;
    size_t start = out->len;
    int row = first < oldest ? oldest : first;
    for (; row <= last && row <= newest && out->len - before <= max_bytes;
         row++) {
        unsigned row_flags = put_row(&renderer, row);
        bool goes_on = joins && (row_flags & TERMINAL_ROW_WRAPPED) &&
                       row < last && row < newest;
        if (goes_on)
            continue;
        trim_blanks(out, start);
        buffer_append_byte(out, '\n');
        start = out->len;
    }
    free(renderer.runs);
    return out->len - before <= max_bytes;
}

void
render_rows(struct terminal *terminal, int first, int last, unsigned flags,
            struct buffer *out)
{
    (void)render_rows_within(terminal, first, last, flags, SIZE_MAX, out);
}
