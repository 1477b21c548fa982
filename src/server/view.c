#include "server/view.h"

#include "base/clock.h"
#include "base/xalloc.h"
#include "console/past.h"
#include "console/times.h"
#include "server/clients.h"
#include "server/frame.h"
#include "server/peer.h"
#include "server/server-internal.h"

#include <stdlib.h>
#include <string.h>

/* Memory kept for the next frame; that of a larger one is given back. */
#define LINE_KEPT_BYTES 262144u

#define NS_PER_MS UINT64_C(1000000)
#define HOLD_NS (VIEW_HOLD_MS * NS_PER_MS)

struct view {
    struct view *next;
    struct server *server; /* borrowed */
    struct peer *peer;     /* borrowed: owns the view */
    struct guest *guest;   /* borrowed; NULL when it was removed */
    size_t console;
    int64_t id;
    struct view_options options;
    bool holds_keyboard;
    struct frame_state state; /* owned: what the client has */
    int64_t sent;             /* number of the last frame */
    int64_t acked;
    uint64_t sent_ns; /* monotonic; when the last frame went */
    uint64_t rest_ns; /* from then to the next one, at least */
    uint64_t used;    /* counts up: of two, the larger was used later */
    uint64_t held_ns; /* since when the guest has frames held back; 0: not */
    bool is_dirty;
    struct past *past; /* owned: instead of the console as it is; or NULL */
    unsigned past_generation; /* of the terminal that the client has rows of */
    bool is_moment_due;       /* the client is to be told the moment */
};

static struct console *
view_console(const struct view *view)
{
    return view->guest ? guest_console(view->guest, view->console) : NULL;
}

static void
hold_keyboard(struct view *view, bool wanted)
{
    struct console *console = view_console(view);
    if (!console || wanted == view->holds_keyboard)
        return;
    view->holds_keyboard = wanted;
    if (wanted)
        console_hold_keyboard(console);
    else
        console_release_keyboard(console);
}

/* Whether the console takes the view's size when it is used. */
static bool
decides_size(const struct view *view)
{
    return view_console(view) && view->options.is_resizing && !view->past &&
           !guest_spec(view->guest)->console_rows &&
           !peer_is_readonly(view->peer);
}

static void
apply_size(const struct view *view)
{
    struct console *console = view_console(view);
    if (!decides_size(view))
        return;
    struct terminal *terminal = console_terminal(console);
    if (terminal_rows(terminal) != view->options.rows ||
        terminal_cols(terminal) != view->options.cols)
        console_resize(console, view->options.rows, view->options.cols);
}

/* The view was used: its size counts from now on. */
static void
take_size(struct view *view)
{
    view->used = ++view->server->use_count;
    apply_size(view);
}

/* The view of a console whose size counts, or NULL. */
static struct view *
last_used(const struct server *server, const struct guest *guest,
          size_t console)
{
    struct view *last = NULL;
    for (struct view *view = server->views; view; view = view->next) {
        if (view->guest == guest && view->console == console &&
            decides_size(view) && (!last || view->used > last->used))
            last = view;
    }
    return last;
}

/* Focus reports ------------------------------------------------------------ */

/* Whether the keyboard of somebody who looks is at the console. */
static bool
has_focus(const struct server *server, const struct guest *guest,
          size_t console)
{
    for (const struct view *view = server->views; view; view = view->next) {
        if (view->guest == guest && view->console == console &&
            view->options.is_focused && !view->options.is_away)
            return true;
    }
    return false;
}

/* Tells a guest that asked (mode 1004, XTerm's FocusIn and FocusOut) that it
 * has the keyboard now, or has it no more, when that changed by what this view
 * did. */
static void
report_focus(struct view *view, bool had_focus)
{
    struct error ignored = {0};
    struct console *console = view_console(view);
    if (!console ||
        has_focus(view->server, view->guest, view->console) == had_focus)
        return;
    if ((terminal_modes(console_terminal(console)) & TERMINAL_MODE_FOCUS) &&
        !console_is_replaying(console) &&
        clients_may_type(view->server, view->peer, view->guest, view->console,
                         &ignored))
        (void)console_type(console, had_focus ? "\033[O" : "\033[I", 3,
                           &ignored);
}

/* The past ----------------------------------------------------------------- */

/* The rows of another terminal can have the same stamps. */
static void
forget_rows(struct view *view)
{
    struct frame_state *state = &view->state;
    frame_state_resize(state, state->rows, state->cols);
    state->is_scrolled = false;
    state->is_pinned = false;
    state->rewrap.count = 0;
}

