#include "base/xalloc.h"
#include "scratch.h"
#include "server/listener.h"
#include "until.h"
#include "wire/stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

struct fixture {
    uv_loop_t loop;
    char *directory;
    char *socket;
    struct paths paths;
    struct listener *listener;
    int connections;
    int last_fd;
};

static int
set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    struct error error = {0};
    uv_loop_init(&f->loop);
    f->directory = scratch_new();
    setenv("XDG_RUNTIME_DIR", f->directory, 1);
    char *state_home = scratch_path(f->directory, "state");
    setenv("XDG_STATE_HOME", state_home, 1);
    free(state_home);
    assert_true(paths_init(&f->paths, "test", &error));
    f->socket = paths_api_socket(&f->paths);
    f->last_fd = -1;
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    listener_free(f->listener);
    if (f->last_fd >= 0)
        close(f->last_fd);
    assert_true(until_closed(&f->loop));
    paths_finish(&f->paths);
    free(f->socket);
    scratch_remove(f->directory);
    free(f);
    return 0;
}

static void
on_connect(void *data, int fd)
{
    struct fixture *f = data;
    f->connections++;
    if (f->last_fd >= 0)
        close(f->last_fd);
    f->last_fd = fd;
}

static struct listener *
start(struct fixture *f, struct error *error)
{
    return listener_new(&f->loop, &f->paths, on_connect, f, error);
}

static bool
has_connection(void *data)
{
    return ((struct fixture *)data)->connections > 0;
}

