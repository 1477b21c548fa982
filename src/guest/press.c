#include "base/xalloc.h"
#include "guest/guest-internal.h"
#include "guest/sysrq.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Breaks, SysRq, and the keys of a guest's own keyboard. */

/* Keys of one combination; QEMU takes more, a hand does not. */
#define COMBINATION_MAX_KEYS 8
/* Combinations in one call. */
#define COMBINATIONS_MAX 256
/* Longest name of a key: QEMU's are shorter. */
#define KEY_NAME_BYTES 32

/* Breaks and SysRq --------------------------------------------------------- */

/* A break on its way, and the letter behind it. */
struct line_call {
    size_t console;
    char letter; /* 0: the break alone */
};

/* A chardev that is not a serial port's takes the command and does nothing. */
static bool
has_serial_port(const struct guest *guest, size_t console)
{
    return guest->spec->kind == SPEC_KIND_DEVICE ||
           (guest_has_qemu(guest) &&
            strncmp(guest->consoles[console].name, "hvc", 3) != 0);
}

static bool
check_line(const struct guest *guest, size_t console, struct error *error)
{
    static const char what[] = "send a break to";
    if (guest_has_qemu(guest) ? !guest_check_monitor(guest, what, error)
                              : !guest_check_active(guest, what, error))
        return false;
    if (has_serial_port(guest, console))
        return true;
    return error_set(
        error, ERROR_CODE_STATE, "cannot %s %s:%s: %s", what, guest->spec->name,
        guest->consoles[console].name,
        guest_has_qemu(guest)
            ? "a virtio console has no serial line"
            : "it is no serial line (only QEMU's serial ports and devices "
              "know a break)");
}

/* The end of a break: the keyboard was held for it. */
static void
end_line_call(struct op *op, const json_t *value, const struct error *error)
{
    const struct line_call *call = op->details;
    struct guest *guest = op->guest;
    if (!guest->is_dead && call->console < guest->console_count)
        console_release_keyboard(guest->consoles[call->console].console);
    op_finish(op, value, error);
}

/* The break is at the guest's serial port: the letter follows, well within the
 * 5 s that Linux waits for it. */
static void
on_break_sent(void *data, const json_t *value, const struct error *error)
{
    struct op *op = data;
    const struct line_call *call = op->details;
    struct guest *guest = op->guest;
    struct error failure = {0};
    if (!error && call->letter && !guest->is_dead &&
        call->console < guest->console_count &&
        !console_type(guest->consoles[call->console].console, &call->letter, 1,
                      &failure))
        error = &failure;
    end_line_call(op, value, error);
}

/* What was typed before has reached the guest. */
static void
send_break(void *data)
{
    struct op *op = data;
    const struct line_call *call = op->details;
    struct guest *guest = op->guest;
    struct error error = {0};
    loop_timer_free(op->limit);
    op->limit = NULL;
    if (!guest_check_monitor(guest, "send a break to", &error)) {
        end_line_call(op, NULL, &error);
        return;
    }
    char *id = xasprintf("gmcon%zu", call->console);
    json_t *arguments = json_pack("{s:s}", "id", id);
    free(id);
    if (!qmp_send(guest->run->qmp, "chardev-send-break", arguments, 0,
                  on_break_sent, op, &error))
        end_line_call(op, NULL, &error);
}

/* Linux takes the first byte behind a break for the command: what was typed
 * before, and the terminal's own answers to queries, have to be gone. */
static bool
check_quiet(const struct guest *guest, size_t index, struct error *error)
{
    size_t pending = console_input_pending(guest->consoles[index].console);
    if (pending == 0)
        return true;
    return error_set(error, ERROR_CODE_STATE,
                     "cannot send a break to %s: %zu bytes of typing wait on "
                     "its console, and the first would be taken for a SysRq "
                     "command; the keyboard's way is free",
                     guest->spec->name, pending);
}

static bool
send_on_line(struct guest *guest, size_t index, char letter,
             guest_done_fn on_done, void *data, struct error *error)
{
    if (!check_line(guest, index, error) || !check_quiet(guest, index, error))
        return false;
    struct console *console = guest->consoles[index].console;
    if (!guest_has_qemu(guest)) {
        /* what is typed waits behind the break */
        if (!console_send_break(console, error) ||
            (letter && !console_type(console, &letter, 1, error)))
            return error_prefix(error, "%s", guest->spec->name);
        op_finish(op_new(guest, OP_KIND_REPLY, on_done, data), NULL, NULL);
        return true;
    }
    struct line_call *call = xcalloc(1, sizeof(*call));
    call->console = index;
    call->letter = letter;
    struct op *op = op_new(guest, OP_KIND_REPLY, on_done, data);
    op->details = call;
    /* open before, so that QEMU takes the letter soon */
    console_hold_keyboard(console);
    uint64_t settles_ms = console_input_settles_ms(console);
    if (settles_ms == 0) {
        send_break(op);
        return true;
    }
    op->limit = loop_timer_new(guest->context->loop, send_break, op);
    loop_timer_start(op->limit, settles_ms);
    return true;
}

bool
guest_send_break(struct guest *guest, size_t console, guest_done_fn on_done,
                 void *data, struct error *error)
{
    return send_on_line(guest, console, 0, on_done, data, error);
}

