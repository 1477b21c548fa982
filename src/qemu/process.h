#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <uv.h>

/* Processes that outlive this one: started in a session of their own, known
 * by more than a pid, watched and signalled through a pidfd. */
struct process;

/* The descriptor number under which a process finds the one passed to it. */
#define PROCESS_PASSED_FD 3

/* Length of a boot id with its terminating zero. */
#define PROCESS_BOOT_ID_BYTES 37

/* What tells a process from a later one with the same pid. */
struct process_identity {
    pid_t pid;
    uint64_t start_ticks; /* since boot: field 22 of /proc/PID/stat */
    char boot_id[PROCESS_BOOT_ID_BYTES];
};

/* How a process ended. */
struct process_exit {
    bool is_known; /* false: it was no child of ours, nobody told us */
    int code;      /* exit status, when signal is 0 */
    int signal;    /* the signal that killed it, or 0 */
};

struct process_config {
    char *const *argv;     /* argv[0]: a path */
    const char *directory; /* where it runs; NULL: here */
    int output_fd;         /* stdout and stderr; unused with tty_path */
    int passed_fd;         /* becomes PROCESS_PASSED_FD; -1: none */
    const char *tty_path;  /* becomes its controlling terminal; may be NULL */
    const char *term;      /* TERM for a program on tty_path */
    rlim_t file_limit;     /* its RLIMIT_NOFILE; 0: this process's */
    int death_signal;      /* it gets that when this thread ends; 0: none */
    char *const
        *variables; /* "NAME=VALUE": more environment, instead of the
                     * usual where the names are the same; may be NULL */
};

/* Called once, on the loop, when the process is gone. May free the process. */
typedef void (*process_exit_fn)(void *data, const struct process_exit *exit);

/* Starts a program: own session, stdin /dev/null, umask 077, default signal
 * dispositions and an empty mask, no other descriptor inherited, and a short
 * fixed list of environment variables (no LD_PRELOAD, no QEMU_MODULE_DIR). Does
 * not copy this process's memory tables (about 1 ms however large it is). When
 * the program cannot be executed the error says so with its errno; nothing is
 * left behind. */
struct process *process_spawn(uv_loop_t *loop,
                              const struct process_config *config,
                              process_exit_fn on_exit, void *data,
                              struct error *error);

/* Watches a process that an earlier server started. ERROR_CODE_NOT_FOUND when
 * it is gone: no such pid, or the pid is another process's by now. */
struct process *process_adopt(uv_loop_t *loop,
                              const struct process_identity *identity,
                              process_exit_fn on_exit, void *data,
                              struct error *error);

/* Stops watching; the process itself goes on. Safe in on_exit. NULL is fine.
 * A child that ends later stays a zombie until this process ends. */
void process_free(struct process *process);

/* Sends a signal to this very process, never to a successor of its pid. */
bool process_signal(struct process *process, int signal_number,
                    struct error *error);

/* Sends a signal to the whole process group that the process leads; only for
 * children of ours, whose pid stays reserved until on_exit. */
bool process_signal_group(struct process *process, int signal_number,
                          struct error *error);

const struct process_identity *process_identity(const struct process *process);
bool process_has_exited(const struct process *process);

/* Reads the identity of a running process; a zombie counts as gone. */
bool process_identify(pid_t pid, struct process_identity *ret_identity,
                      struct error *error);

/* Whether the process ignores a signal at this moment, as interactive shells do
 * with SIGTERM; false when that cannot be told. */
bool process_is_ignoring(const struct process *process, int signal_number);

/* Whether descendant is ancestor itself, or below it within 8 generations. */
bool process_is_descendant(pid_t descendant, pid_t ancestor);

/* The file that a process executes; the caller frees it. NULL when it cannot
 * be told. A file that was replaced since has no " (deleted)" here. */
char *process_executable(pid_t pid);

/* "SIGKILL"; the caller frees it. Numbers without a name become "signal 42". */
char *process_signal_name(int signal_number);

/* The path of a program as a shell would find it in PATH; names with a slash
 * come back as they are. The caller frees it. */
char *process_find_program(const char *name, struct error *error);
