#include "server/order.h"

#include "base/xalloc.h"
#include "server/restart.h"
#include "server/server-internal.h"
#include "server/waiter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A guest that waits. */
struct hold {
    struct server *server; /* borrowed */
    struct member *member; /* borrowed: the owner */
    guest_done_fn on_done; /* or NULL */
    void *data;
    struct loop_timer *limit; /* owned */
    char *text;               /* owned: what it waits for */
    uint64_t absent; /* bits of "after": those that are not waited for */
};

enum verdict {
    VERDICT_READY,
    VERDICT_WAIT,
    VERDICT_NEVER, /* the error says why */
};

static struct member *
find_member(struct server *server, const char *name)
{
    struct guest *guest = registry_find(server, name, NULL);
    return guest ? registry_member(server, guest) : NULL;
}

static const char *
stage_text(enum stage stage)
{
    return stage == STAGE_OFF ? "running" : stage_name(stage);
}

static bool
is_far_enough(const struct guest *guest, enum stage stage)
{
    return stage == STAGE_OFF ? guest_state(guest) == GUEST_STATE_RUNNING
                              : guest_has_reached(guest, stage);
}

/* Why one that is waited for will not come; its exit report's own words. */
static void
say_never(const struct member *member, struct guest *other, const char *name,
          struct error *error)
{
    const char *self = guest_name(member->guest);
    enum stage stage = guest_spec(member->guest)->lifecycle.until;
    json_t *object = other ? guest_to_json(other) : NULL;
    const char *summary = json_string_value(
        json_object_get(json_object_get(object, "exit"), "summary"));
    error_set(error, ERROR_CODE_STATE,
              "%s was not started: it comes after %s (%s), which %s%s%s%s; "
              "start %s first, or %s alone with `guestmux start %s`",
              self, name, stage_text(stage), other ? "is " : "is not defined",
              other ? guest_state_name(other) : "", summary ? ": " : "",
              summary ? summary : "", name, self, self);
    json_decref(object);
}

/* Whether one that is not there yet may still come. */
static bool
may_come(const struct member *other)
{
    return other && (guest_is_active(other->guest) || other->order.hold ||
                     other->order.is_due || restart_is_due(other));
}

static_assert(LIFECYCLE_MAX_AFTER <= 64, "absent has a bit for each");

/* Those that it would wait for in vain, as bits. */
static uint64_t
find_absent(struct server *server, const struct member *member)
{
    const struct lifecycle *life = &guest_spec(member->guest)->lifecycle;
    uint64_t absent = 0;
    for (size_t i = 0; life->after && life->after[i]; i++) {
        struct member *other = find_member(server, life->after[i]);
        if (!may_come(other))
            absent |= UINT64_C(1) << i;
    }
    return absent;
}

/* Looks at all that a guest waits for, but those that are absent. *ret_text:
 * what the first of them lacks, the caller's; only with VERDICT_WAIT. */
static enum verdict
judge(struct server *server, const struct member *member, uint64_t absent,
      char **ret_text, struct error *error)
{
    const struct lifecycle *life = &guest_spec(member->guest)->lifecycle;
    char *text = NULL;
    for (size_t i = 0; life->after && life->after[i]; i++) {
        const char *name = life->after[i];
        struct member *other = find_member(server, name);
        /* one that is being restarted is not as far as it was */
        bool is_there = other && !other->order.is_due &&
                        is_far_enough(other->guest, life->until);
        if (is_there || absent & UINT64_C(1) << i)
            continue;
        if (!may_come(other)) {
            say_never(member, other ? other->guest : NULL, name, error);
            free(text);
            return VERDICT_NEVER;
        }
        if (!text)
            text =
                xasprintf("waiting for %s: %s", name, stage_text(life->until));
    }
    *ret_text = text;
    return text ? VERDICT_WAIT : VERDICT_READY;
}

/* Holding ------------------------------------------------------------------ */

/* Takes the hold off; what was to be told of it is the caller's. */
static struct hold
take_hold(struct server *server, struct member *member)
{
    struct hold hold = *member->order.hold;
    loop_timer_free(hold.limit);
    free(hold.text);
    free(member->order.hold);
    member->order.hold = NULL;
    restart_keep(member);
    if (!server->is_stopping)
        registry_note_change(server, member);
    return hold;
}

/* Gives up: told to the operator and to who waits. */
static void
give_up(struct server *server, struct member *member, const struct error *error)
{
    struct hold hold = take_hold(server, member);
    server_notice(server, "error", guest_name(member->guest), error->text);
    if (hold.on_done)
        hold.on_done(hold.data, error);
    waiter_on_guest_change(server, member->guest);
    order_changed(server);
}

static void
on_limit(void *data)
{
    struct hold *hold = data;
    struct member *member = hold->member;
    const struct lifecycle *life = &guest_spec(member->guest)->lifecycle;
    struct error error = {0};
    error_set(&error, ERROR_CODE_TIMEOUT,
              "%s was not started: %s for longer than %d s (until.timeout); "
              "`guestmux start %s` starts it all the same",
              guest_name(member->guest), hold->text, life->until_timeout_s,
              guest_name(member->guest));
    give_up(hold->server, member, &error);
}

