#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "guest/guest-internal.h"
#include "qemu/argv.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Definitions of ours are far smaller. */
#define FILE_MAX_BYTES (8u << 20)

/* Most words of a command line that is taken back. */
#define ARGV_MAX_WORDS 4096u
/* Most network cards of a guest. */
#define CARDS_MAX 64u

/* Runs that are over ------------------------------------------------------- */

/* Whether a record was written since this machine's boot. */
static bool
is_of_this_boot(const json_t *saved)
{
    struct process_identity self = {0};
    const char *boot_id = json_string_value(json_object_get(saved, "boot-id"));
    return boot_id && process_identify(getpid(), &self, NULL) &&
           !strcmp(self.boot_id, boot_id);
}

static void
restore_exit(struct guest *guest)
{
    struct error error = {0};
    json_t *saved = store_read(guest, "exit.json", &error);
    json_t *report = NULL;
    const char *state = NULL;
    int64_t started_ms = 0;
    int64_t ended_ms = 0;
    bool ok =
        saved &&
        json_get_object(saved, "exit", JSON_REQUIRED, &report, &error) &&
        json_get_string(saved, "state", JSON_REQUIRED, &state, &error) &&
        json_get_integer(saved, "started-ms", 0, 0, INT64_MAX, &started_ms,
                         &error) &&
        json_get_integer(saved, "ended-ms", 0, 0, INT64_MAX, &ended_ms, &error);
    if (ok) {
        guest->exit = json_incref(report);
        guest->started_ms = started_ms;
        guest->ended_ms = ended_ms;
        guest->was_stopped = json_is_true(json_object_get(saved, "stopped"));
        guest->was_stopped_lately =
            guest->was_stopped && is_of_this_boot(saved);
        guest_set_state(guest, strcmp(state, "crashed") ? GUEST_STATE_STOPPED
                                                        : GUEST_STATE_CRASHED);
    } else if (error.code) {
        guest_notice(guest, "warning", "its last exit report is lost: %s",
                     error.text);
    }
    json_decref(saved);
}

static void
finish_unwatched(struct guest *guest)
{
    struct run *run = guest->run;
    struct process_identity self = {0};
    run->is_unwatched = true;
    run->is_host_rebooted = run->identity.boot_id[0] &&
                            process_identify(getpid(), &self, NULL) &&
                            strcmp(self.boot_id, run->identity.boot_id) != 0;
    guest->has_ended_unwatched = !run->is_host_rebooted;
    ending_finish(guest);
}

/* Lost --------------------------------------------------------------------- */

/* Without a process that can be watched. */
static void
lose_unknown(struct guest *guest, const char *text)
{
    struct error why = {0};
    error_set(&why, ERROR_CODE_STATE, "%s", text);
    guest_lose(guest, &why);
    struct run *run = guest->run;
    guest->run = NULL;
    run_free(run);
}

bool
adopt_recheck(struct guest *guest)
{
    if (guest->state != GUEST_STATE_LOST || guest->run)
        return false;
    if (qmp_probe(guest->qmp_path, NULL) != 0)
        return false;
    store_forget(guest, "run.json");
    guest_set_problem(guest, NULL);
    guest_set_state(guest, GUEST_STATE_STOPPED);
    return true;
}

/* QEMU --------------------------------------------------------------------- */

/* Whether the process still executes what it did when its monitor answered. */
static bool
check_executable(const struct run *run, struct error *error)
{
    char *now = process_executable(run->identity.pid);
    bool ok = !now || !run->executable || !strcmp(now, run->executable);
    if (!ok)
        error_set(error, ERROR_CODE_STATE,
                  "process %d was started as %s, but runs %s now",
                  (int)run->identity.pid, run->executable, now);
    free(now);
    return ok;
}

