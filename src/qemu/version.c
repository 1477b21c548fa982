#include "qemu/version.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "qemu/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_MS 5000
#define OUTPUT_MAX_BYTES 2048
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
read_output(int fd, uint64_t deadline_ms, char text[OUTPUT_MAX_BYTES])
{
    size_t len = 0;
    text[0] = '\0';
    for (;;) {
        if (!wait_for(fd, deadline_ms))
            return false;
        char rest[256];
        bool has_room = len + 1 < OUTPUT_MAX_BYTES;
        ssize_t got = has_room
                          ? read(fd, text + len, OUTPUT_MAX_BYTES - 1 - len)
                          : read(fd, rest, sizeof(rest));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return true;
        if (has_room)
            len += (size_t)got;
        text[len] = '\0';
    }
}

/* "QEMU emulator version 7.2.22 (Debian …)\n…" */
static void
parse(const char *text, struct qemu_version *version)
{
    const char *at = strstr(text, "version ");
    *version = (struct qemu_version){0};
    if (!at || sscanf(at + 8, "%d.%d", &version->major, &version->minor) != 2) {
        *version = (struct qemu_version){0};
        return;
    }
    at += 8;
    char *shown = text_printable(at, strcspn(at, "\n"),
                                 sizeof(version->text) / 4, TEXT_ONE_LINE);
    (void)snprintf(version->text, sizeof(version->text), "%s", shown);
    free(shown);
}

/* Starts it with its output on a pipe, whose other end is returned; or -1. */
static int
start(const char *program, pid_t *ret_pid, int *ret_pidfd, struct error *error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        error_set_errno(error, errno, "cannot make a pipe");
        return -1;
    }
    char *path = xstrdup(program);
    char option[] = "--version";
    char *const argv[] = {path, option, NULL};
    struct process_config config = {
        .argv = argv, .output_fd = ends[1], .passed_fd = -1};
    *ret_pidfd = spawn_program(&config, ret_pid, error);
    free(path);
    (void)close(ends[1]);
    if (*ret_pidfd >= 0)
        return ends[0];
    (void)close(ends[0]);
    return -1;
}

bool
qemu_version_read(const char *program, struct qemu_version *ret_version,
                  struct error *error)
{
    pid_t pid = 0;
    int pidfd = -1;
    int fd = start(program, &pid, &pidfd, error);
    if (fd < 0)
        return false;
    char text[OUTPUT_MAX_BYTES];
    uint64_t deadline_ms = clock_monotonic_ms() + TIMEOUT_MS;
    bool ended =
        read_output(fd, deadline_ms, text) && wait_for(pidfd, deadline_ms);
    (void)close(fd);
    if (!ended)
        (void)kill(pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    (void)close(pidfd);
    if (!ended)
        return error_set(error, ERROR_CODE_TIMEOUT,
                         "%s --version does not end within %d s", program,
                         TIMEOUT_MS / 1000);
    if (status != 0) {
        char *words = text_printable(text, strcspn(text, "\n"), WORDS_COLS,
                                     TEXT_ONE_LINE);
        error_set(error, ERROR_CODE_GUEST, "%s --version fails%s%s", program,
                  *words ? ": " : "", words);
        free(words);
        return false;
    }
    parse(text, ret_version);
    return true;
}
