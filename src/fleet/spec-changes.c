/* What differs between two definitions of a guest, field by field. */
#include "fleet/spec.h"

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
