#pragma once

#include "base/buffer.h"
#include "console/row.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The scrollback of one console, in a compact form: a ring of rows as text and
 * style runs, packed one behind the other into blocks. Rows that continue one
 * another (soft-wrapped) form a line, which is wrapped anew when it is read at
 * another width than it was written; nothing is converted on a resize.
 *
 * Rows are numbered from the oldest, 0 .. history_rows-1. */
struct history;
struct history_block;
struct freezer;

struct history_config {
    size_t max_rows;         /* as written; 0: nothing is kept */
    int cols;                /* the present width */
    size_t block_bytes;      /* of a full-sized block; 0: the usual size */
    struct freezer *freezer; /* compresses the blocks that nobody looks at;
                              * borrowed, lives longer; NULL: they stay */
};

/* Bytes of a full-sized block. */
#define HISTORY_BLOCK_BYTES ((size_t)64 << 10)

struct history *history_new(const struct history_config *config);
void history_free(struct history *history);

/* Another history with the same rows, which share their memory until either is
 * written to. O(blocks). */
struct history *history_copy(const struct history *history);

/* Appends a copy of a row as the newest one; the oldest goes when there are
 * too many. */
void history_push(struct history *history, const struct row *row,
                  const struct cell_pool *pool);

/* Rows at the present width; O(1). */
size_t history_rows(const struct history *history);

/* Rows dropped at the old end, as wrapped when they went. */
uint64_t history_dropped(const struct history *history);

/* Bytes of memory in use, but for what the freezer makes smaller: these bytes
 * are bounded. */
size_t history_bytes(const struct history *history);

/* Wraps at another width from now on. O(blocks) while no row is longer than the
 * width, else it looks at each row's length. */
void history_set_cols(struct history *history, int cols);

/* Keeps so many rows, as written, from now on; the oldest ones beyond go. */
void history_set_max_rows(struct history *history, size_t max_rows);

/* Reads row number row < history_rows; see terminal_read_row. *ret_cols (may
 * be NULL): the row's columns, a gap at its end included. */
size_t history_read(struct history *history, size_t row,
                    struct terminal_run *runs, size_t max_runs,
                    unsigned *ret_flags, int *ret_cols);

struct terminal_row_stamp history_stamp(struct history *history, size_t row);

/* A line: a row that was written, or several that continue one another. One of
 * more than a share of a block is in pieces, each a line of its own here. */
struct history_line {
    size_t row;  /* its first one at the present width */
    size_t rows; /* at the present width */
    uint64_t id; /* the first row's stamp, which stays when it is wrapped
                  * anew */
    const struct history_block *block; /* the history's own */
    uint32_t first;                    /* likewise: its entries */
    uint32_t end;
};

/* The line that row number row < history_rows is part of. O(1) when lines are
 * asked for in order, else O(rows of a block); borrowed until the history
 * changes, at most for this loop turn. */
void history_find_line(struct history *history, size_t row,
                       struct history_line *ret_line);

/* The line's text without styles, gaps as blanks: where it stands (borrowed),
 * when it does so in one piece, else NULL. */
const char *history_line_text(const struct history_line *line,
                              size_t *ret_bytes);
/* Appends it to a buffer. */
void history_line_append(const struct history_line *line, struct buffer *text);

/* How many bytes of the line's text, from a row's start on, stand in that row:
 * its number counts from the line's first. text: all of the line's. */
size_t history_line_row_bytes(const struct history *history,
                              const struct history_line *line, size_t row,
                              const char *text, size_t bytes, size_t start);

/* Finds the row that starts with the entry of an id. O(content). */
bool history_find_id(const struct history *history, uint64_t id,
                     size_t *ret_row);

/* Rows, at the present width, of the newest line; 0 when there is none. */
size_t history_last_line_rows(const struct history *history);

/* Whether the newest line goes on in the row that is pushed next. */
bool history_is_open(const struct history *history);

/* Takes the newest line away. */
void history_drop_last_line(struct history *history);

/* What is wrong with the history, or NULL. O(content). For tests. */
const char *history_check(struct history *history);
