#include "fleet/fleet.h"

#include "base/buffer.h"
#include "base/xalloc.h"
#include "fleet/fleet-internal.h"
#include "fleet/networks.h"
#include "fleet/order.h"
#include "fleet/shared.h"
#include "fleet/spec-internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What this program reads. */
#define FLEET_VERSION 1

static const char *const file_fields[] = {"version",   "include",  "defaults",
                                          "templates", "networks", "guests",
                                          "$schema"};

/* Tells what was given twice in one object. */
static void
on_duplicate(void *data, const struct place *place, struct position first,
             struct position again)
{
    (void)again;
    struct builder *builder = data;
    const struct place *parent = place->parent;
    bool is_guest = parent && !parent->parent && parent->key &&
                    !strcmp(parent->key, "guests");
    mistakes_add(builder->mistakes, place, POSITIONS_PART_KEY,
                 is_guest
                     ? "two guests have this name; the first stands at line "
                       "%u, column %u"
                     : "this is said twice; first at line %u, "
                       "column %u",
                 first.line, first.column);
}

static void
check_version(struct builder *builder, const struct document *document)
{
    const json_t *version = json_object_get(document->root, "version");
    struct place place = {NULL, "version", 0};
    if (!version)
        mistakes_add(builder->mistakes, NULL, POSITIONS_PART_VALUE,
                     "\"version\" is missing (write \"version\": %d)",
                     FLEET_VERSION);
    else if (!json_is_integer(version))
        spec_wrong_type(builder->mistakes, &place, version, "an integer");
    else if (json_integer_value(version) != FLEET_VERSION)
        mistakes_add(builder->mistakes, &place, POSITIONS_PART_VALUE,
                     "version %" JSON_INTEGER_FORMAT
                     " is not known (this guestmux reads version %d)",
                     json_integer_value(version), FLEET_VERSION);
}

static void
check_file_fields(struct builder *builder, const struct document *document)
{
    size_t count = sizeof(file_fields) / sizeof(file_fields[0]);
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(document->root, name, value)
    {
        struct place place = {NULL, name, 0};
        bool is_known = false;
        for (size_t i = 0; i < count; i++)
            is_known = is_known || !strcmp(name, file_fields[i]);
        if (!is_known)
            spec_unknown_field(builder->mistakes, &place, file_fields, count);
    }
}

/* Adds a mistake when a member of the file is there and no object. */
static void
check_object(struct builder *builder, const struct document *document,
             const char *name, const char *wanted)
{
    struct place place = {NULL, name, 0};
    const json_t *value = json_object_get(document->root, name);
    if (value && !json_is_object(value))
        spec_wrong_type(builder->mistakes, &place, value, wanted);
}

/* A file that is read for itself has guests; one that others include may do
 * with templates and defaults. */
static void
check_guests(struct builder *builder, const struct document *document)
{
    const json_t *guests = json_object_get(document->root, "guests");
    bool is_first = document->text.order == 0;
    if (!guests && is_first && !json_object_get(document->root, "include"))
        mistakes_add(builder->mistakes, NULL, POSITIONS_PART_VALUE,
                     "\"guests\" is missing");
    else if (json_is_object(guests) && document->guest_count == 0)
        mistakes_add(builder->mistakes, &document->at_guests,
                     POSITIONS_PART_VALUE, "there is no guest in it");
}

/* What is wrong with one file but for its guests. */
static void
check_document(struct builder *builder, struct document *document)
{
    struct mistakes *mistakes = builder->mistakes;
    mistakes->where = &document->text;
    if (!json_is_object(document->root)) {
        spec_wrong_type(mistakes, NULL, document->root,
                        "an object with \"version\" and \"guests\"");
        return;
    }
    if (document->has_duplicates)
        positions_each_duplicate(document->positions, on_duplicate, builder);
    check_version(builder, document);
    check_file_fields(builder, document);
    check_object(builder, document, "defaults",
                 "an object of a guest's fields");
    check_object(builder, document, "templates",
                 "an object of templates by their names");
    check_object(builder, document, "guests",
                 "an object of guests by their names");
    check_guests(builder, document);
    networks_check(json_object_get(document->root, "networks"), mistakes);
    if (document->defaults)
        spec_check_part(SPEC_PART_DEFAULTS, document->defaults,
                        &document->at_defaults, document->directory,
                        builder->variables, mistakes);
    fleet_check_templates(builder, document);
}

/* How many guests the entries of a document are at most. */
static size_t
count_guests(const struct document *document)
{
    size_t sum = 0;
    for (size_t i = 0; i < document->guest_count; i++) {
        const json_t *count =
            json_object_get(document->guests[i].fields, "count");
        json_int_t number =
            json_is_integer(count) ? json_integer_value(count) : 1;
        sum += number < 0                  ? 1
               : number > FLEET_MAX_GUESTS ? FLEET_MAX_GUESTS
                                           : (size_t)number;
    }
    return sum;
}

