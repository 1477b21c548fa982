#include "server/peer.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "config.h"
#include "server/api.h"
#include "server/clients.h"
#include "server/paste.h"
#include "server/server-internal.h"
#include "server/view.h"
#include "wire/codec.h"
#include "wire/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct peer {
    struct peer *next;
    struct server *server;    /* borrowed */
    struct stream *stream;    /* owned; NULL once closed */
    struct request *requests; /* owned by their handlers: linked list */
    size_t request_count;
    int64_t id;
    int64_t since_ms; /* wall clock */
    char *name;       /* owned: fit to show */
    char *program;    /* owned: the same */
    bool is_readonly;
    bool is_subscribed;
    bool has_lost_events; /* a GUEST_LIST is owed */
    bool has_credentials;
    struct ucred credentials;
};

struct request {
    struct request *next;
    struct server *server; /* borrowed */
    struct peer *peer;     /* borrowed; NULL when it is gone */
    json_t *id;            /* owned; NULL: the command had none */
    unsigned flags;        /* enum method_flags */
    void (*on_cancel)(void *data);
    void *cancel_data;
};

/* --- requests ---------------------------------------------------------------
 */

struct server *
request_server(const struct request *request)
{
    return request->server;
}

struct peer *
request_peer(const struct request *request)
{
    return request->peer;
}

void
request_on_cancel(struct request *request, void (*fn)(void *data), void *data)
{
    request->on_cancel = fn;
    request->cancel_data = data;
}

static void
request_finish(struct request *request, json_t *reply)
{
    struct peer *peer = request->peer;
    if (peer) {
        struct request **link = &peer->requests;
        while (*link != request)
            link = &(*link)->next;
        *link = request->next;
        peer->request_count--;
        if (reply)
            peer_send(peer, reply);
    }
    json_decref(reply);
    json_decref(request->id);
    free(request);
}

void
request_return(struct request *request, json_t *value)
{
    if (!request->id && (request->flags & METHOD_QUIET)) {
        json_decref(value);
        request_finish(request, NULL);
        return;
    }
    request_finish(request, codec_return(value, json_incref(request->id)));
}

void
request_fail(struct request *request, const struct error *error)
{
    request_finish(request, codec_error(error_code_name(error->code),
                                        error->text, json_incref(request->id)));
}

void
request_done(void *request, const struct error *error)
{
    if (error)
        request_fail(request, error);
    else
        request_return(request, NULL);
}

/* --- peers -------------------------------------------------------------------
 */

static json_t *
greeting(const struct server *server)
{
    int major = 0;
    int minor = 0;
    int micro = 0;
    (void)sscanf(GUESTMUX_VERSION, "%d.%d.%d", &major, &minor, &micro);
    return json_pack("{s:{s:{s:{s:i,s:i,s:i},s:s},s:[]},s:{s:s,s:i,s:s,s:i}}",
                     "QMP", "version", "qemu", "major", major, "minor", minor,
                     "micro", micro, "package", "guestmux-" GUESTMUX_VERSION,
                     "capabilities", "guestmux", "version", GUESTMUX_VERSION,
                     "api", API_VERSION, "server", server->paths->server, "pid",
                     (int)getpid());
}

static void
run_method(struct request *request, const struct method *method,
           const json_t *arguments)
{
    struct server *server = request->server;
    const struct peer *peer = request->peer;
    struct error error = {0};
    if (!method->run(request, arguments, &error))
        request_fail(request, &error);
    else if (method->deed)
        lifecycle_deed(server, peer, method, arguments);
}

/* A command that waits for the monitor of a guest that is being adopted. */
struct held {
    struct request *request; /* owned */
    const struct method *method;
    json_t *arguments; /* owned reference */
};

static void
on_monitor(void *data, const struct error *error)
{
    struct held *held = data;
    struct error gone = {0};
    if (!held->request->peer)
        error_set(&gone, ERROR_CODE_IO, "the client went away");
    if (error || gone.code)
        request_fail(held->request, error ? error : &gone);
    else
        run_method(held->request, held->method, held->arguments);
    json_decref(held->arguments);
    free(held);
}

/* A server that came just now asks the monitors of the guests that it found:
 * one that takes its time fails no command. */
