#include "cli/session.h"

#include "base/loop.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "client/identity.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

struct session_call {
    struct session *session;   /* borrowed */
    struct session_call *next; /* in the session's list */
    json_t *value;             /* owned reference, once done without error */
    struct error error;
    bool is_done;
    bool has_failed;
};

struct session {
    uv_loop_t loop;
    uv_signal_t interrupt;
    struct loop_timer *timer;      /* owned: of the present wait */
    struct connection *connection; /* owned */
    struct session_call *calls;    /* owned: unfinished ones */
    session_event_fn on_event;
    void *user;          /* borrowed: on_event's */
    struct error closed; /* why the connection ended */
    bool is_closed;
    bool is_interrupted;
    bool has_timed_out;
    bool has_input; /* something can be read from who waits' descriptor */
    bool has_reply; /* to any call, since somebody waited for that */
    int server_pid;
};

static void
on_event(void *user, const char *name, json_t *data)
{
    struct session *session = user;
    if (session->on_event)
        session->on_event(session->user, name, data);
}

static void
on_close(void *user, const struct error *error)
{
    struct session *session = user;
    session->closed = *error;
    session->is_closed = true;
}

static void
on_interrupt(uv_signal_t *handle, int number)
{
    (void)number;
    struct session *session = handle->data;
    session->is_interrupted = true;
}

static void
on_timeout(void *data)
{
    struct session *session = data;
    session->has_timed_out = true;
}

static const struct connection_handlers handlers = {
    .on_event = on_event,
    .on_close = on_close,
};

struct session *
session_open(const struct cli *cli, enum connection_start start,
             struct error *error)
{
    int fd = cli_connect(cli, start, error);
    if (fd < 0)
        return NULL;
    struct session *session = xcalloc(1, sizeof(*session));
    struct ucred peer;
    socklen_t len = sizeof(peer);
    session->server_pid = -1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
        session->server_pid = peer.pid;
    uv_loop_init(&session->loop);
    uv_signal_init(&session->loop, &session->interrupt);
    session->interrupt.data = session;
    session->timer = loop_timer_new(&session->loop, on_timeout, session);
    session->connection =
        connection_new(&session->loop, fd, &handlers, session);
    identity_tell(session->connection, cli->command->name, false);
    return session;
}

void
session_close(struct session *session)
{
    if (!session)
        return;
    connection_free(session->connection);
    loop_timer_free(session->timer);
    uv_close((uv_handle_t *)&session->interrupt, NULL);
    uv_run(&session->loop, UV_RUN_DEFAULT);
    uv_loop_close(&session->loop);
    while (session->calls) {
        struct session_call *call = session->calls;
        session->calls = call->next;
        json_decref(call->value);
        free(call);
    }
    free(session);
}

/* Runs the loop until *is_done, Ctrl-C or the timeout. What the two latter
 * leave undone may still come later. */
static bool
run_until(struct session *session, const bool *is_done, uint64_t timeout_ms,
          struct error *error)
{
    session->has_timed_out = false;
    uv_signal_start(&session->interrupt, on_interrupt, SIGINT);
    if (timeout_ms != SESSION_NO_TIMEOUT)
        loop_timer_start(session->timer, timeout_ms);
    while (!*is_done && !session->has_timed_out && !session->is_interrupted)
        uv_run(&session->loop, UV_RUN_ONCE);
    loop_timer_stop(session->timer);
    uv_signal_stop(&session->interrupt);
    if (*is_done)
        return true;
    if (session->is_interrupted)
        return error_set(error, ERROR_CODE_STATE, "interrupted");
    return error_set(error, ERROR_CODE_TIMEOUT,
                     "the server did not answer within %g s",
                     (double)timeout_ms / 1000.0);
}

static void
on_reply(void *user, json_t *value, const struct error *error)
{
    struct session_call *call = user;
    call->is_done = true;
    call->session->has_reply = true;
    call->has_failed = error != NULL;
    if (error)
        call->error = *error;
    else
        call->value = json_incref(value);
}

