/* How fast the emulator takes output, in one process, without a console around
 * it: MiB/s of six corpora, and bytes of history per line. Not run by the
 * suite: bench_terminal [ROWS COLS [MIB]]. */

#include "base/buffer.h"
#include "console/terminal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MIB ((size_t)1 << 20)

/* The same bytes on every machine. */
static uint32_t
next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void
make_log(struct buffer *out, size_t bytes)
{
    static const char *const words[] = {
        "pci",    "0000:00:1f.2:", "[8086:2922]", "type",   "00",
        "class",  "0x010601",      "mem",         "virtio", "registered",
        "driver", "random:",       "crng",        "init",   "done",
    };
    uint32_t seed = 1;
    for (unsigned n = 0; out->len < bytes; n++) {
        size_t start = out->len;
        buffer_printf(out, "[%5u.%06u]", n / 1000, n % 1000 * 1000);
        while (out->len - start < 72)
            buffer_printf(out, " %s", words[next_random(&seed) % 15]);
        buffer_append_text(out, "\r\n");
    }
}

static void
make_full(struct buffer *out, size_t bytes)
{
    for (unsigned n = 0; out->len < bytes; n++)
        buffer_printf(out, "%08u %071u\r\n", n, n);
}

static void
make_htop(struct buffer *out, size_t bytes)
{
    uint32_t seed = 2;
    while (out->len < bytes) {
        buffer_append_text(out, "\033[H");
        for (int row = 1; row <= 50; row++) {
            buffer_printf(out,
                          "\033[%d;1H\033[36m%5u \033[0;1mroot\033[0m   20   0 "
                          "%6uM \033[32m%5u\033[0m S \033[7m%3u.%u\033[27m  "
                          "0:%02u.%02u /usr/bin/process-%u --with=option",
                          row, next_random(&seed) % 99999,
                          next_random(&seed) % 999999,
                          next_random(&seed) % 99999, next_random(&seed) % 100,
                          next_random(&seed) % 10, next_random(&seed) % 60,
                          next_random(&seed) % 100, next_random(&seed) % 1000);
            buffer_append_text(out, "\033[K");
        }
    }
}

static void
make_colour(struct buffer *out, size_t bytes)
{
    uint32_t seed = 3;
    for (unsigned n = 0; out->len < bytes; n++) {
        buffer_printf(out, "\033[38;2;%u;%u;%um\033[48;5;%um%c",
                      next_random(&seed) % 256, next_random(&seed) % 256,
                      next_random(&seed) % 256, next_random(&seed) % 256,
                      (char)('a' + n % 26));
        if (n % 100 == 99)
            buffer_append_text(out, "\033[0m\r\n");
    }
}

static void
make_utf8(struct buffer *out, size_t bytes)
{
    static const char *const words[] = {
        "größe", "你好世界",    "Ελλάδα", "кирилл", "日本語",
        "naïve", "e\xcc\x81té", "한국어", "│├─┤│",  "plain"};
    uint32_t seed = 4;
    for (unsigned n = 1; out->len < bytes; n++) {
        buffer_printf(out, "%s ", words[next_random(&seed) % 10]);
        if (n % 10 == 0)
            buffer_append_text(out, "\r\n");
    }
}

static void
make_yes(struct buffer *out, size_t bytes)
{
    while (out->len < bytes)
        buffer_append_text(out, "y\r\n");
}

static void
make_same_line(struct buffer *out, size_t bytes)
{
    while (out->len < bytes)
        buffer_append_text(out, "y\r");
}

static const struct {
    const char *name;
    void (*make)(struct buffer *out, size_t bytes);
} corpora[] = {
    {"log lines", make_log},
    {"full lines", make_full},
    {"htop-like", make_htop},
    {"dense colour", make_colour},
    {"UTF-8 and wide", make_utf8},
    {"yes", make_yes},
    {"y\\r, no scroll", make_same_line},
};

/* CPU time of this process, ns: other load disturbs it less. */
static uint64_t
cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Writes a corpus in pieces; returns ns. */
static uint64_t
run(struct terminal *terminal, const struct buffer *corpus, size_t piece)
{
    uint64_t start = cpu_ns();
    for (size_t at = 0; at < corpus->len; at += piece) {
        size_t len = corpus->len - at < piece ? corpus->len - at : piece;
        terminal_write(terminal, corpus->data + at, len, TERMINAL_WRITE_LIVE);
    }
    return cpu_ns() - start;
}

static double
mib_per_second(size_t bytes, uint64_t ns)
{
    return (double)bytes / (double)MIB / ((double)ns / 1e9);
}

int
main(int argc, char **argv)
{
    int rows = argc > 2 ? atoi(argv[1]) : 50;
    int cols = argc > 2 ? atoi(argv[2]) : 200;
    size_t bytes = (argc > 3 ? (size_t)atoi(argv[3]) : 32) * MIB;
    printf("%dx%d, %zu MiB each\n%-16s %10s %10s %14s\n", rows, cols,
           bytes / MIB, "corpus", "MiB/s", "4-byte", "bytes per line");
    for (size_t i = 0; i < sizeof(corpora) / sizeof(corpora[0]); i++) {
        if (argc > 4 && !strstr(corpora[i].name, argv[4]))
            continue;
        struct buffer corpus = {0};
        corpora[i].make(&corpus, bytes);
        struct terminal_config config = {.rows = rows,
                                         .cols = cols,
                                         .history_lines =
                                             TERMINAL_HISTORY_DEFAULT_LINES};
        struct terminal *terminal = terminal_new(&config);
        run(terminal, &corpus, 65536); /* warm */
        double whole =
            mib_per_second(corpus.len, run(terminal, &corpus, 65536));
        double small = mib_per_second(corpus.len, run(terminal, &corpus, 4));
        size_t lines = terminal_history_rows(terminal);
        printf("%-16s %10.1f %10.1f %14.1f\n", corpora[i].name, whole, small,
               lines ? (double)terminal_history_bytes(terminal) / (double)lines
                     : 0.0);
        terminal_free(terminal);
        buffer_finish(&corpus);
    }
    return 0;
}
