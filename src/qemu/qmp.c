#include "qemu/qmp.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "wire/codec.h"
#include "wire/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* ms between attempts to connect: doubled from the first to the last. */
#define RETRY_FIRST_MS 10u
#define RETRY_LAST_MS 60000u
/* Shorter troubles pass unmentioned: a QEMU that just starts or restarts. */
#define QUIET_MS 1500u
/* Lines that are no QMP, after which a connection is given up. */
#define MAX_FAULTS 16u
/* Columns of QEMU's own words that are passed on. */
#define WORDS_MAX_COLS 500u

enum qmp_state {
    QMP_STATE_IDLE,     /* no connection; perhaps a retry is planned */
    QMP_STATE_GREETING, /* connected, nothing heard */
    QMP_STATE_NEGOTIATING,
    QMP_STATE_READY,
};

struct pending {
    struct pending *next;
    uint64_t number; /* part of the id */
    uint64_t deadline_ms;
    uint64_t timeout_ms;
    char *command;
    qmp_reply_fn on_reply; /* NULL when it timed out or nobody asks */
    void *data;
};

struct qmp {
    uv_loop_t *loop;
    char *path; /* NULL: given a connected socket */
    const struct qmp_handlers *handlers;
    void *data;
    enum qmp_state state;
    struct stream *stream;    /* owned; NULL: not connected */
    struct loop_timer *retry; /* owned */
    struct loop_timer *watch; /* owned: greeting and replies */
    struct pending *first;    /* owned list, oldest first */
    struct pending **end;
    uint64_t next_number;
    uint64_t nonce; /* tells this connection's ids from a predecessor's */
    uint64_t retry_ms;
    uint64_t trouble_since_ms; /* 0: none */
    char *told_trouble;        /* the last one reported, or NULL */
    unsigned fault_count;
    pid_t peer_pid;
    bool is_freed; /* let go; the memory stays to the end of the loop turn */
};

static void try_connect(void *data);

static void
tell_trouble(struct qmp *qmp, const struct error *error)
{
    if (qmp->told_trouble && !strcmp(qmp->told_trouble, error->text))
        return;
    free(qmp->told_trouble);
    qmp->told_trouble = xstrdup(error->text);
    qmp->handlers->on_trouble(qmp->data, error);
}

static void
forget_trouble(struct qmp *qmp)
{
    free(qmp->told_trouble);
    qmp->told_trouble = NULL;
    qmp->trouble_since_ms = 0;
    qmp->retry_ms = RETRY_FIRST_MS;
}

/* Replies ------------------------------------------------------------------ */

static void
arm_watch(struct qmp *qmp)
{
    uint64_t earliest = UINT64_MAX;
    for (struct pending *at = qmp->first; at; at = at->next)
        if (at->deadline_ms < earliest)
            earliest = at->deadline_ms;
    if (earliest == UINT64_MAX) {
        loop_timer_stop(qmp->watch);
        return;
    }
    uint64_t now = clock_monotonic_ms();
    loop_timer_start(qmp->watch, earliest > now ? earliest - now : 0);
}

static struct pending *
take_pending(struct qmp *qmp, uint64_t number)
{
    for (struct pending **at = &qmp->first; *at; at = &(*at)->next) {
        struct pending *found = *at;
        if (found->number != number)
            continue;
        *at = found->next;
        if (!found->next)
            qmp->end = at;
        return found;
    }
    return NULL;
}

static void
free_pending(struct pending *pending)
{
    free(pending->command);
    free(pending);
}

/* Takes over pending. */
static void
answer(struct pending *pending, const json_t *value, const struct error *error)
{
    if (pending->on_reply)
        pending->on_reply(pending->data, value, error);
    free_pending(pending);
}

/* Fails everything that waits. */
static void
fail_all(struct qmp *qmp, const struct error *error)
{
    struct pending *at = qmp->first;
    qmp->first = NULL;
    qmp->end = &qmp->first;
    while (at) {
        struct pending *next = at->next;
        answer(at, NULL, error);
        at = next;
    }
}

/* Connection --------------------------------------------------------------- */

