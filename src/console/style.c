#include "console/style.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* SGR's numbers for the attributes but the underline (ECMA-48 8.3.117, XTerm).
 */
static const struct {
    uint16_t attribute;
    uint16_t number;
} attributes[] = {
    {STYLE_BOLD, 1},   {STYLE_DIM, 2},       {STYLE_ITALIC, 3},
    {STYLE_BLINK, 5},  {STYLE_REVERSE, 7},   {STYLE_HIDDEN, 8},
    {STYLE_STRIKE, 9}, {STYLE_OVERLINE, 53},
};

bool
style_is_equal(const struct style *a, const struct style *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static void __attribute__((format(printf, 2, 3)))
append(char text[STYLE_SGR_BYTES], const char *format, ...)
{
    size_t len = strlen(text);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text + len, STYLE_SGR_BYTES - len, format, args);
    va_end(args);
}

/* base: 30 or 40; underlines (58) have no short forms. */
static void
append_colour(char text[STYLE_SGR_BYTES], uint32_t colour, unsigned base)
{
    unsigned value = colour & STYLE_COLOUR_VALUE_MASK;
    unsigned extended = base == 58 ? base : base + 8;
    switch (colour & STYLE_COLOUR_KIND_MASK) {
    case STYLE_COLOUR_INDEXED:
        if (base != 58 && value < 8)
            append(text, ";%u", base + value);
        else if (base != 58 && value < 16)
            append(text, ";%u", base + 60 + value - 8);
        else
            append(text, base == 58 ? ";%u:5:%u" : ";%u;5;%u", extended, value);
        break;
    case STYLE_COLOUR_RGB:
        append(text, base == 58 ? ";%u:2::%u:%u:%u" : ";%u;2;%u;%u;%u",
               extended, value >> 16, value >> 8 & 0xFF, value & 0xFF);
        break;
    default:
        break;
    }
}

void
style_to_sgr(const struct style *style, char text[STYLE_SGR_BYTES])
{
    (void)snprintf(text, STYLE_SGR_BYTES, "0");
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
        if (attributes[i].attribute & style->attributes)
            append(text, ";%u", attributes[i].number);
    unsigned kind = (style->attributes >> STYLE_UNDERLINE_SHIFT) & 7;
    if (style->attributes & STYLE_UNDERLINE)
        append(text, kind > 1 ? ";4:%u" : ";4", kind);
    append_colour(text, style->foreground, 30);
    append_colour(text, style->background, 40);
    append_colour(text, style->underline_colour, 58);
}
