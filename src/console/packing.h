#pragma once

#include "console/row.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The compact form of a row in the history: its UTF-8 text, and, unless all of
 * it has the default style, style runs before it. A gap (columns never written)
 * is one zero byte a column. */

enum packing_flags {
    PACKING_STYLED = 1 << 0, /* style runs stand before the text */
    PACKING_UNICODE =
        1 << 1,            /* bytes are not columns: other than ASCII, gaps */
    PACKING_WIDE = 1 << 2, /* wide characters */
};

/* Most bytes of a row of so many columns. */
size_t packing_max_bytes(int cols);

/* Encodes a complex row's first cols columns. bytes, scratch: packing_max_bytes
 * each. Returns how many bytes were written. */
size_t packing_encode(const struct row *row, int cols,
                      const struct cell_pool *pool, char *bytes, char *scratch,
                      unsigned *ret_flags);

/* A part of the text in one style. */
struct packing_piece {
    const char *text;
    size_t bytes;
    struct style style;
};

/* Walks the pieces of one encoded row. */
struct packing_reader {
    const unsigned char *runs;
    const unsigned char *runs_end;
    const char *text;
    const char *text_end;
};
struct packing_reader packing_open(const char *bytes, size_t len,
                                   unsigned flags);

/* The next piece; false at the end. */
bool packing_next(struct packing_reader *reader,
                  struct packing_piece *ret_piece);

/* How much of a text fits into so many columns: returns the bytes, combining
 * characters with their base, and sets *ret_cols to the columns they take.
 * Nothing fits when the first character is wider than max_cols. flags: enum
 * packing_flags of the row. */
size_t packing_fit(const char *text, size_t len, int max_cols, unsigned flags,
                   int *ret_cols);
