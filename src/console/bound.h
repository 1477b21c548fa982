#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

/* Keeps a file that others append to within a size: blocks are taken away at
 * its beginning (fallocate's hole punching), so that every offset stays what it
 * was, no writer has to know, and no byte behind is touched. What is gone reads
 * as zeros; where content begins is asked of the file itself (SEEK_DATA), so
 * nothing has to be remembered for a later server. The punching, which waits
 * for the disk, is done by a thread of the loop's pool. */
struct bound;

/* A console log's default. */
#define BOUND_DEFAULT_BYTES (UINT64_C(16) << 20)
/* The least that can be asked for: some blocks have to be there to be freed. */
#define BOUND_MIN_BYTES (UINT64_C(64) << 10)

/* Punching failed; called at most once in a row. */
typedef void (*bound_trouble_fn)(void *data, const struct error *error);

struct bound_config {
    const char *path;   /* copied */
    uint64_t max_bytes; /* 0: without bound; else at least BOUND_MIN_BYTES */
    bound_trouble_fn on_trouble;
    void *data;
};

struct bound *bound_new(uv_loop_t *loop, const struct bound_config *config);
/* Punching that is under way is finished behind the back. NULL is fine. */
void bound_free(struct bound *bound);

/* Another limit, as in bound_config, from the next bound_trim on. */
void bound_set_max(struct bound *bound, uint64_t max_bytes);

/* Looks anew where the file's content begins: after somebody cut or replaced
 * it. */
void bound_look(struct bound *bound);

/* Takes away what is too much, now that everything before offset was read.
 * Never what lies within the last 7/8 of the limit before offset: an eighth
 * goes at once, so that it happens seldom. */
void bound_trim(struct bound *bound, uint64_t offset);

/* Takes away what lies before offset, but for the rest of its block, once that
 * is 8 KiB or more. */
void bound_cut(struct bound *bound, uint64_t offset);

/* Where the first line begins that is there as a whole; 0 while nothing was
 * taken away. A line of more than 64 KiB is cut. */
uint64_t bound_start(const struct bound *bound);
