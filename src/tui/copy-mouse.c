#include "tui/copy-mouse.h"

#include "base/clock.h"
#include "base/loop.h"
#include "tui/copy-mode-internal.h"
#include "tui/copy-take.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"

#include <stdlib.h>

static int
title_rows(const struct pane *pane)
{
    return pane->deck->options->is_single ? 0 : 1;
}

/* The view's row and the console's column under the mouse; rows outside are one
 * beyond. */
static void
find_cell(const struct pane *pane, const TickitMouseEventInfo *event,
          int *ret_row, int *ret_col)
{
    int row = event->line - pane->rect.row - title_rows(pane);
    int col = event->col - pane->rect.col;
    if (row < -1)
        row = -1;
    if (row > pane->view.rows)
        row = pane->view.rows;
    if (col >= pane->rect.cols)
        col = pane->rect.cols - 1;
    *ret_row = row;
    *ret_col = (col < 0 ? 0 : col) + copy_mode_first_col(pane);
}

static bool
is_usable(const struct deck *deck)
{
    const struct copy_mouse *mouse = &deck->mouse;
    return mouse->pane && mouse->pane == deck->focus && mouse->pane->window &&
           mouse->pane->has_frame;
}

static void
begin(struct copy_mouse *mouse)
{
    if (mouse->pane->copy)
        return;
    copy_mode_enter(mouse->pane);
    mouse->has_begun = true;
}

static void
select_from(struct copy_mode *copy, enum selection_kind kind,
            const struct place *anchor, const struct place *head)
{
    copy->selection.kind = kind;
    copy_set_cursor(copy, anchor->row, anchor->col);
    copy->selection.anchor = copy->cursor;
    copy_set_cursor(copy, head->row, head->col);
    pane_changed(copy->pane);
}

/* A second click at a place takes the word there, a third one the line. */
static void
select_clicked(struct copy_mouse *mouse)
{
    begin(mouse);
    struct copy_mode *copy = mouse->pane->copy;
    struct place from = mouse->start;
    struct place to = mouse->start;
    const struct row_text *row = copy_row(copy, from.row);
    if (mouse->clicks == 2 && row)
        row_text_word(row, from.col, &from.col, &to.col);
    select_from(copy, mouse->clicks == 2 ? SELECTION_CHARS : SELECTION_LINES,
                &from, &to);
}

static void
copy_selection(struct deck *deck)
{
    struct copy_mouse *mouse = &deck->mouse;
    struct pane *pane = mouse->pane;
    if (!is_usable(deck) || !pane->copy ||
        pane->copy->selection.kind == SELECTION_NONE)
        return;
    struct selection_extent extent = selection_extent(&pane->copy->selection);
    copy_take(deck, pane->target, &extent, COPY_TAKE_NEW);
    if (mouse->has_begun)
        copy_mode_leave(pane);
    mouse->has_begun = false;
}

static void
on_clicks_over(void *data)
{
    copy_selection(data);
}

/* Above the first row (-1) or below the last one (1), where a drag scrolls; a
 * row at the terminal's own edge is as far out as the mouse can go. */
static int
find_beyond(const struct pane *pane, const TickitMouseEventInfo *event, int row)
{
    if (row < 0 || (row == 0 && event->line == 0))
        return -1;
    bool is_last = row == pane->view.rows - 1;
    return row >= pane->view.rows ||
           (is_last &&
            event->line == tickit_window_lines(pane->deck->root) - 1);
}

/* Takes one row more, while the mouse rests outside. */
static void
on_scroll(void *data)
{
    struct deck *deck = data;
    struct copy_mouse *mouse = &deck->mouse;
    if (!is_usable(deck) || !mouse->is_dragging || !mouse->beyond ||
        !mouse->pane->copy)
        return;
    struct copy_mode *copy = mouse->pane->copy;
    int64_t row = copy->cursor.row + mouse->beyond;
    if (row >= copy_first_row(copy) && row <= copy_last_row(copy))
        copy_set_cursor(copy, row, mouse->col);
    loop_timer_start(mouse->scroll, COPY_MOUSE_SCROLL_MS);
}

