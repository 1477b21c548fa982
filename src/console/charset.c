#include "console/charset.h"

/* VT100 user guide, table 3-9: 5F to 7E. */
static const uint16_t graphics[] = {
    0x00A0, 0x25C6, 0x2592, 0x2409, 0x240C, 0x240D, 0x240A, 0x00B0,
    0x00B1, 0x2424, 0x240B, 0x2518, 0x2510, 0x250C, 0x2514, 0x253C,
    0x23BA, 0x23BB, 0x2500, 0x23BC, 0x23BD, 0x251C, 0x2524, 0x2534,
    0x252C, 0x2502, 0x2264, 0x2265, 0x03C0, 0x2260, 0x00A3, 0x00B7,
};

enum charset
charset_from_final(char final)
{
    switch (final) {
    case '0':
    case '2': /* alternate ROM special graphics */
        return CHARSET_GRAPHICS;
    case 'A':
        return CHARSET_UK;
    default:
        return CHARSET_ASCII;
    }
}

uint32_t
charset_map(enum charset charset, unsigned char character)
{
    if (charset == CHARSET_GRAPHICS && character >= 0x5F && character <= 0x7E)
        return graphics[character - 0x5F];
    if (charset == CHARSET_UK && character == '#')
        return 0x00A3;
    return character;
}
