#pragma once

#include "fleet/fleet.h"
#include "fleet/mistakes.h"

/* What two guests of a fleet cannot share without that QEMU says so. */

/* Adds a mistake for each display on a unix socket that an earlier guest has:
 * the later QEMU would take it away from the other. */
void shared_check(const struct fleet *fleet, struct mistakes *mistakes);
