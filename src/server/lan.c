#include "server/lan.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "server/addresses.h"
#include "server/lan-port.h"
#include "server/server-internal.h"
#include "server/snoop.h"
#include "server/switch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Addresses that are remembered of a card: the last ones heard. */
#define ADDRESSES_MAX 8
/* Learned addresses that are told of a network. */
#define MACS_TOLD 1024

struct heard {
    struct snoop_address address;
    int64_t at_ms; /* wall clock; 0: a free place */
};

/* A card on a network. */
struct lan_card {
    struct lan_card *next;
    struct lan *lan;           /* borrowed: the owner */
    const struct guest *guest; /* borrowed */
    size_t index;
    char mac[18];
    struct switch_port *end; /* owned: at the switch */
    struct lan_port *port;   /* owned: at QEMU */
    struct heard heard[ADDRESSES_MAX];
    struct lan_card *next_due; /* has something queued */
    bool is_due;
};

struct lan {
    struct lan *next;
    struct lans *lans; /* borrowed: the owner */
    char *name;
    char *directory;
    struct net_switch *net_switch; /* owned */
    struct lan_card *cards; /* owned list, in the order of their coming */
    struct lan_card *due;
};

struct lans {
    struct server *server; /* borrowed */
    struct lan *first;     /* owned list */
    uint8_t *scratch; /* owned: for all ports' reading; NULL until needed */
};

/* Frames ------------------------------------------------------------------ */

static void
remember(struct lan_card *card, const struct snoop_address *address)
{
    struct heard *place = &card->heard[0];
    for (size_t i = 0; i < ADDRESSES_MAX; i++) {
        struct heard *heard = &card->heard[i];
        if (heard->at_ms && heard->address.is_ipv6 == address->is_ipv6 &&
            !memcmp(heard->address.bytes, address->bytes,
                    sizeof(address->bytes))) {
            heard->at_ms = clock_wall_ms();
            return;
        }
        if (heard->at_ms < place->at_ms)
            place = heard;
    }
    *place = (struct heard){*address, clock_wall_ms()};
    struct server *server = card->lan->lans->server;
    struct member *member = registry_member(server, card->guest);
    if (member)
        addresses_changed(server, member);
}

static void
on_frame(void *data, const uint8_t *frame, size_t len)
{
    struct lan_card *card = data;
    struct snoop_address address;
    uint64_t now_ms = uv_now(&card->lan->lans->server->loop);
    uint64_t before = switch_counts(card->end)->from_frames;
    switch_take(card->end, frame, len, now_ms);
    /* Only of what was passed on. */
    if (switch_counts(card->end)->from_frames == before ||
        !snoop_frame(frame, len, &address))
        return;
    struct lan_card *whose = card;
    if (address.source == SNOOP_SOURCE_DHCP)
        whose = switch_find(card->lan->net_switch, address.mac, now_ms);
    if (whose)
        remember(whose, &address);
}

static void
on_long(void *data)
{
    struct lan_card *card = data;
    switch_count_bad(card->end);
}

/* What the switch sends to a card goes with the end of the batch. */
static bool
send_to_card(void *data, const uint8_t *frame, size_t len)
{
    struct lan_card *card = data;
    if (!lan_port_send(card->port, frame, len))
        return false;
    if (!card->is_due) {
        card->is_due = true;
        card->next_due = card->lan->due;
        card->lan->due = card;
    }
    return true;
}

static void
on_batch(void *data)
{
    const struct lan_card *from = data;
    struct lan_card *card = NULL;
    while ((card = from->lan->due)) {
        from->lan->due = card->next_due;
        card->is_due = false;
        lan_port_flush(card->port);
    }
}

static void
on_change(void *data)
{
    const struct lan_card *card = data;
    struct server *server = card->lan->lans->server;
    struct member *member = registry_member(server, card->guest);
    if (member)
        registry_note_change(server, member);
}

static const struct lan_port_handlers port_handlers = {
    .on_frame = on_frame,
    .on_long = on_long,
    .on_batch = on_batch,
    .on_change = on_change,
};

/* Networks and cards ------------------------------------------------------ */

struct lans *
lans_new(struct server *server)
{
    struct lans *lans = xcalloc(1, sizeof(*lans));
    lans->server = server;
    return lans;
}

