#pragma once

#include "console/terminal.h"

#include <stdint.h>

/* Tab stops, one bit a column. */
struct tabs {
    uint64_t stops[(TERMINAL_MAX_COLS + 63) / 64];
};

/* A stop at every eighth column. */
void tabs_reset(struct tabs *tabs);

void tabs_set(struct tabs *tabs, int col);
void tabs_unset(struct tabs *tabs, int col);
void tabs_unset_all(struct tabs *tabs);

/* The column of the next stop to the right, at most last. */
int tabs_next(const struct tabs *tabs, int col, int last);

/* The column of the next stop to the left, at least 0. */
int tabs_previous(const struct tabs *tabs, int col);
