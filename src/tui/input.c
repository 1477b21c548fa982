#include "tui/input.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

/* XTerm Control Sequences, "Bracketed Paste Mode". */
static const char paste_begin[] = "\033[200~";
static const char paste_end[] = "\033[201~";
#define PASTE_END_BYTES (sizeof(paste_end) - 1)

void
input_init(struct input *input, input_fn on_event, void *user)
{
    *input = (struct input){.on_event = on_event, .user = user};
}

void
input_finish(struct input *input)
{
    buffer_finish(&input->paste);
}

static void
emit(struct input *input, enum input_kind kind, const char *name,
     const char *bytes, size_t len)
{
    struct input_event event = {
        .kind = kind,
        .name = name,
        .bytes = bytes,
        .len = len,
    };
    input->on_event(input->user, &event);
}

/* The name of a C0 control, DEL or printable ASCII character. */
static void
name_ascii(unsigned char byte, const char *modifier,
           char name[INPUT_NAME_MAX_BYTES])
{
    const char *text = NULL;
    switch (byte) {
    case '\r':
        text = "Enter";
        break;
    case '\t':
        text = "Tab";
        break;
    case 0x1B:
        text = "Escape";
        break;
    case ' ':
        text = "Space";
        break;
    case 0x7F:
        text = "Backspace";
        break;
    default:
        break;
    }
    if (text)
        (void)snprintf(name, INPUT_NAME_MAX_BYTES, "%s%s", modifier, text);
    else if (byte == 0)
        (void)snprintf(name, INPUT_NAME_MAX_BYTES, "C-%sSpace", modifier);
    else if (byte < 0x1B)
        (void)snprintf(name, INPUT_NAME_MAX_BYTES, "C-%s%c", modifier,
                       byte + 0x60);
    else if (byte < 0x20)
        (void)snprintf(name, INPUT_NAME_MAX_BYTES, "C-%s%c", modifier,
                       byte + 0x40);
    else
        (void)snprintf(name, INPUT_NAME_MAX_BYTES, "%s%c", modifier, byte);
}

static void
emit_key(struct input *input, unsigned char byte)
{
    char name[INPUT_NAME_MAX_BYTES];
    char text = (char)byte;
    name_ascii(byte, "", name);
    emit(input, INPUT_KEY, name, &text, 1);
}

/* ESC and one more byte: what Alt with a key sends. */
static void
emit_meta(struct input *input, unsigned char byte)
{
    char name[INPUT_NAME_MAX_BYTES];
    char bytes[2] = {0x1B, (char)byte};
    name_ascii(byte, "M-", name);
    emit(input, INPUT_KEY, name, bytes, sizeof(bytes));
}

static void
begin(struct input *input, enum input_state state, unsigned char byte)
{
    input->state = state;
    input->pending[0] = (char)byte;
    input->pending_len = 1;
}

static void
end_sequence(struct input *input)
{
    size_t len = input->pending_len;
    input->state = INPUT_STATE_GROUND;
    input->pending_len = 0;
    if (len == sizeof(paste_begin) - 1 &&
        memcmp(input->pending, paste_begin, len) == 0) {
        input->state = INPUT_STATE_PASTE;
        buffer_reset(&input->paste);
        input->paste_match = 0;
        input->is_paste_cut = false;
        return;
    }
    emit(input, INPUT_SEQUENCE, NULL, input->pending, len);
}

/* Not a sequence after all: the bytes count as they are. */
static void
abandon(struct input *input)
{
    size_t len = input->pending_len;
    input->state = INPUT_STATE_GROUND;
    input->pending_len = 0;
    emit(input, INPUT_BYTES, NULL, input->pending, len);
}

static void feed_byte(struct input *input, unsigned char byte);

static void
feed_ground(struct input *input, unsigned char byte)
{
    if (byte == 0x1B)
        begin(input, INPUT_STATE_ESCAPE, byte);
    else if (byte >= 0x80)
        begin(input, INPUT_STATE_UTF8, byte);
    else
        emit_key(input, byte);
}

static void
feed_escape(struct input *input, unsigned char byte)
{
    if (byte == '[' || byte == 'O') {
        input->state = byte == '[' ? INPUT_STATE_CSI : INPUT_STATE_SS3;
        input->pending[input->pending_len++] = (char)byte;
        return;
    }
    input->state = INPUT_STATE_GROUND;
    if (byte == 0x1B) {
        emit_key(input, 0x1B);
        begin(input, INPUT_STATE_ESCAPE, byte);
    } else if (byte >= 0x80) {
        /* Alt with a character beyond ASCII: ESC belongs to it */
        input->state = INPUT_STATE_UTF8;
        input->pending[input->pending_len++] = (char)byte;
    } else {
        emit_meta(input, byte);
    }
}

static void
feed_csi(struct input *input, unsigned char byte)
{
    bool is_first = input->pending_len == 2;
    if (byte < 0x20 || byte > 0x7E) {
        abandon(input);
        feed_byte(input, byte);
        return;
    }
    input->pending[input->pending_len++] = (char)byte;
    if (is_first && (byte == '[' || byte == 'M')) {
        /* Linux's function keys, ESC [ [ A; X10's mouse, ESC [ M b x y */
        input->tail = byte == '[' ? 1 : 3;
        input->state = INPUT_STATE_TAIL;
    } else if (byte >= 0x40) {
        end_sequence(input);
    } else if (input->pending_len == sizeof(input->pending)) {
        abandon(input);
    }
}

