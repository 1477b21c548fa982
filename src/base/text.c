#include "base/text.h"

#include "base/buffer.h"
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* Longest guest name, characters: keeps socket paths short. */
#define NAME_MAX_CHARS 48

static bool
is_bidi_control(uint32_t c)
{
    return c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

struct printer {
    struct buffer out;
    size_t max_cols;
    size_t cols;
    size_t fit;  /* length of out up to where "…" still fits */
    bool is_cut; /* the rest of this line is dropped */
};

static void
put_character(struct printer *printer, uint32_t codepoint)
{
    int width = utf8_width(codepoint);
    if (is_bidi_control(codepoint) || width < 0 ||
        !utf8_is_assigned(codepoint)) {
        codepoint = UTF8_REPLACEMENT;
        width = 1;
    }
    /* Zero-width characters could pile up without end on one cell. */
    if (width == 0 || printer->is_cut)
        return;
    if (printer->max_cols &&
        printer->cols + (size_t)width > printer->max_cols) {
        printer->out.len = printer->fit;
        buffer_append_text(&printer->out, "…");
        printer->is_cut = true;
        return;
    }
    char bytes[4];
    size_t len = utf8_encode(codepoint, bytes);
    buffer_append(&printer->out, bytes, len);
    printer->cols += (size_t)width;
    if (printer->cols + 1 <= printer->max_cols)
        printer->fit = printer->out.len;
}

char *
text_printable(const char *text, size_t len, size_t max_cols, unsigned flags)
{
    struct printer printer = {.max_cols = max_cols};
    for (size_t at = 0; at < len;) {
        uint32_t codepoint = 0;
        size_t bytes = utf8_decode(text + at, len - at, &codepoint);
        at += bytes ? bytes : len - at;
        if (codepoint == '\r' && at < len && text[at] == '\n')
            continue;
        if (codepoint == '\n' && (flags & TEXT_KEEP_LINES)) {
            buffer_append_byte(&printer.out, '\n');
            printer.cols = 0;
            printer.fit = printer.out.len;
            printer.is_cut = false;
            continue;
        }
        if (codepoint == '\n' || codepoint == '\t' || codepoint == '\r')
            codepoint = ' ';
        put_character(&printer, codepoint);
    }
    return buffer_steal(&printer.out);
}

bool
text_is_name(const char *text)
{
    static const char alnum[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789";
    size_t len = strlen(text);
    if (len == 0 || len > NAME_MAX_CHARS || !strchr(alnum, text[0]))
        return false;
    for (size_t i = 1; i < len; i++) {
        if (!strchr(alnum, text[i]) && !strchr("._-", text[i]))
            return false;
    }
    return true;
}
