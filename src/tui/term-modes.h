#pragma once

#include "tui/term-driver.h"

#include <stdbool.h>

/* What the deck asks of the operator's terminal beside what it draws: the
 * mouse, bracketed paste, focus reports, the cursor's shape. Given back when
 * the deck goes. Zero-initialise it. */
struct term_modes {
    int out_fd;      /* borrowed */
    bool has_shapes; /* the terminal knows DECSCUSR */
    int shape;       /* what the cursor has */
    int shape_wanted;
    enum term_tracking tracking;
    bool is_mouse_on;
};

/* Writes all of a text; what the terminal does not take is lost. */
void term_modes_write(int fd, const char *text);

/* Asks for all of them anew. */
void term_modes_take(const struct term_modes *modes);
/* Makes the cursor's shape the one wanted. */
void term_modes_show_shape(struct term_modes *modes);
void term_modes_give_back(struct term_modes *modes);

void term_modes_set_mouse(struct term_modes *modes, bool is_on);
void term_modes_set_tracking(struct term_modes *modes,
                             enum term_tracking tracking);
