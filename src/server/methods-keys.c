#include "guest/sysrq.h"
#include "server/api.h"
#include "server/clients.h"
#include "server/paste.h"
#include "server/server-internal.h"

#include <string.h>

/* Breaks, SysRq, and the keys of a guest's own keyboard. */

static bool
run_break(struct request *request, const json_t *arguments, struct error *error)
{
    size_t index = 0;
    struct guest *guest = argument_console(request, arguments, &index, error);
    return guest &&
           clients_may_type(request_server(request), request_peer(request),
                            guest, index, error) &&
           guest_send_break(guest, index, request_done, request, error);
}

/* The ways by their names in the API. */
static bool
read_way(const json_t *arguments, enum guest_sysrq_way *ret_way,
         struct error *error)
{
    static const char *const names[] = {
        [GUEST_SYSRQ_AUTO] = "auto",
        [GUEST_SYSRQ_SERIAL] = "serial",
        [GUEST_SYSRQ_KEYBOARD] = "keyboard",
    };
    const char *via = argument_string(arguments, "via");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(via ? via : "auto", names[i]) != 0)
            continue;
        *ret_way = (enum guest_sysrq_way)i;
        return true;
    }
    return error_set(error, ERROR_CODE_INVALID,
                     "argument 'via' is \"%.64s\", not auto, serial or "
                     "keyboard",
                     via);
}

static bool
run_sysrq(struct request *request, const json_t *arguments, struct error *error)
{
    size_t index = 0;
    enum guest_sysrq_way way = GUEST_SYSRQ_AUTO;
    struct guest *guest = argument_console(request, arguments, &index, error);
    if (!guest)
        return false;
    if (!clients_may_type(request_server(request), request_peer(request), guest,
                          index, error))
        return false;
    const struct sysrq *sysrq =
        sysrq_find(argument_string(arguments, "key"), error);
    if (sysrq && paste_is_active(request_server(request), guest, index))
        return error_set(error, ERROR_CODE_STATE,
                         "cannot send SysRq to %s while it is pasted to: "
                         "cancel the paste first",
                         guest_name(guest));
    return sysrq && read_way(arguments, &way, error) &&
           guest_send_sysrq(guest, index, sysrq, way, request_done, request,
                            error);
}

static bool
run_keys(struct request *request, const json_t *arguments, struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    return guest && guest_press(guest, json_object_get(arguments, "keys"),
                                request_done, request, error);
}

static bool
run_query(struct request *request, const json_t *arguments, struct error *error)
{
    (void)arguments;
    (void)error;
    json_t *list = json_array();
    for (size_t i = 0; i < sysrqs_count; i++)
        json_array_append_new(
            list,
            json_pack("{s:s,s:o,s:s,s:b}", "name", sysrqs[i].name, "letter",
                      json_stringn(&sysrqs[i].letter, 1), "summary",
                      sysrqs[i].summary, "dangerous", sysrqs[i].is_dangerous));
    request_return(request, list);
    return true;
}

static const struct method methods[] = {
    {
        .name = "guest-keys",
        .summary = "Presses keys of a guest's own keyboard",
        .flags = METHOD_MONITOR,
        .arguments =
            {
                ARGUMENT_GUEST,
                {"keys", ARGUMENT_STRINGS, ARGUMENT_REQUIRED, 0, 0,
                 "Combinations, pressed one after the other: "
                 "\"ctrl-alt-delete\""},
            },
        .run = run_keys,
    },
    {
        .name = "guest-sysrq",
        .summary = "Asks a guest's Linux for a magic SysRq function",
        .flags = METHOD_MONITOR,
        .arguments =
            {
                ARGUMENT_CONSOLE,
                {"key", ARGUMENT_STRING, ARGUMENT_REQUIRED, 0, 0,
                 "Its name or letter: query-sysrq lists them"},
                {"via", ARGUMENT_STRING, 0, 0, 0,
                 "How: \"serial\" (a break first), \"keyboard\" or \"auto\" (what "
                 "the console is)"},
            },
        .run = run_sysrq,
    },
    {
        .name = "query-sysrq",
        .summary = "The SysRq functions: name, letter, summary, dangerous",
        .flags = METHOD_READS,
        .run = run_query,
    },
    {
        .name = "console-break",
        .summary = "Sends a break on a console's serial line",
        .flags = METHOD_MONITOR,
        .arguments = {ARGUMENT_CONSOLE},
        .run = run_break,
    },
};

const struct method_table methods_keys = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
