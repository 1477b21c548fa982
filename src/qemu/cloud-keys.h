#pragma once

#include "base/error.h"
#include "fleet/spec.h"

#include <jansson.h>

/* The public keys that a guest gets: those that a spec gives, those in files
 * that it names, and the operator's own (the .pub files in ~/.ssh) for "auto".
 * Each once, without line ends. New reference: an array of strings, empty when
 * none are wanted; NULL with error. */
json_t *cloud_keys_read(const struct spec_cloud_init *cloud,
                        struct error *error);
