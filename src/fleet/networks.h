#pragma once

#include "fleet/mistakes.h"
#include "fleet/spec.h"

#include <stddef.h>

#include <jansson.h>

/* The networks of a fleet: its guests' own, by a switch in the server. */

/* Adds the mistakes of a fleet file's "networks" (NULL: it has none), and of
 * guests' cards on networks that are not among them. */
void networks_check(const json_t *networks, struct spec *const *guests,
                    size_t guest_count, struct mistakes *mistakes);
