#include "tui/pens.h"

#include "client/mirror.h"

#include <string.h>

static int
nearest_colour(uint32_t colour)
{
    uint32_t value = colour & MIRROR_COLOUR_VALUE_MASK;
    switch (colour & MIRROR_COLOUR_KIND_MASK) {
    case MIRROR_COLOUR_INDEXED:
        return (int)(value & 0xFF);
    case MIRROR_COLOUR_RGB:
        return term_colour_from_rgb(value);
    default:
        return -1;
    }
}

/* Bits 12 to 14 of the attributes: SGR 4's kind of underline. */
static unsigned
underline_kind(uint32_t attributes)
{
    unsigned kind = attributes >> 12 & 7;
    return attributes & MIRROR_UNDERLINE && kind >= 2 && kind <= 5 ? kind : 0;
}

static uint32_t
exact_colour(uint32_t colour)
{
    bool is_rgb = (colour & MIRROR_COLOUR_KIND_MASK) == MIRROR_COLOUR_RGB;
    return is_rgb ? TERM_LOOK_RGB | (colour & MIRROR_COLOUR_VALUE_MASK) : 0;
}

/* What curses has no words for. */
static struct term_look
look_of(const struct pens_style *style)
{
    struct term_look look = {
        .foreground = exact_colour(style->foreground),
        .background = exact_colour(style->background),
        .underline = (uint16_t)underline_kind(style->attributes),
    };
    if (style->attributes & MIRROR_UNDERLINE &&
        style->underline_colour != MIRROR_COLOUR_DEFAULT)
        look.underline_colour = style->underline_colour;
    if (style->attributes & MIRROR_STRIKE)
        look.lines |= TERM_EXTRA_STRIKE;
    if (style->attributes & MIRROR_OVERLINE)
        look.lines |= TERM_EXTRA_OVERLINE;
    return look;
}

static struct term_ink
ink_of(const struct pens_style *style)
{
    return (struct term_ink){
        .foreground = nearest_colour(style->foreground),
        .background = nearest_colour(style->background),
        .attributes = style->attributes,
        .look = look_of(style),
    };
}

static void
set_colour(TickitPen *pen, TickitPenAttr attr, int index, uint32_t exact)
{
    tickit_pen_set_colour_attr(pen, attr, index);
    if (!exact)
        return;
    tickit_pen_set_colour_attr_rgb8(pen, attr,
                                    (TickitPenRGB8){
                                        .r = (uint8_t)(exact >> 16 & 0xFF),
                                        .g = (uint8_t)(exact >> 8 & 0xFF),
                                        .b = (uint8_t)(exact & 0xFF),
                                    });
}

static TickitPen *
make_pen(struct term *term, const struct pens_style *style)
{
    struct term_ink ink = ink_of(style);
    TickitPen *pen = tickit_pen_new();
    set_colour(pen, TICKIT_PEN_FG, ink.foreground, ink.look.foreground);
    set_colour(pen, TICKIT_PEN_BG, ink.background, ink.look.background);
    tickit_pen_set_bool_attr(pen, TICKIT_PEN_BOLD,
                             ink.attributes & MIRROR_BOLD);
    tickit_pen_set_bool_attr(pen, TICKIT_PEN_ITALIC,
                             ink.attributes & MIRROR_ITALIC);
    tickit_pen_set_bool_attr(pen, TICKIT_PEN_BLINK,
                             ink.attributes & MIRROR_BLINK);
    tickit_pen_set_bool_attr(pen, TICKIT_PEN_REVERSE,
                             ink.attributes & MIRROR_REVERSE);
    tickit_pen_set_int_attr(pen, TICKIT_PEN_UNDER,
                            ink.attributes & MIRROR_UNDERLINE
                                ? TICKIT_PEN_UNDER_SINGLE
                                : TICKIT_PEN_UNDER_NONE);
    tickit_pen_set_int_attr(pen, TICKIT_PEN_ALTFONT,
                            ink.attributes & MIRROR_DIM ? TERM_FONT_DIM : 0);
    term_pen_look(term, pen, &ink.look);
    return pen;
}

static bool
is_same(const struct pens_style *a, const struct pens_style *b)
{
    return a->foreground == b->foreground && a->background == b->background &&
           a->underline_colour == b->underline_colour &&
           a->attributes == b->attributes;
}

/* The numbers in the pens mean something else by now. */
static void
renew(struct pens *pens)
{
    struct term *term = pens->term;
    pens_finish(pens);
    pens->term = term;
    pens->generation = term_looks_generation(term);
}

TickitPen *
pens_get(struct pens *pens, const struct pens_style *style)
{
    /* Knuth's multiplicative hash over them all */
    uint32_t hash = style->foreground * 31 + style->background;
    hash = (hash * 31 + style->underline_colour) * 31 + style->attributes;
    hash = hash * 2654435761u >> 16;
    if (pens->generation != term_looks_generation(pens->term))
        renew(pens);
    struct pens_slot *slot = &pens->slots[hash % PENS_SLOTS];
    if (slot->pen && is_same(&slot->style, style))
        return slot->pen;
    if (slot->pen)
        tickit_pen_unref(slot->pen);
    slot->pen = make_pen(pens->term, style);
    slot->style = *style;
    return slot->pen;
}

static struct pens_style
style_of_run(const struct mirror_run *run, bool is_reverse)
{
    return (struct pens_style){
        .foreground = run->foreground,
        .background = run->background,
        .underline_colour = run->underline_colour,
        .attributes = run->attributes ^ (is_reverse ? MIRROR_REVERSE : 0u),
    };
}

TickitPen *
pens_of_run(struct pens *pens, const struct mirror_run *run, bool is_reverse)
{
    struct pens_style style = style_of_run(run, is_reverse);
    return pens_get(pens, &style);
}

struct term_ink
pens_ink_of_run(const struct mirror_run *run, bool is_reverse)
{
    struct pens_style style = style_of_run(run, is_reverse);
    return ink_of(&style);
}

void
pens_finish(struct pens *pens)
{
    for (int i = 0; i < PENS_SLOTS; i++) {
        if (pens->slots[i].pen)
            tickit_pen_unref(pens->slots[i].pen);
    }
    *pens = (struct pens){0};
}