struct session_call *
session_begin(struct session *session, const char *method, json_t *arguments)
{
    struct session_call *call = xcalloc(1, sizeof(*call));
    call->session = session;
    call->next = session->calls;
    session->calls = call;
    connection_execute(session->connection, method, arguments, on_reply, call);
    return call;
}

static void
forget(struct session *session, struct session_call *call)
{
    struct session_call **link = &session->calls;
    while (*link != call)
        link = &(*link)->next;
    *link = call->next;
    json_decref(call->value);
    free(call);
}

bool
session_finish(struct session *session, struct session_call *call,
               uint64_t timeout_ms, json_t **ret_value, struct error *error)
{
    if (!run_until(session, &call->is_done, timeout_ms, error))
        return false; /* its reply may still come: session_close frees it */
    bool ok = !call->has_failed;
    if (!ok && error)
        *error = call->error;
    if (ok && ret_value)
        *ret_value = json_incref(call->value);
    forget(session, call);
    return ok;
}

bool
session_call(struct session *session, const char *method, json_t *arguments,
             uint64_t timeout_ms, json_t **ret_value, struct error *error)
{
    struct session_call *call = session_begin(session, method, arguments);
    return session_finish(session, call, timeout_ms, ret_value, error);
}

bool
session_call_is_done(const struct session_call *call)
{
    return call->is_done;
}

bool
session_wait_reply(struct session *session, uint64_t timeout_ms,
                   struct error *error)
{
    session->has_reply = false;
    return run_until(session, &session->has_reply, timeout_ms, error);
}

static void
on_input(void *data, int status, int events)
{
    struct session *session = data;
    (void)status;
    (void)events;
    session->has_input = session->has_reply = true; /* run_until ends */
}

/* Watches a descriptor and leaves it as it is: libuv makes what it polls
 * non-blocking, and a terminal's would stay so for whoever has it after us, and
 * for our own stderr, which would lose lines. */
static struct loop_poll *
watch_input(struct session *session, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    struct loop_poll *poll =
        loop_poll_new(&session->loop, fd, on_input, session);
    if (poll && flags >= 0)
        (void)fcntl(fd, F_SETFL, flags);
    if (poll)
        loop_poll_set(poll, UV_READABLE);
    return poll;
}

enum session_news
session_wait_news(struct session *session, int fd, uint64_t timeout_ms)
{
    struct error error = {0};
    struct loop_poll *poll = NULL;
    if (session->is_closed)
        return SESSION_NEWS_END;
    session->has_reply = session->has_input = false;
    if (fd >= 0)
        poll = watch_input(session, fd);
    bool is_done = run_until(session, &session->has_reply, timeout_ms, &error);
    loop_poll_free(poll);
    if (session->is_interrupted || session->is_closed)
        return SESSION_NEWS_END;
    if (!is_done)
        return SESSION_NEWS_TIME;
    return session->has_input ? SESSION_NEWS_INPUT : SESSION_NEWS_REPLY;
}

void
session_set_on_event(struct session *session, session_event_fn fn, void *user)
{
    session->on_event = fn;
    session->user = user;
}

bool
session_wait_closed(struct session *session, uint64_t timeout_ms,
                    struct error *error)
{
    return run_until(session, &session->is_closed, timeout_ms, error);
}

void
session_stop_waiting(struct session *session)
{
    session->is_closed = true;
}

bool
session_is_interrupted(const struct session *session)
{
    return session->is_interrupted;
}

int
session_fail(const struct session *session, const struct error *error)
{
    if (session && session->is_interrupted)
        return COMMAND_INTERRUPTED;
    return cli_fail(error);
}

int
session_server_pid(const struct session *session)
{
    return session->server_pid;
}

int
session_ask(const struct cli *cli, const char *method, json_t *arguments,
            uint64_t timeout_ms, session_tell_fn tell)
{
    struct error error = {0};
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    if (!session) {
        json_decref(arguments);
        return cli_fail(&error);
    }
    json_t *answer = NULL;
    int status = COMMAND_DONE;
    if (!session_call(session, method, arguments, timeout_ms, &answer, &error))
        status = session_fail(session, &error);
    else if (tell)
        status = tell(cli, answer);
    json_decref(answer);
    session_close(session);
    return status;
}
