#include "qemu/spawn.h"

#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child runs on a stack of its own until exec, a few calls deep. */
#define CHILD_STACK_BYTES (64u << 10)

/* Descriptors are first moved above all numbers that have a meaning. */
#define SAFE_FD 10

/* Variables that programs get, when this process has them. No LD_*, no
 * QEMU_MODULE_DIR: what loads code is nobody's to inherit. */
static const char *const passed_variables[] = {
    "HOME", "LANG",   "LANGUAGE", "LC_ALL",          "LC_CTYPE",
    "USER", "TMPDIR", "LOGNAME",  "XDG_RUNTIME_DIR", "TZ",
};

/* And what only programs at a terminal want: an ssh in a pane its agent. */
static const char *const terminal_variables[] = {
    "SHELL",
    "SSH_AUTH_SOCK",
    "COLORTERM",
};

/* Shared with the child, which runs in this process's memory. */
struct child {
    const struct process_config *config;
    char *const *environment;
    const char *step; /* what failed */
    int errnum;       /* 0: nothing did */
    bool is_in_directory;
};

/* Adds a variable in place of one of its name. word: owned from now on. */
static void
put_variable(char **environment, size_t *count, char *word)
{
    size_t len = strcspn(word, "=") + 1;
    for (size_t i = 0; i < *count; i++) {
        if (strncmp(environment[i], word, len) != 0)
            continue;
        free(environment[i]);
        environment[i] = word;
        return;
    }
    environment[(*count)++] = word;
}

static void
pass_variable(char **environment, size_t *count, const char *name)
{
    const char *value = getenv(name);
    if (value)
        put_variable(environment, count, xasprintf("%s=%s", name, value));
}

char **
spawn_environment(const struct process_config *config)
{
    size_t passed = sizeof(passed_variables) / sizeof(*passed_variables);
    size_t terminal = sizeof(terminal_variables) / sizeof(*terminal_variables);
    size_t more = 0;
    while (config->variables && config->variables[more])
        more++;
    char **environment = xcalloc(passed + terminal + more + 3, sizeof(char *));
    size_t count = 0;
    const char *path = getenv("PATH");
    environment[count++] =
        xasprintf("PATH=%s", path && *path ? path : SPAWN_DEFAULT_PATH);
    for (size_t i = 0; i < passed; i++)
        pass_variable(environment, &count, passed_variables[i]);
    for (size_t i = 0; config->tty_path && i < terminal; i++)
        pass_variable(environment, &count, terminal_variables[i]);
    if (config->tty_path && config->term)
        put_variable(environment, &count, xasprintf("TERM=%s", config->term));
    for (size_t i = 0; i < more; i++)
        put_variable(environment, &count, xstrdup(config->variables[i]));
    return environment;
}

static bool
move_to(int from, int to)
{
    /* dup2 also drops close-on-exec, which is what makes it inherited. */
    return from >= 0 && dup2(from, to) == to;
}

/* Puts 0, 1, 2 and the passed descriptor in place. */
static bool
arrange_descriptors(const struct process_config *config)
{
    int passed = -1;
    if (config->passed_fd >= 0) {
        passed = fcntl(config->passed_fd, F_DUPFD_CLOEXEC, SAFE_FD);
        if (passed < 0)
            return false;
    }
    int input;
    int output;
    if (config->tty_path) {
        /* A session leader without a terminal that opens one gets it as its
         * controlling terminal. */
        int tty = open(config->tty_path, O_RDWR | O_CLOEXEC);
        input = output = fcntl(tty, F_DUPFD_CLOEXEC, SAFE_FD);
    } else {
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        input = fcntl(null, F_DUPFD_CLOEXEC, SAFE_FD);
        output = fcntl(config->output_fd, F_DUPFD_CLOEXEC, SAFE_FD);
    }
    bool ok = move_to(input, STDIN_FILENO) && move_to(output, STDOUT_FILENO) &&
              move_to(output, STDERR_FILENO) &&
              (passed < 0 || move_to(passed, PROCESS_PASSED_FD));
    if (!ok)
        return false;
    unsigned first = passed < 0 ? PROCESS_PASSED_FD : PROCESS_PASSED_FD + 1;
    return close_range(first, ~0u, 0) == 0;
}

/* This process may have raised it for itself. Failing is no harm. */
static void
set_file_limit(rlim_t wanted)
{
    struct rlimit limit;
    if (!wanted || getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = wanted;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void
reset_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &action, NULL);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
child_failed(struct child *child, const char *step)
{
    child->step = step;
    child->errnum = errno ? errno : EINVAL;
    return 127;
}

/* Runs in the child, in this process's memory while the calling thread
 * sleeps: system calls only, no allocation, no locks. */
__attribute__((no_sanitize("address", "undefined"))) static int
run_child(void *data)
{
    struct child *child = data;
    const struct process_config *config = child->config;
    /* Signals stay blocked until their dispositions are the defaults: no
     * handler of ours may run in here. */
    if (setsid() < 0)
        _exit(child_failed(child, "start a session"));
    (void)umask(077);
    if (config->directory && chdir(config->directory) < 0)
        _exit(child_failed(child, "change the directory"));
    child->is_in_directory = true;
    if (!arrange_descriptors(config))
        _exit(child_failed(child, "set up its descriptors"));
    set_file_limit(config->file_limit);
    if (config->death_signal)
        (void)prctl(PR_SET_PDEATHSIG, config->death_signal);
    reset_signals();
    (void)execve(config->argv[0], config->argv, child->environment);
    _exit(child_failed(child, "execute it"));
}

static void
free_environment(char **environment)
{
    for (char **entry = environment; *entry; entry++)
        free(*entry);
    free(environment);
}

static int
clone_child(struct child *child, pid_t *ret_pid)
{
    char *stack = xmalloc(CHILD_STACK_BYTES);
    /* Stacks grow down from an aligned end. */
    char *top = stack + CHILD_STACK_BYTES;
    top -= (uintptr_t)top % 64;
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int pidfd = -1;
    /* CLONE_VM | CLONE_VFORK: no copy of the page tables, and this thread
     * sleeps until exec or exit, so the child can tell what failed. */
    pid_t pid =
        clone(run_child, top, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
              child, &pidfd, NULL, NULL);
    int errnum = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(stack);
    if (pid < 0) {
        *child = (struct child){
            .step = "make a process",
            .errnum = errnum,
            .is_in_directory = true,
        };
        return -1;
    }
    *ret_pid = pid;
    return pidfd;
}

int
spawn_program(const struct process_config *config, pid_t *ret_pid,
              struct error *error)
{
    char **environment = spawn_environment(config);
    struct child child = {.config = config, .environment = environment};
    pid_t pid = 0;
    int pidfd = clone_child(&child, &pid);
    free_environment(environment);
    if (!child.errnum) {
        *ret_pid = pid;
        return pidfd;
    }
    if (pid > 0) {
        (void)close(pidfd);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    if (child.is_in_directory)
        error_set_errno(error, child.errnum, "cannot start %s: cannot %s",
                        config->argv[0], child.step);
    else
        error_set_errno(error, child.errnum, "cannot start %s in %s",
                        config->argv[0], config->directory);
    return -1;
}
