#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What part of a console is selected: geometry alone, in absolute rows, so that
 * it keeps its place while the rows move. */

struct place {
    int64_t row; /* absolute (guestmux-api(7)) */
    int col;
};

enum selection_kind {
    SELECTION_NONE,
    SELECTION_CHARS, /* from character to character, over the rows between */
    SELECTION_LINES, /* whole lines, all their rows */
    SELECTION_BLOCK, /* a rectangle */
};

struct selection {
    enum selection_kind kind;
    struct place anchor; /* where it began */
    struct place head;   /* where the cursor is */
};

/* The selection in reading order: first <= last; of a block, the left and the
 * right column. Columns are included. */
struct selection_extent {
    int64_t first;
    int64_t last;
    int first_col;
    int last_col; /* INT_MAX: to the end of the row */
    bool is_block;
    bool is_lines; /* the lines of these rows, where they begin and end */
};

bool place_is_before(const struct place *a, const struct place *b);

/* Nothing in particular for SELECTION_NONE. */
struct selection_extent selection_extent(const struct selection *selection);

/* The columns of a row (cols wide) that are selected, both included; false when
 * none is. */
bool selection_cols(const struct selection *selection, int64_t row, int cols,
                    int *ret_from, int *ret_to);

/* Rows before the oldest are gone: what of the selection is left. False when
 * nothing is. */
bool selection_drop_before(struct selection *selection, int64_t oldest);
