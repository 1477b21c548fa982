#include "console/console.h"

#include "base/clock.h"
#include "base/xalloc.h"
#include "console/bound.h"
#include "console/console-internal.h"
#include "console/times.h"

#include <stdlib.h>
#include <string.h>

/* What SeaBIOS 1.11 and later print first on a serial port: they reset the
 * terminal, turn its wrapping off and clear it. */
#define FIRMWARE_BEGIN "\033c\033[?7l\033[2J\033[0mSeaBIOS"

/* Telling ------------------------------------------------------------------ */

static void
destroy(struct console *console)
{
    terminal_free(console->terminal);
    stops_finish(&console->stops);
    free(console->log_path);
    free(console);
}

void
console_enter(struct console *console)
{
    console->busy++;
}

void
console_leave(struct console *console)
{
    if (--console->busy == 0 && console->is_dead)
        destroy(console);
}

void
console_tell_trouble(struct console *console, const struct error *error)
{
    if (console->is_dead || !console->handlers->on_trouble)
        return;
    console_enter(console);
    console->handlers->on_trouble(console->data, error);
    console_leave(console);
}

static void
tell_change_now(void *data)
{
    struct console *console = data;
    console->changed_turn = console->hub->turn;
    console_enter(console);
    console->handlers->on_change(console->data);
    console_leave(console);
}

void
console_tell_change(struct console *console)
{
    if (console->is_dead || !console->handlers->on_change)
        return;
    if (console->changed_turn == console->hub->turn)
        loop_defer_request(console->change);
    else
        tell_change_now(console);
}

/* The keyboard ------------------------------------------------------------- */

static void
on_keyboard_state(void *data)
{
    struct console *console = data;
    console_enter(console);
    loss_keyboard_changed(console);
    if (!console->is_dead)
        content_set_pace(console);
    console_leave(console);
}

static void
on_keyboard_drained(void *data, const char *bytes, size_t len)
{
    struct console *console = data;
    console_enter(console);
    loss_drained(console, bytes, len);
    console_leave(console);
}

static void
on_keyboard_trouble(void *data, const struct error *error)
{
    console_tell_trouble(data, error);
}

void
console_tell_taken(struct console *console)
{
    if (console->is_dead || !console->handlers->on_input_taken)
        return;
    console_enter(console);
    console->handlers->on_input_taken(console->data);
    console_leave(console);
}

static void
on_keyboard_taken(void *data)
{
    console_tell_taken(data);
}

static const struct keyboard_handlers keyboard_handlers = {
    .on_state = on_keyboard_state,
    .on_drained = on_keyboard_drained,
    .on_trouble = on_keyboard_trouble,
    .on_taken = on_keyboard_taken,
};

void
console_hold_keyboard(struct console *console)
{
    console_enter(console);
    console->holds++;
    keyboard_hold(console->keyboard);
    if (!console->is_dead)
        content_set_pace(console);
    console_leave(console);
}

void
console_release_keyboard(struct console *console)
{
    if (console->holds == 0)
        return;
    console->holds--;
    keyboard_release(console->keyboard);
    content_set_pace(console);
}

static bool
send_input(struct console *console, const char *bytes, size_t len,
           struct error *error)
{
    if (console->fdsource)
        return fdsource_type(console->fdsource, bytes, len,
                             CONSOLE_INPUT_MAX_BYTES, error);
    return keyboard_type(console->keyboard, bytes, len, CONSOLE_INPUT_MAX_BYTES,
                         error);
}

bool
console_type(struct console *console, const char *bytes, size_t len,
             struct error *error)
{
    if (len == 0)
        return true;
    console_enter(console);
    bool is_typed = send_input(console, bytes, len, error);
    if (is_typed)
        console->hub->fds.typed_ms = clock_monotonic_ms();
    if (is_typed && !console->is_dead && !console->fdsource) {
        follower_set_typed(console->hub->followers);
        loss_typed(console);
    }
    console_leave(console);
    return is_typed;
}