/* The record was written before QEMU's start and not after: is it there? */
static bool
find_unrecorded(struct guest *guest)
{
    struct run *run = guest->run;
    pid_t pid = qmp_probe(run->qmp_path, NULL);
    if (pid <= 0 || !process_identify(pid, &run->identity, NULL))
        return false;
    /* What its monitor has to say. */
    if (!run->qmp_uuid)
        run->qmp_uuid = argv_own_uuid(guest->spec);
    if (!run->qmp_uuid)
        run->qmp_uuid = xstrdup(guest->uuid);
    return true;
}

static void
adopt_dead(struct guest *guest)
{
    struct run *run = guest->run;
    pid_t server = qmp_probe(run->qmp_path, NULL);
    if (server == 0) {
        finish_unwatched(guest);
        return;
    }
    char *text = xasprintf(
        server > 0 ? "its process %d is gone, but process %d serves its "
                     "monitor's socket %s; end that one if it should not be"
                   : "its process %d is gone, but something (process %d) "
                     "serves its monitor's socket %s",
        (int)run->identity.pid, (int)server, run->qmp_path);
    lose_unknown(guest, text);
    free(text);
}

static void
adopt_qemu(struct guest *guest)
{
    struct run *run = guest->run;
    struct error error = {0};
    if (run->identity.pid == 0 && !find_unrecorded(guest)) {
        adopt_dead(guest);
        return;
    }
    run->process = process_adopt(guest->context->loop, &run->identity,
                                 ending_on_exit, guest, &error);
    if (!run->process && error.code == ERROR_CODE_NOT_FOUND) {
        adopt_dead(guest);
        return;
    }
    if (!run->process) {
        lose_unknown(guest, error.text);
        return;
    }
    if (!check_executable(run, &error)) {
        guest_lose(guest, &error);
        return;
    }
    run->is_ready = false; /* until its monitor answers this server */
    consoles_expect(guest);
    agent_start(guest, run->agent_path);
    run->qmp =
        qmp_new(guest->context->loop, run->qmp_path, &monitor_handlers, guest);
    guest_derive_state(guest);
}

/* What is no QEMU ---------------------------------------------------------- */

static void
adopt_plain(struct guest *guest)
{
    struct run *run = guest->run;
    struct error error = {0};
    if (guest->spec->kind == SPEC_KIND_EXEC) {
        finish_unwatched(guest);
        return;
    }
    int64_t started_ms = run->started_ms;
    guest->run = NULL;
    run_free(run);
    if (launch_again(guest, &error)) {
        guest->run->started_ms = started_ms;
        guest->run->is_adopted = true;
        guest_derive_state(guest);
        return;
    }
    store_forget(guest, "run.json");
    guest_set_problem(guest, error.text);
    guest_set_state(guest, GUEST_STATE_CRASHED);
}

/* Records ------------------------------------------------------------------ */

static char **
argv_from_json(const json_t *words)
{
    size_t count = json_array_size(words);
    if (count == 0 || count > ARGV_MAX_WORDS)
        return NULL;
    char **argv = xcalloc(count + 1, sizeof(*argv));
    for (size_t i = 0; i < count; i++) {
        const char *word = json_string_value(json_array_get(words, i));
        argv[i] = xstrdup(word ? word : "");
    }
    return argv;
}

static void
take_sockets(struct run *run, const json_t *sockets)
{
    size_t count = json_array_size(sockets);
    if (count == 0 || count > CARDS_MAX)
        return;
    run->nic_sockets = xcalloc(count, sizeof(*run->nic_sockets));
    run->nic_count = count;
    for (size_t i = 0; i < count; i++)
        run->nic_sockets[i] =
            xstrdup(json_string_value(json_array_get(sockets, i)));
}