/* Keys --------------------------------------------------------------------- */

/* Names that people use, and QEMU's. */
static const char *const key_aliases[][2] = {
    {"alt-gr", "alt_r"},      {"altgr", "alt_r"}, {"backspace", "backspace"},
    {"control", "ctrl"},      {"del", "delete"},  {"enter", "ret"},
    {"escape", "esc"},        {"ins", "insert"},  {"meta", "meta_l"},
    {"pagedown", "pgdn"},     {"pageup", "pgup"}, {"print", "print"},
    {"printscreen", "print"}, {"return", "ret"},  {"space", "spc"},
    {"super", "meta_l"},      {"win", "meta_l"},  {"windows", "meta_l"},
};

static const char *
qemu_name(const char *name)
{
    for (size_t i = 0; i < sizeof(key_aliases) / sizeof(*key_aliases); i++) {
        if (strcmp(name, key_aliases[i][0]) == 0)
            return key_aliases[i][1];
    }
    return name;
}

static bool
add_key(json_t *keys, const char *text, size_t len, struct error *error)
{
    char name[KEY_NAME_BYTES];
    if (len == 0 || len >= sizeof(name))
        return error_set(error, ERROR_CODE_INVALID,
                         "'%.64s' is no combination of keys; write "
                         "ctrl-alt-delete",
                         text);
    for (size_t i = 0; i < len; i++)
        name[i] = (char)tolower((unsigned char)text[i]);
    name[len] = '\0';
    if (json_array_size(keys) >= COMBINATION_MAX_KEYS)
        return error_set(error, ERROR_CODE_LIMIT,
                         "at most %d keys can be pressed at a time",
                         COMBINATION_MAX_KEYS);
    json_array_append_new(keys, json_pack("{s:s,s:o}", "type", "qcode", "data",
                                          json_string(qemu_name(name))));
    return true;
}

/* "ctrl-alt-delete" as send-key's arguments; NULL with error. */
static json_t *
combination_arguments(const char *text, struct error *error)
{
    json_t *keys = json_array();
    const char *at = text;
    bool ok = true;
    while (ok) {
        size_t len = strcspn(at, "-");
        ok = add_key(keys, at, len, error);
        if (!at[len])
            break;
        at += len + 1;
    }
    if (!ok) {
        json_decref(keys);
        return NULL;
    }
    return json_pack("{s:o}", "keys", keys);
}

/* Combinations that are pressed one after the other. */
struct press {
    struct op *op;     /* borrowed: finished once */
    json_t *arguments; /* owned: an array of send-key's */
    size_t next;
};

static void press_next(struct press *press);

static void
finish_press(struct press *press, const json_t *value,
             const struct error *error)
{
    op_finish(press->op, value, error);
    json_decref(press->arguments);
    free(press);
}

static void
on_pressed(void *data, const json_t *value, const struct error *error)
{
    struct press *press = data;
    if (error || press->op->guest->is_dead ||
        press->next == json_array_size(press->arguments))
        finish_press(press, value, error);
    else
        press_next(press);
}

static void
press_next(struct press *press)
{
    struct guest *guest = press->op->guest;
    struct error error = {0};
    json_t *arguments =
        json_incref(json_array_get(press->arguments, press->next++));
    if (!guest->run || !guest->run->qmp) {
        json_decref(arguments);
        error_set(&error, ERROR_CODE_STATE, "%s ended meanwhile",
                  guest->spec->name);
        finish_press(press, NULL, &error);
        return;
    }
    if (!qmp_send(guest->run->qmp, "send-key", arguments, 0, on_pressed, press,
                  &error))
        finish_press(press, NULL, &error);
}

bool
guest_press(struct guest *guest, const json_t *combinations,
            guest_done_fn on_done, void *data, struct error *error)
{
    if (!guest_check_monitor(guest, "press keys of", error))
        return false;
    size_t count = json_array_size(combinations);
    if (count == 0 || count > COMBINATIONS_MAX)
        return error_set(error, ERROR_CODE_LIMIT,
                         "1 to %d combinations of keys can be pressed",
                         COMBINATIONS_MAX);
    json_t *arguments = json_array();
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(combinations, i));
        json_t *one = combination_arguments(text ? text : "", error);
        if (!one) {
            json_decref(arguments);
            return false;
        }
        json_array_append_new(arguments, one);
    }
    struct press *press = xcalloc(1, sizeof(*press));
    press->op = op_new(guest, OP_KIND_REPLY, on_done, data);
    press->arguments = arguments;
    press_next(press);
    return true;
}

bool
guest_send_sysrq(struct guest *guest, size_t console, const struct sysrq *sysrq,
                 enum guest_sysrq_way way, guest_done_fn on_done, void *data,
                 struct error *error)
{
    bool is_serial =
        way == GUEST_SYSRQ_SERIAL ||
        (way == GUEST_SYSRQ_AUTO && has_serial_port(guest, console));
    if (is_serial)
        return send_on_line(guest, console, sysrq->letter, on_done, data,
                            error);
    char *text = xasprintf("alt-sysrq-%c", sysrq->letter);
    json_t *combinations = json_pack("[s]", text);
    free(text);
    bool ok = guest_press(guest, combinations, on_done, data, error);
    json_decref(combinations);
    return ok;
}
