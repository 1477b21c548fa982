#include "base/xalloc.h"
#include "qemu/process.h"
#include "until.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    uv_loop_t loop;
    char dir[64];
    char output[128];
    int output_fd;
    rlim_t file_limit; /* the programs'; 0: ours */
    bool has_exited;
    struct process_exit exit;
};

static int
set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    uv_loop_init(&f->loop);
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/test-process-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->output, sizeof(f->output), "%s/output", f->dir);
    f->output_fd = open(f->output, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(f->output_fd >= 0);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    assert_true(until_closed(&f->loop));
    close(f->output_fd);
    (void)unlink(f->output);
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
    return 0;
}

static void
on_exit_notice(void *data, const struct process_exit *notice)
{
    struct fixture *f = data;
    f->has_exited = true;
    f->exit = *notice;
}

static bool
has_exited(void *data)
{
    return ((struct fixture *)data)->has_exited;
}

/* Starts "sh -c script" with its output in the fixture's file. */
static struct process *
start(struct fixture *f, char *script, int passed_fd)
{
    char shell[] = "/bin/sh";
    char option[] = "-c";
    char *argv[] = {shell, option, script, NULL};
    struct process_config config = {
        .argv = argv,
        .directory = f->dir,
        .output_fd = f->output_fd,
        .passed_fd = passed_fd,
        .file_limit = f->file_limit,
    };
    struct error error = {0};
    struct process *process =
        process_spawn(&f->loop, &config, on_exit_notice, f, &error);
    if (!process)
        fail_msg("%s", error.text);
    return process;
}

/* Runs a script to its end and gives what it printed. The caller frees it. */
static char *
run(struct fixture *f, const char *text, int passed_fd)
{
    char *script = xstrdup(text);
    struct process *process = start(f, script, passed_fd);
    free(script);
    assert_true(run_until(&f->loop, has_exited, f));
    process_free(process);
    char bytes[8192];
    ssize_t got = pread(f->output_fd, bytes, sizeof(bytes), 0);
    assert_true(got >= 0);
    return xstrndup(bytes, (size_t)got);
}

static void
exit_status_is_told(void **state)
{
    struct fixture *f = *state;
    free(run(f, "exit 7", -1));
    assert_true(f->exit.is_known);
    assert_int_equal(f->exit.code, 7);
    assert_int_equal(f->exit.signal, 0);
}

static void
signal_that_killed_it_is_told(void **state)
{
    struct fixture *f = *state;
    char script[] = "exec sleep 1000";
    struct process *process = start(f, script, -1);
    assert_true(process_signal(process, SIGKILL, NULL));
    assert_true(run_until(&f->loop, has_exited, f));
    assert_true(f->exit.is_known);
    assert_int_equal(f->exit.signal, SIGKILL);
    struct error error = {0};
    assert_false(process_signal(process, SIGKILL, &error));
    assert_int_equal(error.errnum, ESRCH);
    process_free(process);
}

static void
output_goes_to_the_file_and_input_is_empty(void **state)
{
    struct fixture *f = *state;
    char *text = run(f, "cat; echo out; echo err >&2; pwd", -1);
    char *wanted = xasprintf("out\nerr\n%s\n", f->dir);
    assert_string_equal(text, wanted);
    free(wanted);
    free(text);
}

static void
nothing_is_inherited_but_what_is_passed(void **state)
{
    struct fixture *f = *state;
    /* Descriptors that somebody forgot to mark close-on-exec. */
    int stray = dup(f->output_fd);
    int high = fcntl(f->output_fd, F_DUPFD, 200);
    assert_true(stray >= 0 && high >= 200);
    char *script = xasprintf("for fd in 3 4 5 6 7 8 9 %d %d; do "
                             "[ -e /proc/$$/fd/$fd ] && echo $fd; done; true",
                             stray, high);
    char *text = run(f, script, -1);
    free(script);
    assert_string_equal(text, "");
    free(text);
    close(stray);
    close(high);
}

static void
passed_descriptor_has_its_number(void **state)
{
    struct fixture *f = *state;
    int pipes[2];
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    char *text = run(f,
                     "echo hello >&3; for fd in 0 1 2 3 4 5 6 7 8 9; do "
                     "[ -e /proc/$$/fd/$fd ] && echo $fd; done; true",
                     pipes[1]);
    char bytes[16] = "";
    assert_int_equal(read(pipes[0], bytes, sizeof(bytes) - 1), 6);
    assert_string_equal(bytes, "hello\n");
    assert_string_equal(text, "0\n1\n2\n3\n");
    free(text);
    close(pipes[0]);
    close(pipes[1]);
}

