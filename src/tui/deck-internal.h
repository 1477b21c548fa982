#pragma once

#include "base/loop.h"
#include "client/connection.h"
#include "client/mirror.h"
#include "tui/ahead.h"
#include "tui/copy-mouse.h"
#include "tui/deck.h"
#include "tui/input.h"
#include "tui/keymap.h"
#include "tui/layout.h"
#include "tui/outgoing.h"
#include "tui/term-driver.h"
#include "tui/theme.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tickit.h>
#include <uv.h>

/* What the deck's files share. One struct, passed to everything. */

struct copy_save;
struct copy_take;
struct pane;
struct pens;
struct deck_paste;
struct deck_sender;
struct dialog;
struct menu;
struct viewer;
struct records;
struct watching;
struct prompt;
struct search;
struct prompt_history;

enum deck_level {
    DECK_INFO,
    DECK_WARNING,
    DECK_ERROR,
};

/* Messages that can be read again. */
#define DECK_MESSAGES_MAX 100

struct deck_message {
    char *text; /* owned */
    enum deck_level level;
    int64_t at_ms; /* wall clock */
};

struct deck {
    const struct deck_options *options; /* borrowed */
    uv_loop_t loop;
    struct connection *connection; /* owned; NULL while there is no server */
    int64_t client_id; /* what the server calls this deck; 0: not yet */
    struct mirror_fleet fleet;
    json_t *sysrqs; /* owned: query-sysrq's answer; NULL until it came */

    /* the screen */
    struct term *term;         /* owned */
    struct theme *theme;       /* owned */
    struct keymap *keymap;     /* owned */
    struct pens *pens;         /* owned */
    TickitWindow *root;        /* owned */
    TickitWindow *sidebar_win; /* the root's */
    TickitWindow *status_win;  /* the root's */
    struct layout layout;

    /* the consoles: one pane each, in the fleet's order */
    struct pane **panes; /* owned */
    size_t pane_count;
    struct pane *focus;          /* one of panes, or NULL */
    struct pane *last_focus;     /* the one before, or NULL */
    struct pane *sidebar_origin; /* where the keyboard was before the sidebar
                                  * took it, or NULL */
    struct pane *graveyard;      /* owned: replies may still name them */
    char **marks; /* owned, and each of them: guests that are marked */
    size_t mark_count;
    struct deck_paste *pastes;   /* owned: under way at the server */
    struct deck_sender *senders; /* owned: texts on their way to it */
    size_t selected;             /* the sidebar's row: index into the fleet */
    size_t sidebar_top;          /* first row shown */

    /* the keyboard */
    struct input input;
    struct buffer typed;         /* for the focused console, not sent yet */
    struct buffer typed_command; /* … as the server gets it */
    struct loop_poll *keyboard;
    struct loop_timer *input_timer;
    struct ahead ahead;    /* input that waits for an answer */
    const char *key_bytes; /* of the key being handled; borrowed */
    size_t key_len;
    struct dialog *dialog;     /* owned, NULL: none */
    struct menu *menu;         /* owned, NULL: none */
    struct viewer *viewer;     /* owned, NULL: none */
    struct records *records;   /* owned, NULL: none */
    struct watching *watching; /* owned; NULL before there was a server */
    struct search *search;     /* owned; NULL before the first */
    struct prompt *prompt;     /* owned, NULL: none */
    struct prompt_history *prompt_histories; /* owned: linked list */
    int64_t mouse_view; /* whose guest has a button pressed; 0: none */

    /* what was copied */
    char *search_pattern; /* owned: what copy mode looks for, or NULL */
    struct paste_offer *paste_offer; /* owned: while a pace is asked for */
    struct copy_save *save;   /* owned: while a file is asked for, or NULL */
    struct jump *jumps;       /* owned: rows whose place is looked for */
    struct copy_take *takes;  /* owned: texts that were asked for */
    struct copy_mouse mouse;  /* a button that is down */
    struct outgoing outgoing; /* what goes to the terminal between frames */

    /* drawing */
    uv_prepare_t frame_prepare;
    struct loop_timer *frame_timer;
    struct loop_timer *ack_timer;
    struct loop_timer *clock_timer;
    struct loop_timer *message_timer;
    uint64_t last_frame_ms;

    /* messages: the newest is the last */
    struct deck_message messages[DECK_MESSAGES_MAX];
    size_t message_count;
    uint64_t message_ms;      /* monotonic; when the newest was said */
    char message_guest[64];   /* its next change makes the message void */
    char countdown_guest[64]; /* that this deck shuts down; "": none */

    /* the server */
    uv_work_t reconnect_work;
    struct loop_timer *reconnect_timer;
    unsigned servers;    /* that it was connected to, one after the other */
    uint64_t lost_at_ms; /* monotonic; when the server went away */
    struct error reconnect_error;

    /* the end */
    uv_signal_t signals[6];
    char *end_text; /* owned */
    enum deck_end end;
    int reconnect_fd;

