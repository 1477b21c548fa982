#pragma once

#include <stdint.h>

#include <tickit.h>

/* libtickit pens for the styles that guests print in. Direct-mapped: a style
 * that meets another in its slot replaces it, so hostile output costs time,
 * never memory. */
#define PENS_SLOTS 512

struct pens_slot {
    TickitPen *pen; /* owned; NULL while unused */
    uint32_t foreground;
    uint32_t background;
    uint32_t attributes;
};

struct pens {
    struct pens_slot slots[PENS_SLOTS];
};

/* Colours and attributes as the mirror has them. The pen is borrowed until the
 * next call. */
TickitPen *pens_get(struct pens *pens, uint32_t foreground, uint32_t background,
                    uint32_t attributes);
void pens_finish(struct pens *pens);
