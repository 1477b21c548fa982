#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where some lines of a log stand in the terminal that interpreted it: "the
 * line that begins at this offset is the row of this id". Few enough to cost
 * nothing, near enough to one another that any line's place is found from the
 * nearest of them (place.h). */

/* Bytes between two of them, at least; twice as many each time that
 * STOPS_MAX are there. */
#define STOPS_SPACING_BYTES 2048u
#define STOPS_MAX ((size_t)4096)

struct stop {
    uint64_t offset;
    uint64_t id; /* of the row, as terminal_row_stamp tells it */
};

/* Zeroed is one without any. In the order of their offsets. */
struct stops {
    struct stop *items; /* owned */
    size_t count;
    size_t capacity;
    uint64_t spacing; /* 0: STOPS_SPACING_BYTES */
};

void stops_finish(struct stops *stops);

/* How many of len bytes at an offset go into the terminal before a stop is to
 * be added: up to and with the line end where one is due; all of them when
 * none is. *ret_is_due says which. */
size_t stops_split(const struct stops *stops, uint64_t offset,
                   const char *bytes, size_t len, bool *ret_is_due);

/* The line at offset (beyond that of the last stop) is the row of that id. */
void stops_add(struct stops *stops, uint64_t offset, uint64_t id);

/* Forgets those at offset and beyond. */
void stops_cut(struct stops *stops, uint64_t offset);

/* How many stops lie at offset or before. */
size_t stops_until(const struct stops *stops, uint64_t offset);