static bool
hold(struct request *request, const struct method *method, json_t *arguments)
{
    size_t index = 0;
    struct error none = {0};
    struct guest *guest =
        method->flags & METHOD_MONITOR && !argument_boolean(arguments, "force")
            ? argument_console(request, arguments, &index, &none)
            : NULL;
    if (!guest || !guest_is_being_adopted(guest))
        return false;
    struct held *held = xcalloc(1, sizeof(*held));
    held->request = request;
    held->method = method;
    held->arguments = json_incref(arguments);
    return guest_await_monitor(guest, on_monitor, held);
}

static void
on_message(void *data, json_t *message)
{
    struct peer *peer = data;
    struct error error = {0};
    struct request *request = xcalloc(1, sizeof(*request));
    request->server = peer->server;
    request->peer = peer;
    request->id = json_incref(json_object_get(message, "id"));
    request->next = peer->requests;
    peer->requests = request;
    const struct method *method = NULL;
    json_t *arguments = NULL;
    if (++peer->request_count > PEER_MAX_REQUESTS) {
        error_set(&error, ERROR_CODE_LIMIT,
                  "%d of your commands wait for an answer already",
                  PEER_MAX_REQUESTS);
        request_fail(request, &error);
        return;
    }
    if (!api_check(message, &method, &arguments, &error)) {
        if (!method && error.code == ERROR_CODE_NOT_FOUND)
            request_finish(request, codec_error("CommandNotFound", error.text,
                                                json_incref(request->id)));
        else
            request_fail(request, &error);
        return;
    }
    request->flags = method->flags;
    if (peer->is_readonly && !(method->flags & METHOD_READS)) {
        error_set(&error, ERROR_CODE_DENIED,
                  "%s: this client is read-only, it may look but not act",
                  method->name);
        request_fail(request, &error);
        return;
    }
    if (!hold(request, method, arguments))
        run_method(request, method, arguments);
}

static void
on_fault(void *data, const struct error *error)
{
    struct peer *peer = data;
    json_t *reply =
        codec_error(error_code_name(error->code), error->text, NULL);
    peer_send(peer, reply);
    json_decref(reply);
}

static void
on_close(void *data, const struct error *error)
{
    (void)error;
    peer_close(data);
}

/* Whether no more commands are read, since nobody reads their answers. */
static bool
is_full(const struct peer *peer)
{
    return stream_pending_bytes(peer->stream) > PEER_COMMAND_QUEUE_BYTES;
}

static void
on_drained(void *data)
{
    struct peer *peer = data;
    if (peer->has_lost_events) {
        peer->has_lost_events = false;
        json_t *event =
            codec_event("GUEST_LIST", json_pack("{s:o}", "guests",
                                                registry_list(peer->server)));
        peer_send(peer, event);
        json_decref(event);
        clients_tell_all(peer->server, peer);
    }
    if (peer->stream && !is_full(peer))
        stream_set_reading(peer->stream, true);
}

static const struct stream_handlers peer_handlers = {
    .on_message = on_message,
    .on_fault = on_fault,
    .on_close = on_close,
    .on_drained = on_drained,
};

/* Tells a client in place of the greeting why there is none. */
static void
turn_away(int fd)
{
    struct error error = {0};
    struct buffer line = {0};
    error_set(&error, ERROR_CODE_LIMIT,
              "the server has %d clients already; close some first",
              PEER_MAX_COUNT);
    json_t *message =
        codec_error(error_code_name(error.code), error.text, NULL);
    codec_encode(message, &line);
    json_decref(message);
    /* a new socket takes a line at once */
    (void)!send(fd, line.data, line.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    buffer_finish(&line);
    (void)close(fd);
}

/* What a client is called before it says who it is. */
static char *
name_of_process(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return xstrdup("unknown");
    return xasprintf("process %d", (int)peer.pid);
}

void
peer_new(struct server *server, int fd)
{
    static const struct stream_limits limits = {
        .max_line_bytes = PEER_LINE_MAX_BYTES,
        .max_queue_bytes = PEER_QUEUE_MAX_BYTES,
    };
    if (server->peer_count >= PEER_MAX_COUNT) {
        turn_away(fd);
        return;
    }
    struct peer *peer = xcalloc(1, sizeof(*peer));
    peer->server = server;
    peer->id = ++server->next_peer_id;
    peer->since_ms = clock_wall_ms();
    peer->name = name_of_process(fd);
    peer->program = xstrdup("");
    peer->next = server->peers;
    server->peers = peer;
    server->peer_count++;
    socklen_t size = sizeof(peer->credentials);
    peer->has_credentials =
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer->credentials, &size) == 0;
    peer->stream = stream_new(&server->loop, fd, &limits, &peer_handlers, peer);
    json_t *hello = greeting(server);
    peer_send(peer, hello);
    json_decref(hello);
    server_check_idle(server);
}

