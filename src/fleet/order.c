#include "fleet/order.h"

#include "base/buffer.h"
#include "base/nearest.h"
#include "base/xalloc.h"
#include "fleet/document.h"

#include <stdlib.h>
#include <string.h>

/* How far a guest has been looked at. */
enum mark {
    MARK_NEW,
    MARK_ON_PATH, /* the search stands in it, or in one that it waits for */
    MARK_DONE,
};

/* One check. */
struct walk {
    const struct fleet *fleet;
    enum mark *marks;  /* owned: for each guest */
    const char **path; /* owned: the names that wait for each other */
    size_t depth;
    struct mistakes *mistakes;
};

/* The index of a guest, or the number of guests. */
static size_t
find(const struct fleet *fleet, const char *name)
{
    size_t i = 0;
    while (i < fleet->guest_count && strcmp(fleet->guests[i]->name, name) != 0)
        i++;
    return i;
}

static void
add_line(struct mistakes *mistakes, const struct fleet *fleet,
         const struct spec *spec, size_t index, const char *text)
{
    /* one name may stand without an array around it */
    bool is_array = json_is_array(json_object_get(spec->source, "after"));
    fleet_add_mistake(fleet, mistakes, spec->name, "after",
                      is_array ? (int)index : -1, text);
}

/* Whether a name may be one of an entry whose "count" cannot be understood. */
static bool
may_be_counted(const struct fleet *fleet, const char *name)
{
    for (size_t i = 0; i < fleet->document_count; i++) {
        const struct document *document = fleet->documents[i];
        for (size_t j = 0; j < document->guest_count; j++) {
            const struct document_entry *entry = &document->guests[j];
            const json_t *count = json_object_get(entry->fields, "count");
            const char *key = entry->place.key;
            bool is_known =
                !count || json_is_null(count) ||
                (json_is_integer(count) && json_integer_value(count) >= 0 &&
                 json_integer_value(count) <= FLEET_MAX_GUESTS);
            bool has_index = strstr(key, "{index") != NULL;
            if ((!is_known || (has_index && (!count || json_is_null(count)))) &&
                !strncmp(name, key, strcspn(key, "{")))
                return true;
        }
    }
    return false;
}

/* The number of guests of an entry; -1: no entry has the name, or it is one
 * guest. */
static int
find_count(const struct fleet *fleet, const char *name)
{
    for (size_t i = 0; i < fleet->document_count; i++) {
        const struct document *document = fleet->documents[i];
        for (size_t j = 0; j < document->guest_count; j++) {
            const struct document_entry *entry = &document->guests[j];
            const json_t *count = json_object_get(entry->fields, "count");
            if (json_is_integer(count) && !strcmp(entry->place.key, name))
                return (int)json_integer_value(count);
        }
    }
    return -1;
}

static void
check_name(struct walk *walk, const struct spec *spec, size_t index)
{
    const struct fleet *fleet = walk->fleet;
    const char *name = spec->lifecycle.after[index];
    if (find(fleet, name) < fleet->guest_count || may_be_counted(fleet, name))
        return;
    const char **names = xcalloc(fleet->guest_count + 1, sizeof(*names));
    for (size_t i = 0; i < fleet->guest_count; i++)
        names[i] = fleet->guests[i]->name;
    const char *near = nearest_name(name, names, fleet->guest_count);
    int count = find_count(fleet, name);
    char *text =
        count > 0
            ? xasprintf("\"%s\" is an entry of %d guest%s; name those that are "
                        "meant, such as \"%s0\"",
                        name, count, count == 1 ? "" : "s", name)
        : count == 0
            ? xasprintf("\"%s\" is an entry whose \"count\" is 0", name)
            : xasprintf("there is no guest \"%s\" in this fleet%s%s%s", name,
                        near ? " (did you mean \"" : "", near ? near : "",
                        near ? "\"?)" : "");
    add_line(walk->mistakes, fleet, spec, index, text);
    free(text);
    free(names);
}

/* Tells the circle that begins with name on the path. */
static void
add_circle(struct walk *walk, const struct spec *spec, size_t index)
{
    const char *name = spec->lifecycle.after[index];
    struct buffer text = {0};
    size_t from = 0;
    if (!strcmp(name, spec->name)) {
        buffer_append_text(&text, "it waits for itself");
    } else {
        while (from < walk->depth && strcmp(walk->path[from], name) != 0)
            from++;
        buffer_append_text(&text, "guests wait for each other: ");
        for (size_t i = from; i < walk->depth; i++)
            buffer_printf(&text, "%s after ", walk->path[i]);
        buffer_append_text(&text, name);
    }
    add_line(walk->mistakes, walk->fleet, spec, index, text.data);
    buffer_finish(&text);
}

/* Goes along what a guest waits for; as deep as there are guests. */
static void
visit(struct walk *walk, size_t at)
{
    const struct spec *spec = walk->fleet->guests[at];
    char *const *after = spec->lifecycle.after;
    walk->marks[at] = MARK_ON_PATH;
    walk->path[walk->depth++] = spec->name;
    for (size_t i = 0; after && after[i]; i++) {
        size_t next = find(walk->fleet, after[i]);
        if (next == walk->fleet->guest_count)
            continue;
        if (walk->marks[next] == MARK_ON_PATH)
            add_circle(walk, spec, i);
        else if (walk->marks[next] == MARK_NEW)
            visit(walk, next);
    }
    walk->depth--;
    walk->marks[at] = MARK_DONE;
}

void
order_check(const struct fleet *fleet, struct mistakes *mistakes)
{
    struct walk walk = {
        .fleet = fleet,
        .marks = xcalloc(fleet->guest_count + 1, sizeof(*walk.marks)),
        .path = xcalloc(fleet->guest_count + 1, sizeof(*walk.path)),
        .mistakes = mistakes,
    };
    for (size_t i = 0; i < fleet->guest_count; i++) {
        const struct spec *spec = fleet->guests[i];
        char *const *after = spec->lifecycle.after;
        for (size_t j = 0; after && after[j]; j++)
            check_name(&walk, spec, j);
    }
    for (size_t i = 0; i < fleet->guest_count; i++) {
        if (walk.marks[i] == MARK_NEW)
            visit(&walk, i);
    }
    free(walk.marks);
    free(walk.path);
}
