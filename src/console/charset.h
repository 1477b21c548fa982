#pragma once

#include <stdint.h>

/* The character sets that a guest can designate as G0 to G3. All others are
 * taken for ASCII: the text comes in UTF-8. */
enum charset {
    CHARSET_ASCII,
    CHARSET_GRAPHICS, /* DEC Special Graphics: line drawing */
    CHARSET_UK,       /* # is the pound sign */
    CHARSET_COUNT
};

/* The set that a designation's final byte names (ESC ( 0 …). */
enum charset charset_from_final(char final);

/* What an ASCII character stands for in a set. */
uint32_t charset_map(enum charset charset, unsigned char character);
