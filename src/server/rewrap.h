#pragma once

#include "console/terminal.h"

#include <stdbool.h>
#include <stdint.h>

/* Where the rows of a view stand once the console has another width and its
 * lines are wrapped anew. Lines keep their ids then, their rows get other
 * numbers. */

/* What begins in one row of a view. */
struct rewrap_place {
    uint64_t line; /* the id of the line that it is part of; 0: nothing */
    int64_t col;   /* columns of the line before it */
};

/* A place as a row of now: counted from the very first one. */
struct rewrap_row {
    uint64_t row;
    int col;
};

/* Zeroed is one without any. */
struct rewrap {
    struct rewrap_place *places; /* owned: count */
    int count;
    int cols;     /* the console's, when they were noted */
    uint64_t top; /* the absolute row of the first one */
};

void rewrap_finish(struct rewrap *rewrap);

/* Notes so many rows of a terminal, from one on (as terminal_read_row counts
 * them). */
void rewrap_note(struct rewrap *rewrap, struct terminal *terminal,
                 int first_row, int rows);

/* Whether rows were noted at another width than the terminal has now. */
bool rewrap_is_due(const struct rewrap *rewrap,
                   const struct terminal *terminal);

/* Tells where what was noted stands now; what is gone stands where what is
 * above it does. ret_rows: rewrap->count. False when the first row's line is
 * gone. O(history) once, the rest follows. */
bool rewrap_find(const struct rewrap *rewrap, struct terminal *terminal,
                 struct rewrap_row *ret_rows);
