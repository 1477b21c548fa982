#pragma once

#include "fleet/fleet.h"
#include "fleet/mistakes.h"

/* Adds a mistake for each guest that waits for one ("after") which the fleet
 * does not have, and for those that wait for each other in a circle. */
void order_check(const struct fleet *fleet, struct mistakes *mistakes);
