#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <uv.h>

/* Disk images through qemu-img, beside the loop. What is made appears under its
 * name only when it is whole: until then it is a file ".making-…" beside it. */

enum image_kind {
    IMAGE_KIND_MAKE,   /* a qcow2 image over base, or an empty one */
    IMAGE_KIND_COPY,   /* a qcow2 image with the content of source */
    IMAGE_KIND_RESIZE, /* path grows where it is */
};

enum image_flags {
    IMAGE_REPLACE = 1 << 0, /* what has the name goes; else that is an error */
};

struct image_plan {
    enum image_kind kind;
    unsigned flags;          /* enum image_flags */
    const char *label;       /* for messages: "disk0" */
    const char *path;        /* absolute */
    const char *base;        /* absolute; NULL: none */
    const char *base_format; /* NULL: found out */
    const char *source;      /* COPY: absolute */
    const char *format;      /* COPY: the source's; RESIZE: path's; NULL: QEMU
                              * guesses */
    uint64_t size_bytes;     /* 0: the base's */
};

/* A plan at work. */
struct image_job;

/* Called once, in a later loop turn; the job is freed after. error: NULL when
 * all went well. words: what qemu-img said, lines fit to show, borrowed. */
typedef void (*image_done_fn)(void *data, const struct error *error,
                              const json_t *words);

/* plan: copied. When it cannot begin, on_done tells that too. */
struct image_job *image_begin(uv_loop_t *loop, const struct image_plan *plan,
                              image_done_fn on_done, void *data);
/* Ends it; nothing is left behind, on_done is not called. NULL is fine. */
void image_cancel(struct image_job *job);

/* What is not whole yet is called this, and some letters. */
#define IMAGE_MAKING ".making-"

/* Removes what jobs of a dead server left in a directory, seeds too. Only for a
 * directory in which nothing is being made. */
void image_clean(const char *directory);

/* "20G", "512M", "1000448": a size as people and qemu-img read it. */
#define IMAGE_SIZE_BYTES 32
void image_size_text(uint64_t bytes, char text[IMAGE_SIZE_BYTES]);