static void
disconnect(struct qmp *qmp)
{
    stream_free(qmp->stream);
    qmp->stream = NULL;
    qmp->state = QMP_STATE_IDLE;
    qmp->peer_pid = 0;
    loop_timer_stop(qmp->watch);
}

/* Gives the connection up for a reason and plans the next attempt. */
static void
drop(struct qmp *qmp, const struct error *error)
{
    bool was_connected = qmp->stream != NULL;
    disconnect(qmp);
    uint64_t now = clock_monotonic_ms();
    if (!qmp->trouble_since_ms)
        qmp->trouble_since_ms = now;
    if (qmp->path) {
        loop_timer_start(qmp->retry, qmp->retry_ms);
        qmp->retry_ms *= 2;
        if (qmp->retry_ms > RETRY_LAST_MS)
            qmp->retry_ms = RETRY_LAST_MS;
    }
    fail_all(qmp, error);
    if (was_connected && !qmp->is_freed && qmp->handlers->on_disconnect)
        qmp->handlers->on_disconnect(qmp->data);
    if (qmp->is_freed)
        return;
    bool is_worth_telling = !qmp->path || error->code == ERROR_CODE_PROTOCOL ||
                            now - qmp->trouble_since_ms >= QUIET_MS;
    if (is_worth_telling)
        tell_trouble(qmp, error);
}

static void
send_command(struct qmp *qmp, uint64_t number, const char *command,
             json_t *arguments)
{
    char id[64];
    (void)snprintf(id, sizeof(id), "guestmux-%016" PRIx64 "-%" PRIu64,
                   qmp->nonce, number);
    json_t *message = codec_command(command, arguments, json_string(id));
    stream_send(qmp->stream, message);
    json_decref(message);
}

/* The number in an id of this very connection; 0 for every other id. */
static uint64_t
own_number(const struct qmp *qmp, const json_t *message)
{
    const char *id = json_string_value(json_object_get(message, "id"));
    char prefix[64];
    int len = snprintf(prefix, sizeof(prefix), "guestmux-%016" PRIx64 "-",
                       qmp->nonce);
    if (!id || strncmp(id, prefix, (size_t)len) != 0)
        return 0;
    return strtoull(id + len, NULL, 10);
}

static struct pending *
expect_reply(struct qmp *qmp, const char *command, uint64_t timeout_ms,
             qmp_reply_fn on_reply, void *data)
{
    struct pending *pending = xcalloc(1, sizeof(*pending));
    pending->number = qmp->next_number++;
    pending->timeout_ms = timeout_ms ? timeout_ms : QMP_COMMAND_TIMEOUT_MS;
    pending->deadline_ms = clock_monotonic_ms() + pending->timeout_ms;
    pending->command = xstrdup(command);
    pending->on_reply = on_reply;
    pending->data = data;
    *qmp->end = pending;
    qmp->end = &pending->next;
    arm_watch(qmp);
    return pending;
}

static void
on_negotiated(void *data, const json_t *value, const struct error *error)
{
    struct qmp *qmp = data;
    if (qmp->is_freed || qmp->state != QMP_STATE_NEGOTIATING)
        return;
    if (!value && error->code != ERROR_CODE_GUEST) {
        drop(qmp, error);
        return;
    }
    /* A refusal says that negotiation is over already: as good. */
    qmp->state = QMP_STATE_READY;
    forget_trouble(qmp);
    qmp->handlers->on_ready(qmp->data);
}

static void
on_greeting(struct qmp *qmp)
{
    qmp->state = QMP_STATE_NEGOTIATING;
    loop_timer_stop(qmp->watch);
    /* no longer than a greeting: a QEMU that was stopped just now is told */
    struct pending *pending = expect_reply(
        qmp, "qmp_capabilities", QMP_GREETING_TIMEOUT_MS, on_negotiated, qmp);
    send_command(qmp, pending->number, pending->command, NULL);
}

