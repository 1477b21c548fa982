#pragma once

#include "base/error.h"
#include "tui/term-looks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tickit.h>

/* The operator's terminal: a libtickit terminal whose driver draws into
 * ncursesw. What is drawn appears at term_flush, as one screen diff. Opening
 * takes the terminal over (raw mode, alternate screen, bracketed paste);
 * closing, and a crash, give it back. At most one is open at a time: curses
 * and signal handlers know only one terminal. */
struct term;

/* What the theme has to do without. */
struct term_abilities {
    int colours;      /* 0: monochrome */
    bool has_unicode; /* the locale can show more than ASCII */
    bool is_linux_vt; /* the kernel's own console, with its few glyphs */
};

/* in_fd, out_fd: the terminal, borrowed. type: terminfo name, NULL: $TERM.
 * Fails when there is no terminal or it cannot position its cursor. */
struct term *term_open(int in_fd, int out_fd, const char *type,
                       struct error *error);
/* Gives the terminal back. NULL is fine. */
void term_close(struct term *term);

/* Borrowed: lives until term_close. */
TickitTerm *term_tickit(struct term *term);
struct term_abilities term_abilities(const struct term *term);

/* Sends what was drawn since the last time. */
void term_flush(struct term *term);
/* Whether the terminal takes bytes at present: a slow link does not. */
bool term_is_writable(const struct term *term);
/* Asks for the terminal's size and passes it to libtickit, whose windows
 * follow. Returns whether it changed. */
bool term_update_size(struct term *term);
/* Paints everything anew at the next flush, for when something else wrote to
 * the terminal. Takes the terminal's modes again, too. */
void term_redraw(struct term *term);
void term_bell(struct term *term);
/* Has the terminal show a desktop notification: by OSC 9, or OSC 777. text:
 * other characters than printable ASCII, and ';', become '?'. */
void term_notify(struct term *term, const char *text, bool is_777);
void term_set_mouse(struct term *term, bool is_on);
/* How much of the mouse the terminal tells while it is on. */
enum term_tracking {
    TERM_TRACKING_CLICKS,
    TERM_TRACKING_DRAGS,
    TERM_TRACKING_MOVES,
};
void term_set_tracking(struct term *term, enum term_tracking tracking);
/* The cursor's shape from the next flush on, where the terminal can change it:
 * DECSCUSR's number, 0 for the operator's own. */
void term_set_cursor_shape(struct term *term, int shape);

/* Pen attributes that libtickit lacks travel in its font number. */
enum term_font {
    TERM_FONT_DIM = 1 << 0,
    TERM_FONT_LOOK = 1 << 1, /* term_pen_look's */
};

/* Gives a pen what curses has no words for, as far as the terminal can show it.
 * The pen's text colour cannot have 24 bits beside. What the pen was given is
 * void once term_looks_generation is another one. */
void term_pen_look(struct term *term, TickitPen *pen,
                   const struct term_look *look);
unsigned term_looks_generation(const struct term *term);

/* What a cell is drawn with, beside libtickit: a console's full screens have a
 * style for every second cell, and a pen costs more than the cells do. */
struct term_ink {
    int foreground; /* 0 to 255, the nearest of 24 bits; -1: the default */
    int background;
    uint32_t attributes; /* enum mirror_attribute */
    struct term_look look;
};

/* Draws printable UTF-8 on a row's columns from col up to end, what libtickit
 * draws there next lies over it. Neither its pen nor its place changes. */
void term_put(struct term *term, int row, int col, int end,
              const struct term_ink *ink, const char *text, size_t len);
void term_fill(struct term *term, int row, int col, int end,
               const struct term_ink *ink);

/* The nearest of XTerm's 256 colours (the cube and the greys: the first 16
 * differ between terminals). rgb: 0xRRGGBB. */
int term_colour_from_rgb(unsigned rgb);
/* What XTerm shows for one of its 256 colours, as 0xRRGGBB. */
unsigned term_colour_to_rgb(int index);
/* The nearest colour that a terminal of so many colours has: 256 to 16 to 8;
 * -1, the default colour, when it has none. */
int term_colour_reduce(int index, int colours);
/* The same for a text on a background: what can be told apart stays so, and on
 * the default background (-1) no grey becomes black. */
int term_colour_reduce_text(int index, int background, int colours);
