#pragma once

#include <stdbool.h>
#include <stdint.h>

/* How a cell looks. Colours: STYLE_COLOUR_DEFAULT, STYLE_COLOUR_INDEXED |
 * 0..255 (XTerm's 256-colour palette), or STYLE_COLOUR_RGB | 0xRRGGBB. */
#define STYLE_COLOUR_DEFAULT 0u
#define STYLE_COLOUR_INDEXED 0x01000000u
#define STYLE_COLOUR_RGB 0x02000000u
#define STYLE_COLOUR_KIND_MASK 0xFF000000u
#define STYLE_COLOUR_VALUE_MASK 0x00FFFFFFu

enum style_attribute {
    STYLE_BOLD = 1 << 0,
    STYLE_DIM = 1 << 1,
    STYLE_ITALIC = 1 << 2,
    STYLE_UNDERLINE = 1 << 3, /* any underline; which one: see below */
    STYLE_BLINK = 1 << 4,
    STYLE_REVERSE = 1 << 5,
    STYLE_HIDDEN = 1 << 6,
    STYLE_STRIKE = 1 << 7,
    STYLE_OVERLINE = 1 << 8,
    /* bits 12..14: underline style of SGR 4:n (0 none or 1 single, 2 double,
     * 3 curly, 4 dotted, 5 dashed) */
    STYLE_UNDERLINE_SHIFT = 12,
};

struct style {
    uint32_t foreground;
    uint32_t background;
    uint32_t underline_colour;
    uint16_t attributes; /* enum style_attribute */
    uint16_t reserved;   /* zero, so that memcmp compares */
};

bool style_is_equal(const struct style *a, const struct style *b);

/* Room for any style as SGR parameters, with the terminating zero. */
#define STYLE_SGR_BYTES 128

/* Writes a style as the parameters of an SGR that sets it and nothing else
 * ("0;1;31"). */
void style_to_sgr(const struct style *style, char text[STYLE_SGR_BYTES]);
