#pragma once

#include "tui/term-cells.h"
#include "tui/term-pen.h"

#include <stddef.h>

/* A place in a row, and the column where drawing ends there. */
struct term_spot {
    int row;
    int col;
    int end;
};

/* Puts UTF-8 into cells from a spot on, which moves behind it. Combining marks
 * join the character before them; a wide one that does not fit leaves a blank;
 * what has no width is shown as U+FFFD. */
void term_text_put(struct term_cells *cells, struct term_spot *spot,
                   const struct term_pen *pen, const char *text, size_t len);
