#include "console/terminal-internal.h"

#include <stddef.h>

/* What SGR numbers set and take away, colours aside (ECMA-48 8.3.117, XTerm).
 */
static const struct {
    uint16_t number;
    uint16_t drop; /* attributes that go first */
    uint16_t set;
} attributes[] = {
    {1, 0, STYLE_BOLD},
    {2, 0, STYLE_DIM},
    {3, 0, STYLE_ITALIC},
    {5, 0, STYLE_BLINK},
    {6, 0, STYLE_BLINK},
    {7, 0, STYLE_REVERSE},
    {8, 0, STYLE_HIDDEN},
    {9, 0, STYLE_STRIKE},
    {22, STYLE_BOLD | STYLE_DIM, 0},
    {23, STYLE_ITALIC, 0},
    {25, STYLE_BLINK, 0},
    {27, STYLE_REVERSE, 0},
    {28, STYLE_HIDDEN, 0},
    {29, STYLE_STRIKE, 0},
    {53, 0, STYLE_OVERLINE},
    {55, STYLE_OVERLINE, 0},
};

#define UNDERLINE_KIND_MASK (7u << STYLE_UNDERLINE_SHIFT)
/* SGR 4:n. */
#define UNDERLINE_KINDS 6

/* 0 none, 1 single, 2 double … as SGR 4:n has them. */
static void
set_underline(struct style *style, int kind)
{
    unsigned value = style->attributes;
    value &= ~(STYLE_UNDERLINE | UNDERLINE_KIND_MASK);
    if (kind > 0)
        value |= STYLE_UNDERLINE;
    if (kind > 1)
        value |= (unsigned)kind << STYLE_UNDERLINE_SHIFT;
    style->attributes = (uint16_t)value;
}

static void
set_attribute(struct style *style, int number)
{
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
        if (attributes[i].number == number)
            style->attributes =
                (uint16_t)((style->attributes & ~attributes[i].drop) |
                           attributes[i].set);
}

static bool
is_sub(const struct parser_sequence *sequence, unsigned at)
{
    return at < sequence->count && (sequence->is_sub >> at & 1);
}

static unsigned
sub_count(const struct parser_sequence *sequence, unsigned at)
{
    unsigned count = 0;
    if (!sequence->is_sub)
        return 0;
    while (is_sub(sequence, at + 1 + count))
        count++;
    return count;
}

static bool
read_rgb(const struct parser_sequence *sequence, unsigned at, uint32_t *colour)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 3; i++) {
        int part = terminal_param(sequence, at + i, 0);
        if (part > 255)
            return false;
        value = value << 8 | (uint32_t)part;
    }
    *colour = STYLE_COLOUR_RGB | value;
    return true;
}

/* 38, 48 or 58 at a place, with colons (ISO 8613-6: 38:5:n, 38:2:space:r:g:b,
 * and the common 38:2:r:g:b) or semicolons. Returns how many parameters
 * followed. */
static unsigned
read_colour(const struct parser_sequence *sequence, unsigned at,
            uint32_t *colour)
{
    unsigned subs = sub_count(sequence, at);
    int kind = terminal_param(sequence, at + 1, 0);
    if (kind == 5) {
        int number = terminal_param(sequence, at + 2, 0);
        if (number <= 255 && (subs == 0 || subs >= 2))
            *colour = STYLE_COLOUR_INDEXED | (uint32_t)number;
        return subs ? subs : 2;
    }
    if (kind == 2) {
        if (subs == 0 || subs >= 4)
            read_rgb(sequence, at + (subs > 4 ? 3 : 2), colour);
        return subs ? subs : 4;
    }
    return subs ? subs : 1;
}

/* Returns how many parameters after the one at a place it took. */
static unsigned
apply(struct style *style, const struct parser_sequence *sequence, unsigned at)
{
    int number = terminal_param(sequence, at, 0);
    unsigned subs = sub_count(sequence, at);
    uint32_t indexed = STYLE_COLOUR_INDEXED;
    if (number == 0)
        *style = (struct style){0};
    else if (number == 4 && subs) {
        int kind = terminal_param(sequence, at + 1, 1);
        set_underline(style, kind < UNDERLINE_KINDS ? kind : 1);
    } else if (number == 4)
        set_underline(style, 1);
    else if (number == 21)
        set_underline(style, 2);
    else if (number == 24)
        set_underline(style, 0);
    else if (number >= 30 && number <= 37)
        style->foreground = indexed | (uint32_t)(number - 30);
    else if (number == 38)
        return read_colour(sequence, at, &style->foreground);
    else if (number == 39)
        style->foreground = STYLE_COLOUR_DEFAULT;
    else if (number >= 40 && number <= 47)
        style->background = indexed | (uint32_t)(number - 40);
    else if (number == 48)
        return read_colour(sequence, at, &style->background);
    else if (number == 49)
        style->background = STYLE_COLOUR_DEFAULT;
    else if (number == 58)
        return read_colour(sequence, at, &style->underline_colour);
    else if (number == 59)
        style->underline_colour = STYLE_COLOUR_DEFAULT;
    else if (number >= 90 && number <= 97)
        style->foreground = indexed | (uint32_t)(number - 90 + 8);
    else if (number >= 100 && number <= 107)
        style->background = indexed | (uint32_t)(number - 100 + 8);
    else
        set_attribute(style, number);
    return subs;
}

void
terminal_sgr(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal->is_pen_stale = true;
    if (sequence->count == 0)
        terminal->pen = (struct style){0};
    for (unsigned at = 0; at < sequence->count; at++)
        at += apply(&terminal->pen, sequence, at);
}
