#include "tui/copy-mode.h"

#include "base/xalloc.h"
#include "tui/copy-mode-internal.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/scrub.h"

#include <stdlib.h>
#include <string.h>

int64_t
copy_first_row(const struct copy_mode *copy)
{
    return copy->pane->view.dropped;
}

int64_t
copy_last_row(const struct copy_mode *copy)
{
    const struct mirror_view *view = &copy->pane->view;
    int rows = view->console_rows > 0 ? view->console_rows : 1;
    return view->dropped + view->history + rows - 1;
}

const struct row_text *
copy_row(struct copy_mode *copy, int64_t row)
{
    const struct pane *pane = copy->pane;
    int64_t index = row - pane->view.top;
    /* (rows whose beginning is left of the view are on their way as a whole) */
    if (!pane->has_frame || pane->view.origin_col > 0 || index < 0 ||
        index >= pane->view.rows)
        return copy_fetched_row(copy, row);
    if (row != copy->row_number) {
        row_text_read(&copy->row, &pane->view.lines[index], pane->view.cols);
        copy->row_number = row;
    }
    return &copy->row;
}

void
copy_changed(struct copy_mode *copy)
{
    struct pane *pane = copy->pane;
    if (copy->selection.kind != SELECTION_NONE || copy->mark_count > 0)
        pane_changed(pane);
    else
        pane_title_changed(pane);
    pane_update_cursor(pane);
    status_changed(pane->deck);
}

void
copy_settle(struct copy_mode *copy)
{
    struct place *cursor = &copy->cursor;
    int64_t first = copy_first_row(copy);
    int64_t last = copy_last_row(copy);
    if (cursor->row > last)
        cursor->row = last;
    if (cursor->row < first)
        cursor->row = first;
    int limit = copy->pane->view.cols;
    const struct row_text *row = copy_row(copy, cursor->row);
    if (row && copy->selection.kind != SELECTION_BLOCK)
        limit = row_text_end(row);
    cursor->col = copy->wanted_col < limit ? copy->wanted_col : limit - 1;
    if (cursor->col < 0)
        cursor->col = 0;
    if (row)
        cursor->col = row_text_head(row, cursor->col);
    copy->selection.head = *cursor;
}

static int64_t
clamp_top(const struct copy_mode *copy, int64_t top)
{
    const struct mirror_view *view = &copy->pane->view;
    int below = view->console_rows - view->rows;
    int64_t last = view->dropped + view->history + (below > 0 ? below : 0);
    if (top > last)
        top = last;
    return top < view->dropped ? view->dropped : top;
}

void
copy_scroll_to(struct copy_mode *copy, int64_t top)
{
    top = clamp_top(copy, top);
    if (top == copy->top)
        return;
    copy->top = top;
    pane_change_view(copy->pane, json_pack("{s:I}", "top", (json_int_t)top));
}

int
copy_mode_view_cols(const struct pane *pane)
{
    int cols = pane->rect.cols;
    return pane->copy && pane->view.console_cols > cols
               ? pane->view.console_cols
               : cols;
}

int
copy_mode_shift(const struct pane *pane)
{
    /* a live view's rows begin at its origin, until the whole ones come */
    int shift = pane->copy ? pane->copy->first_col - pane->view.origin_col : 0;
    return shift > 0 ? shift : 0;
}

int
copy_mode_first_col(const struct pane *pane)
{
    return pane->copy ? pane->copy->first_col : pane->view.origin_col;
}

void
copy_show_cols(struct copy_mode *copy, int first_col)
{
    struct pane *pane = copy->pane;
    int last = copy_mode_view_cols(pane) - pane->rect.cols;
    if (first_col > last)
        first_col = last;
    if (first_col < 0)
        first_col = 0;
    if (first_col == copy->first_col)
        return;
    copy->first_col = first_col;
    pane_changed(pane);
}

/* Has the view be as wide as the console, or as the pane again. The console's
 * own width is not to follow it. */
static void
fit_view(struct pane *pane, json_t *arguments)
{
    int cols = copy_mode_view_cols(pane);
    bool has_changed = cols != pane->view.cols;
    if (has_changed) {
        mirror_view_resize(&pane->view, pane_rows(pane), cols);
        json_object_set_new(arguments, "cols", json_integer(cols));
        json_object_set_new(arguments, "resize", json_false());
    }
    if (has_changed || json_object_size(arguments) > 0)
        pane_change_view(pane, json_incref(arguments));
    json_decref(arguments);
    if (has_changed && !pane->copy && !pane->deck->options->is_read_only)
        pane_change_view(pane, json_pack("{s:b}", "resize", 1));
}

