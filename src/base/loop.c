#include "base/loop.h"

#include "base/xalloc.h"

#include <stdlib.h>

struct loop_timer {
    uv_timer_t handle;
    loop_timer_fn on_fire;
    void *data; /* borrowed: the caller's */
};

struct loop_poll {
    uv_poll_t handle;
    loop_poll_fn on_event;
    void *data; /* borrowed: the caller's */
    int events;
};

struct loop_defer {
    uv_idle_t idle; /* runs next turn, and keeps the loop from sleeping */
    void (*fn)(void *data);
    void *data; /* borrowed: the caller's */
};

static void
on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void
on_timer(uv_timer_t *handle)
{
    struct loop_timer *timer = handle->data;
    timer->on_fire(timer->data);
}

struct loop_timer *
loop_timer_new(uv_loop_t *loop, loop_timer_fn on_fire, void *data)
{
    struct loop_timer *timer = xcalloc(1, sizeof(*timer));
    timer->on_fire = on_fire;
    timer->data = data;
    uv_timer_init(loop, &timer->handle);
    timer->handle.data = timer;
    return timer;
}

void
loop_timer_free(struct loop_timer *timer)
{
    if (timer)
        uv_close((uv_handle_t *)&timer->handle, on_closed);
}

void
loop_timer_start(struct loop_timer *timer, uint64_t delay_ms)
{
    uv_update_time(timer->handle.loop);
    uv_timer_start(&timer->handle, on_timer, delay_ms, 0);
}

void
loop_timer_stop(struct loop_timer *timer)
{
    uv_timer_stop(&timer->handle);
}

bool
loop_timer_is_armed(const struct loop_timer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->handle);
}

static void
on_poll(uv_poll_t *handle, int status, int events)
{
    struct loop_poll *poll = handle->data;
    poll->on_event(poll->data, status, events);
}

struct loop_poll *
loop_poll_new(uv_loop_t *loop, int fd, loop_poll_fn on_event, void *data)
{
    struct loop_poll *poll = xcalloc(1, sizeof(*poll));
    poll->on_event = on_event;
    poll->data = data;
    if (uv_poll_init(loop, &poll->handle, fd) != 0) {
        free(poll);
        return NULL;
    }
    poll->handle.data = poll;
    return poll;
}

void
loop_poll_free(struct loop_poll *poll)
{
    if (!poll)
        return;
    uv_poll_stop(&poll->handle);
    uv_close((uv_handle_t *)&poll->handle, on_closed);
}

void
loop_poll_set(struct loop_poll *poll, int events)
{
    if (poll->events == events)
        return;
    poll->events = events;
    if (events)
        uv_poll_start(&poll->handle, events, on_poll);
    else
        uv_poll_stop(&poll->handle);
}

static void
on_idle(uv_idle_t *handle)
{
    struct loop_defer *defer = handle->data;
    uv_idle_stop(handle);
    defer->fn(defer->data);
}

struct loop_defer *
loop_defer_new(uv_loop_t *loop, void (*fn)(void *data), void *data)
{
    struct loop_defer *defer = xcalloc(1, sizeof(*defer));
    defer->fn = fn;
    defer->data = data;
    uv_idle_init(loop, &defer->idle);
    defer->idle.data = defer;
    return defer;
}

void
loop_defer_free(struct loop_defer *defer)
{
    if (defer)
        uv_close((uv_handle_t *)&defer->idle, on_closed);
}

void
loop_defer_request(struct loop_defer *defer)
{
    if (!uv_is_active((const uv_handle_t *)&defer->idle))
        uv_idle_start(&defer->idle, on_idle);
}

struct late_free {
    uv_idle_t handle; /* never runs: only its closing takes a turn */
    void *memory;     /* owned */
};

static void
on_late_free(uv_handle_t *handle)
{
    struct late_free *late = handle->data;
    free(late->memory);
    free(late);
}

void
loop_free_later(uv_loop_t *loop, void *memory)
{
    if (!memory)
        return;
    struct late_free *late = xcalloc(1, sizeof(*late));
    uv_idle_init(loop, &late->handle);
    late->handle.data = late;
    late->memory = memory;
    uv_close((uv_handle_t *)&late->handle, on_late_free);
}
