#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Typed access to the members of JSON objects that a peer or a file sent.
 * Every function takes the object, the member's name and an error that names
 * the member and both types ("argument 'rows' is a string, not an integer").
 * An absent or null member leaves *ret_value as it is and returns true, unless
 * JSON_REQUIRED is given. Strings are borrowed from the object. */
enum json_flags {
    JSON_OPTIONAL = 0,
    JSON_REQUIRED = 1 << 0,
};

bool json_get_string(const json_t *object, const char *name, unsigned flags,
                     const char **ret_value, struct error *error);
bool json_get_bool(const json_t *object, const char *name, unsigned flags,
                   bool *ret_value, struct error *error);
/* Refuses what lies outside min..max, both included. */
bool json_get_integer(const json_t *object, const char *name, unsigned flags,
                      int64_t min, int64_t max, int64_t *ret_value,
                      struct error *error);
/* Borrowed objects and arrays. */
bool json_get_object(const json_t *object, const char *name, unsigned flags,
                     json_t **ret_value, struct error *error);
bool json_get_array(const json_t *object, const char *name, unsigned flags,
                    json_t **ret_value, struct error *error);

/* "a string", "an object" …: the type of a value for people. */
const char *json_type_text(const json_t *value);

/* A JSON string of any bytes: what is no valid UTF-8 comes out as U+FFFD. */
json_t *json_from_bytes(const char *text, size_t len);
json_t *json_from_text(const char *text);

/* Reads a whole JSON file (a regular one of at most max_bytes); a syntax error
 * names file:line:column. New reference, or NULL with error set. */
json_t *json_read_file(const char *path, size_t max_bytes, struct error *error);

/* Writes value to path so that a reader sees the old or the new content whole:
 * a temporary file beside it (mode 0600), fsync, rename. */
bool json_write_file(const json_t *value, const char *path,
                     struct error *error);

/* The same without the fsync, some ms faster: for what a crash of the machine
 * makes worthless anyway. */
bool json_write_file_volatile(const json_t *value, const char *path,
                              struct error *error);
