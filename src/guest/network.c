#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "guest/guest-internal.h"
#include "guest/ports.h"
#include "qemu/argv.h"
#include "qemu/usernet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A guest's network cards: where their QEMU listens for the switch, which ports
 * of the host lead to them, and whether their cables are in. */

#define FILE_NAME "net.json"
#define FILE_MAX_BYTES (1u << 20)
/* Forwarded ports that are told. */
#define FORWARDS_MAX 256
/* Columns of QEMU's words that a message shows. */
#define SHOWN_COLS 200
#define LINK_NAME_BYTES 32

/* What is remembered ------------------------------------------------------- */

void
network_load(struct guest *guest)
{
    char *path = store_path(guest, FILE_NAME);
    json_t *saved = access(path, F_OK) == 0
                        ? json_read_file(path, FILE_MAX_BYTES, NULL)
                        : NULL;
    free(path);
    json_t *ports = json_object_get(saved, "ports");
    json_t *down = json_object_get(saved, "down");
    guest->ports = json_is_object(ports) ? json_incref(ports) : json_object();
    guest->links_down = json_is_array(down) ? json_incref(down) : json_array();
    json_decref(saved);
    const char *key = NULL;
    json_t *port = NULL;
    json_object_foreach(guest->ports, key, port)
    {
        ports_hold(guest->context->ports, (int)json_integer_value(port), guest);
    }
}

static void
save(struct guest *guest)
{
    struct error error = {0};
    char *path = store_path(guest, FILE_NAME);
    json_t *value = json_pack("{s:O,s:O}", "ports", guest->ports, "down",
                              guest->links_down);
    if (!json_write_file_volatile(value, path, &error))
        guest_notice(guest, "warning",
                     "chosen ports and pulled cables will not be remembered: "
                     "%s",
                     error.text);
    json_decref(value);
    free(path);
}

void
network_free(struct guest *guest)
{
    ports_release_all(guest->context->ports, guest);
    json_decref(guest->ports);
    json_decref(guest->links_down);
    json_decref(guest->forwards);
}

/* Ports -------------------------------------------------------------------- */

/* A remembered port that can still be had, or a new one. */
static int
choose_port(struct guest *guest, const char *key, const struct forward *forward,
            struct error *error)
{
    struct ports *ports = guest->context->ports;
    int port = (int)json_integer_value(json_object_get(guest->ports, key));
    if (port > 0 && port <= 65535 &&
        ports_check(forward->host_address, port, forward->is_udp, NULL))
        return port;
    char *seed =
        xasprintf("%s %s %s", guest->spec->directory, guest->spec->name, key);
    int chosen = ports_choose(ports, guest, forward->host_address,
                              forward->is_udp, seed, error);
    free(seed);
    if (!chosen)
        return 0;
    if (port)
        guest_notice(guest, "warning",
                     "port %d of the host, which led to port %d of it, is in "
                     "use; now it is port %d",
                     port, forward->guest_port, chosen);
    ports_hold(ports, chosen, guest);
    json_object_set_new(guest->ports, key, json_integer(chosen));
    save(guest);
    return chosen;
}

static bool
take_port(struct guest *guest, size_t card, size_t index,
          enum network_ports_flags flags, int *ret_port, struct error *error)
{
    const struct forward *forward = &guest->spec->nics[card].forwards[index];
    char text[FORWARD_TEXT_BYTES];
    *ret_port = forward->host_port;
    if (!forward->host_port) {
        forward_to_text(forward, 0, text);
        char *key = xasprintf("%zu.%zu %s", card, index, text);
        *ret_port = choose_port(guest, key, forward, error);
        free(key);
        return *ret_port != 0;
    }
    if (flags & NETWORK_PORTS_UNCHECKED)
        return true;
    return ports_check(forward->host_address, forward->host_port,
                       forward->is_udp, error) ||
           error_prefix(error, "nics[%zu].hostfwd[%zu]", card, index);
}

