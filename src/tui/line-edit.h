#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* One line of text that is edited: knows no screen and no keys. What it holds
 * is printable always, each character with a width of its own. */

/* Longest text, bytes; more is not taken. */
#define LINE_EDIT_MAX_BYTES ((size_t)4096)

/* Zeroed is an empty one; line_edit_finish frees it. */
struct line_edit {
    struct buffer text; /* owned: UTF-8 */
    size_t cursor;      /* in front of the character at that byte */
};

enum line_edit_move {
    LINE_EDIT_LEFT,
    LINE_EDIT_RIGHT,
    LINE_EDIT_WORD_LEFT,
    LINE_EDIT_WORD_RIGHT,
    LINE_EDIT_START,
    LINE_EDIT_END,
};

void line_edit_finish(struct line_edit *edit);

/* The text; never NULL, borrowed until it changes. */
const char *line_edit_text(const struct line_edit *edit);

/* Replaces the text; the cursor goes to its end. */
void line_edit_set(struct line_edit *edit, const char *text);

/* Inserts what of the bytes is printable at the cursor; line ends and tabs
 * become blanks. */
void line_edit_insert(struct line_edit *edit, const char *bytes, size_t len);

void line_edit_move(struct line_edit *edit, enum line_edit_move move);

/* Deletes from the cursor to where a move would lead. */
void line_edit_delete(struct line_edit *edit, enum line_edit_move move);

/* What of the text is seen through cols > 0 columns: *ret_start is the first
 * byte shown, *ret_col the cursor's column. */
void line_edit_view(const struct line_edit *edit, int cols, size_t *ret_start,
                    int *ret_col);
