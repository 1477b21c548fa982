#include "base/paths.h"
#include "scratch.h"

#include <errno.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    char *directory;
    char *runtime; /* XDG_RUNTIME_DIR */
    char *base;    /* XDG_RUNTIME_DIR/guestmux */
    char *state;   /* XDG_STATE_HOME */
};

static int
set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    f->directory = scratch_new();
    f->runtime = scratch_path(f->directory, "run");
    f->base = scratch_path(f->runtime, "guestmux");
    f->state = scratch_path(f->directory, "state");
    assert_int_equal(mkdir(f->runtime, 0700), 0);
    setenv("HOME", f->directory, 1);
    setenv("XDG_RUNTIME_DIR", f->runtime, 1);
    setenv("XDG_STATE_HOME", f->state, 1);
    unsetenv("XDG_DATA_HOME");
    unsetenv("XDG_CONFIG_HOME");
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    free(f->runtime);
    free(f->base);
    free(f->state);
    scratch_remove(f->directory);
    free(f);
    return 0;
}

static void
assert_refused(const char *server, enum error_code code, const char *text)
{
    struct paths paths = {0};
    struct error error = {0};
    assert_false(paths_init(&paths, server, &error));
    assert_int_equal(error.code, code);
    if (!strstr(error.text, text))
        fail_msg("\"%s\" does not say \"%s\"", error.text, text);
    assert_null(paths.runtime_dir);
    paths_finish(&paths);
}

static void
assert_under(const char *path, const char *directory, const char *rest)
{
    char *whole = xasprintf("%s/%s", directory, rest);
    assert_string_equal(path, whole);
    free(whole);
}

static void
directories_follow_the_environment(void **state)
{
    struct fixture *f = *state;
    struct paths paths = {0};
    struct error error = {0};
    assert_true(paths_init(&paths, "lab", &error));
    assert_string_equal(paths.server, "lab");
    assert_under(paths.runtime_dir, f->base, "lab");
    assert_under(paths.state_dir, f->state, "guestmux/lab");
    assert_under(paths.data_dir, f->directory, ".local/share/guestmux/lab");
    assert_under(paths.config_dir, f->directory, ".config/guestmux");
    assert_null(paths.warning);
    assert_int_equal(scratch_mode(f->base), 0700);
    assert_int_equal(scratch_mode(paths.runtime_dir), 0700);
    char *socket = paths_api_socket(&paths);
    assert_under(socket, paths.runtime_dir, "api.sock");
    free(socket);
    char *qmp = paths_qmp_socket(&paths, "n1", &error);
    assert_under(qmp, paths.runtime_dir, "n1.qmp");
    free(qmp);
    char *guest = paths_guest_state_dir(&paths, "n1");
    assert_under(guest, paths.state_dir, "n1");
    free(guest);
    guest = paths_guest_data_dir(&paths, "n1");
    assert_under(guest, paths.data_dir, "n1");
    free(guest);
    paths_finish(&paths);
    paths_finish(&paths);
    paths_finish(NULL);
}

static void
directories_are_private_under_any_umask(void **state)
{
    struct fixture *f = *state;
    struct paths paths = {0};
    struct error error = {0};
    mode_t mask = umask(0);
    assert_true(paths_init(&paths, "lab", &error));
    assert_true(paths_make_dir(paths.data_dir, &error));
    umask(mask);
    assert_int_equal(scratch_mode(f->base), 0700);
    assert_int_equal(scratch_mode(paths.runtime_dir), 0700);
    char *local = scratch_path(f->directory, ".local");
    assert_int_equal(scratch_mode(local), 0700);
    free(local);
    assert_int_equal(scratch_mode(paths.data_dir), 0700);
    paths_finish(&paths);
}

static void
relative_directories_are_ignored(void **state)
{
    struct fixture *f = *state;
    setenv("XDG_STATE_HOME", "relative", 1);
    setenv("XDG_DATA_HOME", "", 1);
    struct paths paths = {0};
    struct error error = {0};
    assert_true(paths_init(&paths, "lab", &error));
    assert_under(paths.state_dir, f->directory, ".local/state/guestmux/lab");
    assert_under(paths.data_dir, f->directory, ".local/share/guestmux/lab");
    paths_finish(&paths);
}

static void
without_home_the_user_database_is_asked(void **state)
{
    (void)state;
    static const char *const values[] = {NULL, "", "relative"};
    const struct passwd *user = getpwuid(geteuid());
    if (!user)
        skip();
    unsetenv("XDG_STATE_HOME");
    for (size_t i = 0; i < 3; i++) {
        if (values[i])
            setenv("HOME", values[i], 1);
        else
            unsetenv("HOME");
        struct paths paths = {0};
        struct error error = {0};
        assert_true(paths_init(&paths, "lab", &error));
        assert_under(paths.state_dir, user->pw_dir,
                     ".local/state/guestmux/lab");
        paths_finish(&paths);
    }
}

