#include "server/switch.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

struct switch_port {
    struct net_switch *net_switch; /* borrowed: the owner */
    switch_send_fn send;
    void *data;        /* borrowed */
    const void *owner; /* borrowed; only compared */
    size_t learned;    /* addresses behind it */
    uint64_t tokens;   /* frames to all that it may send now, thousandths */
    uint64_t tokens_ms;
    struct switch_counts counts;
};

struct net_switch {
    struct mac_table *macs;     /* owned */
    struct switch_port **ports; /* owned, and each of them */
    size_t count;
};

struct net_switch *
switch_new(void)
{
    struct net_switch *net_switch = xcalloc(1, sizeof(*net_switch));
    net_switch->macs = mac_table_new();
    return net_switch;
}

void
switch_free(struct net_switch *net_switch)
{
    if (!net_switch)
        return;
    mac_table_free(net_switch->macs);
    free(net_switch->ports);
    free(net_switch);
}

struct switch_port *
switch_add(struct net_switch *net_switch, switch_send_fn send, void *data,
           const uint8_t *mac, const void *owner)
{
    struct switch_port *port = xcalloc(1, sizeof(*port));
    port->net_switch = net_switch;
    port->send = send;
    port->data = data;
    port->owner = owner;
    port->tokens = SWITCH_FLOOD_BURST * UINT64_C(1000);
    net_switch->ports = xreallocarray(net_switch->ports, net_switch->count + 1,
                                      sizeof(struct switch_port *));
    net_switch->ports[net_switch->count++] = port;
    if (mac)
        mac_table_fix(net_switch->macs, mac, port);
    return port;
}

void
switch_remove(struct switch_port *port)
{
    if (!port)
        return;
    struct net_switch *net_switch = port->net_switch;
    mac_table_forget(net_switch->macs, port);
    for (size_t i = 0; i < net_switch->count; i++) {
        if (net_switch->ports[i] != port)
            continue;
        net_switch->count--;
        memmove(&net_switch->ports[i], &net_switch->ports[i + 1],
                (net_switch->count - i) * sizeof(struct switch_port *));
        break;
    }
    free(port);
}

/* Whether the port may send one more frame to all. */
static bool
may_flood(struct switch_port *port, uint64_t now_ms)
{
    uint64_t passed_ms = now_ms - port->tokens_ms;
    uint64_t most = SWITCH_FLOOD_BURST * UINT64_C(1000);
    port->tokens_ms = now_ms;
    /* After a long time it is full anyway. */
    uint64_t more = passed_ms > 10000 ? most : passed_ms * SWITCH_FLOOD_RATE;
    port->tokens = port->tokens + more > most ? most : port->tokens + more;
    if (port->tokens < 1000)
        return false;
    port->tokens -= 1000;
    return true;
}

static void
send(struct switch_port *port, const uint8_t *frame, size_t len)
{
    if (port->send(port->data, frame, len)) {
        port->counts.to_frames++;
        port->counts.to_bytes += len;
    } else {
        port->counts.lost++;
    }
}

static void
send_to_all(const struct switch_port *from, const uint8_t *frame, size_t len)
{
    const struct net_switch *net_switch = from->net_switch;
    for (size_t i = 0; i < net_switch->count; i++) {
        if (net_switch->ports[i] != from)
            send(net_switch->ports[i], frame, len);
    }
}

/* Of one card: not a group's, and not all zeros. */
static bool
is_single(const uint8_t *mac)
{
    static const uint8_t none[MAC_BYTES] = {0};
    return !(mac[0] & 1) && memcmp(mac, none, MAC_BYTES) != 0;
}

/* For the bridge itself: pause frames, spanning tree and the like are not
 * passed on (IEEE 802.1Q, 8.6.3). */
static bool
is_reserved(const uint8_t *mac)
{
    static const uint8_t prefix[] = {0x01, 0x80, 0xc2, 0x00, 0x00};
    return !memcmp(mac, prefix, sizeof(prefix)) && mac[5] < 0x10;
}

/* Whether the sender may have that address; it is learned then. */
static bool
learn(struct switch_port *port, const uint8_t *mac, uint64_t now_ms)
{
    struct mac_table *macs = port->net_switch->macs;
    if (mac_table_learn(macs, mac, port, &port->learned, now_ms))
        return true;
    const struct switch_port *holder = mac_table_find(macs, mac, now_ms);
    return holder && holder->owner == port->owner;
}

void
switch_take(struct switch_port *port, const uint8_t *frame, size_t len,
            uint64_t now_ms)
{
    if (len < SWITCH_FRAME_MIN || len > SWITCH_FRAME_MAX ||
        !is_single(frame + MAC_BYTES)) {
        port->counts.bad++;
        return;
    }
    if (!learn(port, frame + MAC_BYTES, now_ms)) {
        port->counts.foreign++;
        return;
    }
    port->counts.from_frames++;
    port->counts.from_bytes += len;
    if (is_reserved(frame))
        return;
    const void *found =
        frame[0] & 1 ? NULL
                     : mac_table_find(port->net_switch->macs, frame, now_ms);
    if (found == port)
        return;
    if (found) {
        send((struct switch_port *)(uintptr_t)found, frame, len);
        return;
    }
    if (may_flood(port, now_ms))
        send_to_all(port, frame, len);
    else
        port->counts.flooding++;
}

void
switch_count_bad(struct switch_port *port)
{
    port->counts.bad++;
}

const struct switch_counts *
switch_counts(const struct switch_port *port)
{
    return &port->counts;
}

size_t
switch_port_count(const struct net_switch *net_switch)
{
    return net_switch->count;
}

const struct mac_entry *
switch_next_mac(const struct net_switch *net_switch, size_t *at,
                uint64_t now_ms, void **ret_data)
{
    const struct mac_entry *entry =
        mac_table_next(net_switch->macs, at, now_ms);
    if (entry)
        *ret_data = ((const struct switch_port *)entry->port)->data;
    return entry;
}

void *
switch_find(const struct net_switch *net_switch, const uint8_t *mac,
            uint64_t now_ms)
{
    const struct switch_port *port =
        mac_table_find(net_switch->macs, mac, now_ms);
    return port ? port->data : NULL;
}
