#pragma once

#include "base/buffer.h"
#include "console/terminal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* The same in steps, between which the terminal may print. */
struct excerpt_reader {
    struct terminal *terminal; /* borrowed */
    struct excerpt excerpt;
    struct terminal_run *runs; /* owned: cols of them */
    struct buffer *out;        /* borrowed */
    int cols;
    int next;          /* the row to read next */
    int64_t screen;    /* absolute number of the screen's first row, when the
                        * rows were numbered */
    size_t start;      /* where the excerpt begins in out */
    size_t line_start; /* where the present line does */
    size_t lines;
};

void excerpt_begin(struct excerpt_reader *reader, struct terminal *terminal,
                   const struct excerpt *excerpt, struct buffer *out);
/* Reads up to max_rows rows; whether all were read. Rows that left the history
 * between two steps are left out. */
bool excerpt_step(struct excerpt_reader *reader, int max_rows);
/* Whether the terminal has another width than when it began: its rows are
 * others now. */
bool excerpt_is_stale(const struct excerpt_reader *reader);
void excerpt_finish(struct excerpt_reader *reader);

/* Lets an excerpt begin and end where the lines do that its first and its last
 * row are part of, within EXCERPT_LINE_ROWS of them. */
#define EXCERPT_LINE_ROWS 4096
void excerpt_take_lines(struct terminal *terminal, struct excerpt *excerpt);