static bool
run_from_json(struct run *run, const json_t *saved, struct error *error)
{
    int64_t pid = 0;
    int64_t ticks = 0;
    const char *boot_id = "";
    const char *socket = NULL;
    const char *name = NULL;
    const char *uuid = NULL;
    const char *executable = NULL;
    json_t *argv = NULL;
    json_t *sockets = NULL;
    const char *agent = NULL;
    if (!json_get_integer(saved, "pid", JSON_REQUIRED, 0, INT32_MAX, &pid,
                          error) ||
        !json_get_integer(saved, "start-ticks", 0, 0, INT64_MAX, &ticks,
                          error) ||
        !json_get_string(saved, "boot-id", 0, &boot_id, error) ||
        !json_get_integer(saved, "started-ms", 0, 0, INT64_MAX,
                          &run->started_ms, error) ||
        !json_get_string(saved, "qmp-socket", 0, &socket, error) ||
        !json_get_string(saved, "name", 0, &name, error) ||
        !json_get_string(saved, "uuid", 0, &uuid, error) ||
        !json_get_string(saved, "executable", 0, &executable, error) ||
        !json_get_array(saved, "argv", 0, &argv, error) ||
        !json_get_array(saved, "nic-sockets", 0, &sockets, error) ||
        !json_get_string(saved, "agent-socket", 0, &agent, error))
        return false;
    run->identity.pid = (pid_t)pid;
    run->identity.start_ticks = (uint64_t)ticks;
    (void)strncpy(run->identity.boot_id, boot_id,
                  sizeof(run->identity.boot_id) - 1);
    run->qmp_path = xstrdup(socket);
    run->qmp_name = xstrdup(name);
    run->qmp_uuid = xstrdup(uuid);
    run->executable = xstrdup(executable);
    run->argv = argv_from_json(argv);
    take_sockets(run, sockets);
    run->agent_path = xstrdup(agent);
    run->is_ready = uuid != NULL;
    run->is_stop_asked = json_is_true(json_object_get(saved, "stop-asked"));
    run->is_stop_ignored = json_is_true(json_object_get(saved, "stop-ignored"));
    return true;
}

static void
restore_run(struct guest *guest, const json_t *saved)
{
    struct error error = {0};
    struct run *run = run_new(guest);
    run->is_adopted = true;
    if (!run_from_json(run, saved, &error) ||
        (guest_has_qemu(guest) && !run->qmp_path)) {
        if (!run->qmp_path)
            run->qmp_path = xstrdup(guest->qmp_path);
        run->identity = (struct process_identity){0};
    }
    guest->started_ms = run->started_ms;
    if (!guest_has_qemu(guest)) {
        adopt_plain(guest);
        stages_restore(guest, json_object_get(saved, "stages"));
        return;
    }
    stages_restore(guest, json_object_get(saved, "stages"));
    adopt_qemu(guest);
    if (guest->run && guest->state != GUEST_STATE_LOST)
        ladder_restore(guest, json_object_get(saved, "shutdown"));
    if (guest->run)
        store_keep_stderr(guest);
}

static void
restore(struct guest *guest)
{
    struct error error = {0};
    json_t *saved = store_read(guest, "run.json", &error);
    if (saved || error.code) {
        /* An unreadable record: the socket still tells whether it runs. */
        restore_run(guest, saved);
        json_decref(saved);
    } else {
        restore_exit(guest);
    }
    guest_changed(guest);
}

/* Definitions -------------------------------------------------------------- */

static struct spec *
load_spec(const char *path, const char *name, int64_t *ret_order, char uuid[37],
          char **ret_fleet, struct error *error)
{
    json_t *saved = json_read_file(path, FILE_MAX_BYTES, error);
    if (!saved)
        return NULL;
    const char *text = NULL;
    struct spec *spec = NULL;
    if (json_get_integer(saved, "order", 0, 0, INT64_MAX, ret_order, error) &&
        json_get_string(saved, "uuid", 0, &text, error)) {
        if (text && strlen(text) == 36)
            memcpy(uuid, text, 37);
        json_object_del(saved, "order");
        json_object_del(saved, "uuid");
        const json_t *fleet = json_object_get(saved, "fleet");
        if (json_is_string(fleet))
            *ret_fleet = xstrdup(json_string_value(fleet));
        json_object_del(saved, "fleet");
        spec = spec_load(saved, error);
    }
    json_decref(saved);
    if (spec && strcmp(spec->name, name) != 0) {
        error_set(error, ERROR_CODE_INVALID, "%s defines %s, not %s", path,
                  spec->name, name);
        spec_free(spec);
        return NULL;
    }
    return spec;
}

