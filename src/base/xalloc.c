#include "base/xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
xalloc_failed(void)
{
    (void)fputs("guestmux: out of memory\n", stderr);
    abort();
}

static void *
must(void *pointer)
{
    if (!pointer)
        xalloc_failed();
    return pointer;
}

void *
xmalloc(size_t bytes)
{
    return must(malloc(bytes ? bytes : 1));
}

void *
xcalloc(size_t count, size_t bytes)
{
    return must(calloc(count ? count : 1, bytes ? bytes : 1));
}

void *
xreallocarray(void *old, size_t count, size_t bytes)
{
    if (!count || !bytes) {
        count = 1;
        bytes = bytes ? bytes : 1;
    }
    return must(reallocarray(old, count, bytes));
}

char *
xstrdup(const char *text)
{
    return text ? must(strdup(text)) : NULL;
}

char *
xstrndup(const char *text, size_t len)
{
    char *copy = xmalloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *
xvasprintf(const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    return must(text);
}

char *
xasprintf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    return text;
}
