#pragma once

#include "base/error.h"

#include <stdbool.h>

/* Whether an image is in use, by the locks that QEMU's programs take on it. */

/* Whether QEMU would be let in: is_writer, to write to it as well. False with
 * error, which names who is there: "x.qcow2 is in use by guest b (pid 77)". A
 * guest of the name besides (NULL: none) is let pass. What cannot be opened, or
 * is on a file system without locks, passes too. */
bool image_lock_check(const char *path, bool is_writer, const char *besides,
                      struct error *error);
