#include "cli/host.h"

#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* In the forked child: becomes ssh. */
static _Noreturn void
become_ssh(char *const *argv, int fd)
{
    (void)signal(SIGPIPE, SIG_DFL);
    if (dup2(fd, STDIN_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0)
        (void)execvp(argv[0], argv);
    static const char text[] = "guestmux: cannot run ssh\n";
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    _exit(127);
}

int
host_connect(const char *host, const char *server, struct error *error)
{
    if (host[0] == '-' || host[0] == '\0') {
        error_set(error, ERROR_CODE_INVALID, "--host: \"%s\" is no host", host);
        return -1;
    }
    const char *const argv[] = {"ssh", "-T",   "--",    host, "guestmux",
                                "-L",  server, "proxy", NULL};
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        error_set_errno(error, errno, "cannot make a socket pair");
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0)
        become_ssh((char *const *)argv, ends[1]);
    int errnum = errno;
    (void)close(ends[1]);
    bool ok = pid > 0;
    if (!ok)
        error_set_errno(error, errnum, "cannot start ssh");
    /* blocks while ssh asks for a password: Ctrl-C ends both */
    char byte;
    ssize_t got = 0;
    while (ok && (got = recv(ends[0], &byte, 1, MSG_PEEK)) < 0 &&
           errno == EINTR)
        continue;
    if (ok && got <= 0)
        ok = error_set(error, ERROR_CODE_IO,
                       "no guestmux answers on %s; is it installed there?",
                       host);
    if (ok && fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
        ok = error_set_errno(error, errno, "cannot set up the socket");
    if (ok)
        return ends[0];
    (void)close(ends[0]);
    return -1;
}
