#pragma once

#include "base/error.h"
#include "fleet/spec.h"

#include <stdbool.h>

/* Seeds for cloud-init's NoCloud data source: ISO 9660 images with the volume
 * id "cidata", Rock Ridge and Joliet. For a thread: they read and write files.
 */

/* Makes the seed of a spec (with a cloud_init) at path, 0600, whole or not at
 * all, in place of an earlier one. */
bool seed_make(const struct spec *spec, const char *instance_id,
               const char *path, struct error *error);

/* The instance-id of the guest whose data directory that is: the one that was
 * noted there, or a new one. The caller frees it; NULL with error. */
char *seed_instance_id(const char *data_dir, const char *guest,
                       struct error *error);
/* Notes a new one. The caller frees it; NULL with error. */
char *seed_new_instance_id(const char *data_dir, const char *guest,
                           struct error *error);
