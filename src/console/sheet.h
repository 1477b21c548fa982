#pragma once

#include "console/row.h"

#include <stdbool.h>
#include <stddef.h>

/* Rows outside of any screen, while a resize wraps lines anew. Zero-initialise
 * it with cols set. */
struct sheet {
    struct row **row; /* owned, and so are the rows */
    size_t count;
    size_t capacity;
    int cols;
};

void sheet_finish(struct sheet *sheet);

/* Appends an empty row; it stays the sheet's. */
struct row *sheet_add(struct sheet *sheet);

/* Appends a copy, its identity included; the row must not be longer than the
 * sheet is wide. */
void sheet_add_copy(struct sheet *sheet, const struct row *row);

/* Copies what a row holds, its identity included. */
void sheet_copy_row(struct row *to, const struct row *from);

/* A place between cells; col may be the width: behind the last column. */
struct sheet_place {
    size_t row;
    int col;
};

/* Wraps the lines of a sheet at the width of another one, which is empty, and
 * tells where a place went. A line's first row stays the row that it was (its
 * id); the others have no identity. */
struct sheet_place sheet_reflow(const struct sheet *from, struct sheet *to,
                                struct sheet_place place);
