#pragma once

#include "client/mirror.h"

#include <stdbool.h>
#include <stdint.h>

/* A row of a console as cells: what stands in each column. For moving by words,
 * and for drawing over a part of a row. */
struct row_cell {
    const char *text; /* UTF-8 of the character with its marks, not terminated;
                       * borrowed from the mirror's row, or a blank */
    uint16_t bytes;
    uint8_t cols; /* 1 or 2; 0: the second half of the one before */
};

struct row_text {
    struct row_cell *cells; /* owned: cols of them; its memory is used again */
    int cols;
};

/* What a character is to those who move by words. */
enum row_class {
    ROW_BLANK,
    ROW_WORD, /* letters, digits, _, and all beyond ASCII */
    ROW_SIGN, /* the rest */
};

/* Reads a row of so many columns; NULL is a blank one. Hidden text is blank, as
 * on the screen. Zero-initialise row_text before the first use. */
void row_text_read(struct row_text *text, const struct mirror_row *row,
                   int cols);
void row_text_finish(struct row_text *text);

/* Columns up to the last one that is not blank. */
int row_text_end(const struct row_text *text);
/* The first column that is not blank; 0 when all are. */
int row_text_indent(const struct row_text *text);

/* The first column of the character that a column belongs to, clamped to the
 * row; and the column behind it. */
int row_text_head(const struct row_text *text, int col);
int row_text_tail(const struct row_text *text, int col);

enum row_class row_text_class(const struct row_text *text, int col);

/* Widens *from..*to (both included) around a column to what a double click
 * takes: a word with the signs of paths and addresses, else the run of its
 * class. */
void row_text_word(const struct row_text *text, int col, int *ret_from,
                   int *ret_to);