static void
feed_ss3(struct input *input, unsigned char byte)
{
    if (byte < 0x20 || byte > 0x7E) {
        abandon(input);
        feed_byte(input, byte);
        return;
    }
    input->pending[input->pending_len++] = (char)byte;
    if (byte >= 0x40)
        end_sequence(input);
    else if (input->pending_len == sizeof(input->pending))
        abandon(input);
}

static void
feed_utf8(struct input *input, unsigned char byte)
{
    bool has_escape = input->pending[0] == 0x1B;
    if ((byte & 0xC0) != 0x80) {
        abandon(input);
        feed_byte(input, byte);
        return;
    }
    input->pending[input->pending_len++] = (char)byte;
    const char *text = input->pending + has_escape;
    size_t len = input->pending_len - has_escape;
    uint32_t codepoint;
    size_t step = utf8_decode(text, len, &codepoint);
    if (step == 0)
        return;
    if (step < len || codepoint == UTF8_REPLACEMENT) {
        abandon(input);
        return;
    }
    char name[INPUT_NAME_MAX_BYTES];
    (void)snprintf(name, sizeof(name), "%s%.*s", has_escape ? "M-" : "",
                   (int)len, text);
    len = input->pending_len;
    input->state = INPUT_STATE_GROUND;
    input->pending_len = 0;
    emit(input, INPUT_KEY, name, input->pending, len);
}

static void
feed_byte(struct input *input, unsigned char byte)
{
    switch (input->state) {
    case INPUT_STATE_GROUND:
    case INPUT_STATE_PASTE: /* input_feed takes those itself */
        feed_ground(input, byte);
        break;
    case INPUT_STATE_ESCAPE:
        feed_escape(input, byte);
        break;
    case INPUT_STATE_CSI:
        feed_csi(input, byte);
        break;
    case INPUT_STATE_SS3:
        feed_ss3(input, byte);
        break;
    case INPUT_STATE_TAIL:
        input->pending[input->pending_len++] = (char)byte;
        if (--input->tail == 0)
            end_sequence(input);
        break;
    case INPUT_STATE_UTF8:
        feed_utf8(input, byte);
        break;
    }
}

static void
append_paste(struct input *input, const char *bytes, size_t len)
{
    size_t room = INPUT_PASTE_MAX_BYTES - input->paste.len;
    if (len > room) {
        len = room;
        input->is_paste_cut = true;
    }
    buffer_append(&input->paste, bytes, len);
}

static void
end_paste(struct input *input)
{
    struct input_event event = {
        .kind = INPUT_PASTE,
        .bytes = input->paste.data ? input->paste.data : "",
        .len = input->paste.len,
        .is_cut = input->is_paste_cut,
    };
    input->state = INPUT_STATE_GROUND;
    input->paste_match = 0;
    input->on_event(input->user, &event);
    buffer_finish(&input->paste);
}

/* Takes bytes up to the end of the paste; returns how many. */
static size_t
feed_paste(struct input *input, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == paste_end[input->paste_match]) {
            if (++input->paste_match == PASTE_END_BYTES) {
                end_paste(input);
                return i + 1;
            }
            continue;
        }
        /* what looked like the marker was content; ESC begins it anew */
        if (input->paste_match > 0)
            append_paste(input, paste_end, input->paste_match);
        input->paste_match = bytes[i] == paste_end[0];
        if (!input->paste_match)
            append_paste(input, bytes + i, 1);
    }
    return len;
}

void
input_feed(struct input *input, const char *bytes, size_t len)
{
    while (len > 0) {
        size_t taken = 1;
        if (input->state == INPUT_STATE_PASTE)
            taken = feed_paste(input, bytes, len);
        else
            feed_byte(input, (unsigned char)*bytes);
        bytes += taken;
        len -= taken;
    }
}

unsigned
input_timeout_ms(const struct input *input)
{
    if (input->state == INPUT_STATE_GROUND)
        return 0;
    if (input->state == INPUT_STATE_PASTE)
        return INPUT_PASTE_MS;
    return INPUT_ESCAPE_MS;
}

void
input_expire(struct input *input)
{
    switch (input->state) {
    case INPUT_STATE_GROUND:
        break;
    case INPUT_STATE_PASTE:
        append_paste(input, paste_end, input->paste_match);
        end_paste(input);
        break;
    case INPUT_STATE_ESCAPE:
        input->state = INPUT_STATE_GROUND;
        input->pending_len = 0;
        emit_key(input, 0x1B);
        break;
    case INPUT_STATE_CSI:
    case INPUT_STATE_SS3:
        /* Alt-[ and Alt-O look like the beginning of a sequence */
        if (input->pending_len == 2) {
            input->state = INPUT_STATE_GROUND;
            input->pending_len = 0;
            emit_meta(input, (unsigned char)input->pending[1]);
            break;
        }
        abandon(input);
        break;
    default:
        abandon(input);
        break;
    }
}