void
console_reply(struct console *console, const char *bytes, size_t len)
{
    struct error ignored = {0};
    console_enter(console);
    (void)send_input(console, bytes, len, &ignored);
    console_leave(console);
}

void
console_discard_input(struct console *console)
{
    console_enter(console);
    if (console->fdsource)
        fdsource_discard(console->fdsource);
    else
        keyboard_discard(console->keyboard);
    console_leave(console);
}

bool
console_send_break(struct console *console, struct error *error)
{
    if (!console->fdsource)
        return error_set(error, ERROR_CODE_STATE,
                         "there is no serial line to send a break on");
    return fdsource_send_break(console->fdsource, error);
}

size_t
console_input_pending(const struct console *console)
{
    return console->fdsource ? fdsource_pending(console->fdsource)
                             : keyboard_pending(console->keyboard);
}

uint64_t
console_input_settles_ms(const struct console *console)
{
    return console->fdsource ? 0 : keyboard_settles_ms(console->keyboard);
}

bool
console_keyboard_is_open(const struct console *console)
{
    return console->fdsource ? fdsource_is_open(console->fdsource)
                             : keyboard_is_open(console->keyboard);
}

/* A console ---------------------------------------------------------------- */

static int
clamp(int value, int min, int max)
{
    return value < min ? min : value > max ? max : value;
}

struct console *
console_new(struct console_hub *hub, const struct console_config *config,
            struct error *error)
{
    struct console *console = xcalloc(1, sizeof(*console));
    console->hub = hub;
    console->handlers = config->handlers;
    console->data = config->data;
    console->log_path = xstrdup(config->log_path);
    console->changed_turn = UINT64_MAX;
    console->reply_credit = CONSOLE_REPLY_BURST;
    console->next = hub->first;
    if (hub->first)
        hub->first->previous = console;
    hub->first = console;
    console->change = loop_defer_new(hub->loop, tell_change_now, console);
    console->keyboard =
        keyboard_new(hub->loop, hub->watchdog, &keyboard_handlers, console);
    loss_init(console);
    struct terminal_config terminal = {
        .rows = clamp(config->rows, TERMINAL_MIN_ROWS, TERMINAL_MAX_ROWS),
        .cols = clamp(config->cols, TERMINAL_MIN_COLS, TERMINAL_MAX_COLS),
        .history_lines = config->history_lines,
        .handlers = &content_terminal_handlers,
        .data = console,
        .freezer = hub->freezer,
    };
    console->terminal = terminal_new(&terminal);
    record_init(console, config);
    console->marks = marks_open(config->marks_path, error);
    if (!console->marks ||
        !content_start(console, config->history_lines, error)) {
        console_free(console);
        return NULL;
    }
    return console;
}

void
console_free(struct console *console)
{
    if (!console || console->is_dead)
        return;
    console->is_dead = true;
    console_enter(console);
    content_finish(console);
    record_finish(console);
    loss_finish(console);
    keyboard_free(console->keyboard);
    console->keyboard = NULL;
    marks_free(console->marks);
    console->marks = NULL;
    loop_defer_free(console->change);
    if (console->previous)
        console->previous->next = console->next;
    else
        console->hub->first = console->next;
    if (console->next)
        console->next->previous = console->previous;
    console_leave(console);
}

void
console_set_pty(struct console *console, const char *pts_path)
{
    struct error error = {0};
    console_enter(console);
    if (!pts_path)
        content_close_fd(console);
    else if (!content_follow(console, &error))
        console_tell_trouble(console, &error);
    if (!console->is_dead)
        keyboard_set_path(console->keyboard, pts_path);
    console_leave(console);
}

void
console_expect_pty(struct console *console)
{
    keyboard_expect(console->keyboard);
}

