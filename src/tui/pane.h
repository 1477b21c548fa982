#pragma once

#include "client/mirror.h"
#include "tui/company.h"
#include "tui/layout.h"

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <tickit.h>

struct copy_mode;
struct deck;
struct scrub;

/* A console on the screen: its view at the server, its copy of the rows, its
 * window. */
enum pane_state {
    PANE_HIDDEN,  /* no view is open */
    PANE_OPENING, /* view-open was sent */
    PANE_OPEN,
};

struct pane {
    struct deck *deck;    /* borrowed */
    struct pane *next;    /* in the deck's graveyard */
    char *guest;          /* owned */
    char *console;        /* owned; "" while the guest has none */
    char *target;         /* owned: what the API calls it */
    TickitWindow *window; /* owned; NULL in the graveyard */
    struct layout_rect rect;
    struct mirror_view view;
    enum pane_state state;
    struct copy_mode *copy; /* owned: its keys move in the history; or NULL */
    int64_t view_id;
    int fetches_pending; /* replies to copy mode's console-text still to come */
    int searches_pending;   /* to its console-search for a match */
    int marks_pending;      /* and for marks */
    int opens_pending;      /* replies to view-open still to come */
    int64_t unacknowledged; /* a frame to acknowledge once it was drawn */
    int64_t seen_ms;        /* activity up to here was looked at; the server's
                             * clock */
    uint64_t ended_ms;      /* monotonic: when its guest was seen to end */
    int number;             /* what selects it: 1, 2 … */
    struct company company; /* who else has to do with its console */
    bool has_frame;         /* something to show */
    bool awaits_size;       /* a size was asked for, no frame came since */
    bool has_bell;
    bool has_ended;
    bool is_marked_removed;
    struct scrub *scrub; /* owned: it shows the past; or NULL */
};

struct pane *pane_new(struct deck *deck, const char *guest, const char *console,
                      bool is_first);
/* Closes the view and hides the window; the memory stays for late replies. */
void pane_bury(struct pane *pane);
void pane_free(struct pane *pane);

/* Shows it there, telling the server the size. */
void pane_place(struct pane *pane, const struct layout_rect *rect);
void pane_hide(struct pane *pane);
/* Forgets the view without telling: the server is gone. */
void pane_forget_view(struct pane *pane);

/* A SCREEN event for its view. */
void pane_screen(struct pane *pane, const json_t *data);
/* Tells the server whether it has the keyboard. */
void pane_tell_focus(struct pane *pane, bool is_focused);
/* Sends view-change for its view. arguments: stolen. */
void pane_change_view(struct pane *pane, json_t *arguments);
/* Shows another part of a console that is larger, by rows and columns. */
void pane_pan(struct pane *pane, int rows, int cols);
/* What its guest printed up to now was looked at. */
void pane_seen(struct pane *pane);
/* How many rows of the console it shows. */
int pane_rows(const struct pane *pane);
/* Everything of it is to be drawn anew. */
void pane_changed(struct pane *pane);
/* Only its title is. */
void pane_title_changed(struct pane *pane);
/* Puts the cursor where the console's is. */
void pane_update_cursor(struct pane *pane);
/* Has its window draw the rows that are marked dirty. */
void pane_expose_dirty(struct pane *pane);
/* What is drawn reached the terminal. */
void pane_drawn(struct pane *pane);
/* Its guest, as last told; NULL when it is gone. */
struct mirror_guest *pane_guest(const struct pane *pane);
