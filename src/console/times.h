#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When a console printed what its log holds: an index beside the log, of
 * samples "at this time the log ended there". A byte was printed at the time of
 * the first sample that ends behind it; samples are taken when output comes, at
 * most every TIMES_PAUSE_MS, so that is exact to that much. What was printed
 * while no server looked is ended by a sample of another kind: it was printed
 * between the sample before and this one.
 *
 * The file is a row of blocks of TIMES_BLOCK_BYTES, only ever added to, so that
 * kill -9 loses at most the last TIMES_PAUSE_MS. A block begins with 'T' and a
 * whole sample; the others follow as differences to the one before:
 *
 *     first    number(end * 2 + unseen)  number(ms)
 *     others   number(difference of ends * 2 + unseen + 1)  signed(difference)
 *
 * A number is little-endian in groups of 7 bits, the highest bit says that more
 * follow; signed ones are zigzag-coded. A zero ends a block early. A line of a
 * log costs 3 bytes. */
struct times;

#define TIMES_BLOCK_BYTES 4096
/* ms between two samples, at least; a flood costs 80 bytes a second. */
#define TIMES_PAUSE_MS 50

/* Opens (or makes, 0600) the index of a log that has log_bytes now. An index
 * that does not fit the log is begun anew. max_bytes: what it may take; 0: any
 * number. */
struct times *times_open(const char *path, uint64_t log_bytes,
                         uint64_t max_bytes, struct error *error);
/* Writes what waits. NULL is fine. */
void times_free(struct times *times);

/* The log ends at end now, at wall_ms. Returns whether that waits to be written
 * (times_flush), for the sample before was a moment ago. */
bool times_note(struct times *times, uint64_t end, int64_t wall_ms);
/* The log ended at end when this server found it, at wall_ms. */
void times_note_unseen(struct times *times, uint64_t end, int64_t wall_ms);
void times_flush(struct times *times);

/* Another bound of the index's file, as for times_open. */
void times_set_max(struct times *times, uint64_t max_bytes);

/* Forgets everything: the log was cut. */
void times_forget(struct times *times);

/* Where the index's file may be cut when its log begins at log_start: all
 * before is about what is gone, or too much. */
uint64_t times_dispensable(struct times *times, uint64_t log_start);

/* Bytes of the log that were printed at one time. */
struct times_span {
    uint64_t start;
    uint64_t end;
    int64_t from_ms; /* printed then … */
    int64_t to_ms;   /* … or, when it is later, between the two; from_ms 0:
                      * nothing is known but this */
};

/* Calls each with the spans from the one that holds the byte at offset on, in
 * order, until it returns false. Bytes that no sample is known of have none. */
typedef bool (*times_span_fn)(void *data, const struct times_span *span);
void times_walk(struct times *times, uint64_t offset, times_span_fn each,
                void *data);

/* When output came last; 0: nothing is known. */
int64_t times_last_ms(const struct times *times);

/* Where the log ended just before that moment: what was printed then or later
 * lies behind. 0 when nothing is known of so long ago. */
uint64_t times_find(struct times *times, int64_t wall_ms);
