#include "base/clock.h"
#include "base/xalloc.h"
#include "guest/guest-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* A guest's own reset so soon after another (ms), with no more than so many
 * bytes printed in between, is part of the same boot. */
#define FIRMWARE_RESET_MS 2000
#define FIRMWARE_RESET_BYTES 1024u

/* What a string member of an object says, or NULL. */
static const char *
text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static const char *
or_unknown(const char *text)
{
    return text ? text : "unknown";
}

/* Run state ---------------------------------------------------------------- */

struct refresh {
    struct guest *guest;
    struct op *op; /* NULL: nobody waits */
};

static void
take_status(struct guest *guest, const json_t *value)
{
    const char *status = text_of(value, "status");
    if (status)
        guest_set_run_state(guest, status);
}

static void
on_status(void *data, const json_t *value, const struct error *error)
{
    struct refresh *refresh = data;
    struct guest *guest = refresh->guest;
    if (!guest->is_dead && value)
        take_status(guest, value);
    if (refresh->op)
        op_finish(refresh->op, value, error);
    free(refresh);
}

void
monitor_refresh(struct guest *guest, struct op *op)
{
    struct refresh *refresh = xcalloc(1, sizeof(*refresh));
    refresh->guest = guest;
    refresh->op = op;
    struct error error = {0};
    if (guest->run && guest->run->qmp &&
        qmp_send(guest->run->qmp, "query-status", NULL, 0, on_status, refresh,
                 &error))
        return;
    if (op)
        op_finish(op, NULL, &error);
    free(refresh);
}

/* Ptys --------------------------------------------------------------------- */

/* The pty that query-chardev gives a chardev, or NULL. Borrowed. */
static const char *
find_pty(const json_t *chardevs, const char *id)
{
    size_t index;
    json_t *chardev;
    json_array_foreach(chardevs, index, chardev)
    {
        const char *label = text_of(chardev, "label");
        const char *file = text_of(chardev, "filename");
        if (label && file && !strcmp(label, id) && !strncmp(file, "pty:", 4))
            return file + 4;
    }
    return NULL;
}

static void
take_ptys(struct guest *guest, const json_t *chardevs)
{
    for (size_t i = 0; i < guest->console_count; i++) {
        struct guest_console *console = &guest->consoles[i];
        char id[32]; /* as qemu/argv.h promises */
        (void)snprintf(id, sizeof(id), "gmcon%zu", i);
        const char *pty = find_pty(chardevs, id);
        console_set_pty(console->console, pty);
        if (!pty)
            guest_notice(guest, "warning",
                         "QEMU names no pty for %s: it can be watched, but "
                         "not typed into",
                         console->name);
    }
}

static void
on_chardevs(void *data, const json_t *value, const struct error *error)
{
    struct guest *guest = data;
    if (guest->is_dead || !guest->run)
        return;
    if (json_is_array(value)) {
        take_ptys(guest, value);
        agent_take_chardevs(guest, value);
    } else if (error && error->code != ERROR_CODE_STATE) {
        guest_notice(guest, "warning", "the consoles' ptys are not known: %s",
                     error->text);
    }
}

void
monitor_refresh_ptys(struct guest *guest)
{
    if (guest->run && guest->run->qmp)
        (void)qmp_send(guest->run->qmp, "query-chardev", NULL, 0, on_chardevs,
                       guest, NULL);
}

/* Getting to know the monitor ---------------------------------------------- */

void
guest_lose(struct guest *guest, const struct error *why)
{
    struct run *run = guest->run;
    if (run) {
        struct qmp *qmp = run->qmp;
        run->qmp = NULL;
        qmp_free(qmp);
    }
    consoles_detach(guest);
    ladder_lose(guest, why);
    guest_set_problem(guest, why->text);
    guest_set_run_state(guest, NULL);
    guest_set_state(guest, GUEST_STATE_LOST);
    guest_notice(guest, "error", "lost: %s", why->text);
    op_finish_all(guest, OP_KIND_START, why);
    op_finish_all(guest, OP_KIND_RESET, why);
}

/* Whether what answers is the process that was started. */
static bool
check_peer(struct guest *guest, struct error *error)
{
    struct run *run = guest->run;
    pid_t peer = qmp_peer_pid(run->qmp);
    /* Connected before QEMU took our listener: ours by construction. */
    if (peer == getpid() && !run->is_adopted)
        return true;
    /* A command may be a script that starts QEMU below itself. */
    if (peer > 0 && process_is_descendant(peer, run->identity.pid))
        return true;
    return error_set(error, ERROR_CODE_STATE,
                     "process %d is the guest's, but process %d serves its "
                     "monitor's socket %s; end the one that should not be",
                     (int)run->identity.pid, (int)peer, run->qmp_path);
}

