#include "base/buffer.h"
#include "base/loop.h"
#include "base/xalloc.h"
#include "qemu/qmp.h"
#include "until.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define GREETING                                                               \
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, "        \
    "\"major\": 7}, \"package\": \"\"}, \"capabilities\": [\"oob\"]}}\r\n"

/* A monitor that says what the test writes, and the client on it. */
struct fixture {
    uv_loop_t loop;
    struct qmp *qmp;
    int peer;            /* the monitor's end */
    struct buffer heard; /* what the client sent and nobody took yet */
    unsigned ready_count;
    unsigned event_count;
    unsigned trouble_count;
    unsigned reply_count;
    unsigned error_count;
    char event[64];
    int64_t event_at_ms;
    char value[64];
    struct error trouble;
    struct error error;
    bool frees_on_reply;
    bool frees_on_event;
};

static void
on_ready(void *data)
{
    struct fixture *f = data;
    f->ready_count++;
}

static void
free_client(struct fixture *f)
{
    struct qmp *qmp = f->qmp;
    f->qmp = NULL;
    qmp_free(qmp);
}

static void
on_event(void *data, const struct qmp_event *event)
{
    struct fixture *f = data;
    f->event_count++;
    (void)snprintf(f->event, sizeof(f->event), "%s", event->name);
    f->event_at_ms = event->at_ms;
    if (f->frees_on_event)
        free_client(f);
}

static void
on_trouble(void *data, const struct error *error)
{
    struct fixture *f = data;
    f->trouble_count++;
    f->trouble = *error;
}

static void
on_reply(void *data, const json_t *value, const struct error *error)
{
    struct fixture *f = data;
    if (value) {
        f->reply_count++;
        const char *text = json_string_value(value);
        (void)snprintf(f->value, sizeof(f->value), "%s", text ? text : "");
    } else {
        f->error_count++;
        f->error = *error;
    }
    if (f->frees_on_reply)
        free_client(f);
}

static const struct qmp_handlers handlers = {
    .on_ready = on_ready,
    .on_event = on_event,
    .on_trouble = on_trouble,
};

static int
set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    int fds[2];
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
        0);
    uv_loop_init(&f->loop);
    f->peer = fds[0];
    f->qmp = qmp_new_fd(&f->loop, fds[1], &handlers, f);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    free_client(f);
    if (f->peer >= 0)
        close(f->peer);
    assert_true(until_closed(&f->loop));
    buffer_finish(&f->heard);
    free(f);
    return 0;
}

static void
say(struct fixture *f, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(send(f->peer, text, len, MSG_NOSIGNAL), len);
}

/* Takes the id of the next command that the client sent, which has to be
 * execute. The caller frees it. */
static char *
hear(struct fixture *f, const char *execute)
{
    char bytes[4096];
    ssize_t got;
    while ((got = recv(f->peer, bytes, sizeof(bytes), 0)) > 0)
        buffer_append(&f->heard, bytes, (size_t)got);
    char *end =
        f->heard.data ? memchr(f->heard.data, '\n', f->heard.len) : NULL;
    assert_non_null(end);
    size_t len = (size_t)(end - f->heard.data) + 1;
    json_t *message = json_loadb(f->heard.data, len, 0, NULL);
    assert_non_null(message);
    buffer_consume(&f->heard, len);
    assert_string_equal(json_string_value(json_object_get(message, "execute")),
                        execute);
    char *id = xstrdup(json_string_value(json_object_get(message, "id")));
    json_decref(message);
    return id;
}

static void
answer(struct fixture *f, const char *id, const char *member)
{
    char *line = xasprintf("{%s, \"id\": \"%s\"}\r\n", member, id);
    say(f, line);
    free(line);
}

static bool
has_greeting_been_answered(void *data)
{
    struct fixture *f = data;
    char byte;
    return recv(f->peer, &byte, 1, MSG_PEEK) == 1;
}

