#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Compresses what nobody has looked at for a while. The histories that share a
 * freezer leave the memory of their full blocks here (history-store.h); what
 * was neither written nor read for one period is compressed, a little at a
 * time, and comes back by itself when it is read: then only what was unpacked
 * is let go again.
 *
 * It knows no clock and no loop: its owner says when a period is over, and when
 * there is time to work. */
struct freezer;

struct freezer *freezer_new(void);
/* After the histories that share it. NULL is fine. */
void freezer_free(struct freezer *freezer);

/* Whether time makes no difference: nothing waits to be compressed or let go.
 */
bool freezer_is_idle(const struct freezer *freezer);

/* A period is over. */
void freezer_tick(struct freezer *freezer);

/* Compresses a few blocks, about 1 ms of work; false when none is left that was
 * left alone for long enough. */
bool freezer_work(struct freezer *freezer);

/* Lets go of what was unpacked longest ago, until at most so many bytes are at
 * hand in addition. Texts that were read from a history before are gone then.
 */
void freezer_trim(struct freezer *freezer, size_t max_bytes);

/* Bytes that the compressed blocks took, and take now. */
struct freezer_bytes {
    size_t plain;
    size_t packed;
    size_t unpacked; /* at hand in addition, because somebody read them */
};
struct freezer_bytes freezer_bytes(const struct freezer *freezer);
