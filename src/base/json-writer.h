#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes JSON text into a buffer, value by value, without building it as a tree
 * first: for the few messages that are sent with every key and every frame. The
 * caller opens and closes in order; commas and escapes are the writer's. */
struct json_writer {
    struct buffer *out; /* borrowed */
    bool needs_comma;   /* a value stands before the next one */
};

/* Goes on behind what out holds. */
struct json_writer json_writer_begin(struct buffer *out);

/* name: the member's name inside of an object, NULL inside of an array; plain
 * ASCII without quotes and backslashes. */
void json_writer_open_object(struct json_writer *writer, const char *name);
void json_writer_close_object(struct json_writer *writer);
void json_writer_open_array(struct json_writer *writer, const char *name);
void json_writer_close_array(struct json_writer *writer);
void json_writer_integer(struct json_writer *writer, const char *name,
                         int64_t value);
void json_writer_boolean(struct json_writer *writer, const char *name,
                         bool value);
/* text: len bytes of valid UTF-8; the caller's to check where it may be
 * otherwise. */
void json_writer_string(struct json_writer *writer, const char *name,
                        const char *text, size_t len);
