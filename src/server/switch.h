#pragma once

#include "server/mac-table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A learning Ethernet switch, without I/O: frames in, frames out. The frames
 * are guests' and taken for hostile: lengths and addresses are checked, what is
 * remembered is bounded, and no port can flood the others without limit. */

/* Shortest and longest frame that is passed on, without checksum: a bare header
 * (guests' cards do not pad), and 9 KiB jumbo frames with a VLAN tag. */
#define SWITCH_FRAME_MIN 14u
#define SWITCH_FRAME_MAX 9238u
/* Frames that go to all ports: how many a second from one port, and at once. */
#define SWITCH_FLOOD_RATE 4096u
#define SWITCH_FLOOD_BURST 8192u

struct switch_counts {
    uint64_t from_frames; /* from the guest */
    uint64_t from_bytes;
    uint64_t to_frames; /* to the guest */
    uint64_t to_bytes;
    uint64_t bad;      /* from it: too short, too long, of no valid address */
    uint64_t foreign;  /* from it: with the address of another guest's card */
    uint64_t flooding; /* from it: beyond the limit for what goes to all */
    uint64_t lost;     /* to it: it did not take them */
};

struct net_switch;
struct switch_port;

/* Sends a frame to a port: false when there is no room. data: switch_add's. */
typedef bool (*switch_send_fn)(void *data, const uint8_t *frame, size_t len);

struct net_switch *switch_new(void);
/* Its ports must be gone. */
void switch_free(struct net_switch *net_switch);

/* A new port. mac: the card's own address, from which nobody else's frames are
 * taken; NULL: not known. owner: whose it is; another card of the same owner
 * may use the address (bonding). data, owner: borrowed. */
struct switch_port *switch_add(struct net_switch *net_switch,
                               switch_send_fn send, void *data,
                               const uint8_t *mac, const void *owner);
void switch_remove(struct switch_port *port);

/* A frame that came from a port. */
void switch_take(struct switch_port *port, const uint8_t *frame, size_t len,
                 uint64_t now_ms);
/* One that was too long to be read. */
void switch_count_bad(struct switch_port *port);

const struct switch_counts *switch_counts(const struct switch_port *port);
size_t switch_port_count(const struct net_switch *net_switch);

/* What is known of addresses: see mac_table_next. *ret_data: the port's. */
const struct mac_entry *switch_next_mac(const struct net_switch *net_switch,
                                        size_t *at, uint64_t now_ms,
                                        void **ret_data);
/* The data of the port behind which an address is, or NULL. */
void *switch_find(const struct net_switch *net_switch, const uint8_t *mac,
                  uint64_t now_ms);
