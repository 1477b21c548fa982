#include "client/connection.h"

#include "base/json.h"
#include "base/loop.h"
#include "base/xalloc.h"
#include "wire/codec.h"
#include "wire/stream.h"

#include <stdlib.h>
#include <string.h>

/* The longest line taken from a server; a console-log reply of the largest
 * size is far below. */
#define MAX_LINE_BYTES (64u << 20)
/* Most that may wait for a server that does not read: a full paste
 * (CONSOLE_INPUT_MAX_BYTES) in base64, and then some. */
#define MAX_QUEUE_BYTES (16u << 20)
/* Memory kept for the next command that is given as text. */
#define LINE_KEPT_BYTES 262144u
/* The API's version that this client speaks. */
#define API_VERSION 1

struct pending {
    int64_t id;
    connection_reply_fn on_reply; /* may be NULL */
    void *user;                   /* borrowed: the caller's */
};

struct connection {
    struct stream *stream;       /* owned; NULL once closed */
    struct loop_defer *refusals; /* owned: fails what is sent after the end */
    const struct connection_handlers *handlers;
    void *user;
    char *server_version;    /* owned; NULL before the greeting */
    struct pending *pending; /* owned, oldest first */
    size_t pending_count;
    size_t pending_capacity;
    int64_t next_id;
    struct buffer line;   /* owned: a command given as text */
    struct error failure; /* why it ended, once stream is NULL */
    bool is_freed;        /* freed inside a handler */
    int dispatching;      /* handlers on the call stack */
};

/* Not inlined: gcc would take nested leaves for a use after the free. */
__attribute__((noinline)) static void
destroy(struct connection *connection)
{
    buffer_finish(&connection->line);
    free(connection->server_version);
    free(connection->pending);
    free(connection);
}

/* NOLINTBEGIN(clang-analyzer-unix.Malloc): the analyzer does not follow that a
 * caller's own count in dispatching keeps the memory until its leave. */
static void
leave(struct connection *connection)
{
    if (--connection->dispatching == 0 && connection->is_freed)
        destroy(connection);
}

/* Takes the pending command of that id out; false when there is none. */
static bool
take_pending(struct connection *connection, int64_t id,
             struct pending *ret_pending)
{
    for (size_t i = 0; i < connection->pending_count; i++) {
        if (connection->pending[i].id != id)
            continue;
        *ret_pending = connection->pending[i];
        connection->pending_count--;
        memmove(&connection->pending[i], &connection->pending[i + 1],
                (connection->pending_count - i) * sizeof(struct pending));
        return true;
    }
    return false;
}

/* Tells every pending command that no reply will come. What the callbacks send
 * meanwhile is refused in the next loop turn. */
static void
refuse_pending(void *data)
{
    struct connection *connection = data;
    connection->dispatching++;
    for (size_t left = connection->pending_count; left && !connection->is_freed;
         left--) {
        struct pending pending = {0};
        take_pending(connection, connection->pending[0].id, &pending);
        if (pending.on_reply)
            pending.on_reply(pending.user, NULL, &connection->failure);
    }
    leave(connection);
}

/* Ends the connection; connection->failure says why. */
static void
end(struct connection *connection)
{
    if (!connection->stream)
        return;
    stream_free(connection->stream);
    connection->stream = NULL;
    connection->dispatching++;
    refuse_pending(connection);
    if (!connection->is_freed && connection->handlers->on_close)
        connection->handlers->on_close(connection->user, &connection->failure);
    leave(connection);
}

static void
end_protocol(struct connection *connection, const char *what)
{
    if (!connection->stream)
        return;
    error_set(&connection->failure, ERROR_CODE_PROTOCOL,
              "the server broke the protocol: %s", what);
    end(connection);
}

static void
take_greeting(struct connection *connection, const json_t *message)
{
    const json_t *hello = json_object_get(message, "guestmux");
    const char *version = NULL;
    int64_t api = 0;
    struct error error = {0};
    if (!json_object_get(message, "QMP") || !json_is_object(hello)) {
        end_protocol(connection, "its first line is no greeting of guestmux");
        return;
    }
    if (!json_get_string(hello, "version", JSON_REQUIRED, &version, &error) ||
        !json_get_integer(hello, "api", JSON_REQUIRED, 0, INT64_MAX, &api,
                          &error)) {
        end_protocol(connection, error.text);
        return;
    }
    if (api != API_VERSION) {
        error_set(&connection->failure, ERROR_CODE_PROTOCOL,
                  "the server is version %.32s and speaks API %lld, this "
                  "program speaks API %d; `guestmux kill-server` ends the "
                  "server (guests go on), then try again",
                  version, (long long)api, API_VERSION);
        end(connection);
        return;
    }
    connection->server_version = xstrdup(version);
}

/* An error reply as an error value. */
static void
read_error(const json_t *object, struct error *ret_error)
{
    const char *error_class = "Internal";
    const char *text = "the server gave no reason";
    (void)json_get_string(object, "class", JSON_OPTIONAL, &error_class, NULL);
    (void)json_get_string(object, "desc", JSON_OPTIONAL, &text, NULL);
    enum error_code code = strcmp(error_class, "CommandNotFound") == 0
                               ? ERROR_CODE_NOT_FOUND
                               : error_code_from_name(error_class);
    error_set(ret_error, code, "%s", text);
}

