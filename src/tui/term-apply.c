#include "base/utf8.h"
#include "tui/term-looks.h"

#include <stdio.h>
#include <string.h>

/* Room for the parameters of one colour, "38;2;255;255;255". */
#define COLOUR_BYTES 24

/* The terminal while an update is written to it. */
struct painter {
    const struct term_looks *looks;
    struct buffer *out;
    struct term_look on; /* what of looks is in force */
    /* what curses set: */
    char foreground[COLOUR_BYTES];
    char background[COLOUR_BYTES];
    bool is_underlined;
};

static void
begin_sgr(struct buffer *sgr)
{
    buffer_append_text(sgr, sgr->len ? ";" : "\033[");
}

/* number: 38, 48. own: what curses has set. */
static void
change_colour(struct buffer *sgr, unsigned number, uint32_t from, uint32_t to,
              const char *own)
{
    uint32_t value = to & TERM_LOOK_COLOUR_MASK;
    if (from == to)
        return;
    begin_sgr(sgr);
    if (to)
        buffer_printf(sgr, "%u;2;%u;%u;%u", number, value >> 16,
                      value >> 8 & 0xFF, value & 0xFF);
    else
        buffer_append_text(sgr, own);
}

static void
change_underline(struct buffer *sgr, const struct painter *painter,
                 const struct term_look *to)
{
    uint32_t colour = to->underline_colour;
    uint32_t value = colour & TERM_LOOK_COLOUR_MASK;
    if (painter->on.underline != to->underline) {
        begin_sgr(sgr);
        if (to->underline)
            buffer_printf(sgr, "4:%u", (unsigned)to->underline);
        else
            buffer_append_text(sgr, painter->is_underlined ? "4" : "24");
    }
    if (painter->on.underline_colour == colour)
        return;
    begin_sgr(sgr);
    if (colour & TERM_LOOK_RGB)
        buffer_printf(sgr, "58:2::%u:%u:%u", value >> 16, value >> 8 & 0xFF,
                      value & 0xFF);
    else if (colour)
        buffer_printf(sgr, "58:5:%u", value & 0xFF);
    else
        buffer_append_text(sgr, "59");
}

/* Makes the terminal show that look from now on. */
static void
change_look(struct painter *painter, const struct term_look *to)
{
    struct buffer text = {0};
    if (memcmp(&painter->on, to, sizeof(*to)) == 0)
        return;
    unsigned lines = painter->on.lines ^ to->lines;
    if (!painter->looks->is_direct) {
        change_colour(&text, 38, painter->on.foreground, to->foreground,
                      painter->foreground);
        change_colour(&text, 48, painter->on.background, to->background,
                      painter->background);
    }
    change_underline(&text, painter, to);
    if (lines & TERM_EXTRA_STRIKE) {
        begin_sgr(&text);
        buffer_append_text(&text, to->lines & TERM_EXTRA_STRIKE ? "9" : "29");
    }
    if (lines & TERM_EXTRA_OVERLINE) {
        begin_sgr(&text);
        buffer_append_text(&text,
                           to->lines & TERM_EXTRA_OVERLINE ? "53" : "55");
    }
    if (text.len) {
        buffer_append(painter->out, text.data, text.len);
        buffer_append_byte(painter->out, 'm');
    }
    buffer_finish(&text);
    painter->on = *to;
}

static void
settle(struct painter *painter)
{
    static const struct term_look plain = {0};
    change_look(painter, &plain);
}

/* Columns of text that one parameter of an SGR takes, with those that belong to
 * it: "38;5;75". */
static size_t
parameter_len(const char *text, size_t len)
{
    size_t parts = 1;
    if (len > 4 && (memcmp(text, "38;", 3) == 0 || memcmp(text, "48;", 3) == 0))
        parts = text[3] == '2' ? 5 : 3;
    size_t at = 0;
    for (; at < len; at++) {
        if (text[at] == ';' && --parts == 0)
            break;
    }
    return at;
}

