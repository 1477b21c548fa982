#pragma once

#include "tui/row-text.h"
#include "tui/selection.h"

#include <stdbool.h>
#include <stdint.h>

/* Moving a cursor over text of which only some rows are at hand. A motion that
 * comes to a row that is not stops there, and goes on once it is. */

enum motion_kind {
    MOTION_WORD_NEXT,
    MOTION_WORD_PREVIOUS,
    MOTION_WORD_END,
    MOTION_PARAGRAPH_NEXT,
    MOTION_PARAGRAPH_PREVIOUS,
};

struct motion_text {
    /* The row, or NULL while it is not at hand; borrowed until the next call.
     */
    const struct row_text *(*row)(void *data, int64_t row);
    void *data;
    int64_t first; /* the rows that there are, both included */
    int64_t last;
};

/* A motion under way. */
struct motion {
    enum motion_kind kind;
    bool is_long;      /* words are whatever stands between blanks */
    struct place at;   /* where it is by now */
    struct place seen; /* the last place that was no blank */
    int phase;
    enum row_class class; /* of the word that it is in */
};

void motion_begin(struct motion *motion, enum motion_kind kind, bool is_long,
                  const struct place *from);

/* Goes on; true: it is done, and at is where. False: *ret_row is needed. */
bool motion_run(struct motion *motion, const struct motion_text *text,
                int64_t *ret_row);
