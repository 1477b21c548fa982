#include "tui/actions.h"

#include "base/nearest.h"
#include "base/xalloc.h"
#include "tui/card.h"
#include "tui/deck-internal.h"
#include "tui/dialog.h"
#include "tui/pane.h"
#include "tui/state.h"
#include "tui/viewer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- the deck -- */

static void
run_prefix(struct deck *deck, int argument)
{
    (void)argument;
    deck->is_prefix = true;
    status_changed(deck);
    arrange_cursor(deck);
}

static void
run_send_prefix(struct deck *deck, int argument)
{
    (void)argument;
    if (typing_mode(deck) == KEYMAP_CONSOLE)
        typing_send_literal(deck);
}

static void
run_detach(struct deck *deck, int argument)
{
    (void)argument;
    size_t alive = 0;
    for (size_t i = 0; i < deck->fleet.count; i++)
        alive += !state_info(deck->fleet.guests[i].state)->has_ended;
    const char *server = deck->options->paths->server;
    bool is_default = !server || strcmp(server, "default") == 0;
    char *text =
        alive == 0
            ? NULL
            : xasprintf("Detached: %zu guest%s on. `guestmux%s%s` comes back.",
                        alive, alive == 1 ? " goes" : "s go",
                        is_default ? "" : " -L ", is_default ? "" : server);
    deck_leave(deck, DECK_END_DETACHED, text);
    free(text);
}

static void
run_zoom(struct deck *deck, int argument)
{
    (void)argument;
    if (deck->is_sidebar_focused && deck->selected < deck->fleet.count) {
        struct pane *pane =
            arrange_first_pane(deck, deck->fleet.guests[deck->selected].name);
        if (pane)
            arrange_focus(deck, pane);
    }
    deck->is_zoomed = !deck->is_zoomed;
    arrange_layout(deck);
    status_changed(deck);
}

static void
run_redraw(struct deck *deck, int argument)
{
    (void)argument;
    term_redraw(deck->term);
    frame_expose_all(deck);
}

static void
run_help(struct deck *deck, int argument)
{
    (void)argument;
    char *text = viewer_help_text(deck);
    viewer_open(deck, "keys", text);
    free(text);
}

static void
run_messages(struct deck *deck, int argument)
{
    (void)argument;
    char *text = viewer_messages_text(deck);
    viewer_open(deck, "messages", text);
    free(text);
}

static void
run_mouse(struct deck *deck, int argument)
{
    (void)argument;
    deck->is_mouse_on = !deck->is_mouse_on;
    term_set_mouse(deck->term, deck->is_mouse_on);
    status_message(deck, DECK_INFO, "%s",
                   deck->is_mouse_on
                       ? "mouse on: clicks focus, the wheel scrolls back"
                       : "mouse off: the terminal selects text");
}

/* -- focus -- */

static size_t
focus_index(const struct deck *deck)
{
    for (size_t i = 0; i < deck->pane_count; i++) {
        if (deck->panes[i] == deck->focus)
            return i;
    }
    return 0;
}

