#include "client/expand.h"

#include <string.h>

static const char name_word[] = "{name}";
static const char index_word[] = "{index}";

static bool
begins_with(const char *text, size_t len, const char *word)
{
    size_t word_len = strlen(word);
    return len >= word_len && memcmp(text, word, word_len) == 0;
}

void
expand_text(const char *text, size_t len, const char *name, size_t index,
            struct buffer *out)
{
    size_t at = 0;
    while (at < len) {
        const char *brace = memchr(text + at, '{', len - at);
        size_t plain = brace ? (size_t)(brace - text) - at : len - at;
        buffer_append(out, text + at, plain);
        at += plain;
        if (begins_with(text + at, len - at, name_word)) {
            buffer_append_text(out, name);
            at += sizeof(name_word) - 1;
        } else if (begins_with(text + at, len - at, index_word)) {
            buffer_printf(out, "%zu", index);
            at += sizeof(index_word) - 1;
        } else if (at < len) {
            buffer_append_byte(out, text[at++]);
        }
    }
}

bool
expand_is_needed(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (begins_with(text + i, len - i, name_word) ||
            begins_with(text + i, len - i, index_word))
            return true;
    }
    return false;
}

size_t
expand_tail(const char *text, size_t len)
{
    for (size_t tail = 1; tail < EXPAND_WORD_MAX_BYTES && tail <= len; tail++) {
        const char *at = text + len - tail;
        if ((tail < sizeof(name_word) - 1 && !memcmp(at, name_word, tail)) ||
            (tail < sizeof(index_word) - 1 && !memcmp(at, index_word, tail)))
            return tail;
    }
    return 0;
}
