#include "tui/selection.h"

#include <limits.h>

bool
place_is_before(const struct place *a, const struct place *b)
{
    return a->row < b->row || (a->row == b->row && a->col < b->col);
}

struct selection_extent
selection_extent(const struct selection *selection)
{
    const struct place *first = &selection->anchor;
    const struct place *last = &selection->head;
    if (place_is_before(last, first)) {
        first = &selection->head;
        last = &selection->anchor;
    }
    struct selection_extent extent = {
        .first = first->row,
        .last = last->row,
        .first_col = first->col,
        .last_col = last->col,
        .is_block = selection->kind == SELECTION_BLOCK,
    };
    if (selection->kind == SELECTION_LINES) {
        extent.first_col = 0;
        extent.last_col = INT_MAX;
        extent.is_lines = true;
    }
    if (extent.is_block && extent.last_col < extent.first_col) {
        extent.first_col = last->col;
        extent.last_col = first->col;
    }
    return extent;
}

bool
selection_cols(const struct selection *selection, int64_t row, int cols,
               int *ret_from, int *ret_to)
{
    if (selection->kind == SELECTION_NONE)
        return false;
    struct selection_extent extent = selection_extent(selection);
    if (row < extent.first || row > extent.last)
        return false;
    int from = extent.is_block || row == extent.first ? extent.first_col : 0;
    int to = extent.is_block || row == extent.last ? extent.last_col : INT_MAX;
    if (to >= cols)
        to = cols - 1;
    *ret_from = from;
    *ret_to = to;
    return from <= to;
}

bool
selection_drop_before(struct selection *selection, int64_t oldest)
{
    struct place *first = &selection->anchor;
    struct place *last = &selection->head;
    if (place_is_before(last, first)) {
        first = &selection->head;
        last = &selection->anchor;
    }
    if (last->row < oldest)
        return false;
    if (first->row < oldest) {
        first->row = oldest;
        if (selection->kind != SELECTION_BLOCK)
            first->col = 0;
    }
    return true;
}