static bool
is_ready(void *data)
{
    return ((struct fixture *)data)->ready_count == 1;
}

static bool
has_reply(void *data)
{
    struct fixture *f = data;
    return f->reply_count + f->error_count > 0;
}

static bool
has_event(void *data)
{
    return ((struct fixture *)data)->event_count > 0;
}

static bool
has_trouble(void *data)
{
    return ((struct fixture *)data)->trouble_count > 0;
}

static void
negotiate(struct fixture *f)
{
    say(f, GREETING);
    assert_true(run_until(&f->loop, has_greeting_been_answered, f));
    char *id = hear(f, "qmp_capabilities");
    answer(f, id, "\"return\": {}");
    free(id);
    assert_true(run_until(&f->loop, is_ready, f));
    assert_true(qmp_is_ready(f->qmp));
}

static void
greeting_is_negotiated_and_a_command_answered(void **state)
{
    struct fixture *f = *state;
    negotiate(f);
    assert_true(qmp_send(f->qmp, "query-x", NULL, 0, on_reply, f, NULL));
    char *id = hear(f, "query-x");
    answer(f, id, "\"return\": \"yes\"");
    free(id);
    assert_true(run_until(&f->loop, has_reply, f));
    assert_string_equal(f->value, "yes");
    assert_int_equal(f->trouble_count, 0);
}

static void
command_before_the_greeting_is_refused(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    assert_false(
        qmp_send(f->qmp, "stop", json_object(), 0, on_reply, f, &error));
    assert_int_equal(error.code, ERROR_CODE_STATE);
}

static void
what_comes_before_the_greeting_is_ignored(void **state)
{
    struct fixture *f = *state;
    say(f, "{\"return\": {\"status\": \"running\"}}\r\n"
           "{\"event\": \"STOP\", \"timestamp\": {}}\r\n");
    negotiate(f);
    assert_int_equal(f->event_count, 0);
}

static void
replies_with_foreign_or_no_id_are_dropped(void **state)
{
    struct fixture *f = *state;
    negotiate(f);
    assert_true(qmp_send(f->qmp, "query-x", NULL, 0, on_reply, f, NULL));
    char *id = hear(f, "query-x");
    say(f, "{\"return\": \"no id\"}\r\n");
    answer(f, "guestmux-0000000000000000-2", "\"return\": \"a predecessor's\"");
    say(f, "{\"return\": \"number\", \"id\": 2}\r\n");
    say(f, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"x\"}}\r\n");
    answer(f, id, "\"return\": \"mine\"");
    free(id);
    assert_true(run_until(&f->loop, has_reply, f));
    assert_string_equal(f->value, "mine");
    assert_int_equal(f->reply_count, 1);
    assert_int_equal(f->error_count, 0);
}

static void
refusal_carries_the_monitors_words_without_controls(void **state)
{
    struct fixture *f = *state;
    negotiate(f);
    assert_true(qmp_send(f->qmp, "cont", NULL, 0, on_reply, f, NULL));
    char *id = hear(f, "cont");
    answer(f, id,
           "\"error\": {\"class\": \"GenericError\", "
           "\"desc\": \"not \\u001b[31mnow\"}");
    free(id);
    assert_true(run_until(&f->loop, has_reply, f));
    assert_int_equal(f->error.code, ERROR_CODE_GUEST);
    assert_non_null(strstr(f->error.text, "cont"));
    assert_non_null(strstr(f->error.text, "now"));
    assert_null(strchr(f->error.text, '\033'));
}

