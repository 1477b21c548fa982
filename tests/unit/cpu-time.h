#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* CPU time of a process by its clock, all threads, ms: what work costs, however
 * busy the machine is beside it. */
static inline uint64_t
cpu_time_of(clockid_t clock)
{
    struct timespec now = {0};
    if (clock_gettime(clock, &now) != 0)
        abort();
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The same of this process. */
static inline uint64_t
cpu_time(void)
{
    return cpu_time_of(CLOCK_PROCESS_CPUTIME_ID);
}