/* Notes what the monitor says, or compares it with what it said first. */
static bool
check_text(char **known, const char *said, const char *what,
           struct error *error)
{
    if (*known && strcasecmp(*known, said ? said : "") != 0)
        return error_set(error, ERROR_CODE_STATE,
                         "the monitor says that the guest's %s is %s, but it "
                         "was started as %s",
                         what, said ? said : "not set", *known);
    if (!*known && said)
        *known = xstrdup(said);
    return true;
}

/* The last answer of those asked for when the monitor became ready. */
static void
settle(struct guest *guest)
{
    struct run *run = guest->run;
    bool is_first = !run->is_ready;
    run->is_ready = true;
    guest_set_problem(guest, NULL);
    guest_derive_state(guest);
    network_on_ready(guest);
    if (!is_first)
        return;
    struct error error = {0};
    if (!run->executable)
        run->executable = process_executable(run->identity.pid);
    if (!store_save_run(guest, &error))
        guest_notice(guest, "warning", "%s", error.text);
    ladder_on_ready(guest);
    op_finish_all(guest, OP_KIND_START, NULL);
}

static void
on_uuid(void *data, const json_t *value, const struct error *error)
{
    struct guest *guest = data;
    if (guest->is_dead || !guest->run || !guest->run->qmp)
        return;
    struct error why = {0};
    if (!value)
        guest_set_problem(guest, error->text);
    else if (check_text(&guest->run->qmp_uuid, text_of(value, "UUID"), "UUID",
                        &why))
        settle(guest);
    else
        guest_lose(guest, &why);
}

static void
on_name(void *data, const json_t *value, const struct error *error)
{
    struct guest *guest = data;
    (void)error;
    if (guest->is_dead || !guest->run || !guest->run->qmp || !value)
        return;
    struct error why = {0};
    if (!check_text(&guest->run->qmp_name, text_of(value, "name"), "name",
                    &why))
        guest_lose(guest, &why);
}

static void
on_first_status(void *data, const json_t *value, const struct error *error)
{
    struct guest *guest = data;
    (void)error;
    if (!guest->is_dead && guest->run && value)
        take_status(guest, value);
}

static void
on_ready(void *data)
{
    struct guest *guest = data;
    struct run *run = guest->run;
    struct error error = {0};
    if (!check_peer(guest, &error)) {
        guest_lose(guest, &error);
        return;
    }
    actions_note_reset(guest); /* it may have been while nobody listened */
    /* One round trip for all: answers come in the order of the questions. */
    (void)qmp_send(run->qmp, "query-status", NULL, 0, on_first_status, guest,
                   NULL);
    (void)qmp_send(run->qmp, "query-chardev", NULL, 0, on_chardevs, guest,
                   NULL);
    (void)qmp_send(run->qmp, "query-name", NULL, 0, on_name, guest, NULL);
    (void)qmp_send(run->qmp, "query-uuid", NULL, 0, on_uuid, guest, NULL);
}

static void
on_trouble(void *data, const struct error *error)
{
    struct guest *guest = data;
    if (!guest->run || guest->run->is_finishing)
        return;
    guest_set_problem(guest, error->text);
}

static void
on_disconnect(void *data)
{
    ending_check(data);
}

/* Events ------------------------------------------------------------------- */

static void
on_change_of_state(struct guest *guest, const struct qmp_event *event)
{
    (void)event;
    monitor_refresh(guest, NULL);
}

static void
on_resume(struct guest *guest, const struct qmp_event *event)
{
    (void)event;
    guest_set_run_state(guest, "running");
}

static void
on_shutdown(struct guest *guest, const struct qmp_event *event)
{
    free(guest->run->reason);
    guest->run->reason = xstrdup(or_unknown(text_of(event->data, "reason")));
    actions_note_reset(guest);    /* or this instead of it: -no-reboot */
    monitor_refresh(guest, NULL); /* with -no-shutdown it stays */
}

/* SeaBIOS resets the machine once more at each boot but the first, 40 to 70 ms
 * after it began (QEMU 7.2, TCG, idle machine) and before it prints anything;
 * on a busy machine twice, a few ms apart, for it tries several ways until one
 * takes effect. Kernels do that, too.
 *
 * What was printed until the reset counts: what is in the log when a busy
 * server hears of it may be firmware's first words, or much more. On a busy
 * machine, or when the guest was paused, the firmware takes its time, too: then
 * nothing may have been printed meanwhile, and hardly anything since. */
static bool
is_of_same_boot(const struct guest *guest, const struct qmp_event *event)
{
    const struct run *run = guest->run;
    if (!json_is_true(json_object_get(event->data, "guest")) ||
        run->reset_ms <= 0 || event->at_ms < run->reset_ms)
        return false;
    uint64_t bytes = consoles_boot_bytes(guest, event->at_ms);
    if (event->at_ms - run->reset_ms > FIRMWARE_RESET_MS)
        return bytes == 0 &&
               consoles_boot_bytes(guest, 0) <= FIRMWARE_RESET_BYTES;
    return bytes == 0 ||
           (!run->is_reset_again && bytes <= FIRMWARE_RESET_BYTES);
}

