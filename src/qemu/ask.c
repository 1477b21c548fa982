#include "qemu/ask.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "qemu/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Columns of what a failing program said. */
#define WORDS_COLS 200

/* Waits until the descriptor can be read; false at the deadline. */
static bool
wait_for(int fd, uint64_t deadline_ms)
{
    for (;;) {
        uint64_t now_ms = clock_monotonic_ms();
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (now_ms >= deadline_ms)
            return false;
        if (poll(&wait, 1, (int)(deadline_ms - now_ms)) > 0)
            return true;
    }
}

/* Reads to the end, keeping what fits; false at the deadline. */
static bool
read_output(int fd, uint64_t deadline_ms, size_t max_bytes,
            struct buffer *output)
{
    for (;;) {
        char bytes[4096];
        if (!wait_for(fd, deadline_ms))
            return false;
        ssize_t got = read(fd, bytes, sizeof(bytes));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return true;
        size_t room = output->len < max_bytes ? max_bytes - output->len : 0;
        buffer_append(output, bytes, (size_t)got < room ? (size_t)got : room);
    }
}

/* The program's name and its options, as a command line's words. */
static char **
make_argv(const char *program, const char *const *options)
{
    size_t count = 0;
    while (options[count])
        count++;
    char **argv = xcalloc(count + 2, sizeof(*argv));
    argv[0] = xstrdup(program);
    for (size_t i = 0; i < count; i++)
        argv[i + 1] = xstrdup(options[i]);
    return argv;
}

/* Starts it with its output on a pipe, whose other end is returned; or -1. */
static int
start(char *const *argv, pid_t *ret_pid, int *ret_pidfd, struct error *error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        error_set_errno(error, errno, "cannot make a pipe");
        return -1;
    }
    struct process_config config = {
        .argv = argv, .output_fd = ends[1], .passed_fd = -1};
    *ret_pidfd = spawn_program(&config, ret_pid, error);
    (void)close(ends[1]);
    if (*ret_pidfd >= 0)
        return ends[0];
    (void)close(ends[0]);
    return -1;
}

/* Tells how it went wrong; always false. */
static bool
fail(char *const *argv, bool has_ended, const struct buffer *output,
     struct error *error)
{
    struct buffer line = {0};
    for (size_t i = 0; argv[i]; i++)
        buffer_printf(&line, "%s%s", i ? " " : "", argv[i]);
    const char *said = output->len ? output->data : "";
    char *words =
        text_printable(said, strcspn(said, "\n"), WORDS_COLS, TEXT_ONE_LINE);
    if (has_ended)
        error_set(error, ERROR_CODE_GUEST, "%s fails%s%s", line.data,
                  *words ? ": " : "", words);
    else
        error_set(error, ERROR_CODE_TIMEOUT, "%s does not end within %d s",
                  line.data, ASK_TIMEOUT_MS / 1000);
    free(words);
    buffer_finish(&line);
    return false;
}

static bool
run(char *const *argv, size_t max_bytes, struct buffer *output,
    struct error *error)
{
    pid_t pid = 0;
    int pidfd = -1;
    int fd = start(argv, &pid, &pidfd, error);
    if (fd < 0)
        return false;
    struct buffer said = {0};
    uint64_t deadline_ms = clock_monotonic_ms() + ASK_TIMEOUT_MS;
    bool has_ended = read_output(fd, deadline_ms, max_bytes, &said) &&
                     wait_for(pidfd, deadline_ms);
    (void)close(fd);
    /* It leads a session: what a script started goes with it. */
    if (!has_ended && kill(-pid, SIGKILL) < 0)
        (void)kill(pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    (void)close(pidfd);
    bool ok = has_ended && status == 0;
    if (ok)
        buffer_append(output, said.data, said.len);
    else
        (void)fail(argv, has_ended, &said, error);
    buffer_finish(&said);
    return ok;
}

bool
ask_program(const char *program, const char *const *options, size_t max_bytes,
            struct buffer *output, struct error *error)
{
    char **argv = make_argv(program, options);
    bool ok = run(argv, max_bytes, output, error);
    for (size_t i = 0; argv[i]; i++)
        free(argv[i]);
    free(argv);
    return ok;
}
