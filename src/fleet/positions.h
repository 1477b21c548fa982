#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Where in a JSON text each member and array item stands: what jansson does
 * not tell. */

/* A step on the way to a value, linked to the one before; lives on the
 * caller's stack. */
struct place {
    const struct place *parent; /* NULL: directly in the top-level value */
    const char *key;            /* a member's name, or NULL: … */
    size_t index;               /* … an array's item */
};

enum positions_part {
    POSITIONS_PART_VALUE, /* where the value begins */
    POSITIONS_PART_KEY,   /* where its name begins (items: the value) */
};

/* A position in a text: lines and characters, both from 1; a tab is one. */
struct position {
    unsigned line;
    unsigned column;
};

struct positions;

/* Indexes a text that jansson has read without an error (a text that it would
 * refuse gives an index of what could be followed, never worse). text:
 * borrowed, lives as long as the result. 16 bytes a value. */
struct positions *positions_new(const char *text, size_t len);
void positions_free(struct positions *positions);

/* Where a place is. A place that is not in the text gives the nearest one
 * above it that is. place NULL: the top-level value. */
struct position positions_find(const struct positions *positions,
                               const struct place *place,
                               enum positions_part part);

/* Calls found for every member whose name was given before in the same object.
 * place: the member's; first, again: where the two names stand. */
typedef void (*positions_duplicate_fn)(void *data, const struct place *place,
                                       struct position first,
                                       struct position again);
void positions_each_duplicate(const struct positions *positions,
                              positions_duplicate_fn found, void *data);

/* The position of a byte of a text. */
struct position positions_of_offset(const char *text, size_t len,
                                    size_t offset);

/* "guests.n1.disks[0].size", names made fit to show. The caller frees it;
 * never NULL. */
char *place_text(const struct place *place);