static void
environment_is_a_short_list(void **state)
{
    struct fixture *f = *state;
    setenv("LD_PRELOAD_TEST", "1", 1);
    setenv("QEMU_MODULE_DIR", "/tmp", 1);
    char *text = run(f, "env", -1);
    unsetenv("LD_PRELOAD_TEST");
    unsetenv("QEMU_MODULE_DIR");
    assert_non_null(strstr(text, "PATH="));
    assert_null(strstr(text, "QEMU_MODULE_DIR"));
    assert_null(strstr(text, "LD_"));
    assert_null(strstr(text, "TERM="));
    free(text);
}

static void
session_umask_and_signals_are_its_own(void **state)
{
    struct fixture *f = *state;
    sigset_t blocked;
    sigset_t before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);
    char *text = run(f,
                     "umask; read -r s < /proc/$$/stat; set -- $s; echo "
                     "$(($1 == $6)) $(($1 == $5)) $7; "
                     "grep -E 'Sig(Blk|Ign)' /proc/self/status",
                     -1);
    (void)signal(SIGPIPE, old);
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_non_null(strstr(text, "0077\n1 1 0\n"));
    assert_non_null(strstr(text, "SigBlk:\t0000000000000000"));
    assert_non_null(strstr(text, "SigIgn:\t0000000000000000"));
    free(text);
}

static void
limit_of_files_is_the_given_one(void **state)
{
    struct fixture *f = *state;
    f->file_limit = 64;
    char *text = run(f, "ulimit -Sn", -1);
    assert_string_equal(text, "64\n");
    free(text);
}

