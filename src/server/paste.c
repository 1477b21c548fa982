#include "base/clock.h"
#include "base/xalloc.h"
#include "console/render.h"
#include "server/expect.h"
#include "server/paste-internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A paste that runs: what is typed next, and when. */

/* Bytes typed in one loop turn, and in one go. */
#define TURN_BYTES (64u << 10)
#define CHUNK_BYTES (16u << 10)

/* Telling ------------------------------------------------------------------ */

static void
tell(struct paste *paste)
{
    server_emit(paste->server, "PASTE", paste_describe(paste, NULL));
    loop_timer_start(paste->tell, PASTE_TELL_MS);
}

void
paste_on_tell(void *data)
{
    struct paste *paste = data;
    tell(paste);
    /* in case that nobody said that the guest took what waited */
    loop_defer_request(paste->step);
}

void
paste_answer(struct paste *paste)
{
    struct request *request = paste->request;
    if (!request)
        return;
    paste->request = NULL;
    request_on_cancel(request, NULL, NULL);
    request_return(request, paste_describe(paste, NULL));
}

/* Answers a client that waits to send its next piece. */
void
paste_answer_room(struct paste *paste)
{
    if (paste->request && paste->request_flags & PASTE_MORE &&
        paste_text_waiting(&paste->text) < PASTE_PIECE_MAX_BYTES / 2)
        paste_answer(paste);
}

/* The end ------------------------------------------------------------------ */

static void
take_off(struct paste *paste)
{
    struct paste **link = &paste->server->pastes;
    while (*link != paste)
        link = &(*link)->next;
    *link = paste->next;
}

/* Takes it off the list, tells, answers, frees. error: why it failed, or NULL.
 */
void
paste_finish(struct paste *paste, enum paste_state state,
             const struct error *error)
{
    take_off(paste);
    paste->state = state;
    if (paste->source && !paste->request)
        paste_note_end(paste, error);
    const char *problem = error ? error->text : NULL;
    server_emit(paste->server, "PASTE", paste_describe(paste, problem));
    if (paste->request && error) {
        struct request *request = paste->request;
        paste->request = NULL;
        request_on_cancel(request, NULL, NULL);
        request_fail(request, error);
    } else {
        paste_answer(paste);
    }
    paste_free(paste);
}

/* It is over: what was typed meanwhile goes, and the next one begins. */
static void
finish_done(struct paste *paste)
{
    struct server *server = paste->server;
    struct guest *guest = paste->guest;
    size_t console = paste->console;
    struct error error = {0};
    if (paste->typed.len &&
        !console_type(guest_console(guest, console), paste->typed.data,
                      paste->typed.len, &error))
        server_notice(server, "error", guest_name(guest), error.text);
    paste_finish(paste, PASTE_STATE_DONE, NULL);
    paste_begin_next(server, guest, console);
}

void
paste_fail(struct paste *paste, struct error *error)
{
    struct console *target = guest_console(paste->guest, paste->console);
    const char *end = paste_text_break_off(&paste->text);
    struct error ignored = {0};
    if (target && guest_is_active(paste->guest) && end[0])
        (void)console_type(target, end, strlen(end), &ignored);
    paste_drop(paste, error);
}

void
paste_tell_progress(const struct paste *paste, struct error *error)
{
    error_prefix(error, "%s: the paste ended after %zu of %" PRId64 " bytes",
                 guest_name(paste->guest), paste->text.given,
                 paste_total_bytes(paste));
}

void
paste_drop(struct paste *paste, struct error *error)
{
    struct server *server = paste->server;
    struct guest *guest = paste->guest;
    size_t console = paste->console;
    paste_tell_progress(paste, error);
    paste_finish(paste, PASTE_STATE_FAILED, error);
    for (paste = paste_find(server, guest, console); paste;
         paste = paste_find(server, guest, console)) {
        struct error reason = {0};
        error_set(&reason, ERROR_CODE_STATE,
                  "%s: not pasted, since the paste before failed",
                  guest_name(guest));
        paste_finish(paste, PASTE_STATE_FAILED, &reason);
    }
}

void
paste_on_limit(void *data)
{
    struct paste *paste = data;
    struct error error = {0};
    if (paste->await == PASTE_AWAIT_ECHO)
        error_set(&error, ERROR_CODE_TIMEOUT,
                  "line %zu was not echoed within %g s", paste->text.lines,
                  (double)paste->pace.timeout_ms / 1000.0);
    else
        error_set(&error, ERROR_CODE_TIMEOUT,
                  "before line %zu the prompt \"%s\" did not appear within "
                  "%g s",
                  paste->text.lines + 1, paste->pace.prompt,
                  (double)paste->pace.timeout_ms / 1000.0);
    paste_fail(paste, &error);
}

/* The first of them may be half in the guest. */
void
paste_break_off(struct paste *paste)
{
    struct console *console = guest_console(paste->guest, paste->console);
    const char *end = paste_text_break_off(&paste->text);
    struct error ignored = {0};
    if (paste->state != PASTE_STATE_RUNNING || !console)
        return;
    /* what began in brackets has to end in one, behind what lies there */
    if (end[0])
        (void)console_type(console, end, strlen(end), &ignored);
    else if (!paste->text.is_bracketed)
        console_discard_input(console);
}

/* Waiting for the guest ---------------------------------------------------- */

