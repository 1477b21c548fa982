#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The fixed texts of a regular expression: each text that it matches contains
 * one of them. What contains none need not be tried. */

/* Most texts of one expression, and most bytes of each. */
#define NEEDLES_MAX 16
#define NEEDLES_MAX_BYTES 24
/* Shorter ones would be found everywhere. */
#define NEEDLES_MIN_BYTES 3

struct needles {
    char items[NEEDLES_MAX][NEEDLES_MAX_BYTES + 1]; /* lower case, ASCII */
    size_t count;
};

/* Finds them in a PCRE2 pattern. False when there are none, or the pattern is
 * beyond what is understood here; it must be tried on everything then. Letters
 * count in either case. */
bool needles_find(struct needles *needles, const char *pattern);