/* QEMU's {"class", "desc"} as an error of ours. */
static void
guest_error(const struct pending *pending, const json_t *fault,
            struct error *error)
{
    const json_t *words = json_object_get(fault, "desc");
    char *text = json_is_string(words)
                     ? text_printable(json_string_value(words),
                                      json_string_length(words), WORDS_MAX_COLS,
                                      TEXT_ONE_LINE)
                     : xstrdup("no reason given");
    error_set(error, ERROR_CODE_GUEST, "QEMU refused %s: %s", pending->command,
              text);
    free(text);
}

static void
handle_reply(struct qmp *qmp, const json_t *message)
{
    uint64_t number = own_number(qmp, message);
    struct pending *pending = number ? take_pending(qmp, number) : NULL;
    if (!pending)
        return; /* a dead predecessor's, or one that came too late */
    const json_t *value = json_object_get(message, "return");
    struct error error = {0};
    if (!value)
        guest_error(pending, json_object_get(message, "error"), &error);
    answer(pending, value, value ? NULL : &error);
    if (!qmp->is_freed && qmp->stream)
        arm_watch(qmp);
}

/* -1 seconds stand for a clock that failed. */
static int64_t
time_of(const json_t *message)
{
    const json_t *stamp = json_object_get(message, "timestamp");
    int64_t s = json_integer_value(json_object_get(stamp, "seconds"));
    int64_t us = json_integer_value(json_object_get(stamp, "microseconds"));
    if (s <= 0 || s >= INT64_MAX / 1000 - 1 || us < 0 || us >= 1000000)
        return 0;
    return s * 1000 + us / 1000;
}

static void
handle_event(struct qmp *qmp, const json_t *message, const char *name)
{
    const json_t *data = json_object_get(message, "data");
    struct qmp_event event = {
        .name = name,
        .data = json_is_object(data) ? data : NULL,
        .at_ms = time_of(message),
    };
    qmp->handlers->on_event(qmp->data, &event);
}

static void
on_message(void *data, json_t *message)
{
    struct qmp *qmp = data;
    const char *event = json_string_value(json_object_get(message, "event"));
    bool is_reply =
        json_object_get(message, "return") || json_object_get(message, "error");
    if (qmp->state == QMP_STATE_GREETING) {
        /* Anything else here was meant for a client before us. */
        if (json_is_object(json_object_get(message, "QMP")))
            on_greeting(qmp);
    } else if (is_reply) {
        handle_reply(qmp, message);
    } else if (event && qmp->state == QMP_STATE_READY) {
        handle_event(qmp, message, event);
    }
}

static void
on_fault(void *data, const struct error *error)
{
    struct qmp *qmp = data;
    bool is_stranger = qmp->state == QMP_STATE_GREETING;
    if (!is_stranger && ++qmp->fault_count <= MAX_FAULTS)
        return; /* the stream is in step again at the next line */
    struct error fault = *error;
    fault.code = ERROR_CODE_PROTOCOL;
    error_prefix(&fault, "what answers at %s is no QEMU monitor",
                 qmp->path ? qmp->path : "the monitor's socket");
    drop(qmp, &fault);
}

static void
on_close(void *data, const struct error *error)
{
    struct qmp *qmp = data;
    struct error fault = {0};
    if (error)
        fault = *error;
    else
        error_set(&fault, ERROR_CODE_IO, "QEMU closed the connection");
    error_prefix(&fault, "the monitor's connection broke");
    drop(qmp, &fault);
}

static const struct stream_handlers stream_handlers = {
    .on_message = on_message,
    .on_fault = on_fault,
    .on_close = on_close,
};

static void
take_socket(struct qmp *qmp, int fd)
{
    static const struct stream_limits limits = {
        .max_line_bytes = QMP_MAX_LINE_BYTES,
        .max_queue_bytes = QMP_MAX_QUEUE_BYTES,
    };
    struct ucred peer = {0};
    socklen_t len = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
        qmp->peer_pid = peer.pid;
    if (getrandom(&qmp->nonce, sizeof(qmp->nonce), GRND_NONBLOCK) !=
        (ssize_t)sizeof(qmp->nonce))
        qmp->nonce = clock_monotonic_ns(); /* only has to differ */
    qmp->fault_count = 0;
    qmp->state = QMP_STATE_GREETING;
    qmp->stream = stream_new(qmp->loop, fd, &limits, &stream_handlers, qmp);
    loop_timer_start(qmp->watch, QMP_GREETING_TIMEOUT_MS);
}

