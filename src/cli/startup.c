#include "cli/startup.h"

#include "base/json.h"
#include "base/xalloc.h"
#include "cli/act.h"
#include "cli/cli.h"
#include "cli/guests.h"
#include "cli/output.h"
#include "cli/takedown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* data: an object of what was said of each guest. */
static void
on_event(void *user, const char *name, json_t *data)
{
    json_t *said = user;
    const char *guest = guests_text(data, "name");
    const char *text = guests_text(data, "waiting");
    if (strcmp(name, "GUEST_CHANGED") != 0 || !text[0] ||
        strcmp(guests_text(said, guest), text) == 0)
        return;
    (void)fprintf(stderr, "%s: %s\n", guest, text);
    json_object_set_new(said, guest, json_from_text(text));
}

bool
startup_call(struct session *session, const char *method, json_t *arguments,
             uint64_t timeout_ms, json_t **ret_result, struct error *error)
{
    json_t *said = json_object();
    session_set_on_event(session, on_event, said);
    bool ok = session_call(session, "events-subscribe", NULL,
                           SESSION_REPLY_TIMEOUT_MS, NULL, error);
    if (ok)
        ok = session_call(session, method, arguments, timeout_ms, ret_result,
                          error);
    else
        json_decref(arguments);
    session_set_on_event(session, NULL, NULL);
    json_decref(said);
    return ok;
}

/* Restarting --------------------------------------------------------------- */

struct restart {
    struct cli *cli;
    struct session *session;
    const struct startup_restart *how;
    json_t *guests;  /* owned: guest-list */
    json_t *wanted;  /* owned: the names of those that are to be started */
    json_t *answers; /* owned; NULL: without --json */
};

static bool
is_running(const json_t *guests, const char *name)
{
    for (size_t i = 0; i < json_array_size(guests); i++) {
        const json_t *guest = json_array_get(guests, i);
        if (strcmp(guests_text(guest, "name"), name) == 0)
            return guests_is_active(guest);
    }
    return false;
}

/* Shuts those down that run, and notes which of all are to be started. */
static int
take_down(struct restart *restart, const char *const *names, size_t count)
{
    const char **running = xcalloc(count + 1, sizeof(*running));
    bool *has_ended = xcalloc(count + 1, sizeof(*has_ended));
    size_t running_count = 0;
    int status = COMMAND_DONE;
    struct takedown_options options = {
        .timeout_ms = restart->how->timeout_ms,
        .is_killed = restart->how->is_killed,
        .ret_ended = has_ended,
        .answers = restart->answers,
    };
    for (size_t i = 0; i < count; i++) {
        if (is_running(restart->guests, names[i]))
            running[running_count++] = names[i];
    }
    if (running_count)
        status = takedown_run(restart->cli, restart->session, running,
                              running_count, restart->guests, &options);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        bool was_running = at < running_count && running[at] == names[i];
        if (!was_running || has_ended[at])
            json_array_append_new(restart->wanted, json_from_text(names[i]));
        at += was_running;
    }
    free(has_ended);
    free(running);
    return status;
}

/* Tells of one that was started, or not; row: fleet-start's. */
static int
report(struct restart *restart, const json_t *row)
{
    const char *name = guests_text(row, "name");
    struct act act = {.done = restart->how->done};
    struct error error = {0};
    json_t *guest = NULL;
    if (strcmp(guests_text(row, "action"), "failed") == 0)
        error_set(&error, error_code_from_name(guests_text(row, "class")), "%s",
                  guests_text(row, "error"));
    else
        (void)session_call(restart->session, "guest-query",
                           json_pack("{s:o}", "guest", json_from_text(name)),
                           SESSION_REPLY_TIMEOUT_MS, &guest, &error);
    int status = act_report(name, &act, guest, error.code ? &error : NULL,
                            restart->answers);
    json_decref(guest);
    return status;
}

static int
start_again(struct restart *restart)
{
    json_t *result = NULL;
    struct error error = {0};
    json_t *arguments = json_pack("{s:O,s:b}", "guests", restart->wanted,
                                  "wait", restart->how->waits);
    /* each start has its own limit in the server */
    if (!startup_call(restart->session, "fleet-start", arguments,
                      SESSION_NO_TIMEOUT, &result, &error))
        return session_fail(restart->session, &error);
    const json_t *rows = json_object_get(result, "guests");
    int status = COMMAND_DONE;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        int one = report(restart, json_array_get(rows, i));
        status = one != COMMAND_DONE ? one : status;
    }
    json_decref(result);
    return status;
}

int
startup_restart(struct cli *cli, struct session *session,
                const char *const *names, size_t count,
                const struct startup_restart *how)
{
    struct error error = {0};
    struct restart restart = {
        .cli = cli,
        .session = session,
        .how = how,
        .guests = guests_list(session, &error),
        .wanted = json_array(),
        .answers = options_has(&cli->options, "json") ? json_array() : NULL,
    };
    int status = COMMAND_DONE;
    if (!restart.guests)
        status = session_fail(session, &error);
    else
        status = take_down(&restart, names, count);
    if (status != COMMAND_INTERRUPTED && json_array_size(restart.wanted)) {
        int started = start_again(&restart);
        status = started != COMMAND_DONE ? started : status;
    }
    if (restart.answers)
        output_json(restart.answers);
    json_decref(restart.answers);
    json_decref(restart.wanted);
    json_decref(restart.guests);
    return status;
}
