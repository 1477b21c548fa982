#pragma once

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

/* Runs a loop until something is so: tests wait for events, never for time. */

/* ms; far more than anything takes, so that only a hang reaches it. */
#define UNTIL_DEADLINE_MS 90000u

struct until {
    bool (*is_done)(void *data);
    void *data;
    bool is_late;
};

static inline void
until_on_deadline(uv_timer_t *timer)
{
    struct until *until = timer->data;
    until->is_late = true;
}

/* A timer can have done it in this very turn: then nothing is waited for. */
static inline void
until_on_prepare(uv_prepare_t *prepare)
{
    const struct until *until = prepare->data;
    if (until->is_done(until->data))
        uv_stop(prepare->loop);
}

/* Runs the loop until is_done(data); false when it never was. */
static inline bool
run_until(uv_loop_t *loop, bool (*is_done)(void *data), void *data)
{
    struct until until = {is_done, data, false};
    uv_timer_t deadline;
    uv_prepare_t prepare;
    uv_timer_init(loop, &deadline);
    uv_prepare_init(loop, &prepare);
    deadline.data = prepare.data = &until;
    uv_timer_start(&deadline, until_on_deadline, UNTIL_DEADLINE_MS, 0);
    uv_prepare_start(&prepare, until_on_prepare);
    bool done = is_done(data);
    while (!done && !until.is_late) {
        uv_run(loop, UV_RUN_ONCE);
        done = is_done(data);
    }
    uv_close((uv_handle_t *)&deadline, NULL);
    uv_close((uv_handle_t *)&prepare, NULL);
    /* The handles are on this stack: they have to be out of the loop. */
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
