#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "abcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(const void *data, size_t len, struct buffer *out)
{
    const unsigned char *bytes = data;
    buffer_reserve(out, (len + 2) / 3 * 4);
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= left > 2 ? bytes[i + 2] : 0;
        char quad[4] = {
            digits[group >> 18],
            digits[group >> 12 & 63],
            left > 1 ? digits[group >> 6 & 63] : '=',
            left > 2 ? digits[group & 63] : '=',
        };
        buffer_append(out, quad, sizeof(quad));
    }
}

/* The value of a digit, or -1. */
static int
digit_value(char c)
{
    const char *place = c ? strchr(digits, c) : NULL;
    return place ? (int)(place - digits) : -1;
}

bool
base64_decode(const char *text, size_t len, struct buffer *out)
{
    if (len % 4)
        return false;
    size_t before = out->len;
    for (size_t i = 0; i < len; i += 4) {
        int padding = 0;
        if (i + 4 == len)
            padding = (text[i + 3] == '=') +
                      (text[i + 2] == '=' && text[i + 3] == '=');
        uint32_t group = 0;
        bool is_good = true;
        for (int j = 0; j < 4; j++) {
            int value = j >= 4 - padding ? 0 : digit_value(text[i + (size_t)j]);
            is_good = is_good && value >= 0;
            group = group << 6 | (uint32_t)(value & 63);
        }
        if (!is_good) {
            out->len = before;
            if (out->data)
                out->data[before] = '\0';
            return false;
        }
        char bytes[3] = {(char)(group >> 16), (char)(group >> 8), (char)group};
        buffer_append(out, bytes, 3 - (size_t)padding);
    }
    return true;
}
