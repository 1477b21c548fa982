#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>
#include <uv.h>

/* A connected stream socket that speaks the codec's lines: reads on the loop,
 * queues writes within a limit. */
struct stream;

struct stream_handlers {
    /* message: borrowed. */
    void (*on_message)(void *data, json_t *message);
    /* A line that was no message; the stream goes on. */
    void (*on_fault)(void *data, const struct error *error);
    /* The peer closed (error NULL), or reading or writing failed. Called once,
     * after all messages that it sent; the owner frees the stream (may do so in
     * here). A peer that only stopped writing gets what is queued first. */
    void (*on_close)(void *data, const struct error *error);
    /* Everything queued was taken by the socket, after it had not taken all
     * at once; in a later loop turn. May be NULL. */
    void (*on_drained)(void *data);
};

struct stream_limits {
    size_t max_line_bytes;  /* incoming */
    size_t max_queue_bytes; /* outgoing; more than that closes the stream */
};

/* fd: a connected non-blocking socket, the stream's from now on. handlers:
 * borrowed, lives as long. Reading starts at once. */
struct stream *stream_new(uv_loop_t *loop, int fd,
                          const struct stream_limits *limits,
                          const struct stream_handlers *handlers, void *data);

/* Closes; what is queued and the socket does not take at once is lost. Safe in
 * every handler. NULL is fine. */
void stream_free(struct stream *stream);

/* Sends a message (borrowed). Written to the socket at once as far as it takes
 * it. After a failure further sends do nothing; on_close tells, in a later
 * loop turn, when what the peer had sent was read. */
void stream_send(struct stream *stream, const json_t *message);

/* Sends text that is whole lines already. */
void stream_send_bytes(struct stream *stream, const char *bytes, size_t len);

/* Bytes queued because the peer does not read. */
size_t stream_pending_bytes(const struct stream *stream);

/* Pauses reading while the owner cannot take more: no further message comes,
 * not even one that was read already. On resumes, in a later loop turn. */
void stream_set_reading(struct stream *stream, bool on);

/* Connects to a unix socket without blocking: a non-blocking connected
 * descriptor, or -1 with error (a full backlog is ERROR_CODE_TIMEOUT: try
 * again). */
int stream_connect_unix(const char *path, struct error *error);
