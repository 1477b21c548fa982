#include "base/utf8.h"

#include <string.h>

#include <utf8proc.h>

static size_t
sequence_bytes(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 3;
    if (lead >= 0xF0 && lead <= 0xF4)
        return 4;
    return 0;
}

/* Whether second may follow lead (Unicode, table 3-7). */
static bool
is_second_byte(unsigned char lead, unsigned char second)
{
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    return second >= low && second <= high;
}

size_t
utf8_decode(const char *text, size_t len, uint32_t *ret_codepoint)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t need = sequence_bytes(bytes[0]);
    if (need == 1) {
        *ret_codepoint = bytes[0];
        return 1;
    }
    *ret_codepoint = UTF8_REPLACEMENT;
    if (need == 0)
        return 1;
    uint32_t codepoint = bytes[0] & (0xFFu >> (need + 1));
    for (size_t i = 1; i < need; i++) {
        if (i >= len)
            return 0;
        bool good = i == 1 ? is_second_byte(bytes[0], bytes[1])
                           : (bytes[i] & 0xC0) == 0x80;
        if (!good)
            return i;
        codepoint = codepoint << 6 | (bytes[i] & 0x3Fu);
    }
    *ret_codepoint = codepoint;
    return need;
}

size_t
utf8_encode(uint32_t codepoint, char bytes[4])
{
    if (codepoint > 0x10FFFF || (codepoint >= 0xD800 && codepoint <= 0xDFFF))
        codepoint = UTF8_REPLACEMENT;
    if (codepoint < 0x80) {
        bytes[0] = (char)codepoint;
        return 1;
    }
    if (codepoint < 0x800) {
        bytes[0] = (char)(0xC0 | codepoint >> 6);
        bytes[1] = (char)(0x80 | (codepoint & 0x3F));
        return 2;
    }
    if (codepoint < 0x10000) {
        bytes[0] = (char)(0xE0 | codepoint >> 12);
        bytes[1] = (char)(0x80 | (codepoint >> 6 & 0x3F));
        bytes[2] = (char)(0x80 | (codepoint & 0x3F));
        return 3;
    }
    bytes[0] = (char)(0xF0 | codepoint >> 18);
    bytes[1] = (char)(0x80 | (codepoint >> 12 & 0x3F));
    bytes[2] = (char)(0x80 | (codepoint >> 6 & 0x3F));
    bytes[3] = (char)(0x80 | (codepoint & 0x3F));
    return 4;
}

/* Whether the bytes are a real U+FFFD and stand for no malformed ones. */
static bool
is_replacement(const char *text, size_t len)
{
    return len == 3 && !memcmp(text, "\xEF\xBF\xBD", 3);
}

bool
utf8_is_valid(const char *text, size_t len, size_t *ret_offset)
{
    for (size_t at = 0; at < len;) {
        uint32_t codepoint = 0;
        size_t bytes = utf8_decode(text + at, len - at, &codepoint);
        bool bad = bytes == 0 || (codepoint == UTF8_REPLACEMENT &&
                                  !is_replacement(text + at, bytes));
        if (bad) {
            if (ret_offset)
                *ret_offset = at;
            return false;
        }
        at += bytes;
    }
    return true;
}

/* Where utf8proc counts otherwise than the C library does, which guests and the
 * operator's terminal go by: jamo that join the syllable before them, vowel
 * signs with a place of their own, marks in front of numbers. */
static int
fix_width(uint32_t codepoint, int width)
{
    if ((codepoint >= 0x1160 && codepoint <= 0x11FF) ||
        (codepoint >= 0xD7B0 && codepoint <= 0xD7FF))
        return 0;
    if (width)
        return width;
    const utf8proc_property_t *property =
        utf8proc_get_property((utf8proc_int32_t)codepoint);
    if (property->category == UTF8PROC_CATEGORY_MC ||
        (property->category == UTF8PROC_CATEGORY_CF &&
         property->boundclass == UTF8PROC_BOUNDCLASS_PREPEND))
        return 1;
    return 0;
}

int
utf8_width(uint32_t codepoint)
{
    if (codepoint >= 0x20 && codepoint < 0x7F)
        return 1;
    if (codepoint < 0xA0 || codepoint > 0x10FFFF)
        return -1;
    if (codepoint >= 0xD800 && codepoint <= 0xDFFF)
        return -1;
    if (codepoint == 0xAD) /* SOFT HYPHEN is drawn by terminals */
        return 1;
    int width = utf8proc_charwidth((utf8proc_int32_t)codepoint);
    return fix_width(codepoint, width > 2 ? 2 : width);
}

bool
utf8_is_assigned(uint32_t codepoint)
{
    return codepoint <= 0x10FFFF &&
           utf8proc_category((utf8proc_int32_t)codepoint) !=
               UTF8PROC_CATEGORY_CN;
}

bool
utf8_is_upper(uint32_t codepoint)
{
    utf8proc_category_t category =
        utf8proc_category((utf8proc_int32_t)codepoint);
    return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LT;
}

size_t
utf8_text_cols(const char *text, size_t len)
{
    size_t cols = 0;
    for (size_t at = 0; at < len;) {
        uint32_t codepoint = 0;
        size_t bytes = utf8_decode(text + at, len - at, &codepoint);
        if (!bytes)
            break;
        int width = utf8_width(codepoint);
        cols += width > 0 ? (size_t)width : 0;
        at += bytes;
    }
    return cols;
}

size_t
utf8_col_offset(const char *text, int64_t col)
{
    size_t len = strlen(text);
    size_t at = 0;
    for (int64_t cols = 0; at < len && cols < col;) {
        uint32_t codepoint = 0;
        size_t bytes = utf8_decode(text + at, len - at, &codepoint);
        int width = utf8_width(codepoint);
        cols += width > 0 ? width : 0;
        at += bytes ? bytes : len - at;
    }
    return at;
}

bool
utf8_is_combining(uint32_t codepoint)
{
    if (utf8_width(codepoint) != 0)
        return false;
    switch (utf8proc_category((utf8proc_int32_t)codepoint)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_LO:
        return true;
    default:
        return false;
    }
}
