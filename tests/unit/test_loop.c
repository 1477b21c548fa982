#include "base/loop.h"
#include "base/xalloc.h"
#include "until.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    uv_loop_t loop;
    struct loop_timer *timer;
    struct loop_poll *poll;
    struct loop_defer *defer;
    int fds[2];
    int count; /* callbacks so far */
    int wanted;
    int events;
    bool frees;   /* the callback frees its source */
    bool repeats; /* the callback asks for another one */
};

static int
set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    uv_loop_init(&f->loop);
    assert_int_equal(socketpair(AF_UNIX,
                                SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                                f->fds),
                     0);
    f->wanted = 1;
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    loop_timer_free(f->timer);
    loop_poll_free(f->poll);
    loop_defer_free(f->defer);
    assert_true(until_closed(&f->loop));
    close(f->fds[0]);
    close(f->fds[1]);
    free(f);
    return 0;
}

static bool
is_enough(void *data)
{
    struct fixture *f = data;
    return f->count >= f->wanted;
}

static void
turn(struct fixture *f, int turns)
{
    for (int i = 0; i < turns; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
}

/* --- timers --------------------------------------------------------------- */

static void
on_fire(void *data)
{
    struct fixture *f = data;
    f->count++;
    if (f->repeats && f->count < f->wanted)
        loop_timer_start(f->timer, 0);
    if (f->frees) {
        loop_timer_free(f->timer);
        f->timer = NULL;
    }
}

static void
timer_fires_once(void **state)
{
    struct fixture *f = *state;
    f->timer = loop_timer_new(&f->loop, on_fire, f);
    assert_false(loop_timer_is_armed(f->timer));
    loop_timer_start(f->timer, 1);
    assert_true(loop_timer_is_armed(f->timer));
    assert_true(run_until(&f->loop, is_enough, f));
    assert_false(loop_timer_is_armed(f->timer));
    turn(f, 5);
    assert_int_equal(f->count, 1);
}

static void
timer_may_free_itself(void **state)
{
    struct fixture *f = *state;
    f->frees = true;
    f->timer = loop_timer_new(&f->loop, on_fire, f);
    loop_timer_start(f->timer, 0);
    assert_true(run_until(&f->loop, is_enough, f));
    assert_null(f->timer);
}

static void
timer_may_start_itself_again(void **state)
{
    struct fixture *f = *state;
    f->repeats = true;
    f->wanted = 5;
    f->timer = loop_timer_new(&f->loop, on_fire, f);
    loop_timer_start(f->timer, 0);
    assert_true(run_until(&f->loop, is_enough, f));
    assert_int_equal(f->count, 5);
}

static void
stopped_or_freed_timer_does_not_fire(void **state)
{
    struct fixture *f = *state;
    f->timer = loop_timer_new(&f->loop, on_fire, f);
    loop_timer_start(f->timer, 0);
    loop_timer_stop(f->timer);
    assert_false(loop_timer_is_armed(f->timer));
    turn(f, 5);
    loop_timer_start(f->timer, 0);
    loop_timer_free(f->timer);
    f->timer = NULL;
    turn(f, 5);
    assert_int_equal(f->count, 0);
    loop_timer_free(NULL);
}

/* --- polls ---------------------------------------------------------------- */

static void
on_event(void *data, int status, int events)
{
    struct fixture *f = data;
    assert_int_equal(status, 0);
    f->count++;
    f->events |= events;
    char bytes[16];
    if (events & UV_READABLE)
        (void)!read(f->fds[0], bytes, sizeof(bytes));
    if (f->frees) {
        loop_poll_free(f->poll);
        f->poll = NULL;
        /* the descriptor may go, and its number come back, at once */
        close(f->fds[0]);
        f->fds[0] = dup(f->fds[1]);
    }
}

static void
poll_tells_what_it_was_asked_for(void **state)
{
    struct fixture *f = *state;
    f->poll = loop_poll_new(&f->loop, f->fds[0], on_event, f);
    turn(f, 3);
    assert_int_equal(f->count, 0);
    loop_poll_set(f->poll, UV_READABLE);
    turn(f, 3);
    assert_int_equal(f->count, 0);
    assert_int_equal(write(f->fds[1], "x", 1), 1);
    assert_true(run_until(&f->loop, is_enough, f));
    assert_int_equal(f->events, UV_READABLE);
    loop_poll_set(f->poll, UV_WRITABLE);
    f->wanted = 2;
    assert_true(run_until(&f->loop, is_enough, f));
    assert_true(f->events & UV_WRITABLE);
}

static void
paused_poll_is_silent(void **state)
{
    struct fixture *f = *state;
    f->poll = loop_poll_new(&f->loop, f->fds[0], on_event, f);
    loop_poll_set(f->poll, UV_READABLE);
    assert_int_equal(write(f->fds[1], "x", 1), 1);
    loop_poll_set(f->poll, 0);
    turn(f, 5);
    assert_int_equal(f->count, 0);
    loop_poll_set(f->poll, UV_READABLE);
    assert_true(run_until(&f->loop, is_enough, f));
}

static void
poll_may_free_itself(void **state)
{
    struct fixture *f = *state;
    f->frees = true;
    f->poll = loop_poll_new(&f->loop, f->fds[0], on_event, f);
    loop_poll_set(f->poll, UV_READABLE | UV_WRITABLE);
    assert_int_equal(write(f->fds[1], "x", 1), 1);
    assert_true(run_until(&f->loop, is_enough, f));
    turn(f, 5);
    assert_int_equal(f->count, 1);
    loop_poll_free(NULL);
}

/* --- defers --------------------------------------------------------------- */

static void
on_defer(void *data)
{
    struct fixture *f = data;
    f->count++;
    if (f->repeats && f->count < f->wanted)
        loop_defer_request(f->defer);
    if (f->frees) {
        loop_defer_free(f->defer);
        f->defer = NULL;
    }
}

static void
request_is_called_once_in_the_next_turn(void **state)
{
    struct fixture *f = *state;
    f->defer = loop_defer_new(&f->loop, on_defer, f);
    turn(f, 3);
    assert_int_equal(f->count, 0);
    loop_defer_request(f->defer);
    loop_defer_request(f->defer);
    assert_int_equal(f->count, 0);
    assert_true(run_until(&f->loop, is_enough, f));
    turn(f, 5);
    assert_int_equal(f->count, 1);
}

static void
request_in_the_callback_is_for_the_turn_after(void **state)
{
    struct fixture *f = *state;
    f->repeats = true;
    f->wanted = 3;
    f->defer = loop_defer_new(&f->loop, on_defer, f);
    loop_defer_request(f->defer);
    turn(f, 1);
    assert_int_equal(f->count, 1);
    turn(f, 1);
    assert_int_equal(f->count, 2);
    assert_true(run_until(&f->loop, is_enough, f));
}

static void
defer_may_free_itself_and_free_cancels(void **state)
{
    struct fixture *f = *state;
    f->frees = true;
    f->defer = loop_defer_new(&f->loop, on_defer, f);
    loop_defer_request(f->defer);
    assert_true(run_until(&f->loop, is_enough, f));
    f->defer = loop_defer_new(&f->loop, on_defer, f);
    loop_defer_request(f->defer);
    loop_defer_free(f->defer);
    f->defer = NULL;
    turn(f, 5);
    assert_int_equal(f->count, 1);
    loop_defer_free(NULL);
}

#define ON_LOOP(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_LOOP(timer_fires_once),
        ON_LOOP(timer_may_free_itself),
        ON_LOOP(timer_may_start_itself_again),
        ON_LOOP(stopped_or_freed_timer_does_not_fire),
        ON_LOOP(poll_tells_what_it_was_asked_for),
        ON_LOOP(paused_poll_is_silent),
        ON_LOOP(poll_may_free_itself),
        ON_LOOP(request_is_called_once_in_the_next_turn),
        ON_LOOP(request_in_the_callback_is_for_the_turn_after),
        ON_LOOP(defer_may_free_itself_and_free_cancels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
