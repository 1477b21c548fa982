#include "server/lan-port.h"

#include "base/buffer.h"
#include "base/loop.h"
#include "base/xalloc.h"
#include "wire/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes of a frame's length on the wire. */
#define HEAD_BYTES 4u
/* The longest frame that QEMU sends (its NET_BUFSIZE); anything longer is no
 * length: the stream is out of step. */
#define WIRE_FRAME_MAX (4096u + 65536u)
/* ms; from a broken connection to the next, and the longest that grows to. */
#define RETRY_MS 100u
#define RETRY_MAX_MS 5000u
/* A queue that grew larger gives its memory back when it is empty. */
#define QUEUE_KEPT_BYTES (64u << 10)

struct lan_port {
    uv_loop_t *loop;  /* borrowed */
    uint8_t *scratch; /* borrowed */
    const struct lan_port_handlers *handlers;
    void *data;
    char *path; /* owned; NULL: not to be connected */
    int fd;     /* owned; -1: not connected */
    struct loop_poll *poll;
    struct loop_timer *retry; /* owned */
    uint64_t retry_ms;
    uint8_t rest[HEAD_BYTES + SWITCH_FRAME_MAX]; /* a frame's beginning */
    size_t rest_len;
    size_t skip_len; /* bytes of an overlong frame that are still to come */
    struct buffer queue;
};

static void connect_now(void *data);

struct lan_port *
lan_port_new(uv_loop_t *loop, uint8_t *scratch,
             const struct lan_port_handlers *handlers, void *data)
{
    struct lan_port *port = xcalloc(1, sizeof(*port));
    port->loop = loop;
    port->scratch = scratch;
    port->handlers = handlers;
    port->data = data;
    port->fd = -1;
    port->retry = loop_timer_new(loop, connect_now, port);
    return port;
}

static void
disconnect(struct lan_port *port)
{
    if (port->fd < 0)
        return;
    loop_poll_free(port->poll);
    port->poll = NULL;
    (void)close(port->fd);
    port->fd = -1;
    port->rest_len = 0;
    port->skip_len = 0;
    buffer_finish(&port->queue);
    port->handlers->on_change(port->data);
}

void
lan_port_free(struct lan_port *port)
{
    if (!port)
        return;
    loop_poll_free(port->poll);
    if (port->fd >= 0)
        (void)close(port->fd);
    loop_timer_free(port->retry);
    buffer_finish(&port->queue);
    free(port->path);
    loop_free_later(port->loop, port);
}

/* It broke: QEMU ends, or something is out of step. */
static void
start_again(struct lan_port *port)
{
    disconnect(port);
    if (!port->path)
        return;
    loop_timer_start(port->retry, port->retry_ms);
    port->retry_ms =
        port->retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : port->retry_ms * 2;
}

/* Takes whole frames out of bytes; returns how many bytes were used, or -1 when
 * they make no sense. */
static ssize_t
take_frames(struct lan_port *port, const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    while (len - at >= HEAD_BYTES) {
        const uint8_t *head = bytes + at;
        size_t frame = (size_t)head[0] << 24 | (size_t)head[1] << 16 |
                       (size_t)head[2] << 8 | head[3];
        size_t rest = len - at - HEAD_BYTES;
        if (frame > WIRE_FRAME_MAX)
            return -1;
        if (frame > SWITCH_FRAME_MAX) {
            port->handlers->on_long(port->data);
            port->skip_len = frame > rest ? frame - rest : 0;
            at += HEAD_BYTES + frame - port->skip_len;
            continue;
        }
        if (frame > rest)
            break;
        port->handlers->on_frame(port->data, head + HEAD_BYTES, frame);
        at += HEAD_BYTES + frame;
    }
    return (ssize_t)at;
}

/* Bytes that were read behind what was left of the read before. */
static bool
take_bytes(struct lan_port *port, size_t len)
{
    const uint8_t *bytes = port->scratch;
    size_t skipped = port->skip_len < len ? port->skip_len : len;
    port->skip_len -= skipped;
    ssize_t used = take_frames(port, bytes + skipped, len - skipped);
    if (used < 0)
        return false;
    size_t done = skipped + (size_t)used;
    port->rest_len = len - done;
    memcpy(port->rest, bytes + done, port->rest_len);
    return true;
}

static void
on_readable(struct lan_port *port)
{
    memcpy(port->scratch, port->rest, port->rest_len);
    ssize_t got = recv(port->fd, port->scratch + port->rest_len,
                       LAN_PORT_READ_BYTES, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        start_again(port);
        return;
    }
    port->retry_ms = RETRY_MS;
    bool ok = take_bytes(port, port->rest_len + (size_t)got);
    port->handlers->on_batch(port->data);
    if (!ok)
        start_again(port);
}

static void
on_event(void *data, int status, int events)
{
    struct lan_port *port = data;
    if (status < 0) {
        start_again(port);
        return;
    }
    if (events & UV_WRITABLE)
        lan_port_flush(port);
    if (port->fd >= 0 && (events & UV_READABLE))
        on_readable(port);
}

static void
connect_now(void *data)
{
    struct lan_port *port = data;
    if (!port->path || port->fd >= 0)
        return;
    port->fd = stream_connect_unix(port->path, NULL);
    if (port->fd < 0) {
        start_again(port);
        return;
    }
    port->poll = loop_poll_new(port->loop, port->fd, on_event, port);
    loop_poll_set(port->poll, UV_READABLE);
    port->handlers->on_change(port->data);
}

void
lan_port_connect(struct lan_port *port, const char *path)
{
    if (path && port->path && !strcmp(path, port->path))
        return;
    if (!path && !port->path)
        return;
    char *copy = xstrdup(path);
    free(port->path);
    port->path = copy;
    loop_timer_stop(port->retry);
    disconnect(port);
    port->retry_ms = RETRY_MS;
    connect_now(port);
}

bool
lan_port_send(struct lan_port *port, const uint8_t *frame, size_t len)
{
    if (port->fd < 0 ||
        port->queue.len + HEAD_BYTES + len > LAN_PORT_QUEUE_BYTES)
        return false;
    const uint8_t head[HEAD_BYTES] = {0, (uint8_t)(len >> 16),
                                      (uint8_t)(len >> 8), (uint8_t)len};
    buffer_append(&port->queue, head, sizeof(head));
    buffer_append(&port->queue, frame, len);
    return true;
}

void
lan_port_flush(struct lan_port *port)
{
    if (port->fd < 0 || !port->queue.len)
        return;
    ssize_t sent = send(port->fd, port->queue.data, port->queue.len,
                        MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        start_again(port);
        return;
    }
    if (sent > 0)
        buffer_consume(&port->queue, (size_t)sent);
    if (!port->queue.len && port->queue.capacity > QUEUE_KEPT_BYTES)
        buffer_finish(&port->queue);
    loop_poll_set(port->poll,
                  port->queue.len ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

bool
lan_port_is_connected(const struct lan_port *port)
{
    return port->fd >= 0;
}
