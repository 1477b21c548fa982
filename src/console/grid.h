#pragma once

#include "console/row.h"

/* One screen: rows of cells by pointers. A scroll moves pointers, never
 * cells. */
struct grid {
    int rows;
    int cols;
    /* Borrowed into slots: row[0 .. rows-1], top to bottom. It slides through
     * slots, so that a scroll of the whole screen moves one pointer. */
    struct row **row;
    struct row **slots; /* owned */
    size_t slot_count;
    void *memory; /* owned; all rows */
};

/* Empty rows. Their ids and versions are the caller's to set. */
void grid_init(struct grid *grid, int rows, int cols);
void grid_finish(struct grid *grid);
/* Makes a copy; of one that was never made, another such. */
void grid_copy(struct grid *copy, const struct grid *grid);

/* Rotates rows top..bottom (both included) up by count: the rows that were at
 * the top come to stand at the bottom, contents untouched. 0 < count <= bottom
 * - top + 1. */
void grid_rotate_up(struct grid *grid, int top, int bottom, int count);

/* The opposite direction. */
void grid_rotate_down(struct grid *grid, int top, int bottom, int count);
