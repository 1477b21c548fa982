/*
 * A terminal that drains at once, for the benchmarks.
 *
 *   ptybench ROWS COLS COMMAND...   runs COMMAND on a pty of that size
 *
 * While it drains the pty it takes orders on its standard input, a line each,
 * and answers each with a line:
 *
 *   wait TEXT         when TEXT has come since the last order:
 *                     "seen MICROSECONDS BYTES", counted since that order
 *   start FILE TEXT   writes a line to FILE (a FIFO), then waits as above
 *   type TEXT         types TEXT (\r, \x1d and the like by name: see unescape)
 *   keys N GAP        types N letters, GAP microseconds of quiet before each,
 *                     and answers with the microseconds until each came back
 *   marks N GAP       the same, but what comes back is a mark of benchprog's
 *   rate N            from now on it takes N bytes a second, 0: all at once
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* Bytes of output in which a text is looked for, at most. */
#define WINDOW_BYTES (1 << 20)
/* ms until a text or an echo is given up. */
#define PATIENCE_MS 120000
#define KEYS_MAX 100000
/* What a slow terminal takes at once: 10 ms of 40 kB/s. */
#define RATE_PIECE_BYTES 400

struct bench {
    int pty;
    long rate;           /* bytes a second that it takes; 0: all */
    int64_t rate_us;     /* what came before that moment was paid for */
    size_t total_bytes;  /* since the last order */
    size_t window_bytes; /* of window */
    char window[WINDOW_BYTES];
};

