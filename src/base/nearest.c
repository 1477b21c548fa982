#include "base/nearest.h"

#include <string.h>

#define WORD_MAX_BYTES 64

static size_t
min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Optimal string alignment distance. */
static size_t
edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][WORD_MAX_BYTES + 1];
    size_t *before = rows[0];
    size_t *last = rows[1];
    size_t *row = rows[2];
    for (size_t j = 0; j <= b_len; j++)
        last[j] = before[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t change = a[i - 1] != b[j - 1];
            row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        size_t *unused = before;
        before = last;
        last = row;
        row = unused;
    }
    return last[b_len];
}

const char *
nearest_name(const char *word, const char *const *names, size_t count)
{
    size_t len = strlen(word);
    if (len == 0 || len > WORD_MAX_BYTES)
        return NULL;
    size_t limit = len / 3 < 1 ? 1 : len / 3 > 3 ? 3 : len / 3;
    const char *best = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t name_len = strlen(names[i]);
        if (name_len > WORD_MAX_BYTES)
            continue;
        size_t distance = edit_distance(word, len, names[i], name_len);
        if (distance <= limit) {
            best = names[i];
            limit = distance ? distance - 1 : 0;
            if (distance == 0)
                break;
            if (distance == 1)
                limit = 0;
        }
    }
    return best;
}
