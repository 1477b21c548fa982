#pragma once

#include "base/buffer.h"
#include "console/history.h"
#include "console/terminal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a terminal's lines, as a person takes them: soft-wrapped rows joined,
 * over the border between the history and the screen too. For searching. */

/* A line on the screen is cut behind the row that makes it this long; one in
 * the history is cut by the history, at about the same length. */
#define LINE_MAX_BYTES ((size_t)16 << 10)
#define LINE_MAX_SCREEN_ROWS 256

/* Zero-initialise it with the terminal set; line_reader_finish frees it. */
struct line_reader {
    struct terminal *terminal;         /* borrowed */
    struct buffer text;                /* owned */
    struct terminal_run *runs;         /* owned: run_count */
    size_t run_count;                  /* the terminal's columns, once read */
    size_t ends[LINE_MAX_SCREEN_ROWS]; /* where its rows on the screen end in
                                        * the text */
};
void line_reader_finish(struct line_reader *reader);

struct line {
    const char *text; /* UTF-8, gaps as blanks, not terminated; borrowed until
                       * the reader reads again or the terminal changes */
    size_t bytes;
    int row; /* its first one, in terminal_read_row's numbers */
    int rows;
    uint64_t id; /* of its first row; stays when the width changes */
    struct history_line history; /* the part of it there; no rows: none */
    size_t history_bytes;        /* of that part's text */
};

/* Reads the line that a row (which exists) is part of. */
void line_read(struct line_reader *reader, int row, struct line *ret_line);

/* A part of one row. */
struct line_span {
    int row;
    int col;
    int cols;
};

/* Where bytes start..end-1 of the text of the line that was read last stand,
 * row by row; one span without columns for an empty range. Returns how many
 * there are, at most max. */
size_t line_spans(const struct line_reader *reader, const struct line *line,
                  size_t start, size_t end, struct line_span *spans,
                  size_t max);

/* Finds the line that starts with the row of an id. O(history). */
bool line_find(struct terminal *terminal, uint64_t id, int *ret_row);