static void
try_connect(void *data)
{
    struct qmp *qmp = data;
    struct error error = {0};
    int fd = stream_connect_unix(qmp->path, &error);
    if (fd >= 0)
        take_socket(qmp, fd);
    else
        drop(qmp, &error);
}

static void
fail_late_replies(struct qmp *qmp)
{
    uint64_t now = clock_monotonic_ms();
    for (struct pending *at = qmp->first, *next; at && !qmp->is_freed;
         at = next) {
        next = at->next;
        if (at->deadline_ms > now)
            continue;
        struct error error = {0};
        error_set(&error, ERROR_CODE_TIMEOUT,
                  "QEMU did not answer %s within %" PRIu64 " ms", at->command,
                  at->timeout_ms);
        uint64_t number = at->number;
        answer(take_pending(qmp, number), NULL, &error);
        next = qmp->first; /* the handler may have changed the list */
    }
    if (!qmp->is_freed && qmp->stream)
        arm_watch(qmp);
}

static void
on_watch(void *data)
{
    struct qmp *qmp = data;
    if (qmp->state != QMP_STATE_GREETING) {
        fail_late_replies(qmp);
        return;
    }
    struct error error = {0};
    error_set(&error, ERROR_CODE_TIMEOUT,
              "the monitor took the connection but says nothing: QEMU is "
              "stopped or busy, or another program holds its monitor");
    tell_trouble(qmp, &error);
}

/* Life --------------------------------------------------------------------- */

static struct qmp *
new_qmp(uv_loop_t *loop, const struct qmp_handlers *handlers, void *data)
{
    struct qmp *qmp = xcalloc(1, sizeof(*qmp));
    qmp->loop = loop;
    qmp->handlers = handlers;
    qmp->data = data;
    qmp->end = &qmp->first;
    qmp->next_number = 1;
    qmp->retry_ms = RETRY_FIRST_MS;
    qmp->retry = loop_timer_new(loop, try_connect, qmp);
    qmp->watch = loop_timer_new(loop, on_watch, qmp);
    return qmp;
}

struct qmp *
qmp_new(uv_loop_t *loop, const char *path, const struct qmp_handlers *handlers,
        void *data)
{
    struct qmp *qmp = new_qmp(loop, handlers, data);
    qmp->path = xstrdup(path);
    try_connect(qmp);
    return qmp;
}

struct qmp *
qmp_new_fd(uv_loop_t *loop, int fd, const struct qmp_handlers *handlers,
           void *data)
{
    struct qmp *qmp = new_qmp(loop, handlers, data);
    take_socket(qmp, fd);
    return qmp;
}

void
qmp_free(struct qmp *qmp)
{
    if (!qmp || qmp->is_freed)
        return;
    qmp->is_freed = true;
    disconnect(qmp);
    loop_timer_free(qmp->retry);
    loop_timer_free(qmp->watch);
    struct error error = {0};
    error_set(&error, ERROR_CODE_STATE,
              "the monitor was let go before it answered");
    fail_all(qmp, &error);
    free(qmp->path);
    free(qmp->told_trouble);
    loop_free_later(qmp->loop, qmp);
}

bool
qmp_send(struct qmp *qmp, const char *command, json_t *arguments,
         uint64_t timeout_ms, qmp_reply_fn on_reply, void *data,
         struct error *error)
{
    if (!qmp_is_ready(qmp)) {
        json_decref(arguments);
        return error_set(error, ERROR_CODE_STATE,
                         "the monitor does not answer yet");
    }
    struct pending *pending =
        expect_reply(qmp, command, timeout_ms, on_reply, data);
    send_command(qmp, pending->number, command, arguments);
    return true;
}

bool
qmp_is_ready(const struct qmp *qmp)
{
    return qmp && qmp->state == QMP_STATE_READY;
}

pid_t
qmp_peer_pid(const struct qmp *qmp)
{
    return qmp->peer_pid;
}
