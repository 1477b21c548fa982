#include "tui/actions-internal.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"

/* The next or previous pane of all, on whatever page it is. */
static void
run_focus_step(struct deck *deck, int argument)
{
    if (deck->pane_count == 0)
        return;
    size_t count = deck->pane_count;
    size_t step = argument > 0 ? 1 : count - 1;
    arrange_focus(deck,
                  deck->panes[(arrange_focus_index(deck) + step) % count]);
}

static void
run_focus_number(struct deck *deck, int argument)
{
    if ((size_t)argument <= deck->pane_count)
        arrange_focus(deck, deck->panes[argument - 1]);
    else
        status_message(deck, DECK_WARNING, "there is no console %d", argument);
}

static void
run_focus_last(struct deck *deck, int argument)
{
    (void)argument;
    if (deck->last_focus)
        arrange_focus(deck, deck->last_focus);
}

enum direction {
    DIRECTION_UP,
    DIRECTION_DOWN,
    DIRECTION_LEFT,
    DIRECTION_RIGHT,
};

/* Whether b lies beyond the edge of a in that direction, side by side. */
static bool
is_neighbour(const struct layout_rect *a, const struct layout_rect *b,
             enum direction direction)
{
    bool shares_rows = a->row < b->row + b->rows && b->row < a->row + a->rows;
    bool shares_cols = a->col < b->col + b->cols && b->col < a->col + a->cols;
    switch (direction) {
    case DIRECTION_UP:
        return shares_cols && b->row + b->rows == a->row;
    case DIRECTION_DOWN:
        return shares_cols && a->row + a->rows == b->row;
    case DIRECTION_LEFT:
        return shares_rows && b->col + b->cols + 1 == a->col;
    case DIRECTION_RIGHT:
        return shares_rows && a->col + a->cols + 1 == b->col;
    }
    return false;
}

static void
run_focus_direction(struct deck *deck, int argument)
{
    enum direction direction = (enum direction)argument;
    if (!deck->focus)
        return;
    if (deck->is_zoomed) {
        run_focus_step(deck, direction == DIRECTION_DOWN ||
                                     direction == DIRECTION_RIGHT
                                 ? 1
                                 : -1);
        return;
    }
    if (deck->is_sidebar_focused) {
        if (direction == DIRECTION_RIGHT)
            arrange_focus(deck, deck->focus);
        return;
    }
    for (size_t i = 0; i < deck->layout.count; i++) {
        if (is_neighbour(&deck->focus->rect, &deck->layout.panes[i],
                         direction)) {
            arrange_focus(deck, deck->panes[deck->layout.first + i]);
            return;
        }
    }
    if (direction == DIRECTION_LEFT)
        arrange_focus_sidebar(deck, true);
}

static void
run_page(struct deck *deck, int argument)
{
    size_t pages = deck->layout.page_count;
    if (deck->is_zoomed || pages < 2) {
        run_focus_step(deck, argument);
        return;
    }
    /* the first pane of that page */
    size_t step = argument > 0 ? 1 : pages - 1;
    size_t page = (deck->layout.page + step) % pages;
    /* every page but the last is full */
    size_t capacity = deck->layout.page > 0
                          ? deck->layout.first / deck->layout.page
                          : deck->layout.count;
    size_t index = page * capacity;
    if (index < deck->pane_count)
        arrange_focus(deck, deck->panes[index]);
}

static void
run_sidebar(struct deck *deck, int argument)
{
    (void)argument;
    if (deck->is_sidebar_focused && deck->focus) {
        arrange_focus(deck, deck->focus);
        return;
    }
    deck->is_sidebar_wanted = true;
    arrange_focus_sidebar(deck, true);
}

static void
run_sidebar_toggle(struct deck *deck, int argument)
{
    (void)argument;
    deck->is_sidebar_wanted = !deck->is_sidebar_wanted;
    if (!deck->is_sidebar_wanted)
        arrange_focus_sidebar(deck, false);
    arrange_layout(deck);
}

static const struct action rows[] = {
    {"focus-1", "go to console 1 to 9", run_focus_number, 1},
    {"focus-2", "go to console 1 to 9", run_focus_number, 2},
    {"focus-3", "go to console 1 to 9", run_focus_number, 3},
    {"focus-4", "go to console 1 to 9", run_focus_number, 4},
    {"focus-5", "go to console 1 to 9", run_focus_number, 5},
    {"focus-6", "go to console 1 to 9", run_focus_number, 6},
    {"focus-7", "go to console 1 to 9", run_focus_number, 7},
    {"focus-8", "go to console 1 to 9", run_focus_number, 8},
    {"focus-9", "go to console 1 to 9", run_focus_number, 9},
    {"focus-down", "go to the console below", run_focus_direction,
     DIRECTION_DOWN},
    {"focus-last", "go to the console before", run_focus_last, 0},
    {"focus-left", "go to the console at the left, or the list",
     run_focus_direction, DIRECTION_LEFT},
    {"focus-next", "go to the next console", run_focus_step, 1},
    {"focus-previous", "go to the previous console", run_focus_step, -1},
    {"focus-right", "go to the console at the right", run_focus_direction,
     DIRECTION_RIGHT},
    {"focus-up", "go to the console above", run_focus_direction, DIRECTION_UP},
    {"page-next", "show the next page of consoles", run_page, 1},
    {"page-previous", "show the previous page of consoles", run_page, -1},
    {"sidebar", "go to the list of guests, and back", run_sidebar, 0},
    {"sidebar-toggle", "show or hide the list of guests", run_sidebar_toggle,
     0},
};

const struct action_table actions_focus = {
    .rows = rows,
    .count = sizeof(rows) / sizeof(*rows),
};
