#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <tickit.h>

/* The mouse in the panes of guests that asked for it. Shift, and the prefix,
 * keep it the operator's. */

struct deck;
struct pane;

/* Passes an event over a pane (NULL: over none) to its guest; false when it is
 * the operator's. */
bool mouse_guest_event(struct deck *deck, struct pane *pane,
                       const TickitMouseEventInfo *event);
/* Takes what a terminal says when the mouse moves without a button, which
 * libtickit has no event for; false when the bytes are something else. */
bool mouse_guest_motion(struct deck *deck, const char *bytes, size_t len);
/* Asks the operator's terminal for as much as the guest in focus wants. */
void mouse_guest_update(struct deck *deck);
