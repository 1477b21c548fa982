#include "base/nearest.h"
#include "console/pattern.h"
#include "server/api.h"
#include "server/log-search.h"
#include "server/search.h"
#include "server/server-internal.h"

#include <string.h>

/* Adds a guest's consoles: one, or all of them. */
static bool
add_guest(struct request *request, struct search *search, const char *name,
          bool is_one, struct error *error)
{
    size_t index = 0;
    struct server *server = request_server(request);
    if (is_one || strchr(name, ':')) {
        struct guest *guest =
            registry_find_console(server, name, &index, error);
        if (guest)
            search_add(search, guest_name(guest), index);
        return guest;
    }
    struct guest *guest = registry_find(server, name, error);
    for (size_t i = 0; guest && i < guest_console_count(guest); i++)
        search_add(search, guest_name(guest), i);
    return guest;
}

static bool
add_guests(struct request *request, struct search *search,
           const json_t *arguments, struct error *error)
{
    struct server *server = request_server(request);
    const char *one = argument_string(arguments, "guest");
    const json_t *list = json_object_get(arguments, "guests");
    if (one && !add_guest(request, search, one, true, error))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (!add_guest(request, search, name, false, error))
            return false;
    }
    if (one || json_is_array(list))
        return true;
    for (size_t i = 0; i < server->member_count; i++) {
        const char *name = guest_name(server->members[i]->guest);
        (void)add_guest(request, search, name, false, error);
    }
    return true;
}

static const struct {
    const char *name;
    unsigned flag; /* enum pattern_flags */
} cases[] = {
    {"smart", PATTERN_SMART},
    {"sensitive", 0},
    {"insensitive", PATTERN_INSENSITIVE},
};
#define CASE_COUNT (sizeof(cases) / sizeof(cases[0]))

static bool
read_case(const json_t *arguments, unsigned *flags, struct error *error)
{
    const char *name = argument_string(arguments, "case");
    const char *names[CASE_COUNT];
    if (!name)
        name = cases[0].name;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        names[i] = cases[i].name;
        if (strcmp(name, cases[i].name) != 0)
            continue;
        *flags |= cases[i].flag;
        return true;
    }
    const char *near = nearest_name(name, names, CASE_COUNT);
    return error_set(error, ERROR_CODE_INVALID,
                     "argument 'case' is \"%.64s\", not smart, sensitive or "
                     "insensitive%s%s%s",
                     name, near ? " (did you mean " : "", near ? near : "",
                     near ? "?)" : "");
}

static bool
read_options(const json_t *arguments, struct search_options *options,
             struct error *error)
{
    int64_t row = argument_integer(arguments, "row", -1);
    int64_t line = argument_integer(arguments, "line", -1);
    bool is_back = argument_boolean(arguments, "backwards");
    *options = (struct search_options){
        .pattern = argument_string(arguments, "pattern"),
        .row = (uint64_t)row,
        .col = argument_integer(arguments, "col", is_back ? 0 : -1),
        .line = (uint64_t)line,
        .max_lines =
            (size_t)argument_integer(arguments, "max", SEARCH_DEFAULT_LINES),
        .context_before =
            (size_t)argument_integer(arguments, "context-before", 0),
        .context_after =
            (size_t)argument_integer(arguments, "context-after", 0),
    };
    if (!argument_boolean(arguments, "regex"))
        options->pattern_flags |= PATTERN_LITERAL;
    options->flags |= is_back ? SEARCH_BACKWARDS : 0;
    options->flags |= row >= 0 ? SEARCH_HAS_PLACE : 0;
    options->flags |= line >= 0 ? SEARCH_ONE_LINE : 0;
    options->flags |= argument_boolean(arguments, "count") ? SEARCH_COUNT : 0;
    if (row >= 0 && !argument_string(arguments, "guest"))
        return error_set(error, ERROR_CODE_INVALID,
                         "argument 'row' is a place in one console: say which "
                         "with 'guest'");
    return read_case(arguments, &options->pattern_flags, error);
}

static bool
run_search(struct request *request, const json_t *arguments,
           struct error *error)
{
    struct search_options options;
    if (!read_options(arguments, &options, error))
        return false;
    struct search *search =
        search_new(request_server(request), &options, error);
    if (!search || !add_guests(request, search, arguments, error)) {
        search_free(search);
        return false;
    }
    search_start(search, request);
    return true;
}

