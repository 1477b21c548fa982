#include "wire/codec.h"

#include "base/text.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

/* Memory kept for the next line, bytes; that of a longer one is given back. */
#define KEPT_BYTES 262144u

void
codec_init(struct codec *codec, size_t max_bytes)
{
    *codec = (struct codec){.max_bytes = max_bytes};
}

void
codec_finish(struct codec *codec)
{
    if (!codec)
        return;
    buffer_finish(&codec->line);
    codec->start = 0;
}

void
codec_feed(struct codec *codec, const char *bytes, size_t len)
{
    if (codec->start) {
        buffer_consume(&codec->line, codec->start);
        codec->start = 0;
    }
    buffer_append(&codec->line, bytes, len);
}

static bool
is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    }
    return true;
}

/* Bytes of the number, up to its fraction or exponent, at the start. */
static size_t
integer_bytes(const char *text, size_t len)
{
    size_t at = 0;
    while (at < len &&
           (text[at] == '-' || (text[at] >= '0' && text[at] <= '9')))
        at++;
    return at;
}

/* Whether the digits of an integer (a sign before them counts) are more than
 * jansson's integers hold. */
static bool
is_overflowing(const char *digits, size_t len)
{
    char number[32];
    if (len >= sizeof(number))
        return true;
    memcpy(number, digits, len);
    number[len] = '\0';
    errno = 0;
    (void)strtoll(number, NULL, 10);
    return errno == ERANGE;
}

/* Appends the line with its integers beyond 63 bits made fractions: QEMU has
 * unsigned ones of 64, and one of them is no reason to lose a reply. */
static void
widen_integers(const char *text, size_t len, struct buffer *out)
{
    bool is_in_string = false;
    for (size_t at = 0; at < len;) {
        size_t digits = is_in_string ? 0 : integer_bytes(text + at, len - at);
        if (digits) {
            char next = at + digits < len ? text[at + digits] : ' ';
            bool is_integer = next != '.' && next != 'e' && next != 'E';
            buffer_append(out, text + at, digits);
            if (is_integer && is_overflowing(text + at, digits))
                buffer_append_text(out, "e0");
            at += digits;
            continue;
        }
        if (is_in_string && text[at] == '\\' && at + 1 < len)
            buffer_append_byte(out, text[at++]);
        else if (text[at] == '"')
            is_in_string = !is_in_string;
        buffer_append_byte(out, text[at++]);
    }
}

static json_t *
parse(const char *text, size_t len, json_error_t *fault)
{
    json_t *message = json_loadb(text, len, JSON_REJECT_DUPLICATES, fault);
    if (message || json_error_code(fault) != json_error_numeric_overflow)
        return message;
    struct buffer wide = {0};
    json_error_t ignored;
    widen_integers(text, len, &wide);
    message = json_loadb(wide.data, wide.len, JSON_REJECT_DUPLICATES, &ignored);
    buffer_finish(&wide);
    return message;
}

static enum codec_result
decode(const char *text, size_t len, json_t **ret_message, struct error *error)
{
    size_t bad = 0;
    if (!utf8_is_valid(text, len, &bad)) {
        error_set(error, ERROR_CODE_PROTOCOL,
                  "the line is not UTF-8: byte 0x%02x at offset %zu",
                  (unsigned char)text[bad], bad);
        return CODEC_RESULT_FAULT;
    }
    json_error_t fault;
    json_t *message = parse(text, len, &fault);
    if (!message) {
        /* it cites the line */
        char *shown = text_printable(fault.text, strlen(fault.text), 0, 0);
        error_set(error, ERROR_CODE_PROTOCOL,
                  "the line is not JSON: %s, at column %d", shown,
                  fault.column);
        free(shown);
        return CODEC_RESULT_FAULT;
    }
    if (!json_is_object(message)) {
        json_decref(message);
        error_set(error, ERROR_CODE_PROTOCOL, "the line is not a JSON object");
        return CODEC_RESULT_FAULT;
    }
    *ret_message = message;
    return CODEC_RESULT_MESSAGE;
}

static enum codec_result
over_long(const struct codec *codec, struct error *error)
{
    error_set(error, ERROR_CODE_LIMIT,
              "the line is longer than %zu bytes; it was dropped",
              codec->max_bytes);
    return CODEC_RESULT_FAULT;
}

/* No line end in sight: keeps the part of the line that came, or starts to drop
 * it when it is too long already. */
static enum codec_result
wait_for_more(struct codec *codec, struct error *error)
{
    size_t unfinished = codec->line.len - codec->start;
    if (codec->is_skipping || unfinished > codec->max_bytes) {
        buffer_reset(&codec->line);
        codec->start = codec->scanned = 0;
        if (!codec->is_skipping) {
            codec->is_skipping = true;
            return over_long(codec, error);
        }
        return CODEC_RESULT_NONE;
    }
    if (!unfinished && codec->line.capacity > KEPT_BYTES) {
        buffer_finish(&codec->line);
        codec->start = 0;
    }
    codec->scanned = unfinished;
    return CODEC_RESULT_NONE;
}

enum codec_result
codec_next(struct codec *codec, json_t **ret_message, struct error *error)
{
    for (;;) {
        if (codec->line.len == codec->start)
            return wait_for_more(codec, error);
        char *text = codec->line.data + codec->start;
        size_t left = codec->line.len - codec->start;
        char *end = memchr(text + codec->scanned, '\n', left - codec->scanned);
        if (!end)
            return wait_for_more(codec, error);
        size_t len = (size_t)(end - text);
        codec->start += len + 1;
        codec->scanned = 0;
        if (codec->is_skipping) {
            codec->is_skipping = false;
            continue;
        }
        if (len > codec->max_bytes)
            return over_long(codec, error);
        if (!is_blank(text, len))
            return decode(text, len, ret_message, error);
    }
}

static int
append_chunk(const char *bytes, size_t len, void *out)
{
    buffer_append(out, bytes, len);
    return 0;
}

void
codec_encode(const json_t *message, struct buffer *out)
{
    (void)json_dump_callback(message, append_chunk, out, JSON_COMPACT);
    buffer_append_byte(out, '\n');
}

json_t *
codec_command(const char *method, json_t *arguments, json_t *id)
{
    json_t *message = json_object();
    json_object_set_new(message, "execute", json_string(method));
    if (arguments)
        json_object_set_new(message, "arguments", arguments);
    if (id)
        json_object_set_new(message, "id", id);
    return message;
}

json_t *
codec_return(json_t *value, json_t *id)
{
    json_t *message = json_object();
    json_object_set_new(message, "return", value ? value : json_object());
    if (id)
        json_object_set_new(message, "id", id);
    return message;
}

json_t *
codec_error(const char *error_class, const char *text, json_t *id)
{
    json_t *fault = json_object();
    json_object_set_new(fault, "class", json_string(error_class));
    json_object_set_new(fault, "desc", json_from_text(text));
    json_t *message = json_object();
    json_object_set_new(message, "error", fault);
    if (id)
        json_object_set_new(message, "id", id);
    return message;
}

json_t *
codec_event(const char *name, json_t *data)
{
    struct timeval now;
    (void)gettimeofday(&now, NULL);
    json_t *message = json_object();
    json_object_set_new(message, "event", json_string(name));
    json_object_set_new(message, "data", data ? data : json_object());
    json_t *timestamp = json_object();
    json_object_set_new(timestamp, "seconds", json_integer(now.tv_sec));
    json_object_set_new(timestamp, "microseconds", json_integer(now.tv_usec));
    json_object_set_new(message, "timestamp", timestamp);
    return message;
}
