#pragma once

#include "console/intern.h"
#include "console/style.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One column of a row. */
struct cell {
    uint32_t symbol; /* a code point, or one of the CELL_ values */
    uint32_t style;  /* number in the pool's styles */
};

#define CELL_EMPTY 0u            /* never written, or erased */
#define CELL_TAIL 0x40000000u    /* right half of a wide character */
#define CELL_CLUSTER 0x80000000u /* | number in the pool's clusters */

/* Most code points of one cell: a base and its combining characters. More are
 * dropped, so that no flood of them makes a cell expensive. */
#define CELL_MAX_CODEPOINTS 8
/* Most bytes of one cell's text. */
#define CELL_MAX_BYTES ((size_t)CELL_MAX_CODEPOINTS * 4)

/* A character with its combining ones; unused places are zero. */
struct cluster {
    uint32_t codepoints[CELL_MAX_CODEPOINTS];
};

/* What the cells of one terminal refer to. */
struct cell_pool {
    struct intern styles;
    struct intern clusters;
};

void cell_pool_init(struct cell_pool *pool);
void cell_pool_finish(struct cell_pool *pool);

/* Columns that a character takes in the grid: 1 or 2; 0 when it joins the
 * character before it; -1 when it is not shown at all (controls, bidi controls
 * and other invisible format characters, which could disguise text). */
int cell_width(uint32_t codepoint);

/* Whether our tables know the character; one they do not know may be drawn
 * anyhow wide. */
bool cell_is_assigned(uint32_t codepoint);

/* Appends a combining character to what a cell holds; returns the cell's new
 * symbol, the old one when it is full. */
uint32_t cell_combine(struct cell_pool *pool, uint32_t symbol,
                      uint32_t codepoint);

/* Writes a symbol's UTF-8 form (CELL_MAX_BYTES at most); returns its length.
 * An empty cell is a blank, a tail is nothing. */
size_t cell_text(const struct cell_pool *pool, uint32_t symbol, char *text);

/* The style of a number; borrowed until the pool changes. */
const struct style *cell_style(const struct cell_pool *pool, uint32_t number);