static void
event_is_told(void **state)
{
    struct fixture *f = *state;
    negotiate(f);
    say(f, "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true}, "
           "\"timestamp\": {\"seconds\": 1, \"microseconds\": 2999}}\r\n");
    assert_true(run_until(&f->loop, has_event, f));
    assert_string_equal(f->event, "SHUTDOWN");
    assert_int_equal(f->event_at_ms, 1002);
    /* QEMU's clock failed */
    say(f, "{\"event\": \"STOP\", "
           "\"timestamp\": {\"seconds\": -1, \"microseconds\": -1}}\r\n");
    f->event_count = 0;
    assert_true(run_until(&f->loop, has_event, f));
    assert_string_equal(f->event, "STOP");
    assert_int_equal(f->event_at_ms, 0);
}

static void
late_command_times_out_and_its_reply_is_dropped(void **state)
{
    struct fixture *f = *state;
    negotiate(f);
    assert_true(qmp_send(f->qmp, "slow", NULL, 1, on_reply, f, NULL));
    char *id = hear(f, "slow");
    assert_true(run_until(&f->loop, has_reply, f));
    assert_int_equal(f->error.code, ERROR_CODE_TIMEOUT);
    answer(f, id, "\"return\": \"late\"");
    free(id);
    f->error_count = 0;
    assert_true(qmp_send(f->qmp, "next", NULL, 0, on_reply, f, NULL));
    id = hear(f, "next");
    answer(f, id, "\"return\": \"next\"");
    free(id);
    assert_true(run_until(&f->loop, has_reply, f));
    assert_string_equal(f->value, "next");
    assert_int_equal(f->reply_count, 1);
}

static void
death_in_mid_command_fails_the_command(void **state)
{
    struct fixture *f = *state;
    negotiate(f);
    assert_true(qmp_send(f->qmp, "quit", NULL, 0, on_reply, f, NULL));
    close(f->peer);
    f->peer = -1;
    assert_true(run_until(&f->loop, has_reply, f));
    assert_int_equal(f->error_count, 1);
    assert_int_equal(f->error.code, ERROR_CODE_IO);
    assert_true(run_until(&f->loop, has_trouble, f));
    assert_false(qmp_is_ready(f->qmp));
}

