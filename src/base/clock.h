#pragma once

#include <stdint.h>

/* Monotonic time, ms. For intervals and timeouts. */
uint64_t clock_monotonic_ms(void);

/* Monotonic time, ns. For measuring. */
uint64_t clock_monotonic_ns(void);

/* Wall clock, ms since the epoch. For what people and files see. */
int64_t clock_wall_ms(void);

/* "3s", "4m12s", "2h05m", "3d4h": the two largest units of a duration. Writes
 * at most size bytes with the terminating zero. */
void clock_format_duration(int64_t seconds, char *text, unsigned size);
