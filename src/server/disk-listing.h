#pragma once

#include <stdbool.h>

#include <jansson.h>

struct server;

/* The disks of a server's guests, looked at in a thread. */

/* What is wanted of them. */
struct disk_query {
    const char *guest; /* borrowed during the call; NULL: all guests' */
    const char *disk;  /* with is_users: its name; NULL: all of the guest's */
    bool is_users;     /* who else needs the images that guestmux made for it,
                        * instead of a list */
};

/* disks: borrowed, an array of what disk_facts tells, with "guest";
 * all guests' with is_users. users: a line each ("disk0 of b lies over PATH"),
 * or NULL. */
typedef void (*disk_listing_fn)(void *data, json_t *disks, const char *users);

/* Calls on_done in a later loop turn. */
void disk_listing_begin(struct server *server, const struct disk_query *query,
                        disk_listing_fn on_done, void *data);
