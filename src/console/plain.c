#include "console/plain.h"

#include "base/utf8.h"

#include <string.h>

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
    plain->is_full = false;
    plain->fed = 0;
    plain->text_at = 0;
}

/* Characters --------------------------------------------------------------- */

static bool
is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Bytes of the character at a place; 0 at the line's end. */
static size_t
character_bytes(const struct plain *plain, size_t place)
{
    size_t end = place;
    if (end < plain->line.len)
        end++;
    while (end < plain->line.len && is_continuation(plain->line.data[end]))
        end++;
    return end - place;
}

/* The place of the character before a place. */
static size_t
place_before(const struct plain *plain, size_t place)
{
    if (place > 0)
        place--;
    while (place > 0 && is_continuation(plain->line.data[place]))
        place--;
    return place;
}

/* Puts a character in the place of the one that stands there. */
static void
put_character(struct plain *plain, const char *bytes, size_t len)
{
    if (plain->is_full || plain->at + len > PLAIN_LINE_MAX_BYTES) {
        plain->is_full = true;
        return;
    }
    struct buffer *line = &plain->line;
    size_t old = character_bytes(plain, plain->at);
    /* a longer character pushes the last ones out */
    while (line->len - old + len > PLAIN_LINE_MAX_BYTES)
        line->len = place_before(plain, line->len);
    buffer_reserve(line, len);
    memmove(line->data + plain->at + len, line->data + plain->at + old,
            line->len - plain->at - old);
    memcpy(line->data + plain->at, bytes, len);
    line->len = line->len - old + len;
    line->data[line->len] = '\0';
    plain->at += len;
}

/* Adds text at the line's end as far as there is room. */
static size_t
append_ascii(struct plain *plain, const char *bytes, size_t len)
{
    size_t run = 0;
    while (run < len && (unsigned char)bytes[run] < 0x80)
        run++;
    size_t room = PLAIN_LINE_MAX_BYTES - plain->at;
    if (run > room)
        run = room;
    buffer_append(&plain->line, bytes, run);
    plain->at += run;
    return run;
}

static void
on_print(void *data, const char *bytes, size_t len)
{
    struct plain *plain = data;
    for (size_t at = 0; at < len && !plain->is_full;) {
        if (plain->at == plain->line.len) {
            size_t run = append_ascii(plain, bytes + at, len - at);
            if (run) {
                at += run;
                continue;
            }
        }
        uint32_t codepoint = 0;
        size_t taken = utf8_decode(bytes + at, len - at, &codepoint);
        at += taken ? taken : len - at;
        char encoded[4];
        put_character(plain, encoded, utf8_encode(codepoint, encoded));
    }
}

/* Moving ------------------------------------------------------------------- */

static void
end_line(struct plain *plain)
{
    plain->is_done = true;
}

/* The cursor went elsewhere: what was written is a line of its own. */
static void
leave_line(struct plain *plain)
{
    if (plain->line.len)
        end_line(plain);
}

/* Over what stands there, as on a screen, and blanks behind it. */
static void
tabulate(struct plain *plain)
{
    do {
        if (plain->at < plain->line.len)
            plain->at += character_bytes(plain, plain->at);
        else
            put_character(plain, " ", 1);
    } while (plain->at % TAB_COLS && !plain->is_full);
}

static void
on_control(void *data, unsigned char control)
{
    struct plain *plain = data;
    switch (control) {
    case '\n':
        end_line(plain);
        break;
    case '\v':
    case '\f':
        leave_line(plain);
        break;
    case '\r':
        plain->at = 0;
        plain->is_full = false;
        break;
    case '\b':
        plain->at = place_before(plain, plain->at);
        plain->is_full = false;
        break;
    case '\t':
        tabulate(plain);
        break;
    default:
        break;
    }
}

/* IND, NEL, RI, RIS (ECMA-48, 8.3; DEC STD 070). */
static void
on_escape(void *data, const char *intermediates, char final)
{
    if (!intermediates[0] && strchr("DEMc", final))
        leave_line(data);
}

/* CUU, CUD, CNL, CPL, CUP, HVP, VPA, and ED of the whole screen. */
static void
on_csi(void *data, const struct parser_sequence *sequence)
{
    if (sequence->prefix || sequence->intermediates[0])
        return;
    bool is_erase =
        sequence->final == 'J' && sequence->count && sequence->params[0] >= 2;
    if (is_erase || strchr("ABEFHdf", sequence->final))
        leave_line(data);
}

static void
on_string(void *data, enum parser_string kind,
          const struct parser_sequence *sequence, const char *text, size_t len)
{
    (void)data;
    (void)kind;
    (void)sequence;
    (void)text;
    (void)len;
}

static const struct parser_handlers handlers = {
    .on_print = on_print,
    .on_control = on_control,
    .on_escape = on_escape,
    .on_csi = on_csi,
    .on_string = on_string,
};

/* Feeding ------------------------------------------------------------------ */

/* How many bytes the parser can have at once without more than one line's end
 * among them: text and the control or control sequence behind it. Within a
 * sequence nothing below 0x40 ends one but controls. */
static size_t
step_bytes(const struct plain *plain, const char *bytes, size_t len)
{
    size_t at = 0;
    if (parser_is_idle(&plain->parser)) {
        while (at < len && (unsigned char)bytes[at] >= 0x20)
            at++;
        if (at + 1 >= len)
            return len;
        if (bytes[at] != '\033' || bytes[at + 1] != '[')
            return at + 1;
        at += 2;
    }
    while (at < len && (unsigned char)bytes[at] >= 0x20 &&
           (unsigned char)bytes[at] < 0x40)
        at++;
    return at < len ? at + 1 : len;
}

size_t
plain_feed(struct plain *plain, const char *bytes, size_t len, bool *ret_done)
{
    size_t at = 0;
    plain->parser.handlers = &handlers;
    plain->parser.data = plain;
    plain->is_done = false;
    while (at < len && !plain->is_done) {
        /* a byte that is no UTF-8 takes three */
        size_t room = (PLAIN_LINE_MAX_BYTES - plain->at) / 3;
        size_t left = len - at < room ? len - at : room;
        if (!room) {
            end_line(plain);
            break;
        }
        size_t step = step_bytes(plain, bytes + at, left);
        bool was_empty = plain->line.len == 0;
        parser_feed(&plain->parser, bytes + at, step);
        if (was_empty && plain->line.len > 0)
            plain->text_at = plain->fed;
        at += step;
        plain->fed += step;
    }
    *ret_done = plain->is_done;
    return at;
}
