#pragma once

#include <stdbool.h>

#include <tickit.h>

struct deck;

/* A window over the deck, to be placed; on_expose gets the deck. */
TickitWindow *box_open(struct deck *deck, TickitWindowEventFn *on_expose);
/* Takes it off the screen, and frees it. */
void box_close(struct deck *deck, TickitWindow *window);

/* Makes a place on the screen one in the window; whether it is in there. */
bool box_take_click(const TickitWindow *window, int *line, int *col);

/* A frame with its inside blank: what dialogs and the viewer stand in. title
 * and footer lie in its lines; "" for none. */
void box_draw(const struct deck *deck, TickitRenderBuffer *rb, int rows,
              int cols, const char *title, const char *footer);