static void
keep_colour(char colour[COLOUR_BYTES], const char *text, size_t len)
{
    (void)snprintf(colour, COLOUR_BYTES, "%.*s", (int)len, text);
}

/* One parameter of what curses sets. */
static void
take_parameter(struct painter *painter, const char *text, size_t len)
{
    int number = 0;
    for (size_t i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++)
        number = number < 1000 ? number * 10 + (text[i] - '0') : number;
    if (number == 0) {
        painter->on = (struct term_look){0};
        painter->is_underlined = false;
        keep_colour(painter->foreground, "39", 2);
        keep_colour(painter->background, "49", 2);
    } else if (number == 4 || number == 24) {
        painter->is_underlined = number == 4;
        painter->on.underline = 0;
    } else if ((number >= 30 && number <= 39) ||
               (number >= 90 && number <= 97)) {
        painter->on.foreground = 0;
        keep_colour(painter->foreground, text, len);
    } else if ((number >= 40 && number <= 49) ||
               (number >= 100 && number <= 107)) {
        painter->on.background = 0;
        keep_colour(painter->background, text, len);
    }
}

static void
take_sgr(struct painter *painter, const char *text, size_t len)
{
    size_t at = 0;
    do {
        size_t part = parameter_len(text + at, len - at);
        take_parameter(painter, text + at, part);
        at += part + 1;
    } while (at <= len);
}

/* Passes an escape sequence on; returns its length. Those that set attributes
 * change what is known, before all others the terminal is given back to curses:
 * they may erase with the present background. */
static size_t
pass_escape(struct painter *painter, const char *bytes, size_t len)
{
    size_t end = 2;
    if (len > 2 && bytes[1] == '[') {
        while (end < len && (unsigned char)bytes[end] < 0x40)
            end++;
        end++;
        if (end <= len && bytes[end - 1] == 'm')
            take_sgr(painter, bytes + 2, end - 3);
        else
            settle(painter);
    } else if (len > 2 && bytes[1] == '(') {
        end = 3;
    } else {
        settle(painter);
    }
    end = end < len ? end : len;
    buffer_append(painter->out, bytes, end);
    return end;
}

/* The number of a look that stands there; 0: none does. */
static int
read_number(const char *bytes, size_t len)
{
    uint32_t codepoint = 0;
    if (len < 4 || (unsigned char)bytes[0] != 0xF4 ||
        utf8_decode(bytes, len, &codepoint) != 4 || codepoint < TERM_LOOK_FIRST)
        return 0;
    return (int)(codepoint - TERM_LOOK_FIRST);
}

/* Passes a character on, in the look whose number stands behind it; returns the
 * bytes of both. */
static size_t
pass_character(struct painter *painter, const char *bytes, size_t len)
{
    static const struct term_look plain = {0};
    uint32_t codepoint = 0;
    size_t step = utf8_decode(bytes, len, &codepoint);
    if (!step)
        step = len;
    int number = read_number(bytes + step, len - step);
    const struct term_look *look = term_looks_get(painter->looks, number);
    /* marks belong to the character before them */
    if (look || utf8_width(codepoint) != 0)
        change_look(painter, look ? look : &plain);
    buffer_append(painter->out, bytes, step);
    return step + (number ? 4 : 0);
}

void
term_looks_apply(const struct term_looks *looks, const char *bytes, size_t len,
                 struct buffer *out)
{
    struct painter painter = {
        .looks = looks, .out = out, .foreground = "39", .background = "49"};
    for (size_t at = 0; at < len;) {
        unsigned char byte = (unsigned char)bytes[at];
        if (byte == 0x1B) {
            at += pass_escape(&painter, bytes + at, len - at);
        } else if (byte < 0x20) {
            settle(&painter);
            buffer_append_byte(out, bytes[at++]);
        } else {
            at += pass_character(&painter, bytes + at, len - at);
        }
    }
    settle(&painter);
}