/* Makes room for all guests; false when they are too many. */
static bool
make_room(struct builder *builder)
{
    struct fleet *fleet = builder->fleet;
    size_t count = 0;
    for (size_t i = 0; i < fleet->document_count; i++) {
        const struct document *document = fleet->documents[i];
        count += count_guests(document);
        if (count <= FLEET_MAX_GUESTS)
            continue;
        builder->mistakes->where = &document->text;
        mistakes_add(builder->mistakes, &document->at_guests,
                     POSITIONS_PART_VALUE,
                     "there are %zu guests, at most %d are allowed", count,
                     FLEET_MAX_GUESTS);
        return false;
    }
    fleet->guests = xcalloc(count + 1, sizeof(*fleet->guests));
    fleet->guest_origins = xcalloc(count + 1, sizeof(*fleet->guest_origins));
    return true;
}

static void
build(struct builder *builder)
{
    struct fleet *fleet = builder->fleet;
    struct document *first = fleet->documents[0];
    struct include_stack stack = {NULL, first};
    if (json_is_object(first->root))
        fleet_read_includes(builder, &stack);
    for (size_t i = 0; i < fleet->document_count; i++)
        check_document(builder, fleet->documents[i]);
    if (!make_room(builder))
        return;
    /* What is included comes first; it sees itself last. */
    for (size_t i = 0; i < first->visible_count; i++)
        fleet_read_guests(builder, first->visible[i]);
}

/* Guests of included files are on the networks of the file that includes them.
 */
static void
note_fleet(struct fleet *fleet)
{
    const char *directory = fleet->documents[0]->directory;
    for (size_t i = 0; i < fleet->guest_count; i++) {
        if (strcmp(fleet->guests[i]->directory, directory) != 0)
            fleet->guests[i]->fleet_directory = xstrdup(directory);
    }
}

static char *
absolute_path(const char *file)
{
    if (file[0] == '/')
        return xstrdup(file);
    char *here = getcwd(NULL, 0);
    char *path = xasprintf("%s/%s", here ? here : "", file);
    free(here);
    return path;
}

struct fleet *
fleet_load(const struct fleet_source *source, struct error *error)
{
    static const struct variables environment = {NULL, NULL};
    char *path = absolute_path(source->file);
    struct document *document =
        source->text
            ? document_new(path, source->file, source->text, source->len, error)
            : document_open(path, source->file, error);
    if (!document) {
        free(path);
        return NULL;
    }
    struct fleet *fleet = xcalloc(1, sizeof(*fleet));
    fleet->file = path;
    fleet->shown_file = xstrdup(source->file);
    fleet->documents = xcalloc(1, sizeof(struct document *));
    fleet->documents[fleet->document_count++] = document;
    struct builder builder = {
        .fleet = fleet,
        .mistakes = mistakes_new(NULL, NULL),
        .variables = source->variables ? source->variables : &environment,
        .names = json_object(),
    };
    build(&builder);
    /* who is waited for may be in the file that is missing */
    if (!builder.is_incomplete)
        order_check(fleet, builder.mistakes);
    shared_check(fleet, builder.mistakes);
    bool ok = mistakes_report(builder.mistakes, error);
    if (!ok && source->ret_mistakes)
        *source->ret_mistakes = mistakes_text(builder.mistakes);
    mistakes_free(builder.mistakes);
    json_decref(builder.names);
    if (ok) {
        note_fleet(fleet);
        return fleet;
    }
    fleet_free(fleet);
    return NULL;
}

struct fleet *
fleet_parse(const char *file, const char *text, size_t len, struct error *error)
{
    struct fleet_source source = {.file = file, .text = text, .len = len};
    return fleet_load(&source, error);
}

struct fleet *
fleet_read(const char *file, struct error *error)
{
    struct fleet_source source = {.file = file};
    return fleet_load(&source, error);
}

void
fleet_free(struct fleet *fleet)
{
    if (!fleet)
        return;
    for (size_t i = 0; i < fleet->guest_count; i++)
        spec_free(fleet->guests[i]);
    for (size_t i = 0; i < fleet->origin_count; i++) {
        layers_finish(fleet->origins[i]);
        free(fleet->origins[i]);
    }
    for (size_t i = 0; i < fleet->document_count; i++)
        document_free(fleet->documents[i]);
    free(fleet->guests);
    free(fleet->guest_origins);
    free(fleet->origins);
    free(fleet->documents);
    free(fleet->file);
    free(fleet->shown_file);
    free(fleet);
}

