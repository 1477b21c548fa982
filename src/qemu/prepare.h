#pragma once

#include "base/error.h"
#include "fleet/spec.h"
#include "qemu/image.h"

#include <stdbool.h>

#include <jansson.h>
#include <uv.h>

/* What has to be there before a guest's QEMU starts: the images and the seed
 * that guestmux makes, in the guest's data directory. What is there already is
 * looked at, and used as it is; images of the user's own must not lie below
 * those of guestmux. Works beside the loop: files in a thread,
 * images by qemu-img. */
struct prepare;

struct prepare_handlers {
    /* What is being done: "making disk0". */
    void (*on_step)(void *data, const char *text);
    /* What the operator should know. */
    void (*on_note)(void *data, const char *text);
    /* Called once, in a later loop turn; the prepare is freed after. error:
     * NULL when everything is there. words: what qemu-img said, lines fit to
     * show, borrowed; may be NULL. */
    void (*on_done)(void *data, const struct error *error, const json_t *words);
};

/* Whether a spec wants anything of this. */
bool prepare_is_needed(const struct spec *spec);

/* data_dir: the guest's own, made when it is missing. home: the directory in
 * which all guests' data directories are. handlers: borrowed. */
struct prepare *prepare_begin(uv_loop_t *loop, const struct spec *spec,
                              const char *data_dir, const char *home,
                              const struct prepare_handlers *handlers,
                              void *data);
/* Ends it; nothing half is left, on_done is not called. NULL is fine. */
void prepare_cancel(struct prepare *prepare);

/* Whether an image may lie over a disk's base: not when a guest writes to that.
 * home: as above. */
bool prepare_check_base(const char *home, const struct spec_disk *disk,
                        struct error *error);

/* Whether the image of a disk that guestmux makes, if it is there, is one of
 * its own over what the definition says. data_dir: the guest's. ret_header: to
 * be finished, where there is one. */
struct qcow2_header;
bool prepare_look_at_made(const struct spec *spec, const struct spec_disk *disk,
                          const char *data_dir, struct qcow2_header *ret_header,
                          bool *ret_is_there, struct error *error);

/* The plan by which the image of a disk that guestmux makes comes to be at
 * path. Borrows all three. */
struct image_plan prepare_plan(const struct spec_disk *disk, const char *path);
