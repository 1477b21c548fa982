#include "tui/term-text.h"

#include "base/utf8.h"
#include "tui/term-looks.h"

#include <wchar.h>

/* Puts one character; false when it does not fit any more. */
static bool
put_character(struct term_cells *cells, struct term_spot *spot,
              uint32_t codepoint, cchar_t *cell)
{
    wchar_t character = (wchar_t)codepoint;
    int width = wcwidth(character);
    if (width == 0) {
        /* a combining mark joins the cell before it */
        term_cells_combine(cells, spot->row, spot->col - 1, character);
        return true;
    }
    if (width < 0 || codepoint >= TERM_LOOK_FIRST) {
        character = (wchar_t)UTF8_REPLACEMENT;
        width = 1;
    }
    cell->chars[0] = character;
    if (width > spot->end - spot->col) {
        /* a wide one in the last column: nothing is shown of it */
        cell->chars[0] = L' ';
        term_cells_fill(cells, spot->row, spot->col, spot->end - spot->col,
                        cell);
        spot->col = spot->end;
        return false;
    }
    term_cells_put(cells, spot->row, spot->col, width, cell);
    spot->col += width;
    return true;
}

static size_t
ascii_bytes(const char *text, size_t len)
{
    size_t count = 0;
    while (count < len && text[count] >= 0x20 && text[count] < 0x7F)
        count++;
    return count;
}

void
term_text_put(struct term_cells *cells, struct term_spot *spot,
              const struct term_pen *pen, const char *text, size_t len)
{
    cchar_t cell;
    term_pen_cell(pen, L' ', &cell);
    while (len > 0 && spot->col <= spot->end) {
        size_t step = ascii_bytes(text, len);
        if (step) {
            size_t room = (size_t)(spot->end - spot->col);
            int count = (int)(step < room ? step : room);
            term_cells_put_ascii(cells, spot->row, spot->col, text, count,
                                 &cell);
            spot->col += count;
            if ((size_t)count < step)
                break;
        } else {
            uint32_t codepoint = 0;
            step = utf8_decode(text, len, &codepoint);
            if (step == 0 || !put_character(cells, spot, codepoint, &cell))
                break;
        }
        text += step;
        len -= step;
    }
}
