#pragma once

#include "base/error.h"
#include "guest/guest.h"

#include <stddef.h>

#include <jansson.h>

/* The fleets' own networks: one switch each, and a port for each card of a
 * guest on it. A network is known by its name and its fleet's directory. */

struct server;
struct lans;

struct lans *lans_new(struct server *server);
void lans_free(struct lans *lans);

/* Makes the guest's ports what its definition and its state say. */
void lans_sync(struct lans *lans, struct guest *guest);
/* The guest goes. */
void lans_remove(struct lans *lans, const struct guest *guest);

/* All networks, or those of a name: the API's array. New reference. */
json_t *lans_describe(const struct lans *lans, const char *name);

/* Appends what the guest's cards were heard to have on networks to an array of
 * the API's addresses. */
void lans_append_addresses(const struct lans *lans, const struct guest *guest,
                           json_t *addresses);