int *
network_ports(struct guest *guest, enum network_ports_flags flags,
              struct error *error)
{
    const struct spec *spec = guest->spec;
    size_t count = 0;
    for (size_t i = 0; i < spec->nic_count; i++)
        count += spec->nics[i].forward_count;
    int *ports = xcalloc(count + 1, sizeof(*ports));
    size_t done = 0;
    for (size_t i = 0; i < spec->nic_count; i++) {
        for (size_t j = 0; j < spec->nics[i].forward_count; j++) {
            if (take_port(guest, i, j, flags, &ports[done++], error))
                continue;
            free(ports);
            return NULL;
        }
    }
    return ports;
}

/* Sockets ------------------------------------------------------------------ */

char **
network_sockets(const struct guest *guest, struct error *error)
{
    const struct spec *spec = guest->spec;
    char **sockets = xcalloc(spec->nic_count + 1, sizeof(*sockets));
    for (size_t i = 0; i < spec->nic_count; i++) {
        char suffix[16];
        if (!spec->nics[i].network)
            continue;
        (void)snprintf(suffix, sizeof(suffix), "net%u", (unsigned)i);
        sockets[i] = paths_guest_socket(guest->context->paths, spec->name,
                                        suffix, error);
        if (sockets[i])
            continue;
        network_free_sockets(sockets, i);
        return NULL;
    }
    return sockets;
}

void
network_free_sockets(char **sockets, size_t count)
{
    for (size_t i = 0; sockets && i < count; i++)
        free(sockets[i]);
    free(sockets);
}

char *
network_agent_path(const struct guest *guest, struct error *error)
{
    return guest->spec->has_agent
               ? paths_guest_socket(guest->context->paths, guest->spec->name,
                                    "agent", error)
               : NULL;
}

void
network_remove_sockets(const struct run *run)
{
    if (run->agent_path && qmp_probe(run->agent_path, NULL) == 0)
        (void)unlink(run->agent_path);
    for (size_t i = 0; run->nic_sockets && i < run->nic_count; i++) {
        if (run->nic_sockets[i] && qmp_probe(run->nic_sockets[i], NULL) == 0)
            (void)unlink(run->nic_sockets[i]);
    }
}

/* Forwarded ports of a running guest --------------------------------------- */

static json_t *
forward_to_json(const struct usernet_forward *forward)
{
    return json_pack("{s:s,s:s,s:s,s:i,s:s,s:i}", "netdev", forward->netdev,
                     "protocol", forward->is_udp ? "udp" : "tcp", "host",
                     forward->host_address, "host-port", forward->host_port,
                     "guest", forward->guest_address, "guest-port",
                     forward->guest_port);
}

static void
take_usernet(struct guest *guest, const char *text)
{
    struct usernet_forward *forwards = xcalloc(FORWARDS_MAX, sizeof(*forwards));
    size_t count = usernet_parse(text, forwards, FORWARDS_MAX);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, forward_to_json(&forwards[i]));
    free(forwards);
    char netdev[USERNET_NAME_BYTES] = "";
    (void)usernet_first(text, netdev);
    (void)snprintf(guest->usernet, sizeof(guest->usernet), "%s", netdev);
    if (!json_equal(guest->forwards, list))
        guest_changed(guest);
    json_decref(guest->forwards);
    guest->forwards = list;
    ssh_probe_update(guest);
}

static json_t *
monitor_line(const char *line)
{
    return json_pack("{s:s}", "command-line", line);
}

static void
on_usernet(void *data, const json_t *value, const struct error *error)
{
    struct guest *guest = data;
    (void)error;
    if (!guest->is_dead && guest->run && json_is_string(value))
        take_usernet(guest, json_string_value(value));
}

/* What QEMU calls the end of a card's cable. */
static void
name_link(const struct guest *guest, size_t card, char name[LINK_NAME_BYTES])
{
    const struct spec *spec = guest->spec;
    bool is_text = card < spec->nic_count && spec->nics[card].text;
    (void)snprintf(name, LINK_NAME_BYTES, "%s%u", is_text ? "gmnet" : "gmnic",
                   (unsigned)card);
}