static struct lan *
get_lan(struct lans *lans, const char *directory, const char *name)
{
    struct lan **at = &lans->first;
    for (; *at; at = &(*at)->next) {
        if (!strcmp((*at)->name, name) && !strcmp((*at)->directory, directory))
            return *at;
    }
    struct lan *lan = xcalloc(1, sizeof(*lan));
    lan->lans = lans;
    lan->name = xstrdup(name);
    lan->directory = xstrdup(directory);
    lan->net_switch = switch_new();
    if (!lans->scratch)
        lans->scratch = xcalloc(1, LAN_PORT_SCRATCH_BYTES);
    *at = lan;
    return lan;
}

/* With its last card a network goes. */
static void
drop_lan(struct lans *lans, struct lan *lan)
{
    struct lan **at = &lans->first;
    while (*at != lan)
        at = &(*at)->next;
    *at = lan->next;
    switch_free(lan->net_switch);
    free(lan->name);
    free(lan->directory);
    free(lan);
}

static void
free_card(struct lan_card *card)
{
    struct lan *lan = card->lan;
    struct lan_card **at = &lan->cards;
    while (*at != card)
        at = &(*at)->next;
    *at = card->next;
    for (at = &lan->due; *at; at = &(*at)->next_due) {
        if (*at != card)
            continue;
        *at = card->next_due;
        break;
    }
    switch_remove(card->end);
    lan_port_free(card->port);
    free(card);
}

static void
parse_mac(const char *text, uint8_t mac[MAC_BYTES])
{
    unsigned bytes[MAC_BYTES] = {0};
    (void)sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &bytes[0], &bytes[1],
                 &bytes[2], &bytes[3], &bytes[4], &bytes[5]);
    for (size_t i = 0; i < MAC_BYTES; i++)
        mac[i] = (uint8_t)bytes[i];
}

static struct lan_card *
add_card(struct lan *lan, const struct guest *guest, size_t index,
         const char *mac)
{
    struct lan_card *card = xcalloc(1, sizeof(*card));
    uint8_t bytes[MAC_BYTES];
    struct lan_card **at = &lan->cards;
    while (*at)
        at = &(*at)->next;
    *at = card;
    card->lan = lan;
    card->guest = guest;
    card->index = index;
    (void)snprintf(card->mac, sizeof(card->mac), "%s", mac);
    parse_mac(mac, bytes);
    card->end = switch_add(lan->net_switch, send_to_card, card, bytes, guest);
    card->port = lan_port_new(&lan->lans->server->loop, lan->lans->scratch,
                              &port_handlers, card);
    return card;
}

/* The card's place on a network, or NULL. */
static struct lan_card *
find_card(const struct lans *lans, const struct guest *guest, size_t index)
{
    for (const struct lan *lan = lans->first; lan; lan = lan->next) {
        for (struct lan_card *card = lan->cards; card; card = card->next) {
            if (card->guest == guest && card->index == index)
                return card;
        }
    }
    return NULL;
}

static void
take_out(struct lans *lans, struct lan_card *card)
{
    struct lan *lan = card->lan;
    free_card(card);
    if (!lan->cards)
        drop_lan(lans, lan);
}

static void
sync_card(struct lans *lans, struct guest *guest, size_t index,
          const struct guest_card *wanted)
{
    struct lan_card *card = find_card(lans, guest, index);
    const char *directory = spec_network_directory(guest_spec(guest));
    bool is_same = card && wanted->network &&
                   !strcmp(card->lan->name, wanted->network) &&
                   !strcmp(card->lan->directory, directory) &&
                   !strcmp(card->mac, wanted->mac);
    if (card && !is_same) {
        take_out(lans, card);
        card = NULL;
    }
    if (!wanted->network)
        return;
    if (!card)
        card = add_card(get_lan(lans, directory, wanted->network), guest, index,
                        wanted->mac);
    lan_port_connect(card->port, wanted->socket);
}

/* Takes out the guest's cards from a number on. */
static void
take_out_from(struct lans *lans, const struct guest *guest, size_t first)
{
    struct lan *next_lan = NULL;
    for (struct lan *lan = lans->first; lan; lan = next_lan) {
        next_lan = lan->next;
        struct lan_card *next = NULL;
        for (struct lan_card *card = lan->cards; card; card = next) {
            next = card->next;
            if (card->guest == guest && card->index >= first)
                free_card(card);
        }
        if (!lan->cards)
            drop_lan(lans, lan);
    }
}

void
lans_sync(struct lans *lans, struct guest *guest)
{
    struct guest_card wanted;
    if (!lans)
        return; /* the server ends */
    for (size_t i = 0; guest_card(guest, i, &wanted); i++)
        sync_card(lans, guest, i, &wanted);
    take_out_from(lans, guest, guest_card_count(guest));
}

