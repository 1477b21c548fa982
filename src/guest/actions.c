#include "guest/guest-internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Refusals ----------------------------------------------------------------- */

static bool
refuse(const struct guest *guest, const char *what, const char *why,
       struct error *error)
{
    return error_set(error, ERROR_CODE_STATE, "cannot %s %s: %s", what,
                     guest->spec->name, why);
}

bool
guest_check_active(const struct guest *guest, const char *what,
                   struct error *error)
{
    if (guest->state == GUEST_STATE_LOST)
        return error_set(error, ERROR_CODE_STATE,
                         "cannot %s %s: it is lost: %s", what,
                         guest->spec->name,
                         guest->problem ? guest->problem : "why is not known");
    if (guest->prepare)
        return refuse(guest, what, "what it needs is still being made", error);
    if (!guest->run || guest->run->is_finishing)
        return refuse(guest, what, "it is not running", error);
    return true;
}

bool
guest_check_monitor(const struct guest *guest, const char *what,
                    struct error *error)
{
    if (!guest_check_active(guest, what, error))
        return false;
    if (!guest_has_qemu(guest))
        return error_set(error, ERROR_CODE_STATE,
                         "cannot %s %s: it is no QEMU guest but a %s", what,
                         guest->spec->name, spec_kind_name(guest->spec->kind));
    if (qmp_is_ready(guest->run->qmp))
        return true;
    return refuse(guest, what,
                  guest->problem ? guest->problem
                                 : "its monitor does not answer yet",
                  error);
}

/* Starting ----------------------------------------------------------------- */

static uint64_t
start_timeout_ms(const struct guest *guest)
{
    uint64_t wanted = guest->context->start_timeout_ms;
    return wanted ? wanted : GUEST_START_TIMEOUT_MS;
}

static void
on_start_timeout(void *data)
{
    struct op *op = data;
    const struct guest *guest = op->guest;
    struct error error = {0};
    error_set(&error, ERROR_CODE_TIMEOUT,
              "%s started, but its monitor has not answered within %g s%s%s; "
              "it is left as it is (force it off to end it)",
              guest->spec->name, (double)start_timeout_ms(guest) / 1000.0,
              guest->problem ? ": " : "", guest->problem ? guest->problem : "");
    op_finish(op, NULL, &error);
}

void
actions_note_start(struct guest *guest)
{
    json_decref(guest->exit);
    guest->exit = NULL;
    guest->was_stopped = guest->was_stopped_lately = false;
    guest->has_ended_unwatched = false;
    store_retire_exit(guest);
    guest->started_ms = guest->run->started_ms;
    guest->ended_ms = 0;
    guest_set_problem(guest, NULL);
    guest_set_run_state(guest, NULL);
    guest_changed(guest);
    for (struct op *op = guest->ops; op; op = op->next) {
        if (op->kind != OP_KIND_START || op->is_done || op->limit)
            continue;
        if (!guest_has_qemu(guest)) {
            op_finish(op, NULL, NULL);
            continue;
        }
        op->limit = loop_timer_new(guest->context->loop, on_start_timeout, op);
        loop_timer_start(op->limit, start_timeout_ms(guest));
    }
}

bool
guest_start(struct guest *guest, guest_done_fn on_done, void *data,
            struct error *error)
{
    if (guest->state == GUEST_STATE_LOST && !adopt_recheck(guest))
        return guest_check_active(guest, "start", error);
    if (guest->run)
        return refuse(guest, "start",
                      guest->run->is_finishing ? "it is just ending"
                                               : "it runs already",
                      error);
    if (guest->prepare)
        return refuse(guest, "start", "that is under way already", error);
    if (guest->image)
        return refuse(guest, "start", "something is being done to its disks",
                      error);
    if (preparing_is_needed(guest)) {
        (void)op_new(guest, OP_KIND_START, on_done, data);
        preparing_begin(guest);
        return true;
    }
    bool is_qemu = guest_has_qemu(guest);
    if (!(is_qemu ? launch_qemu(guest, error) : launch_plain(guest, error)))
        return error_prefix(error, "cannot start %s", guest->spec->name);
    (void)op_new(guest, OP_KIND_START, on_done, data);
    actions_note_start(guest);
    return true;
}

/* Adopting ----------------------------------------------------------------- */