static void
await(struct paste *paste, enum paste_await what)
{
    paste->await = what;
    if (paste->pace.timeout_ms > 0)
        loop_timer_start(paste->limit, (uint64_t)paste->pace.timeout_ms);
}

void
paste_go_on(struct paste *paste)
{
    paste->await = PASTE_AWAIT_NOTHING;
    expect_free(paste->prompt);
    paste->prompt = NULL;
    loop_timer_stop(paste->limit);
    loop_defer_request(paste->step);
}

/* From now on the prompt is looked for in the output. */
static void
await_prompt(struct paste *paste)
{
    struct console *console = guest_console(paste->guest, paste->console);
    paste->prompt =
        expect_new(paste->pace.prompt, 0, console_offset(console), NULL);
    await(paste, PASTE_AWAIT_PROMPT);
}

/* Whether the prompt stands where the cursor is: the text before it. */
static bool
prompt_is_there(const struct paste *paste, struct error *error)
{
    struct console *console = guest_console(paste->guest, paste->console);
    struct terminal *terminal = console_terminal(console);
    struct terminal_cursor cursor = terminal_cursor(terminal);
    struct buffer row = {0};
    struct expect *prompt = expect_new(paste->pace.prompt, 0, 0, error);
    if (!prompt)
        return false;
    render_rows(terminal, cursor.row, cursor.row, RENDER_PLAIN, &row);
    while (row.len > 0 && row.data[row.len - 1] == '\n')
        row.len--;
    while (row.len < (size_t)cursor.col)
        buffer_append_byte(&row, ' ');
    bool is_there = expect_feed(prompt, row.data ? row.data : "", row.len, 0);
    buffer_finish(&row);
    expect_free(prompt);
    return is_there;
}

/* After a whole line: what comes before the next one. */
static void
end_line(struct paste *paste)
{
    const struct paste_pace *pace = &paste->pace;
    bool is_last = paste_text_is_over(&paste->text);
    if (pace->prompt && !is_last)
        await_prompt(paste);
    else if (pace->waits_for_echo &&
             paste_echo_expect(&paste->echo, paste->line.data, paste->line.len))
        await(paste, PASTE_AWAIT_ECHO);
    if (pace->lps > 0 && !is_last)
        loop_timer_start(paste->delay, (uint64_t)(1000 / pace->lps));
    buffer_reset(&paste->line);
}

/* Typing ------------------------------------------------------------------- */

/* How many bytes may be typed in one go, at most len; 0: something comes
 * first. */
static size_t
next_chunk(struct paste *paste, size_t len)
{
    size_t ready = paste_text_ready(&paste->text);
    if (paste_pace_has_lines(&paste->pace)) {
        if (paste->line_left == 0)
            paste->line_left = paste_text_line(&paste->text);
        ready = paste->line_left;
    }
    len = ready < len ? ready : len;
    if (len == 0)
        return 0;
    uint64_t wait_ms = 0;
    len = paste_meter_allow(&paste->meter, paste->pace.cps,
                            clock_monotonic_ms(), len, &wait_ms);
    if (wait_ms)
        loop_timer_start(paste->delay, wait_ms);
    return len;
}

static bool
type_chunk(struct paste *paste, struct console *console, size_t len,
           struct error *error)
{
    const char *bytes = paste_text_bytes(&paste->text);
    bool has_lines = paste_pace_has_lines(&paste->pace);
    if (has_lines && paste->pace.waits_for_echo)
        buffer_append(&paste->line, bytes, len);
    bool is_line = has_lines && len == paste->line_left;
    /* what is awaited may come before the call returns */
    char *copy = xmalloc(len);
    memcpy(copy, bytes, len);
    paste_text_take(&paste->text, len);
    if (has_lines)
        paste->line_left -= len;
    if (is_line)
        end_line(paste);
    bool ok = console_type(console, copy, len, error);
    free(copy);
    return ok;
}

static bool
is_held_up(const struct paste *paste, const struct console *console)
{
    return paste->await || loop_timer_is_armed(paste->delay) ||
           console_input_pending(console) > 0;
}

void
paste_on_step(void *data)
{
    struct paste *paste = data;
    struct console *console = guest_console(paste->guest, paste->console);
    struct error error = {0};
    size_t left = TURN_BYTES;
    if (paste->state != PASTE_STATE_RUNNING || !console)
        return;
    while (left > 0 && !is_held_up(paste, console)) {
        size_t len = next_chunk(paste, left < CHUNK_BYTES ? left : CHUNK_BYTES);
        if (len == 0)
            break;
        if (!type_chunk(paste, console, len, &error)) {
            paste_fail(paste, &error);
            return;
        }
        left -= len;
    }
    paste_answer_room(paste);
    if (paste_text_is_over(&paste->text) && !is_held_up(paste, console))
        finish_done(paste);
    else if (left == 0)
        loop_defer_request(paste->step);
}

void
paste_begin(struct paste *paste)
{
    struct error error = {0};
    paste->state = PASTE_STATE_RUNNING;
    loop_timer_start(paste->tell, PASTE_TELL_MS);
    if (paste->pace.prompt && !prompt_is_there(paste, &error)) {
        if (error.code) {
            paste_fail(paste, &error);
            return;
        }
        await_prompt(paste);
    }
    loop_defer_request(paste->step);
}
