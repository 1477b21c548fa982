#include "base/buffer.h"

#include "base/xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buffer_finish(struct buffer *buffer)
{
    if (!buffer)
        return;
    free(buffer->data);
    *buffer = (struct buffer){0};
}

void
buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t need = buffer->len + more + 1;
    if (need < more)
        abort();
    if (need <= buffer->capacity)
        return;
    size_t capacity = buffer->capacity ? buffer->capacity : 64;
    while (capacity < need)
        capacity += capacity / 2 + 64;
    buffer->data = xreallocarray(buffer->data, capacity, 1);
    buffer->capacity = capacity;
    buffer->data[buffer->len] = '\0';
}

void
buffer_append(struct buffer *buffer, const void *data, size_t len)
{
    buffer_reserve(buffer, len);
    if (len)
        memcpy(buffer->data + buffer->len, data, len);
    buffer->len += len;
    buffer->data[buffer->len] = '\0';
}

void
buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void
buffer_append_byte(struct buffer *buffer, char byte)
{
    buffer_append(buffer, &byte, 1);
}

void
buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    buffer_append_text(buffer, text);
    free(text);
}

void
buffer_consume(struct buffer *buffer, size_t len)
{
    if (len >= buffer->len) {
        buffer_reset(buffer);
        return;
    }
    memmove(buffer->data, buffer->data + len, buffer->len - len + 1);
    buffer->len -= len;
}

void
buffer_reset(struct buffer *buffer)
{
    buffer->len = 0;
    if (buffer->data)
        buffer->data[0] = '\0';
}

char *
buffer_steal(struct buffer *buffer)
{
    char *text = buffer->data ? buffer->data : xstrdup("");
    *buffer = (struct buffer){0};
    return text;
}
