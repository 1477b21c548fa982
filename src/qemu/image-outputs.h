#pragma once

/* The files that QEMU prints to, by whatever option: it makes them, or writes
 * over what is there, without a look at anybody's locks. */

typedef void (*image_outputs_fn)(void *data, const char *path);

/* Calls on_path for each such file of one option. path: as it is written,
 * borrowed. */
void image_outputs_each(const char *name, const char *value,
                        image_outputs_fn on_path, void *data);
