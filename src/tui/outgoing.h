#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* Whole sequences for the operator's terminal that curses knows nothing of,
 * written between two frames and as the terminal takes them: a frame within a
 * sequence would spoil both. Zero-initialise it. */
struct outgoing {
    struct buffer bytes; /* owned */
    size_t sent;
};

/* More than this may not wait. */
#define OUTGOING_MAX_BYTES ((size_t)1 << 20)

/* Adds sequences; false, with nothing added, when too much waits already. */
bool outgoing_add(struct outgoing *outgoing, const char *bytes, size_t len);
/* Writes as much as the terminal takes now; returns whether nothing is left. */
bool outgoing_pump(struct outgoing *outgoing, int fd);
/* Drops what waits. A sequence that was begun is ended (ST). */
void outgoing_finish(struct outgoing *outgoing, int fd);