static void
take_reply(struct connection *connection, json_t *message, json_t *fault)
{
    json_t *id = json_object_get(message, "id");
    if (!json_is_integer(id)) {
        /* a quiet command failed, or the server did not understand a line */
        if (fault && connection->handlers->on_event)
            connection->handlers->on_event(connection->user, "COMMAND_FAILED",
                                           fault);
        return;
    }
    struct pending pending;
    if (!take_pending(connection, json_integer_value(id), &pending) ||
        !pending.on_reply)
        return;
    if (fault) {
        struct error error = {0};
        read_error(fault, &error);
        pending.on_reply(pending.user, NULL, &error);
        return;
    }
    pending.on_reply(pending.user, json_object_get(message, "return"), NULL);
}

static void
on_message(void *data, json_t *message)
{
    struct connection *connection = data;
    connection->dispatching++;
    json_t *event = json_object_get(message, "event");
    json_t *fault = json_object_get(message, "error");
    if (!connection->server_version) {
        take_greeting(connection, message);
    } else if (json_is_string(event)) {
        if (connection->handlers->on_event)
            connection->handlers->on_event(connection->user,
                                           json_string_value(event),
                                           json_object_get(message, "data"));
    } else if (json_is_object(fault) || json_object_get(message, "return")) {
        take_reply(connection, message, fault);
    }
    /* anything else is from a newer server: not for us */
    leave(connection);
}

static void
on_fault(void *data, const struct error *error)
{
    struct connection *connection = data;
    connection->dispatching++;
    end_protocol(connection, error->text);
    leave(connection);
}

static void
on_stream_close(void *data, const struct error *error)
{
    struct connection *connection = data;
    connection->dispatching++;
    if (error)
        connection->failure = *error;
    else if (!connection->server_version)
        error_set(&connection->failure, ERROR_CODE_IO,
                  "the server closed the connection before it said anything");
    else
        error_set(&connection->failure, ERROR_CODE_IO,
                  "the server closed the connection");
    end(connection);
    leave(connection);
}

static const struct stream_handlers stream_handlers = {
    .on_message = on_message,
    .on_fault = on_fault,
    .on_close = on_stream_close,
};

/* NOLINTEND(clang-analyzer-unix.Malloc) */

struct connection *
connection_new(uv_loop_t *loop, int fd,
               const struct connection_handlers *handlers, void *user)
{
    static const struct stream_limits limits = {
        .max_line_bytes = MAX_LINE_BYTES,
        .max_queue_bytes = MAX_QUEUE_BYTES,
    };
    struct connection *connection = xcalloc(1, sizeof(*connection));
    connection->handlers = handlers;
    connection->user = user;
    connection->next_id = 1;
    connection->refusals = loop_defer_new(loop, refuse_pending, connection);
    connection->stream =
        stream_new(loop, fd, &limits, &stream_handlers, connection);
    return connection;
}

void
connection_free(struct connection *connection)
{
    if (!connection || connection->is_freed)
        return;
    connection->is_freed = true;
    stream_free(connection->stream);
    connection->stream = NULL;
    loop_defer_free(connection->refusals);
    if (connection->dispatching == 0)
        destroy(connection);
}

static void
add_pending(struct connection *connection, int64_t id,
            connection_reply_fn on_reply, void *user)
{
    if (connection->pending_count == connection->pending_capacity) {
        connection->pending_capacity =
            connection->pending_capacity ? connection->pending_capacity * 2 : 8;
        connection->pending =
            xreallocarray(connection->pending, connection->pending_capacity,
                          sizeof(struct pending));
    }
    connection->pending[connection->pending_count++] =
        (struct pending){.id = id, .on_reply = on_reply, .user = user};
}

void
connection_execute(struct connection *connection, const char *method,
                   json_t *arguments, connection_reply_fn on_reply, void *user)
{
    int64_t id = connection->next_id++;
    add_pending(connection, id, on_reply, user);
    if (!connection->stream) {
        json_decref(arguments);
        loop_defer_request(connection->refusals);
        return;
    }
    json_t *command = codec_command(method, arguments, json_integer(id));
    stream_send(connection->stream, command);
    json_decref(command);
}

void
connection_execute_quiet(struct connection *connection, const char *method,
                         json_t *arguments)
{
    if (!connection->stream) {
        json_decref(arguments);
        return;
    }
    json_t *command = codec_command(method, arguments, NULL);
    stream_send(connection->stream, command);
    json_decref(command);
}

void
connection_execute_text(struct connection *connection, const char *method,
                        const struct buffer *arguments)
{
    struct buffer *line = &connection->line;
    if (!connection->stream)
        return;
    buffer_reset(line);
    buffer_append_text(line, "{\"execute\":\"");
    buffer_append_text(line, method);
    buffer_append_text(line, "\",\"arguments\":");
    buffer_append(line, arguments->data, arguments->len);
    buffer_append_text(line, "}\n");
    stream_send_bytes(connection->stream, line->data, line->len);
    if (line->capacity > LINE_KEPT_BYTES)
        buffer_finish(line);
}

const char *
connection_server_version(const struct connection *connection)
{
    return connection->server_version;
}
