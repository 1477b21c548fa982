#include "console/render.h"

#include "base/xalloc.h"

#include <stdio.h>
#include <stdlib.h>

/* SGR's numbers for the attributes (ECMA-48 8.3.117, XTerm). */
static const struct {
    unsigned attribute;
    int number;
} attribute_numbers[] = {
    {STYLE_BOLD, 1},   {STYLE_DIM, 2},       {STYLE_ITALIC, 3},
    {STYLE_BLINK, 5},  {STYLE_REVERSE, 7},   {STYLE_HIDDEN, 8},
    {STYLE_STRIKE, 9}, {STYLE_OVERLINE, 53},
};

/* first: 38 foreground, 48 background, 58 underline. */
static void
put_colour(struct buffer *out, int first, uint32_t colour)
{
    uint32_t value = colour & STYLE_COLOUR_VALUE_MASK;
    uint32_t kind = colour & STYLE_COLOUR_KIND_MASK;
    if (kind == STYLE_COLOUR_RGB)
        buffer_printf(out, ";%d;2;%u;%u;%u", first, value >> 16,
                      value >> 8 & 0xFF, value & 0xFF);
    else if (kind == STYLE_COLOUR_INDEXED && first != 58 && value < 8)
        buffer_printf(out, ";%u", (unsigned)first - 8 + value);
    else if (kind == STYLE_COLOUR_INDEXED && first != 58 && value < 16)
        buffer_printf(out, ";%u", (unsigned)first + 52 + value - 8);
    else if (kind == STYLE_COLOUR_INDEXED)
        buffer_printf(out, ";%d;5;%u", first, value);
}

static void
put_style(struct buffer *out, const struct style *style)
{
    unsigned attributes = style->attributes;
    buffer_append_text(out, "\033[0");
    for (size_t i = 0;
         i < sizeof(attribute_numbers) / sizeof(attribute_numbers[0]); i++) {
        if (attributes & attribute_numbers[i].attribute)
            buffer_printf(out, ";%d", attribute_numbers[i].number);
    }
    unsigned underline = attributes >> STYLE_UNDERLINE_SHIFT & 7;
    if ((attributes & STYLE_UNDERLINE) && underline > 1)
        buffer_printf(out, ";4:%u", underline);
    else if (attributes & STYLE_UNDERLINE)
        buffer_append_text(out, ";4");
    put_colour(out, 38, style->foreground);
    put_colour(out, 48, style->background);
    put_colour(out, 58, style->underline_colour);
    buffer_append_byte(out, 'm');
}

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
    put_style(renderer->out, style);
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

void
render_rows(struct terminal *terminal, int first, int last, unsigned flags,
            struct buffer *out)
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
    size_t start = out->len;
    for (int row = first < oldest ? oldest : first;
         row <= last && row <= newest; row++) {
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
}
