#pragma once

#include <stdarg.h>
#include <stddef.h>

/* Allocation that aborts on failure, for sizes that we choose. A size that a
 * guest, a peer or a file names is capped by its reader first. */

/* What they do then. */
_Noreturn void xalloc_failed(void);

void *xmalloc(size_t bytes) __attribute__((malloc, returns_nonnull));

/* Zeroed; aborts when count * bytes overflows. */
void *xcalloc(size_t count, size_t bytes)
    __attribute__((malloc, returns_nonnull));

/* Grows or shrinks an array of count elements of bytes each; aborts on
 * overflow. */
void *xreallocarray(void *old, size_t count, size_t bytes);

/* NULL stays NULL. */
char *xstrdup(const char *text);

/* The first len bytes of text, terminated. */
char *xstrndup(const char *text, size_t len)
    __attribute__((malloc, returns_nonnull));

/* A formatted string of its own; the caller frees it. */
char *xasprintf(const char *format, ...)
    __attribute__((format(printf, 1, 2), malloc, returns_nonnull));
char *xvasprintf(const char *format, va_list args)
    __attribute__((format(printf, 1, 0), malloc, returns_nonnull));
