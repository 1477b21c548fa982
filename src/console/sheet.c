#include "console/sheet.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* Rows that the first allocation has room for. */
#define START_CAPACITY 64u

void
sheet_finish(struct sheet *sheet)
{
    for (size_t i = 0; i < sheet->count; i++)
        free(sheet->row[i]);
    free(sheet->row);
    *sheet = (struct sheet){0};
}

struct row *
sheet_add(struct sheet *sheet)
{
    if (sheet->count == sheet->capacity) {
        sheet->capacity =
            sheet->capacity ? sheet->capacity * 2 : START_CAPACITY;
        sheet->row =
            xreallocarray(sheet->row, sheet->capacity, sizeof(struct row *));
    }
    struct row *row =
        xmalloc(sizeof(struct row) + (size_t)sheet->cols * sizeof(struct cell));
    *row = (struct row){0};
    sheet->row[sheet->count++] = row;
    return row;
}

void
sheet_copy_row(struct row *to, const struct row *from)
{
    to->id = from->id;
    to->version = from->version;
    to->used = from->used;
    to->flags = from->flags;
    memcpy(to->cells, from->cells, from->used * sizeof(struct cell));
}

void
sheet_add_copy(struct sheet *sheet, const struct row *row)
{
    sheet_copy_row(sheet_add(sheet), row);
}

struct reflow {
    const struct sheet *from;
    struct sheet *to;
    struct sheet_place place;
    struct sheet_place moved;
};

/* Appends cells of a row to the line at the end of the new sheet. */
static void
flow_cells(struct reflow *reflow, const struct row *row, int from, int to)
{
    struct sheet *sheet = reflow->to;
    for (int col = from; col < to;) {
        bool is_wide =
            col + 1 < row->used && row->cells[col + 1].symbol == CELL_TAIL;
        int width = is_wide ? 2 : 1;
        struct row *out = sheet->row[sheet->count - 1];
        if (out->used + width > sheet->cols) {
            out->flags |= ROW_WRAPPED;
            out = sheet_add(sheet);
        }
        memcpy(&out->cells[out->used], &row->cells[col],
               (size_t)width * sizeof(struct cell));
        out->used = (uint16_t)(out->used + width);
        out->flags |= row->flags & (ROW_COMPLEX | ROW_WIDE);
        col += width;
    }
}

/* Notes where the place went: behind what the new sheet has so far, or beyond
 * columns further on blank ground. */
static void
mark_place(struct reflow *reflow, int beyond, bool goes_on)
{
    struct sheet *sheet = reflow->to;
    int used = sheet->row[sheet->count - 1]->used;
    int col = used + beyond;
    if (beyond > 0 && col >= sheet->cols)
        col = sheet->cols - 1;
    reflow->moved = (struct sheet_place){.row = sheet->count - 1, .col = col};
    if (goes_on && used == sheet->cols) /* what follows starts a row */
        reflow->moved = (struct sheet_place){.row = sheet->count};
}

static void
flow_row(struct reflow *reflow, size_t number)
{
    const struct row *row = reflow->from->row[number];
    int cols = row_content_cols(row);
    if (number != reflow->place.row) {
        flow_cells(reflow, row, 0, cols);
        return;
    }
    /* Blanks at a line's end do not belong to it, but before the place. */
    int col = reflow->place.col;
    if (cols < col)
        cols = col < row->used ? col : row->used;
    int mark = col < cols ? col : cols;
    if (mark < row->used && row->cells[mark].symbol == CELL_TAIL)
        mark--;
    flow_cells(reflow, row, 0, mark);
    mark_place(reflow, col > cols ? col - cols : 0, mark < cols);
    flow_cells(reflow, row, mark, cols);
}

struct sheet_place
sheet_reflow(const struct sheet *from, struct sheet *to,
             struct sheet_place place)
{
    struct reflow reflow = {.from = from, .to = to, .place = place};
    bool goes_on = false;
    for (size_t i = 0; i < from->count; i++) {
        if (!goes_on)
            sheet_add(to)->id = from->row[i]->id;
        flow_row(&reflow, i);
        goes_on = from->row[i]->flags & ROW_WRAPPED;
    }
    /* What follows the sheet is blank: the last line ends here. */
    return reflow.moved;
}