bool
console_set_fd(struct console *console, int fd, struct error *error)
{
    console_enter(console);
    bool is_set = content_set_fd(console, fd, error);
    console_leave(console);
    return is_set;
}

static void
mark_boot_at(struct console *console, uint64_t offset)
{
    struct mark boot = {.kind = MARKS_KIND_BOOT, .offset = offset};
    console_enter(console);
    content_mark(console, &boot);
    console_leave(console);
}

void
console_mark_boot(struct console *console)
{
    mark_boot_at(console, content_end(console));
}

/* Whether a mark at offset would void later ones. */
static bool
has_marks_beyond(const struct console *console, uint64_t offset)
{
    const struct mark *marks = NULL;
    size_t count = marks_list(console->marks, &marks);
    return count > 0 && marks[count - 1].offset > offset;
}

/* Where the log ended when a reset came: at its end, for what firmware prints
 * comes later. A server that was held up has read it, or finds it unread, and
 * takes it for what it is: of what it had not seen by then, that begins the
 * boot. */
static uint64_t
find_reset(const struct console *console, int64_t at_ms)
{
    uint64_t end = content_end(console);
    uint64_t known = marks_boot_offset(console->marks) +
                     console_boot_bytes_at(console, at_ms);
    if (at_ms == 0 || known >= end || !console->follower)
        return end;
    uint64_t found =
        follower_find_text(console->follower, known, FIRMWARE_BEGIN);
    return found < end && !has_marks_beyond(console, found) ? found : end;
}

void
console_mark_reset(struct console *console, int64_t at_ms)
{
    if (!marks_has(console->marks, MARKS_KIND_BOOT) ||
        console_boot_bytes(console) > 0)
        mark_boot_at(console, find_reset(console, at_ms));
}

uint64_t
console_boot_bytes(const struct console *console)
{
    uint64_t begin = marks_boot_offset(console->marks);
    uint64_t end = content_end(console);
    return end > begin ? end - begin : 0;
}

uint64_t
console_boot_bytes_at(const struct console *console, int64_t at_ms)
{
    uint64_t begin = marks_boot_offset(console->marks);
    uint64_t bytes = console_boot_bytes(console);
    if (!console->record.times)
        return bytes;
    uint64_t end = times_find(console->record.times, at_ms);
    uint64_t known = end > begin ? end - begin : 0;
    return known < bytes ? known : bytes;
}

void
console_set_bounds(struct console *console, size_t history_lines,
                   uint64_t log_max_bytes)
{
    terminal_set_history_lines(console->terminal, history_lines);
    record_set_max(console, log_max_bytes);
    console_tell_change(console);
}

void
console_resize(struct console *console, int rows, int cols)
{
    console->wanted_rows = clamp(rows, TERMINAL_MIN_ROWS, TERMINAL_MAX_ROWS);
    console->wanted_cols = clamp(cols, TERMINAL_MIN_COLS, TERMINAL_MAX_COLS);
    console_enter(console);
    content_try_resize(console);
    console_leave(console);
}

struct freezer *
console_freezer(const struct console *console)
{
    return console->hub->freezer;
}

struct terminal *
console_terminal(struct console *console)
{
    return console->terminal;
}

bool
console_is_replaying(const struct console *console)
{
    return console->is_replaying;
}

uint64_t
console_offset(const struct console *console)
{
    return console->offset;
}

uint64_t
console_boot_offset(const struct console *console)
{
    return marks_boot_offset(console->marks);
}

uint64_t
console_log_start(const struct console *console)
{
    return bound_start(console->record.bound);
}

unsigned
console_log_number(const struct console *console)
{
    return console->log_number;
}

const struct marks *
console_marks(const struct console *console)
{
    return console->marks;
}

struct times *
console_times(const struct console *console)
{
    return console->record.times;
}

const char *
console_log_path(const struct console *console)
{
    return console->log_path;
}

int64_t
console_last_output_ms(const struct console *console)
{
    return console->last_output_ms;
}
