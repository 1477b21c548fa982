#pragma once

#include "fleet/mistakes.h"
#include "fleet/spec.h"

#include <stddef.h>

#include <jansson.h>

/* The networks of a fleet: its guests' own, by a switch in the server. */

/* Adds the mistakes of a fleet file's "networks" (NULL: it has none). */
void networks_check(const json_t *networks, struct mistakes *mistakes);

/* Adds those of a guest's cards ("nics") on networks that are not among these.
 * guest: its place. */
void networks_check_cards(const json_t *networks, const json_t *nics,
                          const struct place *guest, struct mistakes *mistakes);
