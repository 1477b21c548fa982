#include "console/plain.h"

#include <string.h>

/* An unterminated string ends after so many bytes: it cannot hide a prompt.
 * The terminal's limit is of the same kind. */
#define STRING_MAX_BYTES 4096
#define TAB_COLS 8

void
plain_finish(struct plain *plain)
{
    buffer_finish(&plain->line);
    *plain = (struct plain){0};
}

void
plain_next_line(struct plain *plain)
{
    buffer_reset(&plain->line);
    plain->at = 0;
}

static void
put_run(struct plain *plain, const char *bytes, size_t len)
{
    if (plain->at >= PLAIN_LINE_MAX_BYTES)
        return;
    if (len > PLAIN_LINE_MAX_BYTES - plain->at)
        len = PLAIN_LINE_MAX_BYTES - plain->at;
    size_t over = plain->line.len - plain->at;
    if (over > len)
        over = len;
    if (over)
        memcpy(plain->line.data + plain->at, bytes, over);
    buffer_append(&plain->line, bytes + over, len - over);
    plain->at += len;
}

static bool
is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* One character back, not one byte. */
static void
step_back(struct plain *plain)
{
    while (plain->at > 0) {
        plain->at--;
        if (!is_continuation(plain->line.data[plain->at]))
            return;
    }
}

/* A control in text; returns whether the line ended. */
static bool
control(struct plain *plain, char byte)
{
    switch (byte) {
    case '\n':
        return true;
    case '\r':
        plain->at = 0;
        break;
    case '\b':
        step_back(plain);
        break;
    case '\t':
        do {
            put_run(plain, " ", 1);
        } while (plain->at % TAB_COLS && plain->at < PLAIN_LINE_MAX_BYTES);
        break;
    case '\033':
        plain->state = PLAIN_STATE_ESCAPE;
        break;
    default:
        break;
    }
    return false;
}

/* ECMA-48, 5.3 and 5.4: intermediates 0x20-0x2F, parameters 0x30-0x3F, final
 * 0x40-0x7E. */
static void
escape(struct plain *plain, char byte)
{
    if (byte == '[')
        plain->state = PLAIN_STATE_CSI;
    else if (byte && strchr("]PX^_", byte))
        plain->state = PLAIN_STATE_STRING;
    else if (byte < 0x20 || byte >= 0x30)
        plain->state = PLAIN_STATE_TEXT;
    plain->swallowed = 0;
}

static void
string(struct plain *plain, char byte)
{
    if (plain->state == PLAIN_STATE_STRING_ESCAPE && byte != '\\') {
        plain->state = PLAIN_STATE_ESCAPE;
        escape(plain, byte);
    } else if (byte == '\a' || byte == 0x18 || byte == 0x1A ||
               plain->state == PLAIN_STATE_STRING_ESCAPE ||
               ++plain->swallowed >= STRING_MAX_BYTES) {
        plain->state = PLAIN_STATE_TEXT;
    } else if (byte == '\033') {
        plain->state = PLAIN_STATE_STRING_ESCAPE;
    }
}

/* A byte inside a sequence; returns whether it ended the line: controls are
 * carried out in the middle of a CSI. */
static bool
in_sequence(struct plain *plain, char byte)
{
    unsigned char value = (unsigned char)byte;
    switch (plain->state) {
    case PLAIN_STATE_ESCAPE:
        escape(plain, byte);
        return byte == '\n';
    case PLAIN_STATE_CSI:
        if (byte == 0x18 || byte == 0x1A || (value >= 0x40 && value != 0x7F))
            plain->state = PLAIN_STATE_TEXT;
        else if (value < 0x20)
            return control(plain, byte);
        return false;
    case PLAIN_STATE_STRING:
    case PLAIN_STATE_STRING_ESCAPE:
        string(plain, byte);
        return false;
    case PLAIN_STATE_TEXT:
        break;
    }
    return control(plain, byte);
}

static size_t
text_length(const char *bytes, size_t len)
{
    size_t at = 0;
    while (at < len && (unsigned char)bytes[at] >= 0x20 && bytes[at] != 0x7F)
        at++;
    return at;
}

size_t
plain_feed(struct plain *plain, const char *bytes, size_t len, bool *ret_done)
{
    *ret_done = false;
    for (size_t at = 0; at < len;) {
        if (plain->state == PLAIN_STATE_TEXT) {
            size_t run = text_length(bytes + at, len - at);
            if (run) {
                put_run(plain, bytes + at, run);
                at += run;
                continue;
            }
        }
        if (in_sequence(plain, bytes[at++])) {
            *ret_done = true;
            return at;
        }
    }
    return len;
}
