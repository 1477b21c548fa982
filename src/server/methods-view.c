#include "base/json.h"
#include "console/terminal.h"
#include "server/api.h"
#include "server/server-internal.h"
#include "server/view.h"

#define ARGUMENT_VIEW                                                          \
    {                                                                          \
        "view", ARGUMENT_INTEGER, ARGUMENT_REQUIRED, 0, 0,                     \
            "The view's number, from view-open"                                \
    }
#define ARGUMENT_SIZE(flags)                                                   \
    {"rows", ARGUMENT_INTEGER, flags, 1, TERMINAL_MAX_ROWS, "Its rows"},       \
    {                                                                          \
        "cols", ARGUMENT_INTEGER, flags, 1, TERMINAL_MAX_COLS, "Its columns"   \
    }
#define ARGUMENT_FOCUS                                                         \
    {                                                                          \
        "focus", ARGUMENT_BOOLEAN, 0, 0, 0,                                    \
            "Somebody types here: the keyboard is held ready"                  \
    }
#define ARGUMENT_RESIZE                                                        \
    {                                                                          \
        "resize", ARGUMENT_BOOLEAN, 0, 0, 0,                                   \
            "The console's screen takes this size"                             \
    }

/* Views of one client; a deck has one a pane. */
#define MAX_VIEWS_PER_PEER 1024

static bool
check_view_count(const struct request *request, struct error *error)
{
    if (view_count_of_peer(request_server(request), request_peer(request)) <
        MAX_VIEWS_PER_PEER)
        return true;
    return error_set(error, ERROR_CODE_LIMIT,
                     "you have %d views open; close some first",
                     MAX_VIEWS_PER_PEER);
}

static bool
run_open(struct request *request, const json_t *arguments, struct error *error)
{
    size_t index = 0;
    struct server *server = request_server(request);
    struct guest *guest = registry_find_console(
        server, argument_string(arguments, "guest"), &index, error);
    if (!guest || !check_view_count(request, error))
        return false;
    struct view_options options = {
        .rows = (int)argument_integer(arguments, "rows", 0),
        .cols = (int)argument_integer(arguments, "cols", 0),
        .is_focused = argument_boolean(arguments, "focus") &&
                      !peer_is_readonly(request_peer(request)),
        .is_resizing = argument_boolean(arguments, "resize"),
    };
    struct view *view =
        view_open(server, request_peer(request), guest, index, &options);
    request_return(request,
                   json_pack("{s:I}", "view", (json_int_t)view_id(view)));
    view_start(view);
    return true;
}

static struct view *
find_view(struct request *request, const json_t *arguments, struct error *error)
{
    return view_find(request_server(request), request_peer(request),
                     argument_integer(arguments, "view", 0), error);
}

static void
change_flag(const json_t *arguments, const char *name, bool *flag)
{
    if (json_is_boolean(json_object_get(arguments, name)))
        *flag = argument_boolean(arguments, name);
}

static bool
run_change(struct request *request, const json_t *arguments,
           struct error *error)
{
    struct view *view = find_view(request, arguments, error);
    if (!view)
        return false;
    struct view_options options = view_options(view);
    options.rows = (int)argument_integer(arguments, "rows", options.rows);
    options.cols = (int)argument_integer(arguments, "cols", options.cols);
    change_flag(arguments, "focus", &options.is_focused);
    options.is_focused =
        options.is_focused && !peer_is_readonly(request_peer(request));
    change_flag(arguments, "resize", &options.is_resizing);
    request_return(request, NULL);
    int64_t scroll = argument_integer(arguments, "scroll", -1);
    if (scroll >= 0)
        view_scroll(view, scroll);
    int64_t top = argument_integer(arguments, "top", -1);
    if (top >= 0)
        view_pin(view, (uint64_t)top);
    view_set_options(view, &options);
    int row = (int)argument_integer(arguments, "row", -1);
    int col = (int)argument_integer(arguments, "column", -1);
    if (row >= 0 || col >= 0)
        view_pan(view, row, col);
    return true;
}

static bool
run_ack(struct request *request, const json_t *arguments, struct error *error)
{
    struct view *view = find_view(request, arguments, error);
    if (!view)
        return false;
    int64_t frame = argument_integer(arguments, "frame", 0);
    request_return(request, NULL);
    view_ack(view, frame);
    return true;
}

static bool
run_close(struct request *request, const json_t *arguments, struct error *error)
{
    struct view *view = find_view(request, arguments, error);
    if (!view)
        return false;
    view_close(view);
    request_return(request, NULL);
    return true;
}

static const struct method methods[] = {
    {
        .name = "view-open",
        .summary = "Sends a console's screen from now on, as SCREEN events",
        .flags = METHOD_READS,
        .arguments =
            {
                {"guest", ARGUMENT_STRING, ARGUMENT_REQUIRED, 0, 0,
                 "The console: GUEST (its first one) or GUEST:CONSOLE"},
                ARGUMENT_SIZE(ARGUMENT_REQUIRED),
                ARGUMENT_FOCUS,
                ARGUMENT_RESIZE,
            },
        .run = run_open,
    },
    {
        .name = "view-change",
        .summary = "Changes a view's size, focus or place in the scrollback",
        .flags = METHOD_READS,
        .arguments =
            {
                ARGUMENT_VIEW,
                ARGUMENT_SIZE(0),
                ARGUMENT_FOCUS,
                ARGUMENT_RESIZE,
                {"scroll", ARGUMENT_INTEGER, 0, 0, TERMINAL_HISTORY_MAX_LINES,
                 "Rows back from the newest; 0: live"},
                {"top", ARGUMENT_INTEGER, 0, 0, INT64_MAX,
                 "Stay with the rows from this absolute one on"},
                {"row", ARGUMENT_INTEGER, 0, 0, TERMINAL_MAX_ROWS,
                 "The console's row that a smaller view begins with, until "
                 "somebody types here"},
                {"column", ARGUMENT_INTEGER, 0, 0, TERMINAL_MAX_COLS,
                 "The same for columns"},
            },
        .run = run_change,
    },
    {
        .name = "view-ack",
        .summary = "Tells that a frame was drawn: at most two are under way",
        .flags = METHOD_QUIET | METHOD_READS,
        .arguments =
            {
                ARGUMENT_VIEW,
                {"frame", ARGUMENT_INTEGER, ARGUMENT_REQUIRED, 0, 0,
                 "The frame's number"},
            },
        .run = run_ack,
    },
    {
        .name = "view-close",
        .summary = "Ends a view",
        .flags = METHOD_READS,
        .arguments = {ARGUMENT_VIEW},
        .run = run_close,
    },
};

const struct method_table methods_view = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
