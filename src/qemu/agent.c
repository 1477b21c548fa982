#include "qemu/agent.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "wire/codec.h"
#include "wire/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes read in one loop turn. */
#define READ_BYTES 65536
/* Columns of the agent's words that an error shows. */
#define SHOWN_COLS 200
/* What begins the reply to guest-sync-delimited, and resets the agent's parser
 * before it: no UTF-8 text has it. */
#define SENTINEL '\xff'

struct question {
    struct question *next;
    char *line; /* owned: the command, encoded */
    size_t len;
    unsigned flags;
    uint64_t timeout_ms;
    agent_reply_fn on_reply;
    void *data;
};

struct agent {
    uv_loop_t *loop; /* borrowed */
    char *path;
    struct question *waiting; /* owned list: the first one is under way */
    struct loop_defer *start; /* owned: begins with the first one */
    struct loop_timer *limit; /* owned */
    struct codec codec;
    int fd; /* -1: nothing under way */
    struct loop_poll *poll;
    json_int_t sync; /* the number that the agent has to repeat */
    size_t read_bytes;
    bool is_in_step; /* it did: the next reply is the question's */
};

static void begin(void *data);
static void on_limit(void *data);

struct agent *
agent_new(uv_loop_t *loop, const char *path)
{
    struct agent *agent = xcalloc(1, sizeof(*agent));
    agent->loop = loop;
    agent->path = xstrdup(path);
    agent->fd = -1;
    agent->start = loop_defer_new(loop, begin, agent);
    agent->limit = loop_timer_new(loop, on_limit, agent);
    /* Another number than that of a client that died. */
    agent->sync = (json_int_t)(uv_hrtime() & 0x3fffffff);
    codec_init(&agent->codec, AGENT_MAX_LINE_BYTES);
    return agent;
}

static void
hang_up(struct agent *agent)
{
    loop_timer_stop(agent->limit);
    loop_poll_free(agent->poll);
    agent->poll = NULL;
    if (agent->fd >= 0)
        (void)close(agent->fd);
    agent->fd = -1;
    codec_finish(&agent->codec);
    codec_init(&agent->codec, AGENT_MAX_LINE_BYTES);
}

/* The first question is answered; the next one begins in the next turn. */
static void
answer(struct agent *agent, const json_t *value, const struct error *error)
{
    struct question *question = agent->waiting;
    agent->waiting = question->next;
    hang_up(agent);
    if (agent->waiting)
        loop_defer_request(agent->start);
    question->on_reply(question->data, value, error);
    free(question->line);
    free(question);
}

void
agent_free(struct agent *agent)
{
    if (!agent)
        return;
    struct error error = {0};
    error_set(&error, ERROR_CODE_STATE, "the guest ended");
    hang_up(agent);
    loop_defer_free(agent->start);
    loop_timer_free(agent->limit);
    while (agent->waiting) {
        struct question *question = agent->waiting;
        agent->waiting = question->next;
        question->on_reply(question->data, NULL, &error);
        free(question->line);
        free(question);
    }
    codec_finish(&agent->codec);
    free(agent->path);
    loop_free_later(agent->loop, agent);
}

static void
fail(struct agent *agent, const char *text)
{
    struct error error = {0};
    error_set(&error, ERROR_CODE_PROTOCOL, "%s", text);
    answer(agent, NULL, &error);
}

static void
on_limit(void *data)
{
    struct agent *agent = data;
    struct error error = {0};
    error_set(&error, ERROR_CODE_TIMEOUT,
              "the guest agent does not answer: is qemu-guest-agent running in "
              "the guest?");
    answer(agent, NULL, &error);
}

/* Little enough for any socket that was just connected. */
static bool
write_all(struct agent *agent, const char *bytes, size_t len)
{
    return send(agent->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) ==
           (ssize_t)len;
}

/* In step: what comes now is for us. */
static void
send_question(struct agent *agent)
{
    const struct question *question = agent->waiting;
    agent->is_in_step = true;
    if (!write_all(agent, question->line, question->len))
        fail(agent, "the guest agent's port takes nothing");
    else if (question->flags & AGENT_SILENT)
        answer(agent, NULL, NULL);
}