static void
pull_again(struct guest *guest)
{
    for (size_t i = 0; i < json_array_size(guest->links_down); i++) {
        const json_t *card = json_array_get(guest->links_down, i);
        char name[LINK_NAME_BYTES];
        name_link(guest, (size_t)json_integer_value(card), name);
        (void)qmp_send(guest->run->qmp, "set_link",
                       json_pack("{s:s,s:b}", "name", name, "up", 0), 0, NULL,
                       NULL, NULL);
    }
}

void
network_on_ready(struct guest *guest)
{
    /* A server that died may have known more than it wrote. */
    if (guest->run->is_adopted)
        pull_again(guest);
    (void)qmp_send(guest->run->qmp, "human-monitor-command",
                   monitor_line("info usernet"), 0, on_usernet, guest, NULL);
}

void
network_on_start(struct guest *guest)
{
    json_decref(guest->forwards);
    guest->forwards = NULL;
    guest->usernet[0] = '\0';
    if (json_array_size(guest->links_down) == 0)
        return;
    json_array_clear(guest->links_down);
    save(guest);
}

/* The list was asked for again after a change: its op is answered with it. */
static void
on_usernet_again(void *data, const json_t *value, const struct error *error)
{
    struct op *op = data;
    struct guest *guest = op->guest;
    on_usernet(guest, value, error);
    op_finish(op, guest->is_dead ? NULL : guest->forwards, error);
}

/* QEMU answers in words; silence, or "… removed", is success. */
static bool
is_success(const char *words)
{
    size_t len = strcspn(words, "\r\n");
    return len == 0 || (len > 8 && !strncmp(words + len - 8, " removed", 8));
}

static void
on_forward(void *data, const json_t *value, const struct error *error)
{
    struct op *op = data;
    struct guest *guest = op->guest;
    struct error why = {0};
    const char *words = json_string_value(value);
    if (!error && !(words && is_success(words))) {
        char *shown =
            text_printable(words ? words : "", words ? strlen(words) : 0,
                           SHOWN_COLS, TEXT_ONE_LINE);
        error_set(&why, ERROR_CODE_GUEST, "QEMU says: %s", shown);
        free(shown);
        error = &why;
    }
    if (error || guest->is_dead || !guest->run || !guest->run->qmp) {
        op_finish(op, NULL, error);
        return;
    }
    if (!qmp_send(guest->run->qmp, "human-monitor-command",
                  monitor_line("info usernet"), 0, on_usernet_again, op, &why))
        op_finish(op, NULL, &why);
}

bool
guest_learn_forwards(struct guest *guest, guest_qmp_fn on_reply, void *data)
{
    if (guest->forwards || !guest_check_monitor(guest, "ask", NULL))
        return false;
    struct op *op = op_new(guest, OP_KIND_REPLY, NULL, data);
    op->on_reply = on_reply;
    if (!qmp_send(guest->run->qmp, "human-monitor-command",
                  monitor_line("info usernet"), 0, on_usernet_again, op, NULL))
        op_finish(op, NULL, NULL);
    return true;
}

/* The user network of a card, or the first one; false with error. */
static bool
find_usernet(const struct guest *guest, int card,
             char netdev[USERNET_NAME_BYTES], struct error *error)
{
    const struct spec *spec = guest->spec;
    if (card < 0) {
        (void)snprintf(netdev, USERNET_NAME_BYTES, "%s", guest->usernet);
        return netdev[0] ||
               error_set(error, ERROR_CODE_STATE,
                         "%s has no user network: only such ones have "
                         "forwarded ports",
                         spec->name);
    }
    bool is_user = spec->has_nics ? (size_t)card < spec->nic_count &&
                                        spec->nics[card].type &&
                                        !strcmp(spec->nics[card].type, "user")
                                  : card == 0 && spec->kind == SPEC_KIND_QEMU;
    (void)snprintf(netdev, USERNET_NAME_BYTES, "gmnet%d", card);
    return is_user || error_set(error, ERROR_CODE_INVALID,
                                "card %d of %s is not on a user network: only "
                                "such ones have forwarded ports",
                                card, spec->name);
}

