#include "server/addresses.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "server/ci-info.h"
#include "server/neighbours.h"
#include "server/server-internal.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Addresses that are remembered of a guest's console. */
#define CONSOLE_MAX 32

/* The console ------------------------------------------------------------- */

void
addresses_console_line(struct server *server, struct member *member,
                       const char *line, int64_t at_ms)
{
    struct ci_info info;
    if (!ci_info_parse(line, &info))
        return;
    json_t *list = member->console_addresses;
    addresses_drop(list, info.address);
    if (json_array_size(list) >= CONSOLE_MAX)
        json_array_remove(list, 0);
    json_array_append_new(
        list, json_pack("{s:s,s:s,s:I,s:s,s:s}", "address", info.address,
                        "source", "console", "seen-ms", (json_int_t)at_ms,
                        "interface", info.device, "mac", info.mac));
    addresses_changed(server, member);
}

/* Those of this boot. */
static void
append_of_boot(const struct member *member, const json_t *rows,
               json_t *addresses)
{
    int64_t boot_ms = guest_stage_ms(member->guest, STAGE_FIRMWARE);
    size_t index;
    json_t *row;
    json_array_foreach((json_t *)rows, index, row)
    {
        if (json_integer_value(json_object_get(row, "seen-ms")) >= boot_ms)
            json_array_append(addresses, row);
    }
}

/* The neighbour table ----------------------------------------------------- */

static void
append_neighbours(const struct guest *guest, json_t *addresses)
{
    struct guest_card card;
    char *table = NULL;
    size_t len = 0;
    for (size_t i = 0; guest_card(guest, i, &card); i++) {
        struct neighbour found[NEIGHBOURS_MAX];
        if (!card.is_beside_host || !card.mac[0])
            continue;
        if (!table)
            table = neighbours_read(&len);
        size_t count = table ? neighbours_find(table, len, card.mac, found) : 0;
        for (size_t k = 0; k < count; k++)
            json_array_append_new(
                addresses,
                json_pack("{s:o,s:s,s:I,s:s}", "address",
                          json_from_text(found[k].address), "source",
                          "neighbours", "seen-ms",
                          (json_int_t)(clock_wall_ms() - found[k].age_ms),
                          "mac", card.mac));
    }
    free(table);
}

/* All of them ------------------------------------------------------------- */

/* Says which card an address is of, and whether the host can reach it. */
static void
complete(const struct guest *guest, json_t *row)
{
    const char *mac = json_string_value(json_object_get(row, "mac"));
    const char *text = json_string_value(json_object_get(row, "address"));
    bool is_reachable = !json_object_get(row, "network");
    struct guest_card card;
    for (size_t i = 0; mac && guest_card(guest, i, &card); i++) {
        if (strcasecmp(mac, card.mac) != 0)
            continue;
        json_object_set_new(row, "nic", json_integer((json_int_t)i));
        is_reachable = card.is_beside_host;
    }
    json_object_set_new(row, "reachable",
                        json_boolean(is_reachable && (address_is_useful(text) ||
                                                      strchr(text, '%'))));
}

json_t *
addresses_collect(struct server *server, const struct member *member,
                  unsigned flags)
{
    const struct guest *guest = member->guest;
    json_t *known = json_array();
    if (!guest_is_active(guest))
        return known;
    guest_append_addresses(guest, known);
    append_of_boot(member, member->console_addresses, known);
    if (flags & ADDRESSES_NEIGHBOURS)
        append_neighbours(guest, known);
    json_t *heard = addresses_heard(server, member);
    append_of_boot(member, heard, known);
    json_decref(heard);
    json_t *addresses = json_array();
    size_t index;
    json_t *row;
    json_array_foreach(known, index, row)
    {
        json_t *copy = json_copy(row);
        complete(guest, copy);
        json_array_append_new(addresses, copy);
    }
    json_decref(known);
    return addresses;
}

bool
addresses_find(struct server *server, const struct member *member,
               char ret_address[GUEST_ADDRESS_BYTES])
{
    json_t *known = addresses_collect(server, member, ADDRESSES_NEIGHBOURS);
    bool is_found = false;
    size_t index;
    json_t *row;
    json_array_foreach(known, index, row)
    {
        const char *text = json_string_value(json_object_get(row, "address"));
        is_found = json_is_true(json_object_get(row, "reachable")) &&
                   strlen(text) < GUEST_ADDRESS_BYTES;
        if (is_found) {
            (void)snprintf(ret_address, GUEST_ADDRESS_BYTES, "%s", text);
            break;
        }
    }
    json_decref(known);
    return is_found;
}

/* ssh --------------------------------------------------------------------- */

/* Ports of the host that lead to the guest's. */
static void
append_forwarded(json_t *candidates, const json_t *forwards, int port)
{
    size_t index;
    json_t *row;
    json_array_foreach(forwards, index, row)
    {
        const char *host = json_string_value(json_object_get(row, "host"));
        if (json_integer_value(json_object_get(row, "guest-port")) != port ||
            strcmp(json_string_value(json_object_get(row, "protocol")),
                   "tcp") != 0)
            continue;
        json_array_append_new(
            candidates,
            json_pack("{s:s,s:O,s:s}", "host",
                      strcmp(host, "0.0.0.0") ? host : "127.0.0.1", "port",
                      json_object_get(row, "host-port"), "source", "forward"));
    }
}

static void
append_reachable(json_t *candidates, const json_t *addresses, int port)
{
    size_t index;
    json_t *row;
    json_array_foreach(addresses, index, row)
    {
        if (json_is_true(json_object_get(row, "reachable")))
            json_array_append_new(
                candidates,
                json_pack("{s:O,s:i,s:O,s:O}", "host",
                          json_object_get(row, "address"), "port", port,
                          "source", json_object_get(row, "source"), "seen-ms",
                          json_object_get(row, "seen-ms")));
    }
}

static json_t *
text_or_null(const char *text)
{
    return text ? json_from_text(text) : json_null();
}

json_t *
addresses_ssh(struct server *server, const struct member *member)
{
    const struct spec *spec = guest_spec(member->guest);
    const struct spec_ssh *ssh = &spec->ssh;
    const char *user = ssh->user          ? ssh->user
                       : spec->cloud_init ? spec->cloud_init->user
                                          : NULL;
    int port = spec_ssh_port(spec);
    json_t *guest = guest_to_json(member->guest);
    json_t *addresses = addresses_collect(server, member, ADDRESSES_NEIGHBOURS);
    json_t *candidates = json_array();
    json_t *options = json_array();
    append_forwarded(candidates, json_object_get(guest, "forwards"), port);
    append_reachable(candidates, addresses, port);
    for (size_t i = 0; ssh->options && ssh->options[i]; i++)
        json_array_append_new(options, json_from_text(ssh->options[i]));
    char *directory =
        paths_guest_state_dir(server->paths, guest_name(member->guest));
    char *known_hosts = xasprintf("%s/known_hosts", directory);
    json_t *value = json_pack(
        "{s:s,s:o,s:i,s:o,s:o,s:o,s:o,s:o}", "guest", guest_name(member->guest),
        "user", text_or_null(user), "port", port, "key", text_or_null(ssh->key),
        "options", options, "known-hosts", json_from_text(known_hosts),
        "candidates", candidates, "addresses", addresses);
    free(known_hosts);
    free(directory);
    json_decref(guest);
    return value;
}
