#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which Ethernet address is behind which port of a switch: of fixed size,
 * whatever guests send. An address that was not heard for a while is forgotten.
 */

#define MAC_BYTES 6
/* ms; how long an address is known after it was heard last; IEEE 802.1D's
 * default. */
#define MAC_TABLE_AGE_MS 300000u
/* Addresses that are learned behind one port; nested guests have some. */
#define MAC_TABLE_PORT_MAX 256u

struct mac_entry {
    uint8_t mac[MAC_BYTES];
    bool is_fixed;    /* a card's own: neither ages nor moves */
    const void *port; /* NULL: a free place */
    uint64_t heard_ms;
};

struct mac_table;

struct mac_table *mac_table_new(void);
void mac_table_free(struct mac_table *table);

/* Notes that an address was heard at a port. learned: how many the port has,
 * counted here. False: it belongs to another port for good (a card's own). One
 * for which there is no room is not noted. */
bool mac_table_learn(struct mac_table *table, const uint8_t *mac,
                     const void *port, size_t *learned, uint64_t now_ms);

/* Notes a card's own address, for as long as its port is there. */
void mac_table_fix(struct mac_table *table, const uint8_t *mac,
                   const void *port);

/* The port behind which an address is; NULL: not known. */
const void *mac_table_find(const struct mac_table *table, const uint8_t *mac,
                           uint64_t now_ms);

/* Forgets what is behind a port. */
void mac_table_forget(struct mac_table *table, const void *port);

/* Goes through what is known: *at is 0 at first. NULL at the end. Borrowed. */
const struct mac_entry *mac_table_next(const struct mac_table *table,
                                       size_t *at, uint64_t now_ms);
