#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "client/mirror.h"

#include <stdlib.h>
#include <string.h>

/* How deep a guest object may nest; the API's own nests four levels. */
#define MAX_DEPTH 16
/* The longest line of a guest's string that is kept, columns. */
#define MAX_LINE_COLS 2048

static bool
is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < 0x20 || text[i] > 0x7E)
            return false;
    }
    return true;
}

static json_t *clean_copy(const json_t *value, int depth);

static json_t *
clean_object(const json_t *object, int depth)
{
    json_t *copy = json_object();
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)object, name, member)
    {
        json_object_set_new_nocheck(copy, name, clean_copy(member, depth));
    }
    return copy;
}

/* A deep copy in which every string is fit to show. */
static json_t *
clean_copy(const json_t *value, int depth)
{
    if (depth >= MAX_DEPTH)
        return json_null();
    if (json_is_object(value))
        return clean_object(value, depth + 1);
    if (json_is_array(value)) {
        json_t *copy = json_array();
        for (size_t i = 0; i < json_array_size(value); i++)
            json_array_append_new(
                copy, clean_copy(json_array_get(value, i), depth + 1));
        return copy;
    }
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        size_t len = json_string_length(value);
        if (is_plain(text, len))
            return json_stringn_nocheck(text, len);
        char *clean = text_printable(text, len, MAX_LINE_COLS, TEXT_KEEP_LINES);
        json_t *copy = json_string(clean);
        free(clean);
        return copy;
    }
    return json_copy((json_t *)value);
}

static int64_t
newest_activity(const json_t *object)
{
    int64_t newest = 0;
    const json_t *consoles = json_object_get(object, "consoles");
    for (size_t i = 0; i < json_array_size(consoles); i++) {
        int64_t at = json_integer_value(
            json_object_get(json_array_get(consoles, i), "activity-ms"));
        newest = at > newest ? at : newest;
    }
    return newest;
}

/* Fills guest from what the server said about one. */
static bool
read_guest(struct mirror_guest *guest, const json_t *said, struct error *error)
{
    const char *name = NULL;
    const char *state = NULL;
    const char *kind = "";
    if (!json_is_object(said))
        return error_set(error, ERROR_CODE_PROTOCOL, "a guest is no object");
    if (!json_get_string(said, "name", JSON_REQUIRED, &name, error) ||
        !json_get_string(said, "state", JSON_REQUIRED, &state, error) ||
        !json_get_string(said, "kind", JSON_OPTIONAL, &kind, error))
        return error_prefix(error, "a guest");
    if (!text_is_name(name))
        return error_set(error, ERROR_CODE_PROTOCOL,
                         "a guest's name is no name");
    json_t *object = clean_copy(said, 0);
    *guest = (struct mirror_guest){
        .object = object,
        .name = json_string_value(json_object_get(object, "name")),
        .kind = json_string_value(json_object_get(object, "kind")),
        .state = json_string_value(json_object_get(object, "state")),
        .started_ms = json_integer_value(json_object_get(object, "started-ms")),
        .activity_ms = newest_activity(object),
    };
    if (!guest->kind)
        guest->kind = "";
    return true;
}

void
mirror_fleet_finish(struct mirror_fleet *fleet)
{
    if (!fleet)
        return;
    for (size_t i = 0; i < fleet->count; i++)
        json_decref(fleet->guests[i].object);
    free(fleet->guests);
    *fleet = (struct mirror_fleet){0};
}

static void
put_guest(struct mirror_fleet *fleet, const struct mirror_guest *guest)
{
    struct mirror_guest *old = mirror_fleet_find(fleet, guest->name);
    if (old) {
        json_decref(old->object);
        *old = *guest;
        return;
    }
    fleet->guests =
        xreallocarray(fleet->guests, fleet->count + 1, sizeof(*fleet->guests));
    fleet->guests[fleet->count++] = *guest;
}

bool
mirror_fleet_load(struct mirror_fleet *fleet, const json_t *guests,
                  struct error *error)
{
    if (!json_is_array(guests))
        return error_set(error, ERROR_CODE_PROTOCOL,
                         "the list of guests is no array");
    struct mirror_fleet loaded = {0};
    for (size_t i = 0; i < json_array_size(guests); i++) {
        struct mirror_guest guest = {0};
        if (!read_guest(&guest, json_array_get(guests, i), error)) {
            mirror_fleet_finish(&loaded);
            return false;
        }
        put_guest(&loaded, &guest);
    }
    mirror_fleet_finish(fleet);
    *fleet = loaded;
    return true;
}

static bool
take_out(struct mirror_fleet *fleet, const char *name)
{
    struct mirror_guest *guest = name ? mirror_fleet_find(fleet, name) : NULL;
    if (!guest)
        return false;
    json_decref(guest->object);
    size_t index = (size_t)(guest - fleet->guests);
    fleet->count--;
    memmove(guest, guest + 1, (fleet->count - index) * sizeof(*guest));
    return true;
}

static bool
note_activity(struct mirror_fleet *fleet, const json_t *data)
{
    const char *name = NULL;
    const char *console = NULL;
    int64_t at = 0;
    int64_t offset = 0;
    bool ok = json_get_string(data, "guest", JSON_REQUIRED, &name, NULL) &&
              json_get_string(data, "console", JSON_REQUIRED, &console, NULL) &&
              json_get_integer(data, "activity-ms", JSON_REQUIRED, 0, INT64_MAX,
                               &at, NULL) &&
              json_get_integer(data, "offset", JSON_OPTIONAL, 0, INT64_MAX,
                               &offset, NULL);
    struct mirror_guest *guest = ok ? mirror_fleet_find(fleet, name) : NULL;
    if (!guest)
        return false;
    json_t *consoles = json_object_get(guest->object, "consoles");
    for (size_t i = 0; i < json_array_size(consoles); i++) {
        json_t *item = json_array_get(consoles, i);
        const char *known = json_string_value(json_object_get(item, "name"));
        if (!known || strcmp(known, console) != 0)
            continue;
        json_object_set_new(item, "activity-ms", json_integer(at));
        json_object_set_new(item, "offset", json_integer(offset));
    }
    guest->activity_ms = newest_activity(guest->object);
    return true;
}

bool
mirror_fleet_event(struct mirror_fleet *fleet, const char *event, json_t *data)
{
    if (strcmp(event, "GUEST_CHANGED") == 0) {
        struct mirror_guest guest = {0};
        if (!read_guest(&guest, data, NULL))
            return false;
        put_guest(fleet, &guest);
        return true;
    }
    if (strcmp(event, "GUEST_REMOVED") == 0)
        return take_out(fleet,
                        json_string_value(json_object_get(data, "name")));
    if (strcmp(event, "GUEST_ACTIVITY") == 0)
        return note_activity(fleet, data);
    /* events were lost: this is how things are now */
    if (strcmp(event, "GUEST_LIST") == 0)
        return mirror_fleet_load(fleet, json_object_get(data, "guests"), NULL);
    return false;
}

struct mirror_guest *
mirror_fleet_find(struct mirror_fleet *fleet, const char *name)
{
    for (size_t i = 0; i < fleet->count; i++) {
        const char *known = fleet->guests[i].name;
        if (name && known && strcmp(known, name) == 0)
            return &fleet->guests[i];
    }
    return NULL;
}
