#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ms; the span over which bytes are counted. */
#define TRICKLE_WINDOW_MS 10
/* Fewer bytes than this in a window are a trickle, which may gather for a
 * moment before it is read: a pty holds 17 KiB or more. */
#define TRICKLE_BYTES 2048

/* Tells a trickle from a flood, by what came in this window and the one
 * before. Zero-initialise it. */
struct trickle {
    uint64_t window_ms;
    size_t bytes;        /* in this window */
    size_t bytes_before; /* in the one before */
};

/* Counts bytes that were just read; returns whether they are a trickle. */
bool trickle_add(struct trickle *trickle, size_t bytes);