static void
names_that_are_no_names_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", ".", "..", "a/b", "-x", "a\nb"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_refused(bad[i], ERROR_CODE_INVALID, "a server's name");
}

static void
runtime_directory_that_is_a_link_is_refused(void **state)
{
    struct fixture *f = *state;
    char *real = scratch_path(f->directory, "real");
    assert_int_equal(mkdir(real, 0700), 0);
    assert_int_equal(symlink(real, f->base), 0);
    assert_refused("lab", ERROR_CODE_DENIED, "is a symbolic link");
    assert_int_equal(unlink(f->base), 0);
    assert_int_equal(mkdir(f->base, 0700), 0);
    char *inner = scratch_path(f->base, "lab");
    assert_int_equal(symlink(real, inner), 0);
    assert_refused("lab", ERROR_CODE_DENIED, "is a symbolic link");
    /* one that leads nowhere */
    assert_int_equal(rmdir(real), 0);
    assert_refused("lab", ERROR_CODE_DENIED, "is a symbolic link");
    free(inner);
    free(real);
}

static void
runtime_directory_that_is_a_file_is_refused(void **state)
{
    struct fixture *f = *state;
    scratch_write(f->base, "", 0);
    assert_refused("lab", ERROR_CODE_DENIED, "is not a directory");
    assert_int_equal(unlink(f->base), 0);
    assert_int_equal(mkfifo(f->base, 0600), 0);
    assert_refused("lab", ERROR_CODE_DENIED, "is not a directory");
}

static void
runtime_directory_open_to_others_is_refused(void **state)
{
    struct fixture *f = *state;
    static const mode_t modes[] = {0755, 0750, 0701, 0777, 01777};
    assert_int_equal(mkdir(f->base, 0700), 0);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        assert_int_equal(chmod(f->base, modes[i]), 0);
        assert_refused("lab", ERROR_CODE_DENIED, "chmod 700");
        /* it is told, not changed */
        assert_int_equal(scratch_mode(f->base), modes[i]);
    }
}

static void
runtime_directory_of_somebody_else_is_refused(void **state)
{
    struct fixture *f = *state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(mkdir(f->base, 0700), 0);
    assert_int_equal(chown(f->base, 12345, 12345), 0);
    assert_refused("lab", ERROR_CODE_DENIED, "belongs to uid 12345");
    assert_int_equal(chown(f->base, 0, 0), 0);
    char *inner = scratch_path(f->base, "lab");
    assert_int_equal(mkdir(inner, 0700), 0);
    assert_int_equal(chown(inner, 12345, 12345), 0);
    assert_refused("lab", ERROR_CODE_DENIED, "belongs to uid 12345");
    free(inner);
}

static void
without_xdg_runtime_dir_it_lies_in_tmp(void **state)
{
    (void)state;
    static const char *const values[] = {NULL, "", "relative/run"};
    for (size_t i = 0; i < 3; i++) {
        if (values[i])
            setenv("XDG_RUNTIME_DIR", values[i], 1);
        else
            unsetenv("XDG_RUNTIME_DIR");
        char *name = xasprintf("test-%d", (int)getpid());
        struct paths paths = {0};
        struct error error = {0};
        char *base = xasprintf("/tmp/guestmux-%u", (unsigned)geteuid());
        bool was_there = access(base, F_OK) == 0;
        assert_true(paths_init(&paths, name, &error));
        assert_under(paths.runtime_dir, base, name);
        assert_null(paths.warning);
        assert_int_equal(rmdir(paths.runtime_dir), 0);
        if (!was_there)
            (void)rmdir(base);
        paths_finish(&paths);
        free(base);
        free(name);
    }
}

/* After the last logout the runtime directory is gone. */
static void
vanished_runtime_directory_is_replaced_with_a_warning(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rmdir(f->runtime), 0);
    struct paths paths = {0};
    struct error error = {0};
    assert_true(paths_init(&paths, "lab", &error));
    assert_non_null(paths.warning);
    assert_non_null(strstr(paths.warning, f->runtime));
    assert_non_null(strstr(paths.warning, "enable-linger"));
    assert_int_equal(strncmp(paths.runtime_dir, f->state, strlen(f->state)), 0);
    assert_int_equal(scratch_mode(paths.runtime_dir), 0700);
    /* no server's or guest's directory can be in its way */
    struct paths other = {0};
    assert_true(paths_init(&other, "run", &error));
    size_t len = strlen(other.state_dir);
    assert_int_not_equal(strncmp(paths.runtime_dir, other.state_dir, len), 0);
    paths_finish(&other);
    paths_finish(&paths);
}

