#include "base/json.h"
#include "base/text.h"
#include "guest/guest-internal.h"

#include <string.h>

/* The guest object of the API. */

static json_t *
text_or_null(const char *text)
{
    return text ? json_from_text(text) : json_null();
}

static json_t *
time_or_null(int64_t ms)
{
    return ms ? json_integer(ms) : json_null();
}

static json_t *
console_to_json(const struct guest_console *console)
{
    struct terminal *terminal = console_terminal(console->console);
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(console->name));
    json_object_set_new(object, "rows", json_integer(terminal_rows(terminal)));
    json_object_set_new(object, "cols", json_integer(terminal_cols(terminal)));
    json_object_set_new(
        object, "offset",
        json_integer((json_int_t)console_offset(console->console)));
    json_object_set_new(
        object, "boot-offset",
        json_integer((json_int_t)console_boot_offset(console->console)));
    json_object_set_new(object, "title",
                        json_from_text(console->title ? console->title : ""));
    json_object_set_new(object, "activity-ms",
                        json_integer(console_last_output_ms(console->console)));
    json_object_set_new(object, "replaying",
                        json_boolean(console_is_replaying(console->console)));
    return object;
}

json_t *
guest_to_json(struct guest *guest)
{
    const struct run *run = guest->run;
    json_t *consoles = json_array();
    for (size_t i = 0; i < guest->console_count; i++)
        json_array_append_new(consoles, console_to_json(&guest->consoles[i]));
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(guest->spec->name));
    json_object_set_new(object, "kind",
                        json_string(spec_kind_name(guest->spec->kind)));
    json_object_set_new(object, "state", json_string(guest_state_name(guest)));
    json_object_set_new(object, "run-state", text_or_null(guest->run_state));
    json_object_set_new(object, "pid",
                        run && run->identity.pid
                            ? json_integer(run->identity.pid)
                            : json_null());
    json_object_set_new(
        object, "started-ms",
        time_or_null(run ? run->started_ms : guest->started_ms));
    json_object_set_new(object, "ended-ms", time_or_null(guest->ended_ms));
    json_object_set_new(object, "adopted",
                        json_boolean(run && run->is_adopted));
    json_object_set_new(object, "problem", text_or_null(guest->problem));
    json_object_set_new(object, "step", text_or_null(guest->step));
    json_object_set_new(object, "read-only",
                        json_boolean(guest->spec->is_readonly));
    json_t *paste = json_object_get(guest->spec->source, "paste");
    json_object_set_new(object, "paste",
                        json_is_object(paste) ? json_deep_copy(paste)
                                              : json_object());
    json_object_set_new(object, "nics", network_cards_json(guest));
    json_object_set_new(object, "forwards",
                        run && guest->forwards ? json_incref(guest->forwards)
                                               : json_array());
    json_object_set_new(object, "labels",
                        guest->spec->labels ? json_incref(guest->spec->labels)
                                            : json_object());
    json_object_set_new(object, "exit",
                        guest->exit ? json_incref(guest->exit) : json_null());
    json_object_set_new(object, "changes",
                        guest->plan ? spec_changes(guest->spec, guest->plan)
                                    : json_array());
    stages_describe(guest, object);
    ladder_describe(guest, object);
    json_object_set_new(object, "consoles", consoles);
    return object;
}
