#include "base/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const code_names[] = {
    [ERROR_CODE_NONE] = "None",          [ERROR_CODE_INVALID] = "Invalid",
    [ERROR_CODE_NOT_FOUND] = "NotFound", [ERROR_CODE_EXISTS] = "Exists",
    [ERROR_CODE_STATE] = "State",        [ERROR_CODE_IO] = "IO",
    [ERROR_CODE_TIMEOUT] = "Timeout",    [ERROR_CODE_LIMIT] = "Limit",
    [ERROR_CODE_DENIED] = "Denied",      [ERROR_CODE_PROTOCOL] = "Protocol",
    [ERROR_CODE_GUEST] = "Guest",        [ERROR_CODE_INTERNAL] = "Internal",
};
static_assert(sizeof(code_names) / sizeof(code_names[0]) == ERROR_CODE_COUNT,
              "every error code has a name");

/* Takes back a UTF-8 character that a cut left incomplete at the end. */
static void
trim_partial_utf8(char *text)
{
    size_t len = strlen(text);
    size_t back = 0;
    while (back < 3 && back < len &&
           ((unsigned char)text[len - 1 - back] & 0xC0) == 0x80) {
        back++;
    }
    if (back == len)
        return;
    unsigned char lead = (unsigned char)text[len - 1 - back];
    size_t need = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (need > back)
        text[len - 1 - back] = '\0';
}

__attribute__((format(printf, 4, 0))) static void
error_vset(struct error *error, enum error_code code, int errnum,
           const char *format, va_list args)
{
    error->code = code;
    error->errnum = errnum;
    int len = vsnprintf(error->text, sizeof(error->text), format, args);
    if (len < 0)
        error->text[0] = '\0';
    else if ((size_t)len >= sizeof(error->text))
        trim_partial_utf8(error->text);
}

bool
error_set(struct error *error, enum error_code code, const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        error_vset(error, code, 0, format, args);
        va_end(args);
    }
    return false;
}

bool
error_set_errno(struct error *error, int errnum, const char *format, ...)
{
    if (!error)
        return false;
    if (errnum < 0)
        errnum = -errnum;
    va_list args;
    va_start(args, format);
    error_vset(error, ERROR_CODE_IO, errnum, format, args);
    va_end(args);
    size_t len = strlen(error->text);
    (void)snprintf(error->text + len, sizeof(error->text) - len, ": %s",
                   strerror(errnum));
    return false;
}

bool
error_prefix(struct error *error, const char *format, ...)
{
    if (!error)
        return false;
    struct error whole = {.code = error->code, .errnum = error->errnum};
    va_list args;
    va_start(args, format);
    error_vset(&whole, error->code, error->errnum, format, args);
    va_end(args);
    size_t len = strlen(whole.text);
    int added = snprintf(whole.text + len, sizeof(whole.text) - len, ": %s",
                         error->text);
    if (added < 0 || (size_t)added >= sizeof(whole.text) - len)
        trim_partial_utf8(whole.text);
    *error = whole;
    return false;
}

const char *
error_code_name(enum error_code code)
{
    if ((unsigned)code >= ERROR_CODE_COUNT)
        return code_names[ERROR_CODE_INTERNAL];
    return code_names[code];
}

enum error_code
error_code_from_name(const char *name)
{
    for (unsigned i = 1; i < ERROR_CODE_COUNT; i++) {
        if (!strcmp(name, code_names[i]))
            return (enum error_code)i;
    }
    return ERROR_CODE_INTERNAL;
}
