#include "console/outqueue.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* Written bytes are cut off at the front when they are this many, so that a
 * paste of megabytes is not moved for every few KiB that a guest takes. */
#define CUT_BYTES (256u << 10)

void
outqueue_finish(struct outqueue *queue)
{
    buffer_finish(&queue->bytes);
    queue->head = 0;
}

size_t
outqueue_pending(const struct outqueue *queue)
{
    return queue->bytes.len - queue->head;
}

void
outqueue_push(struct outqueue *queue, const char *bytes, size_t len)
{
    buffer_append(&queue->bytes, bytes, len);
}

void
outqueue_drop(struct outqueue *queue)
{
    /* A paste may have grown it to megabytes: give them back. */
    if (queue->bytes.capacity > CUT_BYTES)
        buffer_finish(&queue->bytes);
    else
        buffer_reset(&queue->bytes);
    queue->head = 0;
}

static ssize_t
write_some(struct outqueue *queue, int fd)
{
    const char *bytes = queue->bytes.data + queue->head;
    size_t len = outqueue_pending(queue);
    if (!queue->is_no_socket) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n >= 0 || errno != ENOTSOCK)
            return n;
        queue->is_no_socket = true;
    }
    return write(fd, bytes, len);
}

int
outqueue_write(struct outqueue *queue, int fd, size_t *ret_written)
{
    size_t total = 0;
    int errnum = 0;
    while (outqueue_pending(queue) > 0) {
        ssize_t n = write_some(queue, fd);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
            errnum = errno;
        if (n <= 0)
            break;
        queue->head += (size_t)n;
        total += (size_t)n;
    }
    if (outqueue_pending(queue) == 0) {
        outqueue_drop(queue);
    } else if (queue->head >= CUT_BYTES) {
        buffer_consume(&queue->bytes, queue->head);
        queue->head = 0;
    }
    if (ret_written)
        *ret_written = total;
    return errnum;
}
