#pragma once

#include "base/error.h"
#include "fleet/fleet.h"

/* Whether the guests that wait for others ("after") name guests of the fleet,
 * and do not wait for each other in a circle. error has a line with its place
 * for each that does not. */
bool order_check(const struct fleet *fleet, struct error *error);
