#pragma once

#include <stdint.h>

/* The character sets that a guest can designate as G0 to G3. All others are
 * taken for ASCII: the text comes in UTF-8. */
enum charset {
    CHARSET_ASCII,
    CHARSET_GRAPHICS, /* DEC Special Graphics: line drawing */
    CHARSET_UK,       /* # is the pound sign */
    CHARSET_FIRST_NATIONAL,
    CHARSET_DUTCH = CHARSET_FIRST_NATIONAL,
    CHARSET_FINNISH,
    CHARSET_FRENCH,
    CHARSET_FRENCH_CANADIAN,
    CHARSET_GERMAN,
    CHARSET_ITALIAN,
    CHARSET_NORWEGIAN, /* and Danish */
    CHARSET_PORTUGUESE,
    CHARSET_SPANISH,
    CHARSET_SWEDISH,
    CHARSET_SWISS,
    CHARSET_COUNT
};

/* The set that a designation's final byte names (ESC ( 0 …); intermediates:
 * those before it, "" for most. */
enum charset charset_find(const char *intermediates, char final);

/* What an ASCII character stands for in a set. */
uint32_t charset_map(enum charset charset, unsigned char character);
