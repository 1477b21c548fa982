#pragma once

#include "console/history-store.h"
#include "console/history.h"
#include "console/packing.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum entry_flags {
    /* enum packing_flags below */
    ENTRY_WRAPPED = 1 << 4, /* the next row continued this one */
    ENTRY_BREAK = 1 << 5,   /* … but the line was cut here for its length */
};

/* Rows written at one width. A line never crosses blocks. Only the newest one's
 * store is open. */
struct history_block {
    struct history_block *older;
    struct history_block *newer;
    uint64_t base_id;
    uint64_t base_version;
    struct history_store *store; /* counted */
    size_t rows;                 /* as wrapped at the history's width */
    uint32_t capacity;           /* of the store, while it was open */
    uint32_t used;               /* bytes of text */
    uint32_t first;              /* entries below were dropped */
    uint32_t count;              /* entries, the dropped ones included */
    int cols;                    /* the width it was written at */
    uint16_t widest;             /* columns that no row is wider than */
    bool has_wrapped; /* rows that others continue may be among them */
};

/* Where a row was found last: lines are read in order. */
struct history_place {
    struct history_block *block; /* borrowed; NULL: nowhere */
    uint64_t block_row;          /* number of the block's first row, counted
                                  * from the start of time (dropped ones too) */
    uint32_t entry;              /* first of a line */
    uint64_t entry_row;          /* number of the line's first row */
};

struct history {
    struct freezer *freezer; /* borrowed, or NULL */
    size_t max_rows;
    size_t max_bytes;
    size_t block_bytes;
    int cols;
    struct history_block *oldest; /* owned, with all newer ones */
    struct history_block *newest;
    struct history_block *spare; /* owned; an emptied block of full size */
    size_t entries;              /* in all blocks, without dropped ones */
    size_t rows;                 /* as wrapped at cols */
    uint64_t dropped;
    size_t bytes;
    bool is_open;        /* the newest row's line goes on in the next one */
    uint32_t line_first; /* that line's first entry, in the newest block */
    char *encoded;       /* owned; packing_max_bytes(scratch_cols) */
    char *scratch;       /* owned; likewise */
    int scratch_cols;
    struct history_place place;
};

static inline struct history_entry *
history_entry(const struct history_block *block, uint32_t number)
{
    return history_store_entry(block->store, number);
}

/* The bytes of an entry and those behind it. */
static inline const char *
history_entry_bytes(const struct history_block *block, uint32_t number)
{
    return history_store_text(block->store) +
           history_entry(block, number)->offset;
}

static inline uint32_t
history_entry_end(const struct history_block *block, uint32_t number)
{
    return number + 1 < block->count ? history_entry(block, number + 1)->offset
                                     : block->used;
}

/* The entry behind the line that starts at a number. */
uint32_t history_line_end(const struct history_block *block, uint32_t first);

/* Rows of the line of entries first..end-1 at the history's width. */
size_t history_line_rows(const struct history *history,
                         const struct history_block *block, uint32_t first,
                         uint32_t end);

/* Rows of a whole block at the history's width. */
size_t history_block_rows(const struct history *history,
                          const struct history_block *block);

/* Sets the place to the line of a row (to the very row, when its block has the
 * present width); returns the row's number in it and the entry behind it. */
size_t history_find_row(struct history *history, size_t number,
                        uint32_t *ret_end);
