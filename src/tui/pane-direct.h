#pragma once

#include <stdbool.h>

struct pane;

/* The short way of a console's rows to the screen: past libtickit's windows,
 * whose flush makes a buffer of the whole terminal for every frame (a fifth of
 * the client's time per key at 200x50). Only for a pane that nothing covers. */

/* Whether the pane's rows may be drawn without its window. */
bool pane_direct_is_possible(const struct pane *pane);

/* Draws the rows marked dirty to the terminal and clears the marks. Returns
 * whether there were any. */
bool pane_direct_draw(struct pane *pane);
