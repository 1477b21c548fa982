#pragma once

#include <stddef.h>

/* The name among count names that is nearest to word by edit distance
 * (insertion, deletion, substitution, swap of neighbours), for "did you mean".
 * NULL when none is near: more than a third of the letters differ, at most 3.
 * names: borrowed, as is the result. Words beyond 64 bytes have no neighbour.
 */
const char *nearest_name(const char *word, const char *const *names,
                         size_t count);