/* What the view shows now. */
static struct terminal *
shown_terminal(struct view *view, struct console *console)
{
    if (!view->past)
        return console_terminal(console);
    if (view->past_generation != past_generation(view->past)) {
        view->past_generation = past_generation(view->past);
        forget_rows(view);
    }
    return past_terminal(view->past);
}

static bool
take_span(void *data, const struct times_span *span)
{
    *(struct times_span *)data = *span;
    return false;
}

/* "moment": [offset, ms of what was printed last], or [] for the present. */
static bool
write_moment(struct view *view, const struct console *console,
             struct json_writer *out)
{
    struct times_span span = {0};
    if (!view->is_moment_due)
        return false;
    view->is_moment_due = false;
    json_writer_open_array(out, "moment");
    if (view->past) {
        uint64_t offset = past_offset(view->past);
        if (console_times(console) && offset > 0)
            times_walk(console_times(console), offset - 1, take_span, &span);
        json_writer_integer(out, NULL, (int64_t)offset);
        json_writer_integer(out, NULL,
                            span.from_ms ? span.from_ms : span.to_ms);
    }
    json_writer_close_array(out);
    return true;
}

/* Sending ------------------------------------------------------------------ */

static bool
may_send(const struct view *view)
{
    return view->is_dirty && view->guest &&
           (!view->past || past_is_ready(view->past)) &&
           view->sent - view->acked < VIEW_MAX_UNACKED;
}

/* How long the view rests after a frame that scrolled it by so many rows. */
static uint64_t
rest_after(const struct view *view, int64_t scrolled)
{
    bool is_flood = scrolled >= view->options.rows;
    return (is_flood ? VIEW_FLOOD_FRAME_MS : VIEW_FRAME_MS) * NS_PER_MS;
}

static void
send_frame(struct view *view, uint64_t now_ns)
{
    struct console *console = view_console(view);
    struct buffer *line = &view->server->frame_line;
    view->is_dirty = false;
    if (!console)
        return;
    int64_t top = view->state.top;
    buffer_reset(line);
    struct json_writer out = json_writer_begin(line);
    json_writer_open_object(&out, NULL);
    json_writer_string(&out, "event", "SCREEN", strlen("SCREEN"));
    json_writer_open_object(&out, "data");
    json_writer_integer(&out, "view", view->id);
    json_writer_integer(&out, "frame", view->sent + 1);
    struct terminal *terminal = shown_terminal(view, console);
    bool has_news = frame_write(&view->state, terminal, &out);
    has_news |= write_moment(view, console, &out);
    if (!has_news)
        return; /* nothing that the client does not have */
    json_writer_close_object(&out);
    json_writer_close_object(&out);
    buffer_append_byte(line, '\n');
    view->sent++;
    view->sent_ns = now_ns;
    view->rest_ns = rest_after(view, view->state.top - top);
    peer_send_line(view->peer, line->data, line->len);
    if (line->capacity > LINE_KEPT_BYTES)
        buffer_finish(line);
}

