#include "cli/strip.h"

#include "base/utf8.h"

#include <string.h>

/* A string (OSC, DCS …) without an end stops being swallowed here, as in the
 * emulator: it must not hide what follows for ever. */
#define STRING_MAX_BYTES 4096
/* The longest SGR sequence that is kept. */
#define SGR_MAX_BYTES 64

enum state {
    STATE_GROUND,
    STATE_ESCAPE,
    STATE_ESCAPE_INTERMEDIATE,
    STATE_CSI,
    STATE_STRING,
    STATE_STRING_ESCAPE,
    STATE_CHARACTER, /* in a UTF-8 sequence */
};

void
strip_finish(struct strip *strip)
{
    buffer_finish(&strip->partial);
}

/* A line end that waited: \r\n was one, \r alone is one too. */
static void
put_line_end(struct strip *strip, struct buffer *out)
{
    if (strip->has_carriage)
        buffer_append_byte(out, '\n');
    strip->has_carriage = false;
}

static void
put_codepoint(struct strip *strip, uint32_t codepoint, struct buffer *out)
{
    char bytes[4];
    int width = utf8_width(codepoint);
    if (codepoint >= 0x80 && codepoint < 0xA0) {
        /* C1 controls: the strings among them swallow, the rest vanishes */
        strip->state =
            codepoint == 0x9B ? STATE_CSI
            : codepoint == 0x90 || codepoint == 0x98 || codepoint >= 0x9D
                ? STATE_STRING
                : STATE_GROUND;
        strip->swallowed = 0;
        buffer_reset(&strip->partial);
        return;
    }
    put_line_end(strip, out);
    if (width == 0 && !utf8_is_combining(codepoint))
        return;
    if (width < 0)
        codepoint = UTF8_REPLACEMENT;
    buffer_append(out, bytes, utf8_encode(codepoint, bytes));
}

static void
take_ground(struct strip *strip, char byte, struct buffer *out)
{
    unsigned char value = (unsigned char)byte;
    if (value >= 0x80) {
        buffer_reset(&strip->partial);
        buffer_append_byte(&strip->partial, byte);
        uint32_t codepoint = 0;
        if (utf8_decode(&byte, 1, &codepoint))
            put_codepoint(strip, codepoint, out);
        else
            strip->state = STATE_CHARACTER;
    } else if (value >= 0x20 && value != 0x7F) {
        put_line_end(strip, out);
        buffer_append_byte(out, byte);
    } else if (byte == '\n') {
        strip->has_carriage = false;
        buffer_append_byte(out, '\n');
    } else if (byte == '\r') {
        strip->has_carriage = true;
    } else if (byte == '\t') {
        put_line_end(strip, out);
        buffer_append_byte(out, '\t');
    } else if (byte == '\b' && (strip->flags & STRIP_EDITING)) {
        put_line_end(strip, out);
        buffer_append_byte(out, '\b');
    } else if (byte == '\033') {
        strip->state = STATE_ESCAPE;
    }
}

static void take(struct strip *strip, char byte, struct buffer *out);

static void
take_character(struct strip *strip, char byte, struct buffer *out)
{
    uint32_t codepoint = 0;
    buffer_append_byte(&strip->partial, byte);
    size_t used =
        utf8_decode(strip->partial.data, strip->partial.len, &codepoint);
    if (used == 0)
        return;
    bool is_whole = used == strip->partial.len;
    strip->state = STATE_GROUND;
    put_codepoint(strip, codepoint, out);
    if (!is_whole)
        take(strip, byte, out);
}

static void
take_escape(struct strip *strip, char byte)
{
    buffer_reset(&strip->partial);
    strip->swallowed = 0;
    if (byte == '[')
        strip->state = STATE_CSI;
    else if (strchr("]P_^X", byte) && byte)
        strip->state = STATE_STRING;
    else if (byte >= 0x20 && byte <= 0x2F)
        strip->state = STATE_ESCAPE_INTERMEDIATE;
    else if (byte != '\033')
        strip->state = STATE_GROUND;
}

static bool
is_sgr_text(const struct buffer *text)
{
    return !text->len || strspn(text->data, "0123456789;:") == text->len;
}

static void
take_csi(struct strip *strip, char byte, struct buffer *out)
{
    if (byte >= 0x40 && byte <= 0x7E) {
        bool keeps = (strip->flags & STRIP_KEEP_SGR) && byte == 'm' &&
                     strip->partial.len <= SGR_MAX_BYTES &&
                     is_sgr_text(&strip->partial);
        if (keeps) {
            put_line_end(strip, out);
            buffer_append_text(out, "\033[");
            buffer_append(out, strip->partial.data ? strip->partial.data : "",
                          strip->partial.len);
            buffer_append_byte(out, 'm');
        }
        if ((strip->flags & STRIP_EDITING) && byte == 'K' &&
            !strip->has_carriage && !strip->partial.len)
            buffer_append_text(out, " \b");
        strip->state = STATE_GROUND;
    } else if (byte == '\033') {
        strip->state = STATE_ESCAPE;
    } else if (strip->partial.len <= SGR_MAX_BYTES) {
        buffer_append_byte(&strip->partial, byte);
    }
}

static void
take_string(struct strip *strip, char byte)
{
    strip->swallowed++;
    if (byte == '\033')
        strip->state = STATE_STRING_ESCAPE;
    else if (byte == '\a' || byte == 0x18 || byte == 0x1A ||
             strip->swallowed > STRING_MAX_BYTES)
        strip->state = STATE_GROUND;
}

static void
take(struct strip *strip, char byte, struct buffer *out)
{
    switch ((enum state)strip->state) {
    case STATE_GROUND:
        take_ground(strip, byte, out);
        break;
    case STATE_ESCAPE:
        take_escape(strip, byte);
        break;
    case STATE_ESCAPE_INTERMEDIATE:
        if (byte < 0x20 || byte > 0x2F)
            strip->state = byte == '\033' ? STATE_ESCAPE : STATE_GROUND;
        break;
    case STATE_CSI:
        take_csi(strip, byte, out);
        break;
    case STATE_STRING:
        take_string(strip, byte);
        break;
    case STATE_STRING_ESCAPE:
        /* ESC \ ends the string, any other ESC sequence does too */
        if (byte == '\\')
            strip->state = STATE_GROUND;
        else
            take_escape(strip, byte);
        break;
    case STATE_CHARACTER:
        take_character(strip, byte, out);
        break;
    }
}

void
strip_feed(struct strip *strip, const char *bytes, size_t len,
           struct buffer *out)
{
    for (size_t i = 0; i < len; i++)
        take(strip, bytes[i], out);
}
