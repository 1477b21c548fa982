#include "base/json.h"
#include "base/xalloc.h"
#include "qemu/argv.h"
#include "server/api.h"
#include "server/disk-listing.h"
#include "server/server-internal.h"
#include "server/waiter.h"

#include <stdlib.h>
#include <string.h>

/* Longest time for a QMP command that a client sends through us, ms: 10 min;
 * snapshots take long. */
#define QMP_MAX_TIMEOUT_MS 600000
#define QMP_DEFAULT_TIMEOUT_MS 10000

#define ARGUMENT_WAIT(text)                                                    \
    {                                                                          \
        "wait", ARGUMENT_BOOLEAN, 0, 0, 0, text                                \
    }
#define ARGUMENT_TIMEOUT(text)                                                 \
    {                                                                          \
        "timeout-ms", ARGUMENT_INTEGER, 0, 0, WAITER_MAX_TIMEOUT_MS, text      \
    }

static bool
run_list(struct request *request, const json_t *arguments, struct error *error)
{
    (void)arguments;
    (void)error;
    request_return(request, json_pack("{s:o}", "guests",
                                      registry_list(request_server(request))));
    return true;
}

static bool
run_query(struct request *request, const json_t *arguments, struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    if (!guest)
        return false;
    request_return(request, registry_describe(request_server(request), guest));
    return true;
}

static bool
run_command(struct request *request, const json_t *arguments,
            struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    if (!guest)
        return false;
    bool is_by_hand = argument_boolean(arguments, "by-hand");
    char **argv =
        is_by_hand ? guest_export(guest, error) : guest_command(guest, error);
    if (!argv)
        return false;
    json_t *words = json_array();
    for (char **word = argv; *word; word++)
        json_array_append_new(words, json_from_text(*word));
    char *text = argv_to_shell(argv);
    /* Only words of the user's own have relative paths. */
    const struct spec *spec = guest_spec(guest);
    bool has_own = spec->args || spec->command;
    request_return(request, json_pack("{s:o,s:o,s:o}", "argv", words, "text",
                                      json_from_text(text), "directory",
                                      has_own ? json_from_text(spec->directory)
                                              : json_null()));
    free(text);
    argv_free(argv);
    return true;
}

/* Actions ------------------------------------------------------------------ */

/* An action under way for a request. */
struct action {
    struct request *request; /* owned; NULL when it was answered already */
    struct server *server;   /* borrowed */
    char *guest;             /* owned: its name; it may be removed meanwhile */
    bool then_start;         /* a restart's first half */
    bool waits;
};

static void
action_free(struct action *action)
{
    free(action->guest);
    free(action);
}

static void
answer_action(struct action *action, const struct error *error)
{
    if (!action->request)
        return;
    struct error missing = {0};
    struct guest *guest =
        registry_find(action->server, action->guest, &missing);
    if (!error && !guest)
        error = &missing;
    if (error)
        request_fail(action->request, error);
    else
        request_return(action->request,
                       registry_describe(action->server, guest));
    action->request = NULL;
}

static void on_done(void *data, const struct error *error);

/* A restart that ended with its first half: nobody has to wait for it. */
static void
forget_start(struct action *action)
{
    struct guest *guest = registry_find(action->server, action->guest, NULL);
    if (guest)
        restart_expect(action->server, registry_member(action->server, guest),
                       false);
}

/* A restart's second half. */
static void
start_again(struct action *action)
{
    struct error error = {0};
    action->then_start = false;
    struct guest *guest = registry_find(action->server, action->guest, &error);
    struct member *member =
        guest ? registry_member(action->server, guest) : NULL;
    if (member)
        restart_expect(action->server, member, false);
    if (member && order_start(action->server, member, ORDER_WITHOUT_ABSENT,
                              on_done, action, &error)) {
        if (!action->waits)
            answer_action(action, NULL);
        return;
    }
    if (!action->request)
        server_notice(action->server, "error", action->guest, error.text);
    answer_action(action, &error);
    action_free(action);
}

static void
on_done(void *data, const struct error *error)
{
    struct action *action = data;
    if (!error && action->then_start) {
        start_again(action);
        return;
    }
    if (action->then_start)
        forget_start(action);
    /* what somebody stopped is no fault */
    if (error && !action->request)
        server_notice(action->server,
                      error->code == ERROR_CODE_STATE ? "info" : "error",
                      action->guest, error->text);
    answer_action(action, error);
    action_free(action);
}

