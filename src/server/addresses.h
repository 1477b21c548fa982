#pragma once

#include "guest/guest.h"

#include <stdint.h>

#include <jansson.h>

/* Where guests can be reached: their addresses, each with its source and when
 * it was seen, and the ports of the host that lead to them. */

struct server;
struct member;

/* A line of a guest's console that may be a row of cloud-init's table. */
void addresses_console_line(struct server *server, struct member *member,
                            const char *line, int64_t at_ms);

/* What an earlier server heard of a guest's boot, from its file. */
void addresses_load(struct server *server, struct member *member);
void addresses_forget(struct member *member);
/* What was heard on the fleet's own networks, by this server and earlier ones.
 * New reference. */
json_t *addresses_heard(const struct server *server,
                        const struct member *member);
/* Takes an address's row out of an array, if there is one. */
void addresses_drop(json_t *rows, const char *address);
/* Something new was heard of a guest: it is told, and written soon. */
void addresses_changed(struct server *server, struct member *member);
/* Writes what is new of all guests. data: the server. */
void addresses_save(void *data);

enum addresses_flags {
    ADDRESSES_KNOWN,
    ADDRESSES_NEIGHBOURS = 1 << 0, /* the host's neighbour table, too */
};

/* What is known of a guest that runs: the API's array. New reference. */
json_t *addresses_collect(struct server *server, const struct member *member,
                          unsigned flags);

/* How to reach its sshd: what `guest-ssh` answers. New reference. */
json_t *addresses_ssh(struct server *server, const struct member *member);

/* One where the host can reach a guest that runs; false: none is known. */
bool addresses_find(struct server *server, const struct member *member,
                    char ret_address[GUEST_ADDRESS_BYTES]);
