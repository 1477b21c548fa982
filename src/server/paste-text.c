#include "server/paste-text.h"

#include <string.h>

static const char start_mark[] = "\033[200~";
static const char end_mark[] = "\033[201~";
#define MARK_BYTES (sizeof(end_mark) - 1)

/* Bytes given away that are moved out of the buffer at once. */
#define CUT_BYTES (64u << 10)

void
paste_text_init(struct paste_text *text, bool is_bracketed)
{
    *text = (struct paste_text){.is_bracketed = is_bracketed};
    if (is_bracketed)
        buffer_append_text(&text->bytes, start_mark);
}

void
paste_text_finish(struct paste_text *text)
{
    buffer_finish(&text->bytes);
}

/* The mark's bytes were held back as they came, so all of them are still
 * here. */
static void
add_bracketed(struct paste_text *text, char byte)
{
    struct buffer *bytes = &text->bytes;
    buffer_append_byte(bytes, byte);
    if (bytes->len - text->head >= MARK_BYTES &&
        !memcmp(bytes->data + bytes->len - MARK_BYTES, end_mark, MARK_BYTES)) {
        /* taken out, what stands around it could make up another */
        bytes->len -= MARK_BYTES;
        buffer_append_byte(bytes, ' ');
    }
}

void
paste_text_add(struct paste_text *text, const char *bytes, size_t len)
{
    buffer_reserve(&text->bytes, len);
    for (size_t i = 0; i < len; i++) {
        if (text->is_bracketed) {
            add_bracketed(text, bytes[i]);
            continue;
        }
        bool is_pair = text->is_after_cr && bytes[i] == '\n';
        text->is_after_cr = bytes[i] == '\r';
        if (!is_pair)
            buffer_append_byte(&text->bytes,
                               bytes[i] == '\n' ? '\r' : bytes[i]);
    }
}

void
paste_text_complete(struct paste_text *text)
{
    if (text->is_complete)
        return;
    text->is_complete = true;
    if (text->is_bracketed)
        buffer_append_text(&text->bytes, end_mark);
}

size_t
paste_text_waiting(const struct paste_text *text)
{
    return text->bytes.len - text->head;
}

/* How many of the last bytes are the beginning of an end mark. */
static size_t
held_back(const struct paste_text *text)
{
    size_t waiting = paste_text_waiting(text);
    for (size_t len = MARK_BYTES - 1; len > 0; len--) {
        if (len <= waiting &&
            !memcmp(text->bytes.data + text->bytes.len - len, end_mark, len))
            return len;
    }
    return 0;
}

size_t
paste_text_ready(const struct paste_text *text)
{
    if (text->is_complete || !text->is_bracketed)
        return paste_text_waiting(text);
    return paste_text_waiting(text) - held_back(text);
}

static bool
is_line_end(char byte)
{
    return byte == '\r' || byte == '\n';
}

size_t
paste_text_line(const struct paste_text *text)
{
    size_t ready = paste_text_ready(text);
    const char *bytes = paste_text_bytes(text);
    for (size_t i = 0; i < ready; i++) {
        if (i + 1 == PASTE_LINE_MAX_BYTES)
            return i + 1;
        if (!is_line_end(bytes[i]))
            continue;
        /* in brackets CR LF stays together */
        if (bytes[i] == '\r' && i + 1 < ready && bytes[i + 1] == '\n')
            i++;
        return i + 1;
    }
    return text->is_complete ? ready : 0;
}

const char *
paste_text_bytes(const struct paste_text *text)
{
    return text->bytes.data ? text->bytes.data + text->head : "";
}

void
paste_text_take(struct paste_text *text, size_t len)
{
    const char *bytes = paste_text_bytes(text);
    for (size_t i = 0; i < len; i++)
        text->lines += bytes[i] == '\r' ||
                       (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r'));
    text->head += len;
    text->given += len;
    if (text->head == text->bytes.len || text->head >= CUT_BYTES) {
        buffer_consume(&text->bytes, text->head);
        text->head = 0;
    }
}

bool
paste_text_is_over(const struct paste_text *text)
{
    return text->is_complete && paste_text_waiting(text) == 0;
}

const char *
paste_text_break_off(const struct paste_text *text)
{
    bool has_begun = text->is_bracketed && text->given > 0;
    return has_begun && !paste_text_is_over(text) ? end_mark : "";
}
