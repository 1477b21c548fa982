#include "base/clock.h"
#include "base/nearest.h"
#include "base/xalloc.h"
#include "server/addresses.h"
#include "server/lan.h"
#include "server/paste.h"
#include "server/server-internal.h"
#include "server/view.h"
#include "server/waiter.h"

#include <stdlib.h>
#include <string.h>

/* At most one GUEST_ACTIVITY per console and this long, ms: a badge needs no
 * more. */
#define ACTIVITY_INTERVAL_MS 1000
/* The screen itself goes first, ms. */
#define ACTIVITY_DELAY_MS 10
/* A guest that rings without end is one bell per this long, ms. */
#define BELL_INTERVAL_MS 250
/* A guest whose state stays changes otherwise (its title) at most once per this
 * long, ms, for a client: the guest chooses how often. */
#define CHANGE_INTERVAL_MS 200

struct member *
registry_member(struct server *server, const struct guest *guest)
{
    for (size_t i = 0; i < server->member_count; i++) {
        if (server->members[i]->guest == guest)
            return server->members[i];
    }
    return NULL;
}

static void
finish_consoles(struct member *member)
{
    watch_finish_consoles(member->consoles, member->console_count);
    for (size_t i = 0; i < member->console_count; i++) {
        stages_finish_console(&member->consoles[i].stages);
        cloud_progress_finish(&member->consoles[i].cloud);
    }
    free(member->consoles);
}

/* The consoles of a guest can change with its definition. */
static void
fit_member(struct member *member)
{
    size_t count = guest_console_count(member->guest);
    if (count == member->console_count)
        return;
    finish_consoles(member);
    member->console_count = count;
    member->consoles = xcalloc(count, sizeof(*member->consoles));
}

static void
tell_change(struct server *server, struct member *member)
{
    member->is_change_due = false;
    member->changed_sent_ms = clock_monotonic_ms();
    free(member->told_state);
    member->told_state = xstrdup(guest_state_name(member->guest));
    server_emit(server, "GUEST_CHANGED",
                registry_describe(server, member->guest));
}

/* A guest that has ended takes the definition that waited for that. */
static void
apply_plan(struct server *server, struct guest *guest)
{
    struct error error = {0};
    struct spec *plan = guest_take_plan(guest);
    if (plan && !registry_update(server, guest, plan, &error))
        server_notice(server, "error", guest_name(guest), error.text);
}

void
registry_add(struct server *server, struct guest *guest)
{
    apply_plan(server, guest);
    struct member *member = xcalloc(1, sizeof(*member));
    member->guest = guest;
    fit_member(member);
    addresses_load(server, member);
    server->members = xreallocarray(server->members, server->member_count + 1,
                                    sizeof(struct member *));
    server->members[server->member_count++] = member;
    tell_change(server, member);
    watch_member_added(server, member);
    stages_member_added(server, member);
    lans_sync(server->lans, guest);
    restart_member_added(server, member);
    server_check_idle(server);
}

static void
free_member(struct server *server, struct member *member)
{
    struct error error = {0};
    error_set(&error, ERROR_CODE_STATE, "%s was not started: %s",
              guest_name(member->guest),
              server->is_stopping ? "the server left" : "it was removed");
    if (member->order.hold)
        order_drop(member, &error);
    restart_finish(member);
    guest_free(member->guest);
    finish_consoles(member);
    ruleset_unref(member->rules);
    addresses_forget(member);
    free(member->recorded_state);
    free(member->told_state);
    free(member);
}

void
registry_remove(struct server *server, struct guest *guest)
{
    for (size_t i = 0; i < server->member_count; i++) {
        struct member *member = server->members[i];
        if (member->guest != guest)
            continue;
        view_forget_guest(server, guest);
        waiter_forget_guest(server, guest);
        watch_member_removed(server, member);
        paste_forget_guest(server, guest);
        lans_remove(server->lans, guest);
        server->member_count--;
        memmove(&server->members[i], &server->members[i + 1],
                (server->member_count - i) * sizeof(struct member *));
        server_emit(server, "GUEST_REMOVED",
                    json_pack("{s:s}", "name", guest_name(guest)));
        free_member(server, member);
        order_changed(server);
        server_check_idle(server);
        return;
    }
}

