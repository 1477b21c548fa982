#include "tui/term-pen.h"

#include "client/mirror.h"
#include "tui/term-driver.h"

static int
direct_colour(unsigned rgb)
{
    /* terminfo's direct colours below 8 are the palette's */
    return rgb < 8 ? 0 : (int)rgb;
}

/* exact: TERM_LOOK_RGB with 24 bits, or 0. */
static int
curses_colour(const struct term_pen *pen, int index, uint32_t exact)
{
    if (index < 0)
        return -1;
    if (pen->colours < TERM_COLOURS_DIRECT)
        return term_colour_reduce(index, pen->colours);
    if (exact)
        return direct_colour(exact & TERM_LOOK_COLOUR_MASK);
    return index < 8 ? index : (int)term_colour_to_rgb(index);
}

static uint32_t
exact_colour(const TickitPen *from, TickitPenAttr attr)
{
    if (!tickit_pen_has_colour_attr_rgb8(from, attr))
        return 0;
    TickitPenRGB8 rgb = tickit_pen_get_colour_attr_rgb8(from, attr);
    return TERM_LOOK_RGB | (uint32_t)(rgb.r << 16 | rgb.g << 8 | rgb.b);
}

static const struct {
    TickitPenAttr pen;
    attr_t curses;
} attribute_table[] = {
    {TICKIT_PEN_BOLD, A_BOLD},
    {TICKIT_PEN_ITALIC, A_ITALIC},
    {TICKIT_PEN_BLINK, A_BLINK},
    {TICKIT_PEN_REVERSE, A_REVERSE},
};

static attr_t
curses_attributes(const TickitPen *from)
{
    attr_t attributes = 0;
    for (size_t i = 0; i < sizeof(attribute_table) / sizeof(*attribute_table);
         i++) {
        if (tickit_pen_get_bool_attr(from, attribute_table[i].pen))
            attributes |= attribute_table[i].curses;
    }
    if (tickit_pen_get_int_attr(from, TICKIT_PEN_UNDER))
        attributes |= A_UNDERLINE;
    if (tickit_pen_get_int_attr(from, TICKIT_PEN_ALTFONT) & TERM_FONT_DIM)
        attributes |= A_DIM;
    return attributes;
}

/* The number that term_pen_look put into a pen. */
static int
pen_look(const TickitPen *from)
{
    if (!(tickit_pen_get_int_attr(from, TICKIT_PEN_ALTFONT) & TERM_FONT_LOOK))
        return 0;
    TickitPenRGB8 rgb = tickit_pen_get_colour_attr_rgb8(from, TICKIT_PEN_FG);
    return rgb.g << 8 | rgb.b;
}

static void
set_pair(struct term_pen *pen, int fg, int bg)
{
    if (fg == pen->pair_fg && bg == pen->pair_bg)
        return;
    int pair = fg < 0 && bg < 0 ? 0 : alloc_pair(fg, bg);
    pen->pair = pair < 0 ? 0 : pair;
    pen->pair_fg = fg;
    pen->pair_bg = bg;
}

/* A colour of text and one behind it; exact: their 24 bits, if any. */
static void
set_colours(struct term_pen *pen, int foreground, uint32_t exact,
            int background, uint32_t exact_background)
{
    bool is_palette = pen->colours < TERM_COLOURS_DIRECT;
    set_pair(pen,
             is_palette
                 ? term_colour_reduce_text(foreground, background, pen->colours)
                 : curses_colour(pen, foreground, exact),
             curses_colour(pen, background, exact_background));
}

void
term_pen_set(struct term_pen *pen, const struct term_looks *looks,
             const TickitPen *from)
{
    const struct term_look *look = term_looks_get(looks, pen_look(from));
    pen->look = look ? pen_look(from) : 0;
    pen->attributes = curses_attributes(from);
    if (pen->colours < 8)
        return;
    /* the place of a text colour's 24 bits is taken by the look's number */
    uint32_t exact =
        look ? look->foreground : exact_colour(from, TICKIT_PEN_FG);
    set_colours(pen, tickit_pen_get_colour_attr(from, TICKIT_PEN_FG), exact,
                tickit_pen_get_colour_attr(from, TICKIT_PEN_BG),
                exact_colour(from, TICKIT_PEN_BG));
}

void
term_pen_set_ink(struct term_pen *pen, struct term_looks *looks,
                 const struct term_ink *ink)
{
    static const struct {
        uint32_t mirror;
        attr_t curses;
    } attributes[] = {
        {MIRROR_BOLD, A_BOLD},     {MIRROR_DIM, A_DIM},
        {MIRROR_ITALIC, A_ITALIC}, {MIRROR_UNDERLINE, A_UNDERLINE},
        {MIRROR_BLINK, A_BLINK},   {MIRROR_REVERSE, A_REVERSE},
    };
    pen->look = term_looks_number(looks, &ink->look);
    pen->attributes = 0;
    for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
        if (ink->attributes & attributes[i].mirror)
            pen->attributes |= attributes[i].curses;
    }
    if (pen->colours >= 8)
        set_colours(pen, ink->foreground, ink->look.foreground, ink->background,
                    ink->look.background);
}

void
term_pen_cell(const struct term_pen *pen, wchar_t character, cchar_t *ret_cell)
{
    wchar_t text[3] = {character,
                       pen->look ? (wchar_t)TERM_LOOK_FIRST + pen->look : L'\0',
                       L'\0'};
    setcchar(ret_cell, L" ", pen->attributes, 0, &pen->pair);
    ret_cell->chars[0] = text[0];
    ret_cell->chars[1] = text[1];
}
