#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes that wait until a non-blocking descriptor takes them. Zero-initialise
 * it. */
struct outqueue {
    struct buffer bytes; /* owned */
    size_t head;         /* how many of them are written already */
    bool is_no_socket;   /* the descriptor, as its first write has shown */
};

void outqueue_finish(struct outqueue *queue);

size_t outqueue_pending(const struct outqueue *queue);

void outqueue_push(struct outqueue *queue, const char *bytes, size_t len);

/* Forgets what waits. */
void outqueue_drop(struct outqueue *queue);

/* Writes what fd (always the same) takes now; a peer that hung up raises no
 * signal. Returns 0, or the errno of a descriptor that takes
 * nothing any more (EAGAIN is none). *ret_written (may be NULL): bytes. */
int outqueue_write(struct outqueue *queue, int fd, size_t *ret_written);
