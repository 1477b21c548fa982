#include "tui/copy-mode-internal.h"
#include "tui/copy-save.h"
#include "tui/copy-take.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"

#include <limits.h>

/* --- motions that may have to wait ---------------------------------------- */

static const struct row_text *
on_row(void *data, int64_t row)
{
    return copy_row(data, row);
}

/* Runs the motion as often as it is to be repeated; false: it waits for a row,
 * which was asked for. */
static bool
run_motion(struct copy_mode *copy)
{
    struct motion_text text = {
        .row = on_row,
        .data = copy,
        .first = copy_first_row(copy),
        .last = copy_last_row(copy),
    };
    int64_t row = 0;
    while (motion_run(&copy->motion, &text, &row)) {
        struct place at = copy->motion.at;
        if (copy->repeats == 0) {
            copy_set_cursor(copy, at.row, at.col);
            return true;
        }
        copy->repeats--;
        motion_begin(&copy->motion, copy->motion.kind, copy->motion.is_long,
                     &at);
    }
    copy_fetch(copy, row);
    return false;
}

/* Whether something has to wait: moves up and down can do without the text of
 * the cursor's row, which comes with the next frame. */
static bool
has_to_wait(struct copy_mode *copy, copy_mode_fn run, int argument)
{
    static const bool is_vertical[] = {
        [COPY_UP] = true,          [COPY_DOWN] = true,
        [COPY_HALF_UP] = true,     [COPY_HALF_DOWN] = true,
        [COPY_PAGE_UP] = true,     [COPY_PAGE_DOWN] = true,
        [COPY_SCROLL_UP] = true,   [COPY_SCROLL_DOWN] = true,
        [COPY_TOP] = true,         [COPY_BOTTOM] = true,
        [COPY_MOVE_COUNT] = false,
    };
    if (run == copy_mode_count ||
        (run == copy_mode_move && is_vertical[argument]))
        return false;
    return !copy_row(copy, copy->cursor.row);
}

void
copy_drain(struct copy_mode *copy)
{
    struct pane *pane = copy->pane;
    while (pane->copy && !copy->is_moving && copy->queued > 0) {
        struct copy_command command = copy->queue[0];
        if (has_to_wait(copy, command.run, command.argument))
            return;
        copy->queued--;
        for (size_t i = 0; i < copy->queued; i++)
            copy->queue[i] = copy->queue[i + 1];
        command.run(pane, command.argument);
    }
}

void
copy_resume(struct copy_mode *copy)
{
    if (!copy->is_moving)
        return;
    copy->is_moving = !run_motion(copy);
    if (!copy->is_moving)
        copy_fetch_drop(copy);
    copy_drain(copy);
}

static void
begin_motion(struct copy_mode *copy, enum motion_kind kind, bool is_long,
             int count)
{
    motion_begin(&copy->motion, kind, is_long, &copy->cursor);
    copy->repeats = count - 1;
    copy->misses = 0;
    copy->is_moving = true;
    copy_resume(copy);
}

void
copy_mode_do(struct pane *pane, copy_mode_fn run, int argument)
{
    struct copy_mode *copy = pane->copy;
    if (!copy)
        return;
    if (!copy->is_moving && copy->queued == 0 &&
        !has_to_wait(copy, run, argument))
        run(pane, argument);
    else if (copy->queued < COPY_QUEUE_MAX)
        copy->queue[copy->queued++] = (struct copy_command){run, argument};
}

/* --- moves ---------------------------------------------------------------- */

static void
move_across(struct copy_mode *copy, int steps)
{
    const struct row_text *row = copy_row(copy, copy->cursor.row);
    int col = copy->cursor.col;
    for (; row && steps < 0 && col > 0; steps++)
        col = row_text_head(row, col - 1);
    for (; row && steps > 0 && col < row->cols; steps--)
        col = row_text_tail(row, col);
    copy_set_cursor(copy, copy->cursor.row, col);
    /* not beyond the row's end, from where the way back would be as long */
    copy->wanted_col = copy->cursor.col;
}