static bool
run_log_search(struct request *request, const json_t *arguments,
               struct error *error)
{
    size_t index = 0;
    struct guest *guest = argument_console(request, arguments, &index, error);
    if (!guest)
        return false;
    const struct console *console = guest_console(guest, index);
    struct log_search_options options = {
        .pattern = argument_string(arguments, "pattern"),
        .offset = (uint64_t)argument_integer(arguments, "offset", 0),
        .max_lines =
            (size_t)argument_integer(arguments, "max", SEARCH_DEFAULT_LINES),
        .context_before =
            (size_t)argument_integer(arguments, "context-before", 0),
        .context_after =
            (size_t)argument_integer(arguments, "context-after", 0),
    };
    if (!argument_boolean(arguments, "regex"))
        options.pattern_flags |= PATTERN_LITERAL;
    if (argument_boolean(arguments, "since-boot"))
        options.offset = console_boot_offset(console);
    return read_case(arguments, &options.pattern_flags, error) &&
           log_search_start(request_server(request), request, console, &options,
                            error);
}

#define ARGUMENTS_PATTERN                                                      \
    {"pattern",                                                                \
     ARGUMENT_STRING,                                                          \
     ARGUMENT_REQUIRED,                                                        \
     0,                                                                        \
     0,                                                                        \
     "What to look for: plain text"},                                          \
        {"regex", ARGUMENT_BOOLEAN,                                            \
         0,       0,                                                           \
         0,       "The pattern is a regular expression (PCRE2)"},              \
    {                                                                          \
        "case", ARGUMENT_STRING, 0, 0, 0,                                      \
            "\"smart\" (the default: upper case counts when the pattern has "  \
            "some), \"sensitive\" or \"insensitive\""                          \
    }

#define ARGUMENT_CONTEXT(name, summary)                                        \
    {                                                                          \
        name, ARGUMENT_INTEGER, 0, 0, SEARCH_MAX_CONTEXT, summary              \
    }

static const struct method methods[] = {
    {
        .name = "console-search",
        .summary = "Finds lines in consoles' scrollback and screens",
        .flags = METHOD_READS,
        .arguments =
            {
                ARGUMENTS_PATTERN,
                {"guest", ARGUMENT_STRING, 0, 0, 0,
                 "Only this console: GUEST (its first one) or GUEST:CONSOLE"},
                {"guests", ARGUMENT_STRINGS, 0, 0, 0,
                 "Only these: GUEST (all its consoles) or GUEST:CONSOLE"},
                {"row", ARGUMENT_INTEGER, 0, 0, INT64_MAX,
                 "Only matches behind this place of the one console, or "
                 "before it"},
                {"col", ARGUMENT_INTEGER, 0, -1, TERMINAL_MAX_COLS,
                 "The place's column; else the row counts, or what is above "
                 "it"},
                {"backwards", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "The newest lines first"},
                {"line", ARGUMENT_INTEGER, 0, 0, INT64_MAX,
                 "Only this line: its number, from an answer"},
                {"max", ARGUMENT_INTEGER, 0, 1, SEARCH_MAX_LINES,
                 "Lines of each console, 1000 by default"},
                {"count", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "No lines, only how many there are"},
                ARGUMENT_CONTEXT("context-before",
                                 "So many lines before each one too"),
                ARGUMENT_CONTEXT("context-after",
                                 "So many lines behind each one too"),
            },
        .run = run_search,
    },
    {
        .name = "console-log-search",
        .summary = "Finds lines in a console's log on disk",
        .arguments =
            {
                ARGUMENT_CONSOLE,
                ARGUMENTS_PATTERN,
                {"offset", ARGUMENT_INTEGER, 0, 0, INT64_MAX,
                 "Where in the log to begin: an answer's next-offset"},
                {"since-boot", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "Begin at the guest's last start"},
                {"max", ARGUMENT_INTEGER, 0, 1, SEARCH_MAX_LINES,
                 "Lines, 1000 by default"},
                ARGUMENT_CONTEXT("context-before",
                                 "So many lines before each one too"),
                ARGUMENT_CONTEXT("context-after",
                                 "So many lines behind each one too"),
            },
        .run = run_log_search,
    },
};

const struct method_table methods_search = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