void
registry_free_all(struct server *server)
{
    /* Freeing a guest fails what is under way with it, which looks for guests:
     * those that are gone must not be found. */
    while (server->member_count)
        free_member(server, server->members[--server->member_count]);
    free(server->members);
    server->members = NULL;
}

bool
registry_update(struct server *server, struct guest *guest, struct spec *spec,
                struct error *error)
{
    view_leave_consoles(server, guest);
    bool ok = guest_update(guest, spec, error);
    struct member *member = registry_member(server, guest);
    fit_member(member);
    watch_member_updated(server, member);
    stages_member_added(server, member);
    lans_sync(server->lans, guest);
    view_enter_consoles(server, guest);
    order_member_updated(server, member);
    return ok;
}

bool
registry_take_live(struct server *server, struct guest *guest,
                   struct spec *spec, struct error *error)
{
    bool ok = guest_take_live(guest, spec, error);
    struct member *member = registry_member(server, guest);
    watch_member_updated(server, member);
    stages_member_updated(server, member);
    order_member_updated(server, member);
    return ok;
}

static struct guest *
find_exact(struct server *server, const char *name, size_t len)
{
    for (size_t i = 0; i < server->member_count; i++) {
        struct guest *guest = server->members[i]->guest;
        if (strlen(guest_name(guest)) == len &&
            !strncmp(guest_name(guest), name, len))
            return guest;
    }
    return NULL;
}

struct guest *
registry_find(struct server *server, const char *name, struct error *error)
{
    struct guest *guest = find_exact(server, name, strlen(name));
    if (guest)
        return guest;
    const char **names = xcalloc(server->member_count, sizeof(*names));
    for (size_t i = 0; i < server->member_count; i++)
        names[i] = guest_name(server->members[i]->guest);
    const char *near = nearest_name(name, names, server->member_count);
    if (near)
        error_set(error, ERROR_CODE_NOT_FOUND,
                  "there is no guest '%.64s' (did you mean '%s'?)", name, near);
    else
        error_set(error, ERROR_CODE_NOT_FOUND, "there is no guest '%.64s'",
                  name);
    free(names);
    return NULL;
}

struct guest *
registry_find_console(struct server *server, const char *name,
                      size_t *ret_index, struct error *error)
{
    const char *colon = strchr(name, ':');
    if (!colon) {
        struct guest *guest = registry_find(server, name, error);
        *ret_index = 0;
        if (guest && !guest_console(guest, 0)) {
            error_set(error, ERROR_CODE_NOT_FOUND, "guest '%s' has no console",
                      name);
            return NULL;
        }
        return guest;
    }
    char *guest_part = xstrndup(name, (size_t)(colon - name));
    struct guest *guest = registry_find(server, guest_part, error);
    free(guest_part);
    if (!guest)
        return NULL;
    int index = guest_find_console(guest, colon + 1);
    if (index < 0 || !guest_console(guest, (size_t)index)) {
        error_set(error, ERROR_CODE_NOT_FOUND,
                  "guest '%s' has no console '%.64s'", guest_name(guest),
                  colon + 1);
        return NULL;
    }
    *ret_index = (size_t)index;
    return guest;
}

/* What the server knows of its life. */
static void
describe_life(const struct member *member, json_t *object)
{
    const struct lifecycle *life = &guest_spec(member->guest)->lifecycle;
    const char *text = order_text(member);
    json_t *after = json_array();
    for (size_t i = 0; life->after && life->after[i]; i++)
        json_array_append_new(after, json_string(life->after[i]));
    json_object_set_new(object, "stalled",
                        json_boolean(member->stages.is_stalled));
    json_object_set_new(object, "after", after);
    json_object_set_new(object, "waiting",
                        text ? json_string(text) : json_null());
    restart_describe(member, object);
}

