#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "base/paths.h"

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <uv.h>

/* A client's connection to the server: commands with replies matched by ids of
 * our own, events. Holds no truth of its own. */
struct connection;

struct connection_handlers {
    /* data: borrowed. May be NULL. */
    void (*on_event)(void *user, const char *name, json_t *data);
    /* The server went away or broke the protocol. Called once, after the
     * pending replies were told the same. */
    void (*on_close)(void *user, const struct error *error);
};

/* value: borrowed, NULL on error. error: NULL on success; its code is the
 * reply's class. */
typedef void (*connection_reply_fn)(void *user, json_t *value,
                                    const struct error *error);

/* Takes a connected descriptor. handlers: borrowed. The greeting is awaited
 * inside: commands sent before it are fine, and those sent after the end are
 * refused in the next loop turn. */
struct connection *connection_new(uv_loop_t *loop, int fd,
                                  const struct connection_handlers *handlers,
                                  void *user);
/* Safe in every handler. Pending replies are not told. NULL is fine. */
void connection_free(struct connection *connection);

/* Sends a command. arguments: stolen, may be NULL. on_reply may be NULL. */
void connection_execute(struct connection *connection, const char *method,
                        json_t *arguments, connection_reply_fn on_reply,
                        void *user);

/* Sends a command without id: for view-ack and console-send, which then answer
 * on error only (told through NOTICE-like on_event "COMMAND_FAILED"
 * {"class","desc"}). */
void connection_execute_quiet(struct connection *connection, const char *method,
                              json_t *arguments);
/* The same with the arguments as JSON text, an object's, borrowed: for what
 * goes out with every key. */
void connection_execute_text(struct connection *connection, const char *method,
                             const struct buffer *arguments);

/* The server's version from the greeting; NULL before it came. */
const char *connection_server_version(const struct connection *connection);

enum connection_start {
    CONNECTION_START_NEVER, /* no server is an error (NotFound) */
    CONNECTION_START_SERVER /* start one, detached, and wait for it */
};

/* Connects to the user's server of that name, starting it when asked to:
 * executable is this program's path (/proc/self/exe), run as
 * `executable -L NAME server --ready-fd N` in a session of its own, its
 * complaints in STATE/server.log. The server writes one byte 0 to its
 * descriptor N once it accepts, or the text of why it cannot; nothing at all
 * means that another server was there first. Waits, at most 10 s, for a server
 * to accept. Returns a connected non-blocking descriptor, or -1. */
int connection_open(const struct paths *paths, enum connection_start start,
                    const char *executable, struct error *error);