/* The next or previous pane of all, on whatever page it is. */
static void
run_focus_step(struct deck *deck, int argument)
{
    if (deck->pane_count == 0)
        return;
    size_t count = deck->pane_count;
    size_t step = argument > 0 ? 1 : count - 1;
    arrange_focus(deck, deck->panes[(focus_index(deck) + step) % count]);
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

static void
run_scrollback(struct deck *deck, int argument)
{
    (void)argument;
    struct pane *pane = deck->focus;
    if (!pane)
        return;
    if (deck->is_sidebar_focused)
        arrange_focus(deck, pane);
    pane->is_scrolling = true;
    pane_changed(pane);
    status_changed(deck);
    arrange_cursor(deck);
}

/* -- moving, in whatever has the keyboard -- */

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

/* Rows to move up (positive) in the list, the history or a text. */
static void
move_rows(struct deck *deck, long rows)
{
    switch (typing_mode(deck)) {
    case KEYMAP_SIDEBAR:
        select_guest(deck, (long)deck->selected - rows);
        break;
    case KEYMAP_SCROLLBACK:
        pane_scroll(deck->focus, rows);
        break;
    case KEYMAP_VIEWER:
        viewer_scroll(deck, (int)-rows);
        break;
    default:
        break;
    }
}

static void
run_move(struct deck *deck, int argument)
{
    move_rows(deck, argument);
}

/* argument: half pages. */
static void
run_page_move(struct deck *deck, int argument)
{
    int page = deck->layout.sidebar.rows - 1;
    if (deck->viewer)
        page = viewer_page_rows(deck);
    else if (typing_mode(deck) == KEYMAP_SCROLLBACK)
        page = pane_rows(deck->focus);
    if (page < 2)
        page = 2;
    move_rows(deck, argument * page / 2);
}

static void
run_end(struct deck *deck, int argument)
{
    move_rows(deck, argument > 0 ? 1L << 30 : -(1L << 30));
}

static void
run_move_across(struct deck *deck, int argument)
{
    if (deck->dialog)
        dialog_move(deck, argument);
}

static void
run_choose(struct deck *deck, int argument)
{
    (void)argument;
    if (deck->dialog) {
        dialog_choose(deck);
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
    else if (deck->viewer)
        viewer_close(deck);
    else if (deck->is_sidebar_focused && deck->sidebar_origin)
        arrange_focus(deck, deck->sidebar_origin);
    else if (deck->is_sidebar_focused && deck->focus)
        arrange_focus(deck, deck->focus);
    else if (deck->focus && deck->focus->is_scrolling)
        pane_leave_scrollback(deck->focus);
    status_changed(deck);
}

/* -- guests -- */

static void
command_target(struct deck *deck, const char *method, const char *doing)
{
    const struct mirror_guest *guest = arrange_target(deck);
    if (!guest)
        return;
    status_message(deck, DECK_INFO, "%s %s…", doing, guest->name);
    /* until the guest does */
    (void)snprintf(deck->message_guest, sizeof(deck->message_guest), "%s",
                   guest->name);
    link_command(deck, method, json_pack("{s:s}", "guest", guest->name));
}

/* Whether the guest that is meant runs; says so when it does not. */
static bool
check_runs(struct deck *deck)
{
    const struct mirror_guest *guest = arrange_target(deck);
    if (!guest)
        return false;
    if (state_info(guest->state)->has_ended) {
        status_message(deck, DECK_WARNING, "%s does not run", guest->name);
        return false;
    }
    return true;
}

static void
run_start(struct deck *deck, int argument)
{
    (void)argument;
    const struct mirror_guest *guest = arrange_target(deck);
    if (guest && !state_info(guest->state)->has_ended)
        status_message(deck, DECK_WARNING, "%s runs already", guest->name);
    else
        command_target(deck, "guest-start", "starting");
}

static void
run_shutdown(struct deck *deck, int argument)
{
    (void)argument;
    if (check_runs(deck))
        command_target(deck, "guest-shutdown", "pressing the power button of");
}

static void
run_pause(struct deck *deck, int argument)
{
    (void)argument;
    const struct mirror_guest *guest = arrange_target(deck);
    if (!check_runs(deck))
        return;
    if (strcmp(guest->state, "running") == 0)
        command_target(deck, "guest-pause", "pausing");
    else
        command_target(deck, "guest-resume", "resuming");
}

/* What takes something away from the guest, and is asked first. */
static const struct {
    const char *title;
    const char *question; /* with the guest's name for %s */
    const char *accept;
    const char *method;
    const char *flag;
} questions[] = {
    {"Force off",
     "Force %s off?\n\nThis is pulling the plug: what the guest "
     "has not\nwritten to its disks is lost.",
     "Force off", "guest-kill", NULL},
    {"Reset",
     "Reset %s?\n\nThis is the reset button: what the guest has "
     "not\nwritten to its disks is lost.",
     "Reset", "guest-reset", NULL},
    {"Restart",
     "Restart %s?\n\nIts power button is pressed, and it is started"
     "\nagain once it has shut down.",
     "Restart", "guest-restart", NULL},
    {"Remove",
     "Remove %s from the list?\n\nIts console log stays on disk, and"
     " so do its disks.",
     "Remove", "guest-remove", NULL},
};

enum question {
    QUESTION_KILL,
    QUESTION_RESET,
    QUESTION_RESTART,
    QUESTION_REMOVE,
};

static void
run_question(struct deck *deck, int argument)
{
    const struct mirror_guest *guest = arrange_target(deck);
    if (!guest)
        return;
    if (argument == QUESTION_RESTART && state_info(guest->state)->has_ended) {
        run_start(deck, 0);
        return;
    }
    if (argument != QUESTION_REMOVE && !check_runs(deck))
        return;
    if (argument == QUESTION_REMOVE && !state_info(guest->state)->has_ended) {
        status_message(deck, DECK_WARNING,
                       "%s runs: shut it down before removing it", guest->name);
        return;
    }
    /* the table's texts have one %s each: put the name in by hand */
    const char *question = questions[argument].question;
    const char *at = strstr(question, "%s");
    char *text = xasprintf("%.*s%s%s", (int)(at - question), question,
                           guest->name, at + 2);
    struct dialog_request request = {
        .title = questions[argument].title,
        .question = text,
        .accept = questions[argument].accept,
        .method = questions[argument].method,
        .guest = guest->name,
        .flag = questions[argument].flag,
    };
    dialog_open(deck, &request);
    free(text);
}

static void
run_report(struct deck *deck, int argument)
{
    (void)argument;
    const struct mirror_guest *guest = arrange_target(deck);
    if (!guest)
        return;
    char *text = card_report(guest);
    viewer_open(deck, "report", text);
    free(text);
}

const struct action actions[] = {
    {"accept", "do it", run_accept, 0},
    {"bottom", "to the newest, the last", run_end, -1},
    {"choose", "open, choose", run_choose, 0},
    {"detach", "leave the deck; everything goes on", run_detach, 0},
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
    {"half-down", "half a page down", run_page_move, -1},
    {"half-up", "half a page up", run_page_move, 1},
    {"help", "show the keys", run_help, 0},
    {"kill", "force off (asks first)", run_question, QUESTION_KILL},
    {"leave", "leave, cancel", run_leave, 0},
    {"messages", "show what was said", run_messages, 0},
    {"mouse", "turn the mouse on or off", run_mouse, 0},
    {"move-down", "down", run_move, -1},
    {"move-left", "to the left", run_move_across, -1},
    {"move-right", "to the right", run_move_across, 1},
    {"move-up", "up", run_move, 1},
    {"page-down", "a page down", run_page_move, -2},
    {"page-next", "show the next page of consoles", run_page, 1},
    {"page-previous", "show the previous page of consoles", run_page, -1},
    {"page-up", "a page up", run_page_move, 2},
    {"pause", "pause or resume", run_pause, 0},
    {"prefix", "the next key is a command", run_prefix, 0},
    {"redraw", "draw the screen anew", run_redraw, 0},
    {"remove", "remove from the list (asks first)", run_question,
     QUESTION_REMOVE},
    {"report", "show all about the guest", run_report, 0},
    {"reset", "press the reset button (asks first)", run_question,
     QUESTION_RESET},
    {"restart", "shut down and start again (asks first)", run_question,
     QUESTION_RESTART},
    {"scrollback", "look at what scrolled away", run_scrollback, 0},
    {"send-prefix", "send the prefix key to the guest", run_send_prefix, 0},
    {"shutdown", "shut down: press the power button", run_shutdown, 0},
    {"sidebar", "go to the list of guests, and back", run_sidebar, 0},
    {"sidebar-toggle", "show or hide the list of guests", run_sidebar_toggle,
     0},
    {"start", "start", run_start, 0},
    {"top", "to the oldest, the first", run_end, 1},
    {"zoom", "give the console the whole screen, and back", run_zoom, 0},
};
const size_t actions_count = sizeof(actions) / sizeof(*actions);

const struct action *
action_find(const char *name, const char **ret_nearest)
{
    const char *names[sizeof(actions) / sizeof(*actions)];
    for (size_t i = 0; i < actions_count; i++) {
        names[i] = actions[i].name;
        if (strcmp(name, names[i]) == 0)
            return &actions[i];
    }
    if (ret_nearest)
        *ret_nearest = nearest_name(name, names, actions_count);
    return NULL;
}
