#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

/* What curses has no words for: underlines of several kinds and colours, struck
 * and overlined text, 24-bit colours on a terminal that curses knows as one of
 * 256. A cell with such a look carries its number into curses as a combining
 * character that no terminal gets to see: curses tells cells apart by it,
 * scrolls and moves them with it, and writes it behind the cell's character;
 * there it is taken out again, and what the look needs is put before the
 * character. So each cell is sent once, and curses' picture of the terminal
 * stays the true one. */

/* What a terminal can show beyond curses. */
enum term_extra {
    TERM_EXTRA_UNDERLINES = 1 << 0,        /* SGR 4:2 to 4:5 */
    TERM_EXTRA_UNDERLINE_COLOURS = 1 << 1, /* SGR 58 */
    TERM_EXTRA_STRIKE = 1 << 2,            /* SGR 9 */
    TERM_EXTRA_OVERLINE = 1 << 3,          /* SGR 53 */
    TERM_EXTRA_RGB = 1 << 4,               /* SGR 38;2 and 48;2 */
};

/* What the terminal says of itself: by its terminfo entry, which curses has
 * read, by COLORTERM, or by a name that is known. */
unsigned term_extras_find(const char *type);

/* Colours of a look: 0 is curses' (of underlines: the text's), else one of the
 * 256, or 24 bits. */
#define TERM_LOOK_INDEXED 0x01000000u
#define TERM_LOOK_RGB 0x02000000u
#define TERM_LOOK_COLOUR_MASK 0x00FFFFFFu

struct term_look {
    uint32_t foreground; /* 0 or TERM_LOOK_RGB | 0xRRGGBB */
    uint32_t background; /* the same */
    uint32_t underline_colour;
    uint16_t underline; /* SGR 4's kinds, 2 (double) to 5 (dashed); 0: curses'
                         */
    uint16_t lines;     /* TERM_EXTRA_STRIKE, TERM_EXTRA_OVERLINE */
};

/* The last plane's private characters stand for numbers of looks; a guest's own
 * ones among them are not shown. */
#define TERM_LOOK_FIRST 0x10E000u
#define TERM_LOOKS_MAX 8189 /* up to U+10FFFD */

/* The looks in use, known by numbers from 1 on. Zero-initialise it. */
struct term_looks {
    unsigned extras;         /* what the terminal can show */
    bool is_direct;          /* curses has words for 24-bit colours */
    struct term_look *items; /* owned: TERM_LOOKS_MAX + 1 of them, or NULL */
    uint16_t *slots;         /* owned: the numbers, by hash */
    int count;
    unsigned generation; /* counts up when numbers get other meanings */
};

void term_looks_finish(struct term_looks *looks);

/* The number of a look, after what the terminal cannot show was taken out of
 * it; 0 when nothing is left, or no number. */
int term_looks_number(struct term_looks *looks, const struct term_look *look);
/* NULL for 0 and for numbers that are none. */
const struct term_look *term_looks_get(const struct term_looks *looks,
                                       int number);

/* Whether so many numbers are taken that those no cell has should be given
 * back. */
bool term_looks_are_many(const struct term_looks *looks);
/* Gives back the numbers that are not set in is_used (TERM_LOOKS_MAX + 1);
 * the others keep theirs. */
void term_looks_keep(struct term_looks *looks, const bool *is_used);

/* Puts what the looks need into what curses wrote for a whole update; at its
 * end the terminal is in the state that curses believes. */
void term_looks_apply(const struct term_looks *looks, const char *bytes,
                      size_t len, struct buffer *out);
