#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Texts that operators copied, the newest first: what prefix ] pastes, however
 * often a deck left meanwhile. They are in memory only, and few: the oldest go.
 */
struct buffers;

/* Most texts kept, and most bytes of one; the sum stays below BUFFERS_MAX_BYTES
 * too. */
#define BUFFERS_MAX 50
#define BUFFERS_TEXT_MAX_BYTES ((size_t)4 << 20)
#define BUFFERS_MAX_BYTES ((size_t)16 << 20)

struct buffers *buffers_new(void);
void buffers_free(struct buffers *buffers);

/* What a text is besides its bytes. */
struct buffers_origin {
    const char *from; /* the console that it was copied from, or NULL */
    int64_t now_ms;   /* wall clock */
};

/* Takes a copy in as the newest; returns its number, or 0 with error (Limit)
 * when it is too long. Numbers never repeat. */
int64_t buffers_add(struct buffers *buffers, const char *text, size_t len,
                    const struct buffers_origin *origin, struct error *error);

/* Adds to the newest one's end, in a new line, or makes the first one. */
int64_t buffers_append(struct buffers *buffers, const char *text, size_t len,
                       const struct buffers_origin *origin,
                       struct error *error);

/* The text of that number, or of the newest one for 0: {"number", "bytes",
 * "lines", "from", "created-ms", "preview"}, and "text" when with_text. New
 * reference; NULL with error (NotFound). */
json_t *buffers_get(const struct buffers *buffers, int64_t number,
                    bool with_text, struct error *error);
/* The array of them all, without texts, the newest first. */
json_t *buffers_list(const struct buffers *buffers);
bool buffers_delete(struct buffers *buffers, int64_t number,
                    struct error *error);
