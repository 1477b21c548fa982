#include "base/clock.h"
#include "base/xalloc.h"
#include "guest/guest-internal.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Shutting down, step by step: the power button, pressed again and again, the
 * guest agent, where there is a port for one, then, when that is wanted, QEMU's
 * quit, SIGTERM, SIGKILL. Each step has its time, which is told; before QEMU
 * was told to quit the climb can be stopped, and the guest goes on. */

/* ms; what the kernel is given for a process that was killed. */
#define LAST_WAIT_MS 10000
/* ms; the least that a step goes on for with a new server: the monitor has to
 * answer it, and who was asked meanwhile may just be ending. */
#define RESUME_MIN_MS 2000

enum ladder_step {
    STEP_BUTTON,
    STEP_AGENT,
    STEP_QUIT,
    STEP_TERM,
    STEP_KILL,
};

static const char *const step_names[] = {
    [STEP_BUTTON] = "button", [STEP_AGENT] = "agent", [STEP_QUIT] = "quit",
    [STEP_TERM] = "term",     [STEP_KILL] = "kill",
};

static const char *
step_name(enum ladder_step step)
{
    return (unsigned)step <= STEP_KILL ? step_names[step] : "unknown";
}

struct ladder {
    struct guest *guest; /* borrowed: the owner's */
    enum ladder_step step;
    bool is_forced;
    bool is_resumed; /* an earlier server began it */
    unsigned presses;
    int64_t length_ms;        /* of the step */
    int64_t until_ms;         /* wall clock: its end */
    struct loop_timer *timer; /* owned: that end */
    struct loop_timer *press; /* owned: the next press */
};

void
ladder_free(struct ladder *ladder)
{
    if (!ladder)
        return;
    loop_timer_free(ladder->timer);
    loop_timer_free(ladder->press);
    free(ladder);
}

/* Ends --------------------------------------------------------------------- */

static bool
is_waiting(const struct op *op)
{
    return op->kind == OP_KIND_GONE && op->is_shutdown && !op->is_done;
}

static bool
is_awaited(const struct guest *guest)
{
    for (const struct op *op = guest->ops; op; op = op->next) {
        if (is_waiting(op))
            return true;
    }
    return false;
}

/* What a later server goes on with. */
static void
save(struct guest *guest)
{
    struct error error = {0};
    if (!store_save_run(guest, &error))
        guest_notice(guest, "warning", "%s", error.text);
}

/* The button was pressed in vain: the guest goes on. Who began the shutdown is
 * told, or, when an earlier server was asked, the operator. */
static void
end(struct guest *guest, const struct error *why)
{
    struct run *run = guest->run;
    if (!is_awaited(guest) && run && run->ladder && run->ladder->is_resumed)
        guest_notice(guest, "warning", "%s", why->text);
    for (struct op *op = guest->ops; op; op = op->next) {
        if (is_waiting(op))
            op_finish(op, NULL, why);
    }
    if (run) {
        run->is_shutting_down = false;
        run->is_stop_asked = false;
        run->is_stop_ignored = true;
        ladder_free(run->ladder);
        run->ladder = NULL;
        save(guest);
    }
    guest_derive_state(guest);
    guest_changed(guest);
}

void
ladder_lose(struct guest *guest, const struct error *why)
{
    if (guest->run && guest->run->ladder)
        end(guest, why);
}

static void
say_late(const struct guest *guest, struct error *error)
{
    error_set(error, ERROR_CODE_TIMEOUT,
              "%s did not shut down in time: it may ignore its power button%s; "
              "it goes on running (force it off to end it)",
              guest->spec->name,
              guest_has_agent(guest) ? ", and its guest agent" : "");
}

/* One who waits has waited long enough; others may have more time. */
static void
on_op_limit(void *data)
{
    struct op *op = data;
    struct guest *guest = op->guest;
    struct error error = {0};
    say_late(guest, &error);
    op_finish(op, NULL, &error);
    if (!is_awaited(guest))
        end(guest, &error);
}

/* Steps -------------------------------------------------------------------- */

static void
set_end(struct ladder *ladder, int64_t ms)
{
    ladder->length_ms = ms;
    ladder->until_ms = clock_wall_ms() + ms;
    loop_timer_start(ladder->timer, (uint64_t)ms);
    save(ladder->guest);
    guest_changed(ladder->guest);
}