static void
clients_get_through_a_private_socket(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    mode_t mask = umask(0);
    f->listener = start(f, &error);
    umask(mask);
    assert_non_null(f->listener);
    assert_int_equal(scratch_mode(f->socket), 0600);
    char *lock = scratch_path(f->paths.runtime_dir, "lock");
    assert_int_equal(scratch_mode(lock), 0600);
    free(lock);
    int fd = stream_connect_unix(f->socket, &error);
    assert_true(fd >= 0);
    assert_true(run_until(&f->loop, has_connection, f));
    assert_true(fcntl(f->last_fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(f->last_fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(write(fd, "x", 1), 1);
    char byte = 0;
    assert_int_equal(read(f->last_fd, &byte, 1), 1);
    close(fd);
}

static void
second_server_is_refused_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    f->listener = start(f, &error);
    assert_non_null(f->listener);
    for (int i = 0; i < 3; i++) {
        assert_null(start(f, &error));
        assert_int_equal(error.code, ERROR_CODE_EXISTS);
        assert_non_null(strstr(error.text, "'test'"));
    }
    int fd = stream_connect_unix(f->socket, &error);
    assert_true(fd >= 0);
    assert_true(run_until(&f->loop, has_connection, f));
    close(fd);
}

static void
socket_of_a_dead_server_is_replaced(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    /* a process that dies with everything open */
    pid_t pid = fork();
    if (pid == 0) {
        f->listener = start(f, &error);
        _exit(f->listener ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(access(f->socket, F_OK), 0);
    assert_int_equal(stream_connect_unix(f->socket, &error), -1);
    f->listener = start(f, &error);
    assert_non_null(f->listener);
    int fd = stream_connect_unix(f->socket, &error);
    assert_true(fd >= 0);
    assert_true(run_until(&f->loop, has_connection, f));
    close(fd);
}

static void
what_else_lies_in_the_way_is_replaced_or_told(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    char *victim = scratch_path(f->directory, "victim");
    char *temporary = xasprintf("%s~", f->socket);
    scratch_write(victim, "kept", 4);
    scratch_write(f->socket, "file", 4);
    assert_int_equal(symlink(victim, temporary), 0);
    f->listener = start(f, &error);
    assert_non_null(f->listener);
    listener_free(f->listener);
    f->listener = NULL;
    char *kept = scratch_read(victim);
    assert_string_equal(kept, "kept");
    free(kept);
    assert_int_equal(mkdir(f->socket, 0700), 0);
    assert_null(start(f, &error));
    assert_non_null(strstr(error.text, f->socket));
    assert_int_equal(access(temporary, F_OK), -1);
    assert_int_equal(rmdir(f->socket), 0);
    /* a lock that is a link could lock, or make, any file */
    char *lock = scratch_path(f->paths.runtime_dir, "lock");
    (void)unlink(lock);
    assert_int_equal(symlink(victim, lock), 0);
    assert_null(start(f, &error));
    free(lock);
    free(temporary);
    free(victim);
}

static void
end_removes_the_socket_and_frees_the_name(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    for (int i = 0; i < 3; i++) {
        f->listener = start(f, &error);
        assert_non_null(f->listener);
        assert_int_equal(access(f->socket, F_OK), 0);
        listener_free(f->listener);
        f->listener = NULL;
        assert_int_equal(access(f->socket, F_OK), -1);
    }
    listener_free(NULL);
}

static bool
has_socket(void *data)
{
    struct fixture *f = data;
    int fd = stream_connect_unix(f->socket, NULL);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void
client_with_another_runtime_directory_gets_through(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    f->listener = start(f, &error);
    free(f->socket);
    f->socket = paths_state_socket(&f->paths);
    assert_true(has_socket(f));
    assert_true(run_until(&f->loop, has_connection, f));
    listener_free(f->listener);
    f->listener = NULL;
    struct stat info;
    assert_int_equal(lstat(f->socket, &info), -1);
}

static void
socket_that_was_taken_away_is_made_anew(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    f->listener = start(f, &error);
    assert_int_equal(unlink(f->socket), 0);
    assert_true(run_until(&f->loop, has_socket, f));
    /* the whole directory, then a stranger's file in the socket's place */
    scratch_remove(scratch_path(f->directory, "guestmux"));
    assert_true(run_until(&f->loop, has_socket, f));
    assert_int_equal(unlink(f->socket), 0);
    scratch_write(f->socket, "file", 4);
    assert_true(run_until(&f->loop, has_socket, f));
    assert_null(start(f, &error));
    assert_int_equal(error.code, ERROR_CODE_EXISTS);
}

static void
without_any_runtime_directory_it_moves_to_the_state_directory(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    f->listener = start(f, &error);
    scratch_remove(scratch_path(f->directory, "guestmux"));
    free(f->paths.runtime_dir);
    f->paths.runtime_dir = scratch_path(f->directory, "gone/guestmux/test");
    free(f->socket);
    f->socket = paths_state_socket(&f->paths);
    assert_true(run_until(&f->loop, has_socket, f));
    assert_int_equal(scratch_mode(f->socket), 0600);
}

static void
server_without_the_runtime_lock_is_refused_by_the_state_directory(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    f->listener = start(f, &error);
    char *lock = scratch_path(f->paths.runtime_dir, "lock");
    assert_int_equal(unlink(lock), 0);
    free(lock);
    assert_null(start(f, &error));
    assert_int_equal(error.code, ERROR_CODE_STATE);
    /* and the first one's socket is still its */
    assert_true(has_socket(f));
    assert_true(run_until(&f->loop, has_connection, f));
}

/* A process that tries to be the server once go is closed, tells how it went,
 * and stays until stay is closed. */
static void
compete(struct fixture *f, int go, int done, int stay)
{
    char byte = 0;
    struct error error = {0};
    (void)!read(go, &byte, 1);
    f->listener = start(f, &error);
    byte = error.code == ERROR_CODE_EXISTS ? 'r' : 'e';
    if (f->listener)
        byte = 'w';
    (void)!write(done, &byte, 1);
    (void)!read(stay, &byte, 1);
    _exit(0);
}

static void
one_of_many_that_start_at_once_wins(void **state)
{
    enum { COUNT = 8 };
    struct fixture *f = *state;
    pid_t pids[COUNT];
    int go[2];
    int done[2];
    int stay[2];
    assert_int_equal(pipe(go) + pipe(done) + pipe(stay), 0);
    for (int i = 0; i < COUNT; i++) {
        pids[i] = fork();
        if (pids[i] != 0)
            continue;
        close(go[1]);
        close(stay[1]);
        compete(f, go[0], done[1], stay[0]);
    }
    close(go[1]);
    int winners = 0;
    for (int i = 0; i < COUNT; i++) {
        char byte = 0;
        assert_int_equal(read(done[0], &byte, 1), 1);
        assert_true(byte == 'w' || byte == 'r');
        winners += byte == 'w';
    }
    assert_int_equal(winners, 1);
    close(stay[1]);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
    close(go[0]);
    close(stay[0]);
    close(done[0]);
    close(done[1]);
}

#define LISTENING(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LISTENING(clients_get_through_a_private_socket),
        LISTENING(second_server_is_refused_and_changes_nothing),
        LISTENING(socket_of_a_dead_server_is_replaced),
        LISTENING(what_else_lies_in_the_way_is_replaced_or_told),
        LISTENING(end_removes_the_socket_and_frees_the_name),
        LISTENING(client_with_another_runtime_directory_gets_through),
        LISTENING(socket_that_was_taken_away_is_made_anew),
        LISTENING(
            without_any_runtime_directory_it_moves_to_the_state_directory),
        LISTENING(
            server_without_the_runtime_lock_is_refused_by_the_state_directory),
        LISTENING(one_of_many_that_start_at_once_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