static bool
send_forward(struct guest *guest, const char *line, guest_qmp_fn on_reply,
             void *data, struct error *error)
{
    struct op *op = op_new(guest, OP_KIND_REPLY, NULL, data);
    op->on_reply = on_reply;
    struct error why = {0};
    (void)error;
    if (!qmp_send(guest->run->qmp, "human-monitor-command", monitor_line(line),
                  0, on_forward, op, &why))
        op_finish(op, NULL, &why);
    return true;
}

bool
guest_forward_add(struct guest *guest, int card, const struct forward *forward,
                  guest_qmp_fn on_reply, void *data, struct error *error)
{
    char netdev[USERNET_NAME_BYTES];
    if (!guest_check_monitor(guest, "forward a port to", error) ||
        !find_usernet(guest, card, netdev, error))
        return false;
    int port = forward->host_port;
    if (port ? !ports_check(forward->host_address, port, forward->is_udp, error)
             : !(port = ports_choose(guest->context->ports, guest,
                                     forward->host_address, forward->is_udp,
                                     guest->spec->name, error)))
        return false;
    char text[FORWARD_TEXT_BYTES];
    forward_to_qemu(forward, port, text);
    char *line = xasprintf("hostfwd_add %s %s", netdev, text);
    bool ok = send_forward(guest, line, on_reply, data, error);
    free(line);
    return ok;
}

static const char *
forward_text(const json_t *row, const char *name)
{
    return json_string_value(json_object_get(row, name));
}

/* The one forward of the host's port that the guest has; NULL with error. host:
 * the host's address; NULL: any, when there is one only. */
static const json_t *
find_forward(const struct guest *guest, const char *protocol, const char *host,
             int port, struct error *error)
{
    const json_t *found = NULL;
    size_t index;
    json_t *row;
    json_array_foreach(guest->forwards, index, row)
    {
        if (json_integer_value(json_object_get(row, "host-port")) != port ||
            strcmp(forward_text(row, "protocol"), protocol) != 0 ||
            (host && strcmp(forward_text(row, "host"), host) != 0))
            continue;
        if (found) {
            error_set(error, ERROR_CODE_INVALID,
                      "%s port %d leads to %s from %s and from %s: say which "
                      "(%s:%d)",
                      protocol, port, guest->spec->name,
                      forward_text(found, "host"), forward_text(row, "host"),
                      forward_text(row, "host"), port);
            return NULL;
        }
        found = row;
    }
    if (!found)
        error_set(error, ERROR_CODE_NOT_FOUND,
                  "no %s port %d of %s leads to %s", protocol, port,
                  host ? host : "the host", guest->spec->name);
    return found;
}

bool
guest_forward_remove(struct guest *guest, bool is_udp, const char *host,
                     int port, guest_qmp_fn on_reply, void *data,
                     struct error *error)
{
    const char *protocol = is_udp ? "udp" : "tcp";
    if (!guest_check_monitor(guest, "remove a forwarded port of", error))
        return false;
    const json_t *row = find_forward(guest, protocol, host, port, error);
    if (!row)
        return false;
    host = forward_text(row, "host");
    /* "hostfwd_remove" knows "all addresses" by an empty one. */
    char *line = xasprintf("hostfwd_remove %s %s:%s:%d",
                           json_string_value(json_object_get(row, "netdev")),
                           protocol, strcmp(host, "0.0.0.0") ? host : "", port);
    bool ok = send_forward(guest, line, on_reply, data, error);
    free(line);
    return ok;
}

/* Cables ------------------------------------------------------------------- */

bool
network_is_down(const struct guest *guest, size_t card)
{
    size_t index;
    json_t *number;
    json_array_foreach(guest->links_down, index, number)
    {
        if (json_integer_value(number) == (json_int_t)card)
            return true;
    }
    return false;
}

