/* Templates and defaults: the layers that guests' entries are made of. */
#include "base/buffer.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/fleet-internal.h"
#include "fleet/spec-internal.h"

#include <stdlib.h>
#include <string.h>

/* A template and the file it stands in. */
struct found {
    const struct document *document;
    const struct document_entry *entry;
};

/* The template of a name that a document can see: its own, or one of a file
 * that it includes. */
static bool
find_template(const struct document *document, const char *name,
              struct found *ret_found)
{
    for (size_t i = document->visible_count; i-- > 0;) {
        const struct document *there = document->visible[i];
        const struct document_entry *entry = document_template(there, name);
        if (!entry)
            continue;
        *ret_found = (struct found){there, entry};
        return true;
    }
    return false;
}

/* The names that a document can see, for "did you mean"; owned array. */
static const char **
collect_names(const struct document *document, size_t *ret_count)
{
    const char **names = NULL;
    size_t count = 0;
    for (size_t i = 0; i < document->visible_count; i++) {
        const struct document *there = document->visible[i];
        names = xreallocarray(names, count + there->template_count + 1,
                              sizeof(*names));
        for (size_t k = 0; k < there->template_count; k++)
            names[count++] = there->templates[k].place.key;
    }
    *ret_count = count;
    return names;
}

static void
unknown_template(struct builder *builder, const struct document *document,
                 const char *name, const struct place *place)
{
    size_t count = 0;
    const char **names = collect_names(document, &count);
    const char *near = nearest_name(name, names, count);
    char *shown = spec_show(name);
    /* It may be in the file that is missing. */
    if (!builder->is_incomplete)
        mistakes_add(builder->mistakes, place, POSITIONS_PART_VALUE,
                     near    ? "there is no template \"%s\" (did you mean "
                               "\"%s\"?)"
                     : count ? "there is no template \"%s\""
                             : "there is no template \"%s\" (there are no "
                               "\"templates\" in this file)",
                     shown, near);
    free(shown);
    free(names);
}

/* Called for each name in an entry's "template"; false when it is wrong. */
typedef bool template_fn(void *data, const char *name,
                         const struct place *place);

static bool
each_name(struct builder *builder, const json_t *fields,
          const struct place *place, template_fn *use, void *data)
{
    const json_t *value = json_object_get(fields, "template");
    struct place at = {place, "template", 0};
    size_t count = json_array_size(value);
    if (!value || json_is_null(value))
        return true;
    if (json_is_string(value))
        return use(data, json_string_value(value), &at);
    if (!json_is_array(value)) {
        spec_wrong_type(builder->mistakes, &at, value,
                        "the name of a template, or an array of names");
        return false;
    }
    if (count > FLEET_MAX_TEMPLATES) {
        mistakes_add(builder->mistakes, &at, POSITIONS_PART_VALUE,
                     "there are %zu templates, at most %d are allowed", count,
                     FLEET_MAX_TEMPLATES);
        return false;
    }
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        struct place item = {&at, NULL, i};
        const json_t *name = json_array_get(value, i);
        if (json_is_string(name)) {
            ok = use(data, json_string_value(name), &item) && ok;
            continue;
        }
        spec_wrong_type(builder->mistakes, &item, name,
                        "the name of a template");
        ok = false;
    }
    return ok;
}

/* Adding layers ------------------------------------------------------------ */

struct adding {
    struct builder *builder;
    const struct document *document;
    struct layers *layers;
};

static bool
add_template(void *data, const char *name, const struct place *place)
{
    const struct adding *adding = data;
    struct builder *builder = adding->builder;
    struct found found;
    if (!find_template(adding->document, name, &found)) {
        unknown_template(builder, adding->document, name, place);
        return false;
    }
    /* What is wrong with it was told. */
    if (!json_is_object(found.entry->fields) || builder->has_circle)
        return false;
    struct layer layer = {found.entry->fields, &found.entry->place,
                          found.document};
    for (size_t i = 0; i < adding->layers->count; i++) {
        if (adding->layers->items[i].fields == layer.fields)
            return true;
    }
    struct adding below = {builder, found.document, adding->layers};
    const struct mistakes_text *where = builder->mistakes->where;
    builder->mistakes->where = &found.document->text;
    bool ok =
        each_name(builder, layer.fields, layer.place, add_template, &below);
    builder->mistakes->where = where;
    layers_add(adding->layers, layer);
    return ok;
}

bool
fleet_add_templates(struct builder *builder, const struct document *document,
                    const json_t *fields, const struct place *place,
                    struct layers *layers)
{
    struct adding adding = {builder, document, layers};
    return each_name(builder, fields, place, add_template, &adding);
}

void
fleet_add_defaults(const struct document *document, struct layers *layers)
{
    for (size_t i = 0; i < document->visible_count; i++) {
        const struct document *there = document->visible[i];
        struct layer layer = {there->defaults, &there->at_defaults, there};
        if (there->defaults)
            layers_add(layers, layer);
    }
}

