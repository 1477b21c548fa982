#pragma once

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

/* Runs a loop until something is so: tests wait for events, never for time. */

/* ms; far more than anything takes, so that only a hang reaches it. */
#define UNTIL_DEADLINE_MS 30000u

static inline void
until_on_deadline(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

/* Runs the loop until is_done(data); false when it never was. */
static inline bool
run_until(uv_loop_t *loop, bool (*is_done)(void *data), void *data)
{
    bool is_late = false;
    uv_timer_t deadline;
    uv_timer_init(loop, &deadline);
    deadline.data = &is_late;
    uv_timer_start(&deadline, until_on_deadline, UNTIL_DEADLINE_MS, 0);
    bool done = is_done(data);
    while (!done && !is_late) {
        uv_run(loop, UV_RUN_ONCE);
        done = is_done(data);
    }
    uv_close((uv_handle_t *)&deadline, NULL);
    /* The handle is on this stack: it has to be out of the loop. */
    uv_run(loop, UV_RUN_NOWAIT);
    return done;
}

/* Lets closing handles and what runs in threads finish, and closes the loop;
 * false when something was left open in it. */
static inline bool
until_closed(uv_loop_t *loop)
{
    uint64_t deadline_ms = clock_monotonic_ms() + UNTIL_DEADLINE_MS;
    for (int turn = 0; turn < 10; turn++)
        uv_run(loop, UV_RUN_NOWAIT);
    while (uv_loop_close(loop) != 0) {
        /* Requests end by themselves, forgotten handles never do. */
        if (clock_monotonic_ms() > deadline_ms || loop->active_reqs.count == 0)
            return false;
        uv_run(loop, UV_RUN_ONCE);
    }
    return true;
}