static void
set_text(struct server *server, struct member *member, char *text)
{
    struct hold *hold = member->order.hold;
    if (hold->text && !strcmp(hold->text, text)) {
        free(text);
        return;
    }
    free(hold->text);
    hold->text = text;
    server_notice(server, "info", guest_name(member->guest), text);
    registry_note_change(server, member);
}

static void
hold_back(struct server *server, struct member *member, uint64_t absent,
          char *text, guest_done_fn on_done, void *data)
{
    const struct lifecycle *life = &guest_spec(member->guest)->lifecycle;
    struct hold *hold = xcalloc(1, sizeof(*hold));
    hold->server = server;
    hold->member = member;
    hold->on_done = on_done;
    hold->data = data;
    hold->absent = absent;
    hold->limit = loop_timer_new(&server->loop, on_limit, hold);
    loop_timer_start(hold->limit, (uint64_t)life->until_timeout_s * 1000);
    member->order.hold = hold;
    restart_keep(member);
    set_text(server, member, text);
}

void
order_expect(struct member *member)
{
    member->order.is_due = true;
}

static bool
start(struct server *server, struct member *member, unsigned flags,
      guest_done_fn on_done, void *data, struct error *error)
{
    char *text = NULL;
    uint64_t absent =
        flags & ORDER_WITHOUT_ABSENT ? find_absent(server, member) : 0;
    if (member->order.hold)
        return error_set(error, ERROR_CODE_STATE, "%s is held back already: %s",
                         guest_name(member->guest), member->order.hold->text);
    (void)restart_forget(server, member);
    switch (judge(server, member, absent, &text, error)) {
    case VERDICT_READY:
        return guest_start(member->guest, on_done, data, error);
    case VERDICT_WAIT:
        hold_back(server, member, absent, text, on_done, data);
        return true;
    case VERDICT_NEVER:
    default:
        return false;
    }
}

bool
order_start(struct server *server, struct member *member, unsigned flags,
            guest_done_fn on_done, void *data, struct error *error)
{
    order_forget(server, member);
    return start(server, member, flags, on_done, data, error);
}

void
order_forget(struct server *server, struct member *member)
{
    member->order.is_due = false;
    order_changed(server); /* others may wait for it in vain */
}

void
order_member_updated(struct server *server, struct member *member)
{
    if (member->order.hold)
        member->order.hold->absent = 0;
    order_changed(server);
}

const char *
order_text(const struct member *member)
{
    return member->order.hold ? member->order.hold->text : NULL;
}

bool
order_release(struct server *server, struct member *member,
              const struct error *why)
{
    if (!member->order.hold)
        return false;
    struct hold hold = take_hold(server, member);
    if (hold.on_done)
        hold.on_done(hold.data, why);
    order_changed(server);
    return true;
}

void
order_drop(struct member *member, const struct error *why)
{
    struct hold *hold = member->order.hold;
    member->order.hold = NULL;
    loop_timer_free(hold->limit);
    free(hold->text);
    if (hold->on_done)
        hold->on_done(hold->data, why);
    free(hold);
}

/* Looking ------------------------------------------------------------------ */

/* Looks at one that waits; whether it does so no more. */
static bool
look_at(struct server *server, struct member *member)
{
    char *text = NULL;
    struct error error = {0};
    enum verdict verdict =
        judge(server, member, member->order.hold->absent, &text, &error);
    if (verdict == VERDICT_WAIT) {
        set_text(server, member, text);
        return false;
    }
    if (verdict == VERDICT_NEVER) {
        give_up(server, member, &error);
        return true;
    }
    struct hold hold = take_hold(server, member);
    if (guest_start(member->guest, hold.on_done, hold.data, &error))
        return true;
    server_notice(server, "error", guest_name(member->guest), error.text);
    if (hold.on_done)
        hold.on_done(hold.data, &error);
    return true;
}

void
order_changed(struct server *server)
{
    if (!server->is_stopping)
        loop_defer_request(server->order_defer);
}

void
order_look(void *data)
{
    struct server *server = data;
    for (size_t i = 0; i < server->member_count; i++) {
        /* who was told may have changed the list: from the start again */
        if (server->members[i]->order.hold &&
            look_at(server, server->members[i])) {
            order_changed(server);
            return;
        }
    }
}

/* A new server ------------------------------------------------------------- */

static bool
is_to_start(const struct member *member, bool with_autostart)
{
    if (guest_is_active(member->guest) || member->order.hold)
        return false;
    if (member->restart.was_held)
        return true;
    return with_autostart &&
           guest_spec(member->guest)->lifecycle.is_autostart &&
           !guest_was_stopped_lately(member->guest) && !restart_is_due(member);
}

void
order_resume(struct server *server, bool with_autostart)
{
    for (size_t i = 0; i < server->member_count; i++) {
        if (is_to_start(server->members[i], with_autostart))
            order_expect(server->members[i]);
    }
    for (size_t i = 0; i < server->member_count; i++) {
        struct member *member = server->members[i];
        struct error error = {0};
        if (!member->order.is_due)
            continue;
        bool is_autostart = !member->restart.was_held;
        member->restart.was_held = false;
        bool ok = order_start(server, member, 0, NULL, NULL, &error);
        if (!ok)
            server_notice(server, "error", guest_name(member->guest),
                          error.text);
        else if (is_autostart && !member->order.hold)
            server_notice(server, "info", guest_name(member->guest),
                          "started with the server (autostart)");
    }
}
