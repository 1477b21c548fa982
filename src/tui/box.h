#pragma once

#include <tickit.h>

struct deck;

/* A frame with its inside blank: what dialogs and the viewer stand in. title
 * and footer lie in its lines; "" for none. */
void box_draw(const struct deck *deck, TickitRenderBuffer *rb, int rows,
              int cols, const char *title, const char *footer);