char *
fleet_spot(const struct document *here, const struct document *there,
           const struct place *place)
{
    struct position position =
        positions_find(there->positions, place, POSITIONS_PART_KEY);
    return here == there
               ? xasprintf("line %u, column %u", position.line, position.column)
               : xasprintf("%s:%u:%u", there->shown, position.line,
                           position.column);
}

struct spec *
fleet_find(const struct fleet *fleet, const char *name)
{
    for (size_t i = 0; i < fleet->guest_count; i++) {
        if (!strcmp(fleet->guests[i]->name, name))
            return fleet->guests[i];
    }
    return NULL;
}

/* What a guest's entry was merged of. */
static const struct layers *
origin_of(const struct fleet *fleet, const char *guest)
{
    for (size_t i = 0; i < fleet->guest_count; i++) {
        if (!strcmp(fleet->guests[i]->name, guest))
            return fleet->guest_origins[i];
    }
    return NULL;
}

/* " (GUEST)" behind a place that does not say whose it is: a template's, or a
 * counted entry's. The caller frees it. */
static char *
of_whom(const struct layer *layer, const struct place *place, const char *guest)
{
    while (place->parent && place->parent->parent)
        place = place->parent;
    bool is_default = layer->fields == layer->document->defaults;
    return is_default || !strcmp(place->key, guest) ? xstrdup("")
                                                    : xasprintf(" (%s)", guest);
}

/* Where something about a guest is said: the layer it comes from, the place
 * there, and its position; NULL for a guest that is not the fleet's. */
static const struct layer *
look_up(const struct fleet *fleet, const char *guest, const char *field,
        int index, struct layers_spot *spot, struct position *ret_position)
{
    const struct layers *layers = origin_of(fleet, guest);
    if (!layers)
        return NULL;
    struct place at_field = {layers->place, field, 0};
    struct place at_item = {&at_field, NULL, index > 0 ? (size_t)index : 0};
    const struct layer *layer = layers_find(layers,
                                            !field      ? layers->place
                                            : index < 0 ? &at_field
                                                        : &at_item,
                                            spot);
    assert(layer);
    *ret_position =
        positions_find(layer->document->positions, spot->place,
                       field ? POSITIONS_PART_VALUE : POSITIONS_PART_KEY);
    return layer;
}

struct fleet_place
fleet_locate(const struct fleet *fleet, const char *guest, const char *field,
             int index)
{
    struct fleet_place place = {0};
    struct layers_spot spot;
    const struct layer *layer =
        look_up(fleet, guest, field, index, &spot, &place.position);
    if (layer)
        place.file = layer->document->text.order;
    return place;
}

char *
fleet_where(const struct fleet *fleet, const char *guest, const char *field,
            int index)
{
    struct layers_spot spot;
    struct position position;
    const struct layer *layer =
        look_up(fleet, guest, field, index, &spot, &position);
    if (!layer)
        return xasprintf("%s: guests.%s", fleet->shown_file, guest);
    char *path = place_text(spot.place);
    char *whose = of_whom(layer, spot.place, guest);
    char *where = xasprintf("%s:%u:%u: %s%s", layer->document->shown,
                            position.line, position.column, path, whose);
    free(whose);
    free(path);
    return where;
}

void
fleet_add_mistake(const struct fleet *fleet, struct mistakes *mistakes,
                  const char *guest, const char *field, int index,
                  const char *text)
{
    struct fleet_place place = fleet_locate(fleet, guest, field, index);
    char *where = fleet_where(fleet, guest, field, index);
    char *line = xasprintf("%s: %s", where, text);
    for (size_t i = 0; i < fleet->document_count; i++) {
        if (fleet->documents[i]->text.order == place.file)
            mistakes_add_line_at(mistakes, &fleet->documents[i]->text,
                                 place.position, line);
    }
    free(line);
    free(where);
}

bool
fleet_check_sockets(const struct fleet *fleet, const struct paths *paths,
                    struct error *error)
{
    struct buffer lines = {0};
    for (size_t i = 0; i < fleet->guest_count; i++) {
        const char *name = fleet->guests[i]->name;
        struct error problem = {0};
        bool has_more = fleet->guests[i]->has_agent;
        for (size_t j = 0; j < fleet->guests[i]->nic_count; j++)
            has_more = has_more || fleet->guests[i]->nics[j].network;
        /* The longest that it will have. */
        char *socket = has_more
                           ? paths_guest_socket(paths, name, "agent", &problem)
                           : paths_qmp_socket(paths, name, &problem);
        if (!socket) {
            char *where = fleet_where(fleet, name, NULL, -1);
            buffer_printf(&lines, "%s%s: %s", lines.len ? "\n" : "", where,
                          problem.text);
            free(where);
        }
        free(socket);
    }
    bool ok = lines.len == 0;
    if (!ok)
        error_set(error, ERROR_CODE_LIMIT, "%s", lines.data);
    buffer_finish(&lines);
    return ok;
}