    /* what is so at present */
    bool has_fleet;
    bool has_unicode;
    bool has_chosen_focus; /* the first choice was made */
    bool is_zoomed;
    bool is_broadcasting; /* typing goes to the marked guests */
    bool is_sidebar_wanted;
    bool is_sidebar_focused;
    bool is_mouse_on;
    bool is_away; /* the keyboard is at another of the terminals */
    bool is_prefix;
    bool is_search_back;    /* that pattern was asked for with ? */
    bool is_sequence_taken; /* libtickit knew the sequence */
    bool is_frame_wanted;
    bool is_focus_due; /* … for the focused console */
    bool is_stalled;   /* the terminal takes no bytes at present */
    bool is_message_shown;
    bool is_status_over;  /* the status line covers a bare console's last row */
    bool is_reconnecting; /* reconnect_work runs */
    bool is_server_stopping;
    bool has_lost_place; /* a pane showed no present when the server went */
    bool is_ending;
};

/* -- deck.c -- */

/* How a command line names the deck's server: " -L " and the name, or "" and
 * "" for the default one. Borrowed. */
const char *deck_server_option(const struct deck *deck);
const char *deck_server_name(const struct deck *deck);

/* Leaves the loop; the terminal is given back after. text: may be NULL. */
void deck_leave(struct deck *deck, enum deck_end end, const char *text);

/* -- frame.c: when things are drawn -- */

void frame_start(struct deck *deck);
void frame_stop(struct deck *deck);
/* Something on the screen changed: draw before the loop sleeps, or when the
 * frame before is old enough. */
void frame_request(struct deck *deck);
/* Shows all of it anew. */
void frame_expose_all(struct deck *deck);
/* Arms the clock for the next moment at which an uptime reads differently. */
void frame_update_clock(struct deck *deck);

/* -- link.c: the connection -- */

void link_start(struct deck *deck, int fd);
void link_stop(struct deck *deck);
/* Whether this deck may do anything to guests; says so when it may not. */
bool link_may_change(struct deck *deck);
/* Sends a command about a guest; a refusal is shown. arguments: stolen. */
void link_command(struct deck *deck, const char *method, json_t *arguments);

/* -- arrange.c: which panes there are, and where -- */

/* Makes panes for the fleet's consoles, drops those without, lays out. */
void arrange_fleet(struct deck *deck);
/* Computes the layout and moves windows. */
void arrange_layout(struct deck *deck);
void arrange_focus(struct deck *deck, struct pane *pane);
/* Which of the panes has the focus; 0 when none has. */
size_t arrange_focus_index(const struct deck *deck);
/* Shows or hides the cursor as the mode asks. */
void arrange_cursor(struct deck *deck);
/* Selects the sidebar's row of that index and shows its guest's pane; the
 * keyboard stays. */
void arrange_select(struct deck *deck, size_t index);
void arrange_focus_sidebar(struct deck *deck, bool is_focused);
/* The guest that actions mean: the sidebar's, or the focused pane's. */
struct mirror_guest *arrange_target(struct deck *deck);
struct pane *arrange_find_view(struct deck *deck, int64_t view);
struct pane *arrange_first_pane(struct deck *deck, const char *guest);
void arrange_finish(struct deck *deck);

/* -- typing.c: the keyboard -- */

bool typing_start(struct deck *deck, struct error *error);
void typing_stop(struct deck *deck);
enum keymap_mode typing_mode(const struct deck *deck);
/* A key, a sequence or a paste of the operator's. */
void typing_take(struct deck *deck, const struct input_event *event);
/* Sends what was typed so far to the focused console. */
void typing_flush(struct deck *deck);
/* Sends the key being handled as it is. */
void typing_send_literal(struct deck *deck);
/* Pastes into the focused console. */
void typing_paste(struct deck *deck, const char *bytes, size_t len);

/* -- mouse.c -- */

void mouse_event(struct deck *deck, const TickitMouseEventInfo *event);

/* -- status.c: the last line -- */

void status_expose(struct deck *deck, TickitRenderBuffer *rb, int cols);
void status_changed(struct deck *deck);
/* Shows a message and keeps it. */
void status_message(struct deck *deck, enum deck_level level,
                    const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What a key is for at present: the word of its action, unless it is another
 * one where the operator is ("resume" for "pause"). */
const char *status_word(const struct deck *deck, const char *action,
                        const char *word);
/* A key led to where other keys count: a message that was read, and is no
 * error, makes room for what they do. */
void status_mode_changed(struct deck *deck);
/* Says what is done to a guest ("pausing"), until the guest changes. */
void status_doing(struct deck *deck, const char *doing, const char *guest);
/* The guest changed: a message that it is about to is over. */
void status_guest_changed(struct deck *deck, const char *guest);
void status_finish(struct deck *deck);

/* -- sidebar-view.c -- */
void sidebar_view_expose(struct deck *deck, TickitRenderBuffer *rb, int rows,
                         int cols);
void sidebar_changed(struct deck *deck);
/* The columns that the sidebar's content would like. */
int sidebar_view_cols(const struct deck *deck);
/* After how long one of the shown uptimes reads differently, ms; -1: none. */
int64_t sidebar_view_lasts_ms(const struct deck *deck);
/* The guest that a row of the sidebar's window shows; false for none. */
bool sidebar_row_at(const struct deck *deck, int row, size_t *ret_index);