static void
garbage_instead_of_a_greeting_is_told(void **state)
{
    struct fixture *f = *state;
    say(f, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
    assert_true(run_until(&f->loop, has_trouble, f));
    assert_int_equal(f->trouble.code, ERROR_CODE_PROTOCOL);
    assert_non_null(strstr(f->trouble.text, "no QEMU monitor"));
}

static void
garbage_between_messages_is_survived_a_few_times(void **state)
{
    struct fixture *f = *state;
    negotiate(f);
    say(f, "}{ \xff nonsense\r\n\r\n[1]\r\n\"text\"\r\n");
    say(f, "{\"event\": \"STOP\", \"data\": 7}\r\n");
    assert_true(run_until(&f->loop, has_event, f));
    assert_int_equal(f->trouble_count, 0);
    for (int i = 0; i < 40; i++)
        say(f, "garbage\r\n");
    assert_true(run_until(&f->loop, has_trouble, f));
    assert_int_equal(f->trouble.code, ERROR_CODE_PROTOCOL);
}

static void
deep_nesting_is_dropped(void **state)
{
    struct fixture *f = *state;
    negotiate(f);
    struct buffer line = {0};
    buffer_append_text(&line, "{\"event\": \"STOP\", \"data\": ");
    for (int i = 0; i < 20000; i++)
        buffer_append_byte(&line, '[');
    for (int i = 0; i < 20000; i++)
        buffer_append_byte(&line, ']');
    buffer_append_text(&line, "}\r\n");
    say(f, line.data);
    buffer_finish(&line);
    say(f, "{\"event\": \"RESUME\"}\r\n");
    assert_true(run_until(&f->loop, has_event, f));
    assert_string_equal(f->event, "RESUME");
    assert_int_equal(f->event_count, 1);
}

/* Writes a line of 64 MiB while the loop runs. */
struct flood {
    struct fixture *f;
    struct loop_poll *poll;
    size_t left;
};

static void
on_flood(void *data, int status, int events)
{
    static char chunk[65536];
    struct flood *flood = data;
    (void)status;
    (void)events;
    memset(chunk, 'a', sizeof(chunk));
    while (flood->left) {
        ssize_t put = send(flood->f->peer, chunk, sizeof(chunk), MSG_NOSIGNAL);
        if (put < 0)
            return;
        flood->left -= (size_t)put < flood->left ? (size_t)put : flood->left;
    }
    loop_poll_set(flood->poll, 0);
}

static bool
is_flooded(void *data)
{
    return ((struct flood *)data)->left == 0;
}

static void
line_of_64_mib_is_dropped(void **state)
{
    struct fixture *f = *state;
    negotiate(f);
    struct flood flood = {.f = f, .left = 64u << 20};
    say(f, "{\"event\": \"");
    flood.poll = loop_poll_new(&f->loop, f->peer, on_flood, &flood);
    loop_poll_set(flood.poll, UV_WRITABLE);
    assert_true(run_until(&f->loop, is_flooded, &flood));
    loop_poll_free(flood.poll);
    int flags = fcntl(f->peer, F_GETFL);
    assert_true(flags >= 0);
    static const char tail[] = "\"}\r\n{\"event\": \"RESUME\"}\r\n";
    size_t sent = 0;
    while (sent < sizeof(tail) - 1) {
        ssize_t put =
            send(f->peer, tail + sent, sizeof(tail) - 1 - sent, MSG_NOSIGNAL);
        if (put > 0)
            sent += (size_t)put;
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_true(run_until(&f->loop, has_event, f));
    assert_string_equal(f->event, "RESUME");
}

static void
client_may_be_freed_in_a_reply(void **state)
{
    struct fixture *f = *state;
    negotiate(f);
    f->frees_on_reply = true;
    assert_true(qmp_send(f->qmp, "a", NULL, 0, on_reply, f, NULL));
    assert_true(qmp_send(f->qmp, "b", NULL, 0, on_reply, f, NULL));
    char *id = hear(f, "a");
    answer(f, id, "\"return\": \"yes\"");
    free(id);
    assert_true(run_until(&f->loop, has_reply, f));
    assert_int_equal(f->reply_count, 1);
    assert_int_equal(f->error_count, 1); /* b: let go unanswered */
    assert_int_equal(f->error.code, ERROR_CODE_STATE);
}

static void
client_may_be_freed_in_an_event(void **state)
{
    struct fixture *f = *state;
    negotiate(f);
    f->frees_on_event = true;
    say(f, "{\"event\": \"STOP\"}\r\n{\"event\": \"RESUME\"}\r\n");
    assert_true(run_until(&f->loop, has_event, f));
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(f->event_count, 1);
}

static void
silence_is_told_and_a_late_greeting_still_taken(void **state)
{
    struct fixture *f = *state;
    assert_true(run_until(&f->loop, has_trouble, f));
    assert_int_equal(f->trouble.code, ERROR_CODE_TIMEOUT);
    assert_non_null(strstr(f->trouble.text, "another program"));
    negotiate(f);
}

/* Sockets in the file system ----------------------------------------------- */

struct place {
    char dir[64];
    char path[128];
};

static void
make_place(struct place *place)
{
    (void)snprintf(place->dir, sizeof(place->dir), "/tmp/test-qmp-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    (void)snprintf(place->path, sizeof(place->path), "%s/n1.qmp", place->dir);
}

static void
remove_place(const struct place *place)
{
    (void)unlink(place->path);
    assert_int_equal(rmdir(place->dir), 0);
}

static void
listener_is_private_whatever_the_umask(void **state)
{
    (void)state;
    struct place place;
    make_place(&place);
    mode_t before = umask(0);
    int fd = qmp_listen(place.path, NULL);
    umask(before);
    assert_true(fd >= 0);
    struct stat info;
    assert_int_equal(stat(place.path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    close(fd);
    remove_place(&place);
}

static void
stale_socket_is_replaced_and_a_live_one_is_not(void **state)
{
    (void)state;
    struct place place;
    make_place(&place);
    struct error error = {0};
    int first = qmp_listen(place.path, &error);
    assert_true(first >= 0);
    assert_int_equal(qmp_probe(place.path, &error), getpid());
    assert_int_equal(qmp_listen(place.path, &error), -1);
    assert_int_equal(error.code, ERROR_CODE_EXISTS);
    assert_non_null(strstr(error.text, "runs already"));
    close(first);
    assert_int_equal(qmp_probe(place.path, &error), 0);
    int second = qmp_listen(place.path, &error);
    assert_true(second >= 0);
    close(second);
    remove_place(&place);
    assert_int_equal(qmp_probe(place.path, &error), 0);
}

static void
file_in_the_way_is_left_alone(void **state)
{
    (void)state;
    struct place place;
    make_place(&place);
    int file = open(place.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    close(file);
    struct error error = {0};
    assert_int_equal(qmp_listen(place.path, &error), -1);
    assert_int_equal(error.code, ERROR_CODE_EXISTS);
    assert_int_equal(access(place.path, F_OK), 0);
    remove_place(&place);
}

static void
refused_connection_is_tried_again(void **state)
{
    (void)state;
    struct place place;
    make_place(&place);
    struct fixture f = {.peer = -1};
    uv_loop_init(&f.loop);
    f.qmp = qmp_new(&f.loop, place.path, &handlers, &f);
    assert_int_equal(qmp_peer_pid(f.qmp), 0);
    for (int turn = 0; turn < 3; turn++)
        uv_run(&f.loop, UV_RUN_ONCE); /* retries that are refused */
    int listener = qmp_listen(place.path, NULL);
    assert_true(listener >= 0);
    /* Twice: the second time after the monitor broke the connection. */
    for (unsigned round = 0; round < 2; round++) {
        while (!qmp_peer_pid(f.qmp))
            uv_run(&f.loop, UV_RUN_ONCE);
        assert_int_equal(qmp_peer_pid(f.qmp), getpid());
        f.peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        assert_true(f.peer >= 0);
        f.ready_count = 0;
        negotiate(&f);
        close(f.peer);
        while (qmp_peer_pid(f.qmp))
            uv_run(&f.loop, UV_RUN_ONCE);
    }
    assert_int_equal(f.trouble_count, 0);
    free_client(&f);
    close(listener);
    assert_true(until_closed(&f.loop));
    buffer_finish(&f.heard);
    remove_place(&place);
}

#define SCRIPTED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCRIPTED(greeting_is_negotiated_and_a_command_answered),
        SCRIPTED(command_before_the_greeting_is_refused),
        SCRIPTED(what_comes_before_the_greeting_is_ignored),
        SCRIPTED(replies_with_foreign_or_no_id_are_dropped),
        SCRIPTED(refusal_carries_the_monitors_words_without_controls),
        SCRIPTED(event_is_told),
        SCRIPTED(late_command_times_out_and_its_reply_is_dropped),
        SCRIPTED(death_in_mid_command_fails_the_command),
        SCRIPTED(garbage_instead_of_a_greeting_is_told),
        SCRIPTED(garbage_between_messages_is_survived_a_few_times),
        SCRIPTED(deep_nesting_is_dropped),
        SCRIPTED(line_of_64_mib_is_dropped),
        SCRIPTED(client_may_be_freed_in_a_reply),
        SCRIPTED(client_may_be_freed_in_an_event),
        SCRIPTED(silence_is_told_and_a_late_greeting_still_taken),
        cmocka_unit_test(listener_is_private_whatever_the_umask),
        cmocka_unit_test(stale_socket_is_replaced_and_a_live_one_is_not),
        cmocka_unit_test(file_in_the_way_is_left_alone),
        cmocka_unit_test(refused_connection_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
