#include "base/xalloc.h"
#include "tui/actions-internal.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/search.h"
#include "tui/state.h"
#include "tui/viewer.h"

#include <stdlib.h>
#include <string.h>

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
    char *text =
        alive == 0
            ? NULL
            : xasprintf("Detached: %zu guest%s on. `guestmux%s%s` comes back.",
                        alive, alive == 1 ? " goes" : "s go",
                        deck_server_option(deck), deck_server_name(deck));
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
    viewer_open_live(deck, "messages", viewer_messages_text, NULL);
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

static void
run_search(struct deck *deck, int argument)
{
    (void)argument;
    search_ask(deck);
}

static const struct action rows[] = {
    {"detach", "leave the deck; everything goes on", run_detach, 0},
    {"help", "show the keys", run_help, 0},
    {"messages", "show what was said", run_messages, 0},
    {"mouse", "turn the mouse on or off", run_mouse, 0},
    {"prefix", "the next key is a command", run_prefix, 0},
    {"redraw", "draw the screen anew", run_redraw, 0},
    {"search-all", "search all consoles", run_search, 0},
    {"send-prefix", "send the prefix key to the guest", run_send_prefix, 0},
    {"zoom", "give the console the whole screen, and back", run_zoom, 0},
};

const struct action_table actions_deck = {
    .rows = rows,
    .count = sizeof(rows) / sizeof(*rows),
};