static struct action *
action_new(struct request *request, const struct guest *guest,
           const json_t *arguments)
{
    struct action *action = xcalloc(1, sizeof(*action));
    action->request = request;
    action->server = request_server(request);
    action->guest = xstrdup(guest_name(guest));
    action->waits = argument_boolean(arguments, "wait");
    return action;
}

/* The action began: without "wait" its request is answered now. */
static bool
action_begun(struct action *action, bool ok)
{
    if (!ok)
        action_free(action);
    else if (!action->waits && !action->then_start)
        answer_action(action, NULL);
    return ok;
}

/* Somebody starts or stops it: it waits for nothing any more. why: what is told
 * to who waits for its start; NULL: it is being started. Whether it waited. */
static bool
stop_waiting(struct server *server, struct guest *guest,
             const struct error *why)
{
    struct member *member = registry_member(server, guest);
    bool was_due = restart_forget(server, member);
    return order_release(server, member, why) || was_due;
}

/* A guest that does not run, but would soon: it is told not to. Whether that
 * was all there was to do; then the request is answered. */
static bool
called_off(struct request *request, struct guest *guest)
{
    struct server *server = request_server(request);
    struct error why = {0};
    error_set(&why, ERROR_CODE_STATE, "%s was told not to start",
              guest_name(guest));
    if (guest_is_active(guest) || !stop_waiting(server, guest, &why))
        return false;
    waiter_on_guest_change(server, guest);
    request_return(request, registry_describe(server, guest));
    return true;
}

static bool
start_now(struct request *request, struct guest *guest, guest_done_fn on_start,
          void *data, struct error *error)
{
    if (!guest_start(guest, on_start, data, error))
        return false;
    (void)stop_waiting(request_server(request), guest, NULL);
    return true;
}

static bool
run_start(struct request *request, const json_t *arguments, struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    if (!guest)
        return false;
    struct action *action = action_new(request, guest, arguments);
    return action_begun(action,
                        start_now(request, guest, on_done, action, error));
}

static bool
run_shutdown(struct request *request, const json_t *arguments,
             struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    if (!guest)
        return false;
    if (called_off(request, guest))
        return true;
    uint64_t timeout_ms =
        (uint64_t)argument_integer(arguments, "timeout-ms", 0);
    unsigned flags =
        argument_boolean(arguments, "force") ? GUEST_SHUTDOWN_FORCE : 0;
    struct action *action = action_new(request, guest, arguments);
    return action_begun(action, guest_shutdown(guest, timeout_ms, flags,
                                               on_done, action, error));
}

static bool
run_shutdown_stop(struct request *request, const json_t *arguments,
                  struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    if (!guest || !guest_shutdown_stop(guest, error))
        return false;
    request_return(request, registry_describe(request_server(request), guest));
    return true;
}

static bool
run_kill(struct request *request, const json_t *arguments, struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    if (!guest)
        return false;
    if (called_off(request, guest))
        return true;
    struct action *action = action_new(request, guest, arguments);
    return action_begun(action, guest_kill(guest, on_done, action, error));
}

/* Pause, resume and reset take milliseconds: their answer waits for QEMU's. */
static bool
run_now(struct request *request, const json_t *arguments,
        bool (*begin)(struct guest *, guest_done_fn, void *, struct error *),
        struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    if (!guest)
        return false;
    struct action *action = action_new(request, guest, arguments);
    action->waits = true;
    return action_begun(action, begin(guest, on_done, action, error));
}

static bool
run_pause(struct request *request, const json_t *arguments, struct error *error)
{
    return run_now(request, arguments, guest_pause, error);
}

static bool
run_resume(struct request *request, const json_t *arguments,
           struct error *error)
{
    return run_now(request, arguments, guest_resume, error);
}

static bool
run_reset(struct request *request, const json_t *arguments, struct error *error)
{
    return run_now(request, arguments, guest_reset, error);
}

