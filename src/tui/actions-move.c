#include "tui/actions-internal.h"
#include "tui/copy-mode.h"
#include "tui/deck-internal.h"
#include "tui/dialog.h"
#include "tui/menu.h"
#include "tui/pane.h"
#include "tui/records.h"
#include "tui/scrub.h"
#include "tui/viewer.h"
#include "tui/watching.h"

static void
select_guest(struct deck *deck, long index)
{
    long last = (long)deck->fleet.count - 1;
    if (index > last)
        index = last;
    if (index < 0)
        index = 0;
    arrange_select(deck, (size_t)index);
}

/* In copy mode a cursor moves; false when that is not what has the keyboard. */
static bool
move_cursor(struct deck *deck, enum copy_move move)
{
    if (typing_mode(deck) != KEYMAP_SCROLLBACK)
        return false;
    copy_mode_do(deck->focus, copy_mode_move, (int)move);
    return true;
}

/* Rows to move up (positive) in the list or a text. */
static void
move_rows(struct deck *deck, long rows)
{
    switch (typing_mode(deck)) {
    case KEYMAP_SIDEBAR:
        select_guest(deck, (long)deck->selected - rows);
        break;
    case KEYMAP_MENU:
        menu_move(deck, -rows);
        break;
    case KEYMAP_VIEWER:
        viewer_scroll(deck, (int)-rows);
        break;
    case KEYMAP_RECORDS:
        records_move(deck, -rows);
        break;
    case KEYMAP_PAST:
        if (deck->focus)
            scrub_scroll(deck->focus, rows);
        break;
    default:
        break;
    }
}

static void
run_move(struct deck *deck, int argument)
{
    if (!move_cursor(deck, argument > 0 ? COPY_UP : COPY_DOWN))
        move_rows(deck, argument);
}

/* argument: half pages. */
static void
run_page_move(struct deck *deck, int argument)
{
    static const enum copy_move moves[] = {COPY_PAGE_DOWN, COPY_HALF_DOWN,
                                           COPY_HALF_UP, COPY_PAGE_UP};
    if (move_cursor(deck, moves[argument < 0 ? argument + 2 : argument + 1]))
        return;
    int page = deck->layout.sidebar.rows - 1;
    if (typing_mode(deck) == KEYMAP_MENU)
        page = menu_page_rows(deck);
    else if (deck->viewer)
        page = viewer_page_rows(deck);
    else if (deck->records)
        page = records_page_rows(deck);
    else if (typing_mode(deck) == KEYMAP_PAST && deck->focus)
        page = deck->focus->view.rows - 1;
    if (page < 2)
        page = 2;
    move_rows(deck, argument * page / 2);
}

static void
run_end(struct deck *deck, int argument)
{
    if (!move_cursor(deck, argument > 0 ? COPY_TOP : COPY_BOTTOM))
        move_rows(deck, argument > 0 ? 1L << 30 : -(1L << 30));
}

static void
run_move_across(struct deck *deck, int argument)
{
    if (deck->dialog)
        dialog_move(deck, argument);
    else
        (void)move_cursor(deck, argument > 0 ? COPY_RIGHT : COPY_LEFT);
}

static void
run_choose(struct deck *deck, int argument)
{
    (void)argument;
    if (deck->dialog) {
        dialog_choose(deck);
    } else if (deck->menu) {
        menu_choose(deck);
    } else if (deck->records) {
        records_choose(deck);
    } else if (deck->is_sidebar_focused && deck->selected < deck->fleet.count) {
        struct pane *pane =
            arrange_first_pane(deck, deck->fleet.guests[deck->selected].name);
        if (pane)
            arrange_focus(deck, pane);
    }
}

static void
run_accept(struct deck *deck, int argument)
{
    (void)argument;
    if (deck->dialog)
        dialog_accept(deck);
}

static void
run_leave(struct deck *deck, int argument)
{
    (void)argument;
    if (deck->dialog)
        dialog_close(deck);
    else if (deck->menu)
        menu_close(deck);
    else if (deck->viewer)
        viewer_close(deck);
    else if (deck->records) {
        /* what was shown was seen */
        if (records_kind(deck->records) == RECORDS_ALERTS)
            watching_see_all(deck);
        records_close(deck);
    } else if (deck->is_sidebar_focused && deck->sidebar_origin)
        arrange_focus(deck, deck->sidebar_origin);
    else if (deck->is_sidebar_focused && deck->focus)
        arrange_focus(deck, deck->focus);
    else if (deck->focus && deck->focus->scrub)
        scrub_close(deck->focus);
    else if (deck->focus && deck->focus->copy)
        copy_mode_leave(deck->focus);
    status_changed(deck);
}

static const struct action rows[] = {
    {"accept", "do it", run_accept, 0},
    {"bottom", "to the newest, the last", run_end, -1},
    {"choose", "open, choose", run_choose, 0},
    {"half-down", "half a page down", run_page_move, -1},
    {"half-up", "half a page up", run_page_move, 1},
    {"leave", "leave, cancel", run_leave, 0},
    {"move-down", "down", run_move, -1},
    {"move-left", "to the left", run_move_across, -1},
    {"move-right", "to the right", run_move_across, 1},
    {"move-up", "up", run_move, 1},
    {"page-down", "a page down", run_page_move, -2},
    {"page-up", "a page up", run_page_move, 2},
    {"top", "to the oldest, the first", run_end, 1},
};

const struct action_table actions_move = {
    .rows = rows,
    .count = sizeof(rows) / sizeof(*rows),
};
