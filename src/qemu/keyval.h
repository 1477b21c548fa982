#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* QEMU's option syntax: "key=value,key=value", with "," in a value written
 * ",,". */

struct keyval_pair {
    char *key; /* NULL: the first value, whose key is implied */
    char *value;
};

struct keyval {
    struct keyval_pair *pairs; /* owned */
    size_t count;
};

/* Splits text; never fails. "foo" alone is a key without a value in QEMU's
 * eyes unless it comes first: then key is NULL; otherwise value is "on", or
 * "off" for "nofoo", as QEMU has it. */
void keyval_parse(struct keyval *keyval, const char *text);
/* The same of a value that may be written in JSON: members of members are keys
 * such as "file.filename", items of arrays "children.0". */
void keyval_parse_value(struct keyval *keyval, const char *text);
void keyval_finish(struct keyval *keyval);

/* The last value of a key, or NULL. implied: whether key is what a first bare
 * value stands for. Borrowed. */
const char *keyval_get(const struct keyval *keyval, const char *key,
                       bool is_implied);

/* Whether a boolean key is on. */
bool keyval_is_on(const struct keyval *keyval, const char *key);

/* The text that keyval_parse splits into the same pairs. The caller frees
 * it. */
char *keyval_to_text(const struct keyval *keyval);

/* Appends value with its commas doubled. */
void keyval_append_value(struct buffer *out, const char *value);

/* Takes the pair at a place out. */
void keyval_remove(struct keyval *keyval, size_t index);

/* Replaces the value of key, where it is given. */
void keyval_replace(struct keyval *keyval, const char *key, const char *value);
