#pragma once

#include "base/buffer.h"
#include "console/terminal.h"

#include <stdbool.h>
#include <stddef.h>

/* A part of what stands on a terminal, as text for people: what a selection
 * copies. */
struct excerpt {
    int first; /* terminal_read_row's numbers, both included */
    int last;
    int first_col; /* where it begins in the first row */
    int last_col;  /* where it ends in the last row, this column included */
    bool is_block; /* the same columns of every row, none joined */
};

/* Appends the excerpt, its lines parted by \n, none at the end. Rows that do
 * not exist are left out. Soft-wrapped rows are one line; blanks at the end of
 * lines are cut; a character that is only partly inside is taken whole. What is
 * hidden (SGR 8) is blank, as on the screen. *ret_lines: how many lines. Ends
 * once there are more than max_bytes; returns whether it was all. */
bool excerpt_render(struct terminal *terminal, const struct excerpt *excerpt,
                    size_t max_bytes, struct buffer *out, size_t *ret_lines);
