#include "base/base64.h"
#include "base/buffer.h"
#include "base/json.h"
#include "console/keys.h"
#include "console/render.h"
#include "server/api.h"
#include "server/clients.h"
#include "server/fit.h"
#include "server/paste.h"
#include "server/server-internal.h"
#include "server/view.h"
#include "server/waiter.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* Most text in one answer, bytes. */
#define CAPTURE_MAX_BYTES (16u << 20)

/* Typing ------------------------------------------------------------------- */

static bool
add_keys(const json_t *arguments, unsigned modes, struct buffer *bytes,
         struct error *error)
{
    const json_t *keys = json_object_get(arguments, "keys");
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const char *name = json_string_value(json_array_get(keys, i));
        if (!keys_encode(name, modes, bytes, error))
            return false;
    }
    return true;
}

/* A guest that asked for bracketed paste gets one; the end mark inside of what
 * is pasted would end it early and is taken out, as often as what is left of
 * its surroundings makes up another one. */
static void
add_paste(const char *text, size_t len, unsigned modes, struct buffer *bytes)
{
    static const char end[] = "\033[201~";
    static const size_t end_len = sizeof(end) - 1;
    if (!(modes & TERMINAL_MODE_BRACKETED_PASTE)) {
        for (size_t i = 0; i < len; i++)
            buffer_append_byte(bytes, text[i] == '\n' ? '\r' : text[i]);
        return;
    }
    buffer_append_text(bytes, "\033[200~");
    size_t start = bytes->len;
    for (size_t i = 0; i < len; i++) {
        buffer_append_byte(bytes, text[i]);
        if (bytes->len - start >= end_len &&
            !memcmp(bytes->data + bytes->len - end_len, end, end_len))
            bytes->len -= end_len;
    }
    buffer_append_text(bytes, end);
}

static bool
collect_input(const json_t *arguments, unsigned modes, struct buffer *bytes,
              struct error *error)
{
    struct buffer typed = {0};
    const char *text = argument_string(arguments, "text");
    const char *data = argument_string(arguments, "data");
    bool ok = true;
    if (text)
        buffer_append_text(&typed, text);
    if (data && !base64_decode(data, strlen(data), &typed))
        ok = error_set(error, ERROR_CODE_INVALID,
                       "argument 'data' is no base64");
    if (argument_boolean(arguments, "paste") && typed.len)
        add_paste(typed.data, typed.len, modes, bytes);
    else
        buffer_append(bytes, typed.data, typed.len);
    buffer_finish(&typed);
    ok = ok && add_keys(arguments, modes, bytes, error);
    if (ok && argument_boolean(arguments, "enter"))
        ok = keys_encode("Enter", modes, bytes, error);
    return ok;
}

static uint64_t
log_size(struct console *console)
{
    struct stat info;
    if (stat(console_log_path(console), &info) < 0)
        return 0;
    return (uint64_t)info.st_size;
}

/* Where output from now on begins in the log. While the log is replayed, what
 * stands in it is old. */
static uint64_t
now_offset(struct console *console)
{
    uint64_t offset = console_offset(console);
    uint64_t size = console_is_replaying(console) ? log_size(console) : 0;
    return size > offset ? size : offset;
}

/* What no cursor is beyond: the server may not have read all of the log yet. */
static uint64_t
end_offset(struct console *console)
{
    uint64_t offset = console_offset(console);
    uint64_t size = log_size(console);
    return size > offset ? size : offset;
}

static bool
run_send(struct request *request, const json_t *arguments, struct error *error)
{
    size_t index = 0;
    struct guest *guest = argument_console(request, arguments, &index, error);
    if (!guest)
        return false;
    if (!clients_may_type(request_server(request), request_peer(request), guest,
                          index, error))
        return false;
    struct console *console = guest_console(guest, index);
    unsigned modes = terminal_modes(console_terminal(console));
    uint64_t cursor = now_offset(console);
    struct buffer bytes = {0};
    view_on_typing(request_server(request), request_peer(request), guest,
                   index);
    bool ok = collect_input(arguments, modes, &bytes, error);
    bool is_held = false;
    if (ok && bytes.len)
        ok = paste_hold_typing(request_server(request), guest, index,
                               bytes.data, bytes.len, &is_held, error);
    if (ok && bytes.len && !is_held)
        ok = console_type(console, bytes.data, bytes.len, error) ||
             error_prefix(error, "%s", guest_name(guest));
    buffer_finish(&bytes);
    if (ok)
        clients_typed(request_server(request), request_peer(request), guest,
                      index);
    if (ok)
        request_return(request,
                       json_pack("{s:I,s:I}", "cursor", (json_int_t)cursor,
                                 "pending",
                                 (json_int_t)console_input_pending(console)));
    return ok;
}

/* Reading ------------------------------------------------------------------ */

static bool
run_wait(struct request *request, const json_t *arguments, struct error *error)
{
    size_t index = 0;
    struct guest *guest = argument_console(request, arguments, &index, error);
    if (!guest)
        return false;
    struct console *console = guest_console(guest, index);
    int64_t after = argument_integer(arguments, "after", -1);
    struct waiter_pattern_options options = {
        .pattern = argument_string(arguments, "pattern"),
        .is_literal = argument_boolean(arguments, "literal"),
        .offset = now_offset(console),
        .timeout_ms =
            argument_integer(arguments, "timeout-ms", WAITER_NO_TIMEOUT),
    };
    if (argument_boolean(arguments, "since-boot"))
        options.offset = console_boot_offset(console);
    else if (after >= 0)
        options.offset = (uint64_t)after;
    uint64_t end = end_offset(console);
    if (after >= 0 && options.offset > end)
        return error_set(error, ERROR_CODE_INVALID,
                         "%s: the log of %s ends at %" PRIu64 ": %" PRId64
                         " is no cursor of it",
                         guest_name(guest), guest_console_name(guest, index),
                         end, after);
    return waiter_add_pattern(request_server(request), request, guest, index,
                              &options, error);
}