static void
reveal(struct copy_mode *copy)
{
    int rows = copy->pane->view.rows;
    int cols = copy->pane->rect.cols;
    int col = copy->cursor.col;
    if (col < copy->first_col || col >= copy->first_col + cols)
        copy_show_cols(copy, col < cols ? 0 : col - cols / 2);
    if (copy->cursor.row < copy->top)
        copy_scroll_to(copy, copy->cursor.row);
    else if (copy->cursor.row >= copy->top + rows)
        copy_scroll_to(copy, copy->cursor.row - rows + 1);
}

void
copy_set_cursor(struct copy_mode *copy, int64_t row, int wanted_col)
{
    copy->cursor.row = row;
    copy->wanted_col = wanted_col;
    copy_settle(copy);
    reveal(copy);
    copy_changed(copy);
}

void
copy_drop_selection(struct copy_mode *copy)
{
    if (copy->selection.kind == SELECTION_NONE)
        return;
    copy->selection.kind = SELECTION_NONE;
    copy_settle(copy);
    pane_changed(copy->pane);
    copy_changed(copy);
}

/* --- beginning and end ---------------------------------------------------- */

void
copy_mode_enter(struct pane *pane)
{
    if (pane->copy)
        return;
    scrub_close(pane);
    struct mirror_view *view = &pane->view;
    struct copy_mode *copy = xcalloc(1, sizeof(*copy));
    pane->copy = copy;
    copy->pane = pane;
    copy->row_number = -1;
    copy->top = view->top;
    copy->cols = view->console_cols;
    copy->cursor.row =
        view->top + (view->cursor_row >= 0 ? view->cursor_row : view->rows - 1);
    copy->first_col = view->origin_col;
    copy->wanted_col = view->cursor_row >= 0
                           ? view->cursor_col + view->origin_col
                           : view->origin_col;
    copy_settle(copy);
    fit_view(pane, json_pack("{s:I}", "top", (json_int_t)copy->top));
    pane_changed(pane);
    status_changed(pane->deck);
    arrange_cursor(pane->deck);
}

void
copy_mode_drop(struct pane *pane)
{
    if (!pane->copy)
        return;
    copy_fetch_drop(pane->copy);
    row_text_finish(&pane->copy->row);
    free(pane->copy);
    pane->copy = NULL;
}

void
copy_mode_leave(struct pane *pane)
{
    if (!pane->copy)
        return;
    copy_mode_drop(pane);
    fit_view(pane, json_pack("{s:i}", "scroll", 0));
    pane_changed(pane);
    pane_update_cursor(pane);
    status_changed(pane->deck);
}

void
copy_mode_go(struct pane *pane, const struct place *place)
{
    copy_mode_enter(pane);
    struct copy_mode *copy = pane->copy;
    if (place->row < copy->top || place->row >= copy->top + pane->view.rows)
        copy_scroll_to(copy, place->row - pane->view.rows / 2);
    copy_set_cursor(copy, place->row, place->col);
}

void
copy_mode_mark(struct pane *pane, const struct copy_mark *marks, size_t count,
               int cols)
{
    struct copy_mode *copy = pane->copy;
    if (!copy)
        return;
    copy->mark_count = count < COPY_MARKS_MAX ? count : COPY_MARKS_MAX;
    memcpy(copy->marks, marks, copy->mark_count * sizeof(*marks));
    copy->marks_cols = cols;
    pane_changed(pane);
}

/* --- with every frame ----------------------------------------------------- */

/* A console of another width has its lines wrapped anew: rows have other
 * numbers. */
static void
check_width(struct copy_mode *copy)
{
    struct pane *pane = copy->pane;
    if (copy->cols == pane->view.console_cols)
        return;
    copy->cols = pane->view.console_cols;
    fit_view(pane, json_object());
    copy_show_cols(copy, copy->first_col);
    copy->is_moving = false;
    copy->queued = 0;
    copy->marked_top = -1;
    copy_fetch_drop(copy);
    if (copy->selection.kind == SELECTION_NONE)
        return;
    copy_drop_selection(copy);
    status_message(pane->deck, DECK_WARNING,
                   "the console's width changed: the selection is gone");
}

void
copy_mode_placed(struct pane *pane)
{
    if (!pane->copy)
        return;
    copy_show_cols(pane->copy, pane->copy->first_col);
    reveal(pane->copy);
    copy_changed(pane->copy);
}