static int64_t
now_us(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* Bytes that may be read now; waits until it is worth reading some. */
static size_t
allowance(struct bench *bench)
{
    int64_t now = now_us();
    int64_t due_us = (int64_t)RATE_PIECE_BYTES * 1000000 / bench->rate;

    if (bench->rate_us < now - due_us)
        bench->rate_us = now - due_us; /* what was not used is gone */
    if (bench->rate_us > now - due_us) {
        struct timespec rest = {0,
                                (long)(bench->rate_us - now + due_us) * 1000};

        nanosleep(&rest, NULL);
    }
    bench->rate_us += due_us;
    return RATE_PIECE_BYTES;
}

/* Reads what is there, at most timeout_ms from now on; false at the end. */
static bool
drain(struct bench *bench, int timeout_ms)
{
    struct pollfd fd = {.fd = bench->pty, .events = POLLIN};
    size_t room;
    ssize_t count;

    if (poll(&fd, 1, timeout_ms) <= 0)
        return true;
    room = WINDOW_BYTES - bench->window_bytes;
    if (room < 65536) {
        /* What is looked for is short: the newest half is enough. */
        memmove(bench->window, bench->window + WINDOW_BYTES / 2,
                bench->window_bytes - WINDOW_BYTES / 2);
        bench->window_bytes -= WINDOW_BYTES / 2;
        room = WINDOW_BYTES - bench->window_bytes;
    }
    if (bench->rate > 0)
        room = allowance(bench);
    count = read(bench->pty, bench->window + bench->window_bytes, room);
    if (count <= 0)
        return false;
    bench->window_bytes += (size_t)count;
    bench->total_bytes += (size_t)count;
    return true;
}

static void
reset(struct bench *bench)
{
    bench->window_bytes = 0;
    bench->total_bytes = 0;
}

/* Drains until text has come; false when it did not. */
static bool
wait_text(struct bench *bench, const char *text)
{
    size_t length = strlen(text);
    int64_t deadline = now_us() + (int64_t)PATIENCE_MS * 1000;
    size_t before = 0;

    while (now_us() < deadline) {
        size_t from = before > length ? before - length : 0;

        if (before > bench->window_bytes)
            from = 0;
        if (memmem(bench->window + from, bench->window_bytes - from, text,
                   length))
            return true;
        before = bench->window_bytes;
        if (!drain(bench, 1000))
            return false;
    }
    return false;
}

static bool
write_all(int fd, const char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t count = write(fd, data, bytes);

        if (count < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (count > 0) {
            data += count;
            bytes -= (size_t)count;
        }
    }
    return true;
}

/* Turns \r, \n, \e and \xHH into bytes, in place; the new length. */
static size_t
unescape(char *text)
{
    char *out = text;

    for (char *in = text; *in; in++) {
        if (*in != '\\') {
            *out++ = *in;
            continue;
        }
        in++;
        if (*in == 'x') {
            char hex[3] = {in[1], in[2], 0};

            *out++ = (char)strtol(hex, NULL, 16);
            in += 2;
        } else {
            *out++ = *in == 'r' ? '\r' : *in == 'n' ? '\n' : '\x1b';
        }
    }
    return (size_t)(out - text);
}

/* Lets gap_us of quiet pass, draining. */
static bool
rest(struct bench *bench, int64_t gap_us)
{
    int64_t end = now_us() + gap_us;

    for (;;) {
        int64_t left_us = end - now_us();

        if (left_us <= 0)
            return true;
        if (!drain(bench, (int)(left_us / 1000) + 1))
            return false;
    }
}

/* Whether the key's echo has come. */
static bool
has_echo(const struct bench *bench, char key, bool as_marks)
{
    char mark[3] = {'\xE2', '\x91', (char)(0xA0 + (key - 'a'))};

    if (as_marks)
        return memmem(bench->window, bench->window_bytes, mark, sizeof(mark));
    return memchr(bench->window, key, bench->window_bytes);
}

static bool
measure_keys(struct bench *bench, int count, int64_t gap_us, bool as_marks)
{
    for (int i = 0; i < count; i++) {
        char key = (char)('a' + i % 26);
        int64_t start;

        /* Lines stay short, so that none wraps. */
        if (i % 50 == 49)
            key = '\r';
        if (!rest(bench, gap_us))
            return false;
        reset(bench);
        start = now_us();
        if (!write_all(bench->pty, &key, 1))
            return false;
        if (key == '\r')
            continue;
        while (!has_echo(bench, key, as_marks)) {
            if (!drain(bench, 1000) || now_us() - start > 5000000)
                return false;
        }
        printf("%lld ", (long long)(now_us() - start));
    }
    printf("\n");
    return true;
}

static bool
obey_wait(struct bench *bench, const char *text, int64_t start_us)
{
    if (!wait_text(bench, text))
        return false;
    printf("seen %lld %zu\n", (long long)(now_us() - start_us),
           bench->total_bytes);
    return true;
}

static bool
obey_start(struct bench *bench, char *rest_of_line)
{
    char *save = NULL;
    const char *path = strtok_r(rest_of_line, " ", &save);
    const char *text = strtok_r(NULL, "", &save);
    int64_t start_us;
    int fd;

    if (!path || !text)
        return false;
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    reset(bench);
    start_us = now_us();
    if (!write_all(fd, "go\n", 3))
        return false;
    close(fd);
    return obey_wait(bench, text, start_us);
}

static bool
obey(struct bench *bench, char *line)
{
    char *arguments = strchr(line, ' ');
    int64_t start_us = now_us();

    if (!arguments)
        return false;
    *arguments++ = 0;
    if (strcmp(line, "wait") == 0)
        return obey_wait(bench, arguments, start_us);
    if (strcmp(line, "start") == 0)
        return obey_start(bench, arguments);
    if (strcmp(line, "type") == 0) {
        reset(bench);
        return write_all(bench->pty, arguments, unescape(arguments)) &&
               printf("typed\n") > 0;
    }
    if (strcmp(line, "rate") == 0) {
        bench->rate = strtol(arguments, NULL, 10);
        return printf("ok\n") > 0;
    }
    if (strcmp(line, "keys") == 0 || strcmp(line, "marks") == 0) {
        char *end = NULL;
        long count = strtol(arguments, &end, 10);

        if (count < 1 || count > KEYS_MAX)
            return false;
        return measure_keys(bench, (int)count, strtol(end, NULL, 10),
                            strcmp(line, "marks") == 0);
    }
    return false;
}

/* Takes orders until standard input or the pty ends. */
static int
serve(struct bench *bench)
{
    char line[4096];
    size_t length = 0;

    for (;;) {
        struct pollfd fds[2] = {
            {.fd = STDIN_FILENO, .events = POLLIN},
            {.fd = bench->pty, .events = POLLIN},
        };

        if (poll(fds, 2, -1) < 0)
            return 1;
        if (fds[1].revents && !drain(bench, 0))
            return 1;
        if (!fds[0].revents)
            continue;
        if (read(STDIN_FILENO, line + length, 1) != 1)
            return 0;
        if (line[length] != '\n') {
            if (++length == sizeof(line))
                return 1;
            continue;
        }
        line[length] = 0;
        length = 0;
        if (!obey(bench, line))
            printf("failed\n");
        fflush(stdout);
    }
}

int
main(int argc, char **argv)
{
    static struct bench bench;
    struct winsize size = {0};
    pid_t child;
    int result;

    if (argc < 4) {
        fprintf(stderr, "usage: ptybench ROWS COLS COMMAND...\n");
        return 2;
    }
    size.ws_row = (unsigned short)strtol(argv[1], NULL, 10);
    size.ws_col = (unsigned short)strtol(argv[2], NULL, 10);
    child = forkpty(&bench.pty, NULL, NULL, &size);
    if (child < 0)
        return 1;
    if (child == 0) {
        execvp(argv[3], argv + 3);
        _exit(127);
    }
    printf("%d\n", (int)child);
    fflush(stdout);
    result = serve(&bench);
    kill(child, SIGHUP);
    close(bench.pty);
    waitpid(child, NULL, 0);
    return result;
}
