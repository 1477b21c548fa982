#pragma once

#include "tui/selection.h"

#include <stdbool.h>
#include <stdint.h>

#include <tickit.h>

struct deck;
struct loop_timer;
struct pane;

/* Selecting with the mouse: dragging selects and its end copies, a double click
 * takes a word, a triple click a line. */

/* Clicks that follow within so long are one more, ms; what most terminals and
 * desktops take. */
#define COPY_MOUSE_CLICK_MS 350

/* ms between two rows while a drag rests beyond the pane's rows. */
#define COPY_MOUSE_SCROLL_MS 50

struct copy_mouse {
    struct pane *pane; /* borrowed: where the button went down; or NULL */
    struct place start;
    uint64_t pressed_ms; /* monotonic */
    int clicks;
    bool is_dragging;
    int beyond; /* the drag rests above (-1), below (1) the rows */
    int col;    /* where it does */
    struct loop_timer *scroll; /* owned: the next row then; or NULL */
    bool has_begun;            /* copy mode is ours, and ends with the copy */
    struct loop_timer *timer;  /* owned: a click is over; or NULL */
};

/* The first button went down, moved, or came up. Only a press may be over no
 * pane's rows, and then does nothing. */
void copy_mouse_press(struct deck *deck, struct pane *pane,
                      const TickitMouseEventInfo *event);
void copy_mouse_drag(struct deck *deck, const TickitMouseEventInfo *event);
void copy_mouse_release(struct deck *deck);
void copy_mouse_finish(struct deck *deck);
