/* The files that fleet files include. */
#include "base/buffer.h"
#include "base/xalloc.h"
#include "fleet/fleet-internal.h"
#include "fleet/spec-internal.h"

#include <stdlib.h>
#include <string.h>

/* One item of "include". */
struct inclusion {
    struct builder *builder;
    const struct include_stack *stack;
    const struct place *place;
    char *path;  /* owned; absolute */
    char *shown; /* owned */
};

static void
mistake(const struct inclusion *inclusion, const char *text)
{
    mistakes_add(inclusion->builder->mistakes, inclusion->place,
                 POSITIONS_PART_VALUE, "%s", text);
    inclusion->builder->is_incomplete = true;
}

/* How messages call an included file: beside the name of the file that includes
 * it, or by its path. */
static char *
shown_name(const struct document *document, const char *text, const char *path)
{
    const char *slash = strrchr(document->shown, '/');
    if (text[0] == '/' || strchr(text, '$'))
        return xstrdup(path);
    while (!strncmp(text, "./", 2))
        text += 2;
    return slash ? xasprintf("%.*s%s", (int)(slash + 1 - document->shown),
                             document->shown, text)
                 : xstrdup(text);
}

static bool
is_same_file(const struct document *a, const struct document *b)
{
    return a->has_identity && b->has_identity && a->device == b->device &&
           a->inode == b->inode;
}

/* The document of the same file that was read before, or NULL. */
static struct document *
find_known(const struct builder *builder, const struct document *document)
{
    const struct fleet *fleet = builder->fleet;
    for (size_t i = 0; i < fleet->document_count; i++) {
        if (is_same_file(fleet->documents[i], document))
            return fleet->documents[i];
    }
    return NULL;
}

static void
append_way(struct buffer *text, const struct include_stack *stack,
           const struct document *from)
{
    if (stack->document != from)
        append_way(text, stack->below, from);
    if (text->len)
        buffer_append_text(text, ", which includes ");
    buffer_append_text(text, stack->document->shown);
}

/* Whether a document includes itself by this; then that is told. */
static bool
is_cycle(const struct inclusion *inclusion, const struct document *document)
{
    for (const struct include_stack *at = inclusion->stack; at;
         at = at->below) {
        if (at->document != document)
            continue;
        struct buffer text = {0};
        append_way(&text, inclusion->stack, document);
        char *way = buffer_steal(&text);
        char *line = xasprintf("%s includes itself: %s, which includes %s",
                               document->shown, way, document->shown);
        mistake(inclusion, line);
        free(line);
        free(way);
        return true;
    }
    return false;
}

/* Whether a file is named twice in one list; then that is told. */
static bool
is_twice(const struct inclusion *inclusion, const struct document *document)
{
    struct document *parent = inclusion->stack->document;
    for (size_t i = 0; i < parent->include_count; i++) {
        if (parent->includes[i] != document)
            continue;
        struct place first = {&parent->at_include, NULL, i};
        char *spot = fleet_spot(parent, parent, &first);
        char *line = xasprintf("%s is included twice; the first stands at %s",
                               document->shown, spot);
        mistake(inclusion, line);
        free(line);
        free(spot);
        return true;
    }
    return false;
}

static size_t
count_bytes(const struct fleet *fleet)
{
    size_t bytes = 0;
    for (size_t i = 0; i < fleet->document_count; i++)
        bytes += fleet->documents[i]->len;
    return bytes;
}

