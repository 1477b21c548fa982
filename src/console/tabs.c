#include "console/tabs.h"

#include <string.h>

/* Columns between the usual stops. */
#define TAB_COLS 8

static int
is_set(const struct tabs *tabs, int col)
{
    return (int)(tabs->stops[col / 64] >> (col % 64) & 1);
}

void
tabs_reset(struct tabs *tabs)
{
    tabs_unset_all(tabs);
    for (int col = 0; col < TERMINAL_MAX_COLS; col += TAB_COLS)
        tabs_set(tabs, col);
}

void
tabs_set(struct tabs *tabs, int col)
{
    tabs->stops[col / 64] |= (uint64_t)1 << (col % 64);
}

void
tabs_unset(struct tabs *tabs, int col)
{
    tabs->stops[col / 64] &= ~((uint64_t)1 << (col % 64));
}

void
tabs_unset_all(struct tabs *tabs)
{
    memset(tabs->stops, 0, sizeof(tabs->stops));
}

int
tabs_next(const struct tabs *tabs, int col, int last)
{
    while (++col < last && !is_set(tabs, col)) {
    }
    return col < last ? col : last;
}

int
tabs_previous(const struct tabs *tabs, int col)
{
    while (--col > 0 && !is_set(tabs, col)) {
    }
    return col > 0 ? col : 0;
}
