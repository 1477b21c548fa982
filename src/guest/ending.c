#include "base/buffer.h"
#include "base/clock.h"
#include "guest/guest-internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
ending_explain(const struct guest *guest, struct error *error)
{
    const json_t *exit = guest->exit;
    const char *advice = json_string_value(json_object_get(exit, "advice"));
    struct buffer text = {0};
    buffer_printf(&text, "%s: %s", guest->spec->name,
                  json_string_value(json_object_get(exit, "summary")));
    size_t index;
    json_t *line;
    json_array_foreach(json_object_get(exit, "stderr"), index, line)
        buffer_printf(&text, "\n    %s", json_string_value(line));
    if (advice)
        buffer_printf(&text, "\n%s", advice);
    error_set(error, ERROR_CODE_GUEST, "%s", text.data);
    buffer_finish(&text);
}

/* Whether somebody ended the run, here or past us. */
static bool
was_wanted(const struct run *run)
{
    const char *reason = run->reason ? run->reason : "";
    bool is_late_answer =
        run->is_stop_ignored && !strcmp(reason, "guest-shutdown");
    return run->is_stop_asked || is_late_answer ||
           !strcmp(reason, "host-qmp-quit") || !strcmp(reason, "host-signal");
}

void
ending_finish(struct guest *guest)
{
    struct run *run = guest->run;
    enum guest_state state = GUEST_STATE_STOPPED;
    json_t *exit = report_build(guest, &state);
    json_decref(guest->exit);
    guest->exit = exit;
    guest->was_stopped = guest->was_stopped_lately = was_wanted(run);
    guest->started_ms = run->started_ms;
    guest->ended_ms = run->is_unwatched ? 0 : clock_wall_ms();
    if (run->qmp_path && qmp_probe(run->qmp_path, NULL) == 0)
        (void)unlink(run->qmp_path);
    network_remove_sockets(run);
    guest->run = NULL;
    run_free(run);
    consoles_detach(guest);
    guest_set_run_state(guest, NULL);
    guest_set_problem(guest, NULL);
    guest_set_state(guest, state);
    guest_changed(guest);
    struct error error = {0};
    if (!store_save_exit(guest, &error))
        guest_notice(guest, "warning", "%s", error.text);
    store_forget(guest, "run.json");
    ending_explain(guest, &error);
    op_finish_all(guest, OP_KIND_START, &error);
    op_finish_all(guest, OP_KIND_RESET,
                  state == GUEST_STATE_CRASHED ? &error : NULL);
    op_finish_all(guest, OP_KIND_GONE, NULL);
}

static void
on_late(void *data)
{
    ending_finish(data);
}

void
ending_check(struct guest *guest)
{
    const struct run *run = guest->run;
    if (guest->is_dead || !run || !run->is_finishing)
        return;
    if (run->process && !process_has_exited(run->process))
        return;
    if (run->qmp && qmp_peer_pid(run->qmp) != 0)
        return; /* SHUTDOWN's reason may still be on its way */
    if (consoles_are_drained(guest))
        ending_finish(guest);
}

static void
begin(struct guest *guest)
{
    struct run *run = guest->run;
    if (run->is_finishing)
        return;
    run->is_finishing = true;
    loop_timer_free(run->timer);
    run->timer = loop_timer_new(guest->context->loop, on_late, guest);
    loop_timer_start(run->timer, GUEST_FINISH_TIMEOUT_MS);
}

void
ending_on_exit(void *data, const struct process_exit *exit)
{
    struct guest *guest = data;
    guest->run->exit = *exit;
    begin(guest);
    ending_check(guest);
}

void
ending_on_console(struct guest *guest)
{
    struct run *run = guest->run;
    if (!run)
        return;
    /* A program may close its terminal and go on: its exit is the end. */
    if (!run->process)
        begin(guest);
    ending_check(guest);
}
