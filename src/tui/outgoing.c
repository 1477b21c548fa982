#include "tui/outgoing.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* Bytes of one write: what a terminal that takes any takes at once. */
#define PIECE_BYTES 512

bool
outgoing_add(struct outgoing *outgoing, const char *bytes, size_t len)
{
    if (outgoing->bytes.len - outgoing->sent + len > OUTGOING_MAX_BYTES)
        return false;
    buffer_append(&outgoing->bytes, bytes, len);
    return true;
}

static bool
is_writable(int fd)
{
    struct pollfd descriptor = {.fd = fd, .events = POLLOUT};
    return poll(&descriptor, 1, 0) > 0;
}

bool
outgoing_pump(struct outgoing *outgoing, int fd)
{
    struct buffer *bytes = &outgoing->bytes;
    while (outgoing->sent < bytes->len && is_writable(fd)) {
        size_t piece = bytes->len - outgoing->sent;
        if (piece > PIECE_BYTES)
            piece = PIECE_BYTES;
        ssize_t written = write(fd, bytes->data + outgoing->sent, piece);
        if (written < 0 && (errno == EINTR || errno == EAGAIN))
            return false;
        if (written <= 0)
            outgoing->sent = bytes->len; /* the terminal is gone */
        else
            outgoing->sent += (size_t)written;
    }
    if (outgoing->sent < bytes->len)
        return false;
    buffer_reset(bytes);
    outgoing->sent = 0;
    return true;
}

void
outgoing_finish(struct outgoing *outgoing, int fd)
{
    if (outgoing->sent > 0 && outgoing->sent < outgoing->bytes.len) {
        ssize_t done = write(fd, "\033\\", 2);
        (void)done; /* nobody is left to be told */
    }
    buffer_finish(&outgoing->bytes);
    outgoing->sent = 0;
}
