#pragma once

#include "console/cell.h"
#include "console/terminal.h"

#include <stdint.h>

enum row_flags {
    ROW_WRAPPED = 1 << 0, /* the next row continues this line */
    ROW_COMPLEX = 1 << 1, /* not only ASCII in the default style */
    ROW_WIDE = 1 << 2,    /* may hold wide characters */
};

/* One line of the screen. Cells from used on are empty in the default style
 * and their memory is undefined, so that clearing a row costs nothing. */
struct row {
    uint64_t id;
    uint64_t version;
    uint16_t used;
    uint16_t flags;    /* enum row_flags */
    uint32_t reserved; /* lets the cells start at a multiple of 8 bytes */
    struct cell cells[];
};

/* Makes a row empty; its identity stays. */
static inline void
row_reset(struct row *row)
{
    row->used = 0;
    row->flags = 0;
}

/* What row_open does for gaps and wide characters. */
void row_open_with_care(struct row *row, int from, int to);

/* Makes columns from..to-1 writable: fills the gap before them, cuts wide
 * characters that stick out at either end, and counts them as used. The caller
 * writes every one of these cells. */
static inline void
row_open(struct row *row, int from, int to)
{
    if (from > row->used || (row->flags & ROW_WIDE))
        row_open_with_care(row, from, to);
    if (row->used < to)
        row->used = (uint16_t)to;
}

/* Erases columns from..to-1 of a row that is cols wide; style: number of the
 * style that the blanks get. */
void row_erase(struct row *row, int cols, int from, int to, uint32_t style);

/* Shifts what stands from column at to end-1 by count columns to the right; the
 * gap is blank, what goes beyond end is gone. end: cols, or a margin. */
void row_insert(struct row *row, int cols, int at, int end, int count,
                uint32_t style);

/* Removes count columns at a column; the rest up to end moves left, blanks
 * follow. */
void row_delete(struct row *row, int cols, int at, int end, int count,
                uint32_t style);

/* Copies the cells from column at on, count of them; halves of wide characters
 * become blanks. */
void row_take(const struct row *row, int at, int count, struct cell *cells);

/* Puts cells that row_take copied over what stands from column at on. */
void row_put(struct row *row, int at, const struct cell *cells, int count);

/* Columns in use without the blanks at the end; a wrapped row keeps them, the
 * line goes on. */
int row_content_cols(const struct row *row);

/* Writes a row's content as runs. scratch: room for the row's text, used *
 * CELL_MAX_BYTES at most. Returns the number of runs. */
size_t row_read(const struct row *row, const struct cell_pool *pool,
                char *scratch, struct terminal_run *runs, size_t max_runs);

/* Appends a run's text at its column; the row must be as wide. */
void row_write_run(struct row *row, struct cell_pool *pool,
                   const struct terminal_run *run);

/* What is wrong with a row of so many columns, or NULL. For tests. */
const char *row_check(const struct row *row, int cols,
                      const struct cell_pool *pool);
