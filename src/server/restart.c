#include "server/restart.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/xalloc.h"
#include "server/order.h"
#include "server/server-internal.h"
#include "server/waiter.h"

#include <stdlib.h>
#include <string.h>

/* A guest and its server, for a timer. */
struct due {
    struct server *server;
    struct member *member;
};

static const struct lifecycle *
life_of(const struct member *member)
{
    return &guest_spec(member->guest)->lifecycle;
}

/* Keeping ------------------------------------------------------------------ */

void
restart_keep(struct member *member)
{
    const struct restart_member *restart = &member->restart;
    struct error error = {0};
    bool is_again = restart->is_again || restart->was_again;
    if (!restart->due_ms && !restart->count && !member->order.hold &&
        !is_again && !restart->gave_up) {
        (void)guest_keep_intent(member->guest, NULL, NULL);
        return;
    }
    json_t *times = json_array();
    for (size_t i = 0; i < restart->count; i++)
        json_array_append_new(times, json_integer(restart->times[i]));
    json_t *intent =
        json_pack("{s:b,s:b,s:b,s:I,s:i,s:o}", "held",
                  member->order.hold != NULL, "again", is_again, "gave-up",
                  restart->gave_up, "due-ms", (json_int_t)restart->due_ms,
                  "tries", (int)restart->tries, "times", times);
    /* only a server that dies now would miss it */
    (void)guest_keep_intent(member->guest, intent, &error);
}

static void
add_time(struct restart_member *restart, int64_t at_ms)
{
    if (restart->count == RESTART_MAX_TIMES)
        memmove(restart->times, restart->times + 1,
                --restart->count * sizeof(*restart->times));
    restart->times = xreallocarray(restart->times, restart->count + 1,
                                   sizeof(*restart->times));
    restart->times[restart->count++] = at_ms;
}

static void
load(struct member *member)
{
    struct restart_member *restart = &member->restart;
    json_t *intent = guest_intent(member->guest);
    json_int_t tries = json_integer_value(json_object_get(intent, "tries"));
    const json_t *times = json_object_get(intent, "times");
    restart->due_ms = json_integer_value(json_object_get(intent, "due-ms"));
    restart->tries =
        tries > 0 && tries < RESTART_MAX_TIMES ? (unsigned)tries : 0;
    restart->was_held = json_is_true(json_object_get(intent, "held"));
    restart->was_again = json_is_true(json_object_get(intent, "again"));
    restart->gave_up = json_is_true(json_object_get(intent, "gave-up"));
    for (size_t i = 0; i < json_array_size(times); i++)
        add_time(restart, json_integer_value(json_array_get(times, i)));
    json_decref(intent);
}

/* Deciding ----------------------------------------------------------------- */

/* Drops the times that do not count any more. */
static void
trim(struct restart_member *restart, int window_s, int64_t now_ms)
{
    int64_t since_ms = now_ms - (int64_t)window_s * 1000;
    size_t kept = 0;
    for (size_t i = 0; i < restart->count; i++) {
        if (restart->times[i] > since_ms && restart->times[i] <= now_ms)
            restart->times[kept++] = restart->times[i];
    }
    restart->count = kept;
}

/* ms; doubled with each try, within its cap. */
static int64_t
delay_ms(const struct member *member)
{
    const struct lifecycle *life = life_of(member);
    int64_t delay = life->restart.delay_s;
    for (unsigned i = 0; i < member->restart.tries; i++) {
        delay *= 2;
        if (delay >= life->restart.max_delay_s)
            break;
    }
    if (delay > life->restart.max_delay_s)
        delay = life->restart.max_delay_s;
    return delay * 1000;
}

static void
give_up(struct server *server, struct member *member)
{
    const struct lifecycle *life = life_of(member);
    const char *name = guest_name(member->guest);
    char *text = xasprintf(
        "ended again after %d restart%s within %d s, and is not started any "
        "more; see `guestmux logs %s`, then `guestmux start %s`",
        life->restart.limit, life->restart.limit == 1 ? "" : "s",
        life->restart.window_s, name, name);
    member->restart.gave_up = true;
    (void)restart_forget(server, member);
    registry_note_change(server, member);
    watch_raise(server, name, NULL, "restart-limit", ALERT_CRITICAL, text);
    free(text);
    waiter_on_guest_change(server, member->guest);
    order_changed(server);
}

static void on_due(void *data);

static void
arm(struct server *server, struct member *member)
{
    struct restart_member *restart = &member->restart;
    int64_t wait_ms = restart->due_ms - clock_wall_ms();
    if (!restart->timer) {
        struct due *due = xmalloc(sizeof(*due));
        *due = (struct due){server, member};
        restart->timer = loop_timer_new(&server->loop, on_due, due);
        restart->due = due;
    }
    /* a clock that was set back must not put it off for ever */
    int64_t longest_ms = (int64_t)life_of(member)->restart.max_delay_s * 1000;
    if (wait_ms > longest_ms)
        wait_ms = longest_ms;
    loop_timer_start(restart->timer, wait_ms > 0 ? (uint64_t)wait_ms : 1);
}

