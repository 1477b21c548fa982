/* The guests of fleet files: entries merged, counted, expanded, read. */
#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/fleet-internal.h"
#include "fleet/networks.h"
#include "fleet/placeholders.h"
#include "fleet/spec-internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Rough cost of a JSON value in memory, bytes. */
#define VALUE_BYTES 64

/* Fields in whose strings braces mean something else: patterns. */
static const char *const without_placeholders[] = {"alerts", "comment"};

/* One entry being read. */
struct reading {
    struct builder *builder;
    struct document *document;
    const struct document_entry *entry;
    struct layers *layers;  /* its origin, shared by its guests */
    const json_t *networks; /* that the document sees */
    bool is_counted;
    size_t count;
};

static struct mistakes *
mistakes_of(const struct reading *reading)
{
    return reading->builder->mistakes;
}

/* "count" of the entry; with a mistake in it there is one guest. */
static void
read_count(struct reading *reading)
{
    const json_t *value = json_object_get(reading->entry->fields, "count");
    struct place place = {&reading->entry->place, "count", 0};
    reading->count = 1;
    reading->is_counted = false;
    if (!value || json_is_null(value))
        return;
    reading->is_counted = true;
    json_int_t count = json_integer_value(value);
    if (!json_is_integer(value))
        spec_wrong_type(mistakes_of(reading), &place, value, "an integer");
    else if (count < 0 || count > FLEET_MAX_GUESTS)
        mistakes_add(mistakes_of(reading), &place, POSITIONS_PART_VALUE,
                     "%" JSON_INTEGER_FORMAT " is not within 0 and %d", count,
                     FLEET_MAX_GUESTS);
    else
        reading->count = (size_t)count;
}

/* Whether the whole entry's name is one that can be counted, or needs not be.
 */
static void
check_name(struct reading *reading)
{
    const char *name = reading->entry->place.key;
    if (reading->is_counted || !placeholders_has_index(name))
        return;
    mistakes_add(mistakes_of(reading), &reading->entry->place,
                 POSITIONS_PART_KEY,
                 "{index} in a name needs a \"count\" in its entry");
    reading->is_counted = true; /* so that the rest can be read */
}

/* The name of the guest of a number; the caller frees it. */
static char *
guest_name_of(const struct reading *reading, int index)
{
    const char *name = reading->entry->place.key;
    if (!reading->is_counted)
        return xstrdup(name);
    if (!placeholders_has_index(name))
        return xasprintf("%s%d", name, index);
    /* {name} would be no name: it stays, and is refused. */
    char *expanded = placeholders_expand(name, "{name}", index);
    return expanded ? expanded : xstrdup(name);
}