static void
signal_all(struct guest *guest, int number)
{
    struct process *process = guest->run->process;
    struct error error = {0};
    if (!process)
        return;
    /* A program's whole group first: the pid is ours until it is reaped. */
    bool ok =
        !guest_has_qemu(guest) && process_signal_group(process, number, NULL);
    if (!ok && !process_signal(process, number, &error))
        guest_notice(guest, "error", "%s", error.text);
}

static void
quit(struct ladder *ladder)
{
    struct run *run = ladder->guest->run;
    run->is_kill_asked = true;
    if (run->qmp)
        (void)qmp_send(run->qmp, "quit", NULL, 0, NULL, NULL, NULL);
    else if (run->process)
        (void)process_signal_group(run->process, SIGHUP, NULL);
}

/* The step after a step; false: there is none. */
static bool
find_next(const struct ladder *ladder, enum ladder_step *ret_step)
{
    enum ladder_step next = ladder->step + 1;
    if (next == STEP_AGENT && !guest_has_agent(ladder->guest))
        next++;
    if (next > STEP_KILL || (next > STEP_AGENT && !ladder->is_forced))
        return false;
    *ret_step = next;
    return true;
}

static int64_t
step_ms(const struct ladder *ladder)
{
    const struct lifecycle *life = &ladder->guest->spec->lifecycle;
    switch (ladder->step) {
    case STEP_AGENT:
        return (int64_t)life->shutdown.agent_s * 1000;
    case STEP_QUIT:
        return (int64_t)life->shutdown.quit_s * 1000;
    case STEP_TERM:
        return (int64_t)life->shutdown.term_s * 1000;
    default:
        return LAST_WAIT_MS;
    }
}

static void on_step_end(void *data);

/* The agent did not take it: nobody waits for what will not come. */
static void
on_agent_asked(void *data, const struct error *error)
{
    struct guest *guest = data;
    if (!error || guest->is_dead || !guest->run || guest->run->is_finishing)
        return;
    struct ladder *ladder = guest->run->ladder;
    if (ladder && ladder->step == STEP_AGENT)
        on_step_end(ladder);
}

static void
take_step(struct ladder *ladder, enum ladder_step step)
{
    struct guest *guest = ladder->guest;
    ladder->step = step;
    loop_timer_stop(ladder->press);
    set_end(ladder, step_ms(ladder));
    if (step == STEP_AGENT)
        (void)guest_agent_shutdown(guest, on_agent_asked, guest, NULL);
    else if (step == STEP_QUIT)
        quit(ladder);
    else
        signal_all(guest, step == STEP_TERM ? SIGTERM : SIGKILL);
}

static void
on_step_end(void *data)
{
    struct ladder *ladder = data;
    struct guest *guest = ladder->guest;
    enum ladder_step next = STEP_BUTTON;
    struct error error = {0};
    if (guest->run->is_finishing)
        return;
    if (find_next(ladder, &next)) {
        take_step(ladder, next);
    } else if (ladder->step == STEP_KILL) {
        error_set(&error, ERROR_CODE_TIMEOUT,
                  "%s was sent SIGKILL, and has not ended within %d s: its "
                  "process hangs in the kernel, mostly because of a disk or a "
                  "network file system that does not answer",
                  guest->spec->name, LAST_WAIT_MS / 1000);
        end(guest, &error);
    } else {
        say_late(guest, &error);
        end(guest, &error);
    }
}

/* The button --------------------------------------------------------------- */

static void
on_powerdown(void *data, const json_t *value, const struct error *error)
{
    struct guest *guest = data;
    (void)value;
    /* When QEMU ends before it answers, that is what was wanted. */
    if (guest->is_dead || !error || error->code != ERROR_CODE_GUEST)
        return;
    struct ladder *ladder = guest->run ? guest->run->ladder : NULL;
    enum ladder_step next = STEP_BUTTON;
    if (!ladder || ladder->step != STEP_BUTTON)
        return;
    if (find_next(ladder, &next))
        take_step(ladder, next);
    else
        end(guest, error);
}

static void
press_again(void *data)
{
    struct ladder *ladder = data;
    struct guest *guest = ladder->guest;
    struct run *run = guest->run;
    int repeat_s = guest->spec->lifecycle.shutdown.repeat_s;
    if (guest->run_state && !strcmp(guest->run_state, "running")) {
        (void)qmp_send(run->qmp, "system_powerdown", NULL, 0, NULL, NULL, NULL);
        ladder->presses++;
        save(guest);
        guest_changed(guest);
    }
    loop_timer_start(ladder->press, (uint64_t)repeat_s * 1000);
}

