#include "base/buffer.h"
#include "client/connection.h"
#include "until.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define GREETING                                                               \
    "{\"QMP\": {\"version\": {}, \"capabilities\": []},"                       \
    "\"guestmux\": {\"version\": \"0.1.0\", \"api\": 1, \"server\": \"x\","    \
    "\"pid\": 1}}\n"

/* A scripted server's end of a socket pair, and the client on the other. */
struct fixture {
    uv_loop_t loop;
    struct connection *connection;
    int peer;
    char log[4096]; /* what happened, in order */
    bool frees_on_reply;
    bool sends_on_reply;
};

static void
note(struct fixture *f, const char *what, const char *text)
{
    size_t len = strlen(f->log);
    (void)snprintf(f->log + len, sizeof(f->log) - len, "%s(%s) ", what, text);
}

static void
on_event(void *user, const char *name, json_t *data)
{
    (void)data;
    note(user, "event", name);
}

static void
on_close(void *user, const struct error *error)
{
    note(user, "close", error_code_name(error->code));
}

static const struct connection_handlers handlers = {
    .on_event = on_event,
    .on_close = on_close,
};

static void
on_reply(void *user, json_t *value, const struct error *error)
{
    struct fixture *f = user;
    char text[128];
    if (error) {
        (void)snprintf(text, sizeof(text), "%s: %.60s",
                       error_code_name(error->code), error->text);
    } else {
        char *dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        (void)snprintf(text, sizeof(text), "%s", dump);
        free(dump);
    }
    note(f, "reply", text);
    if (f->frees_on_reply) {
        connection_free(f->connection);
        f->connection = NULL;
    } else if (f->sends_on_reply) {
        f->sends_on_reply = false;
        connection_execute(f->connection, "again", NULL, on_reply, f);
    }
}

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    int ends[2];
    uv_loop_init(&f->loop);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                   ends) < 0)
        return -1;
    f->peer = ends[1];
    f->connection = connection_new(&f->loop, ends[0], &handlers, f);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    connection_free(f->connection);
    bool is_clean = until_closed(&f->loop);
    if (f->peer >= 0)
        (void)close(f->peer);
    free(f);
    return is_clean ? 0 : -1;
}

static void
say(struct fixture *f, const char *text)
{
    assert_int_equal(write(f->peer, text, strlen(text)), strlen(text));
}

/* Everything is in this process: what was said is handled once turns of the
 * loop bring nothing new. */
static void
settle(struct fixture *f)
{
    size_t len = 0;
    int quiet = 0;
    while (quiet < 4) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        quiet = strlen(f->log) == len ? quiet + 1 : 0;
        len = strlen(f->log);
    }
}

static void
assert_heard(struct fixture *f, const char *text)
{
    char bytes[2048];
    settle(f);
    ssize_t len = read(f->peer, bytes, sizeof(bytes) - 1);
    bytes[len < 0 ? 0 : len] = '\0';
    assert_string_equal(bytes, text);
}

static void
replies_are_matched_by_id_in_any_order(void **state)
{
    struct fixture *f = *state;
    connection_execute(f->connection, "one", json_pack("{s:i}", "a", 1),
                       on_reply, f);
    connection_execute(f->connection, "two", NULL, on_reply, f);
    assert_heard(f, "{\"execute\":\"one\",\"arguments\":{\"a\":1},\"id\":1}\n"
                    "{\"execute\":\"two\",\"id\":2}\n");
    say(f, GREETING);
    say(f, "{\"return\": \"second\", \"id\": 2}\n");
    say(f, "{\"return\": \"nobody's\", \"id\": 77}\n");
    say(f, "{\"return\": \"nobody's\", \"id\": \"1\"}\n");
    say(f, "{\"error\": {\"class\": \"Timeout\", \"desc\": \"late\"}, "
           "\"id\": 1}\n");
    say(f, "{\"return\": \"twice\", \"id\": 1}\n");
    settle(f);
    assert_string_equal(f->log, "reply(\"second\") reply(Timeout: late) ");
    assert_string_equal(connection_server_version(f->connection), "0.1.0");
}

static void
events_and_quiet_failures_are_told(void **state)
{
    struct fixture *f = *state;
    say(f, GREETING "{\"event\": \"NOTICE\", \"data\": {}}\n"
                    "{\"event\": \"BARE\"}\n"
                    "{\"error\": {\"class\": \"State\", \"desc\": \"no\"}}\n"
                    "{\"something\": \"new\"}\n");
    connection_execute_quiet(f->connection, "view-ack", NULL);
    settle(f);
    assert_string_equal(f->log,
                        "event(NOTICE) event(BARE) event(COMMAND_FAILED) ");
    assert_heard(f, "{\"execute\":\"view-ack\"}\n");
}

