#pragma once

#include "tui/term-driver.h"

#include <stdbool.h>
#include <stdint.h>

#include <tickit.h>

struct mirror_run;

/* libtickit pens for the styles that guests print in. Direct-mapped: a style
 * that meets another in its slot replaces it, so hostile output costs time,
 * never memory. */
#define PENS_SLOTS 512

/* Colours and attributes as the mirror has them. */
struct pens_style {
    uint32_t foreground;
    uint32_t background;
    uint32_t underline_colour;
    uint32_t attributes;
};

struct pens_slot {
    TickitPen *pen; /* owned; NULL while unused */
    struct pens_style style;
};

struct pens {
    struct term *term;   /* borrowed */
    unsigned generation; /* of the terminal's looks, when the pens were made */
    struct pens_slot slots[PENS_SLOTS];
};

/* The pen is borrowed until the next call. */
TickitPen *pens_get(struct pens *pens, const struct pens_style *style);
/* The pen of a run; is_reverse: the whole screen is. */
TickitPen *pens_of_run(struct pens *pens, const struct mirror_run *run,
                       bool is_reverse);
/* The same for what is drawn beside libtickit. */
struct term_ink pens_ink_of_run(const struct mirror_run *run, bool is_reverse);
void pens_finish(struct pens *pens);
