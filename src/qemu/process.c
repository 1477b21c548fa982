#include "qemu/process.h"

#include "base/loop.h"
#include "base/xalloc.h"
#include "qemu/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* glibc 2.36 defines it in <sys/wait.h>; older ones do not. */
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

struct process {
    struct process_identity identity;
    int pidfd;
    struct loop_poll *poll; /* owned */
    process_exit_fn on_exit;
    void *data; /* borrowed: the caller's */
    bool is_child;
    bool has_exited;
};

static bool
read_small_file(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, text, size - 1);
    (void)close(fd);
    if (got <= 0)
        return false;
    text[got] = '\0';
    return true;
}

/* What /proc/PID/stat says that concerns us. */
struct proc_stat {
    char state;
    pid_t parent;
    uint64_t start_ticks;
};

static bool
read_stat(pid_t pid, struct proc_stat *ret_stat)
{
    char path[64];
    char text[1024];
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (!read_small_file(path, text, sizeof(text)))
        return false;
    /* Field 2 is the program's name in parentheses and can hold anything, so
     * count from the last one: field 3 follows it. */
    char *at = strrchr(text, ')');
    if (!at || at[1] != ' ')
        return false;
    at += 2;
    char state = *at;
    char *parent = at + 2;
    for (int field = 3; field < 22; field++) {
        at = strchr(at, ' ');
        if (!at)
            return false;
        at++;
    }
    *ret_stat = (struct proc_stat){
        .state = state,
        .parent = (pid_t)strtol(parent, NULL, 10),
        .start_ticks = strtoull(at, NULL, 10),
    };
    return true;
}

bool
process_identify(pid_t pid, struct process_identity *ret_identity,
                 struct error *error)
{
    struct proc_stat facts = {0};
    if (pid <= 0 || !read_stat(pid, &facts) || facts.state == 'Z' ||
        facts.state == 'X')
        return error_set(error, ERROR_CODE_NOT_FOUND, "there is no process %d",
                         (int)pid);
    struct process_identity identity = {
        .pid = pid,
        .start_ticks = facts.start_ticks,
    };
    char boot_id[64] = "";
    if (!read_small_file("/proc/sys/kernel/random/boot_id", boot_id,
                         sizeof(boot_id)))
        return error_set_errno(error, errno, "cannot read the boot id");
    boot_id[strcspn(boot_id, "\n")] = '\0';
    (void)snprintf(identity.boot_id, sizeof(identity.boot_id), "%.36s",
                   boot_id);
    *ret_identity = identity;
    return true;
}

bool
process_is_descendant(pid_t descendant, pid_t ancestor)
{
    pid_t pid = descendant;
    for (int generation = 0; generation <= 8 && pid > 1; generation++) {
        if (pid == ancestor)
            return true;
        struct proc_stat facts = {0};
        if (!read_stat(pid, &facts))
            return false;
        pid = facts.parent;
    }
    return false;
}

bool
process_is_ignoring(const struct process *process, int signal_number)
{
    static const char label[] = "\nSigIgn:";
    char path[64];
    char text[4096]; /* proc(5): some 60 lines, 1.5 KiB */
    (void)snprintf(path, sizeof(path), "/proc/%d/status",
                   (int)process->identity.pid);
    if (!read_small_file(path, text, sizeof(text)))
        return false;
    const char *at = strstr(text, label);
    uint64_t ignored = at ? strtoull(at + strlen(label), NULL, 16) : 0;
    return ignored >> (signal_number - 1) & 1;
}

char *
process_executable(pid_t pid)
{
    char path[64];
    char target[4096];
    (void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
    ssize_t len = readlink(path, target, sizeof(target) - 1);
    if (len <= 0)
        return NULL;
    target[len] = '\0';
    static const char suffix[] = " (deleted)";
    size_t cut = sizeof(suffix) - 1;
    if ((size_t)len > cut && !strcmp(target + (size_t)len - cut, suffix))
        target[(size_t)len - cut] = '\0';
    return xstrdup(target);
}

/* Asks how a child ended and so lets its pid go. */
static struct process_exit
reap(struct process *process)
{
    struct process_exit result = {0};
    siginfo_t info = {0};
    int failed;
    do
        failed =
            waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED | WNOHANG);
    while (failed && errno == EINTR);
    if (failed || info.si_pid == 0)
        return result;
    result.is_known = true;
    if (info.si_code == CLD_EXITED)
        result.code = info.si_status;
    else
        result.signal = info.si_status;
    return result;
}

static void
on_pidfd(void *data, int status, int events)
{
    (void)events;
    struct process *process = data;
    if (status < 0 || process->has_exited)
        return;
    struct process_exit exit = reap(process);
    process->has_exited = true;
    loop_poll_free(process->poll);
    process->poll = NULL;
    process->on_exit(process->data, &exit);
}