/* Moves the text and the cursor with it. */
static void
move_pages(struct copy_mode *copy, int64_t rows)
{
    int64_t row = copy->cursor.row + rows;
    copy_scroll_to(copy, copy->top + rows);
    copy_set_cursor(copy, row, copy->wanted_col);
}

/* Moves the text; the cursor stays on its row while that is shown. */
static void
move_text(struct copy_mode *copy, int64_t rows)
{
    copy_scroll_to(copy, copy->top + rows);
    int64_t row = copy->cursor.row;
    int64_t last = copy->top + copy->pane->view.rows - 1;
    if (row < copy->top)
        row = copy->top;
    if (row > last)
        row = last;
    copy_set_cursor(copy, row, copy->wanted_col);
}

static void
move_in_line(struct copy_mode *copy, enum copy_move move)
{
    const struct row_text *row = copy_row(copy, copy->cursor.row);
    int col = 0;
    if (move == COPY_LINE_INDENT && row)
        col = row_text_indent(row);
    if (move == COPY_LINE_END)
        col = INT_MAX;
    copy_set_cursor(copy, copy->cursor.row, col);
}

/* count: 0 for none. */
static void
move_to_row(struct copy_mode *copy, enum copy_move move, int count)
{
    int64_t rows = copy->pane->view.rows;
    int64_t row = copy->top;
    int64_t last = copy_last_row(copy);
    int away = count > 0 ? count - 1 : 0;
    if (move == COPY_SCREEN_TOP)
        row += away < rows ? away : rows - 1;
    else if (move == COPY_SCREEN_MIDDLE)
        row += (rows - 1) / 2;
    else if (move == COPY_SCREEN_BOTTOM)
        row += away < rows ? rows - 1 - away : 0;
    else if (move == COPY_TOP || count > 0)
        row = copy_first_row(copy) + away;
    else
        row = last;
    copy_set_cursor(copy, row < last ? row : last, copy->wanted_col);
}

static const struct {
    enum motion_kind kind;
    bool is_long;
} motions[] = {
    [COPY_WORD_NEXT] = {MOTION_WORD_NEXT, false},
    [COPY_WORD_PREVIOUS] = {MOTION_WORD_PREVIOUS, false},
    [COPY_WORD_END] = {MOTION_WORD_END, false},
    [COPY_LONG_WORD_NEXT] = {MOTION_WORD_NEXT, true},
    [COPY_LONG_WORD_PREVIOUS] = {MOTION_WORD_PREVIOUS, true},
    [COPY_LONG_WORD_END] = {MOTION_WORD_END, true},
    [COPY_PARAGRAPH_NEXT] = {MOTION_PARAGRAPH_NEXT, false},
    [COPY_PARAGRAPH_PREVIOUS] = {MOTION_PARAGRAPH_PREVIOUS, false},
};

void
copy_mode_move(struct pane *pane, int argument)
{
    struct copy_mode *copy = pane->copy;
    enum copy_move move = (enum copy_move)argument;
    int typed = copy->count;
    int count = typed > 0 ? typed : 1;
    int64_t page = pane->view.rows > 2 ? pane->view.rows : 2;
    copy->count = 0;
    copy->is_from_wheel = false;
    switch (move) {
    case COPY_LEFT:
    case COPY_RIGHT:
        move_across(copy, move == COPY_LEFT ? -count : count);
        break;
    case COPY_UP:
    case COPY_DOWN:
        copy_set_cursor(copy,
                        copy->cursor.row + (move == COPY_UP ? -count : count),
                        copy->wanted_col);
        break;
    case COPY_HALF_UP:
    case COPY_HALF_DOWN:
        move_pages(copy, page / 2 * (move == COPY_HALF_UP ? -count : count));
        break;
    case COPY_PAGE_UP:
    case COPY_PAGE_DOWN:
        move_pages(copy, (page - 1) * (move == COPY_PAGE_UP ? -count : count));
        break;
    case COPY_SCROLL_UP:
    case COPY_SCROLL_DOWN:
        move_text(copy, move == COPY_SCROLL_UP ? -count : count);
        break;
    case COPY_LINE_START:
    case COPY_LINE_INDENT:
    case COPY_LINE_END:
        move_in_line(copy, move);
        break;
    case COPY_SCREEN_TOP:
    case COPY_SCREEN_MIDDLE:
    case COPY_SCREEN_BOTTOM:
    case COPY_TOP:
    case COPY_BOTTOM:
        move_to_row(copy, move, typed);
        break;
    default:
        begin_motion(copy, motions[move].kind, motions[move].is_long, count);
        break;
    }
}