static bool
run_restart(struct request *request, const json_t *arguments,
            struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    if (!guest)
        return false;
    uint64_t timeout_ms =
        (uint64_t)argument_integer(arguments, "timeout-ms", 0);
    struct action *action = action_new(request, guest, arguments);
    if (!guest_is_active(guest))
        return action_begun(action,
                            start_now(request, guest, on_done, action, error));
    action->then_start = true;
    bool ok =
        argument_boolean(arguments, "force")
            ? guest_kill(guest, on_done, action, error)
            : guest_shutdown(guest, timeout_ms, 0, on_done, action, error);
    if (ok)
        restart_expect(action->server, registry_member(action->server, guest),
                       true);
    if (ok && !action->waits)
        answer_action(action, NULL);
    return action_begun(action, ok);
}

/* A guest that is to be removed, once it is known that nobody else needs its
 * disks. */
struct removal {
    struct request *request; /* owned */
    char *guest;
    unsigned flags;
};

static bool
remove_guest(struct request *request, const char *name, unsigned flags,
             struct error *error)
{
    struct guest *guest = registry_find(request_server(request), name, error);
    if (!guest || !guest_remove(guest, flags, error))
        return false;
    registry_remove(request_server(request), guest);
    request_return(request, NULL);
    return true;
}

static void
on_users(void *data, json_t *disks, const char *users)
{
    struct removal *removal = data;
    struct error error = {0};
    (void)disks;
    if (users)
        error_set(&error, ERROR_CODE_STATE,
                  "cannot delete the disks of %s: what others have would be "
                  "garbage without them:\n%s",
                  removal->guest, users);
    if (users ||
        !remove_guest(removal->request, removal->guest, removal->flags, &error))
        request_fail(removal->request, &error);
    free(removal->guest);
    free(removal);
}

static bool
run_remove(struct request *request, const json_t *arguments,
           struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    unsigned flags =
        (argument_boolean(arguments, "purge") ? GUEST_REMOVE_PURGE : 0u) |
        (argument_boolean(arguments, "disks") ? GUEST_REMOVE_DISKS : 0u);
    const char *name = guest ? guest_spec(guest)->name : NULL;
    if (!guest || !(flags & GUEST_REMOVE_DISKS))
        return guest && remove_guest(request, name, flags, error);
    struct removal *removal = xcalloc(1, sizeof(*removal));
    removal->request = request;
    removal->guest = xstrdup(name);
    removal->flags = flags;
    struct disk_query query = {.guest = name, .is_users = true};
    disk_listing_begin(request_server(request), &query, on_users, removal);
    return true;
}

static void
on_qmp_reply(void *data, const json_t *value, const struct error *error)
{
    if (error)
        request_fail(data, error);
    else
        request_return(data, json_deep_copy(value));
}

static bool
run_qmp(struct request *request, const json_t *arguments, struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    if (!guest)
        return false;
    json_t *inner = json_object_get(arguments, "arguments");
    inner = json_is_object(inner) ? json_incref(inner) : NULL;
    return guest_qmp(guest, argument_string(arguments, "command"), inner,
                     (uint64_t)argument_integer(arguments, "timeout-ms",
                                                QMP_DEFAULT_TIMEOUT_MS),
                     on_qmp_reply, request, error);
}

static bool
run_wait(struct request *request, const json_t *arguments, struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    if (!guest)
        return false;
    const char *stage = argument_string(arguments, "until");
    json_t *states = json_object_get(arguments, "states");
    int64_t timeout_ms =
        argument_integer(arguments, "timeout-ms", WAITER_NO_TIMEOUT);
    if (!stage == !states)
        return error_set(error, ERROR_CODE_INVALID,
                         "say either 'states' or 'until'");
    if (stage)
        return waiter_add_stage(request_server(request), request, guest, stage,
                                timeout_ms, error);
    return waiter_add_state(request_server(request), request, guest, states,
                            timeout_ms, error);
}

