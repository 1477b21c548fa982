#include "wire/stream.h"

#include "base/buffer.h"
#include "base/loop.h"
#include "base/paths.h"
#include "base/xalloc.h"
#include "wire/codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Bytes read from a peer per wake-up: one busy peer cannot hold the loop. */
#define READ_SLICE_BYTES 65536u
/* Slices that a gone peer can have left behind: more than a socket holds. */
#define MAX_REST_SLICES 64

struct stream {
    int fd;
    struct loop_poll *poll;   /* owned */
    struct loop_defer *close; /* owned: tells a failed write later */
    const struct stream_handlers *handlers;
    void *data;
    size_t max_queue_bytes;
    struct codec codec;  /* owned */
    struct buffer queue; /* owned: unwritten bytes from queue_start on */
    size_t queue_start;
    struct error failure;
    bool has_failed; /* failure is set, or the peer closed */
    bool is_eof;     /* the peer closed properly */
    bool is_reading;
    bool is_freed;   /* freed inside a handler */
    int dispatching; /* handlers on the call stack */
};

static void
update_poll(struct stream *stream)
{
    if (stream->has_failed) {
        loop_poll_set(stream->poll, 0);
        return;
    }
    int events = stream->is_reading ? UV_READABLE : 0;
    if (stream->queue.len > stream->queue_start)
        events |= UV_WRITABLE;
    loop_poll_set(stream->poll, events);
}

static void
destroy(struct stream *stream)
{
    codec_finish(&stream->codec);
    buffer_finish(&stream->queue);
    free(stream);
}

static void
on_deferred_close(void *data)
{
    struct stream *stream = data;
    stream->dispatching++;
    stream->handlers->on_close(stream->data,
                               stream->is_eof ? NULL : &stream->failure);
    if (--stream->dispatching == 0 && stream->is_freed)
        destroy(stream);
}

/* Marks the stream as ended; on_close follows in the next loop turn. */
static void
fail(struct stream *stream, bool is_eof)
{
    if (stream->has_failed)
        return;
    stream->has_failed = true;
    stream->is_eof = is_eof;
    update_poll(stream);
    loop_defer_request(stream->close);
}

static void
dispatch_messages(struct stream *stream)
{
    for (;;) {
        json_t *message = NULL;
        struct error error = {0};
        enum codec_result result = codec_next(&stream->codec, &message, &error);
        if (result == CODEC_RESULT_NONE)
            return;
        if (result == CODEC_RESULT_FAULT)
            stream->handlers->on_fault(stream->data, &error);
        else
            stream->handlers->on_message(stream->data, message);
        json_decref(message);
        if (stream->is_freed)
            return;
    }
}

static void
read_some(struct stream *stream)
{
    char bytes[READ_SLICE_BYTES];
    ssize_t got = recv(stream->fd, bytes, sizeof(bytes), 0);
    if (got < 0) {
        if (errno == EAGAIN || errno == EINTR)
            return;
        if (errno == ECONNRESET) {
            fail(stream, true);
            return;
        }
        error_set_errno(&stream->failure, errno, "cannot read from the peer");
        fail(stream, false);
        return;
    }
    if (got == 0) {
        fail(stream, true);
        return;
    }
    codec_feed(&stream->codec, bytes, (size_t)got);
    dispatch_messages(stream);
}

/* Writes what the socket takes now. */
static void
flush_queue(struct stream *stream)
{
    while (!stream->has_failed && stream->queue.len > stream->queue_start) {
        ssize_t put =
            send(stream->fd, stream->queue.data + stream->queue_start,
                 stream->queue.len - stream->queue_start, MSG_NOSIGNAL);
        if (put < 0) {
            if (errno == EINTR)
                continue;
            if (errno == EAGAIN)
                break;
            error_set_errno(&stream->failure, errno,
                            "cannot write to the peer");
            fail(stream, errno == EPIPE || errno == ECONNRESET);
            return;
        }
        stream->queue_start += (size_t)put;
    }
    if (stream->queue_start == stream->queue.len) {
        buffer_reset(&stream->queue);
        stream->queue_start = 0;
    } else if (stream->queue_start > READ_SLICE_BYTES) {
        buffer_consume(&stream->queue, stream->queue_start);
        stream->queue_start = 0;
    }
}

