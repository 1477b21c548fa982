#include "base/text.h"
#include "base/xalloc.h"
#include "guest/disks.h"
#include "guest/guest-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* Telling ------------------------------------------------------------------ */

static void
deliver(void *data)
{
    struct guest *guest = data;
    const struct guest_context *context = guest->context;
    if (guest->has_changed) {
        guest->has_changed = false;
        context->handlers->on_change(context->data, guest);
    }
    notices_deliver(guest);
    struct op *op;
    while (!guest->is_dead && (op = op_take_done(guest)))
        op_deliver(op);
}

void
guest_changed(struct guest *guest)
{
    guest->has_changed = true;
    if (guest->defer && !guest->is_dead)
        loop_defer_request(guest->defer);
}

void
guest_set_state(struct guest *guest, enum guest_state state)
{
    if (guest->state == state)
        return;
    guest->state = state;
    guest_changed(guest);
}

/* Whether *text became something else. */
static bool
replace_text(char **text, const char *value)
{
    if (*text == value || (*text && value && !strcmp(*text, value)))
        return false;
    char *copy = value ? xstrdup(value) : NULL;
    free(*text);
    *text = copy;
    return true;
}

void
guest_set_problem(struct guest *guest, const char *text)
{
    if (replace_text(&guest->problem, text))
        guest_changed(guest);
}

void
guest_set_run_state(struct guest *guest, const char *run_state)
{
    if (replace_text(&guest->run_state, run_state))
        guest_changed(guest);
    guest_derive_state(guest);
}

void
guest_derive_state(struct guest *guest)
{
    const struct run *run = guest->run;
    if (!run || guest->state == GUEST_STATE_LOST)
        return;
    enum guest_state state = GUEST_STATE_OTHER;
    if (guest_has_qemu(guest) && !run->is_ready)
        state = GUEST_STATE_STARTING;
    else if (!guest->run_state || !strcmp(guest->run_state, "running"))
        state = run->is_shutting_down ? GUEST_STATE_SHUTTING_DOWN
                                      : GUEST_STATE_RUNNING;
    else if (!strcmp(guest->run_state, "paused"))
        state = GUEST_STATE_PAUSED;
    guest_set_state(guest, state);
}

/* Life --------------------------------------------------------------------- */

static void
make_uuid(char uuid[37])
{
    unsigned char bytes[16];
    while (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        continue;
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* version 4 */
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80); /* RFC 4122 */
    char *at = uuid;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        at += snprintf(at, 3, "%02x", bytes[i]);
    }
}

static int64_t
wall_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct guest *
guest_build(const struct guest_context *context, struct spec *spec,
            struct error *error)
{
    struct guest *guest = xcalloc(1, sizeof(*guest));
    guest->context = context;
    guest->spec = spec;
    guest->order = wall_ns();
    make_uuid(guest->uuid);
    guest->dir = paths_guest_state_dir(context->paths, spec->name);
    guest->defer = loop_defer_new(context->loop, deliver, guest);
    guest->qmp_path = paths_qmp_socket(context->paths, spec->name, error);
    if (guest->qmp_path && text_is_name(spec->name))
        return guest;
    if (guest->qmp_path)
        error_set(error, ERROR_CODE_INVALID, "this is no name for a guest");
    guest_free(guest);
    return NULL;
}

struct guest *
guest_new(const struct guest_context *context, struct spec *spec,
          struct error *error)
{
    struct guest *guest = guest_build(context, spec, error);
    if (!guest)
        return NULL;
    if (!paths_make_dir(guest->dir, error) || !consoles_open(guest, error) ||
        !store_save_spec(guest, true, error)) {
        guest_free(guest);
        return NULL;
    }
    network_load(guest);
    guest_changed(guest);
    return guest;
}

void
guest_free(struct guest *guest)
{
    if (!guest || guest->is_dead)
        return;
    guest->is_dead = true;
    prepare_cancel(guest->prepare);
    guest->prepare = NULL;
    image_cancel(guest->image);
    guest->image = NULL;
    run_free(guest->run);
    guest->run = NULL;
    struct error error = {0};
    error_set(&error, ERROR_CODE_STATE, "the guest %s was let go",
              guest->spec->name);
    for (struct op *op = guest->ops; op; op = op->next)
        op_finish(op, NULL, &error);
    struct op *op;
    while ((op = op_take_done(guest)))
        op_deliver(op);
    consoles_close(guest);
    loop_defer_free(guest->defer);
    notices_free(guest);
    spec_free(guest->spec);
    spec_free(guest->plan);
    network_free(guest);
    free(guest->fleet);
    free(guest->dir);
    free(guest->qmp_path);
    free(guest->run_state);
    free(guest->problem);
    free(guest->step);
    json_decref(guest->exit);
    loop_free_later(guest->context->loop, guest);
}

static bool
refuse_active(const struct guest *guest, const char *what, struct error *error)
{
    if (guest->state == GUEST_STATE_LOST)
        return error_set(error, ERROR_CODE_STATE,
                         "cannot %s %s: it is lost: %s", what,
                         guest->spec->name,
                         guest->problem ? guest->problem : "why is not known");
    return error_set(error, ERROR_CODE_STATE,
                     "cannot %s %s while it is %s; shut it down or force it "
                     "off first",
                     what, guest->spec->name, guest_state_name(guest));
}

