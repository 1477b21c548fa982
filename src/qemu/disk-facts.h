#pragma once

#include "fleet/spec.h"

#include <stdint.h>

#include <jansson.h>

/* What is known of a guest's disks: files, sizes, chains of images. Reads
 * headers only, also of images that are in use; for a thread. */

/* An array of objects, one a disk; see disk-list in guestmux-api(7). New
 * reference. */
json_t *disk_facts(const struct spec *spec, const char *data_dir);

/* The size that a guest sees of an image, bytes; 0: not known. format: NULL: by
 * what it begins with. */
uint64_t disk_virtual_bytes(const char *path, const char *format);