/* The peer closed with bytes of ours unread, which poll reports as an error:
 * what it said before is still there. */
static void
read_rest(struct stream *stream)
{
    int errnum = 0;
    socklen_t len = sizeof(errnum);
    /* takes the error away, which recv would give instead of the bytes */
    (void)getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &errnum, &len);
    for (int i = 0; i < MAX_REST_SLICES && !stream->has_failed; i++)
        read_some(stream);
    if (!stream->has_failed)
        fail(stream, true);
}

static void
on_poll(void *data, int status, int events)
{
    struct stream *stream = data;
    stream->dispatching++;
    if (status < 0 && !stream->has_failed)
        read_rest(stream);
    if (!stream->has_failed && (events & UV_WRITABLE)) {
        flush_queue(stream);
        if (!stream->has_failed && !stream_pending_bytes(stream) &&
            stream->handlers->on_drained)
            stream->handlers->on_drained(stream->data);
    }
    if (!stream->has_failed && (events & (UV_READABLE | UV_DISCONNECT)))
        read_some(stream);
    if (!stream->is_freed)
        update_poll(stream);
    if (--stream->dispatching == 0 && stream->is_freed)
        destroy(stream);
}

struct stream *
stream_new(uv_loop_t *loop, int fd, const struct stream_limits *limits,
           const struct stream_handlers *handlers, void *data)
{
    struct stream *stream = xcalloc(1, sizeof(*stream));
    stream->fd = fd;
    stream->handlers = handlers;
    stream->data = data;
    stream->max_queue_bytes = limits->max_queue_bytes;
    stream->is_reading = true;
    codec_init(&stream->codec, limits->max_line_bytes);
    stream->close = loop_defer_new(loop, on_deferred_close, stream);
    stream->poll = loop_poll_new(loop, fd, on_poll, stream);
    update_poll(stream);
    return stream;
}

void
stream_free(struct stream *stream)
{
    if (!stream || stream->is_freed)
        return;
    stream->is_freed = true;
    stream->has_failed = true;
    loop_poll_free(stream->poll);
    loop_defer_free(stream->close);
    stream->poll = NULL;
    (void)close(stream->fd);
    if (stream->dispatching == 0)
        destroy(stream);
}

void
stream_send(struct stream *stream, const json_t *message)
{
    if (stream->has_failed)
        return;
    codec_encode(message, &stream->queue);
    stream_send_bytes(stream, NULL, 0);
}

void
stream_send_bytes(struct stream *stream, const char *bytes, size_t len)
{
    if (stream->has_failed)
        return;
    if (len)
        buffer_append(&stream->queue, bytes, len);
    flush_queue(stream);
    if (!stream->has_failed &&
        stream_pending_bytes(stream) > stream->max_queue_bytes) {
        error_set(&stream->failure, ERROR_CODE_LIMIT,
                  "the peer does not read: %zu bytes wait for it",
                  stream_pending_bytes(stream));
        fail(stream, false);
    }
    update_poll(stream);
}

size_t
stream_pending_bytes(const struct stream *stream)
{
    return stream->queue.len - stream->queue_start;
}

void
stream_set_reading(struct stream *stream, bool on)
{
    stream->is_reading = on;
    if (!stream->is_freed)
        update_poll(stream);
}

int
stream_connect_unix(const char *path, struct error *error)
{
    if (!paths_check_socket(path, error))
        return -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        error_set_errno(error, errno, "cannot make a socket");
        return -1;
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        int errnum = errno;
        (void)close(fd);
        error_set_errno(error, errnum, "cannot connect to %s", path);
        if (error && errnum == EAGAIN)
            error->code = ERROR_CODE_TIMEOUT;
        return -1;
    }
    return fd;
}