/* Tells that a name is taken by an earlier guest, or nearly so. */
static bool
is_taken(const struct reading *reading, const char *name)
{
    const struct fleet *fleet = reading->builder->fleet;
    char *key = xstrdup(name);
    for (char *c = key; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    const json_t *known = json_object_get(reading->builder->names, key);
    if (!known)
        json_object_set_new(reading->builder->names, key,
                            json_pack("{s:o, s:I}", "name",
                                      json_from_text(name), "origin",
                                      (json_int_t)fleet->origin_count));
    free(key);
    if (!known)
        return false;
    const char *other = json_string_value(json_object_get(known, "name"));
    size_t at = (size_t)json_integer_value(json_object_get(known, "origin"));
    const struct layers *layers =
        at < fleet->origin_count ? fleet->origins[at] : reading->layers;
    const struct layer *own = &layers->items[layers->count - 1];
    char *spot = fleet_spot(reading->document, own->document, own->place);
    char *shown = spec_show(other);
    if (strcmp(other, name) != 0)
        mistakes_add(mistakes_of(reading), &reading->entry->place,
                     POSITIONS_PART_KEY,
                     "this differs from \"%s\" (%s) in upper and lower case "
                     "only",
                     shown, spot);
    else
        mistakes_add(mistakes_of(reading), &reading->entry->place,
                     POSITIONS_PART_KEY, "there is a guest \"%s\" already (%s)",
                     shown, spot);
    free(shown);
    free(spot);
    return true;
}

/* Bytes that a value takes in memory. */
static size_t
cost(const json_t *value)
{
    size_t bytes = VALUE_BYTES + json_string_length(value);
    for (size_t i = 0; i < json_array_size(value); i++)
        bytes += cost(json_array_get(value, i));
    const char *name = NULL;
    json_t *member = NULL;
    json_object_foreach((json_t *)value, name, member) bytes +=
        strlen(name) + cost(member);
    return bytes;
}

/* The layers of an entry: defaults, templates, itself. False when a template is
 * missing. */
static bool
collect_layers(const struct reading *reading, size_t *ret_defaults)
{
    const struct document_entry *entry = reading->entry;
    struct layers *layers = reading->layers;
    layers->place = &entry->place;
    fleet_add_defaults(reading->document, layers);
    *ret_defaults = layers->count;
    bool ok = fleet_add_templates(reading->builder, reading->document,
                                  entry->fields, &entry->place, layers);
    struct layer own = {entry->fields, &entry->place, reading->document};
    layers_add(layers, own);
    return ok;
}

/* The entry with its templates and defaults merged in; new reference. */
static json_t *
merge(const struct reading *reading, size_t defaults)
{
    const struct layers *layers = reading->layers;
    json_t *said = json_object();
    for (size_t i = defaults; i < layers->count; i++)
        layers_patch(said, layers->items[i].fields);
    struct spec_entry entry = {said, layers->place};
    enum spec_kind kind = spec_find_kind(&entry, mistakes_of(reading));
    json_decref(said);
    json_t *merged = json_object();
    for (size_t i = 0; i < defaults; i++)
        layers_patch(merged, layers->items[i].fields);
    const char *name = NULL;
    json_t *value = NULL;
    void *next = NULL;
    json_object_foreach_safe(merged, next, name, value)
    {
        if (!spec_has_field(kind, name))
            (void)json_object_del(merged, name);
    }
    for (size_t i = defaults; i < layers->count; i++)
        layers_patch(merged, layers->items[i].fields);
    (void)json_object_del(merged, "template");
    (void)json_object_del(merged, "count");
    return merged;
}

/* Replaces placeholders in an entry's fields. */
static void
fill(const struct reading *reading, json_t *fields, const char *name, int index)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(fields, key, value)
    {
        struct place place = {reading->layers->place, key, 0};
        bool is_left = false;
        for (size_t i = 0;
             i < sizeof(without_placeholders) / sizeof(without_placeholders[0]);
             i++)
            is_left = is_left || !strcmp(key, without_placeholders[i]);
        if (!is_left)
            placeholders_fill(value, name, index, &place, mistakes_of(reading));
    }
}

/* Adds a guest to the fleet, which owns it then. */
static void
add_guest(const struct reading *reading, struct spec *spec)
{
    struct fleet *fleet = reading->builder->fleet;
    fleet->guest_origins[fleet->guest_count] = reading->layers;
    fleet->guests[fleet->guest_count++] = spec;
}

/* Of a guest that cannot be read: others may wait for it, and it for them. */
static void
add_name(const struct reading *reading, const json_t *fields, const char *name)
{
    if (text_is_name(name))
        add_guest(reading,
                  spec_read_order(name, fields, reading->document->directory));
}

/* A guest of an entry that has a mistake elsewhere. */
static void
note_one(const struct reading *reading, const json_t *merged, int index)
{
    char *name = guest_name_of(reading, index);
    struct mistakes *ignored = mistakes_new(NULL, NULL);
    struct place place = {NULL, "after", 0};
    json_t *after = json_deep_copy(json_object_get(merged, place.key));
    placeholders_fill(after, name,
                      reading->is_counted ? index : PLACEHOLDERS_NO_INDEX,
                      &place, ignored);
    json_t *fields = json_pack("{s:o*}", place.key, after);
    if (!fleet_find(reading->builder->fleet, name))
        add_name(reading, fields, name);
    json_decref(fields);
    mistakes_free(ignored);
    free(name);
}

