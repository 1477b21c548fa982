#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What the beginning of an image tells, in any of the formats that QEMU makes.
 * Nothing is taken from it but sizes and names; it can be asked about an image
 * that is in use. Sizes agree with `qemu-img info`. */

struct image_header {
    const char *format; /* as qemu-img calls it: "qcow2", "vmdk", "raw" … */
    uint64_t virtual_bytes; /* what a guest sees; 0: not known */
    char *backing;          /* owned: what it lies over, as it is written there;
                             * NULL: nothing */
    char *backing_format;   /* owned; NULL: not written down */
};

/* said: the format as the user says it; NULL: by what it begins with, and what
 * begins like nothing known is raw. False when it cannot be read, or does not
 * begin as its format should. */
bool image_header_read(const char *path, const char *said,
                       struct image_header *ret);
void image_header_finish(struct image_header *header);

/* The path of what the image at path lies over, or NULL: nothing, or no plain
 * file. The caller frees it. */
char *image_header_backing_path(const char *path,
                                const struct image_header *header);