/* How far cloud-init is in a guest that runs, or null. */
static json_t *
describe_cloud(const struct member *member)
{
    for (size_t i = 0; member && i < member->console_count; i++) {
        const struct cloud_progress *cloud = &member->consoles[i].cloud;
        if (cloud->phase[0] && guest_is_active(member->guest))
            return cloud_progress_to_json(cloud);
    }
    return json_null();
}

json_t *
registry_describe(struct server *server, struct guest *guest)
{
    json_t *object = guest_to_json(guest);
    const struct member *member = registry_member(server, guest);
    if (member)
        json_object_set_new(object, "addresses",
                            addresses_collect(server, member, ADDRESSES_KNOWN));
    json_t *consoles = json_object_get(object, "consoles");
    if (member)
        describe_life(member, object);
    json_object_set_new(object, "cloud-init", describe_cloud(member));
    for (size_t i = 0;
         member && i < json_array_size(consoles) && i < member->console_count;
         i++) {
        const struct watch_console *watch = &member->consoles[i].watch;
        json_t *console = json_array_get(consoles, i);
        json_object_set_new(console, "silence-s",
                            json_integer(watch->silence_s));
        json_object_set_new(console, "silent", json_boolean(watch->is_silent));
        json_object_set_new(console, "activity",
                            json_boolean(watch->is_activity_wanted));
    }
    return object;
}

json_t *
registry_list(struct server *server)
{
    json_t *list = json_array();
    for (size_t i = 0; i < server->member_count; i++)
        json_array_append_new(
            list, registry_describe(server, server->members[i]->guest));
    return list;
}

/* What guests tell --------------------------------------------------------- */

static void
emit_activity(struct server *server, struct member *member, size_t index)
{
    struct console *console = guest_console(member->guest, index);
    if (!console)
        return;
    member->consoles[index].activity_sent_ms = clock_monotonic_ms();
    member->consoles[index].is_activity_due = false;
    server_emit(server, "GUEST_ACTIVITY",
                json_pack("{s:s,s:s,s:I,s:I}", "guest",
                          guest_name(member->guest), "console",
                          guest_console_name(member->guest, index), "offset",
                          (json_int_t)console_offset(console), "activity-ms",
                          (json_int_t)console_last_output_ms(console)));
}

/* Milliseconds until the console's next GUEST_ACTIVITY may go. */
static uint64_t
activity_wait_ms(const struct member *member, size_t index)
{
    uint64_t sent = member->consoles[index].activity_sent_ms;
    uint64_t since = clock_monotonic_ms() - sent;
    if (!sent || since >= ACTIVITY_INTERVAL_MS)
        return ACTIVITY_DELAY_MS;
    return ACTIVITY_INTERVAL_MS - since;
}

/* Tells of output soon after a quiet second, else when the second is over. */
static void
note_activity(struct server *server, struct guest *guest, size_t index)
{
    struct member *member = registry_member(server, guest);
    if (!member || index >= member->console_count ||
        member->consoles[index].is_activity_due)
        return;
    member->consoles[index].is_activity_due = true;
    if (!loop_timer_is_armed(server->activity_timer))
        loop_timer_start(server->activity_timer,
                         activity_wait_ms(member, index));
}

void
registry_send_activity(void *data)
{
    struct server *server = data;
    uint64_t next_ms = 0;
    for (size_t i = 0; i < server->member_count; i++) {
        struct member *member = server->members[i];
        for (size_t j = 0; j < member->console_count; j++) {
            if (!member->consoles[j].is_activity_due)
                continue;
            uint64_t wait_ms = activity_wait_ms(member, j);
            if (wait_ms <= ACTIVITY_DELAY_MS)
                emit_activity(server, member, j);
            else if (!next_ms || wait_ms < next_ms)
                next_ms = wait_ms;
        }
    }
    if (next_ms)
        loop_timer_start(server->activity_timer, next_ms);
}