/* Takes over pidfd, also on failure. */
static struct process *
watch(uv_loop_t *loop, int pidfd, const struct process_identity *identity,
      process_exit_fn on_exit, void *data, struct error *error)
{
    struct process *process = xcalloc(1, sizeof(*process));
    process->identity = *identity;
    process->pidfd = pidfd;
    process->on_exit = on_exit;
    process->data = data;
    process->poll = loop_poll_new(loop, pidfd, on_pidfd, process);
    if (!process->poll) {
        error_set(error, ERROR_CODE_IO, "cannot watch process %d",
                  (int)identity->pid);
        process_free(process);
        return NULL;
    }
    loop_poll_set(process->poll, UV_READABLE);
    return process;
}

struct process *
process_spawn(uv_loop_t *loop, const struct process_config *config,
              process_exit_fn on_exit, void *data, struct error *error)
{
    pid_t pid = 0;
    int pidfd = spawn_program(config, &pid, error);
    if (pidfd < 0)
        return NULL;
    /* It may be a zombie already: then there is no start time to know, and
     * nobody will want to adopt it. */
    struct process_identity identity = {.pid = pid};
    (void)process_identify(pid, &identity, NULL);
    struct process *process =
        watch(loop, pidfd, &identity, on_exit, data, error);
    if (!process) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        return NULL;
    }
    process->is_child = true;
    return process;
}

struct process *
process_adopt(uv_loop_t *loop, const struct process_identity *identity,
              process_exit_fn on_exit, void *data, struct error *error)
{
    pid_t pid = identity->pid;
    int pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;
    if (pidfd < 0) {
        if (pid <= 0 || errno == ESRCH || errno == EINVAL)
            error_set(error, ERROR_CODE_NOT_FOUND, "there is no process %d",
                      (int)pid);
        else
            error_set_errno(error, errno, "cannot watch process %d", (int)pid);
        return NULL;
    }
    /* Read after opening: if the pid was somebody else's when it was opened,
     * it cannot have the recorded start time now. */
    struct process_identity now = {0};
    if (!process_identify(pid, &now, error)) {
        (void)close(pidfd);
        return NULL;
    }
    if (now.start_ticks != identity->start_ticks ||
        strcmp(now.boot_id, identity->boot_id) != 0) {
        (void)close(pidfd);
        error_set(error, ERROR_CODE_NOT_FOUND,
                  "process %d is another one by now", (int)pid);
        return NULL;
    }
    return watch(loop, pidfd, identity, on_exit, data, error);
}

void
process_free(struct process *process)
{
    if (!process)
        return;
    loop_poll_free(process->poll);
    (void)close(process->pidfd);
    free(process);
}

static bool
refuse_signal(const struct process *process, int errnum, int signal_number,
              struct error *error)
{
    char *name = process_signal_name(signal_number);
    error_set_errno(error, errnum, "cannot send %s to process %d", name,
                    (int)process->identity.pid);
    free(name);
    return false;
}

bool
process_signal(struct process *process, int signal_number, struct error *error)
{
    if (process->has_exited)
        return refuse_signal(process, ESRCH, signal_number, error);
    if (pidfd_send_signal(process->pidfd, signal_number, NULL, 0) < 0)
        return refuse_signal(process, errno, signal_number, error);
    return true;
}

bool
process_signal_group(struct process *process, int signal_number,
                     struct error *error)
{
    if (!process->is_child || process->has_exited)
        return refuse_signal(process, ESRCH, signal_number, error);
    if (kill(-process->identity.pid, signal_number) < 0)
        return refuse_signal(process, errno, signal_number, error);
    return true;
}

const struct process_identity *
process_identity(const struct process *process)
{
    return &process->identity;
}

bool
process_has_exited(const struct process *process)
{
    return process->has_exited;
}

char *
process_signal_name(int signal_number)
{
    const char *name = sigabbrev_np(signal_number);
    if (name)
        return xasprintf("SIG%s", name);
    return xasprintf("signal %d", signal_number);
}

char *
process_find_program(const char *name, struct error *error)
{
    if (strchr(name, '/'))
        return xstrdup(name);
    const char *list = getenv("PATH");
    if (!list || !*list)
        list = SPAWN_DEFAULT_PATH;
    for (const char *at = list; *name && at; at = strchr(at, ':')) {
        at += *at == ':' ? 1 : 0;
        size_t len = strcspn(at, ":");
        /* Relative entries would depend on where the server was started. */
        if (at[0] != '/')
            continue;
        char *path = xasprintf("%.*s/%s", (int)len, at, name);
        struct stat info;
        if (stat(path, &info) == 0 && S_ISREG(info.st_mode) &&
            access(path, X_OK) == 0)
            return path;
        free(path);
    }
    error_set(error, ERROR_CODE_NOT_FOUND,
              "there is no program '%s' in PATH (%s)", name, list);
    return NULL;
}