/* The agent's own refusal. */
static void
take_error(struct agent *agent, const json_t *refusal)
{
    const char *words = json_string_value(json_object_get(refusal, "desc"));
    struct error error = {0};
    char *shown = text_printable(words ? words : "", words ? strlen(words) : 0,
                                 SHOWN_COLS, TEXT_ONE_LINE);
    error_set(&error, ERROR_CODE_GUEST, "the guest agent says: %s", shown);
    free(shown);
    answer(agent, NULL, &error);
}

static void
take_message(struct agent *agent, const json_t *message)
{
    const json_t *value = json_object_get(message, "return");
    const json_t *refusal = json_object_get(message, "error");
    if (agent->is_in_step && refusal)
        take_error(agent, refusal);
    else if (agent->is_in_step && value)
        answer(agent, value, NULL);
    else if (!agent->is_in_step && json_is_integer(value) &&
             json_integer_value(value) == agent->sync)
        send_question(agent);
}

static void
take_bytes(struct agent *agent, char *bytes, size_t len)
{
    struct error error = {0};
    json_t *message = NULL;
    /* A sentinel ends whatever came before it. */
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == SENTINEL)
            bytes[i] = '\n';
    }
    codec_feed(&agent->codec, bytes, len);
    while (agent->fd >= 0) {
        enum codec_result result = codec_next(&agent->codec, &message, &error);
        if (result == CODEC_RESULT_NONE)
            return;
        /* Garbage is passed over until the agent is in step. */
        if (result == CODEC_RESULT_FAULT && agent->is_in_step)
            fail(agent, "the guest agent's reply makes no sense");
        if (result != CODEC_RESULT_MESSAGE)
            continue;
        take_message(agent, message);
        json_decref(message);
    }
}

static void
on_event(void *data, int status, int events)
{
    struct agent *agent = data;
    (void)events;
    char *bytes = xmalloc(READ_BYTES);
    ssize_t got =
        status < 0 ? 0 : recv(agent->fd, bytes, READ_BYTES, MSG_DONTWAIT);
    if (got > 0) {
        agent->read_bytes += (size_t)got;
        if (agent->read_bytes > AGENT_MAX_READ_BYTES)
            fail(agent, "the guest agent's reply is too long");
        else
            take_bytes(agent, bytes, (size_t)got);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        fail(agent, "the guest agent's port was closed");
    }
    free(bytes);
}

static void
send_sync(struct agent *agent)
{
    struct buffer line = {0};
    agent->sync++;
    json_t *message = codec_command(
        "guest-sync-delimited", json_pack("{s:I}", "id", agent->sync), NULL);
    buffer_append_byte(&line, SENTINEL);
    codec_encode(message, &line);
    json_decref(message);
    if (!write_all(agent, line.data, line.len))
        fail(agent, "the guest agent's port takes nothing");
    buffer_finish(&line);
}

static void
begin(void *data)
{
    struct agent *agent = data;
    struct error error = {0};
    if (!agent->waiting || agent->fd >= 0)
        return;
    agent->is_in_step = false;
    agent->read_bytes = 0;
    agent->fd = stream_connect_unix(agent->path, &error);
    if (agent->fd < 0) {
        error_prefix(&error, "the guest agent's port");
        answer(agent, NULL, &error);
        return;
    }
    agent->poll = loop_poll_new(agent->loop, agent->fd, on_event, agent);
    loop_poll_set(agent->poll, UV_READABLE);
    loop_timer_start(agent->limit, agent->waiting->timeout_ms);
    send_sync(agent);
}

bool
agent_ask(struct agent *agent, const char *command, json_t *arguments,
          unsigned flags, uint64_t timeout_ms, agent_reply_fn on_reply,
          void *data, struct error *error)
{
    struct question **end = &agent->waiting;
    size_t count = 0;
    for (; *end; end = &(*end)->next)
        count++;
    if (count >= AGENT_MAX_WAITING) {
        json_decref(arguments);
        return error_set(error, ERROR_CODE_LIMIT,
                         "%zu questions wait for the guest agent already",
                         count);
    }
    struct buffer line = {0};
    json_t *message = codec_command(command, arguments, NULL);
    codec_encode(message, &line);
    json_decref(message);
    struct question *question = xcalloc(1, sizeof(*question));
    question->len = line.len;
    question->line = buffer_steal(&line);
    question->flags = flags;
    question->timeout_ms = timeout_ms ? timeout_ms : AGENT_TIMEOUT_MS;
    question->on_reply = on_reply;
    question->data = data;
    *end = question;
    if (count == 0)
        loop_defer_request(agent->start);
    return true;
}