static void
on_monitor_late(void *data)
{
    struct op *op = data;
    struct error error = {0};
    error_set(&error, ERROR_CODE_TIMEOUT,
              "%s was left running by an earlier server, and its monitor has "
              "not answered this one within %d s",
              op->guest->spec->name, GUEST_MONITOR_WAIT_MS / 1000);
    op_finish(op, NULL, &error);
}

bool
guest_await_monitor(struct guest *guest, guest_done_fn on_done, void *data)
{
    if (!guest_is_being_adopted(guest))
        return false;
    struct op *op = op_new(guest, OP_KIND_START, on_done, data);
    op->limit = loop_timer_new(guest->context->loop, on_monitor_late, op);
    loop_timer_start(op->limit, GUEST_MONITOR_WAIT_MS);
    return true;
}

/* Ending ------------------------------------------------------------------- */

/* Its end is wanted: a later server has to know too. */
void
actions_note_stop(struct guest *guest)
{
    struct error error = {0};
    if (guest->run->is_stop_asked)
        return;
    guest->run->is_stop_asked = true;
    if (!store_save_run(guest, &error))
        guest_notice(guest, "warning", "%s", error.text);
}

static void
kill_for_good(void *data)
{
    struct guest *guest = data;
    struct run *run = guest->run;
    struct error error = {0};
    if (!run || run->is_finishing || !run->process)
        return;
    /* A program's whole group first: the pid is ours until it is reaped. */
    bool ok = !guest_has_qemu(guest) &&
              process_signal_group(run->process, SIGKILL, NULL);
    if (!ok && !process_signal(run->process, SIGKILL, &error))
        guest_notice(guest, "error", "%s", error.text);
}

static void
kill_later(struct guest *guest)
{
    struct run *run = guest->run;
    if (!run->timer)
        run->timer = loop_timer_new(guest->context->loop, kill_for_good, guest);
    loop_timer_start(run->timer, GUEST_QUIT_TIMEOUT_MS);
}

/* Closes the descriptor of a device or socket. */
void
actions_let_go(struct guest *guest)
{
    guest->run->is_let_go = true;
    consoles_detach(guest);
    for (size_t i = 0; i < guest->console_count; i++)
        guest->consoles[i].has_ended = true;
    ending_on_console(guest);
}

/* Asks in a way that leaves it no choice but time; false: nobody listens. */
static bool
ask_to_quit(struct run *run)
{
    if (run->qmp)
        return qmp_send(run->qmp, "quit", NULL, 0, NULL, NULL, NULL);
    return process_signal_group(run->process, SIGHUP, NULL);
}

/* Nothing runs yet: whatever is being made for it is called off. */
bool
actions_end_preparing(struct guest *guest, guest_done_fn on_done, void *data)
{
    if (!preparing_call_off(guest))
        return false;
    op_finish(op_new(guest, OP_KIND_GONE, on_done, data), NULL, NULL);
    return true;
}

bool
guest_kill(struct guest *guest, guest_done_fn on_done, void *data,
           struct error *error)
{
    if (actions_end_preparing(guest, on_done, data))
        return true;
    if (!guest_check_active(guest, "force off", error))
        return false;
    struct run *run = guest->run;
    bool is_repeated = run->is_kill_asked; /* such impatience is meant */
    (void)op_new(guest, OP_KIND_GONE, on_done, data);
    run->is_kill_asked = true;
    actions_note_stop(guest);
    if (!run->process)
        actions_let_go(guest);
    else if (!is_repeated && ask_to_quit(run))
        kill_later(guest);
    else
        kill_for_good(guest);
    return true;
}

/* Commands ----------------------------------------------------------------- */

/* A reply to a step that another follows: the next one, or the end. */
static void
on_last_step(void *data, const json_t *value, const struct error *error)
{
    struct op *op = data;
    if (error || op->guest->is_dead)
        op_finish(op, value, error);
    else
        monitor_refresh(op->guest, op); /* done when the new state is known */
}

static bool
send_step(struct guest *guest, const char *command, qmp_reply_fn on_reply,
          struct op *op)
{
    struct error error = {0};
    if (guest->run && guest->run->qmp &&
        qmp_send(guest->run->qmp, command, NULL, 0, on_reply, op, &error))
        return true;
    if (!error.code)
        error_set(&error, ERROR_CODE_STATE, "%s ended meanwhile",
                  guest->spec->name);
    op_finish(op, NULL, &error);
    return false;
}