void
copy_mode_pan(struct pane *pane, int rows, int cols)
{
    struct copy_mode *copy = pane->copy;
    if (rows != 0)
        move_text(copy, rows);
    copy_show_cols(copy, copy->first_col + cols);
    int last = copy->first_col + pane->rect.cols - 1;
    if (copy->cursor.col < copy->first_col)
        copy->wanted_col = copy->first_col;
    if (copy->cursor.col > last)
        copy->wanted_col = last;
    copy_settle(copy);
    copy_changed(copy);
}

void
copy_mode_wheel(struct pane *pane, int rows)
{
    if (!pane->copy && rows > 0) {
        copy_mode_enter(pane);
        pane->copy->is_from_wheel = true;
    }
    struct copy_mode *copy = pane->copy;
    if (!copy)
        return;
    move_text(copy, -rows);
    bool is_newest = copy->top >= pane->view.dropped + pane->view.history;
    if (rows < 0 && is_newest && copy->is_from_wheel &&
        copy->selection.kind == SELECTION_NONE)
        copy_mode_leave(pane);
}

void
copy_mode_count(struct pane *pane, int digit)
{
    struct copy_mode *copy = pane->copy;
    if (digit == 0 && copy->count == 0) {
        copy_mode_move(pane, COPY_LINE_START);
        return;
    }
    copy->count = copy->count * 10 + digit;
    if (copy->count > COPY_COUNT_MAX)
        copy->count = COPY_COUNT_MAX;
}

/* --- selecting ------------------------------------------------------------ */

void
copy_mode_select(struct pane *pane, int kind)
{
    struct copy_mode *copy = pane->copy;
    struct selection *selection = &copy->selection;
    copy->count = 0;
    copy->is_from_wheel = false;
    if (selection->kind == (enum selection_kind)kind) {
        copy_drop_selection(copy);
        return;
    }
    if (selection->kind == SELECTION_NONE)
        selection->anchor = copy->cursor;
    selection->kind = (enum selection_kind)kind;
    copy_settle(copy);
    pane_changed(pane);
    copy_changed(copy);
}

void
copy_mode_other_end(struct pane *pane, int unused)
{
    (void)unused;
    struct copy_mode *copy = pane->copy;
    struct place head = copy->selection.head;
    copy->count = 0;
    if (copy->selection.kind == SELECTION_NONE)
        return;
    struct place anchor = copy->selection.anchor;
    copy->selection.anchor = head;
    copy_set_cursor(copy, anchor.row, anchor.col);
}

void
copy_mode_cancel(struct pane *pane, int unused)
{
    (void)unused;
    struct copy_mode *copy = pane->copy;
    copy->count = 0;
    if (copy->selection.kind != SELECTION_NONE)
        copy_drop_selection(copy);
    else
        copy_mode_leave(pane);
}

void
copy_mode_copy(struct pane *pane, int flags)
{
    struct copy_mode *copy = pane->copy;
    struct deck *deck = pane->deck;
    if (copy->selection.kind == SELECTION_NONE) {
        copy_mode_leave(pane);
        return;
    }
    struct selection_extent extent = selection_extent(&copy->selection);
    copy_take(deck, pane->target, &extent, (unsigned)flags);
    copy_mode_leave(pane);
}

void
copy_mode_save(struct pane *pane, int unused)
{
    (void)unused;
    struct copy_mode *copy = pane->copy;
    copy->count = 0;
    if (copy->selection.kind == SELECTION_NONE) {
        status_message(pane->deck, DECK_INFO, "nothing is selected to save");
        return;
    }
    struct selection_extent extent = selection_extent(&copy->selection);
    copy_save_ask(pane->deck, pane->target, &extent);
}