static const struct method methods[] = {
    {
        .name = "guest-list",
        .summary = "All guests, in the order of their definition",
        .flags = METHOD_READS,
        .run = run_list,
    },
    {
        .name = "guest-query",
        .summary = "One guest",
        .flags = METHOD_READS,
        .arguments = {ARGUMENT_GUEST},
        .run = run_query,
    },
    {
        .name = "guest-command",
        .summary = "The command line that a guest is started with",
        .flags = METHOD_READS,
        .arguments = {ARGUMENT_GUEST,
                      {"by-hand", ARGUMENT_BOOLEAN, 0, 0, 0,
                       "The one for a person's shell, without guestmux"}},
        .run = run_command,
    },
    {
        .name = "guest-start",
        .summary = "Starts a guest",
        .deed = "started it",
        .arguments = {ARGUMENT_GUEST,
                      ARGUMENT_WAIT("Answer when it is ready or has failed")},
        .run = run_start,
    },
    {
        .name = "guest-shutdown",
        .summary = "Presses the power button (ACPI)",
        .deed = "pressed its power button",
        .flags = METHOD_MONITOR,
        .arguments = {ARGUMENT_GUEST,
                      ARGUMENT_WAIT("Answer when the guest is off"),
                      ARGUMENT_TIMEOUT("How long it may take; what its "
                                       "definition says by default"),
                      {"force", ARGUMENT_BOOLEAN, 0, 0, 0,
                       "Then quit, SIGTERM and SIGKILL, each after its time"}},
        .run = run_shutdown,
    },
    {
        .name = "guest-shutdown-stop",
        .summary = "Stops a shutdown before it forces the guest off",
        .deed = "stopped its shutdown",
        .arguments = {ARGUMENT_GUEST},
        .run = run_shutdown_stop,
    },
    {
        .name = "guest-kill",
        .summary = "Forces a guest off",
        .deed = "forced it off",
        .arguments = {ARGUMENT_GUEST, ARGUMENT_WAIT("Answer when it is gone")},
        .run = run_kill,
    },
    {
        .name = "guest-pause",
        .summary = "Stops a guest's processors",
        .deed = "paused it",
        .flags = METHOD_MONITOR,
        .arguments = {ARGUMENT_GUEST},
        .run = run_pause,
    },
    {
        .name = "guest-resume",
        .summary = "Lets a paused guest go on",
        .deed = "resumed it",
        .flags = METHOD_MONITOR,
        .arguments = {ARGUMENT_GUEST},
        .run = run_resume,
    },
    {
        .name = "guest-reset",
        .summary = "Resets a guest at once, as its reset button does",
        .deed = "pressed its reset button",
        .flags = METHOD_MONITOR,
        .arguments = {ARGUMENT_GUEST},
        .run = run_reset,
    },
    {
        .name = "guest-restart",
        .summary = "Shuts a guest down and starts it again",
        .deed = "restarted it",
        .flags = METHOD_MONITOR,
        .arguments = {ARGUMENT_GUEST,
                      {"force", ARGUMENT_BOOLEAN, 0, 0, 0,
                       "Force it off instead of the power button"},
                      ARGUMENT_WAIT("Answer when it is ready again"),
                      ARGUMENT_TIMEOUT("How long the shutdown may take")},
        .run = run_restart,
    },
    {
        .name = "guest-remove",
        .summary = "Forgets a guest that does not run; its logs and disks stay",
        .deed = "removed it from the list",
        .arguments = {ARGUMENT_GUEST,
                      {"purge", ARGUMENT_BOOLEAN, 0, 0, 0,
                       "Delete its logs and reports too"},
                      {"disks", ARGUMENT_BOOLEAN, 0, 0, 0,
                       "Delete the images that guestmux made for it, too"}},
        .run = run_remove,
    },
    {
        .name = "guest-qmp",
        .summary = "Sends a command to a guest's QEMU monitor",
        .deed = "sent a command to its monitor",
        .flags = METHOD_MONITOR,
        .arguments = {ARGUMENT_GUEST,
                      {"command", ARGUMENT_STRING, ARGUMENT_REQUIRED, 0, 0,
                       "QMP's command"},
                      {"arguments", ARGUMENT_OBJECT, 0, 0, 0, "Its arguments"},
                      {"timeout-ms", ARGUMENT_INTEGER, 0, 1, QMP_MAX_TIMEOUT_MS,
                       "10000 by default"}},
        .run = run_qmp,
    },
    {
        .name = "guest-wait",
        .summary = "Answers once a guest is in one of some states, or its "
                   "boot has come to a stage",
        .flags = METHOD_READS,
        .arguments = {ARGUMENT_GUEST,
                      {"states", ARGUMENT_STRINGS, 0, 0, 0, "Names of states"},
                      {"until", ARGUMENT_STRING, 0, 0, 0,
                       "A stage of the boot instead: \"login\""},
                      ARGUMENT_TIMEOUT("No limit by default")},
        .run = run_wait,
    },
};

const struct method_table methods_guest = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
