#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* A growable run of bytes. Zero-initialise it; buffer_finish frees it. The
 * content is always followed by a zero byte that does not count, once
 * anything was appended or reserved. */
struct buffer {
    char *data;      /* owned; NULL while nothing was appended or reserved */
    size_t len;      /* bytes in use */
    size_t capacity; /* bytes allocated */
};

void buffer_finish(struct buffer *buffer);

/* Makes room for more bytes beyond len. */
void buffer_reserve(struct buffer *buffer, size_t more);

void buffer_append(struct buffer *buffer, const void *data, size_t len);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_byte(struct buffer *buffer, char byte);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Drops the first len bytes (at most all); the rest moves to the front. */
void buffer_consume(struct buffer *buffer, size_t len);

/* Forgets the content, keeps the memory. */
void buffer_reset(struct buffer *buffer);

/* Hands the content over as a terminated string, the caller's from now on;
 * the buffer is empty after. Never NULL. */
char *buffer_steal(struct buffer *buffer);
