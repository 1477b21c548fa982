#include "base/json.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/text.h"
#include "base/utf8.h"
#include "base/xalloc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
json_type_text(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a fraction";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        return "null";
    }
    return "nothing";
}

/* The member, or NULL; *ret_ok says whether absence is all right. */
static json_t *
member(const json_t *object, const char *name, unsigned flags, bool *ret_ok,
       struct error *error)
{
    json_t *value = object ? json_object_get(object, name) : NULL;
    *ret_ok = true;
    if (value && !json_is_null(value))
        return value;
    if (flags & JSON_REQUIRED)
        *ret_ok = error_set(error, ERROR_CODE_INVALID,
                            "argument '%s' is missing", name);
    return NULL;
}

static bool
wrong_type(const char *name, const json_t *value, const char *wanted,
           struct error *error)
{
    return error_set(error, ERROR_CODE_INVALID, "argument '%s' is %s, not %s",
                     name, json_type_text(value), wanted);
}

bool
json_get_string(const json_t *object, const char *name, unsigned flags,
                const char **ret_value, struct error *error)
{
    bool ok = true;
    json_t *value = member(object, name, flags, &ok, error);
    if (!value)
        return ok;
    if (!json_is_string(value))
        return wrong_type(name, value, "a string", error);
    if (strlen(json_string_value(value)) != json_string_length(value))
        return error_set(error, ERROR_CODE_INVALID,
                         "argument '%s' contains a zero character", name);
    *ret_value = json_string_value(value);
    return true;
}

bool
json_get_bool(const json_t *object, const char *name, unsigned flags,
              bool *ret_value, struct error *error)
{
    bool ok = true;
    json_t *value = member(object, name, flags, &ok, error);
    if (!value)
        return ok;
    if (!json_is_boolean(value))
        return wrong_type(name, value, "a boolean", error);
    *ret_value = json_is_true(value);
    return true;
}

bool
json_get_integer(const json_t *object, const char *name, unsigned flags,
                 int64_t min, int64_t max, int64_t *ret_value,
                 struct error *error)
{
    bool ok = true;
    json_t *value = member(object, name, flags, &ok, error);
    if (!value)
        return ok;
    if (!json_is_integer(value))
        return wrong_type(name, value, "an integer", error);
    int64_t number = json_integer_value(value);
    if (number < min || number > max)
        return error_set(error, ERROR_CODE_INVALID,
                         "argument '%s' is %" PRId64 ", not within %" PRId64
                         " and %" PRId64,
                         name, number, min, max);
    *ret_value = number;
    return true;
}

bool
json_get_object(const json_t *object, const char *name, unsigned flags,
                json_t **ret_value, struct error *error)
{
    bool ok = true;
    json_t *value = member(object, name, flags, &ok, error);
    if (!value)
        return ok;
    if (!json_is_object(value))
        return wrong_type(name, value, "an object", error);
    *ret_value = value;
    return true;
}

bool
json_get_array(const json_t *object, const char *name, unsigned flags,
               json_t **ret_value, struct error *error)
{
    bool ok = true;
    json_t *value = member(object, name, flags, &ok, error);
    if (!value)
        return ok;
    if (!json_is_array(value))
        return wrong_type(name, value, "an array", error);
    *ret_value = value;
    return true;
}

json_t *
json_from_bytes(const char *text, size_t len)
{
    if (utf8_is_valid(text, len, NULL))
        return json_stringn_nocheck(text, len);
    struct buffer clean = {0};
    for (size_t at = 0; at < len;) {
        uint32_t codepoint = UTF8_REPLACEMENT;
        size_t bytes = utf8_decode(text + at, len - at, &codepoint);
        at += bytes ? bytes : len - at;
        char encoded[4];
        buffer_append(&clean, encoded, utf8_encode(codepoint, encoded));
    }
    json_t *value = json_stringn_nocheck(clean.data, clean.len);
    buffer_finish(&clean);
    return value;
}

json_t *
json_from_text(const char *text)
{
    return json_from_bytes(text, strlen(text));
}

json_t *
json_read_file(const char *path, size_t max_bytes, struct error *error)
{
    size_t len = 0;
    char *content = file_read(path, max_bytes, &len, error);
    if (!content)
        return NULL;
    json_error_t fault;
    json_t *value = json_loadb(content, len, JSON_REJECT_DUPLICATES, &fault);
    if (!value) {
        /* it cites the file */
        char *text = text_printable(fault.text, strlen(fault.text), 0, 0);
        error_set(error, ERROR_CODE_INVALID, "%s:%d:%d: %s", path, fault.line,
                  fault.column, text);
        free(text);
    }
    free(content);
    return value;
}

static bool
write_file(const json_t *value, const char *path, unsigned flags,
           struct error *error)
{
    char *dump = json_dumps(value, JSON_INDENT(2));
    char *text = xasprintf("%s\n", dump ? dump : "");
    bool ok = dump ? file_write(path, text, strlen(text), flags, error)
                   : error_set_errno(error, EINVAL, "cannot write %s", path);
    free(text);
    free(dump);
    return ok;
}

bool
json_write_file(const json_t *value, const char *path, struct error *error)
{
    return write_file(value, path, FILE_SYNCED, error);
}

bool
json_write_file_volatile(const json_t *value, const char *path,
                         struct error *error)
{
    return write_file(value, path, FILE_VOLATILE, error);
}