/* Checking ----------------------------------------------------------------- */

/* The way from one template down to what it builds on. */
struct building {
    struct builder *builder;
    const struct building *below;
    struct found found;
    size_t depth;
};

static void
append_way(struct buffer *text, const struct building *building,
           const struct document_entry *from)
{
    if (building->found.entry != from && building->below)
        append_way(text, building->below, from);
    buffer_printf(text, "%s → ", building->found.entry->place.key);
}

static void
tell_circle(const struct building *building, const struct document_entry *entry,
            const struct place *place)
{
    struct buffer text = {0};
    append_way(&text, building, entry);
    buffer_append_text(&text, entry->place.key);
    char *way = buffer_steal(&text);
    char *shown = spec_show(way);
    mistakes_add(building->builder->mistakes, place, POSITIONS_PART_VALUE,
                 "the template builds on itself: %s", shown);
    building->builder->has_circle = true;
    free(shown);
    free(way);
}

static bool look_below(void *data, const char *name, const struct place *place);

/* Walks from a template to those that it builds on. */
static void
walk(const struct building *building)
{
    struct builder *builder = building->builder;
    struct document_entry *entry =
        (struct document_entry *)building->found.entry;
    const struct mistakes_text *where = builder->mistakes->where;
    builder->mistakes->where = &building->found.document->text;
    entry->mark = DOCUMENT_MARK_WALKED;
    (void)each_name(builder, entry->fields, &entry->place, look_below,
                    (void *)building);
    entry->mark = DOCUMENT_MARK_DONE;
    builder->mistakes->where = where;
}

static bool
look_below(void *data, const char *name, const struct place *place)
{
    const struct building *building = data;
    struct building next = {
        building->builder, building, {NULL, NULL}, building->depth + 1};
    if (!find_template(building->found.document, name, &next.found)) {
        unknown_template(building->builder, building->found.document, name,
                         place);
        return false;
    }
    enum document_mark mark = next.found.entry->mark;
    if (mark == DOCUMENT_MARK_WALKED) {
        tell_circle(building, next.found.entry, place);
    } else if (next.depth > FLEET_MAX_TEMPLATES) {
        mistakes_add(building->builder->mistakes, place, POSITIONS_PART_VALUE,
                     "templates build on each other more than %d deep",
                     FLEET_MAX_TEMPLATES);
        building->builder->has_circle = true;
    } else if (mark == DOCUMENT_MARK_NONE) {
        walk(&next);
    }
    return true;
}

static void
check_name(struct builder *builder, const struct document_entry *entry)
{
    if (text_is_name(entry->place.key))
        return;
    char *shown = spec_show(entry->place.key);
    mistakes_add(builder->mistakes, &entry->place, POSITIONS_PART_KEY,
                 "\"%s\" is not a template's name (letters, digits, '.', '_' "
                 "and '-', a letter or digit first, at most 48)",
                 shown);
    free(shown);
}

/* A name stands for one template in all files of a fleet. */
static void
check_clash(struct builder *builder, const struct document *document,
            const struct document_entry *entry)
{
    const struct fleet *fleet = builder->fleet;
    for (size_t i = 0; i < fleet->document_count; i++) {
        const struct document *there = fleet->documents[i];
        const struct document_entry *other =
            there == document ? NULL
                              : document_template(there, entry->place.key);
        if (!other || there->text.order > document->text.order)
            continue;
        char *spot = fleet_spot(document, there, &other->place);
        mistakes_add(builder->mistakes, &entry->place, POSITIONS_PART_KEY,
                     "there is a template of this name already (%s)", spot);
        free(spot);
        return;
    }
}

void
fleet_check_templates(struct builder *builder, struct document *document)
{
    struct mistakes *mistakes = builder->mistakes;
    mistakes->where = &document->text;
    if (document->template_count > FLEET_MAX_GUESTS) {
        mistakes_add(mistakes, &document->at_templates, POSITIONS_PART_VALUE,
                     "there are %zu templates, at most %d are allowed",
                     document->template_count, FLEET_MAX_GUESTS);
        builder->has_circle = true;
        return;
    }
    for (size_t i = 0; i < document->template_count; i++) {
        struct document_entry *entry = &document->templates[i];
        check_name(builder, entry);
        check_clash(builder, document, entry);
        if (!json_is_object(entry->fields)) {
            spec_wrong_type(mistakes, &entry->place, entry->fields,
                            "an object of a guest's fields");
            continue;
        }
        spec_check_part(SPEC_PART_TEMPLATE, entry->fields, &entry->place,
                        document->directory, builder->variables, mistakes);
        struct building building = {builder, NULL, {document, entry}, 0};
        if (entry->mark == DOCUMENT_MARK_NONE)
            walk(&building);
    }
}
