#pragma once

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

struct history_config {
    size_t max_rows;    /* as written; 0: nothing is kept */
    int cols;           /* the present width */
    size_t block_bytes; /* of a full-sized block; 0: the usual size */
};

/* Bytes of a full-sized block. */
#define HISTORY_BLOCK_BYTES ((size_t)64 << 10)

struct history *history_new(const struct history_config *config);
void history_free(struct history *history);

/* Appends a copy of a row as the newest one; the oldest goes when there are
 * too many. */
void history_push(struct history *history, const struct row *row,
                  const struct cell_pool *pool);

/* Rows at the present width; O(1). */
size_t history_rows(const struct history *history);

/* Rows dropped at the old end, as wrapped when they went. */
uint64_t history_dropped(const struct history *history);

/* Bytes of memory in use. */
size_t history_bytes(const struct history *history);

/* Wraps at another width from now on. O(blocks) while no row is longer than the
 * width, else it looks at each row's length. */
void history_set_cols(struct history *history, int cols);

/* Reads row number row < history_rows; see terminal_read_row. *ret_cols (may
 * be NULL): the row's columns, a gap at its end included. */
size_t history_read(struct history *history, size_t row,
                    struct terminal_run *runs, size_t max_runs,
                    unsigned *ret_flags, int *ret_cols);

struct terminal_row_stamp history_stamp(struct history *history, size_t row);

/* Rows, at the present width, of the newest line; 0 when there is none. */
size_t history_last_line_rows(const struct history *history);

/* Whether the newest line goes on in the row that is pushed next. */
bool history_is_open(const struct history *history);

/* Takes the newest line away. */
void history_drop_last_line(struct history *history);

/* What is wrong with the history, or NULL. O(content). For tests. */
const char *history_check(struct history *history);
