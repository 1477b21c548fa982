#pragma once

#include <stdbool.h>

/* Longest error text, with its terminating zero. A guest's exit report (the
 * last lines of QEMU's stderr) has to fit. */
#define ERROR_TEXT_BYTES 4096

/* What kind of failure it was; also the "class" of an API error reply. */
enum error_code {
    ERROR_CODE_NONE,      /* no error */
    ERROR_CODE_INVALID,   /* bad argument, bad input, bad file content */
    ERROR_CODE_NOT_FOUND, /* no such guest, file, method … */
    ERROR_CODE_EXISTS,    /* it is there already */
    ERROR_CODE_STATE,     /* not possible in the present state */
    ERROR_CODE_IO,        /* the system refused: see errnum */
    ERROR_CODE_TIMEOUT,   /* it took longer than its named limit */
    ERROR_CODE_LIMIT,     /* a size or count is over its cap */
    ERROR_CODE_DENIED,    /* not allowed */
    ERROR_CODE_PROTOCOL,  /* a peer broke the protocol */
    ERROR_CODE_GUEST,     /* QEMU failed or refused; text has its words */
    ERROR_CODE_INTERNAL,  /* our own bug */
    ERROR_CODE_COUNT
};

/* A failure as a value on the caller's stack. Zero-initialise it
 * (`struct error error = {0};`). A fallible function leaves it untouched on
 * success and fills it on every failure. */
struct error {
    enum error_code code;
    int errnum;                  /* errno of the failed call, or 0 */
    char text[ERROR_TEXT_BYTES]; /* for people; UTF-8, one or more lines */
};

/* Fills error (may be NULL) and returns false, so that callers can write
 * `return error_set(error, …);`. Text that does not fit is cut at a
 * character's end. */
bool error_set(struct error *error, enum error_code code, const char *format,
               ...) __attribute__((format(printf, 3, 4)));

/* The same with errno's text appended ("…: No such file or directory").
 * errnum: an errno value, positive; a negative one (libuv's way) is taken as
 * its opposite. */
bool error_set_errno(struct error *error, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts context in front of the text of a set error: "prefix: text". Returns
 * false. */
bool error_prefix(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The name of a code as the API says it ("NotFound"). Never NULL. */
const char *error_code_name(enum error_code code);

/* The code of such a name; ERROR_CODE_INTERNAL for an unknown one. */
enum error_code error_code_from_name(const char *name);