/* Notes a reset; false: it is one more of the same boot. */
static bool
begins_boot(struct guest *guest, const struct qmp_event *event)
{
    struct run *run = guest->run;
    run->is_reset_again = is_of_same_boot(guest, event);
    run->reset_ms = event->at_ms;
    return !run->is_reset_again;
}

/* A reset is a new boot. The mark lies at the log's end as it is when the event
 * arrives, some 0.1 ms after the reset: what firmware prints first comes
 * later. */
static void
on_reset(struct guest *guest, const struct qmp_event *event)
{
    free(guest->run->reason);
    guest->run->reason = NULL;
    guest->run->is_stop_ignored = false; /* what was pressed is forgotten */
    if (begins_boot(guest, event)) {
        consoles_mark_reset(guest, event->at_ms);
        stages_boot_again(guest);
        if (guest->context->handlers->on_reset)
            guest->context->handlers->on_reset(guest->context->data, guest);
    }
    actions_note_reset(guest);
    monitor_refresh(guest, NULL);
}

static void
on_panic(struct guest *guest, const struct qmp_event *event)
{
    guest_notice(guest, "error",
                 "the guest's kernel panicked; QEMU's action: %s",
                 or_unknown(text_of(event->data, "action")));
    monitor_refresh(guest, NULL);
}

/* The guest agent is known by its port's name, whatever the port's id. */
static void
on_port_name(void *data, const json_t *value, const struct error *error)
{
    static const char agent[] = "org.qemu.guest_agent.";
    struct guest *guest = data;
    const char *name = json_string_value(value);
    (void)error;
    if (guest->is_dead || !name || strncmp(name, agent, strlen(agent)) != 0)
        return;
    (void)guest_note_stage(guest, STAGE_AGENT, clock_wall_ms());
    agent_opened(guest);
}

/* A program in the guest opened or closed a virtio-serial port. */
static void
on_port(struct guest *guest, const struct qmp_event *event)
{
    const char *id = text_of(event->data, "id");
    if (!id || !json_is_true(json_object_get(event->data, "open")))
        return;
    char *path = xasprintf("/machine/peripheral/%s", id);
    json_t *question = json_pack("{s:s,s:s}", "path", path, "property", "name");
    (void)qmp_send(guest->run->qmp, "qom-get", question, 0, on_port_name, guest,
                   NULL);
    free(path);
}

static void
on_watchdog(struct guest *guest, const struct qmp_event *event)
{
    guest_notice(guest, "warning", "the watchdog fired; QEMU's action: %s",
                 or_unknown(text_of(event->data, "action")));
    monitor_refresh(guest, NULL);
}

static void
on_block_error(struct guest *guest, const struct qmp_event *event)
{
    const char *device = text_of(event->data, "device");
    if (!device || !*device)
        device = text_of(event->data, "node-name");
    guest_notice(guest, "error", "disk %s: %s error: %s; QEMU's action: %s",
                 or_unknown(device),
                 or_unknown(text_of(event->data, "operation")),
                 or_unknown(text_of(event->data, "reason")),
                 or_unknown(text_of(event->data, "action")));
    monitor_refresh(guest, NULL);
}

/* QEMU's events that mean something here, sorted. POWERDOWN is not among them:
 * it comes even when the guest ignores the button. */
static const struct event_row {
    const char *name;
    void (*handle)(struct guest *guest, const struct qmp_event *event);
} event_rows[] = {
    {"BLOCK_IO_ERROR", on_block_error},
    {"GUEST_CRASHLOADED", on_panic},
    {"GUEST_PANICKED", on_panic},
    {"MIGRATION", on_change_of_state},
    {"RESET", on_reset},
    {"RESUME", on_resume},
    {"SHUTDOWN", on_shutdown},
    {"STOP", on_change_of_state},
    {"SUSPEND", on_change_of_state},
    {"SUSPEND_DISK", on_change_of_state},
    {"VSERPORT_CHANGE", on_port},
    {"WAKEUP", on_change_of_state},
    {"WATCHDOG", on_watchdog},
};

static int
compare_event(const void *key, const void *row)
{
    return strcmp(key, ((const struct event_row *)row)->name);
}

static void
on_event(void *data, const struct qmp_event *event)
{
    struct guest *guest = data;
    const struct event_row *row = bsearch(
        event->name, event_rows, sizeof(event_rows) / sizeof(*event_rows),
        sizeof(*event_rows), compare_event);
    if (row && guest->run)
        row->handle(guest, event);
}

const struct qmp_handlers monitor_handlers = {
    .on_ready = on_ready,
    .on_event = on_event,
    .on_disconnect = on_disconnect,
    .on_trouble = on_trouble,
};
