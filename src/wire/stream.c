#include "wire/stream.h"

#include "base/buffer.h"
#include "base/clock.h"
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
/* ms that the messages of one peer may take in one loop turn; what is left
 * waits for the next one. */
#define DISPATCH_SLICE_MS 2
/* Slices that a gone peer can have left behind: more than a socket holds. */
#define MAX_REST_SLICES 64
/* Memory kept for the next messages, bytes; that of a longer queue is given
 * back once it is written. */
#define KEPT_BYTES 262144u

struct stream {
    int fd;
    struct loop_poll *poll;    /* owned */
    struct loop_defer *close;  /* owned: tells the end in a later turn */
    struct loop_defer *resume; /* owned: takes what the codec still holds */
    const struct stream_handlers *handlers;
    void *data;
    size_t max_queue_bytes;
    struct codec codec;  /* owned */
    struct buffer queue; /* owned: unwritten bytes from queue_start on */
    size_t queue_start;
    struct error failure;
    bool has_failed;  /* nothing is read or sent any more; on_close is due */
    bool is_eof;      /* the peer closed properly */
    bool has_ended;   /* the peer says nothing more */
    bool is_deaf;     /* the peer hears nothing more */
    bool is_reading;  /* the owner wants messages */
    bool has_backlog; /* the codec may hold more messages */
    bool is_draining; /* the socket did not take all: on_drained is due */
    bool is_freed;    /* freed inside a handler */
    unsigned dispatching; /* handlers on the call stack */
};

static void
enter(struct stream *stream)
{
    stream->dispatching++;
}

static void
leave(struct stream *stream)
{
    if (--stream->dispatching || !stream->is_freed)
        return;
    codec_finish(&stream->codec);
    buffer_finish(&stream->queue);
    free(stream);
}

/* Whether messages are taken now. Those of a peer that is gone are, whatever
 * the owner's queue for it was. */
static bool
is_listening(const struct stream *stream)
{
    return !stream->has_failed && (stream->is_reading || stream->is_deaf);
}

/* Marks the stream as ended; on_close follows in a later loop turn. */
static void
fail(struct stream *stream, bool is_eof)
{
    if (stream->has_failed)
        return;
    stream->has_failed = true;
    stream->is_eof = is_eof;
    loop_defer_request(stream->close);
}

/* Asks for what comes next: the end, messages that are here, or bytes. */
static void
update(struct stream *stream)
{
    if (stream->is_freed)
        return;
    bool has_queue = stream->is_draining && !stream->is_deaf;
    if (stream->has_ended && !stream->has_backlog && !has_queue)
        fail(stream, true);
    int events = 0;
    if (!stream->has_failed && has_queue)
        events |= UV_WRITABLE;
    if (is_listening(stream) && stream->has_backlog)
        loop_defer_request(stream->resume);
    else if (is_listening(stream) && !stream->has_ended)
        events |= UV_READABLE;
    loop_poll_set(stream->poll, events);
}

static void
on_deferred_close(void *data)
{
    struct stream *stream = data;
    enter(stream);
    stream->handlers->on_close(stream->data,
                               stream->is_eof ? NULL : &stream->failure);
    leave(stream);
}

/* Incoming ----------------------------------------------------------------- */

/* Takes one message out; false when the codec has none. */
static bool
dispatch_one(struct stream *stream)
{
    json_t *message = NULL;
    struct error error = {0};
    enum codec_result result = codec_next(&stream->codec, &message, &error);
    if (result == CODEC_RESULT_NONE)
        return false;
    if (result == CODEC_RESULT_FAULT)
        stream->handlers->on_fault(stream->data, &error);
    else
        stream->handlers->on_message(stream->data, message);
    json_decref(message);
    return true;
}

static void
dispatch_messages(struct stream *stream)
{
    uint64_t start_ms = clock_monotonic_ms();
    stream->has_backlog = true;
    while (is_listening(stream)) {
        if (!dispatch_one(stream)) {
            stream->has_backlog = false;
            return;
        }
        if (clock_monotonic_ms() - start_ms >= DISPATCH_SLICE_MS)
            return;
    }
}

static void
on_resume(void *data)
{
    struct stream *stream = data;
    enter(stream);
    if (is_listening(stream))
        dispatch_messages(stream);
    update(stream);
    leave(stream);
}