static bool
run_capture(struct request *request, const json_t *arguments,
            struct error *error)
{
    size_t index = 0;
    struct guest *guest = argument_console(request, arguments, &index, error);
    if (!guest)
        return false;
    struct console *console = guest_console(guest, index);
    struct terminal *terminal = console_terminal(console);
    int64_t history = argument_integer(arguments, "history", 0);
    unsigned flags = RENDER_PLAIN;
    flags |= argument_boolean(arguments, "ansi") ? RENDER_ANSI : 0;
    flags |= argument_boolean(arguments, "join") ? RENDER_JOIN_WRAPPED : 0;
    struct buffer text = {0};
    if (!render_rows_within(terminal, (int)-history,
                            terminal_rows(terminal) - 1, flags,
                            CAPTURE_MAX_BYTES, &text)) {
        buffer_finish(&text);
        return error_set(error, ERROR_CODE_LIMIT,
                         "%s: these rows take more than %u MiB; ask for fewer "
                         "rows of the history",
                         guest_name(guest), CAPTURE_MAX_BYTES >> 20);
    }
    struct terminal_cursor cursor = terminal_cursor(terminal);
    request_return(
        request,
        json_pack("{s:o,s:i,s:i,s:[i,i],s:I}", "text",
                  json_from_bytes(text.data ? text.data : "", text.len), "rows",
                  terminal_rows(terminal), "cols", terminal_cols(terminal),
                  "cursor", cursor.row, cursor.col, "offset",
                  (json_int_t)console_offset(console)));
    buffer_finish(&text);
    return true;
}

static bool
run_resize(struct request *request, const json_t *arguments,
           struct error *error)
{
    size_t index = 0;
    struct guest *guest = argument_console(request, arguments, &index, error);
    if (!guest)
        return false;
    if (guest_spec(guest)->console_rows)
        return error_set(error, ERROR_CODE_STATE,
                         "%s has a fixed size, by \"console\" in its fleet "
                         "file",
                         guest_name(guest));
    console_resize(guest_console(guest, index),
                   (int)argument_integer(arguments, "rows", 0),
                   (int)argument_integer(arguments, "cols", 0));
    request_return(request, NULL);
    return true;
}

static const struct method methods[] = {
    {
        .name = "console-send",
        .summary = "Types into a console: text or data, then keys, then Enter",
        .flags = METHOD_QUIET,
        .arguments =
            {
                ARGUMENT_CONSOLE,
                {"text", ARGUMENT_STRING, 0, 0, 0, "Text to type"},
                {"data", ARGUMENT_STRING, 0, 0, 0, "Bytes to type, in base64"},
                {"keys", ARGUMENT_STRINGS, 0, 0, 0,
                 "Keys by name, such as \"C-c\", \"Up\", \"F2\""},
                {"enter", ARGUMENT_BOOLEAN, 0, 0, 0, "Press Enter at the end"},
                {"paste", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "The text is pasted: in brackets when the guest asked for "
                 "them"},
            },
        .run = run_send,
    },
    {
        .name = "console-wait",
        .summary = "Answers once a pattern appears in a console's text",
        .flags = METHOD_READS,
        .arguments =
            {
                ARGUMENT_CONSOLE,
                {"pattern", ARGUMENT_STRING, ARGUMENT_REQUIRED, 0, 0,
                 "A regular expression (PCRE2)"},
                {"literal", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "The pattern is plain text"},
                {"after", ARGUMENT_INTEGER, 0, 0, INT64_MAX,
                 "Look from this offset of the log on: a console-send's "
                 "cursor"},
                {"since-boot", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "Look from the guest's last start on"},
                {"timeout-ms", ARGUMENT_INTEGER, 0, 0, WAITER_MAX_TIMEOUT_MS,
                 "No limit by default"},
            },
        .run = run_wait,
    },
    {
        .name = "console-capture",
        .summary = "What stands on a console's screen, as text",
        .flags = METHOD_READS,
        .arguments =
            {
                ARGUMENT_CONSOLE,
                {"history", ARGUMENT_INTEGER, 0, 0, TERMINAL_HISTORY_MAX_LINES,
                 "So many rows of the scrollback above it too"},
                {"ansi", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "Keep colours as SGR sequences"},
                {"join", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "Join the rows of wrapped lines"},
            },
        .run = run_capture,
    },
    {
        .name = "console-resize",
        .summary = "Changes the size of a console's screen",
        .arguments =
            {
                ARGUMENT_CONSOLE,
                {"rows", ARGUMENT_INTEGER, ARGUMENT_REQUIRED, TERMINAL_MIN_ROWS,
                 TERMINAL_MAX_ROWS, "Rows"},
                {"cols", ARGUMENT_INTEGER, ARGUMENT_REQUIRED, TERMINAL_MIN_COLS,
                 TERMINAL_MAX_COLS, "Columns"},
            },
        .run = run_resize,
    },
    {
        .name = "console-fit",
        .summary = "Types `stty rows R cols C` with the console's size, when a "
                   "shell waits for a command",
        .arguments =
            {
                ARGUMENT_CONSOLE,
                {"force", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "Type it whatever stands on the screen"},
                {"dry-run", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "Only say what would be typed"},
            },
        .run = fit_run,
    },
};

const struct method_table methods_console = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