bool
guest_remove(struct guest *guest, unsigned flags, struct error *error)
{
    if (guest_is_active(guest) && !adopt_recheck(guest))
        return refuse_active(guest, "remove", error);
    if (guest->image)
        return error_set(error, ERROR_CODE_STATE,
                         "cannot remove %s: something is being done to its "
                         "disks",
                         guest->spec->name);
    if (!store_remove(guest, flags & GUEST_REMOVE_PURGE, error))
        return false;
    if (flags & GUEST_REMOVE_DISKS)
        guest_remove_data(guest);
    else
        guest_remove_seed(guest);
    return true;
}

bool
guest_update(struct guest *guest, struct spec *spec, struct error *error)
{
    struct spec *old = guest->spec;
    if (guest_is_active(guest)) {
        spec_free(spec);
        return refuse_active(guest, "redefine", error);
    }
    if (strcmp(spec->name, old->name) != 0) {
        error_set(error, ERROR_CODE_INVALID,
                  "the definition is one of %s, not of %s", spec->name,
                  old->name);
        spec_free(spec);
        return false;
    }
    guest->spec = spec;
    if (!store_save_spec(guest, false, error)) {
        guest->spec = old;
        spec_free(spec);
        return false;
    }
    spec_free(old);
    consoles_close(guest);
    guest_changed(guest);
    return consoles_open(guest, error);
}

bool
guest_plan(struct guest *guest, struct spec *spec, struct error *error)
{
    if (!spec && !guest->plan)
        return true;
    spec_free(guest->plan);
    guest->plan = spec;
    return store_save_plan(guest, error);
}

bool
guest_take_live(struct guest *guest, struct spec *spec, struct error *error)
{
    struct spec *old = guest->spec;
    guest->spec = spec;
    if (!store_save_spec(guest, false, error)) {
        guest->spec = old;
        spec_free(spec);
        return false;
    }
    spec_free(old);
    consoles_take_live(guest);
    ssh_probe_update(guest);
    guest_changed(guest);
    return true;
}

bool
guest_set_fleet(struct guest *guest, const char *file, struct error *error)
{
    if (!replace_text(&guest->fleet, file))
        return true;
    return store_save_spec(guest, false, error);
}

const char *
guest_fleet(const struct guest *guest)
{
    return guest->fleet ? guest->fleet : "";
}

int64_t
guest_order(const struct guest *guest)
{
    return guest->order;
}

bool
guest_set_order(struct guest *guest, int64_t order, struct error *error)
{
    guest->order = order;
    return store_save_spec(guest, false, error);
}

struct spec *
guest_take_plan(struct guest *guest)
{
    struct spec *plan = guest->plan;
    if (!plan || guest_is_active(guest))
        return NULL;
    guest->plan = NULL;
    (void)store_save_plan(guest, NULL);
    return plan;
}

/* What it is --------------------------------------------------------------- */

const char *
guest_name(const struct guest *guest)
{
    return guest->spec->name;
}

const struct spec *
guest_spec(const struct guest *guest)
{
    return guest->spec;
}

enum guest_state
guest_state(const struct guest *guest)
{
    return guest->state;
}

const char *
guest_state_name(const struct guest *guest)
{
    static const char *const names[GUEST_STATE_COUNT] = {
        [GUEST_STATE_DEFINED] = "defined",
        [GUEST_STATE_STARTING] = "starting",
        [GUEST_STATE_RUNNING] = "running",
        [GUEST_STATE_PAUSED] = "paused",
        [GUEST_STATE_SHUTTING_DOWN] = "shutting-down",
        [GUEST_STATE_STOPPED] = "stopped",
        [GUEST_STATE_CRASHED] = "crashed",
        [GUEST_STATE_LOST] = "lost",
        [GUEST_STATE_OTHER] = "other",
    };
    if (guest->state == GUEST_STATE_OTHER && guest->run_state)
        return guest->run_state;
    return names[guest->state];
}

bool
guest_is_active(const struct guest *guest)
{
    return guest->run || guest->prepare || guest->state == GUEST_STATE_LOST;
}

bool
guest_is_being_adopted(const struct guest *guest)
{
    return guest->run && guest->run->is_adopted &&
           guest->state == GUEST_STATE_STARTING && !guest->problem;
}

bool
guest_was_stopped(const struct guest *guest)
{
    return guest->was_stopped;
}

bool
guest_was_stopped_lately(const struct guest *guest)
{
    return guest->was_stopped_lately;
}

bool
guest_ended_unwatched(const struct guest *guest)
{
    return guest->has_ended_unwatched && !guest->run;
}

int64_t
guest_last_uptime_ms(const struct guest *guest)
{
    return json_integer_value(json_object_get(guest->exit, "uptime-ms"));
}

bool
guest_keep_intent(struct guest *guest, json_t *value, struct error *error)
{
    if (value)
        return store_save(guest, value, "intent.json", error);
    store_forget(guest, "intent.json");
    return true;
}

json_t *
guest_intent(const struct guest *guest)
{
    return store_read(guest, "intent.json", NULL);
}

size_t
guest_console_count(const struct guest *guest)
{
    return guest->console_count;
}

struct console *
guest_console(struct guest *guest, size_t index)
{
    return index < guest->console_count ? guest->consoles[index].console : NULL;
}

const char *
guest_console_name(const struct guest *guest, size_t index)
{
    return index < guest->console_count ? guest->consoles[index].name : NULL;
}

int
guest_find_console(const struct guest *guest, const char *name)
{
    for (size_t i = 0; i < guest->console_count; i++)
        if (!name || !strcmp(guest->consoles[i].name, name))
            return (int)i;
    return -1;
}