/* Reads a slice into the codec; false when there was nothing to read now. */
static bool
read_slice(struct stream *stream)
{
    char bytes[READ_SLICE_BYTES];
    ssize_t got = recv(stream->fd, bytes, sizeof(bytes), 0);
    if (got > 0) {
        codec_feed(&stream->codec, bytes, (size_t)got);
        return true;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got == 0 || errno == ECONNRESET) {
        stream->has_ended = true;
        return false;
    }
    error_set_errno(&stream->failure, errno, "cannot read from the peer");
    fail(stream, false);
    return false;
}

/* The peer closed with bytes of ours unread, which poll reports as an error,
 * and watches no more: what it said before is still there. */
static void
read_rest(struct stream *stream)
{
    int errnum = 0;
    socklen_t len = sizeof(errnum);
    /* takes the error away, which recv would give instead of the bytes */
    (void)getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &errnum, &len);
    stream->is_deaf = true;
    for (int i = 0; i < MAX_REST_SLICES && read_slice(stream); i++)
        continue;
    stream->has_ended = true;
    dispatch_messages(stream);
}

/* Outgoing ----------------------------------------------------------------- */

static void
forget_queue(struct stream *stream)
{
    if (stream->queue.capacity > KEPT_BYTES)
        buffer_finish(&stream->queue);
    else
        buffer_reset(&stream->queue);
    stream->queue_start = 0;
}

/* Writes what the socket takes now. */
static void
flush_queue(struct stream *stream)
{
    while (stream->queue.len > stream->queue_start) {
        ssize_t put =
            send(stream->fd, stream->queue.data + stream->queue_start,
                 stream->queue.len - stream->queue_start, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && errno == EAGAIN)
            break;
        if (put < 0) {
            /* It is gone; what it said before its end is still to be read. */
            stream->is_deaf = true;
            forget_queue(stream);
            return;
        }
        stream->queue_start += (size_t)put;
    }
    if (stream->queue_start == stream->queue.len) {
        forget_queue(stream);
    } else if (stream->queue_start > stream->queue.len / 2) {
        buffer_consume(&stream->queue, stream->queue_start);
        stream->queue_start = 0;
    }
}

static void
flush_and_tell(struct stream *stream)
{
    flush_queue(stream);
    if (stream_pending_bytes(stream))
        return;
    stream->is_draining = false;
    if (!stream->is_deaf && stream->handlers->on_drained)
        stream->handlers->on_drained(stream->data);
}

static void
on_poll(void *data, int status, int events)
{
    struct stream *stream = data;
    enter(stream);
    if (status < 0 && !stream->has_failed)
        read_rest(stream);
    else if (!stream->has_failed && (events & UV_WRITABLE) &&
             stream->is_draining)
        flush_and_tell(stream);
    if (status == 0 && (events & UV_READABLE) && is_listening(stream) &&
        !stream->has_backlog && !stream->has_ended && read_slice(stream))
        dispatch_messages(stream);
    update(stream);
    leave(stream);
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
    stream->resume = loop_defer_new(loop, on_resume, stream);
    stream->poll = loop_poll_new(loop, fd, on_poll, stream);
    update(stream);
    return stream;
}

void
stream_free(struct stream *stream)
{
    if (!stream || stream->is_freed)
        return;
    enter(stream);
    stream->is_freed = true;
    stream->has_failed = true;
    loop_poll_free(stream->poll);
    loop_defer_free(stream->close);
    loop_defer_free(stream->resume);
    stream->poll = NULL;
    (void)close(stream->fd);
    leave(stream);
}

/* Sends what was added to the queue. */
static void
send_queue(struct stream *stream)
{
    flush_queue(stream);
    stream->is_draining = stream->is_draining || stream_pending_bytes(stream);
    if (stream_pending_bytes(stream) > stream->max_queue_bytes) {
        error_set(&stream->failure, ERROR_CODE_LIMIT,
                  "the peer does not read: %zu bytes wait for it",
                  stream_pending_bytes(stream));
        fail(stream, false);
        forget_queue(stream);
    }
    update(stream);
}

void
stream_send(struct stream *stream, const json_t *message)
{
    if (stream->has_failed || stream->is_deaf)
        return;
    codec_encode(message, &stream->queue);
    send_queue(stream);
}

void
stream_send_bytes(struct stream *stream, const char *bytes, size_t len)
{
    if (stream->has_failed || stream->is_deaf)
        return;
    buffer_append(&stream->queue, bytes, len);
    send_queue(stream);
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
    update(stream);
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