static void
program_that_is_not_there_is_an_error_with_errno(void **state)
{
    struct fixture *f = *state;
    char program[] = "/nonexistent/qemu";
    char *argv[] = {program, NULL};
    struct process_config config = {
        .argv = argv,
        .output_fd = f->output_fd,
        .passed_fd = -1,
    };
    struct error error = {0};
    assert_null(process_spawn(&f->loop, &config, on_exit_notice, f, &error));
    assert_int_equal(error.errnum, ENOENT);
    assert_non_null(strstr(error.text, "/nonexistent/qemu"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing left */
    assert_int_equal(errno, ECHILD);
}

static void
directory_that_is_not_there_is_named(void **state)
{
    struct fixture *f = *state;
    char program[] = "/bin/true";
    char *argv[] = {program, NULL};
    struct process_config config = {
        .argv = argv,
        .directory = "/nonexistent/place",
        .output_fd = f->output_fd,
        .passed_fd = -1,
    };
    struct error error = {0};
    assert_null(process_spawn(&f->loop, &config, on_exit_notice, f, &error));
    assert_int_equal(error.errnum, ENOENT);
    assert_non_null(strstr(error.text, "/nonexistent/place"));
}

static void
program_on_a_terminal_controls_it(void **state)
{
    struct fixture *f = *state;
    int master;
    int slave;
    char path[128];
    assert_int_equal(openpty(&master, &slave, path, NULL, NULL), 0);
    (void)fcntl(master, F_SETFD, FD_CLOEXEC);
    char shell[] = "/bin/sh";
    char option[] = "-c";
    char script[] = "tty; echo $TERM; echo to-the-tty > /dev/tty; exit 3";
    char *argv[] = {shell, option, script, NULL};
    struct process_config config = {
        .argv = argv,
        .output_fd = -1,
        .passed_fd = -1,
        .tty_path = path,
        .term = "xterm-256color",
    };
    struct error error = {0};
    struct process *process =
        process_spawn(&f->loop, &config, on_exit_notice, f, &error);
    assert_non_null(process);
    assert_true(run_until(&f->loop, has_exited, f));
    assert_int_equal(f->exit.code, 3);
    char *wanted = xasprintf("%s\r\nxterm-256color\r\nto-the-tty\r\n", path);
    char text[512] = "";
    size_t len = 0;
    /* a pty hands over what has come through so far */
    while (len < strlen(wanted)) {
        ssize_t got = read(master, text + len, sizeof(text) - 1 - len);
        assert_true(got > 0);
        len += (size_t)got;
    }
    assert_string_equal(text, wanted);
    free(wanted);
    process_free(process);
    close(master);
    close(slave);
}

static void
group_gets_the_signal_too(void **state)
{
    struct fixture *f = *state;
    char script[] = "sleep 1000 & echo $!; wait";
    struct process *process = start(f, script, -1);
    char bytes[32] = "";
    while (!strchr(bytes, '\n'))
        (void)!pread(f->output_fd, bytes, sizeof(bytes) - 1, 0);
    assert_true(process_signal_group(process, SIGKILL, NULL));
    assert_true(run_until(&f->loop, has_exited, f));
    process_free(process);
    /* Its parent is gone, so it is init's to reap: dead or a zombie. */
    struct process_identity identity = {0};
    pid_t sleeper = (pid_t)strtol(bytes, NULL, 10);
    while (process_identify(sleeper, &identity, NULL))
        (void)sched_yield();
}

static void
running_process_is_adopted_by_its_identity(void **state)
{
    struct fixture *f = *state;
    char script[] = "exec sleep 1000";
    struct process *first = start(f, script, -1);
    struct process_identity identity = *process_identity(first);
    assert_true(identity.start_ticks > 0);
    assert_int_equal(strlen(identity.boot_id), 36);
    process_free(first);
    struct error error = {0};
    struct process *second =
        process_adopt(&f->loop, &identity, on_exit_notice, f, &error);
    assert_non_null(second);
    assert_false(process_signal_group(second, SIGTERM, &error));
    assert_true(process_signal(second, SIGTERM, NULL));
    assert_true(run_until(&f->loop, has_exited, f));
    process_free(second);
}

static void
successor_of_a_pid_is_not_adopted(void **state)
{
    struct fixture *f = *state;
    struct process_identity identity = {0};
    assert_true(process_identify(getpid(), &identity, NULL));
    struct process_identity other = identity;
    other.start_ticks--;
    struct error error = {0};
    assert_null(process_adopt(&f->loop, &other, on_exit_notice, f, &error));
    assert_int_equal(error.code, ERROR_CODE_NOT_FOUND);
    other = identity;
    other.boot_id[0] = other.boot_id[0] == '0' ? '1' : '0';
    assert_null(process_adopt(&f->loop, &other, on_exit_notice, f, &error));
    other = (struct process_identity){0};
    assert_null(process_adopt(&f->loop, &other, on_exit_notice, f, &error));
    assert_int_equal(error.code, ERROR_CODE_NOT_FOUND);
}

static void
facts_about_this_process_are_right(void **state)
{
    (void)state;
    assert_true(process_is_descendant(getpid(), getpid()));
    assert_true(process_is_descendant(getpid(), getppid()));
    assert_false(process_is_descendant(getppid(), getpid()));
    char *path = process_executable(getpid());
    assert_non_null(strstr(path, "test_process"));
    free(path);
    char *name = process_signal_name(SIGKILL);
    assert_string_equal(name, "SIGKILL");
    free(name);
    struct error error = {0};
    char *shell = process_find_program("sh", &error);
    assert_non_null(strstr(shell, "/sh"));
    free(shell);
    assert_null(process_find_program("no-such-program-here", &error));
    assert_int_equal(error.code, ERROR_CODE_NOT_FOUND);
    assert_null(process_find_program("", &error));
}

#define STARTED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STARTED(exit_status_is_told),
        STARTED(signal_that_killed_it_is_told),
        STARTED(output_goes_to_the_file_and_input_is_empty),
        STARTED(nothing_is_inherited_but_what_is_passed),
        STARTED(passed_descriptor_has_its_number),
        STARTED(environment_is_a_short_list),
        STARTED(session_umask_and_signals_are_its_own),
        STARTED(limit_of_files_is_the_given_one),
        STARTED(program_that_is_not_there_is_an_error_with_errno),
        STARTED(directory_that_is_not_there_is_named),
        STARTED(program_on_a_terminal_controls_it),
        STARTED(group_gets_the_signal_too),
        STARTED(running_process_is_adopted_by_its_identity),
        STARTED(successor_of_a_pid_is_not_adopted),
        cmocka_unit_test(facts_about_this_process_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
