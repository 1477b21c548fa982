#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* The QMP dialect's framing: one JSON object a line. It does no I/O: bytes in,
 * messages out. */

/* Takes bytes, gives lines' JSON objects. */
struct codec {
    struct buffer line; /* owned: what was fed and not yet taken out */
    size_t start;       /* where in it the next line begins */
    size_t scanned;     /* bytes from there known to hold no line end */
    size_t max_bytes;   /* longest line */
    bool is_skipping;   /* the rest of an over-long line is dropped */
};

void codec_init(struct codec *codec, size_t max_bytes);
void codec_finish(struct codec *codec);

enum codec_result {
    CODEC_RESULT_NONE,    /* no whole line yet: feed more */
    CODEC_RESULT_MESSAGE, /* *ret_message: a new reference to an object */
    CODEC_RESULT_FAULT,   /* error is set; the line was dropped, the stream is
                           * in step again at the next one */
};

/* Appends bytes that arrived. */
void codec_feed(struct codec *codec, const char *bytes, size_t len);

/* Takes the next message out. Call until it returns CODEC_RESULT_NONE. Faults:
 * a line that is over-long (ERROR_CODE_LIMIT), not UTF-8, not JSON, not an
 * object, nested too deep, or has a name twice (ERROR_CODE_PROTOCOL, with the
 * column). Empty lines are skipped. An integer beyond 63 bits comes out as a
 * real number. Linear in what was fed. */
enum codec_result codec_next(struct codec *codec, json_t **ret_message,
                             struct error *error);

/* Appends a message as one line. message: borrowed. */
void codec_encode(const json_t *message, struct buffer *out);

/* Message builders. arguments, value, data and id are stolen and may be NULL;
 * new reference. */
json_t *codec_command(const char *method, json_t *arguments, json_t *id);
json_t *codec_return(json_t *value, json_t *id);
json_t *codec_error(const char *error_class, const char *text, json_t *id);
json_t *codec_event(const char *name, json_t *data);
