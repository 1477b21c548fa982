#pragma once

#include "base/buffer.h"
#include "tui/term-looks.h"

#include <stdio.h>

/* curses' way to the terminal, with a place on it where what it writes is
 * looked through. Zero-initialise it. */
struct term_output {
    FILE *stream;        /* owned: curses' own; its descriptor is its own */
    int tty;             /* the terminal beside it; 0: none */
    int memory;          /* where an update goes first; 0: none */
    struct buffer read;  /* owned: an update as curses wrote it */
    struct buffer shown; /* owned: and as the terminal gets it */
};

/* Makes all that an update with looks needs; false when that is not to be had:
 * then there can be none. */
bool term_output_prepare(struct term_output *output);
void term_output_finish(struct term_output *output);

/* doupdate(), and what the looks need put into it. */
void term_output_update(struct term_output *output,
                        const struct term_looks *looks);