static bool
run_command(struct guest *guest, const char *what, const char *command,
            guest_done_fn on_done, void *data, struct error *error)
{
    if (!guest_check_monitor(guest, what, error))
        return false;
    struct op *op = op_new(guest, OP_KIND_REPLY, on_done, data);
    (void)send_step(guest, command, on_last_step, op);
    return true;
}

bool
guest_pause(struct guest *guest, guest_done_fn on_done, void *data,
            struct error *error)
{
    return run_command(guest, "pause", "stop", on_done, data, error);
}

bool
guest_resume(struct guest *guest, guest_done_fn on_done, void *data,
             struct error *error)
{
    bool is_asleep = guest->run_state && !strcmp(guest->run_state, "suspended");
    return run_command(guest, "resume", is_asleep ? "system_wakeup" : "cont",
                       on_done, data, error);
}

static void
on_reset_late(void *data)
{
    struct op *op = data;
    struct error error = {0};
    error_set(&error, ERROR_CODE_TIMEOUT,
              "%s was told to reset, and has not done it within %d s",
              op->guest->spec->name, GUEST_RESET_WAIT_MS / 1000);
    op_finish(op, NULL, &error);
}

/* After a panic or an internal error QEMU stays stopped through a reset. */
static void
finish_reset(struct op *op)
{
    struct guest *guest = op->guest;
    const char *state = guest->run_state ? guest->run_state : "";
    loop_timer_free(op->limit);
    op->limit = NULL;
    op->is_promised = false;
    if (!strcmp(state, "guest-panicked") || !strcmp(state, "internal-error") ||
        !strcmp(state, "shutdown"))
        (void)send_step(guest, "cont", on_last_step, op);
    else
        on_last_step(op, NULL, NULL);
}

/* QEMU resets before it answers or after that: whatever is asked for in between
 * would be told of the old boot. */
static void
on_reset_promised(void *data, const json_t *value, const struct error *error)
{
    struct op *op = data;
    struct guest *guest = op->guest;
    if (error || guest->is_dead || !guest->run) {
        op_finish(op, value, error);
    } else if (op->is_met) {
        finish_reset(op);
    } else {
        op->is_promised = true;
        op->limit = loop_timer_new(guest->context->loop, on_reset_late, op);
        loop_timer_start(op->limit, GUEST_RESET_WAIT_MS);
    }
}

void
actions_note_reset(struct guest *guest)
{
    for (struct op *op = guest->ops; op; op = op->next) {
        if (op->kind != OP_KIND_RESET || op->is_done)
            continue;
        op->is_met = true;
        if (op->is_promised)
            finish_reset(op);
    }
}

bool
guest_reset(struct guest *guest, guest_done_fn on_done, void *data,
            struct error *error)
{
    if (!guest_check_monitor(guest, "reset", error))
        return false;
    struct op *op = op_new(guest, OP_KIND_RESET, on_done, data);
    (void)send_step(guest, "system_reset", on_reset_promised, op);
    return true;
}

/* What the operator did to chardevs may have changed the ptys. */
static void
on_chardev_command(void *data, const json_t *value, const struct error *error)
{
    struct op *op = data;
    if (!error && !op->guest->is_dead)
        monitor_refresh_ptys(op->guest);
    op_finish(op, value, error);
}

static void
on_user_reply(void *data, const json_t *value, const struct error *error)
{
    op_finish(data, value, error);
}

bool
guest_qmp(struct guest *guest, const char *command, json_t *arguments,
          uint64_t timeout_ms, guest_qmp_fn on_reply, void *data,
          struct error *error)
{
    if (!guest_check_monitor(guest, "ask", error)) {
        json_decref(arguments);
        return false;
    }
    struct op *op = op_new(guest, OP_KIND_REPLY, NULL, data);
    op->on_reply = on_reply;
    bool is_chardev = !strncmp(command, "chardev-", strlen("chardev-"));
    (void)qmp_send(guest->run->qmp, command, arguments, timeout_ms,
                   is_chardev ? on_chardev_command : on_user_reply, op, NULL);
    return true;
}
