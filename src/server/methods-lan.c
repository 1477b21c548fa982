#include "base/xalloc.h"
#include "server/addresses.h"
#include "server/api.h"
#include "server/lan.h"
#include "server/server-internal.h"

#include <stdlib.h>

/* The fleets' own networks, and where guests can be reached. */

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

/* Somebody who waits for the monitor's or the agent's word. */
struct question {
    struct request *request; /* owned */
    char *guest;             /* owned: its name */
    bool is_ssh;
};

static void
question_free(struct question *question)
{
    free(question->guest);
    free(question);
}

/* The guest that is asked about; NULL: it is gone, which was told. */
static struct guest *
find_guest(struct question *question)
{
    struct server *server = request_server(question->request);
    struct error missing = {0};
    struct guest *guest = registry_find(server, question->guest, &missing);
    if (guest)
        return guest;
    request_fail(question->request, &missing);
    question_free(question);
    return NULL;
}

static void
tell(struct request *request, struct member *member, bool is_ssh)
{
    struct server *server = request_server(request);
    json_t *value = NULL;
    if (is_ssh) {
        value = addresses_ssh(server, member);
    } else {
        json_t *guest = guest_to_json(member->guest);
        value =
            json_pack("{s:o,s:O}", "addresses",
                      addresses_collect(server, member, ADDRESSES_NEIGHBOURS),
                      "forwards", json_object_get(guest, "forwards"));
        json_decref(guest);
    }
    request_return(request, value);
}

/* Whatever was said: what is known counts. */
static void
answer(struct question *question)
{
    struct guest *guest = find_guest(question);
    if (!guest)
        return;
    struct server *server = request_server(question->request);
    tell(question->request, registry_member(server, guest), question->is_ssh);
    question_free(question);
}

static void
on_learned(void *data, const json_t *forwards, const struct error *error)
{
    (void)forwards;
    (void)error;
    answer(data);
}

static void
learn_forwards(struct question *question)
{
    struct guest *guest = find_guest(question);
    if (guest && !guest_learn_forwards(guest, on_learned, question))
        answer(question);
}

static void
on_refreshed(void *data, const struct error *error)
{
    (void)error;
    learn_forwards(data);
}

/* An agent that is there answers in some ms. */
static void
refresh(struct question *question)
{
    struct guest *guest = find_guest(question);
    if (!guest)
        return;
    if (!guest_has_agent(guest) || !guest_has_reached(guest, STAGE_AGENT) ||
        !guest_refresh_addresses(guest, on_refreshed, question, NULL))
        learn_forwards(question);
}

static void
on_monitor(void *data, const struct error *error)
{
    (void)error;
    refresh(data);
}

/* The monitor is waited for, then the agent is asked, then the monitor. */
static bool
ask(struct request *request, const json_t *arguments, bool is_ssh,
    struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    if (!guest)
        return false;
    struct question *question = xcalloc(1, sizeof(*question));
    question->request = request;
    question->guest = xstrdup(guest_name(guest));
    question->is_ssh = is_ssh;
    if (!guest_await_monitor(guest, on_monitor, question))
        refresh(question);
    return true;
}

static bool
run_addresses(struct request *request, const json_t *arguments,
              struct error *error)
{
    return ask(request, arguments, false, error);
}

static bool
run_ssh(struct request *request, const json_t *arguments, struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    if (guest && !guest_is_active(guest))
        return error_set(error, ERROR_CODE_STATE,
                         "cannot reach %s by ssh: it is %s", guest_name(guest),
                         guest_state_name(guest));
    return guest && ask(request, arguments, true, error);
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
    {
        .name = "query-addresses",
        .summary =
            "A guest's addresses and forwarded ports; its agent is asked "
            "anew",
        .flags = METHOD_READS,
        .arguments = {ARGUMENT_GUEST},
        .run = run_addresses,
    },
    {
        .name = "query-ssh",
        .summary = "How a guest's sshd can be reached: user, key, options, and "
                   "the addresses to try",
        .flags = METHOD_READS,
        .arguments = {ARGUMENT_GUEST},
        .run = run_ssh,
    },
};

const struct method_table methods_lan = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
