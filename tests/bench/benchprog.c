/*
 * What runs in a console while it is measured.
 *
 *   benchprog echo              reads keys raw and writes them back
 *   benchprog marks             the same, but writes U+2460 + (key - 'a'), so
 *                               that nothing else on the screen looks like it
 *   benchprog flood             lines of small letters, as fast as they go
 *   benchprog chop N FILE       the file in writes of N bytes, as a UART does
 *   benchprog pace N FILE       N lines of the file a second
 *   benchprog frames N FILE     N pieces of the file a second (a zero byte ends
 *                               each)
 *   benchprog now               the monotonic clock, in microseconds
 *   benchprog relay N COMMAND   the command on a pty of its own, behind N
 *                               processes that only pass bytes on: the least
 *                               that a multiplexer of N processes can cost
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static bool
write_all(const char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t count = write(STDOUT_FILENO, data, bytes);

        if (count < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (count > 0) {
            data += count;
            bytes -= (size_t)count;
        }
    }
    return true;
}

static int
echo(bool as_marks)
{
    struct termios raw;
    char key;

    if (tcgetattr(STDIN_FILENO, &raw) < 0)
        return 1;
    cfmakeraw(&raw);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    if (!write_all("@#ready#@\r\n", 11))
        return 1;
    while (read(STDIN_FILENO, &key, 1) == 1) {
        char mark[3] = {'\xE2', '\x91', (char)(0xA0 + (key - 'a'))};

        if (key == '\r')
            write_all("\r\n", 2);
        else if (as_marks && key >= 'a' && key <= 'z')
            write_all(mark, sizeof(mark));
        else
            write_all(&key, 1);
    }
    return 0;
}

static int
flood(void)
{
    char lines[80 * 64];

    for (size_t i = 0; i < sizeof(lines); i++)
        lines[i] = (char)('a' + (i * 7 + i / 80) % 26);
    for (size_t i = 79; i < sizeof(lines); i += 80)
        lines[i] = '\n';
    while (write_all(lines, sizeof(lines)))
        continue;
    return 0;
}

static char *
read_file(const char *path, size_t *ret_bytes)
{
    FILE *file = fopen(path, "rb");
    char *data = NULL;
    long bytes = -1;

    if (!file)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0)
        bytes = ftell(file);
    rewind(file);
    if (bytes >= 0)
        data = malloc((size_t)bytes + 1);
    if (data && fread(data, 1, (size_t)bytes, file) != (size_t)bytes) {
        free(data);
        data = NULL;
    }
    *ret_bytes = (size_t)bytes;
    (void)fclose(file);
    return data;
}

static int
chop(size_t piece, const char *data, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += piece) {
        size_t count = bytes - at < piece ? bytes - at : piece;

        if (!write_all(data + at, count))
            return 1;
    }
    return 0;
}

/* Writes up to each end mark (included when it is a line's) at its moment. */
static int
pace(long per_second, const char *data, size_t bytes, char end)
{
    struct timespec next;
    size_t at = 0;

    clock_gettime(CLOCK_MONOTONIC, &next);
    while (at < bytes) {
        const char *mark = memchr(data + at, end, bytes - at);
        size_t count = mark ? (size_t)(mark - data) - at : bytes - at;

        if (!write_all(data + at, count + (mark && end == '\n')))
            return 1;
        at += count + 1;
        next.tv_nsec += 1000000000 / per_second;
        next.tv_sec += next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
    return 0;
}

static int
print_file(const char *how, long number, const char *path)
{
    size_t bytes = 0;
    char *data = read_file(path, &bytes);
    int result = 2;

    if (!data || number < 1) {
        (void)fprintf(stderr, "benchprog: cannot read %s\n", path);
        return 1;
    }
    if (strcmp(how, "chop") == 0)
        result = chop((size_t)number, data, bytes);
    else if (strcmp(how, "pace") == 0)
        result = pace(number, data, bytes, '\n');
    else if (strcmp(how, "frames") == 0)
        result = pace(number, data, bytes, '\0');
    free(data);
    return result;
}

/* Passes bytes on, in both directions, until one side ends. */
static int
pass_on(int in, int out, int far)
{
    struct pollfd fds[] = {{.fd = in, .events = POLLIN},
                           {.fd = far, .events = POLLIN}};
    const int ways[] = {far, out};
    char bytes[4096];

    while (poll(fds, 2, -1) > 0) {
        for (int i = 0; i < 2; i++) {
            ssize_t count = 0;

            if (!fds[i].revents)
                continue;
            count = read(fds[i].fd, bytes, sizeof(bytes));
            if (count <= 0 || write(ways[i], bytes, (size_t)count) != count)
                return 0;
        }
    }
    return 1;
}

static int
relay(long processes, char **command)
{
    struct termios raw;
    int ends[2];
    int master;
    pid_t child;

    if (processes > 1) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
            return 1;
        child = fork();
        if (child != 0) {
            close(ends[1]);
            tcgetattr(STDIN_FILENO, &raw);
            cfmakeraw(&raw);
            tcsetattr(STDIN_FILENO, TCSANOW, &raw);
            return pass_on(STDIN_FILENO, STDOUT_FILENO, ends[0]);
        }
        dup2(ends[1], STDIN_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        return relay(processes - 1, command);
    }
    if (isatty(STDIN_FILENO)) {
        tcgetattr(STDIN_FILENO, &raw);
        cfmakeraw(&raw);
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    child = forkpty(&master, NULL, NULL, NULL);
    if (child == 0) {
        execvp(command[0], command);
        _exit(127);
    }
    return child < 0 ? 1 : pass_on(STDIN_FILENO, STDOUT_FILENO, master);
}

int
main(int argc, char **argv)
{
    struct timespec now;

    if (argc == 2 && strcmp(argv[1], "echo") == 0)
        return echo(false);
    if (argc == 2 && strcmp(argv[1], "marks") == 0)
        return echo(true);
    if (argc == 2 && strcmp(argv[1], "flood") == 0)
        return flood();
    if (argc == 2 && strcmp(argv[1], "now") == 0) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        printf("%lld\n", (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
        return 0;
    }
    if (argc > 3 && strcmp(argv[1], "relay") == 0)
        return relay(strtol(argv[2], NULL, 10), argv + 3);
    if (argc == 4)
        return print_file(argv[1], strtol(argv[2], NULL, 10), argv[3]);
    (void)fprintf(stderr, "usage: benchprog WHAT [NUMBER FILE]\n");
    return 2;
}
