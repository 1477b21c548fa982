#include "server/api.h"
#include "server/lan.h"
#include "server/server-internal.h"

/* The fleets' own networks. */

static bool
run_networks(struct request *request, const json_t *arguments,
             struct error *error)
{
    const char *name = argument_string(arguments, "name");
    json_t *list = lans_describe(request_server(request)->lans, name);
    if (name && !json_array_size(list)) {
        json_decref(list);
        return error_set(error, ERROR_CODE_NOT_FOUND,
                         "no guest is on a network '%.64s'", name);
    }
    request_return(request, list);
    return true;
}

static const struct method methods[] = {
    {
        .name = "query-networks",
        .summary = "The fleets' own networks: who is on them, counters, "
                   "addresses",
        .flags = METHOD_READS,
        .arguments =
            {
                {"name", ARGUMENT_STRING, 0, 0, 0, "Only those of this name"},
            },
        .run = run_networks,
    },
};

const struct method_table methods_lan = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
