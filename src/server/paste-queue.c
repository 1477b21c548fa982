#include "base/xalloc.h"
#include "server/expect.h"
#include "server/paste-internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Pastes as they come and go: which there are, and what happens around them. */

static const char *const state_names[] = {
    [PASTE_STATE_WAITING] = "waiting", [PASTE_STATE_RUNNING] = "running",
    [PASTE_STATE_DONE] = "done",       [PASTE_STATE_CANCELLED] = "cancelled",
    [PASTE_STATE_FAILED] = "failed",
};

/* What the text comes to, as far as it is known. */
int64_t
paste_total_bytes(const struct paste *paste)
{
    int64_t here =
        (int64_t)(paste->text.given + paste_text_waiting(&paste->text));
    if (paste->text.is_complete || here > paste->total_bytes)
        return here;
    return paste->total_bytes;
}

json_t *
paste_describe(const struct paste *paste, const char *problem)
{
    json_t *object = json_pack(
        "{s:I,s:s,s:s,s:s,s:I,s:I,s:I}", "paste", (json_int_t)paste->id,
        "guest", guest_name(paste->guest), "console",
        guest_console_name(paste->guest, paste->console), "state",
        state_names[paste->state], "bytes", (json_int_t)paste->text.given,
        "total", (json_int_t)paste_total_bytes(paste), "lines",
        (json_int_t)paste->text.lines);
    static const char *const awaits[] = {
        [PASTE_AWAIT_ECHO] = "echo",
        [PASTE_AWAIT_PROMPT] = "prompt",
    };
    if (paste->state == PASTE_STATE_RUNNING && paste->await)
        json_object_set_new(object, "awaits",
                            json_string(awaits[paste->await]));
    if (problem)
        json_object_set_new(object, "error", json_string(problem));
    /* what was typed meanwhile goes only when all was pasted */
    if (paste->typed.len && paste->state > PASTE_STATE_DONE)
        json_object_set_new(object, "dropped",
                            json_integer((json_int_t)paste->typed.len));
    return object;
}

/* Frees it without telling anybody. */
void
paste_free(struct paste *paste)
{
    loop_defer_free(paste->step);
    loop_timer_free(paste->delay);
    loop_timer_free(paste->limit);
    loop_timer_free(paste->tell);
    expect_free(paste->prompt);
    paste_echo_finish(&paste->echo);
    paste_pace_finish(&paste->pace);
    paste_text_finish(&paste->text);
    buffer_finish(&paste->line);
    buffer_finish(&paste->typed);
    free(paste);
}

struct paste *
paste_find(const struct server *server, const struct guest *guest,
           size_t console)
{
    for (struct paste *paste = server->pastes; paste; paste = paste->next) {
        if (paste->guest == guest && paste->console == console)
            return paste;
    }
    return NULL;
}

void
paste_begin_next(struct server *server, const struct guest *guest,
                 size_t console)
{
    struct paste *paste = paste_find(server, guest, console);
    if (paste && paste->state == PASTE_STATE_WAITING)
        paste_begin(paste);
}

/* From the start ----------------------------------------------------------- */

static size_t
waiting_bytes(const struct server *server, const struct guest *guest,
              size_t console, size_t *ret_count)
{
    size_t bytes = 0;
    *ret_count = 0;
    for (const struct paste *paste = server->pastes; paste;
         paste = paste->next) {
        if (paste->guest != guest || paste->console != console)
            continue;
        bytes += paste_text_waiting(&paste->text);
        (*ret_count)++;
    }
    return bytes;
}

static bool
check_room(const struct server *server, const struct guest *guest,
           size_t console, size_t len, struct error *error)
{
    size_t count = 0;
    size_t waiting = waiting_bytes(server, guest, console, &count);
    if (len > PASTE_PIECE_MAX_BYTES)
        return error_set(error, ERROR_CODE_LIMIT,
                         "a piece of a paste has at most %u KiB; send more "
                         "with console-paste-more",
                         PASTE_PIECE_MAX_BYTES >> 10);
    if (waiting + len > PASTE_MAX_BYTES || count >= PASTE_MAX_COUNT)
        return error_set(error, ERROR_CODE_LIMIT,
                         "%s: %zu pastes with %zu KiB wait already; cancel "
                         "them or let them end",
                         guest_name(guest), count, waiting >> 10);
    return true;
}

/* A client that goes: who waits for the end loses its answer only, who owes a
 * piece breaks the paste off (paste_forget_peer). */
static void
on_request_cancel(void *data)
{
    struct paste *paste = data;
    struct request *request = paste->request;
    struct error error = {0};
    paste->request = NULL;
    error_set(&error, ERROR_CODE_IO, "the client went away");
    request_fail(request, &error);
}