static void
socket_path_holds_107_bytes(void **state)
{
    (void)state;
    char path[PATHS_SOCKET_MAX_BYTES + 2];
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    path[PATHS_SOCKET_MAX_BYTES + 1] = '\0';
    struct error error = {0};
    assert_false(paths_check_socket(path, &error));
    assert_int_equal(error.code, ERROR_CODE_LIMIT);
    assert_non_null(strstr(error.text, "108 bytes long, 1 too many"));
    path[PATHS_SOCKET_MAX_BYTES] = '\0';
    assert_true(paths_check_socket(path, &error));
}

static void
over_long_runtime_directory_is_refused_before_anything_is_made(void **state)
{
    struct fixture *f = *state;
    char *deep = xasprintf("%s/%090d", f->runtime, 0);
    assert_int_equal(mkdir(deep, 0700), 0);
    setenv("XDG_RUNTIME_DIR", deep, 1);
    assert_refused("lab", ERROR_CODE_LIMIT, "too many");
    assert_int_equal(rmdir(deep), 0);
    free(deep);
}

static void
guest_whose_socket_path_is_too_long_is_refused(void **state)
{
    struct fixture *f = *state;
    size_t room = PATHS_SOCKET_MAX_BYTES - strlen(f->runtime) -
                  strlen("//guestmux/lab/api.sock~");
    char *deep = xasprintf("%s/%0*d", f->runtime, (int)room, 0);
    assert_int_equal(mkdir(deep, 0700), 0);
    setenv("XDG_RUNTIME_DIR", deep, 1);
    struct paths paths = {0};
    struct error error = {0};
    assert_true(paths_init(&paths, "lab", &error));
    char *path = paths_qmp_socket(&paths, "n123", &error);
    assert_non_null(path);
    free(path);
    assert_null(paths_qmp_socket(&paths, "n1234567890", &error));
    assert_int_equal(error.code, ERROR_CODE_LIMIT);
    paths_finish(&paths);
    free(deep);
}

static void
directory_is_made_with_its_parents(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    char *path = scratch_path(f->directory, "a/b/c");
    assert_true(paths_make_dir(path, &error));
    assert_true(paths_make_dir(path, &error));
    assert_int_equal(scratch_mode(path), 0700);
    assert_int_equal(chmod(path, 0755), 0);
    assert_true(paths_make_dir(path, &error));
    assert_int_equal(scratch_mode(path), 0700);
    free(path);
}

static void
directory_that_is_something_else_is_refused(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    char *file = scratch_path(f->directory, "file");
    char *below = scratch_path(file, "below");
    char *link = scratch_path(f->directory, "link");
    scratch_write(file, "", 0);
    assert_false(paths_make_dir(file, &error));
    assert_non_null(strstr(error.text, file));
    assert_false(paths_make_dir(below, &error));
    assert_int_equal(symlink(f->runtime, link), 0);
    assert_false(paths_make_dir(link, &error));
    if (geteuid() == 0) {
        assert_int_equal(chown(f->runtime, 12345, 12345), 0);
        assert_false(paths_make_dir(f->runtime, &error));
        assert_int_equal(error.code, ERROR_CODE_DENIED);
        assert_non_null(strstr(error.text, "12345"));
        assert_int_equal(chown(f->runtime, 0, 0), 0);
    }
    free(link);
    free(below);
    free(file);
}

#define IN_DIRECTORY(name)                                                     \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(directories_follow_the_environment),
        IN_DIRECTORY(directories_are_private_under_any_umask),
        IN_DIRECTORY(relative_directories_are_ignored),
        IN_DIRECTORY(without_home_the_user_database_is_asked),
        IN_DIRECTORY(names_that_are_no_names_are_refused),
        IN_DIRECTORY(runtime_directory_that_is_a_link_is_refused),
        IN_DIRECTORY(runtime_directory_that_is_a_file_is_refused),
        IN_DIRECTORY(runtime_directory_open_to_others_is_refused),
        IN_DIRECTORY(runtime_directory_of_somebody_else_is_refused),
        IN_DIRECTORY(without_xdg_runtime_dir_it_lies_in_tmp),
        IN_DIRECTORY(vanished_runtime_directory_is_replaced_with_a_warning),
        cmocka_unit_test(socket_path_holds_107_bytes),
        IN_DIRECTORY(
            over_long_runtime_directory_is_refused_before_anything_is_made),
        IN_DIRECTORY(guest_whose_socket_path_is_too_long_is_refused),
        IN_DIRECTORY(directory_is_made_with_its_parents),
        IN_DIRECTORY(directory_that_is_something_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
