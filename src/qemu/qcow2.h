#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* What the header of a qcow2 image says (QEMU's docs/interop/qcow2.txt). Reads
 * 64 KiB at most, and can be asked about an image that is in use. */

struct qcow2_header {
    uint64_t virtual_bytes;
    char *backing;        /* owned: as it is written there; NULL: none */
    char *backing_format; /* owned; NULL: not written down */
};

/* Whether the file begins as a qcow2 image does; false too when it cannot be
 * read. */
bool qcow2_is_one(const char *path);

/* A name of a backing file that is not a plain path ("json:…", "nbd:…") comes
 * as it is; a relative one starts at the image's directory. */
bool qcow2_read_header(const char *path, struct qcow2_header *ret_header,
                       struct error *error);
void qcow2_header_finish(struct qcow2_header *header);

/* The path of the backing file of the image at path, or NULL: there is none, or
 * it is no plain file. The caller frees it. */
char *qcow2_backing_path(const char *path, const struct qcow2_header *header);
