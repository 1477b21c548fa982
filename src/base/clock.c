#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

uint64_t
clock_monotonic_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t
clock_monotonic_ms(void)
{
    return clock_monotonic_ns() / 1000000u;
}

int64_t
clock_wall_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
clock_format_duration(int64_t seconds, char *text, unsigned size)
{
    if (seconds < 0)
        seconds = 0;
    int64_t minutes = seconds / 60;
    int64_t hours = minutes / 60;
    int64_t days = hours / 24;
    if (days)
        (void)snprintf(text, size, "%" PRId64 "d%" PRId64 "h", days,
                       hours % 24);
    else if (hours)
        (void)snprintf(text, size, "%" PRId64 "h%02" PRId64 "m", hours,
                       minutes % 60);
    else if (minutes)
        (void)snprintf(text, size, "%" PRId64 "m%02" PRId64 "s", minutes,
                       seconds % 60);
    else
        (void)snprintf(text, size, "%" PRId64 "s", seconds);
}
