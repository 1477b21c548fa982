#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of small values of one size, each known by a number, so that a cell
 * holds a number instead of a value. Equal values have equal numbers; number 0
 * is the value of all zero bytes and always there. Numbers that no cell holds
 * any more are found by marking: intern_begin_sweep, intern_mark for every
 * number in use, intern_end_sweep. */
struct intern {
    size_t value_bytes;
    unsigned char *values; /* owned; capacity * value_bytes */
    uint32_t *slots;       /* owned; open addressing, number + 1, 0 is free */
    uint32_t slot_count;   /* a power of two, over twice the capacity */
    uint32_t capacity;
    uint32_t used;       /* numbers below were handed out once */
    uint32_t live;       /* numbers in use */
    uint32_t sweep_at;   /* live values that make a sweep due */
    uint32_t *free_list; /* owned; numbers below used that are free */
    uint32_t free_count;
    unsigned char *marks; /* owned; one byte a number, during a sweep */
};

/* value_bytes: a multiple of 8. sweep_at: how many values may pile up before
 * intern_is_due. */
void intern_init(struct intern *intern, size_t value_bytes, uint32_t sweep_at);
void intern_finish(struct intern *intern);
/* Makes a copy with the same numbers; not during a sweep. */
void intern_copy(struct intern *copy, const struct intern *intern);

/* The number of a value, which is added when it is new. */
uint32_t intern_add(struct intern *intern, const void *value);

/* The value of a number that intern_add returned and no sweep dropped;
 * borrowed until the next intern_add. */
const void *intern_value(const struct intern *intern, uint32_t number);

/* Whether so many values piled up that a sweep is worth its cost. The
 * threshold follows the number of live values, so the cost per added value
 * stays constant. */
bool intern_is_due(const struct intern *intern);

void intern_begin_sweep(struct intern *intern);
void intern_mark(struct intern *intern, uint32_t number);
void intern_end_sweep(struct intern *intern);