/* Reads the file; NULL after a mistake was added. */
static struct document *
open_file(const struct inclusion *inclusion)
{
    struct fleet *fleet = inclusion->builder->fleet;
    struct error error = {0};
    struct document *document =
        document_open(inclusion->path, inclusion->shown, &error);
    if (!document) {
        /* What is wrong with the text has its own place. */
        size_t len = strlen(inclusion->shown);
        bool has_place = !strncmp(error.text, inclusion->shown, len) &&
                         error.text[len] == ':';
        if (has_place)
            mistakes_add_line(inclusion->builder->mistakes,
                              inclusion->builder->mistakes->where, error.text);
        else
            mistake(inclusion, error.text);
        inclusion->builder->is_incomplete = true;
        return NULL;
    }
    struct document *known = find_known(inclusion->builder, document);
    if (known) {
        document_free(document);
        return known;
    }
    if (count_bytes(fleet) + document->len > FLEET_MAX_BYTES) {
        char *line = xasprintf("with %s the fleet's files have more than %u "
                               "bytes",
                               inclusion->shown, FLEET_MAX_BYTES);
        mistake(inclusion, line);
        free(line);
        document_free(document);
        return NULL;
    }
    document->text.order = (unsigned)fleet->document_count;
    fleet->documents = xreallocarray(
        fleet->documents, fleet->document_count + 1, sizeof(*fleet->documents));
    fleet->documents[fleet->document_count++] = document;
    struct include_stack stack = {inclusion->stack, document};
    fleet_read_includes(inclusion->builder, &stack);
    return document;
}

static void
include(const struct inclusion *inclusion)
{
    struct document *parent = inclusion->stack->document;
    size_t depth = 0;
    for (const struct include_stack *at = inclusion->stack; at; at = at->below)
        depth++;
    if (depth >= FLEET_MAX_DEPTH ||
        inclusion->builder->fleet->document_count >= FLEET_MAX_FILES) {
        char *line = xasprintf("a fleet has at most %d files, which include "
                               "each other at most %d deep",
                               FLEET_MAX_FILES, FLEET_MAX_DEPTH);
        mistake(inclusion, line);
        free(line);
        return;
    }
    struct document *document = open_file(inclusion);
    if (!document || is_cycle(inclusion, document) ||
        is_twice(inclusion, document))
        return;
    size_t index = inclusion->place->key ? 0 : inclusion->place->index;
    parent->includes[index] = document;
}

static void
include_item(struct builder *builder, const struct include_stack *stack,
             const json_t *value, const struct place *place)
{
    const struct document *document = stack->document;
    struct inclusion inclusion = {builder, stack, place, NULL, NULL};
    const char *text = json_string_value(value);
    char *problem = NULL;
    builder->mistakes->where = &document->text;
    if (!text) {
        spec_wrong_type(builder->mistakes, place, value,
                        "the path of a fleet file");
        return;
    }
    if (!*text)
        problem = xstrdup("this is empty");
    else if (strlen(text) != json_string_length(value))
        problem = xstrdup("this contains a zero character");
    else
        inclusion.path = variables_path(builder->variables, text,
                                        document->directory, &problem);
    if (problem) {
        mistake(&inclusion, problem);
        free(problem);
        return;
    }
    inclusion.shown = shown_name(document, text, inclusion.path);
    include(&inclusion);
    free(inclusion.shown);
    free(inclusion.path);
}

static void
see(struct document *document, struct document *other)
{
    for (size_t i = 0; i < document->visible_count; i++) {
        if (document->visible[i] == other)
            return;
    }
    document->visible[document->visible_count++] = other;
}

/* Gathers what a document includes directly and not. */
static void
gather(struct document *document)
{
    document->visible = xcalloc(FLEET_MAX_FILES + 1, sizeof(struct document *));
    for (size_t i = 0; i < document->include_count; i++) {
        const struct document *other = document->includes[i];
        for (size_t k = 0; other && k < other->visible_count; k++)
            see(document, other->visible[k]);
    }
    see(document, document);
}

static void
read_list(struct builder *builder, const struct include_stack *stack)
{
    struct document *document = stack->document;
    const json_t *value = json_object_get(document->root, "include");
    const struct place *place = &document->at_include;
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    if (!value)
        return;
    document->includes = xcalloc(count + 1, sizeof(struct document *));
    document->include_count = count;
    builder->mistakes->where = &document->text;
    if (json_is_string(value)) {
        include_item(builder, stack, value, place);
    } else if (!json_is_array(value)) {
        spec_wrong_type(builder->mistakes, place, value,
                        "a path or an array of paths");
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct place item = {place, NULL, i};
        include_item(builder, stack, json_array_get(value, i), &item);
    }
}

void
fleet_read_includes(struct builder *builder, const struct include_stack *stack)
{
    read_list(builder, stack);
    gather(stack->document);
}
