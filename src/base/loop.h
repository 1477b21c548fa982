#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

/* The few things that libuv's handles want wrapped: a handle's memory may be
 * freed only in its close callback, so timers and polls live on the heap and
 * are freed by the helper that closes them. */

/* A one-shot or repeating timer. on_fire may free the timer itself. */
struct loop_timer;
typedef void (*loop_timer_fn)(void *data);

struct loop_timer *loop_timer_new(uv_loop_t *loop, loop_timer_fn on_fire,
                                  void *data);
/* Stops it; its memory goes at the end of the loop turn. NULL is fine. */
void loop_timer_free(struct loop_timer *timer);
/* (Re)arms it to fire once after delay_ms. */
void loop_timer_start(struct loop_timer *timer, uint64_t delay_ms);
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_is_armed(const struct loop_timer *timer);

/* Watches a descriptor that stays the caller's. events: UV_READABLE,
 * UV_WRITABLE, or 0 to pause. on_event may free the poll itself. */
struct loop_poll;
typedef void (*loop_poll_fn)(void *data, int status, int events);

struct loop_poll *loop_poll_new(uv_loop_t *loop, int fd, loop_poll_fn on_event,
                                void *data);
/* Stops watching at once (the caller may close the descriptor right after);
 * the memory goes at the end of the loop turn. NULL is fine. */
void loop_poll_free(struct loop_poll *poll);
void loop_poll_set(struct loop_poll *poll, int events);

/* Calls fn once, on the next loop turn, without the loop sleeping before. A
 * second request while one is pending does nothing. Free cancels. */
struct loop_defer;
struct loop_defer *loop_defer_new(uv_loop_t *loop, void (*fn)(void *data),
                                  void *data);
void loop_defer_free(struct loop_defer *defer);
void loop_defer_request(struct loop_defer *defer);

/* Frees memory (with free) at the end of the loop turn: for objects that their
 * own callbacks may let go. NULL is fine. */
void loop_free_later(uv_loop_t *loop, void *memory);