/* Reads the guest of a number; false after a mistake. */
static bool
read_one(const struct reading *reading, const json_t *merged, int index)
{
    struct builder *builder = reading->builder;
    size_t before = mistakes_count(builder->mistakes);
    char *name = guest_name_of(reading, index);
    json_t *fields = json_deep_copy(merged);
    struct spec_entry entry = {fields, reading->layers->place};
    bool is_free = !is_taken(reading, name);
    fill(reading, fields, name,
         reading->is_counted ? index : PLACEHOLDERS_NO_INDEX);
    builder->expanded += cost(fields);
    struct spec *spec = spec_read(name, &entry, reading->document->directory,
                                  builder->variables, builder->mistakes);
    networks_check_cards(reading->networks, json_object_get(fields, "nics"),
                         reading->layers->place, builder->mistakes);
    if (builder->expanded > FLEET_MAX_EXPANDED_BYTES)
        mistakes_add(builder->mistakes, reading->layers->place,
                     POSITIONS_PART_KEY,
                     "the fleet is too large with its templates merged in");
    bool ok = spec && is_free && mistakes_count(builder->mistakes) == before;
    if (ok) {
        add_guest(reading, spec);
    } else {
        spec_free(spec);
        if (is_free)
            add_name(reading, fields, name);
    }
    json_decref(fields);
    free(name);
    return ok;
}

/* Merging drops what is null: tell here of such a field that there is not. */
static void
check_nulls(const struct reading *reading)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(reading->entry->fields, name, value)
    {
        struct place place = {&reading->entry->place, name, 0};
        if (json_is_null(value) && strcmp(name, "template") != 0 &&
            strcmp(name, "count") != 0 && !spec_find_field(name))
            spec_unknown_entry_field(mistakes_of(reading), &place);
    }
}

static void
read_entry(struct reading *reading)
{
    struct builder *builder = reading->builder;
    struct mistakes *mistakes = builder->mistakes;
    struct fleet *fleet = builder->fleet;
    const struct document_entry *entry = reading->entry;
    size_t read = 0;
    mistakes->where = &reading->document->text;
    if (!json_is_object(entry->fields)) {
        struct spec_entry own = {entry->fields, &entry->place};
        (void)spec_read(entry->place.key, &own, reading->document->directory,
                        builder->variables, mistakes);
        return;
    }
    reading->layers = xcalloc(1, sizeof(*reading->layers));
    size_t defaults = 0;
    check_nulls(reading);
    read_count(reading);
    check_name(reading);
    bool is_whole = collect_layers(reading, &defaults);
    mistakes->layers = reading->layers;
    json_t *merged = merge(reading, defaults);
    if (!is_whole) {
        mistakes->layers = NULL;
        spec_check_part(SPEC_PART_ENTRY, entry->fields, &entry->place,
                        reading->document->directory, builder->variables,
                        mistakes);
    }
    /* With a mistake in one the others are not looked at: it is theirs, too. */
    bool ok = is_whole;
    while (ok && read < reading->count)
        ok = read_one(reading, merged, (int)read++);
    for (; read < reading->count; read++)
        note_one(reading, merged, (int)read);
    json_decref(merged);
    mistakes->layers = NULL;
    fleet->origins = xreallocarray(fleet->origins, fleet->origin_count + 1,
                                   sizeof(*fleet->origins));
    fleet->origins[fleet->origin_count++] = reading->layers;
}

/* The networks of a document and of what it includes; new reference. */
static json_t *
see_networks(const struct document *document)
{
    json_t *networks = json_object();
    for (size_t i = 0; i < document->visible_count; i++) {
        json_t *there = json_object_get(document->visible[i]->root, "networks");
        if (json_is_object(there))
            json_object_update(networks, there);
    }
    return networks;
}

void
fleet_read_guests(struct builder *builder, struct document *document)
{
    json_t *networks = see_networks(document);
    for (size_t i = 0; i < document->guest_count; i++) {
        struct reading reading = {
            .builder = builder,
            .document = document,
            .entry = &document->guests[i],
            .networks = networks,
        };
        read_entry(&reading);
    }
    json_decref(networks);
}
