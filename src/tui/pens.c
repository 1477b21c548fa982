#include "tui/pens.h"

#include "client/mirror.h"
#include "tui/term-driver.h"

#include <string.h>

static void
set_colour(TickitPen *pen, TickitPenAttr attr, uint32_t colour)
{
    uint32_t value = colour & MIRROR_COLOUR_VALUE_MASK;
    switch (colour & MIRROR_COLOUR_KIND_MASK) {
    case MIRROR_COLOUR_INDEXED:
        tickit_pen_set_colour_attr(pen, attr, (int)(value & 0xFF));
        break;
    case MIRROR_COLOUR_RGB:
        tickit_pen_set_colour_attr(pen, attr, term_colour_from_rgb(value));
        tickit_pen_set_colour_attr_rgb8(pen, attr,
                                        (TickitPenRGB8){
                                            .r = (uint8_t)(value >> 16 & 0xFF),
                                            .g = (uint8_t)(value >> 8 & 0xFF),
                                            .b = (uint8_t)(value & 0xFF),
                                        });
        break;
    default:
        tickit_pen_set_colour_attr(pen, attr, -1);
        break;
    }
}

static TickitPen *
make_pen(uint32_t foreground, uint32_t background, uint32_t attributes)
{
    TickitPen *pen = tickit_pen_new();
    set_colour(pen, TICKIT_PEN_FG, foreground);
    set_colour(pen, TICKIT_PEN_BG, background);
    tickit_pen_set_bool_attr(pen, TICKIT_PEN_BOLD, attributes & MIRROR_BOLD);
    tickit_pen_set_bool_attr(pen, TICKIT_PEN_ITALIC,
                             attributes & MIRROR_ITALIC);
    tickit_pen_set_bool_attr(pen, TICKIT_PEN_BLINK, attributes & MIRROR_BLINK);
    tickit_pen_set_bool_attr(pen, TICKIT_PEN_REVERSE,
                             attributes & MIRROR_REVERSE);
    tickit_pen_set_int_attr(pen, TICKIT_PEN_UNDER,
                            attributes & MIRROR_UNDERLINE
                                ? TICKIT_PEN_UNDER_SINGLE
                                : TICKIT_PEN_UNDER_NONE);
    tickit_pen_set_int_attr(pen, TICKIT_PEN_ALTFONT,
                            attributes & MIRROR_DIM ? TERM_FONT_DIM : 0);
    return pen;
}

TickitPen *
pens_get(struct pens *pens, uint32_t foreground, uint32_t background,
         uint32_t attributes)
{
    /* Knuth's multiplicative hash over the three */
    uint32_t hash = (foreground * 31 + background) * 31 + attributes;
    hash = hash * 2654435761u >> 16;
    struct pens_slot *slot = &pens->slots[hash % PENS_SLOTS];
    if (slot->pen && slot->foreground == foreground &&
        slot->background == background && slot->attributes == attributes)
        return slot->pen;
    if (slot->pen)
        tickit_pen_unref(slot->pen);
    slot->pen = make_pen(foreground, background, attributes);
    slot->foreground = foreground;
    slot->background = background;
    slot->attributes = attributes;
    return slot->pen;
}

void
pens_finish(struct pens *pens)
{
    for (int i = 0; i < PENS_SLOTS; i++) {
        if (pens->slots[i].pen)
            tickit_pen_unref(pens->slots[i].pen);
    }
    memset(pens, 0, sizeof(*pens));
}
