#include "console/charset.h"

#include <stddef.h>
#include <string.h>

/* VT100 user guide, table 3-9: 5F to 7E. */
static const uint16_t graphics[] = {
    0x0020, 0x25C6, 0x2592, 0x2409, 0x240C, 0x240D, 0x240A, 0x00B0,
    0x00B1, 0x2424, 0x240B, 0x2518, 0x2510, 0x250C, 0x2514, 0x253C,
    0x23BA, 0x23BB, 0x2500, 0x23BC, 0x23BD, 0x251C, 0x2524, 0x2534,
    0x252C, 0x2502, 0x2264, 0x2265, 0x03C0, 0x2260, 0x00A3, 0x00B7,
};

/* The places that national sets have for letters of their own (ISO 646). */
static const char places[] = "#@[\\]^_`{|}~";
#define PLACES 12

/* National replacement sets (VT220 and VT420 manuals, appendix). */
static const uint16_t nationals[][PLACES] = {
    [CHARSET_DUTCH - CHARSET_FIRST_NATIONAL] = {0x00A3, 0x00BE, 0x00FF, 0x00BD,
                                                0x007C, 0x005E, 0x005F, 0x0060,
                                                0x00A8, 0x0192, 0x00BC, 0x00B4},
    [CHARSET_FINNISH - CHARSET_FIRST_NATIONAL] = {0x0023, 0x0040, 0x00C4,
                                                  0x00D6, 0x00C5, 0x00DC,
                                                  0x005F, 0x00E9, 0x00E4,
                                                  0x00F6, 0x00E5, 0x00FC},
    [CHARSET_FRENCH - CHARSET_FIRST_NATIONAL] = {0x00A3, 0x00E0, 0x00B0, 0x00E7,
                                                 0x00A7, 0x005E, 0x005F, 0x0060,
                                                 0x00E9, 0x00F9, 0x00E8,
                                                 0x00A8},
    [CHARSET_FRENCH_CANADIAN -
        CHARSET_FIRST_NATIONAL] = {0x0023, 0x00E0, 0x00E2, 0x00E7, 0x00EA,
                                   0x00EE, 0x005F, 0x00F4, 0x00E9, 0x00F9,
                                   0x00E8, 0x00FB},
    [CHARSET_GERMAN - CHARSET_FIRST_NATIONAL] = {0x0023, 0x00A7, 0x00C4, 0x00D6,
                                                 0x00DC, 0x005E, 0x005F, 0x0060,
                                                 0x00E4, 0x00F6, 0x00FC,
                                                 0x00DF},
    [CHARSET_ITALIAN - CHARSET_FIRST_NATIONAL] = {0x00A3, 0x00A7, 0x00B0,
                                                  0x00E7, 0x00E9, 0x005E,
                                                  0x005F, 0x00F9, 0x00E0,
                                                  0x00F2, 0x00E8, 0x00EC},
    [CHARSET_NORWEGIAN - CHARSET_FIRST_NATIONAL] = {0x0023, 0x00C4, 0x00C6,
                                                    0x00D8, 0x00C5, 0x00DC,
                                                    0x005F, 0x00E4, 0x00E6,
                                                    0x00F8, 0x00E5, 0x00FC},
    [CHARSET_PORTUGUESE - CHARSET_FIRST_NATIONAL] = {0x0023, 0x0040, 0x00C3,
                                                     0x00C7, 0x00D5, 0x005E,
                                                     0x005F, 0x0060, 0x00E3,
                                                     0x00E7, 0x00F5, 0x007E},
    [CHARSET_SPANISH - CHARSET_FIRST_NATIONAL] = {0x00A3, 0x00A7, 0x00A1,
                                                  0x00D1, 0x00BF, 0x005E,
                                                  0x005F, 0x0060, 0x00B0,
                                                  0x00F1, 0x00E7, 0x007E},
    [CHARSET_SWEDISH - CHARSET_FIRST_NATIONAL] = {0x0023, 0x00C9, 0x00C4,
                                                  0x00D6, 0x00C5, 0x00DC,
                                                  0x005F, 0x00E9, 0x00E4,
                                                  0x00F6, 0x00E5, 0x00FC},
    [CHARSET_SWISS - CHARSET_FIRST_NATIONAL] = {0x00F9, 0x00E0, 0x00E9, 0x00E7,
                                                0x00EA, 0x00EE, 0x00E8, 0x00F4,
                                                0x00E4, 0x00F6, 0x00FC, 0x00FB},
};

static const struct {
    char intermediate;
    char final;
    unsigned char charset;
} names[] = {
    {0, '0', CHARSET_GRAPHICS},
    {0, '2', CHARSET_GRAPHICS}, /* alternate ROM special graphics */
    {0, 'A', CHARSET_UK},
    {0, '4', CHARSET_DUTCH},
    {0, 'C', CHARSET_FINNISH},
    {0, '5', CHARSET_FINNISH},
    {0, 'R', CHARSET_FRENCH},
    {0, 'f', CHARSET_FRENCH},
    {0, 'Q', CHARSET_FRENCH_CANADIAN},
    {0, '9', CHARSET_FRENCH_CANADIAN},
    {0, 'K', CHARSET_GERMAN},
    {0, 'Y', CHARSET_ITALIAN},
    {0, '`', CHARSET_NORWEGIAN},
    {0, 'E', CHARSET_NORWEGIAN},
    {0, '6', CHARSET_NORWEGIAN},
    {'%', '6', CHARSET_PORTUGUESE},
    {0, 'Z', CHARSET_SPANISH},
    {0, 'H', CHARSET_SWEDISH},
    {0, '7', CHARSET_SWEDISH},
    {0, '=', CHARSET_SWISS},
};

enum charset
charset_find(const char *intermediates, char final)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].final == final &&
            names[i].intermediate == intermediates[0])
            return names[i].charset;
    return CHARSET_ASCII;
}

uint32_t
charset_map(enum charset charset, unsigned char character)
{
    if (charset == CHARSET_GRAPHICS && character >= 0x5F && character <= 0x7E)
        return graphics[character - 0x5F];
    if (charset == CHARSET_UK && character == '#')
        return 0x00A3;
    if (charset < CHARSET_FIRST_NATIONAL)
        return character;
    const char *place = strchr(places, character);
    return place && character
               ? nationals[charset - CHARSET_FIRST_NATIONAL][place - places]
               : character;
}
