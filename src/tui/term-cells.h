#pragma once

#include <stdbool.h>

/* curses' macros (clear, move, timeout, OK, ERR) clash with everything:
 * NCURSES_NOMACROS spares us the worst of them. */
#define NCURSES_NOMACROS
#include <curses.h>

/* The screen as it is drawn, cell by cell, before curses sees it. curses is
 * slow to be told what it knows already (about 200 instructions a cell), and
 * most of what is drawn again is the same: only the part of a row that changed
 * reaches it. */
struct term_cells {
    int rows;
    int cols;
    cchar_t *wanted;               /* owned: rows * cols, row-major */
    cchar_t *given;                /* owned: the same, as curses has it */
    cchar_t *line;                 /* owned: cols; a row on its way */
    struct term_cells_span *spans; /* owned: rows; what was drawn into */
};

/* Columns first to end, end not included; none when they are equal. */
struct term_cells_span {
    int first;
    int end;
};

void term_cells_finish(struct term_cells *cells);

/* A new size: all blank, and curses is told everything at the next flush. */
void term_cells_resize(struct term_cells *cells, int rows, int cols);

/* Puts count characters that take one column each from a cell on. What is cut
 * off a wide character becomes a blank. Positions outside are ignored. */
void term_cells_fill(struct term_cells *cells, int row, int col, int count,
                     const cchar_t *cell);

/* Puts a character of width 1 or 2; it has to fit into the row. */
void term_cells_put(struct term_cells *cells, int row, int col, int width,
                    const cchar_t *cell);

/* Puts printable characters of ASCII with a cell's looks; they have to fit into
 * the row. */
void term_cells_put_ascii(struct term_cells *cells, int row, int col,
                          const char *text, int count, const cchar_t *look);

/* Adds a combining character to the one in that cell, while there is room. */
void term_cells_combine(struct term_cells *cells, int row, int col,
                        wchar_t character);

/* Sets is_used for the numbers of looks (term-looks.h) that cells have. */
void term_cells_mark_looks(const struct term_cells *cells, bool *is_used);

/* Tells curses what changed. */
void term_cells_flush(struct term_cells *cells);