void
copy_mode_moved(struct pane *pane, const json_t *rows, int64_t top)
{
    struct copy_mode *copy = pane->copy;
    int cols = pane->view.console_cols;
    if (!copy || cols < 1 || copy->cursor.row < top)
        return;
    const json_t *row = json_array_get(rows, (size_t)(copy->cursor.row - top));
    int64_t at = json_integer_value(json_array_get(row, 0));
    int64_t col = json_integer_value(json_array_get(row, 1)) + copy->cursor.col;
    if (!row)
        return;
    check_width(copy);
    copy->top = pane->view.top;
    copy_set_cursor(copy, at + col / cols, (int)(col % cols));
}

void
copy_mode_screen(struct pane *pane)
{
    struct copy_mode *copy = pane->copy;
    if (!copy)
        return;
    struct place before = copy->cursor;
    copy->row_number = -1;
    check_width(copy);
    if (copy->selection.kind != SELECTION_NONE &&
        !selection_drop_before(&copy->selection, copy_first_row(copy))) {
        copy_drop_selection(copy);
        status_message(pane->deck, DECK_WARNING,
                       "the selected rows left the history");
    }
    copy->top = clamp_top(copy, copy->top);
    copy_settle(copy);
    if (copy->cursor.col > before.col)
        reveal(copy); /* the row was cut, and is there as a whole now */
    if (copy->cursor.row != before.row || copy->cursor.col != before.col)
        copy_changed(copy);
    copy_search_mark(copy);
    copy_drain(copy);
}

/* --- what is shown -------------------------------------------------------- */

bool
copy_mode_cursor(const struct pane *pane, int *ret_row, int *ret_col)
{
    if (!pane->copy)
        return false;
    int64_t row = pane->copy->cursor.row - pane->view.top;
    int col = pane->copy->cursor.col - pane->copy->first_col;
    if (row < 0 || row >= pane->view.rows || col < 0 || col >= pane->rect.cols)
        return false;
    *ret_row = (int)row;
    *ret_col = col;
    return true;
}

/* Whether a row's line goes on in the next one, as far as that is known. */
static bool
is_wrapped(const struct pane *pane, int64_t row)
{
    int64_t index = row - pane->view.top;
    return index >= 0 && index < pane->view.rows &&
           pane->view.lines[index].is_wrapped;
}

/* Whether a row outside of a selection of lines belongs to its first or its
 * last line. */
static bool
is_of_selected_line(const struct copy_mode *copy, int64_t row)
{
    if (copy->selection.kind != SELECTION_LINES)
        return false;
    struct selection_extent extent = selection_extent(&copy->selection);
    int64_t from = row < extent.first ? row : extent.last;
    int64_t to = row < extent.first ? extent.first : row;
    for (int64_t at = from; at < to; at++) {
        if (!is_wrapped(copy->pane, at))
            return false;
    }
    return true;
}

size_t
copy_mode_spans(const struct pane *pane, int index,
                struct copy_span spans[COPY_SPANS_MAX])
{
    const struct copy_mode *copy = pane->copy;
    size_t count = 0;
    if (!copy || !pane->has_frame)
        return 0;
    int64_t row = pane->view.top + index;
    int from = 0;
    int to = 0;
    for (size_t i = 0; i < copy->mark_count && count + 1 < COPY_SPANS_MAX;
         i++) {
        const struct copy_mark *mark = &copy->marks[i];
        if (mark->row != row || mark->from >= pane->view.cols ||
            copy->marks_cols != pane->view.console_cols)
            continue;
        bool is_current = row == copy->cursor.row &&
                          copy->cursor.col >= mark->from &&
                          copy->cursor.col <= mark->to;
        spans[count++] = (struct copy_span){
            .from = mark->from,
            .to = mark->to,
            .role = is_current ? THEME_MATCH_CURRENT : THEME_MATCH,
        };
    }
    if (selection_cols(&copy->selection, row, pane->view.cols, &from, &to))
        spans[count++] =
            (struct copy_span){.from = from, .to = to, .role = THEME_SELECTION};
    else if (is_of_selected_line(copy, row))
        spans[count++] = (struct copy_span){
            .from = 0, .to = pane->view.cols - 1, .role = THEME_SELECTION};
    return count;
}

char *
copy_mode_badge(const struct pane *pane)
{
    static const char *const words[] = {
        [SELECTION_NONE] = "scrollback",
        [SELECTION_CHARS] = "select",
        [SELECTION_LINES] = "select lines",
        [SELECTION_BLOCK] = "select block",
    };
    const struct copy_mode *copy = pane->copy;
    if (!copy)
        return xasprintf(" scrollback %s ", pane->target);
    int64_t row = copy->cursor.row - copy_first_row(copy) + 1;
    return xasprintf(" %s %s %lld:%d ", words[copy->selection.kind],
                     pane->target, (long long)row, copy->cursor.col + 1);
}