/* Has view_send_due called at that moment, unless it is before. */
static void
wake_at(struct server *server, uint64_t due_ns, uint64_t now_ns)
{
    if (loop_timer_is_armed(server->frame_timer) &&
        server->frame_due_ns <= due_ns)
        return;
    server->frame_due_ns = due_ns;
    loop_timer_start(server->frame_timer,
                     (due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

/* Synchronized output (mode 2026): between its begin and its end the screen is
 * in pieces, and is not shown; but not for longer than VIEW_HOLD_MS, else a
 * guest could stop its screen. */
static bool
is_held(struct view *view, uint64_t now)
{
    struct terminal *terminal = console_terminal(view_console(view));
    if (!(terminal_modes(terminal) & TERMINAL_MODE_SYNCHRONIZED) ||
        view->state.is_scrolled || view->past) {
        view->held_ns = 0;
        return false;
    }
    if (!view->held_ns)
        view->held_ns = now;
    if (now - view->held_ns >= HOLD_NS)
        return false;
    wake_at(view->server, view->held_ns + HOLD_NS, now);
    return true;
}

/* Sends now when the last frame is old enough, else when it will be. */
static void
send_or_wait(struct view *view)
{
    if (!may_send(view))
        return;
    uint64_t now = clock_monotonic_ns();
    if (is_held(view, now))
        return;
    if (now - view->sent_ns >= view->rest_ns) {
        send_frame(view, now);
        return;
    }
    wake_at(view->server, view->sent_ns + view->rest_ns, now);
}

static void
send_due(struct server *server, bool focused)
{
    for (struct view *view = server->views; view; view = view->next) {
        if (view->options.is_focused == focused)
            send_or_wait(view);
    }
}

void
view_send_due(void *data)
{
    /* The console that somebody types into is served first. */
    send_due(data, true);
    send_due(data, false);
}

static void
touch(struct view *view)
{
    view->is_dirty = true;
    send_or_wait(view);
}

/* Opening and closing ------------------------------------------------------ */

struct view *
view_open(struct server *server, struct peer *peer, struct guest *guest,
          size_t console, const struct view_options *options)
{
    struct view *view = xcalloc(1, sizeof(*view));
    view->server = server;
    view->peer = peer;
    view->guest = guest;
    view->console = console;
    view->id = ++server->next_view_id;
    view->options = *options;
    bool had_focus = has_focus(server, guest, console);
    frame_state_init(&view->state, options->rows, options->cols);
    view->next = server->views;
    server->views = view;
    take_size(view);
    hold_keyboard(view, options->is_focused);
    report_focus(view, had_focus);
    clients_changed(server, guest, console);
    return view;
}

void
view_start(struct view *view)
{
    touch(view);
}

int64_t
view_id(const struct view *view)
{
    return view->id;
}

void
view_close(struct view *view)
{
    bool had_focus = has_focus(view->server, view->guest, view->console);
    struct view **link = &view->server->views;
    while (*link != view)
        link = &(*link)->next;
    *link = view->next;
    report_focus(view, had_focus);
    hold_keyboard(view, false);
    const struct view *last =
        view->guest ? last_used(view->server, view->guest, view->console)
                    : NULL;
    if (last && last->used < view->used && decides_size(view))
        apply_size(last);
    if (view->guest)
        clients_changed(view->server, view->guest, view->console);
    past_free(view->past);
    frame_state_finish(&view->state);
    free(view);
}

void
view_close_of_peer(struct server *server, struct peer *peer)
{
    struct view *next = NULL;
    for (struct view *view = server->views; view; view = next) {
        next = view->next;
        if (view->peer == peer)
            view_close(view);
    }
}

size_t
view_count_of_peer(const struct server *server, const struct peer *peer)
{
    size_t count = 0;
    for (struct view *view = server->views; view; view = view->next)
        count += view->peer == peer;
    return count;
}

json_t *
view_list_of_peer(const struct server *server, const struct peer *peer)
{
    json_t *list = json_array();
    for (const struct view *view = server->views; view; view = view->next) {
        const char *console =
            view->peer == peer && view->guest
                ? guest_console_name(view->guest, view->console)
                : NULL;
        if (console)
            json_array_insert_new(list, 0,
                                  json_pack("{s:s,s:s,s:b}", "guest",
                                            guest_name(view->guest), "console",
                                            console, "focus",
                                            view->options.is_focused));
    }
    return list;
}

bool
view_is_open(const struct server *server, const struct peer *peer,
             const struct guest *guest, size_t console)
{
    for (const struct view *view = server->views; view; view = view->next) {
        if (view->peer == peer && view->guest == guest &&
            view->console == console)
            return true;
    }
    return false;
}

static bool
is_among(const struct peer *peer, const struct peer *const *peers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (peers[i] == peer)
            return true;
    }
    return false;
}

size_t
view_watchers(const struct server *server, const struct guest *guest,
              size_t console, const struct peer **ret_peers, size_t max)
{
    const struct peer **peers =
        xcalloc(server->peer_count + 1, sizeof(struct peer *));
    size_t count = 0;
    for (const struct view *view = server->views; view; view = view->next) {
        if (view->guest != guest || view->console != console ||
            is_among(view->peer, peers, count))
            continue;
        /* a peer that is being closed still has views, and is not counted any
         * more */
        if (count < server->peer_count)
            peers[count++] = view->peer;
    }
    for (size_t i = 0; i < count && i < max; i++)
        ret_peers[i] = peers[i];
    free(peers);
    return count;
}

struct view *
view_find(struct server *server, const struct peer *peer, int64_t id,
          struct error *error)
{
    for (struct view *view = server->views; view; view = view->next) {
        if (view->id == id && view->peer == peer)
            return view;
    }
    error_set(error, ERROR_CODE_NOT_FOUND, "you have no view %lld open",
              (long long)id);
    return NULL;
}

struct view_options
view_options(const struct view *view)
{
    return view->options;
}

void
view_set_options(struct view *view, const struct view_options *options)
{
    bool has_new_size = options->rows != view->options.rows ||
                        options->cols != view->options.cols;
    bool has_new_focus = options->is_focused && !view->options.is_focused;
    bool had_focus = has_focus(view->server, view->guest, view->console);
    view->options = *options;
    report_focus(view, had_focus);
    if (has_new_size)
        frame_state_resize(&view->state, options->rows, options->cols);
    if (has_new_size || has_new_focus)
        take_size(view);
    hold_keyboard(view, options->is_focused);
    touch(view);
}

void
view_scroll(struct view *view, int64_t rows)
{
    struct console *console = view_console(view);
    struct terminal *terminal = console ? shown_terminal(view, console) : NULL;
    if (!terminal)
        return;
    frame_state_scroll(&view->state, terminal, rows);
    view->is_dirty = true;
}

bool
view_find_cell(const struct view *view, int row, int col, int *ret_row,
               int *ret_col)
{
    const struct console *console = view_console(view);
    if (!console || view->state.is_scrolled || view->past)
        return false;
    *ret_row = row + view->state.first_row;
    *ret_col = col + view->state.first_col;
    return true;
}

struct guest *
view_guest(const struct view *view, size_t *ret_console)
{
    *ret_console = view->console;
    return view->guest;
}

static void
on_past_ready(void *data)
{
    struct view *view = data;
    view->is_moment_due = true;
    touch(view);
}

bool
view_go_to(struct view *view, uint64_t offset, struct error *error)
{
    struct console *console = view_console(view);
    if (!console)
        return error_set(error, ERROR_CODE_STATE, "its guest was removed");
    if (!view->past) {
        view->past = past_new(&view->server->loop, console,
                              guest_spec(view->guest)->history_lines,
                              on_past_ready, view, error);
        if (!view->past)
            return false;
        /* the first terminal's generation is 1 */
        view->past_generation = 0;
    }
    /* each moment shows its screen first, not its scrollback */
    view->state.is_scrolled = false;
    view->state.is_pinned = false;
    past_seek(view->past, offset);
    return true;
}

void
view_go_live(struct view *view)
{
    if (!view->past)
        return;
    past_free(view->past);
    view->past = NULL;
    view->is_moment_due = true;
    forget_rows(view);
    if (last_used(view->server, view->guest, view->console) == view)
        apply_size(view);
    touch(view);
}

uint64_t
view_find_moment(const struct view *view, int64_t wall_ms)
{
    struct console *console = view_console(view);
    struct times *times = console ? console_times(console) : NULL;
    return times ? times_find(times, wall_ms + 1) : 0;
}

void
view_pin(struct view *view, uint64_t row)
{
    frame_state_pin(&view->state, row);
    view->is_dirty = true;
}

void
view_pan(struct view *view, int row, int col)
{
    struct console *console = view_console(view);
    if (!console)
        return;
    frame_state_pan(&view->state, console_terminal(console), row, col);
    touch(view);
}

void
view_ack(struct view *view, int64_t frame)
{
    if (frame > view->acked && frame <= view->sent)
        view->acked = frame;
    send_or_wait(view);
}

/* What changes ------------------------------------------------------------- */

void
view_on_typing(struct server *server, const struct peer *peer,
               const struct guest *guest, size_t console)
{
    for (struct view *view = server->views; view; view = view->next) {
        if (view->peer != peer || view->guest != guest ||
            view->console != console)
            continue;
        take_size(view);
        if (frame_state_follow(&view->state))
            touch(view);
    }
}

void
view_on_screen(struct server *server, const struct guest *guest, size_t console)
{
    for (struct view *view = server->views; view; view = view->next) {
        if (view->guest == guest && view->console == console && !view->past)
            touch(view);
    }
}

void
view_on_frame(struct server *server, const struct guest *guest, size_t console)
{
    uint64_t now = clock_monotonic_ns();
    for (struct view *view = server->views; view; view = view->next) {
        if (view->guest != guest || view->console != console || view->past)
            continue;
        view->held_ns = 0;
        view->is_dirty = true;
        if (may_send(view) && now - view->sent_ns >= view->rest_ns)
            send_frame(view, now);
    }
}

void
view_on_guest_change(struct server *server, struct guest *guest)
{
    for (struct view *view = server->views; view; view = view->next) {
        if (view->guest == guest)
            touch(view);
    }
}

void
view_forget_guest(struct server *server, const struct guest *guest)
{
    for (struct view *view = server->views; view; view = view->next) {
        if (view->guest == guest) {
            hold_keyboard(view, false);
            past_free(view->past);
            view->past = NULL;
            view->guest = NULL;
        }
    }
}

void
view_leave_consoles(struct server *server, const struct guest *guest)
{
    for (struct view *view = server->views; view; view = view->next) {
        if (view->guest != guest)
            continue;
        hold_keyboard(view, false);
        view_go_live(view);
    }
}

void
view_enter_consoles(struct server *server, const struct guest *guest)
{
    for (struct view *view = server->views; view; view = view->next) {
        if (view->guest != guest)
            continue;
        forget_rows(view);
        if (last_used(server, guest, view->console) == view)
            apply_size(view);
        hold_keyboard(view, view->options.is_focused);
        touch(view);
    }
}
