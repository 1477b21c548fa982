#include "fleet/forward.h"
#include "server/api.h"
#include "server/server-internal.h"

#include <stdlib.h>
#include <string.h>

/* Forwarded ports and cables. */

/* Network cards of a guest. */
#define MAX_CARD 63

static void
on_forwards(void *data, const json_t *value, const struct error *error)
{
    if (error)
        request_fail(data, error);
    else
        request_return(data,
                       json_pack("{s:o}", "forwards", json_deep_copy(value)));
}

static bool
run_forward_add(struct request *request, const json_t *arguments,
                struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    struct forward forward = {0};
    if (!guest ||
        !forward_parse(argument_string(arguments, "forward"), &forward, error))
        return false;
    bool ok =
        guest_forward_add(guest, (int)argument_integer(arguments, "nic", -1),
                          &forward, on_forwards, request, error);
    forward_finish(&forward);
    return ok;
}

static bool
run_forward_remove(struct request *request, const json_t *arguments,
                   struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    const char *protocol = argument_string(arguments, "protocol");
    bool is_udp = protocol && !strcmp(protocol, "udp");
    if (!guest)
        return false;
    if (protocol && !is_udp && strcmp(protocol, "tcp") != 0)
        return error_set(error, ERROR_CODE_INVALID,
                         "argument 'protocol' is \"%.64s\", not tcp or udp",
                         protocol);
    return guest_forward_remove(
        guest, is_udp, argument_string(arguments, "host"),
        (int)argument_integer(arguments, "host-port", 0), on_forwards, request,
        error);
}

static bool
run_link(struct request *request, const json_t *arguments, struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    const json_t *up = json_object_get(arguments, "up");
    return guest &&
           guest_set_link(guest, (size_t)argument_integer(arguments, "nic", 0),
                          json_is_true(up), request_done, request, error);
}

static const struct method methods[] = {
    {
        .name = "guest-forward-add",
        .summary = "Forwards a port of the host to a running guest: its "
                   "\"forwards\" then",
        .deed = "forwarded a port to it",
        .flags = METHOD_MONITOR,
        .arguments =
            {
                ARGUMENT_GUEST,
                {"forward", ARGUMENT_STRING, ARGUMENT_REQUIRED, 0, 0,
                 "As in a fleet file: \"2222:22\", \"udp:auto:53\""},
                {"nic", ARGUMENT_INTEGER, 0, 0, MAX_CARD,
                 "Which of its cards, from 0; the first one on a user network "
                 "without it"},
            },
        .run = run_forward_add,
    },
    {
        .name = "guest-forward-remove",
        .summary = "Takes a forwarded port away from a running guest: its "
                   "\"forwards\" then",
        .deed = "took a forwarded port away from it",
        .flags = METHOD_MONITOR,
        .arguments =
            {
                ARGUMENT_GUEST,
                {"host-port", ARGUMENT_INTEGER, ARGUMENT_REQUIRED, 1, 65535,
                 "The host's port"},
                {"protocol", ARGUMENT_STRING, 0, 0, 0,
                 "\"tcp\", the default, or \"udp\""},
                {"host", ARGUMENT_STRING, 0, 0, 0,
                 "The host's address, where the port is forwarded on several"},
            },
        .run = run_forward_remove,
    },
    {
        .name = "guest-link",
        .summary = "Pulls the cable of a running guest's network card, or puts "
                   "it in again",
        .deed = "pulled or put in a cable of it",
        .flags = METHOD_MONITOR,
        .arguments =
            {
                ARGUMENT_GUEST,
                {"up", ARGUMENT_BOOLEAN, ARGUMENT_REQUIRED, 0, 0,
                 "False pulls it"},
                {"nic", ARGUMENT_INTEGER, 0, 0, MAX_CARD,
                 "Which of its cards, from 0 (0)"},
            },
        .run = run_link,
    },
};

const struct method_table methods_network = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