static void
pending_commands_fail_when_the_server_goes(void **state)
{
    struct fixture *f = *state;
    say(f, GREETING);
    connection_execute(f->connection, "one", NULL, on_reply, f);
    connection_execute(f->connection, "two", NULL, on_reply, f);
    settle(f);
    (void)close(f->peer);
    f->peer = -1;
    settle(f);
    assert_string_equal(f->log, "reply(IO: the server closed the connection) "
                                "reply(IO: the server closed the connection) "
                                "close(IO) ");
    connection_execute(f->connection, "three", json_object(), on_reply, f);
    connection_execute_quiet(f->connection, "four", json_object());
    f->log[0] = '\0';
    settle(f);
    assert_string_equal(f->log, "reply(IO: the server closed the connection) ");
}

static void
a_command_sent_while_the_end_is_told_fails_too(void **state)
{
    struct fixture *f = *state;
    say(f, GREETING);
    f->sends_on_reply = true;
    connection_execute(f->connection, "one", NULL, on_reply, f);
    settle(f);
    (void)close(f->peer);
    f->peer = -1;
    settle(f);
    assert_string_equal(f->log, "reply(IO: the server closed the connection) "
                                "close(IO) "
                                "reply(IO: the server closed the connection) ");
}

static void
it_can_be_freed_in_its_own_callbacks(void **state)
{
    struct fixture *f = *state;
    say(f, GREETING);
    f->frees_on_reply = true;
    connection_execute(f->connection, "one", NULL, on_reply, f);
    connection_execute(f->connection, "two", NULL, on_reply, f);
    say(f, "{\"return\": 1, \"id\": 1}\n{\"return\": 2, \"id\": 2}\n");
    settle(f);
    assert_string_equal(f->log, "reply(1) ");
}

static void
it_can_be_freed_while_the_end_is_told(void **state)
{
    struct fixture *f = *state;
    f->frees_on_reply = true;
    connection_execute(f->connection, "one", NULL, on_reply, f);
    connection_execute(f->connection, "two", NULL, on_reply, f);
    settle(f);
    (void)close(f->peer);
    f->peer = -1;
    settle(f);
    assert_null(f->connection);
}

static void
strange_greetings_end_the_connection(void **state)
{
    static const char *const greetings[] = {
        "{\"QMP\": {}}\n",
        "{\"event\": \"NOTICE\"}\n",
        "{\"return\": {}, \"id\": 1}\n",
        "{\"QMP\": {}, \"guestmux\": {\"version\": 1, \"api\": 1}}\n",
        "{\"QMP\": {}, \"guestmux\": {\"version\": \"9\", \"api\": 2}}\n",
        "{\"QMP\": {}, \"guestmux\": {\"version\": \"9\"}}\n",
        "HTTP/1.1 400 Bad Request\n",
        "\xff\xfe\n",
    };
    for (size_t i = 0; i < sizeof(greetings) / sizeof(greetings[0]); i++) {
        if (i) {
            tear_down(state);
            set_up(state);
        }
        struct fixture *f = *state;
        connection_execute(f->connection, "one", NULL, on_reply, f);
        say(f, greetings[i]);
        settle(f);
        assert_non_null(strstr(f->log, "reply(Protocol"));
        assert_non_null(strstr(f->log, "close(Protocol) "));
        assert_null(connection_server_version(f->connection));
    }
}

static void
garbage_after_the_greeting_ends_the_connection(void **state)
{
    struct fixture *f = *state;
    say(f, GREETING "not json\n{\"event\": \"NOTICE\"}\n");
    settle(f);
    assert_string_equal(f->log, "close(Protocol) ");
}

/* Opening ------------------------------------------------------------------ */

static char directory[] = "/tmp/guestmux-test-XXXXXX";

static void
set_up_paths(struct paths *paths)
{
    strcpy(directory, "/tmp/guestmux-test-XXXXXX");
    assert_non_null(mkdtemp(directory));
    setenv("XDG_RUNTIME_DIR", directory, 1);
    setenv("XDG_STATE_HOME", directory, 1);
    setenv("XDG_DATA_HOME", directory, 1);
    struct error error = {0};
    if (!paths_init(paths, "t", &error))
        fail_msg("%s", error.text);
}

static void
tear_down_paths(struct paths *paths)
{
    paths_finish(paths);
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

/* A program that stands in for the server: a shell script. The caller frees
 * its path. */
static char *
write_script(const char *text)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/server", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "#!/bin/sh\n%s\n", text);
    (void)fclose(file);
    assert_int_equal(chmod(path, 0700), 0);
    return strdup(path);
}

