#include "console/pattern.h"
#include "server/api.h"
#include "server/peer.h"
#include "server/server-internal.h"
#include "server/timeline.h"

#include <string.h>

/* The guests that are meant, without their consoles: for the journal. New
 * reference; NULL: all. */
static json_t *
guest_names(const json_t *targets)
{
    if (!json_array_size(targets))
        return NULL;
    json_t *names = json_array();
    for (size_t i = 0; i < json_array_size(targets); i++) {
        const char *target = json_string_value(json_array_get(targets, i));
        json_array_append_new(names,
                              json_stringn(target, strcspn(target, ":")));
    }
    return names;
}

static void
add_guest(struct timeline *timeline, struct guest *guest)
{
    for (size_t i = 0; i < guest_console_count(guest); i++)
        timeline_add_console(timeline, guest, i);
}

/* Adds "GUEST" (all its consoles) or "GUEST:CONSOLE". */
static bool
add_target(struct timeline *timeline, struct server *server, const char *target,
           struct error *error)
{
    size_t index = 0;
    if (!strchr(target, ':')) {
        struct guest *guest = registry_find(server, target, error);
        if (guest)
            add_guest(timeline, guest);
        return guest != NULL;
    }
    struct guest *guest = registry_find_console(server, target, &index, error);
    if (guest)
        timeline_add_console(timeline, guest, index);
    return guest != NULL;
}

static bool
gather(struct timeline *timeline, struct server *server,
       const json_t *arguments, struct error *error)
{
    const json_t *targets = json_object_get(arguments, "guests");
    const char *kind = argument_string(arguments, "kind");
    if (kind && strcmp(kind, "line") != 0 && strcmp(kind, "event") != 0)
        return error_set(error, ERROR_CODE_INVALID,
                         "argument 'kind' is \"%.32s\", neither \"line\" nor "
                         "\"event\"",
                         kind);
    if (!kind || strcmp(kind, "event") == 0)
        timeline_add_journal(timeline, watch_journal(server),
                             guest_names(targets));
    if (kind && strcmp(kind, "event") == 0)
        return true;
    for (size_t i = 0; i < json_array_size(targets); i++) {
        if (!add_target(timeline, server,
                        json_string_value(json_array_get(targets, i)), error))
            return false;
    }
    for (size_t i = 0; !json_array_size(targets) && i < server->member_count;
         i++)
        add_guest(timeline, server->members[i]->guest);
    return true;
}

/* Which rows are the nearest. */
static bool
read_around(struct server *server, const json_t *arguments,
            struct timeline_options *options, struct error *error)
{
    const char *target = argument_string(arguments, "around");
    int64_t offset = argument_integer(arguments, "around-offset", -1);
    options->around_ms = argument_integer(arguments, "around-ms", 0);
    if (target && offset >= 0 && options->around_ms) {
        options->around_guest = registry_find_console(
            server, target, &options->around_console, error);
        options->around_offset = (uint64_t)offset;
        return options->around_guest != NULL;
    }
    return (!target && offset < 0) ||
           error_set(error, ERROR_CODE_INVALID,
                     "'around-ms', 'around' and 'around-offset' go together: "
                     "the moment, the console and the offset of a line");
}

static bool
run_timeline(struct request *request, const json_t *arguments,
             struct error *error)
{
    struct server *server = request_server(request);
    struct timeline_options options = {
        .since_ms = argument_integer(arguments, "since-ms", 0),
        .until_ms = argument_integer(arguments, "until-ms", 0),
        .pattern = argument_string(arguments, "pattern"),
        .pattern_flags = PATTERN_SMART,
        .limit =
            (size_t)argument_integer(arguments, "limit", TIMELINE_DEFAULT_ROWS),
        .wants_oldest = argument_boolean(arguments, "oldest"),
        .has_names = argument_boolean(arguments, "names"),
    };
    if (!read_around(request_server(request), arguments, &options, error))
        return false;
    if (!argument_boolean(arguments, "regex"))
        options.pattern_flags |= PATTERN_LITERAL;
    struct timeline *timeline = timeline_new(&options, error);
    if (!timeline)
        return false;
    if (!gather(timeline, server, arguments, error)) {
        timeline_free(timeline);
        return false;
    }
    timeline_start(timeline, server, request);
    return true;
}

static const struct method methods[] = {
    {
        .name = "timeline",
        .summary = "What consoles printed and what happened, by time",
        .flags = METHOD_READS,
        .arguments =
            {
                {"since-ms", ARGUMENT_INTEGER, 0, 0, INT64_MAX,
                 "From then on; ms since 1970"},
                {"until-ms", ARGUMENT_INTEGER, 0, 0, INT64_MAX, "Up to then"},
                {"guests", ARGUMENT_STRINGS, 0, 0, 0,
                 "Only these: GUEST (all its consoles) or GUEST:CONSOLE"},
                {"pattern", ARGUMENT_STRING, 0, 0, 0,
                 "Only lines and records with this in their text"},
                {"regex", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "The pattern is a regular expression (PCRE2)"},
                {"names", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "The pattern may be in a console's name as well: all of that "
                 "console's"},
                {"kind", ARGUMENT_STRING, 0, 0, 0,
                 "Only \"line\" (what was printed) or \"event\""},
                {"limit", ARGUMENT_INTEGER, 0, 1, TIMELINE_MAX_ROWS,
                 "The newest so many rows; 1000 by default"},
                {"oldest", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "The oldest so many instead"},
                {"around-ms", ARGUMENT_INTEGER, 0, 1, INT64_MAX,
                 "Or the nearest so many to this moment, half of them before "
                 "it"},
                {"around", ARGUMENT_STRING, 0, 0, 0,
                 "… to a line that this console printed then"},
                {"around-offset", ARGUMENT_INTEGER, 0, 0, INT64_MAX,
                 "… which begins there in its log"},
            },
        .run = run_timeline,
    },
};

const struct method_table methods_timeline = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
