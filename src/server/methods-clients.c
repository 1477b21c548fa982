#include "server/api.h"
#include "server/clients.h"
#include "server/server-internal.h"

/* Clients that know of each other, and who of them types. */

static bool
run_set(struct request *request, const json_t *arguments, struct error *error)
{
    struct peer *peer = request_peer(request);
    const json_t *wanted = json_object_get(arguments, "read-only");
    if (json_is_false(wanted) && peer_is_readonly(peer))
        return error_set(error, ERROR_CODE_DENIED,
                         "a client that is read-only stays so; connect again");
    peer_set_identity(peer, argument_string(arguments, "name"),
                      argument_string(arguments, "program"));
    if (json_is_true(wanted))
        peer_set_readonly(peer);
    clients_renamed(request_server(request), peer);
    request_return(request,
                   json_pack("{s:I,s:s,s:b}", "client",
                             (json_int_t)peer_id(peer), "name", peer_name(peer),
                             "read-only", peer_is_readonly(peer)));
    return true;
}

static bool
run_query(struct request *request, const json_t *arguments, struct error *error)
{
    (void)arguments;
    (void)error;
    request_return(
        request, clients_list(request_server(request), request_peer(request)));
    return true;
}

static bool
run_take(struct request *request, const json_t *arguments, struct error *error)
{
    size_t index = 0;
    struct guest *guest = argument_console(request, arguments, &index, error);
    if (!guest || !clients_take(request_server(request), request_peer(request),
                                guest, index, error))
        return false;
    request_return(request, NULL);
    return true;
}

static bool
run_release(struct request *request, const json_t *arguments,
            struct error *error)
{
    size_t index = 0;
    struct guest *guest = argument_console(request, arguments, &index, error);
    if (!guest || !clients_release(request_server(request),
                                   request_peer(request), guest, index, error))
        return false;
    request_return(request, NULL);
    return true;
}

static const struct method methods[] = {
    {
        .name = "client-set",
        .summary = "Says who this client is, and that it only looks",
        .flags = METHOD_READS,
        .arguments =
            {
                {"name", ARGUMENT_STRING, 0, 0, 0,
                 "What others see: \"anna@pts/3\""},
                {"program", ARGUMENT_STRING, 0, 0, 0, "\"deck\", \"send\" …"},
                {"read-only", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "From now on whatever changes something is refused; there is "
                 "no way back"},
            },
        .run = run_set,
    },
    {
        .name = "query-clients",
        .summary = "All clients: what they look at, type into, hold",
        .flags = METHOD_READS,
        .run = run_query,
    },
    {
        .name = "keyboard-take",
        .summary = "Takes a console's keyboard: nobody else can type there",
        .arguments = {ARGUMENT_CONSOLE},
        .run = run_take,
    },
    {
        .name = "keyboard-release",
        .summary = "Gives the keyboard back: everybody can type again",
        .arguments = {ARGUMENT_CONSOLE},
        .run = run_release,
    },
};

const struct method_table methods_clients = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