static void
take_request(struct paste *paste, struct request *request, unsigned flags)
{
    paste->source = flags & PASTE_MORE ? request_peer(request) : NULL;
    paste->request = request;
    paste->request_flags = flags;
    request_on_cancel(request, on_request_cancel, paste);
    if (!(flags & PASTE_MORE))
        paste_text_complete(&paste->text);
    if (!(flags & (PASTE_MORE | PASTE_WAIT)))
        paste_answer(paste);
    else
        paste_answer_room(paste);
}

static bool
wants_brackets(const struct paste_options *options, struct console *console)
{
    if (options->brackets != PASTE_BRACKETS_AUTO)
        return options->brackets == PASTE_BRACKETS_ON;
    return !options->pace.prompt && !options->pace.waits_for_echo &&
           terminal_modes(console_terminal(console)) &
               TERMINAL_MODE_BRACKETED_PASTE;
}

static struct paste *
paste_new(struct server *server, struct guest *guest, size_t console,
          const struct paste_options *options)
{
    struct paste *paste = xcalloc(1, sizeof(*paste));
    paste->server = server;
    paste->guest = guest;
    paste->console = console;
    paste->id = ++server->next_paste_id;
    paste->pace = options->pace;
    paste->pace.prompt = xstrdup(options->pace.prompt);
    paste->total_bytes = options->total_bytes;
    paste->step = loop_defer_new(&server->loop, paste_on_step, paste);
    paste->delay = loop_timer_new(&server->loop, paste_on_step, paste);
    paste->limit = loop_timer_new(&server->loop, paste_on_limit, paste);
    paste->tell = loop_timer_new(&server->loop, paste_on_tell, paste);
    paste_text_init(&paste->text,
                    wants_brackets(options, guest_console(guest, console)));
    struct paste **end = &server->pastes;
    while (*end)
        end = &(*end)->next;
    *end = paste;
    return paste;
}

/* A pattern that is none is told at once, not when its turn comes. */
static bool
check_prompt(const struct paste_options *options, struct error *error)
{
    if (!options->pace.prompt)
        return true;
    struct expect *prompt = expect_new(options->pace.prompt, 0, 0, error);
    expect_free(prompt);
    return prompt != NULL;
}

bool
paste_start(struct request *request, struct guest *guest, size_t console,
            const struct paste_options *options, const char *bytes, size_t len,
            struct error *error)
{
    struct server *server = request_server(request);
    if (!guest_is_active(guest))
        return error_set(error, ERROR_CODE_STATE,
                         "%s is not running: there is nothing to paste into",
                         guest_name(guest));
    if (!check_room(server, guest, console, len, error) ||
        !check_prompt(options, error))
        return false;
    bool is_first = !paste_find(server, guest, console);
    struct paste *paste = paste_new(server, guest, console, options);
    paste->owner = peer_id(request_peer(request));
    paste_text_add(&paste->text, bytes, len);
    if (is_first)
        paste_begin(paste);
    take_request(paste, request, options->flags);
    return true;
}

bool
paste_add(struct request *request, int64_t id, unsigned flags,
          const char *bytes, size_t len, struct error *error)
{
    struct server *server = request_server(request);
    struct paste *paste = server->pastes;
    while (paste && paste->id != id)
        paste = paste->next;
    if (!paste)
        return paste_refuse_piece(server, id, error);
    if (paste->source != request_peer(request))
        return error_set(error, ERROR_CODE_DENIED,
                         "paste %" PRId64 " takes no more pieces from here",
                         id);
    if (paste->request)
        return error_set(error, ERROR_CODE_LIMIT,
                         "paste %" PRId64 " has not asked for more yet", id);
    if (!check_room(server, paste->guest, paste->console, len, error))
        return false;
    paste_text_add(&paste->text, bytes, len);
    take_request(paste, request, flags);
    loop_defer_request(paste->step);
    return true;
}

/* From outside ------------------------------------------------------------- */

size_t
paste_cancel(struct server *server, const struct guest *guest, size_t console,
             int64_t id)
{
    size_t count = 0;
    struct paste *paste = server->pastes;
    while (paste) {
        struct paste *next = paste->next;
        if (paste->guest == guest && paste->console == console &&
            (id == 0 || paste->id == id)) {
            paste_break_off(paste);
            paste_finish(paste, PASTE_STATE_CANCELLED, NULL);
            count++;
        }
        paste = next;
    }
    paste_begin_next(server, guest, console);
    return count;
}

bool
paste_is_active(const struct server *server, const struct guest *guest,
                size_t console)
{
    return paste_find(server, guest, console) != NULL;
}

