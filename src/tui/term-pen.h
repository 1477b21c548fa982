#pragma once

#include "tui/term-driver.h"
#include "tui/term-looks.h"

#include <tickit.h>

#define NCURSES_NOMACROS
#include <curses.h>

/* COLORS of a terminal that takes 24-bit colours by number. */
#define TERM_COLOURS_DIRECT 0x1000000

/* What is drawn with at present, as curses has it. */
struct term_pen {
    int colours; /* that curses knows of the terminal */
    attr_t attributes;
    int pair;
    int pair_fg; /* what pair was allocated for; -1: the default colour */
    int pair_bg;
    int look; /* its number; 0: none */
};

/* Draws with a pen of libtickit's from now on. */
void term_pen_set(struct term_pen *pen, const struct term_looks *looks,
                  const TickitPen *from);

/* … with an ink. */
void term_pen_set_ink(struct term_pen *pen, struct term_looks *looks,
                      const struct term_ink *ink);

/* A cell with that character. */
void term_pen_cell(const struct term_pen *pen, wchar_t character,
                   cchar_t *ret_cell);