static void
plan(struct server *server, struct member *member)
{
    struct restart_member *restart = &member->restart;
    const struct lifecycle *life = life_of(member);
    int64_t now_ms = clock_wall_ms();
    int64_t wait_ms = delay_ms(member);
    trim(restart, life->restart.window_s, now_ms);
    if (life->restart.limit && restart->count >= (size_t)life->restart.limit) {
        give_up(server, member);
        return;
    }
    restart->due_ms = now_ms + wait_ms;
    restart_keep(member);
    arm(server, member);
    char *text = life->restart.limit
                     ? xasprintf("restarts in %d s (%zu of %d within %d s)",
                                 (int)(wait_ms / 1000), restart->count + 1,
                                 life->restart.limit, life->restart.window_s)
                     : xasprintf("restarts in %d s", (int)(wait_ms / 1000));
    server_notice(server, "info", guest_name(member->guest), text);
    free(text);
    registry_note_change(server, member);
}

static void
on_due(void *data)
{
    const struct due *due = data;
    struct server *server = due->server;
    struct member *member = due->member;
    struct restart_member *restart = &member->restart;
    struct error error = {0};
    restart->due_ms = 0;
    restart->tries++;
    add_time(restart, clock_wall_ms());
    restart_keep(member);
    if (guest_start(member->guest, NULL, NULL, &error))
        return;
    server_notice(server, "error", guest_name(member->guest), error.text);
    if (!guest_is_active(member->guest))
        plan(server, member);
}

/* Whether its policy wants it to run again. */
static bool
is_wanted(const struct member *member)
{
    enum lifecycle_policy policy = life_of(member)->restart.policy;
    enum guest_state state = guest_state(member->guest);
    if (guest_was_stopped(member->guest) || policy == LIFECYCLE_NEVER)
        return false;
    return state == GUEST_STATE_CRASHED ||
           (policy == LIFECYCLE_ALWAYS && state == GUEST_STATE_STOPPED);
}

/* The second half of a restart that an earlier server began. */
static void
start_again(struct server *server, struct member *member)
{
    struct error error = {0};
    member->restart.was_again = false;
    restart_keep(member);
    if (!order_start(server, member, ORDER_WITHOUT_ABSENT, NULL, NULL, &error))
        server_notice(server, "error", guest_name(member->guest), error.text);
}

static void
on_ended(struct server *server, struct member *member)
{
    if (member->restart.was_again) {
        start_again(server, member);
        return;
    }
    int64_t good_ms = (int64_t)life_of(member)->restart.window_s * 1000;
    if (!is_wanted(member)) {
        (void)restart_forget(server, member);
        return;
    }
    if (guest_last_uptime_ms(member->guest) >= good_ms) {
        member->restart.tries = 0;
        member->restart.count = 0;
    }
    plan(server, member);
}

/* What happens ------------------------------------------------------------- */

void
restart_member_added(struct server *server, struct member *member)
{
    struct restart_member *restart = &member->restart;
    load(member);
    restart->was_active = guest_is_active(member->guest);
    if (restart->was_active) {
        restart->due_ms = 0;
        restart->was_held = false;
        member->order.is_due = restart->was_again;
    } else if (restart->was_again) { /* with those that were held */
        restart->was_again = false;
        restart->was_held = true;
    } else if (guest_ended_unwatched(member->guest)) {
        on_ended(server, member);
    } else if (restart->due_ms) {
        arm(server, member);
    }
}

void
restart_member_changed(struct server *server, struct member *member)
{
    struct restart_member *restart = &member->restart;
    bool is_active = guest_is_active(member->guest);
    bool has_ended = restart->was_active && !is_active;
    bool has_started = !restart->was_active && is_active;
    restart->was_active = is_active;
    /* an earlier server's restart whose shutdown was in vain is over */
    bool is_ending = guest_state(member->guest) == GUEST_STATE_SHUTTING_DOWN;
    bool goes_on = restart->was_ending && is_active && !is_ending;
    restart->was_ending = is_ending;
    if (goes_on && restart->was_again) {
        restart->was_again = false;
        restart_keep(member);
        order_forget(server, member);
    }
    if (has_ended)
        on_ended(server, member);
    else if (has_started && restart->due_ms)
        (void)restart_forget(server, member);
    if (has_started && restart->gave_up) {
        restart->gave_up = false;
        restart_keep(member);
    }
}

void
restart_finish(struct member *member)
{
    loop_timer_free(member->restart.timer);
    free(member->restart.due);
    free(member->restart.times);
    member->restart = (struct restart_member){0};
}

void
restart_expect(struct server *server, struct member *member, bool again)
{
    if (again)
        order_expect(member);
    else
        order_forget(server, member);
    if (member->restart.is_again == again)
        return;
    member->restart.is_again = again;
    restart_keep(member);
}

bool
restart_is_due(const struct member *member)
{
    return member->restart.due_ms != 0;
}

bool
restart_forget(struct server *server, struct member *member)
{
    struct restart_member *restart = &member->restart;
    bool was_due = restart->due_ms != 0;
    if (!was_due && !restart->count && !restart->tries)
        return false;
    if (restart->timer)
        loop_timer_stop(restart->timer);
    restart->due_ms = 0;
    restart->tries = 0;
    restart->count = 0;
    restart_keep(member);
    if (was_due)
        registry_note_change(server, member);
    return was_due;
}

void
restart_describe(const struct member *member, json_t *object)
{
    const struct restart_member *restart = &member->restart;
    const struct lifecycle *life = life_of(member);
    json_object_set_new(
        object, "restart",
        json_pack("{s:s,s:o,s:I,s:i,s:b}", "policy",
                  lifecycle_policy_name(life->restart.policy), "due-ms",
                  restart->due_ms ? json_integer(restart->due_ms) : json_null(),
                  "count", (json_int_t)restart->count, "limit",
                  life->restart.limit, "gave-up", restart->gave_up));
}
