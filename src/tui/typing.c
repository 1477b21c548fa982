#include "base/base64.h"
#include "base/clock.h"
#include "base/json-writer.h"
#include "base/utf8.h"
#include "tui/broadcast.h"
#include "tui/company.h"
#include "tui/countdown.h"
#include "tui/deck-internal.h"
#include "tui/menu.h"
#include "tui/mouse-guest.h"
#include "tui/pane.h"
#include "tui/pasting.h"
#include "tui/prompt.h"
#include "tui/records.h"
#include "tui/state.h"
#include "tui/watching.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One read of the keyboard. */
#define READ_BYTES 65536

/* After a guest ended its pane takes no keys for so long, ms: what was typed
 * to the guest must not be an answer to the card. */
#define DEAD_SETTLE_MS 800

enum keymap_mode
typing_mode(const struct deck *deck)
{
    if (deck->dialog)
        return KEYMAP_DIALOG;
    if (deck->menu)
        return KEYMAP_MENU;
    if (deck->prompt)
        return KEYMAP_PROMPT;
    if (deck->viewer)
        return KEYMAP_VIEWER;
    if (deck->records)
        return KEYMAP_RECORDS;
    if (deck->is_prefix)
        return KEYMAP_PREFIX;
    if (deck->is_sidebar_focused)
        return KEYMAP_SIDEBAR;
    if (deck->focus && deck->focus->scrub)
        return KEYMAP_PAST;
    if (deck->focus && deck->focus->copy)
        return KEYMAP_SCROLLBACK;
    if (deck->focus && deck->focus->has_ended)
        return KEYMAP_DEAD;
    return KEYMAP_CONSOLE;
}

/* Whether typing can reach the focused console; says why not. */
static bool
can_type(struct deck *deck)
{
    if (!deck->focus)
        return false;
    if (deck->options->is_read_only) {
        status_message(deck, DECK_WARNING,
                       "read-only: typing is off in this deck");
        return false;
    }
    if (!deck->connection) {
        status_message(deck, DECK_ERROR,
                       "not sent: there is no server at present");
        return false;
    }
    return company_may_type(deck, deck->focus);
}

/* Bytes as the API takes them: text where it is text, base64 otherwise. */
static json_t *
send_arguments(const char *target, const char *bytes, size_t len)
{
    json_t *arguments = json_pack("{s:s}", "guest", target);
    if (utf8_is_valid(bytes, len, NULL) && !memchr(bytes, 0, len)) {
        json_object_set_new(arguments, "text",
                            json_stringn_nocheck(bytes, len));
        return arguments;
    }
    struct buffer text = {0};
    base64_encode(bytes, len, &text);
    json_object_set_new(arguments, "data", json_stringn(text.data, text.len));
    buffer_finish(&text);
    return arguments;
}

/* Sends what is text the short way. */
static bool
send_text(struct deck *deck, const char *target)
{
    const struct buffer *typed = &deck->typed;
    if (!utf8_is_valid(typed->data, typed->len, NULL) ||
        memchr(typed->data, 0, typed->len))
        return false;
    buffer_reset(&deck->typed_command);
    struct json_writer out = json_writer_begin(&deck->typed_command);
    json_writer_open_object(&out, NULL);
    json_writer_string(&out, "guest", target, strlen(target));
    json_writer_string(&out, "text", typed->data, typed->len);
    json_writer_close_object(&out);
    connection_execute_text(deck->connection, "console-send",
                            &deck->typed_command);
    return true;
}

static void
send_typed(struct deck *deck, const char *target)
{
    if (!send_text(deck, target))
        connection_execute_quiet(
            deck->connection, "console-send",
            send_arguments(target, deck->typed.data, deck->typed.len));
}

void
typing_flush(struct deck *deck)
{
    if (deck->typed.len == 0)
        return;
    if (can_type(deck) && !deck->is_broadcasting) {
        send_typed(deck, deck->focus->target);
    } else if (deck->is_broadcasting && can_type(deck)) {
        const char **names;
        size_t count = broadcast_targets(deck, &names);
        for (size_t i = 0; i < count; i++)
            send_typed(deck, names[i]);
        free(names);
    }
    buffer_reset(&deck->typed);
}

void
typing_send_literal(struct deck *deck)
{
    buffer_append(&deck->typed, deck->key_bytes, deck->key_len);
    typing_flush(deck);
}

/* A key by name: the server knows what the guest's terminal modes make of
 * it. */
static void
send_key(struct deck *deck, const char *name)
{
    typing_flush(deck);
    if (!can_type(deck))
        return;
    const char **names;
    size_t count = broadcast_targets(deck, &names);
    for (size_t i = 0; i < count; i++)
        connection_execute_quiet(
            deck->connection, "console-send",
            json_pack("{s:s, s:[s]}", "guest", names[i], "keys", name));
    free(names);
}

