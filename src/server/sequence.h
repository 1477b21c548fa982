#pragma once

#include <stddef.h>

/* The order in which guests are listed, shown and started: that of their fleet
 * file, whatever was known before. */
struct server;
struct fleet;

/* Brings the guests of a fleet into the fleet's order, at the place of the
 * first of them; those it does not have stay behind. Clients get a new list
 * when something changed. */
void sequence_follow(struct server *server, const struct fleet *fleet);
