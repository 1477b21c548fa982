#include "qemu/agent.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "guest/guest-internal.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* What the guest agent is asked, and the addresses that it tells. */

/* What is taken of its answer. */
#define MAX_INTERFACES 64
#define MAX_ADDRESSES 128
#define NAME_COLS 32
/* ms; after the agent came, until it is asked, and again while the guest has no
 * address yet: longer each time, a few times. */
#define FIRST_ASK_MS 500u
#define MAX_ASKS 8

/* Asking ------------------------------------------------------------------ */

static void
on_reply(void *data, const json_t *value, const struct error *error)
{
    op_finish(data, value, error);
}

static bool
ask(struct guest *guest, const char *command, json_t *arguments, unsigned flags,
    uint64_t timeout_ms, struct op *op, agent_reply_fn on_answer,
    struct error *error)
{
    return agent_ask(guest->run->agent, command, arguments, flags, timeout_ms,
                     on_answer, op, error);
}

static bool
check_agent(const struct guest *guest, struct error *error)
{
    if (!guest_check_active(guest, "ask the agent of", error))
        return false;
    return guest->run->agent ||
           error_set(error, ERROR_CODE_STATE,
                     "%s has no port for the guest agent: its definition needs "
                     "\"agent\": true",
                     guest->spec->name);
}

bool
guest_agent(struct guest *guest, const char *command, json_t *arguments,
            uint64_t timeout_ms, guest_qmp_fn on_answer, void *data,
            struct error *error)
{
    if (!check_agent(guest, error)) {
        json_decref(arguments);
        return false;
    }
    struct op *op = op_new(guest, OP_KIND_REPLY, NULL, data);
    op->on_reply = on_answer;
    struct error why = {0};
    if (!ask(guest, command, arguments, AGENT_REPLIES, timeout_ms, op, on_reply,
             &why))
        op_finish(op, NULL, &why);
    return true;
}

bool
guest_agent_shutdown(struct guest *guest, guest_done_fn on_done, void *data,
                     struct error *error)
{
    if (!check_agent(guest, error))
        return false;
    struct op *op = op_new(guest, OP_KIND_REPLY, on_done, data);
    struct error why = {0};
    if (!ask(guest, "guest-shutdown", NULL, AGENT_SILENT, 0, op, on_reply,
             &why))
        op_finish(op, NULL, &why);
    return true;
}

bool
guest_has_agent(const struct guest *guest)
{
    return guest->run && guest->run->agent;
}

/* Addresses --------------------------------------------------------------- */

static bool
is_address(const char *text)
{
    unsigned char bytes[16];
    return text && (inet_pton(AF_INET, text, bytes) == 1 ||
                    inet_pton(AF_INET6, text, bytes) == 1);
}

/* Foreign text fit to show; new reference. */
static json_t *
shown(const json_t *value)
{
    const char *text = json_string_value(value);
    char *fit = text_printable(text ? text : "", text ? strlen(text) : 0,
                               NAME_COLS, TEXT_ONE_LINE);
    json_t *string = json_string(fit);
    free(fit);
    return string;
}

static void
take_interface(json_t *list, const json_t *interface)
{
    const json_t *rows = json_object_get(interface, "ip-addresses");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *text =
            json_string_value(json_object_get(row, "ip-address"));
        if (!is_address(text) || json_array_size(list) >= MAX_ADDRESSES)
            continue;
        json_array_append_new(
            list,
            json_pack("{s:s,s:s,s:I,s:o,s:o}", "address", text, "source",
                      "agent", "seen-ms", (json_int_t)clock_wall_ms(),
                      "interface", shown(json_object_get(interface, "name")),
                      "mac",
                      shown(json_object_get(interface, "hardware-address"))));
    }
}

/* Whether one of them is more than loopback or link-local. */
static bool
has_global(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(
            json_object_get(json_array_get(list, i), "address"));
        if (address_is_useful(text))
            return true;
    }
    return false;
}

static void
take_interfaces(struct guest *guest, const json_t *value)
{
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(value) && i < MAX_INTERFACES; i++)
        take_interface(list, json_array_get(value, i));
    json_decref(guest->run->addresses);
    guest->run->addresses = list;
    guest_changed(guest);
}

static void
on_interfaces(void *data, const json_t *value, const struct error *error)
{
    struct op *op = data;
    struct guest *guest = op->guest;
    if (!guest->is_dead && guest->run && json_is_array(value))
        take_interfaces(guest, value);
    op_finish(op, value, error);
}

bool
guest_refresh_addresses(struct guest *guest, guest_done_fn on_done, void *data,
                        struct error *error)
{
    if (!check_agent(guest, error))
        return false;
    struct op *op = op_new(guest, OP_KIND_REPLY, on_done, data);
    struct error why = {0};
    if (!ask(guest, "guest-network-get-interfaces", NULL, AGENT_REPLIES, 0, op,
             on_interfaces, &why))
        op_finish(op, NULL, &why);
    return true;
}

void
guest_append_addresses(const struct guest *guest, json_t *addresses)
{
    if (guest->run && guest->run->addresses)
        json_array_extend(addresses, guest->run->addresses);
}

/* A later time, twice as far away as the last one. */
static void
on_ask_again(void *data)
{
    struct guest *guest = data;
    struct run *run = guest->run;
    if (!run || run->is_finishing || run->agent_asks >= MAX_ASKS ||
        has_global(run->addresses))
        return;
    (void)guest_refresh_addresses(guest, NULL, NULL, NULL);
    loop_timer_start(run->agent_timer, FIRST_ASK_MS << ++run->agent_asks);
}

void
agent_opened(struct guest *guest)
{
    struct run *run = guest->run;
    if (!run || !run->agent)
        return;
    if (!run->agent_timer)
        run->agent_timer =
            loop_timer_new(guest->context->loop, on_ask_again, guest);
    run->agent_asks = 0;
    loop_timer_start(run->agent_timer, FIRST_ASK_MS);
}

/* query-chardev says whether a program in the guest has the port open: the
 * event may have come while no server ran. */
void
agent_take_chardevs(struct guest *guest, const json_t *chardevs)
{
    for (size_t i = 0; i < json_array_size(chardevs); i++) {
        const json_t *row = json_array_get(chardevs, i);
        const char *label = json_string_value(json_object_get(row, "label"));
        if (label && !strcmp(label, "gmagent") &&
            json_is_true(json_object_get(row, "frontend-open")) &&
            !guest->run->agent_timer) {
            (void)guest_note_stage(guest, STAGE_AGENT, clock_wall_ms());
            agent_opened(guest);
        }
    }
}

void
agent_start(struct guest *guest, const char *path)
{
    if (path)
        guest->run->agent = agent_new(guest->context->loop, path);
}
