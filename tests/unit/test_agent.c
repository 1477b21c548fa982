#include "base/json.h"
#include "qemu/agent.h"
#include "scratch.h"
#include "until.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* A scripted agent behind QEMU's socket, and what the client was told. */
struct port {
    uv_loop_t loop;
    char *directory;
    char *path;
    int listener;
    int peer; /* -1: nobody connected */
    struct agent *agent;
    size_t replies;
    json_t *value; /* of the last reply */
    struct error error;
};

static int
set_up(void **state)
{
    struct port *port = xcalloc(1, sizeof(*port));
    uv_loop_init(&port->loop);
    port->directory = scratch_new();
    port->path = scratch_path(port->directory, "agent");
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, port->path, strlen(port->path) + 1);
    port->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(port->listener, (struct sockaddr *)&at, sizeof(at)),
                     0);
    assert_int_equal(listen(port->listener, 4), 0);
    port->peer = -1;
    port->agent = agent_new(&port->loop, port->path);
    *state = port;
    return 0;
}

static int
tear_down(void **state)
{
    struct port *port = *state;
    agent_free(port->agent);
    assert_true(until_closed(&port->loop));
    if (port->peer >= 0)
        (void)close(port->peer);
    (void)close(port->listener);
    json_decref(port->value);
    free(port->path);
    scratch_remove(port->directory);
    free(port);
    return 0;
}

static void
on_reply(void *data, const json_t *value, const struct error *error)
{
    struct port *port = data;
    port->replies++;
    json_decref(port->value);
    port->value = value ? json_deep_copy(value) : NULL;
    port->error = error ? *error : (struct error){0};
}

static bool
is_answered(void *data)
{
    const struct port *port = data;
    return port->replies > 0;
}

static void
ask(struct port *port, unsigned flags, uint64_t timeout_ms)
{
    assert_true(agent_ask(port->agent, "guest-ping", NULL, flags, timeout_ms,
                          on_reply, port, NULL));
}

