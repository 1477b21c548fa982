#include "tui/clipboard.h"

#include "base/base64.h"

#include <string.h>

/* screen takes strings of up to 768 bytes (its MAXSTR), ours a little less. */
#define SCREEN_CHUNK_BYTES 512

bool
clipboard_parse(const char *text, enum clipboard_when *ret_when,
                struct error *error)
{
    static const char *const names[] = {
        [CLIPBOARD_AUTO] = "auto",
        [CLIPBOARD_ON] = "on",
        [CLIPBOARD_OFF] = "off",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret_when = (enum clipboard_when)i;
            return true;
        }
    }
    return error_set(error, ERROR_CODE_INVALID,
                     "--clipboard is auto, on or off, not \"%s\"", text);
}

static bool
begins_with(const char *text, const char *start)
{
    return text && strncmp(text, start, strlen(start)) == 0;
}

static bool
is_set(const char *text)
{
    return text && text[0];
}

unsigned
clipboard_ways(enum clipboard_when when, const struct clipboard_place *place)
{
    if (when == CLIPBOARD_OFF)
        return 0;
    /* the kernel's console has no clipboard, nor has what draws nothing */
    if (when == CLIPBOARD_AUTO && (place->is_linux_vt || !is_set(place->term) ||
                                   strcmp(place->term, "dumb") == 0))
        return 0;
    /* tmux takes the plain one when set-clipboard is on, and passes the other
     * on when allow-passthrough is */
    if (is_set(place->tmux) || begins_with(place->term, "tmux"))
        return CLIPBOARD_PLAIN | CLIPBOARD_TMUX;
    if (is_set(place->sty))
        return CLIPBOARD_SCREEN;
    /* either of them, on the other side of ssh */
    if (begins_with(place->term, "screen"))
        return CLIPBOARD_PLAIN | CLIPBOARD_SCREEN;
    return CLIPBOARD_PLAIN;
}

static void
append_tmux(const struct buffer *sequence, struct buffer *out)
{
    buffer_append_text(out, "\033Ptmux;");
    for (size_t i = 0; i < sequence->len; i++) {
        if (sequence->data[i] == '\033')
            buffer_append_byte(out, '\033');
        buffer_append_byte(out, sequence->data[i]);
    }
    buffer_append_text(out, "\033\\");
}

static void
append_screen(const struct buffer *sequence, struct buffer *out)
{
    for (size_t i = 0; i < sequence->len; i += SCREEN_CHUNK_BYTES) {
        size_t left = sequence->len - i;
        buffer_append_text(out, "\033P");
        buffer_append(out, sequence->data + i,
                      left < SCREEN_CHUNK_BYTES ? left : SCREEN_CHUNK_BYTES);
        buffer_append_text(out, "\033\\");
    }
}

void
clipboard_encode(unsigned ways, const char *text, size_t len,
                 struct buffer *out)
{
    struct buffer sequence = {0};
    /* ended by BEL: ST would end the DCS around it too */
    buffer_append_text(&sequence, "\033]52;c;");
    base64_encode(text, len, &sequence);
    buffer_append_byte(&sequence, '\a');
    if (ways & CLIPBOARD_PLAIN)
        buffer_append(out, sequence.data, sequence.len);
    if (ways & CLIPBOARD_TMUX)
        append_tmux(&sequence, out);
    if (ways & CLIPBOARD_SCREEN)
        append_screen(&sequence, out);
    buffer_finish(&sequence);
}