void
peer_close(struct peer *peer)
{
    if (!peer->stream)
        return;
    stream_free(peer->stream);
    peer->stream = NULL;
    view_close_of_peer(peer->server, peer);
    clients_forget(peer->server, peer);
    while (peer->requests) {
        struct request *request = peer->requests;
        peer->requests = request->next;
        peer->request_count--;
        request->peer = NULL;
        if (request->on_cancel)
            request->on_cancel(request->cancel_data);
    }
    paste_forget_peer(peer->server, peer);
    peer->server->peer_count--;
    loop_defer_request(peer->server->peer_sweep);
    server_check_idle(peer->server);
}

void
peer_sweep(struct server *server)
{
    struct peer **link = &server->peers;
    while (*link) {
        struct peer *peer = *link;
        if (peer->stream) {
            link = &peer->next;
            continue;
        }
        *link = peer->next;
        free(peer->name);
        free(peer->program);
        free(peer);
    }
}

void
peer_free_all(struct server *server)
{
    for (struct peer *peer = server->peers; peer; peer = peer->next)
        peer_close(peer);
    peer_sweep(server);
}

void
peer_send(struct peer *peer, const json_t *message)
{
    if (!peer->stream)
        return;
    stream_send(peer->stream, message);
    if (is_full(peer))
        stream_set_reading(peer->stream, false);
}

void
peer_send_line(struct peer *peer, const char *line, size_t len)
{
    if (!peer->stream)
        return;
    stream_send_bytes(peer->stream, line, len);
    if (is_full(peer))
        stream_set_reading(peer->stream, false);
}

void
peer_send_event(struct peer *peer, const char *line, size_t len)
{
    if (!peer->stream)
        return;
    if (stream_pending_bytes(peer->stream) > PEER_EVENT_QUEUE_BYTES) {
        peer->has_lost_events = true;
        return;
    }
    stream_send_bytes(peer->stream, line, len);
}

void
peer_subscribe(struct peer *peer)
{
    peer->is_subscribed = true;
}

bool
peer_is_subscribed(const struct peer *peer)
{
    return peer->is_subscribed && peer->stream;
}

bool
peer_credentials(const struct peer *peer, pid_t *ret_pid, uid_t *ret_uid)
{
    if (!peer->has_credentials)
        return false;
    *ret_pid = peer->credentials.pid;
    *ret_uid = peer->credentials.uid;
    return true;
}

struct peer *
peer_next(const struct peer *peer)
{
    return peer->next;
}

/* Who it is ---------------------------------------------------------------- */

bool
peer_is_open(const struct peer *peer)
{
    return peer->stream != NULL;
}

int64_t
peer_id(const struct peer *peer)
{
    return peer->id;
}

const char *
peer_name(const struct peer *peer)
{
    return peer->name;
}

const char *
peer_program(const struct peer *peer)
{
    return peer->program;
}

int64_t
peer_since_ms(const struct peer *peer)
{
    return peer->since_ms;
}

bool
peer_is_readonly(const struct peer *peer)
{
    return peer->is_readonly;
}

void
peer_set_readonly(struct peer *peer)
{
    peer->is_readonly = true;
}

static void
set_text(char **slot, const char *text)
{
    if (!text)
        return;
    free(*slot);
    *slot =
        text_printable(text, strlen(text), PEER_NAME_MAX_COLS, TEXT_ONE_LINE);
}

void
peer_set_identity(struct peer *peer, const char *name, const char *program)
{
    set_text(&peer->name, name && name[0] ? name : NULL);
    set_text(&peer->program, program);
}
