#include "base/clock.h"
#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "guest/guest-internal.h"
#include "qemu/agent.h"
#include "qemu/argv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
guest_has_qemu(const struct guest *guest)
{
    return guest->spec->kind == SPEC_KIND_QEMU ||
           guest->spec->kind == SPEC_KIND_COMMAND;
}

struct run *
run_new(struct guest *guest)
{
    struct run *run = xcalloc(1, sizeof(*run));
    run->started_ms = clock_wall_ms();
    guest->run = run;
    return run;
}

void
run_free(struct run *run)
{
    if (!run)
        return;
    qmp_free(run->qmp);
    agent_free(run->agent);
    process_free(run->process);
    keeper_free(run->keeper);
    ssh_probe_free(run->ssh_probe);
    ladder_free(run->ladder);
    loop_timer_free(run->timer);
    argv_free(run->argv);
    network_free_sockets(run->nic_sockets, run->nic_count);
    loop_timer_free(run->agent_timer);
    json_decref(run->addresses);
    free(run->agent_path);
    free(run->qmp_path);
    free(run->qmp_name);
    free(run->qmp_uuid);
    free(run->executable);
    free(run->reason);
    free(run);
}

char **
launch_argv(const struct guest *guest, char *const *sockets, const int *ports,
            const char *agent_path, struct error *error)
{
    const char **logs = xcalloc(guest->console_count + 1, sizeof(*logs));
    for (size_t i = 0; i < guest->console_count; i++)
        logs[i] = guest->consoles[i].log_path;
    char *pidfile = store_path(guest, "qemu.pid");
    char *data_dir =
        paths_guest_data_dir(guest->context->paths, guest->spec->name);
    struct argv_runtime runtime = {
        .uuid = guest->uuid,
        .monitor_fd = PROCESS_PASSED_FD,
        .logs = logs,
        .log_count = guest->console_count,
        .pidfile = pidfile,
        .data_dir = data_dir,
        .nic_sockets = (const char *const *)sockets,
        .forward_ports = ports,
        .agent_socket = agent_path,
    };
    char **argv = argv_build(guest->spec, &runtime, error);
    free(data_dir);
    free(pidfile);
    free(logs);
    return argv;
}

/* The command line that it would be started with. */
static char **
planned_argv(struct guest *guest, struct error *error)
{
    int *ports = network_ports(guest, NETWORK_PORTS_UNCHECKED, error);
    char **sockets = ports ? network_sockets(guest, error) : NULL;
    char *agent = network_agent_path(guest, NULL);
    char **argv =
        sockets ? launch_argv(guest, sockets, ports, agent, error) : NULL;
    free(agent);
    network_free_sockets(sockets, guest->spec->nic_count);
    free(ports);
    return argv;
}

char **
guest_command(struct guest *guest, struct error *error)
{
    if (guest->run && guest->run->argv)
        return shellwords_copy(guest->run->argv);
    if (guest_has_qemu(guest))
        return planned_argv(guest, error);
    if (guest->spec->kind == SPEC_KIND_EXEC)
        return shellwords_copy(guest->spec->command);
    error_set(error, ERROR_CODE_STATE, "%s is a %s: there is no command line",
              guest->spec->name, spec_kind_name(guest->spec->kind));
    return NULL;
}

char **
guest_export(struct guest *guest, struct error *error)
{
    if (!guest_has_qemu(guest))
        return guest_command(guest, error);
    int *ports = network_ports(guest, NETWORK_PORTS_UNCHECKED, error);
    if (!ports)
        return NULL;
    char *data_dir =
        paths_guest_data_dir(guest->context->paths, guest->spec->name);
    struct argv_runtime runtime = {.data_dir = data_dir,
                                   .forward_ports = ports};
    char **argv = argv_export(guest->spec, &runtime, error);
    free(data_dir);
    free(ports);
    return argv;
}

/* Starts QEMU with the listener; what this process holds of it goes. */
static bool
spawn_qemu(struct guest *guest, int listener, struct error *error)
{
    struct run *run = guest->run;
    int output = store_open_stderr(guest, error);
    if (output < 0)
        return false;
    struct process_config config = {
        .argv = run->argv,
        .directory = guest->spec->directory,
        .output_fd = output,
        .passed_fd = listener,
        .file_limit = guest->context->file_limit,
        .variables = guest->spec->env,
    };
    run->process = process_spawn(guest->context->loop, &config, ending_on_exit,
                                 guest, error);
    (void)close(output);
    if (!run->process)
        return false;
    run->identity = *process_identity(run->process);
    return true;
}

static void
note_run(struct guest *guest)
{
    struct error error = {0};
    if (!store_save_run(guest, &error))
        guest_notice(guest, "warning",
                     "a later server will not find this guest: %s", error.text);
}

/* Everything between the lock and its release. */
static bool
launch_locked(struct guest *guest, struct error *error)
{
    if (!consoles_prepare_logs(guest, error))
        return false;
    int *ports = network_ports(guest, NETWORK_PORTS_CHECKED, error);
    char **sockets = ports ? network_sockets(guest, error) : NULL;
    struct error problem = {0};
    char *agent = network_agent_path(guest, &problem);
    if (problem.code && error)
        *error = problem;
    char **argv = sockets && !problem.code
                      ? launch_argv(guest, sockets, ports, agent, error)
                      : NULL;
    int listener = argv ? qmp_listen(guest->qmp_path, error) : -1;
    free(ports);
    if (listener < 0) {
        network_free_sockets(sockets, guest->spec->nic_count);
        argv_free(argv);
        free(agent);
        return false;
    }
    store_forget(guest, "qemu.pid");
    struct run *run = run_new(guest);
    run->argv = argv;
    run->nic_sockets = sockets;
    run->nic_count = guest->spec->nic_count;
    run->agent_path = agent;
    agent_start(guest, agent);
    network_on_start(guest);
    run->qmp_path = xstrdup(guest->qmp_path);
    consoles_mark_boot(guest);
    stages_begin(guest);
    /* First without a pid: should this server die right after the start, the
     * next one still finds the guest, by its socket. */
    bool ok = store_save_run(guest, error);
    if (ok) {
        /* Connected before QEMU is there: it waits in the backlog, and the
         * greeting comes as soon as QEMU can say it. */
        run->qmp = qmp_new(guest->context->loop, guest->qmp_path,
                           &monitor_handlers, guest);
        ok = spawn_qemu(guest, listener, error);
    }
    (void)close(listener);
    if (ok) {
        note_run(guest);
        store_keep_stderr(guest);
        return true;
    }
    run_free(run);
    guest->run = NULL;
    (void)unlink(guest->qmp_path);
    store_forget(guest, "run.json");
    return false;
}

bool
launch_qemu(struct guest *guest, struct error *error)
{
    if (guest->console_count == 0 && !consoles_open(guest, error))
        return false;
    int lock = store_lock(guest, error);
    if (lock < 0)
        return false;
    bool ok = launch_locked(guest, error);
    (void)close(lock);
    return ok;
}
