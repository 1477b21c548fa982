#include "tui/draw.h"

#include "base/buffer.h"
#include "base/text.h"
#include "base/utf8.h"
#include "base/xalloc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static bool
is_ascii(const char *text, size_t len)
{
    unsigned char seen = 0;
    for (size_t i = 0; i < len; i++)
        seen |= (unsigned char)text[i];
    return seen < 0x80;
}

/* Whether everybody gives the character the same width. */
static bool
is_agreed(uint32_t codepoint, const char *text, size_t len, int width)
{
    if (codepoint < 0x80)
        return true;
    TickitStringPos end;
    if (tickit_utf8_ncount(text, len, &end, NULL) != len)
        return false;
    return end.columns == width && wcwidth((wchar_t)codepoint) == width;
}

const char *
draw_fit(const char *text, size_t *len, struct buffer *fit)
{
    if (is_ascii(text, *len))
        return text;
    size_t left = *len;
    while (left > 0) {
        uint32_t codepoint;
        size_t step = utf8_decode(text, left, &codepoint);
        if (step == 0)
            break;
        int width = utf8_width(codepoint);
        if (is_agreed(codepoint, text, step, width)) {
            buffer_append(fit, text, step);
        } else if (width > 0) {
            buffer_append_text(fit, "\xEF\xBF\xBD");
            if (width > 1)
                buffer_append_byte(fit, ' ');
        }
        text += step;
        left -= step;
    }
    *len = fit->len;
    return fit->len ? fit->data : "";
}

void
draw_cells(TickitRenderBuffer *rb, int row, int col, const char *text,
           size_t len)
{
    struct buffer fit = {0};
    const char *shown = draw_fit(text, &len, &fit);
    if (len > 0)
        tickit_renderbuffer_textn_at(rb, row, col, shown, len);
    buffer_finish(&fit);
}

int
draw_text(TickitRenderBuffer *rb, int row, int col, int cols,
          const TickitPen *pen, const char *text)
{
    if (cols <= 0)
        return 0;
    char *fit = text_printable(text, strlen(text), (size_t)cols, TEXT_ONE_LINE);
    tickit_renderbuffer_setpen(rb, pen);
    draw_cells(rb, row, col, fit, strlen(fit));
    int used = (int)utf8_text_cols(fit, strlen(fit));
    free(fit);
    return used;
}

int
draw_format(TickitRenderBuffer *rb, int row, int col, int cols,
            const TickitPen *pen, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    int used = draw_text(rb, row, col, cols, pen, text);
    free(text);
    return used;
}

void
draw_fill(TickitRenderBuffer *rb, int row, int col, int cols,
          const TickitPen *pen)
{
    if (cols <= 0)
        return;
    tickit_renderbuffer_setpen(rb, pen);
    tickit_renderbuffer_erase_at(rb, row, col, cols);
}

void
draw_repeat(TickitRenderBuffer *rb, int row, int col, int cols,
            const TickitPen *pen, const char *character)
{
    struct buffer line = {0};
    for (int i = 0; i < cols; i++)
        buffer_append_text(&line, character);
    if (line.len > 0) {
        tickit_renderbuffer_setpen(rb, pen);
        draw_cells(rb, row, col, line.data, line.len);
    }
    buffer_finish(&line);
}

size_t
draw_wrap_point(const char *text, int cols)
{
    size_t len = strlen(text);
    size_t at = 0;
    size_t space = 0;
    int used = 0;
    while (at < len) {
        uint32_t codepoint;
        size_t step = utf8_decode(text + at, len - at, &codepoint);
        if (step == 0)
            break;
        int width = utf8_width(codepoint);
        used += width > 0 ? width : 0;
        if (used > cols && at > 0)
            return space > at / 2 ? space : at;
        if (codepoint == ' ')
            space = at + 1;
        at += step;
    }
    return len;
}
