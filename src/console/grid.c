#include "console/grid.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* Scrolls of the whole screen before the pointers move back to the start of
 * slots. */
#define GRID_MIN_SLACK 64u

void
grid_init(struct grid *grid, int rows, int cols)
{
    size_t count = (size_t)rows;
    size_t slack = count > GRID_MIN_SLACK ? count : GRID_MIN_SLACK;
    size_t row_bytes = sizeof(struct row) + (size_t)cols * sizeof(struct cell);
    *grid = (struct grid){.rows = rows,
                          .cols = cols,
                          .slot_count = count + slack,
                          .slots = xcalloc(count + slack, sizeof(struct row *)),
                          .memory = xreallocarray(NULL, count, row_bytes)};
    grid->row = grid->slots;
    for (size_t i = 0; i < count; i++) {
        grid->row[i] = (struct row *)((char *)grid->memory + i * row_bytes);
        *grid->row[i] = (struct row){0};
    }
}

void
grid_finish(struct grid *grid)
{
    free(grid->slots);
    free(grid->memory);
    *grid = (struct grid){0};
}

void
grid_copy(struct grid *copy, const struct grid *grid)
{
    *copy = (struct grid){0};
    if (!grid->memory)
        return;
    grid_init(copy, grid->rows, grid->cols);
    for (int i = 0; i < grid->rows; i++) {
        const struct row *row = grid->row[i];
        memcpy(copy->row[i], row,
               sizeof(*row) + row->used * sizeof(row->cells[0]));
    }
}

static void
scroll_whole(struct grid *grid)
{
    struct row **end = grid->slots + grid->slot_count;
    size_t count = (size_t)grid->rows;
    if (grid->row + count == end) {
        memmove(grid->slots, grid->row, count * sizeof(struct row *));
        grid->row = grid->slots;
    }
    grid->row[count] = grid->row[0];
    grid->row++;
}

static void
reverse(struct row **row, int from, int to)
{
    for (; from < to; from++, to--) {
        struct row *other = row[from];
        row[from] = row[to];
        row[to] = other;
    }
}

void
grid_rotate_up(struct grid *grid, int top, int bottom, int count)
{
    if (count == 1 && top == 0 && bottom == grid->rows - 1) {
        scroll_whole(grid);
        return;
    }
    struct row **row = grid->row;
    if (count == 1) {
        struct row *first = row[top];
        memmove(&row[top], &row[top + 1],
                (size_t)(bottom - top) * sizeof(struct row *));
        row[bottom] = first;
        return;
    }
    reverse(row, top, top + count - 1);
    reverse(row, top + count, bottom);
    reverse(row, top, bottom);
}

void
grid_rotate_down(struct grid *grid, int top, int bottom, int count)
{
    int size = bottom - top + 1;
    if (count < size)
        grid_rotate_up(grid, top, bottom, size - count);
}