/* Tells of a new state at once, of what else is new soon. */
void
registry_note_change(struct server *server, struct member *member)
{
    uint64_t since = clock_monotonic_ms() - member->changed_sent_ms;
    bool is_new_state =
        !member->told_state ||
        strcmp(member->told_state, guest_state_name(member->guest)) != 0;
    if (is_new_state || since >= CHANGE_INTERVAL_MS) {
        tell_change(server, member);
        return;
    }
    member->is_change_due = true;
    if (!loop_timer_is_armed(server->change_timer))
        loop_timer_start(server->change_timer, CHANGE_INTERVAL_MS - since);
}

void
registry_send_changes(void *data)
{
    struct server *server = data;
    uint64_t now = clock_monotonic_ms();
    uint64_t next_ms = 0;
    for (size_t i = 0; i < server->member_count; i++) {
        struct member *member = server->members[i];
        uint64_t since = now - member->changed_sent_ms;
        if (!member->is_change_due)
            continue;
        if (since >= CHANGE_INTERVAL_MS)
            tell_change(server, member);
        else if (!next_ms || CHANGE_INTERVAL_MS - since < next_ms)
            next_ms = CHANGE_INTERVAL_MS - since;
    }
    if (next_ms)
        loop_timer_start(server->change_timer, next_ms);
}

static void
on_change(void *data, struct guest *guest)
{
    struct server *server = data;
    struct member *member = registry_member(server, guest);
    if (!member)
        return; /* told before registry_add */
    apply_plan(server, guest);
    fit_member(member);
    registry_note_change(server, member);
    watch_member_changed(server, member);
    stages_member_changed(server, member);
    lans_sync(server->lans, guest);
    restart_member_changed(server, member);
    order_changed(server);
    waiter_on_guest_change(server, guest);
    paste_on_guest_change(server, guest);
    view_on_guest_change(server, guest);
    server_check_idle(server);
}

static void
on_screen(void *data, struct guest *guest, size_t console)
{
    struct member *member = registry_member(data, guest);
    view_on_screen(data, guest, console);
    waiter_on_screen(data, guest, console);
    if (member && console < member->console_count)
        stages_on_screen(data, member, console);
}

static void
on_output(void *data, struct guest *guest, size_t console, const char *bytes,
          size_t len, uint64_t offset)
{
    struct server *server = data;
    struct member *member = registry_member(server, guest);
    note_activity(server, guest, console);
    if (member && console < member->console_count) {
        watch_output(server, member, console, bytes, len, offset);
        stages_output(server, member, console, bytes, len, offset);
    }
    waiter_on_output(server, guest, console, bytes, len, offset);
    paste_on_output(server, guest, console, bytes, len, offset);
}

static void
on_bell(void *data, struct guest *guest, size_t console)
{
    struct member *member = registry_member(data, guest);
    uint64_t now = clock_monotonic_ms();
    if (!member || console >= member->console_count ||
        (member->consoles[console].bell_sent_ms &&
         now - member->consoles[console].bell_sent_ms < BELL_INTERVAL_MS))
        return;
    member->consoles[console].bell_sent_ms = now;
    server_emit(data, "CONSOLE_BELL",
                json_pack("{s:s,s:s}", "guest", guest_name(guest), "console",
                          guest_console_name(guest, console)));
}

static void
on_frame(void *data, struct guest *guest, size_t console)
{
    view_on_frame(data, guest, console);
}

static void
on_input_taken(void *data, struct guest *guest, size_t console)
{
    paste_on_input_taken(data, guest, console);
}

static void
on_reset(void *data, struct guest *guest)
{
    paste_on_guest_reset(data, guest);
}

static void
on_notice(void *data, struct guest *guest, const char *level, const char *text)
{
    server_notice(data, level, guest_name(guest), text);
}

static bool
on_find_address(void *data, struct guest *guest,
                char ret_address[GUEST_ADDRESS_BYTES])
{
    const struct member *member = registry_member(data, guest);
    return member && addresses_find(data, member, ret_address);
}

const struct guest_handlers registry_guest_handlers = {
    .on_change = on_change,
    .on_screen = on_screen,
    .on_output = on_output,
    .on_bell = on_bell,
    .on_frame = on_frame,
    .on_find_address = on_find_address,
    .on_notice = on_notice,
    .on_input_taken = on_input_taken,
    .on_reset = on_reset,
};
