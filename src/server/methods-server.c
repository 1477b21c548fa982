#include "config.h"
#include "server/api.h"
#include "server/clients.h"
#include "server/server-internal.h"

#include <unistd.h>

static bool
run_capabilities(struct request *request, const json_t *arguments,
                 struct error *error)
{
    (void)arguments;
    (void)error;
    request_return(request, NULL);
    return true;
}

static bool
run_version(struct request *request, const json_t *arguments,
            struct error *error)
{
    (void)arguments;
    (void)error;
    request_return(request, json_pack("{s:s,s:i}", "version", GUESTMUX_VERSION,
                                      "api", API_VERSION));
    return true;
}

static bool
run_commands(struct request *request, const json_t *arguments,
             struct error *error)
{
    (void)arguments;
    (void)error;
    request_return(request, api_describe());
    return true;
}

static bool
run_server(struct request *request, const json_t *arguments,
           struct error *error)
{
    (void)arguments;
    (void)error;
    const struct server *server = request_server(request);
    const struct paths *paths = server->paths;
    size_t memory_bytes = 0;
    (void)uv_resident_set_memory(&memory_bytes);
    request_return(request,
                   json_pack("{s:s,s:s,s:i,s:I,s:s,s:s,s:s,s:s?,s:i,s:i,s:I}",
                             "version", GUESTMUX_VERSION, "server",
                             paths->server, "pid", (int)getpid(), "started-ms",
                             (json_int_t)server->started_ms, "runtime-dir",
                             paths->runtime_dir, "state-dir", paths->state_dir,
                             "data-dir", paths->data_dir, "warning",
                             paths->warning, "peers", (int)server->peer_count,
                             "guests", (int)server->member_count,
                             "memory-bytes", (json_int_t)memory_bytes));
    return true;
}

static bool
run_quit(struct request *request, const json_t *arguments, struct error *error)
{
    (void)arguments;
    (void)error;
    struct server *server = request_server(request);
    request_return(request, NULL);
    server_stop(server);
    return true;
}

static bool
run_subscribe(struct request *request, const json_t *arguments,
              struct error *error)
{
    (void)arguments;
    (void)error;
    struct server *server = request_server(request);
    struct peer *peer = request_peer(request);
    peer_subscribe(peer);
    request_return(request, NULL);
    clients_tell_all(server, peer);
    return true;
}

static const struct method methods[] = {
    {
        .name = "qmp_capabilities",
        .summary = "Does nothing: here for clients made for QEMU's monitor",
        .flags = METHOD_READS,
        .run = run_capabilities,
    },
    {
        .name = "query-version",
        .summary = "The program's and the API's version",
        .flags = METHOD_READS,
        .run = run_version,
    },
    {
        .name = "query-commands",
        .summary = "All methods with their arguments",
        .flags = METHOD_READS,
        .run = run_commands,
    },
    {
        .name = "query-server",
        .summary = "The server: its process, directories, clients",
        .flags = METHOD_READS,
        .run = run_server,
    },
    {
        .name = "server-quit",
        .summary = "Ends the server; the guests go on",
        .deed = "ended the server",
        .run = run_quit,
    },
    {
        .name = "events-subscribe",
        .summary = "Sends this client all events from now on",
        .flags = METHOD_READS,
        .run = run_subscribe,
    },
};

const struct method_table methods_server = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