static void
send_paste(struct deck *deck, const char *bytes, size_t len)
{
    typing_flush(deck);
    if (!can_type(deck) || len == 0)
        return;
    if (!pasting_is_small(bytes, len)) {
        pasting_offer(deck, bytes, len);
        return;
    }
    const char **names;
    size_t count = broadcast_targets(deck, &names);
    for (size_t i = 0; i < count; i++) {
        json_t *arguments = send_arguments(names[i], bytes, len);
        json_object_set_new(arguments, "paste", json_true());
        connection_execute_quiet(deck->connection, "console-send", arguments);
    }
    free(names);
}

void
typing_paste(struct deck *deck, const char *bytes, size_t len)
{
    send_paste(deck, bytes, len);
}

static void
run_action(struct deck *deck, const struct action *action)
{
    typing_flush(deck);
    action->run(deck, action->argument);
}

/* A key without a binding. */
static void
handle_unbound(struct deck *deck, enum keymap_mode mode, const char *name)
{
    const char *help = keymap_key_of(deck->keymap, KEYMAP_PREFIX, "help");
    if (mode == KEYMAP_PREFIX)
        status_message(deck, DECK_WARNING,
                       "%s %s does nothing; %s %s shows the keys",
                       keymap_prefix(deck->keymap), name,
                       keymap_prefix(deck->keymap), help ? help : "");
    else if (mode == KEYMAP_DEAD) {
        const char *start = keymap_key_of(deck->keymap, KEYMAP_DEAD, "start");
        status_message(deck, DECK_WARNING,
                       "%s does not run: %s starts it again",
                       deck->focus->target, start ? start : "the sidebar");
    }
}

/* A control key or a sequence without a binding is no text. */
static void
type_to_prompt(struct deck *deck)
{
    unsigned char first = deck->key_len ? (unsigned char)deck->key_bytes[0] : 0;
    if (first >= 0x20 && first != 0x7F)
        prompt_insert(deck, deck->key_bytes, deck->key_len);
}

/* is_text: the bytes are what the guest should get; otherwise the name is. */
static void
do_key(struct deck *deck, const char *name, bool is_text)
{
    enum keymap_mode mode = typing_mode(deck);
    if (countdown_take_key(deck))
        return;
    if (mode == KEYMAP_DEAD &&
        clock_monotonic_ms() - deck->focus->ended_ms < DEAD_SETTLE_MS &&
        strcmp(name, keymap_prefix(deck->keymap)) != 0)
        return;
    if (mode == KEYMAP_MENU && menu_key(deck, name))
        return;
    if (mode == KEYMAP_CONSOLE && strcmp(name, "Escape") == 0 &&
        pasting_cancel(deck))
        return;
    const struct action *action = keymap_find(deck->keymap, mode, name);
    if (mode == KEYMAP_PREFIX) {
        deck->is_prefix = false;
        status_changed(deck);
        arrange_cursor(deck);
    }
    if (mode == KEYMAP_SCROLLBACK || (mode == KEYMAP_CONSOLE && !action))
        watching_touch(deck, deck->focus);
    if (action)
        run_action(deck, action);
    else if (mode == KEYMAP_CONSOLE && is_text)
        buffer_append(&deck->typed, deck->key_bytes, deck->key_len);
    else if (mode == KEYMAP_CONSOLE)
        send_key(deck, name);
    else if (mode == KEYMAP_PROMPT && is_text)
        type_to_prompt(deck);
    else
        handle_unbound(deck, mode, name);
}

static void
handle_key(struct deck *deck, const char *name, bool is_text)
{
    enum keymap_mode mode = typing_mode(deck);
    do_key(deck, name, is_text);
    if (!deck->is_ending && typing_mode(deck) != mode)
        status_mode_changed(deck);
}

/* libtermkey's names for keys that keymaps and the API call otherwise. */
static const char *const key_aliases[][2] = {
    {"DEL", "Backspace"}, {"KPPoint", "KPDot"}, {"Find", "Home"},
    {"Select", "End"},    {"Begin", "KP5"},
};

static int
on_tickit_key(TickitTerm *term, TickitEventFlags flags, void *info, void *user)
{
    (void)term;
    (void)flags;
    struct deck *deck = user;
    const TickitKeyEventInfo *event = info;
    char name[KEYMAP_KEY_MAX_BYTES];
    char text[INPUT_NAME_MAX_BYTES * 2];
    (void)snprintf(text, sizeof(text), "%s", event->str);
    for (size_t i = 0; i < sizeof(key_aliases) / sizeof(*key_aliases); i++) {
        size_t whole = strlen(text);
        size_t tail = strlen(key_aliases[i][0]);
        if (whole >= tail &&
            strcmp(text + whole - tail, key_aliases[i][0]) == 0)
            (void)snprintf(text + whole - tail, sizeof(text) - whole + tail,
                           "%s", key_aliases[i][1]);
    }
    if (!keymap_normalise(text, name, NULL))
        return 0;
    deck->is_sequence_taken = true;
    handle_key(deck, name, event->type == TICKIT_KEYEV_TEXT);
    return 1;
}