/* The power button, or what comes nearest. */
static bool
press_button(struct guest *guest, struct error *error)
{
    struct run *run = guest->run;
    if (guest_has_qemu(guest))
        return qmp_send(run->qmp, "system_powerdown", NULL, 0, on_powerdown,
                        guest, error);
    if (!run->process) {
        actions_let_go(guest);
        return true;
    }
    /* interactive shells end when their terminal hangs up, not by SIGTERM */
    bool is_deaf = process_is_ignoring(run->process, SIGTERM);
    return process_signal(run->process, is_deaf ? SIGHUP : SIGTERM, error);
}

static struct ladder *
ladder_new(struct guest *guest)
{
    struct ladder *ladder = xcalloc(1, sizeof(*ladder));
    ladder->guest = guest;
    ladder->timer = loop_timer_new(guest->context->loop, on_step_end, ladder);
    ladder->press = loop_timer_new(guest->context->loop, press_again, ladder);
    guest->run->ladder = ladder;
    return ladder;
}

/* Beginning ---------------------------------------------------------------- */

/* Whether the guest can notice its power button. */
static bool
check_button(struct guest *guest, struct error *error)
{
    static const char what[] = "shut down";
    if (guest_has_qemu(guest) ? !guest_check_monitor(guest, what, error)
                              : !guest_check_active(guest, what, error))
        return false;
    if (!guest->run_state || !strcmp(guest->run_state, "running"))
        return true;
    return error_set(error, ERROR_CODE_STATE,
                     "cannot %s %s: it is %s, so it cannot notice its power "
                     "button; resume it first, or force it off",
                     what, guest->spec->name, guest->run_state);
}

/* How long the agent may take, after the button was pressed in vain. */
static int64_t
agent_ms(const struct guest *guest)
{
    int agent_s = guest->spec->lifecycle.shutdown.agent_s;
    return guest_has_agent(guest) ? (int64_t)agent_s * 1000 : 0;
}

static void
begin(struct guest *guest, int64_t button_ms, bool is_forced, bool has_button)
{
    struct ladder *ladder = guest->run->ladder;
    int64_t until_ms = clock_wall_ms() + button_ms;
    int repeat_s = guest->spec->lifecycle.shutdown.repeat_s;
    bool is_new = !ladder;
    if (is_new)
        ladder = ladder_new(guest);
    ladder->is_forced = ladder->is_forced || is_forced;
    ladder->presses += has_button;
    if (!has_button && ladder->step == STEP_BUTTON) {
        take_step(ladder, STEP_QUIT);
        return;
    }
    if (ladder->step != STEP_BUTTON)
        return;
    guest->run->is_shutting_down = true;
    /* who comes later can only give it more time, unless it is to be forced */
    if (is_new || is_forced || until_ms > ladder->until_ms)
        set_end(ladder, button_ms);
    if (guest->run->qmp)
        loop_timer_start(ladder->press, (uint64_t)repeat_s * 1000);
}

bool
guest_shutdown(struct guest *guest, uint64_t timeout_ms, unsigned flags,
               guest_done_fn on_done, void *data, struct error *error)
{
    const struct lifecycle *life = &guest->spec->lifecycle;
    bool is_forced = flags & GUEST_SHUTDOWN_FORCE || life->shutdown.is_forced;
    int64_t button_ms = timeout_ms ? (int64_t)timeout_ms
                                   : (int64_t)life->shutdown.button_s * 1000;
    struct error why = {0};
    if (actions_end_preparing(guest, on_done, data))
        return true;
    bool has_button = check_button(guest, &why) && press_button(guest, &why);
    /* one that cannot notice its button can be forced off all the same */
    if (!has_button && !(is_forced && guest->run && guest->run->process &&
                         guest->state != GUEST_STATE_LOST)) {
        if (error)
            *error = why;
        return false;
    }
    struct op *op = op_new(guest, OP_KIND_GONE, on_done, data);
    op->is_shutdown = true;
    if (!guest->run || guest->run->is_finishing) {
        if (!guest->run)
            op_finish(op, NULL, NULL);
        return true;
    }
    if (!is_forced) {
        op->limit = loop_timer_new(guest->context->loop, on_op_limit, op);
        loop_timer_start(op->limit, (uint64_t)(button_ms + agent_ms(guest)));
    }
    actions_note_stop(guest);
    begin(guest, button_ms, is_forced, has_button);
    guest_derive_state(guest);
    return true;
}

