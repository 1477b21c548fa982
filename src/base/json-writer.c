#include "base/json-writer.h"

#include <string.h>

/* Digits and sign of a 64-bit integer. */
#define INTEGER_BYTES 20

struct json_writer
json_writer_begin(struct buffer *out)
{
    return (struct json_writer){.out = out};
}

/* What stands before a value: a comma, its name. */
static void
begin_value(struct json_writer *writer, const char *name)
{
    size_t len = name ? strlen(name) : 0;
    buffer_reserve(writer->out, len + 4);
    char *at = writer->out->data + writer->out->len;
    if (writer->needs_comma)
        *at++ = ',';
    if (name) {
        *at++ = '"';
        memcpy(at, name, len);
        at += len;
        *at++ = '"';
        *at++ = ':';
    }
    *at = '\0';
    writer->out->len = (size_t)(at - writer->out->data);
    writer->needs_comma = true;
}

static void
open_value(struct json_writer *writer, const char *name, char bracket)
{
    begin_value(writer, name);
    buffer_append_byte(writer->out, bracket);
    writer->needs_comma = false;
}

static void
close_value(struct json_writer *writer, char bracket)
{
    buffer_append_byte(writer->out, bracket);
    writer->needs_comma = true;
}

void
json_writer_open_object(struct json_writer *writer, const char *name)
{
    open_value(writer, name, '{');
}

void
json_writer_close_object(struct json_writer *writer)
{
    close_value(writer, '}');
}

void
json_writer_open_array(struct json_writer *writer, const char *name)
{
    open_value(writer, name, '[');
}

void
json_writer_close_array(struct json_writer *writer)
{
    close_value(writer, ']');
}

void
json_writer_integer(struct json_writer *writer, const char *name, int64_t value)
{
    char digits[INTEGER_BYTES];
    char *end = digits + sizeof(digits);
    char *at = end;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        *--at = '-';
    begin_value(writer, name);
    buffer_append(writer->out, at, (size_t)(end - at));
}

void
json_writer_boolean(struct json_writer *writer, const char *name, bool value)
{
    begin_value(writer, name);
    buffer_append_text(writer->out, value ? "true" : "false");
}

static bool
is_plain(char byte)
{
    return (unsigned char)byte >= 0x20 && byte != '"' && byte != '\\';
}

static void
append_escaped(struct buffer *out, char byte)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', byte};
    size_t len = 2;
    if ((unsigned char)byte < 0x20) {
        text[1] = 'u';
        text[2] = text[3] = '0';
        text[4] = hex[(unsigned char)byte >> 4];
        text[5] = hex[byte & 0xF];
        len = 6;
    }
    buffer_append(out, text, len);
}

void
json_writer_string(struct json_writer *writer, const char *name,
                   const char *text, size_t len)
{
    begin_value(writer, name);
    buffer_reserve(writer->out, len + 2);
    buffer_append_byte(writer->out, '"');
    for (size_t at = 0; at < len;) {
        size_t start = at;
        while (at < len && is_plain(text[at]))
            at++;
        buffer_append(writer->out, text + start, at - start);
        if (at < len)
            append_escaped(writer->out, text[at++]);
    }
    buffer_append_byte(writer->out, '"');
}
