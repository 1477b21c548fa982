#include "console/trickle.h"

#include "base/clock.h"

bool
trickle_add(struct trickle *trickle, size_t bytes)
{
    uint64_t now = clock_monotonic_ms();
    uint64_t age = now - trickle->window_ms;
    if (age >= TRICKLE_WINDOW_MS) {
        bool is_next = age < 3ul * TRICKLE_WINDOW_MS;
        trickle->bytes_before = is_next ? trickle->bytes : 0;
        trickle->bytes = 0;
        trickle->window_ms = now;
    }
    trickle->bytes += bytes;
    return trickle->bytes < TRICKLE_BYTES &&
           trickle->bytes_before < TRICKLE_BYTES;
}