bool
guest_shutdown_stop(struct guest *guest, struct error *error)
{
    const struct ladder *ladder = guest->run ? guest->run->ladder : NULL;
    const char *name = guest->spec->name;
    struct error why = {0};
    if (!ladder)
        return error_set(error, ERROR_CODE_STATE,
                         "no shutdown of %s is under way", name);
    if (ladder->step > STEP_AGENT)
        return error_set(error, ERROR_CODE_STATE,
                         "%s was told to end already (%s); that cannot be "
                         "taken back",
                         name, step_name(ladder->step));
    error_set(&why, ERROR_CODE_STATE,
              "the shutdown of %s was stopped: it goes on running; %s %u "
              "time%s%s, which it may still answer",
              name,
              guest_has_qemu(guest) ? "its power button was pressed"
                                    : "it was asked to end",
              ladder->presses, ladder->presses == 1 ? "" : "s",
              ladder->step == STEP_AGENT ? ", and its agent asked" : "");
    end(guest, &why);
    return true;
}

/* A new server ------------------------------------------------------------- */

json_t *
ladder_save(const struct guest *guest)
{
    const struct ladder *ladder = guest->run ? guest->run->ladder : NULL;
    if (!ladder)
        return json_null();
    return json_pack("{s:s,s:b,s:I,s:I,s:i}", "step", step_name(ladder->step),
                     "forced", ladder->is_forced, "length-ms",
                     (json_int_t)ladder->length_ms, "until-ms",
                     (json_int_t)ladder->until_ms, "presses",
                     (int)ladder->presses);
}

static bool
find_step(const char *name, enum ladder_step *ret_step)
{
    for (int i = STEP_BUTTON; name && i <= STEP_KILL; i++) {
        if (strcmp(step_names[i], name) != 0)
            continue;
        *ret_step = (enum ladder_step)i;
        return true;
    }
    return false;
}

/* What is left of the step; a clock that was set says nothing of it. */
static int64_t
left_ms(const struct ladder *ladder, int64_t now_ms)
{
    int64_t left = ladder->until_ms - now_ms;
    if (left > ladder->length_ms)
        left = ladder->length_ms;
    return left < RESUME_MIN_MS ? RESUME_MIN_MS : left;
}

void
ladder_restore(struct guest *guest, const json_t *saved)
{
    struct run *run = guest->run;
    enum ladder_step step = STEP_BUTTON;
    json_int_t length_ms =
        json_integer_value(json_object_get(saved, "length-ms"));
    json_int_t presses = json_integer_value(json_object_get(saved, "presses"));
    if (!find_step(json_string_value(json_object_get(saved, "step")), &step) ||
        length_ms <= 0 || length_ms > (json_int_t)LIFECYCLE_MAX_S * 1000)
        return;
    struct ladder *ladder = ladder_new(guest);
    ladder->step = step;
    ladder->is_resumed = true;
    ladder->is_forced = json_is_true(json_object_get(saved, "forced"));
    ladder->length_ms = length_ms;
    ladder->until_ms = json_integer_value(json_object_get(saved, "until-ms"));
    ladder->presses = presses > 0 && presses < INT_MAX ? (unsigned)presses : 0;
    int64_t now_ms = clock_wall_ms();
    int64_t left = left_ms(ladder, now_ms);
    ladder->until_ms = now_ms + left;
    loop_timer_start(ladder->timer, (uint64_t)left);
    run->is_shutting_down = true;
    run->is_kill_asked = step >= STEP_QUIT;
    if (step >= STEP_TERM) /* it was noted before it was sent */
        signal_all(guest, step == STEP_TERM ? SIGTERM : SIGKILL);
    guest_notice(guest, "info",
                 "its shutdown goes on, which an earlier server "
                 "began");
}

void
ladder_on_ready(struct guest *guest)
{
    struct ladder *ladder = guest->run->ladder;
    if (!ladder || !ladder->is_resumed)
        return;
    if (ladder->step == STEP_BUTTON)
        press_again(ladder);
    else if (ladder->step == STEP_QUIT)
        quit(ladder);
}

void
ladder_describe(const struct guest *guest, json_t *object)
{
    const struct ladder *ladder = guest->run ? guest->run->ladder : NULL;
    enum ladder_step next = STEP_BUTTON;
    if (!ladder) {
        json_object_set_new(object, "shutdown", json_null());
        return;
    }
    bool has_next = find_next(ladder, &next);
    json_object_set_new(
        object, "shutdown",
        json_pack("{s:s,s:I,s:s?,s:b,s:i}", "step", step_name(ladder->step),
                  "until-ms", (json_int_t)ladder->until_ms, "next",
                  has_next ? step_name(next) : NULL, "forced",
                  ladder->is_forced, "presses", (int)ladder->presses));
}
