#include "base/buffer.h"
#include "base/json.h"
#include "console/mouse.h"
#include "console/terminal.h"
#include "server/api.h"
#include "server/clients.h"
#include "server/server-internal.h"
#include "server/view.h"

#include <string.h>

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
#define ARGUMENT_AWAY                                                          \
    {                                                                          \
        "away", ARGUMENT_BOOLEAN, 0, 0, 0,                                     \
            "The keyboard is at another program at present, which a guest "    \
            "hears that asked for focus reports"                               \
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
        .is_away = argument_boolean(arguments, "away"),
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
change_moment(struct view *view, const json_t *arguments, struct error *error)
{
    int64_t offset = argument_integer(arguments, "moment", -2);
    int64_t ms = argument_integer(arguments, "moment-ms", -1);
    if (ms >= 0)
        return view_go_to(view, view_find_moment(view, ms), error);
    if (offset >= 0)
        return view_go_to(view, (uint64_t)offset, error);
    if (offset == -1)
        view_go_live(view);
    return true;
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
    change_flag(arguments, "away", &options.is_away);
    if (!change_moment(view, arguments, error))
        return false;
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

/* The mouse ---------------------------------------------------------------- */

static const struct {
    const char *name;
    enum mouse_action action;
} mouse_actions[] = {
    {"move", MOUSE_MOVE},
    {"press", MOUSE_PRESS},
    {"release", MOUSE_RELEASE},
};

static bool
read_mouse(const json_t *arguments, struct mouse_event *event,
           struct error *error)
{
    const char *name = argument_string(arguments, "event");
    size_t count = sizeof(mouse_actions) / sizeof(mouse_actions[0]);
    size_t at = 0;
    while (at < count && strcmp(mouse_actions[at].name, name) != 0)
        at++;
    if (at == count)
        return error_set(error, ERROR_CODE_INVALID,
                         "a mouse's event is press, release or move");
    event->action = mouse_actions[at].action;
    event->button = (enum mouse_button)argument_integer(arguments, "button", 0);
    event->modifiers = 0;
    event->modifiers |= argument_boolean(arguments, "shift") ? MOUSE_SHIFT : 0;
    event->modifiers |= argument_boolean(arguments, "meta") ? MOUSE_META : 0;
    event->modifiers |=
        argument_boolean(arguments, "control") ? MOUSE_CONTROL : 0;
    return true;
}

/* Types what the guest asked a mouse to say; nothing when it did not ask. */
static bool
type_mouse(struct view *view, const struct mouse_event *event,
           struct error *error)
{
    size_t index = 0;
    struct guest *guest = view_guest(view, &index);
    struct console *console = guest_console(guest, index);
    struct terminal *terminal = console_terminal(console);
    if (event->row >= terminal_rows(terminal) ||
        event->col >= terminal_cols(terminal))
        return true;
    struct buffer bytes = {0};
    mouse_encode(event, terminal_modes(terminal), &bytes);
    bool ok = !bytes.len ||
              console_type(console, bytes.data, bytes.len, error) ||
              error_prefix(error, "%s", guest_name(guest));
    buffer_finish(&bytes);
    return ok;
}

static bool
run_mouse(struct request *request, const json_t *arguments, struct error *error)
{
    struct mouse_event event;
    struct view *view = find_view(request, arguments, error);
    if (!view || !read_mouse(arguments, &event, error))
        return false;
    int row = (int)argument_integer(arguments, "row", 0);
    int col = (int)argument_integer(arguments, "col", 0);
    size_t index = 0;
    struct error ignored = {0};
    const struct guest *guest = view_guest(view, &index);
    /* a mouse that moves is no reason to complain */
    bool may_type = guest && clients_may_type(request_server(request),
                                              request_peer(request), guest,
                                              index, &ignored);
    if (may_type && view_find_cell(view, row, col, &event.row, &event.col) &&
        !type_mouse(view, &event, error))
        return false;
    request_return(request, NULL);
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
                ARGUMENT_CONSOLE,
                ARGUMENT_SIZE(ARGUMENT_REQUIRED),
                ARGUMENT_FOCUS,
                ARGUMENT_AWAY,
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
                ARGUMENT_AWAY,
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
                {"moment", ARGUMENT_INTEGER, 0, -1, INT64_MAX,
                 "Show the console as it was when its log ended at this "
                 "offset; -1: as it is"},
                {"moment-ms", ARGUMENT_INTEGER, 0, 0, INT64_MAX / 2,
                 "Show it as it was at this time"},
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
        .name = "view-mouse",
        .summary = "Tells the mouse's doings to a guest that asked for them",
        .flags = METHOD_QUIET | METHOD_READS,
        .arguments =
            {
                ARGUMENT_VIEW,
                {"event", ARGUMENT_STRING, ARGUMENT_REQUIRED, 0, 0,
                 "press, release or move"},
                {"row", ARGUMENT_INTEGER, ARGUMENT_REQUIRED, 0,
                 TERMINAL_MAX_ROWS, "In the view, from 0"},
                {"col", ARGUMENT_INTEGER, ARGUMENT_REQUIRED, 0,
                 TERMINAL_MAX_COLS, "In the view, from 0"},
                {"button", ARGUMENT_INTEGER, 0, 0, MOUSE_BUTTON_COUNT - 1,
                 "1 left, 2 middle, 3 right, 4 to 7 wheels; 0: none"},
                {"shift", ARGUMENT_BOOLEAN, 0, 0, 0, "Shift was held"},
                {"meta", ARGUMENT_BOOLEAN, 0, 0, 0, "Meta was held"},
                {"control", ARGUMENT_BOOLEAN, 0, 0, 0, "Control was held"},
            },
        .run = run_mouse,
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