/* A definition that waits for the end of the run. */
static struct spec *
load_plan(const struct guest *guest)
{
    struct error error = {0};
    json_t *saved = store_read(guest, "next.json", &error);
    struct spec *plan = saved ? spec_load(saved, &error) : NULL;
    json_decref(saved);
    if (plan && !strcmp(plan->name, guest->spec->name))
        return plan;
    spec_free(plan);
    return NULL;
}

/* NULL with error; NULL without: there is no definition. */
static struct guest *
load_guest(const struct guest_context *context, const char *name,
           struct error *error)
{
    char *dir = paths_guest_state_dir(context->paths, name);
    char *path = xasprintf("%s/spec.json", dir);
    int64_t order = 0;
    char uuid[37] = "";
    char *fleet = NULL;
    struct spec *spec = NULL;
    if (access(path, F_OK) == 0)
        spec = load_spec(path, name, &order, uuid, &fleet, error);
    free(path);
    free(dir);
    struct guest *guest = spec ? guest_build(context, spec, error) : NULL;
    if (guest)
        guest->fleet = fleet;
    else
        free(fleet);
    if (!guest)
        return NULL;
    if (order)
        guest->order = order;
    if (uuid[0])
        memcpy(guest->uuid, uuid, sizeof(uuid));
    guest->plan = load_plan(guest);
    network_load(guest);
    if (consoles_open(guest, error))
        return guest;
    guest_free(guest);
    return NULL;
}

static int
compare_order(const void *a, const void *b)
{
    const struct guest *one = *(struct guest *const *)a;
    const struct guest *two = *(struct guest *const *)b;
    return (one->order > two->order) - (one->order < two->order);
}

/* Definitions as they are read. */
struct finds {
    struct guest **guests; /* owned array of borrowed guests */
    size_t count;
};

static void
add_find(struct finds *finds, struct guest *guest)
{
    finds->guests =
        xreallocarray(finds->guests, finds->count + 1, sizeof(struct guest *));
    finds->guests[finds->count++] = guest;
}

static bool
load_all(const struct guest_context *context, struct finds *finds,
         void (*on_unreadable)(void *data, const char *name,
                               const struct error *error),
         struct error *error)
{
    DIR *dir = opendir(context->paths->state_dir);
    if (!dir && errno == ENOENT)
        return true;
    if (!dir)
        return error_set_errno(error, errno, "cannot read %s",
                               context->paths->state_dir);
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        struct error why = {0};
        if (!text_is_name(entry->d_name))
            continue;
        struct guest *guest = load_guest(context, entry->d_name, &why);
        if (guest)
            add_find(finds, guest);
        else if (why.code)
            on_unreadable(context->data, entry->d_name, &why);
    }
    (void)closedir(dir);
    return true;
}

bool
guest_adopt_all(const struct guest_context *context,
                void (*found)(void *data, struct guest *guest),
                void (*on_unreadable)(void *data, const char *name,
                                      const struct error *error),
                struct error *error)
{
    struct finds finds = {0};
    if (!load_all(context, &finds, on_unreadable, error))
        return false;
    if (finds.count)
        qsort(finds.guests, finds.count, sizeof(struct guest *), compare_order);
    for (size_t i = 0; i < finds.count; i++) {
        restore(finds.guests[i]);
        found(context->data, finds.guests[i]);
    }
    free(finds.guests);
    return true;
}
