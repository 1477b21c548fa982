#pragma once

#include <tickit.h>

struct pane;

/* Draws what of a pane lies in rect (of its window): title, rows, card. */
void pane_draw(struct pane *pane, TickitRenderBuffer *rb,
               const TickitRect *rect);