static void
scroll_from(struct deck *deck, int beyond, int col)
{
    struct copy_mouse *mouse = &deck->mouse;
    mouse->beyond = beyond;
    mouse->col = col;
    if (!beyond)
        return;
    if (!mouse->scroll)
        mouse->scroll = loop_timer_new(&deck->loop, on_scroll, deck);
    if (!loop_timer_is_armed(mouse->scroll))
        loop_timer_start(mouse->scroll, COPY_MOUSE_SCROLL_MS);
}

void
copy_mouse_press(struct deck *deck, struct pane *pane,
                 const TickitMouseEventInfo *event)
{
    struct copy_mouse *mouse = &deck->mouse;
    int row = 0;
    int col = 0;
    find_cell(pane, event, &row, &col);
    if (row < 0 || row >= pane->view.rows || !pane->has_frame)
        return;
    struct place place = {.row = pane->view.top + row, .col = col};
    uint64_t now = clock_monotonic_ms();
    bool is_again = mouse->pane == pane && mouse->start.row == place.row &&
                    mouse->start.col == place.col &&
                    now - mouse->pressed_ms < COPY_MOUSE_CLICK_MS;
    if (mouse->timer && loop_timer_is_armed(mouse->timer))
        loop_timer_stop(mouse->timer);
    mouse->clicks = is_again && mouse->clicks < 3 ? mouse->clicks + 1 : 1;
    mouse->pane = pane;
    mouse->start = place;
    mouse->pressed_ms = now;
    mouse->is_dragging = false;
    if (!pane->copy)
        mouse->has_begun = false;
    if (mouse->clicks > 1) {
        select_clicked(mouse);
    } else if (pane->copy) {
        copy_drop_selection(pane->copy);
        copy_set_cursor(pane->copy, place.row, place.col);
    }
}

void
copy_mouse_drag(struct deck *deck, const TickitMouseEventInfo *event)
{
    struct copy_mouse *mouse = &deck->mouse;
    struct pane *pane = mouse->pane;
    int row = 0;
    int col = 0;
    if (!is_usable(deck))
        return;
    find_cell(pane, event, &row, &col);
    struct place place = {.row = pane->view.top + row, .col = col};
    if (!mouse->is_dragging && place.row == mouse->start.row &&
        place.col == mouse->start.col)
        return;
    begin(mouse);
    struct copy_mode *copy = pane->copy;
    copy->is_from_wheel = false;
    if (!mouse->is_dragging && mouse->clicks == 1)
        select_from(copy, SELECTION_CHARS, &mouse->start, &place);
    else
        copy_set_cursor(copy, place.row, place.col);
    mouse->is_dragging = true;
    scroll_from(deck, find_beyond(pane, event, row), col);
}

void
copy_mouse_release(struct deck *deck)
{
    struct copy_mouse *mouse = &deck->mouse;
    mouse->beyond = 0;
    if (!is_usable(deck))
        return;
    if (mouse->is_dragging) {
        mouse->is_dragging = false;
        mouse->clicks = 0;
        copy_selection(deck);
    } else if (mouse->clicks > 1) {
        /* a third click would take the line instead */
        if (!mouse->timer)
            mouse->timer = loop_timer_new(&deck->loop, on_clicks_over, deck);
        loop_timer_start(mouse->timer, COPY_MOUSE_CLICK_MS);
    }
}

void
copy_mouse_finish(struct deck *deck)
{
    loop_timer_free(deck->mouse.timer);
    loop_timer_free(deck->mouse.scroll);
    deck->mouse.timer = NULL;
    deck->mouse.scroll = NULL;
    deck->mouse.pane = NULL;
}
