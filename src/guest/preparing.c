/* What has to be made before QEMU starts: images and the seed. */
#include "base/clock.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "guest/guest-internal.h"

#include <stdlib.h>
#include <string.h>

static void
set_step(struct guest *guest, const char *text)
{
    free(guest->step);
    guest->step = text ? xstrdup(text) : NULL;
    guest_changed(guest);
}

static void
on_step(void *data, const char *text)
{
    set_step(data, text);
}

static void
on_note(void *data, const char *text)
{
    guest_notice(data, "warning", "%s", text);
}

/* It never ran: the report says why not. */
static void
fail(struct guest *guest, const struct error *why, const json_t *words)
{
    json_t *lines = words ? json_deep_copy(words) : json_array();
    char *advice = advice_find(lines);
    json_decref(guest->exit);
    guest->exit = json_pack(
        "{s:n,s:n,s:n,s:o,s:o,s:n,s:n,s:o?}", "code", "signal", "reason",
        "summary", json_from_text(why->text), "stderr", lines, "uptime-ms",
        "command", "advice", advice ? json_from_text(advice) : json_null());
    free(advice);
    guest->started_ms = 0;
    guest->ended_ms = clock_wall_ms();
    struct error error = {0};
    guest_set_state(guest, GUEST_STATE_CRASHED);
    if (!store_save_exit(guest, &error))
        guest_notice(guest, "warning", "%s", error.text);
    ending_explain(guest, &error);
    op_finish_all(guest, OP_KIND_START, &error);
}

static void
on_done(void *data, const struct error *error, const json_t *words)
{
    struct guest *guest = data;
    struct error why = {0};
    guest->prepare = NULL;
    set_step(guest, NULL);
    if (error)
        fail(guest, error, words);
    else if (!launch_qemu(guest, &why))
        fail(guest, &why, NULL);
    else
        actions_note_start(guest);
}

static const struct prepare_handlers handlers = {
    .on_step = on_step,
    .on_note = on_note,
    .on_done = on_done,
};

bool
preparing_is_needed(const struct guest *guest)
{
    return guest_has_qemu(guest) && prepare_is_needed(guest->spec);
}

void
preparing_begin(struct guest *guest)
{
    const struct paths *paths = guest->context->paths;
    char *data_dir = paths_guest_data_dir(paths, guest->spec->name);
    guest->state_before = guest->state;
    guest->was_stopped = guest->was_stopped_lately = false;
    guest_set_problem(guest, NULL);
    guest->prepare = prepare_begin(guest->context->loop, guest->spec, data_dir,
                                   paths->data_dir, &handlers, guest);
    guest_set_state(guest, GUEST_STATE_STARTING);
    free(data_dir);
}

bool
preparing_call_off(struct guest *guest)
{
    if (!guest->prepare)
        return false;
    prepare_cancel(guest->prepare);
    guest->prepare = NULL;
    guest->was_stopped = guest->was_stopped_lately = true;
    set_step(guest, NULL);
    guest_set_state(guest, guest->state_before);
    struct error error = {0};
    error_set(&error, ERROR_CODE_STATE, "the start of %s was called off",
              guest->spec->name);
    op_finish_all(guest, OP_KIND_START, &error);
    return true;
}
