#include "tui/term-looks.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* A power of two, about twice the numbers. */
#define SLOTS 16384u

void
term_looks_finish(struct term_looks *looks)
{
    if (!looks)
        return;
    free(looks->items);
    free(looks->slots);
    *looks = (struct term_looks){0};
}

static bool
is_same(const struct term_look *a, const struct term_look *b)
{
    return a->foreground == b->foreground && a->background == b->background &&
           a->underline_colour == b->underline_colour &&
           a->underline == b->underline && a->lines == b->lines;
}

static bool
is_plain(const struct term_look *look)
{
    static const struct term_look plain = {0};
    return is_same(look, &plain);
}

/* The slot that holds the look's number, or the empty one where it belongs. */
static uint16_t *
find_slot(const struct term_looks *looks, const struct term_look *look)
{
    uint32_t hash = look->foreground;
    hash = hash * 31 + look->background;
    hash = hash * 31 + look->underline_colour;
    hash = hash * 31 + (uint32_t)(look->underline << 8 | look->lines);
    /* Knuth's multiplicative hash */
    uint32_t at = hash * 2654435761u >> 16 & (SLOTS - 1);
    while (looks->slots[at] && !is_same(&looks->items[looks->slots[at]], look))
        at = (at + 1) & (SLOTS - 1);
    return &looks->slots[at];
}

static struct term_look
reduce(const struct term_look *look, unsigned extras)
{
    struct term_look shown = *look;
    if (!(extras & TERM_EXTRA_RGB)) {
        shown.foreground = 0;
        shown.background = 0;
    }
    if (!(extras & TERM_EXTRA_UNDERLINES))
        shown.underline = 0;
    if (!(extras & TERM_EXTRA_UNDERLINE_COLOURS))
        shown.underline_colour = 0;
    shown.lines &= (uint16_t)extras;
    return shown;
}

/* The lowest number that is free; 0: none is. */
static int
take_number(const struct term_looks *looks)
{
    if (looks->count < TERM_LOOKS_MAX &&
        is_plain(&looks->items[looks->count + 1]))
        return looks->count + 1;
    for (int number = 1; number <= TERM_LOOKS_MAX; number++) {
        if (is_plain(&looks->items[number]))
            return number;
    }
    return 0;
}

int
term_looks_number(struct term_looks *looks, const struct term_look *look)
{
    struct term_look shown = reduce(look, looks->extras);
    struct term_look beside = shown;
    if (looks->is_direct)
        beside.foreground = beside.background = 0;
    if (is_plain(&beside))
        return 0;
    if (!looks->items) {
        looks->items = xcalloc(TERM_LOOKS_MAX + 1, sizeof(*looks->items));
        looks->slots = xcalloc(SLOTS, sizeof(*looks->slots));
    }
    uint16_t *slot = find_slot(looks, &shown);
    if (*slot)
        return *slot;
    int number = take_number(looks);
    if (!number)
        return 0;
    looks->items[number] = shown;
    looks->count++;
    *slot = (uint16_t)number;
    return number;
}

const struct term_look *
term_looks_get(const struct term_looks *looks, int number)
{
    if (!looks->items || number < 1 || number > TERM_LOOKS_MAX)
        return NULL;
    return &looks->items[number];
}

bool
term_looks_are_many(const struct term_looks *looks)
{
    return looks->count > TERM_LOOKS_MAX / 4 * 3;
}

void
term_looks_keep(struct term_looks *looks, const bool *is_used)
{
    if (!looks->items)
        return;
    memset(looks->slots, 0, SLOTS * sizeof(*looks->slots));
    looks->count = 0;
    looks->generation++;
    for (int number = 1; number <= TERM_LOOKS_MAX; number++) {
        struct term_look *look = &looks->items[number];
        if (!is_used[number])
            *look = (struct term_look){0};
        if (is_plain(look))
            continue;
        *find_slot(looks, look) = (uint16_t)number;
        looks->count++;
    }
}
