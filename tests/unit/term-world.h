#pragma once

#include "tui/term-driver.h"

#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

/* curses keeps what it had begun for a terminal that it then refused (in
 * new_prescr). By its library: functions have no names where there is no
 * llvm-symbolizer. */
/* NOLINTNEXTLINE(readability-identifier-naming): the sanitizer's name */
const char *__lsan_default_suppressions(void);
/* NOLINTNEXTLINE(readability-identifier-naming) */
const char *
__lsan_default_suppressions(void)
{
    return "leak:libtinfo";
}

/* A terminal on a pty whose other end the test reads. */
struct fixture {
    int master;
    int slave;
    struct term *term;
    TickitTerm *tickit;
    char bytes[65536]; /* what the terminal was sent last */
    size_t len;
};

static inline void
open_pty(struct fixture *fixture, int rows, int cols)
{
    struct winsize size = {
        .ws_row = (unsigned short)rows,
        .ws_col = (unsigned short)cols,
    };
    memset(fixture, 0, sizeof(*fixture));
    assert_int_equal(
        openpty(&fixture->master, &fixture->slave, NULL, NULL, &size), 0);
}

/* Reads until nothing more is there: what was written to a pty can be read
 * at once. */
static inline const char *
sent(struct fixture *fixture)
{
    struct pollfd descriptor = {.fd = fixture->master, .events = POLLIN};
    fixture->len = 0;
    while (poll(&descriptor, 1, 0) > 0 && descriptor.revents & POLLIN) {
        ssize_t len = read(fixture->master, fixture->bytes + fixture->len,
                           sizeof(fixture->bytes) - 1 - fixture->len);
        if (len <= 0)
            break;
        fixture->len += (size_t)len;
    }
    fixture->bytes[fixture->len] = '\0';
    return fixture->bytes;
}

static inline void
open_term(struct fixture *fixture, const char *type, int rows, int cols)
{
    struct error error = {0};
    open_pty(fixture, rows, cols);
    fixture->term = term_open(fixture->slave, fixture->slave, type, &error);
    if (!fixture->term)
        fail_msg("%s", error.text);
    fixture->tickit = term_tickit(fixture->term);
    term_flush(fixture->term);
    sent(fixture);
}

static inline void
close_term(struct fixture *fixture)
{
    term_close(fixture->term);
    close(fixture->master);
    close(fixture->slave);
}
