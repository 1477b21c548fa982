#include "tui/term-output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#define NCURSES_NOMACROS
#include <curses.h>

/* Memory kept for the next update; that of a larger one is given back. */
#define KEPT_BYTES 262144u

bool
term_output_prepare(struct term_output *output)
{
    output->tty = fcntl(fileno(output->stream), F_DUPFD_CLOEXEC, 3);
    output->memory = memfd_create("guestmux-screen", MFD_CLOEXEC);
    if (output->tty > 0 && output->memory > 0)
        return true;
    if (output->tty > 0)
        (void)close(output->tty);
    if (output->memory > 0)
        (void)close(output->memory);
    output->tty = 0;
    output->memory = 0;
    return false;
}

void
term_output_finish(struct term_output *output)
{
    if (output->tty > 0)
        (void)close(output->tty);
    if (output->memory > 0)
        (void)close(output->memory);
    buffer_finish(&output->read);
    buffer_finish(&output->shown);
    if (output->stream)
        (void)fclose(output->stream);
    *output = (struct term_output){0};
}

/* Takes what curses wrote. */
static void
read_memory(struct term_output *output)
{
    off_t end = lseek(output->memory, 0, SEEK_CUR);
    size_t len = end > 0 ? (size_t)end : 0;
    buffer_reset(&output->read);
    buffer_reserve(&output->read, len);
    while (output->read.len < len) {
        char *at = output->read.data + output->read.len;
        ssize_t got = pread(output->memory, at, len - output->read.len,
                            (off_t)output->read.len);
        if (got <= 0)
            break;
        output->read.len += (size_t)got;
    }
    (void)lseek(output->memory, 0, SEEK_SET);
    if (len > KEPT_BYTES)
        (void)ftruncate(output->memory, 0);
}

/* All of it, however slow the terminal is, as curses does: it cannot take half
 * an update back. */
static void
write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, bytes, len);
        if (written > 0) {
            bytes += written;
            len -= (size_t)written;
        } else if (errno == EAGAIN) {
            struct pollfd descriptor = {.fd = fd, .events = POLLOUT};
            (void)poll(&descriptor, 1, -1);
        } else if (errno != EINTR) {
            return;
        }
    }
}

void
term_output_update(struct term_output *output, const struct term_looks *looks)
{
    int fd = fileno(output->stream);
    if (looks->count == 0 || dup3(output->memory, fd, O_CLOEXEC) < 0) {
        doupdate();
        return;
    }
    doupdate();
    (void)dup3(output->tty, fd, O_CLOEXEC);
    read_memory(output);
    buffer_reset(&output->shown);
    term_looks_apply(looks, output->read.data, output->read.len,
                     &output->shown);
    write_all(output->tty, output->shown.data, output->shown.len);
    if (output->shown.capacity > KEPT_BYTES)
        buffer_finish(&output->shown);
    if (output->read.capacity > KEPT_BYTES)
        buffer_finish(&output->read);
}