void
lans_remove(struct lans *lans, const struct guest *guest)
{
    if (lans)
        take_out_from(lans, guest, 0);
}

void
lans_free(struct lans *lans)
{
    if (!lans)
        return;
    struct lan *next_lan = NULL;
    for (struct lan *lan = lans->first; lan; lan = next_lan) {
        next_lan = lan->next;
        struct lan_card *next = NULL;
        for (struct lan_card *card = lan->cards; card; card = next) {
            next = card->next;
            free_card(card);
        }
        drop_lan(lans, lan);
    }
    free(lans->scratch);
    free(lans);
}

/* What is told ------------------------------------------------------------ */

static void
append_heard(const struct lan_card *card, json_t *addresses)
{
    for (size_t i = 0; i < ADDRESSES_MAX; i++) {
        const struct heard *heard = &card->heard[i];
        char text[SNOOP_TEXT_BYTES];
        if (!heard->at_ms)
            continue;
        snoop_format(&heard->address, text);
        json_array_append_new(
            addresses,
            json_pack("{s:s,s:s,s:s,s:I,s:i,s:s}", "address", text, "source",
                      "lan", "by", snoop_source_name(heard->address.source),
                      "seen-ms", (json_int_t)heard->at_ms, "nic",
                      (int)card->index, "network", card->lan->name));
    }
}

void
lans_append_addresses(const struct lans *lans, const struct guest *guest,
                      json_t *addresses)
{
    for (const struct lan *lan = lans->first; lan; lan = lan->next) {
        for (const struct lan_card *card = lan->cards; card;
             card = card->next) {
            if (card->guest == guest)
                append_heard(card, addresses);
        }
    }
}

static json_t *
describe_card(const struct lan_card *card)
{
    const struct switch_counts *counts = switch_counts(card->end);
    struct guest_card state = {0};
    (void)guest_card(card->guest, card->index, &state);
    json_t *addresses = json_array();
    append_heard(card, addresses);
    return json_pack(
        "{s:s,s:i,s:s,s:b,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "guest",
        guest_name(card->guest), "nic", (int)card->index, "mac", card->mac,
        "connected", lan_port_is_connected(card->port), "link",
        state.is_down ? "down" : "up", "sent-frames",
        (json_int_t)counts->from_frames, "sent-bytes",
        (json_int_t)counts->from_bytes, "received-frames",
        (json_int_t)counts->to_frames, "received-bytes",
        (json_int_t)counts->to_bytes, "lost", (json_int_t)counts->lost, "bad",
        (json_int_t)counts->bad, "foreign", (json_int_t)counts->foreign,
        "flooding", (json_int_t)counts->flooding, "addresses", addresses);
}

static json_t *
describe_macs(const struct lan *lan)
{
    json_t *macs = json_array();
    uint64_t now_ms = uv_now(&lan->lans->server->loop);
    const struct mac_entry *entry = NULL;
    size_t at = 0;
    void *data = NULL;
    while (json_array_size(macs) < MACS_TOLD &&
           (entry = switch_next_mac(lan->net_switch, &at, now_ms, &data))) {
        const struct lan_card *card = data;
        char text[18];
        (void)snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x",
                       entry->mac[0], entry->mac[1], entry->mac[2],
                       entry->mac[3], entry->mac[4], entry->mac[5]);
        json_array_append_new(
            macs, json_pack("{s:s,s:s,s:i,s:b,s:o}", "mac", text, "guest",
                            guest_name(card->guest), "nic", (int)card->index,
                            "own", entry->is_fixed, "age-ms",
                            entry->is_fixed
                                ? json_null()
                                : json_integer(
                                      (json_int_t)(now_ms - entry->heard_ms))));
    }
    return macs;
}

json_t *
lans_describe(const struct lans *lans, const char *name)
{
    json_t *list = json_array();
    for (const struct lan *lan = lans->first; lan; lan = lan->next) {
        if (name && strcmp(lan->name, name) != 0)
            continue;
        json_t *cards = json_array();
        for (const struct lan_card *card = lan->cards; card; card = card->next)
            json_array_append_new(cards, describe_card(card));
        json_array_append_new(
            list, json_pack("{s:s,s:o,s:o,s:o}", "name", lan->name, "directory",
                            json_from_text(lan->directory), "cards", cards,
                            "macs", describe_macs(lan)));
    }
    return list;
}
