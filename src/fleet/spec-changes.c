/* What differs between two definitions of a guest, field by field, and what of
 * that a guest that runs can take. */
#include "base/xalloc.h"
#include "fleet/spec.h"

#include <assert.h>
#include <string.h>

/* What may hold a password is not shown. */
static json_t *
shown(const char *field, json_t *value)
{
    if (!value || json_is_null(value))
        return json_null();
    if (!strcmp(field, "cloud-init"))
        return json_string("(not shown)");
    return json_deep_copy(value);
}

json_t *
spec_changes(const struct spec *before, const struct spec *after)
{
    json_t *changes = json_array();
    if (strcmp(before->directory, after->directory) != 0)
        json_array_append_new(
            changes, json_pack("{s:s,s:s,s:s}", "field", "directory", "old",
                               before->directory, "new", after->directory));
    if (!spec_has_same_networks(before, after))
        json_array_append_new(changes,
                              json_pack("{s:s,s:s,s:s}", "field", "networks of",
                                        "old", spec_network_directory(before),
                                        "new", spec_network_directory(after)));
    for (size_t i = 0; i < spec_fields_count; i++) {
        const char *name = spec_fields[i].name;
        json_t *old = json_object_get(before->source, name);
        json_t *new = json_object_get(after->source, name);
        bool is_same = old == new || (old && new &&json_equal(old, new));
        if (!is_same)
            json_array_append_new(
                changes, json_pack("{s:s,s:o,s:o}", "field", name, "old",
                                   shown(name, old), "new", shown(name, new)));
    }
    return changes;
}

/* With a kernel the consoles' size stands on its command line. */
static bool
is_live(const struct spec *running, const struct spec_field *field)
{
    return field->is_live &&
           (strcmp(field->name, "console") != 0 || !running->kernel);
}

struct spec *
spec_with_live_fields(const struct spec *running, const struct spec *wanted)
{
    json_t *source = json_deep_copy(running->source);
    for (size_t i = 0; i < spec_fields_count; i++) {
        const char *name = spec_fields[i].name;
        json_t *value = json_object_get(wanted->source, name);
        if (!is_live(running, &spec_fields[i]))
            continue;
        if (value)
            json_object_set_new(source, name, json_deep_copy(value));
        else
            (void)json_object_del(source, name);
    }
    struct spec *spec =
        spec_from_json(running->name, source, running->directory, NULL);
    json_decref(source);
    assert(spec); /* each part was read without a mistake */
    spec->fleet_directory = xstrdup(running->fleet_directory);
    return spec;
}