static int
on_tickit_mouse(TickitTerm *term, TickitEventFlags flags, void *info,
                void *user)
{
    (void)term;
    (void)flags;
    struct deck *deck = user;
    deck->is_sequence_taken = true;
    typing_flush(deck);
    mouse_event(deck, info);
    return 1;
}

/* The operator's terminal has the keyboard of the machine again, or lost it
 * (XTerm's FocusIn and FocusOut). */
static bool
take_focus_report(struct deck *deck, const char *bytes, size_t len)
{
    if (len != 3 || memcmp(bytes, "\033[", 2) != 0 ||
        (bytes[2] != 'I' && bytes[2] != 'O'))
        return false;
    typing_flush(deck);
    deck->is_away = bytes[2] == 'O';
    if (deck->focus)
        pane_change_view(deck->focus,
                         json_pack("{s:b}", "away", deck->is_away));
    return true;
}

static void
handle_sequence(struct deck *deck, const char *bytes, size_t len)
{
    if (take_focus_report(deck, bytes, len) ||
        mouse_guest_motion(deck, bytes, len))
        return;
    deck->is_sequence_taken = false;
    tickit_term_input_push_bytes(term_tickit(deck->term), bytes, len);
    /* what libtermkey has no name for is the guest's to understand */
    if (!deck->is_sequence_taken && typing_mode(deck) == KEYMAP_CONSOLE)
        buffer_append(&deck->typed, bytes, len);
}

void
typing_take(struct deck *deck, const struct input_event *event)
{
    deck->key_bytes = event->bytes;
    deck->key_len = event->len;
    switch (event->kind) {
    case INPUT_KEY:
        handle_key(deck, event->name, true);
        break;
    case INPUT_SEQUENCE:
        handle_sequence(deck, event->bytes, event->len);
        break;
    case INPUT_PASTE:
        if (event->is_cut)
            status_message(deck, DECK_ERROR, "the paste was cut after %u MiB",
                           INPUT_PASTE_MAX_BYTES >> 20);
        if (typing_mode(deck) == KEYMAP_CONSOLE)
            send_paste(deck, event->bytes, event->len);
        else if (typing_mode(deck) == KEYMAP_PROMPT)
            prompt_insert(deck, event->bytes, event->len);
        else
            status_message(deck, DECK_WARNING,
                           "not pasted: no console has the keyboard");
        break;
    case INPUT_BYTES:
        if (typing_mode(deck) == KEYMAP_CONSOLE)
            buffer_append(&deck->typed, event->bytes, event->len);
        break;
    }
    deck->key_bytes = NULL;
    deck->key_len = 0;
}

static void
on_input(void *user, const struct input_event *event)
{
    struct deck *deck = user;
    if (!ahead_take(deck, event))
        typing_take(deck, event);
}

static void
arm_timer(struct deck *deck)
{
    unsigned timeout = input_timeout_ms(&deck->input);
    if (timeout)
        loop_timer_start(deck->input_timer, timeout);
    else if (loop_timer_is_armed(deck->input_timer))
        loop_timer_stop(deck->input_timer);
}

static void
on_expire(void *data)
{
    struct deck *deck = data;
    input_expire(&deck->input);
    typing_flush(deck);
    arm_timer(deck);
}

static void
on_readable(void *data, int status, int events)
{
    struct deck *deck = data;
    char bytes[READ_BYTES];
    (void)events;
    ssize_t len = status < 0 ? 0 : read(STDIN_FILENO, bytes, sizeof(bytes));
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len <= 0) {
        /* the terminal is gone, as with a hang-up */
        deck_leave(deck, DECK_END_SIGNAL, NULL);
        return;
    }
    input_feed(&deck->input, bytes, (size_t)len);
    typing_flush(deck);
    if (!deck->is_ending)
        arm_timer(deck);
}

bool
typing_start(struct deck *deck, struct error *error)
{
    input_init(&deck->input, on_input, deck);
    deck->input_timer = loop_timer_new(&deck->loop, on_expire, deck);
    deck->keyboard =
        loop_poll_new(&deck->loop, STDIN_FILENO, on_readable, deck);
    if (!deck->keyboard)
        return error_set(error, ERROR_CODE_IO,
                         "cannot wait for keys on standard input");
    loop_poll_set(deck->keyboard, UV_READABLE);
    TickitTerm *term = term_tickit(deck->term);
    tickit_term_bind_event(term, TICKIT_TERM_ON_KEY, 0, on_tickit_key, deck);
    tickit_term_bind_event(term, TICKIT_TERM_ON_MOUSE, 0, on_tickit_mouse,
                           deck);
    return true;
}

void
typing_stop(struct deck *deck)
{
    ahead_finish(deck);
    loop_poll_free(deck->keyboard);
    loop_timer_free(deck->input_timer);
    deck->keyboard = NULL;
    deck->input_timer = NULL;
    input_finish(&deck->input);
    buffer_finish(&deck->typed);
    buffer_finish(&deck->typed_command);
}