static void
take_connection(struct port *port)
{
    while (port->peer < 0) {
        uv_run(&port->loop, UV_RUN_NOWAIT);
        port->peer =
            accept4(port->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    }
}

/* Reads a line that the client wrote, without the sentinel before it. */
static json_t *
hear(struct port *port)
{
    char line[4096];
    size_t len = 0;
    while (len < sizeof(line) - 1) {
        ssize_t got = recv(port->peer, line + len, 1, 0);
        if (got <= 0) {
            uv_run(&port->loop, UV_RUN_NOWAIT);
            continue;
        }
        if (line[len] == '\xff')
            continue;
        if (line[len++] == '\n')
            break;
    }
    return json_loadb(line, len, 0, NULL);
}

static void
say(const struct port *port, const char *text, size_t len)
{
    assert_int_equal(send(port->peer, text, len, MSG_NOSIGNAL), len);
}

static void
say_text(const struct port *port, const char *text)
{
    say(port, text, strlen(text));
}

/* Answers guest-sync-delimited, with the sentinel. */
static void
get_in_step(struct port *port)
{
    take_connection(port);
    json_t *sync = hear(port);
    assert_string_equal(json_string_value(json_object_get(sync, "execute")),
                        "guest-sync-delimited");
    json_int_t id = json_integer_value(
        json_object_get(json_object_get(sync, "arguments"), "id"));
    char *text = xasprintf("\xff{\"return\": %lld}\n", (long long)id);
    say_text(port, text);
    free(text);
    json_decref(sync);
}

static void
expect_question(struct port *port)
{
    json_t *question = hear(port);
    assert_string_equal(json_string_value(json_object_get(question, "execute")),
                        "guest-ping");
    json_decref(question);
}

static void
a_question_is_answered(void **state)
{
    struct port *port = *state;
    ask(port, AGENT_REPLIES, 0);
    get_in_step(port);
    expect_question(port);
    say_text(port, "{\"return\": [1, {\"a\": 2}]}\n");
    assert_true(run_until(&port->loop, is_answered, port));
    assert_int_equal(port->error.code, ERROR_CODE_NONE);
    assert_int_equal(json_array_size(port->value), 2);
}

static void
what_was_said_before_the_agent_is_in_step_is_passed_over(void **state)
{
    struct port *port = *state;
    ask(port, AGENT_REPLIES, 0);
    take_connection(port);
    say_text(port, "{\"return\": \"a dead client's\"}\n"
                   "{\"return\": 1}\n}}}garbage{{{\n{\"error\": {\"desc\": "
                   "\"x\"}}\n\x01\x02 half a line without an end");
    get_in_step(port);
    expect_question(port);
    say_text(port, "{\"return\": \"ours\"}\n");
    assert_true(run_until(&port->loop, is_answered, port));
    assert_string_equal(json_string_value(port->value), "ours");
}

static void
an_agent_that_refuses_is_quoted_fit_to_show(void **state)
{
    struct port *port = *state;
    ask(port, AGENT_REPLIES, 0);
    get_in_step(port);
    expect_question(port);
    say_text(port, "{\"error\": {\"class\": \"X\", \"desc\": "
                   "\"no \\u001b[31m way\"}}\n");
    assert_true(run_until(&port->loop, is_answered, port));
    assert_int_equal(port->error.code, ERROR_CODE_GUEST);
    assert_non_null(strstr(port->error.text, "the guest agent says: no "));
    assert_null(strchr(port->error.text, '\033'));
}

static void
a_silent_agent_is_given_up(void **state)
{
    struct port *port = *state;
    ask(port, AGENT_REPLIES, 20);
    take_connection(port);
    assert_true(run_until(&port->loop, is_answered, port));
    assert_int_equal(port->error.code, ERROR_CODE_TIMEOUT);
    assert_non_null(strstr(port->error.text, "qemu-guest-agent"));
}

static void
an_agent_that_never_ends_its_reply_is_given_up(void **state)
{
    struct port *port = *state;
    static char flood[65536];
    memset(flood, 'x', sizeof(flood));
    ask(port, AGENT_REPLIES, 0);
    get_in_step(port);
    expect_question(port);
    while (!port->replies) {
        (void)send(port->peer, flood, sizeof(flood),
                   MSG_NOSIGNAL | MSG_DONTWAIT);
        uv_run(&port->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(port->error.code, ERROR_CODE_PROTOCOL);
}

static void
replies_that_make_no_sense_are_failures(void **state)
{
    static const char *const senseless[] = {
        "{\"return\":\n",
        "[1,2]\n",
        "42\n",
        "\x80\x81\n",
        "{\"return\":1,\"return\":2}\n",
    };
    struct port *port = *state;
    for (size_t i = 0; i < sizeof(senseless) / sizeof(senseless[0]); i++) {
        port->replies = 0;
        ask(port, AGENT_REPLIES, 0);
        get_in_step(port);
        expect_question(port);
        say_text(port, senseless[i]);
        assert_true(run_until(&port->loop, is_answered, port));
        assert_int_equal(port->error.code, ERROR_CODE_PROTOCOL);
        (void)close(port->peer);
        port->peer = -1;
    }
}

static void
a_port_that_closes_is_a_failure_and_the_next_question_connects(void **state)
{
    struct port *port = *state;
    ask(port, AGENT_REPLIES, 0);
    get_in_step(port);
    (void)close(port->peer);
    port->peer = -1;
    assert_true(run_until(&port->loop, is_answered, port));
    assert_int_equal(port->error.code, ERROR_CODE_PROTOCOL);
    port->replies = 0;
    ask(port, AGENT_REPLIES, 0);
    get_in_step(port);
    expect_question(port);
    say_text(port, "{\"return\": {}}\n");
    assert_true(run_until(&port->loop, is_answered, port));
    assert_int_equal(port->error.code, ERROR_CODE_NONE);
}

static void
a_command_without_a_reply_is_done_when_it_is_sent(void **state)
{
    struct port *port = *state;
    ask(port, AGENT_SILENT, 0);
    get_in_step(port);
    assert_true(run_until(&port->loop, is_answered, port));
    assert_int_equal(port->error.code, ERROR_CODE_NONE);
    expect_question(port);
}

static void
questions_go_one_after_the_other_and_are_limited(void **state)
{
    struct port *port = *state;
    struct error error = {0};
    for (int i = 0; i < AGENT_MAX_WAITING; i++)
        ask(port, AGENT_REPLIES, 0);
    assert_false(agent_ask(port->agent, "guest-ping", json_object(), 0, 0,
                           on_reply, port, &error));
    assert_int_equal(error.code, ERROR_CODE_LIMIT);
    for (int i = 0; i < 3; i++) {
        port->replies = 0;
        get_in_step(port);
        expect_question(port);
        say_text(port, "{\"return\": {}}\n");
        assert_true(run_until(&port->loop, is_answered, port));
        assert_int_equal(port->replies, 1);
        (void)close(port->peer);
        port->peer = -1;
    }
    port->replies = 0;
    agent_free(port->agent);
    assert_int_equal(port->replies, AGENT_MAX_WAITING - 3);
    assert_int_equal(port->error.code, ERROR_CODE_STATE);
    port->agent = NULL;
}

static void
without_a_socket_the_question_fails(void **state)
{
    struct port *port = *state;
    (void)unlink(port->path);
    ask(port, AGENT_REPLIES, 0);
    assert_true(run_until(&port->loop, is_answered, port));
    assert_int_equal(port->error.code, ERROR_CODE_IO);
}

int
main(void)
{
#define PORT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        PORT(a_question_is_answered),
        PORT(what_was_said_before_the_agent_is_in_step_is_passed_over),
        PORT(an_agent_that_refuses_is_quoted_fit_to_show),
        PORT(a_silent_agent_is_given_up),
        PORT(an_agent_that_never_ends_its_reply_is_given_up),
        PORT(replies_that_make_no_sense_are_failures),
        PORT(a_port_that_closes_is_a_failure_and_the_next_question_connects),
        PORT(a_command_without_a_reply_is_done_when_it_is_sent),
        PORT(questions_go_one_after_the_other_and_are_limited),
        PORT(without_a_socket_the_question_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
