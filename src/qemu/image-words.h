#pragma once

#include "fleet/spec.h"

/* The files that QEMU's words name, and what QEMU does with them. */

enum image_use {
    IMAGE_USE_PLAIN, /* no image, or read by QEMU alone */
    IMAGE_USE_READS,
    IMAGE_USE_WRITES,
    IMAGE_USE_UNLOCKED, /* written to without the locks: others may, too */
    IMAGE_USE_CREATES,  /* it is made, or emptied, without a look at locks */
};

/* path: absolute, borrowed. */
typedef void (*image_words_fn)(void *data, const char *path,
                               enum image_use use);

/* Calls on_file for each file of -drive, -blockdev, -hda and the like, -kernel,
 * lone words, and what ports, logs and other records go to
 * (qemu/image-outputs.h). words: options and their values, without QEMU's own
 * name; NULL: none. directory: where relative paths start. What names a
 * protocol that reaches elsewhere is no file. */
void image_words_each(char *const *words, const char *directory,
                      image_words_fn on_file, void *data);

/* The same for all words that a guest's definition has: those of args or
 * command, and devices. */
void image_words_of_spec(const struct spec *spec, image_words_fn on_file,
                         void *data);
void image_words_of_devices(const struct spec *spec, image_words_fn on_file,
                            void *data);