bool
paste_hold_typing(struct server *server, const struct guest *guest,
                  size_t console, const char *bytes, size_t len, bool *ret_held,
                  struct error *error)
{
    struct paste *last = NULL;
    for (struct paste *paste = server->pastes; paste; paste = paste->next) {
        if (paste->guest == guest && paste->console == console)
            last = paste;
    }
    *ret_held = last != NULL;
    if (!last)
        return true;
    if (len > PASTE_MAX_TYPED_BYTES ||
        last->typed.len > PASTE_MAX_TYPED_BYTES - len)
        return error_set(error, ERROR_CODE_LIMIT,
                         "%s: a paste is under way, and %zu bytes of typing "
                         "wait for its end already",
                         guest_name(guest), last->typed.len);
    buffer_append(&last->typed, bytes, len);
    return true;
}

json_t *
paste_list(const struct server *server)
{
    json_t *list = json_array();
    for (const struct paste *paste = server->pastes; paste; paste = paste->next)
        json_array_append_new(list, paste_describe(paste, NULL));
    return list;
}

void
paste_on_input_taken(struct server *server, const struct guest *guest,
                     size_t console)
{
    struct paste *paste = paste_find(server, guest, console);
    if (paste)
        loop_defer_request(paste->step);
}

void
paste_on_output(struct server *server, const struct guest *guest,
                size_t console, const char *bytes, size_t len, uint64_t offset)
{
    struct paste *paste = paste_find(server, guest, console);
    if (!paste || !paste->await)
        return;
    bool has_come =
        paste->await == PASTE_AWAIT_ECHO
            ? paste_echo_feed(&paste->echo, bytes, len)
            : expect_feed(paste->prompt, bytes, len, offset) != NULL;
    if (has_come)
        paste_go_on(paste);
}

void
paste_on_guest_change(struct server *server, const struct guest *guest)
{
    if (guest_is_active(guest))
        return;
    struct paste *paste = server->pastes;
    while (paste) {
        if (paste->guest != guest) {
            paste = paste->next;
            continue;
        }
        struct error error = {0};
        error_set(&error, ERROR_CODE_STATE, "the guest is %s",
                  guest_state_name(guest));
        paste_fail(paste, &error);
        paste = server->pastes;
    }
}

/* The first of a guest's pastes that a reset ends, or NULL. */
static struct paste *
find_cut(struct server *server, const struct guest *guest)
{
    struct paste *paste = server->pastes;
    while (paste && (paste->guest != guest ||
                     paste->state != PASTE_STATE_RUNNING || paste->pace.prompt))
        paste = paste->next;
    return paste;
}

void
paste_on_guest_reset(struct server *server, const struct guest *guest)
{
    struct paste *paste = NULL;
    while ((paste = find_cut(server, guest))) {
        struct error error = {0};
        struct console *console = guest_console(paste->guest, paste->console);
        if (console)
            console_discard_input(console);
        error_set(&error, ERROR_CODE_STATE,
                  "the guest was reset, and who reads now did not ask for it");
        paste_drop(paste, &error);
    }
}

void
paste_on_keyboard_taken(struct server *server, const struct guest *guest,
                        size_t console, const struct peer *peer)
{
    struct paste *next = NULL;
    for (struct paste *paste = server->pastes; paste; paste = next) {
        next = paste->next;
        if (paste->guest != guest || paste->console != console ||
            paste->owner == peer_id(peer))
            continue;
        struct error error = {0};
        error_set(&error, ERROR_CODE_STATE, "%s has taken the keyboard",
                  peer_name(peer));
        paste_tell_progress(paste, &error);
        paste_break_off(paste);
        paste_finish(paste, PASTE_STATE_FAILED, &error);
    }
    paste_begin_next(server, guest, console);
}

void
paste_forget_guest(struct server *server, const struct guest *guest)
{
    struct paste *paste = server->pastes;
    while (paste) {
        struct paste *next = paste->next;
        struct error error = {0};
        error_set(&error, ERROR_CODE_STATE, "the guest is being removed");
        if (paste->guest == guest)
            paste_finish(paste, PASTE_STATE_FAILED, &error);
        paste = next;
    }
}

void
paste_forget_peer(struct server *server, const struct peer *peer)
{
    struct paste *paste = server->pastes;
    while (paste) {
        struct paste *next = paste->next;
        if (paste->source == peer) {
            struct error error = {0};
            error_set(&error, ERROR_CODE_IO,
                      "the client went away before it had sent all");
            if (paste->state == PASTE_STATE_RUNNING) {
                paste_fail(paste, &error);
                next = server->pastes;
            } else {
                paste_finish(paste, PASTE_STATE_FAILED, &error);
            }
        }
        paste = next;
    }
}

void
paste_free_all(struct server *server)
{
    while (server->pastes) {
        struct paste *paste = server->pastes;
        server->pastes = paste->next;
        if (paste->request)
            on_request_cancel(paste);
        paste_free(paste);
    }
    free(server->paste_ends);
    server->paste_ends = NULL;
}