static void
note_link(struct guest *guest, size_t card, bool is_up)
{
    json_t *down = json_array();
    size_t index;
    json_t *number;
    json_array_foreach(guest->links_down, index, number)
    {
        if (json_integer_value(number) != (json_int_t)card)
            json_array_append(down, number);
    }
    if (!is_up)
        json_array_append_new(down, json_integer((json_int_t)card));
    json_decref(guest->links_down);
    guest->links_down = down;
    save(guest);
    guest_changed(guest);
}

/* What is wanted of one card's cable. */
struct link_call {
    size_t card;
    bool is_up;
};

static void
on_link(void *data, const json_t *value, const struct error *error)
{
    struct op *op = data;
    const struct link_call *call = op->details;
    if (!error && !op->guest->is_dead)
        note_link(op->guest, call->card, call->is_up);
    op_finish(op, value, error);
}

size_t
guest_card_count(const struct guest *guest)
{
    const struct spec *spec = guest->spec;
    if (spec->kind != SPEC_KIND_QEMU)
        return 0;
    return spec->has_nics ? spec->nic_count : 1;
}

bool
guest_set_link(struct guest *guest, size_t card, bool is_up,
               guest_done_fn on_done, void *data, struct error *error)
{
    if (!guest_check_monitor(guest, "set a link of", error))
        return false;
    size_t count = guest_card_count(guest);
    if (guest->spec->kind != SPEC_KIND_QEMU)
        return error_set(error, ERROR_CODE_STATE,
                         "the cards of %s are its command's: only QEMU knows "
                         "their names (guestmux qmp %s set_link)",
                         guest->spec->name, guest->spec->name);
    if (count == 0)
        return error_set(error, ERROR_CODE_NOT_FOUND, "%s has no network card",
                         guest->spec->name);
    if (card >= count)
        return error_set(error, ERROR_CODE_NOT_FOUND,
                         "%s has %zu network card%s, counted from 0: there is "
                         "no card %zu",
                         guest->spec->name, count, count == 1 ? "" : "s", card);
    char name[LINK_NAME_BYTES];
    name_link(guest, card, name);
    struct op *op = op_new(guest, OP_KIND_REPLY, on_done, data);
    struct link_call *call = xcalloc(1, sizeof(*call));
    *call = (struct link_call){card, is_up};
    op->details = call;
    struct error why = {0};
    if (!qmp_send(guest->run->qmp, "set_link",
                  json_pack("{s:s,s:b}", "name", name, "up", is_up), 0, on_link,
                  op, &why))
        op_finish(op, NULL, &why);
    return true;
}

/* What it is --------------------------------------------------------------- */

bool
guest_card(const struct guest *guest, size_t card, struct guest_card *ret_card)
{
    const struct spec *spec = guest->spec;
    const struct run *run = guest->run;
    if (card >= guest_card_count(guest))
        return false;
    const struct spec_nic *nic = spec->nics ? &spec->nics[card] : NULL;
    *ret_card = (struct guest_card){
        .network = nic ? nic->network : NULL,
        .type = !nic           ? "user"
                : nic->network ? "lan"
                : nic->type    ? nic->type
                               : "qemu",
        .is_beside_host = nic && spec_nic_is_beside_host(nic),
        .is_down = network_is_down(guest, card),
    };
    argv_nic_mac(spec, card, ret_card->mac);
    if (nic && nic->text)
        ret_card->mac[0] = '\0'; /* it may say its own */
    if (run && run->is_ready && !run->is_finishing && run->nic_sockets &&
        card < run->nic_count)
        ret_card->socket = run->nic_sockets[card];
    return true;
}

json_t *
network_cards_json(const struct guest *guest)
{
    json_t *cards = json_array();
    for (size_t i = 0; i < guest_card_count(guest); i++) {
        struct guest_card card;
        (void)guest_card(guest, i, &card);
        json_array_append_new(cards,
                              json_pack("{s:s,s:s?,s:s?,s:s}", "type",
                                        card.type, "network", card.network,
                                        "mac", card.mac[0] ? card.mac : NULL,
                                        "link", card.is_down ? "down" : "up"));
    }
    return cards;
}