static int
listen_at(const struct paths *paths)
{
    char *path = paths_api_socket(paths);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    free(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* Takes one client, which it greets, and waits until that has left. */
static void
greet_one(int listener)
{
    int fd = accept(listener, NULL, NULL);
    char byte;
    (void)!write(fd, GREETING, sizeof(GREETING) - 1);
    (void)!read(fd, &byte, 1);
    (void)close(fd);
}

static void
open_without_a_server_says_so(void **state)
{
    (void)state;
    struct paths paths = {0};
    set_up_paths(&paths);
    struct error error = {0};
    assert_int_equal(
        connection_open(&paths, CONNECTION_START_NEVER, "/bin/false", &error),
        -1);
    assert_int_equal(error.code, ERROR_CODE_NOT_FOUND);
    tear_down_paths(&paths);
}

static void
open_finds_a_server_that_is_there(void **state)
{
    (void)state;
    struct paths paths = {0};
    set_up_paths(&paths);
    int listener = listen_at(&paths);
    pid_t server = fork();
    if (server == 0) {
        greet_one(listener);
        _exit(0);
    }
    struct error error = {0};
    int fd =
        connection_open(&paths, CONNECTION_START_NEVER, "/bin/false", &error);
    assert_true(fd >= 0);
    (void)close(fd);
    (void)close(listener);
    (void)waitpid(server, NULL, 0);
    tear_down_paths(&paths);
}

/* As one does that is killed: its socket still takes a connection. */
static void
a_server_that_leaves_without_a_greeting_is_no_server(void **state)
{
    (void)state;
    struct paths paths = {0};
    set_up_paths(&paths);
    int listener = listen_at(&paths);
    pid_t server = fork();
    if (server == 0) {
        (void)close(accept(listener, NULL, NULL));
        _exit(0);
    }
    (void)close(listener);
    char *script = write_script("printf 'another was started' >&3");
    struct error error = {0};
    assert_int_equal(
        connection_open(&paths, CONNECTION_START_SERVER, script, &error), -1);
    assert_string_equal(error.text, "another was started");
    (void)waitpid(server, NULL, 0);
    free(script);
    tear_down_paths(&paths);
}

static void
a_server_that_cannot_start_says_why(void **state)
{
    (void)state;
    struct paths paths = {0};
    set_up_paths(&paths);
    char *script = write_script("echo complaint >&2\n"
                                "[ \"$*\" = '-L t server --ready-fd 3' ] || "
                                "exit 1\n"
                                "printf 'the disk is \\033full' >&3");
    struct error error = {0};
    assert_int_equal(
        connection_open(&paths, CONNECTION_START_SERVER, script, &error), -1);
    assert_string_equal(error.text, "the disk is \xef\xbf\xbd"
                                    "full");
    char log[128];
    (void)snprintf(log, sizeof(log), "%s/server.log", paths.state_dir);
    struct stat info;
    assert_int_equal(stat(log, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_true(info.st_size > 0);
    free(script);
    tear_down_paths(&paths);
}

static void
a_program_that_cannot_run_is_told(void **state)
{
    (void)state;
    struct paths paths = {0};
    set_up_paths(&paths);
    struct error error = {0};
    assert_int_equal(connection_open(&paths, CONNECTION_START_SERVER,
                                     "/nonexistent/guestmux", &error),
                     -1);
    assert_non_null(strstr(error.text, "cannot be executed"));
    tear_down_paths(&paths);
}

/* The loser of a race ends without a word while the winner's socket appears. */
static void
the_winner_of_a_race_is_found(void **state)
{
    (void)state;
    struct paths paths = {0};
    set_up_paths(&paths);
    char *script = write_script("exit 0");
    int go[2];
    assert_int_equal(pipe(go), 0);
    pid_t winner = fork();
    if (winner == 0) {
        char byte;
        /* listens only when the loser is under way: its log is there */
        (void)!read(go[0], &byte, 1);
        greet_one(listen_at(&paths));
        _exit(0);
    }
    (void)!write(go[1], "1", 1);
    struct error error = {0};
    int fd = connection_open(&paths, CONNECTION_START_SERVER, script, &error);
    if (fd < 0)
        fail_msg("%s", error.text);
    (void)close(fd);
    (void)waitpid(winner, NULL, 0);
    (void)close(go[0]);
    (void)close(go[1]);
    free(script);
    tear_down_paths(&paths);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(replies_are_matched_by_id_in_any_order,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(events_and_quiet_failures_are_told,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            pending_commands_fail_when_the_server_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_command_sent_while_the_end_is_told_fails_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_can_be_freed_in_its_own_callbacks,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_can_be_freed_while_the_end_is_told,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(strange_greetings_end_the_connection,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            garbage_after_the_greeting_ends_the_connection, set_up, tear_down),
        cmocka_unit_test(open_without_a_server_says_so),
        cmocka_unit_test(open_finds_a_server_that_is_there),
        cmocka_unit_test(a_server_that_leaves_without_a_greeting_is_no_server),
        cmocka_unit_test(a_server_that_cannot_start_says_why),
        cmocka_unit_test(a_program_that_cannot_run_is_told),
        cmocka_unit_test(the_winner_of_a_race_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
