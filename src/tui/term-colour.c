#include "tui/term-driver.h"

#include <stdlib.h>

/* XTerm's first 16 colours (its default resources, charproc.c). */
static const unsigned ansi_rgb[16] = {
    0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD,
    0x00CDCD, 0xE5E5E5, 0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00,
    0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF,
};

/* Black in the colour cube. */
#define TERM_COLOUR_BLACK 16

/* The six steps of the colour cube, 16..231 (XTerm's 256colres.pl). */
static const int cube_steps[6] = {0, 95, 135, 175, 215, 255};

unsigned
term_colour_to_rgb(int index)
{
    if (index < 0 || index > 255)
        return 0;
    if (index < 16)
        return ansi_rgb[index];
    if (index >= 232) {
        unsigned grey = (unsigned)(8 + (index - 232) * 10);
        return grey << 16 | grey << 8 | grey;
    }
    index -= 16;
    return (unsigned)cube_steps[index / 36] << 16 |
           (unsigned)cube_steps[index / 6 % 6] << 8 |
           (unsigned)cube_steps[index % 6];
}

static int
nearest_step(int value)
{
    int best = 0;
    for (int i = 1; i < 6; i++) {
        if (abs(cube_steps[i] - value) < abs(cube_steps[best] - value))
            best = i;
    }
    return best;
}

static int
distance(unsigned a, unsigned b)
{
    int red = (int)(a >> 16 & 0xFF) - (int)(b >> 16 & 0xFF);
    int green = (int)(a >> 8 & 0xFF) - (int)(b >> 8 & 0xFF);
    int blue = (int)(a & 0xFF) - (int)(b & 0xFF);
    return red * red + green * green + blue * blue;
}

static bool
is_grey(unsigned rgb)
{
    return (rgb >> 16 & 0xFF) == (rgb & 0xFF) &&
           (rgb >> 8 & 0xFF) == (rgb & 0xFF);
}

int
term_colour_from_rgb(unsigned rgb)
{
    int red = (int)(rgb >> 16 & 0xFF);
    int green = (int)(rgb >> 8 & 0xFF);
    int blue = (int)(rgb & 0xFF);
    int cube = 16 + 36 * nearest_step(red) + 6 * nearest_step(green) +
               nearest_step(blue);

    int grey_step = ((red + green + blue) / 3 - 3) / 10;
    if (grey_step < 0)
        grey_step = 0;
    if (grey_step > 23)
        grey_step = 23;
    int grey = 232 + grey_step;
    return distance(rgb, term_colour_to_rgb(grey)) <
                   distance(rgb, term_colour_to_rgb(cube))
               ? grey
               : cube;
}

int
term_colour_reduce(int index, int colours)
{
    if (index < 0 || index < colours)
        return index;
    if (colours < 8)
        return -1;

    int limit = colours >= 16 ? 16 : 8;
    unsigned rgb = term_colour_to_rgb(index);
    int best = 0;
    for (int i = 1; i < limit; i++) {
        /* a grey stays one, though yellow may be nearer */
        if (is_grey(rgb) && !is_grey(ansi_rgb[i]))
            continue;
        if (distance(rgb, ansi_rgb[i]) < distance(rgb, ansi_rgb[best]))
            best = i;
    }
    return best;
}

int
term_colour_reduce_text(int index, int background, int colours)
{
    int text = term_colour_reduce(index, colours);
    if (text == index)
        return text;
    int behind = term_colour_reduce(background, colours);
    /* what the default background is nobody knows: black, often */
    if (background < 0)
        return text == 0 && index != TERM_COLOUR_BLACK ? -1 : text;
    if (behind < 0 || text != behind || index == background)
        return text;
    return distance(ansi_rgb[behind], 0) < distance(ansi_rgb[behind], 0xFFFFFF)
               ? 7
               : 0;
}
