#include "base/buffer.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "console/follower.h"
#include "until.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A file that the test appends to, and its follower. */
struct file {
    char *path; /* owned */
    int fd;
    struct follower *follower;
    struct buffer read;
    unsigned slices;
    unsigned caught_up;
    size_t expected;
    struct error trouble;
    unsigned trouble_count;
    bool frees_itself;
    struct file *other; /* what it had read when this one was read */
    size_t other_then;
};

struct fixture {
    char *dir; /* owned */
    uv_loop_t loop;
    struct follower_set *set;
    struct file files[3];
};

static void
on_bytes(void *data, const char *bytes, size_t len)
{
    struct file *file = data;
    buffer_append(&file->read, bytes, len);
    file->slices++;
    if (file->other)
        file->other_then = file->other->read.len;
    if (file->frees_itself) {
        follower_free(file->follower);
        file->follower = NULL;
    }
}

static void
on_caught_up(void *data)
{
    struct file *file = data;
    file->caught_up++;
}

static void
on_trouble(void *data, const struct error *error)
{
    struct file *file = data;
    file->trouble = *error;
    file->trouble_count++;
}

static const struct follower_handlers handlers = {
    .on_bytes = on_bytes,
    .on_caught_up = on_caught_up,
    .on_trouble = on_trouble,
};

static void
append(struct file *file, const char *bytes, size_t len)
{
    assert_int_equal(write(file->fd, bytes, len), len);
}

static void
open_file(struct fixture *fixture, int index)
{
    struct file *file = &fixture->files[index];
    file->path = xasprintf("%s/%d.log", fixture->dir, index);
    file->fd =
        open(file->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(file->fd >= 0);
}

static void
follow(struct fixture *fixture, struct file *file, uint64_t offset)
{
    struct error error = {0};
    file->follower =
        follower_new(fixture->set, file->path, offset, &handlers, file, &error);
    if (!file->follower)
        fail_msg("%s", error.text);
}

static int
set_up(void **state)
{
    struct error error = {0};
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->dir = xstrdup("/tmp/guestmux-follower-XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    uv_loop_init(&fixture->loop);
    fixture->set = follower_set_new(&fixture->loop, &error);
    for (int i = 0; i < 3; i++)
        open_file(fixture, i);
    *state = fixture;
    return fixture->set ? 0 : -1;
}

static int
tear_down(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++) {
        struct file *file = &fixture->files[i];
        follower_free(file->follower);
        buffer_finish(&file->read);
        close(file->fd);
        unlink(file->path);
        free(file->path);
    }
    follower_set_free(fixture->set);
    bool is_clean = until_closed(&fixture->loop);
    rmdir(fixture->dir);
    free(fixture->dir);
    free(fixture);
    return is_clean ? 0 : -1;
}

static bool
has_expected(void *data)
{
    const struct file *file = data;
    return file->read.len >= file->expected;
}

static bool
has_caught_up(void *data)
{
    return ((const struct file *)data)->caught_up > 0;
}

static bool
has_trouble(void *data)
{
    return ((const struct file *)data)->trouble_count > 0;
}

static void
wait_for(struct fixture *fixture, struct file *file, size_t bytes)
{
    file->expected = bytes;
    assert_true(run_until(&fixture->loop, has_expected, file));
}

static void
what_is_there_is_read_and_then_what_comes(void **state)
{
    struct fixture *fixture = *state;
    struct file *file = &fixture->files[0];
    append(file, "hello ", 6);
    follow(fixture, file, 0);
    wait_for(fixture, file, 6);
    append(file, "world", 5);
    wait_for(fixture, file, 11);
    assert_string_equal(file->read.data, "hello world");
    assert_int_equal(follower_offset(file->follower), 11);
}

static void
reading_starts_at_the_given_offset(void **state)
{
    struct fixture *fixture = *state;
    struct file *file = &fixture->files[0];
    append(file, "hello world", 11);
    follow(fixture, file, 6);
    wait_for(fixture, file, 5);
    assert_string_equal(file->read.data, "world");
}

static void
an_empty_file_is_caught_up_with_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct file *file = &fixture->files[0];
    follow(fixture, file, 0);
    assert_true(run_until(&fixture->loop, has_caught_up, file));
    assert_int_equal(file->read.len, 0);
}

static void
a_missing_file_is_made_private(void **state)
{
    struct fixture *fixture = *state;
    struct file *file = &fixture->files[0];
    struct stat status;
    unlink(file->path);
    follow(fixture, file, 0);
    assert_int_equal(stat(file->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void
links_and_other_things_than_files_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error error = {0};
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/link", fixture->dir);
    assert_int_equal(symlink(fixture->files[0].path, path), 0);
    assert_null(follower_new(fixture->set, path, 0, &handlers, NULL, &error));
    assert_int_equal(error.code, ERROR_CODE_IO);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    memset(&error, 0, sizeof(error));
    assert_null(follower_new(fixture->set, path, 0, &handlers, NULL, &error));
    assert_int_equal(error.code, ERROR_CODE_INVALID);
    unlink(path);
}

static void
a_flood_is_read_in_slices_and_starves_nobody(void **state)
{
    struct fixture *fixture = *state;
    struct file *flood = &fixture->files[0];
    struct file *quiet = &fixture->files[1];
    size_t len = (size_t)40 * FOLLOWER_SLICE_BYTES;
    char *bytes = malloc(len);
    memset(bytes, 'x', len);
    append(flood, bytes, len);
    append(quiet, "prompt", 6);
    free(bytes);
    follow(fixture, flood, 0);
    follow(fixture, quiet, 0);
    quiet->other = flood;
    wait_for(fixture, quiet, 6);
    assert_true(quiet->other_then <= (size_t)2 * FOLLOWER_TURN_BYTES);
    wait_for(fixture, flood, len);
    assert_true(flood->slices >= 40);
    assert_int_equal(flood->read.len, len);
}

static void
a_hot_file_is_read_before_a_cold_flood_ends(void **state)
{
    struct fixture *fixture = *state;
    struct file *flood = &fixture->files[0];
    struct file *hot = &fixture->files[1];
    size_t len = (size_t)100 * FOLLOWER_SLICE_BYTES;
    char *bytes = calloc(1, len);
    append(flood, bytes, len);
    free(bytes);
    follow(fixture, hot, 0);
    follower_set_pace(hot->follower, FOLLOWER_PACE_HOT);
    follow(fixture, flood, 0);
    wait_for(fixture, flood, (size_t)10 * FOLLOWER_SLICE_BYTES);
    append(hot, "echo", 4);
    hot->other = flood;
    size_t then = flood->read.len;
    wait_for(fixture, hot, 4);
    assert_true(hot->other_then - then <= (size_t)2 * FOLLOWER_TURN_BYTES);
}

static void
every_byte_arrives_whatever_the_pace_does(void **state)
{
    struct fixture *fixture = *state;
    struct file *file = &fixture->files[0];
    char line[32];
    size_t total = 0;
    follow(fixture, file, 0);
    for (int i = 0; i < 3000; i++) {
        int len = snprintf(line, sizeof(line), "line %d\n", i);
        append(file, line, (size_t)len);
        total += (size_t)len;
        if (i % 7 == 0)
            follower_set_pace(file->follower,
                              i % 2 ? FOLLOWER_PACE_HOT : FOLLOWER_PACE_COLD);
        if (i % 3 == 0)
            uv_run(&fixture->loop, UV_RUN_NOWAIT);
        if (i % 500 == 0)
            follower_set_typed(fixture->set);
    }
    wait_for(fixture, file, total);
    const char *at = file->read.data;
    for (int i = 0; i < 3000; i++) {
        int len = snprintf(line, sizeof(line), "line %d\n", i);
        assert_memory_equal(at, line, (size_t)len);
        at += len;
    }
}

static void
cold_files_are_read_seldom_while_they_trickle(void **state)
{
    struct fixture *fixture = *state;
    struct file *file = &fixture->files[0];
    follow(fixture, file, 0);
    assert_true(run_until(&fixture->loop, has_caught_up, file));
    uint64_t start = clock_monotonic_ms();
    size_t total = 0;
    uint64_t took_ms = 0;
    while (took_ms < 200) {
        append(file, "x", 1);
        total++;
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        took_ms = clock_monotonic_ms() - start;
    }
    /* One for each pause, and those at both ends. */
    assert_true(file->slices <= took_ms / FOLLOWER_COLD_PAUSE_MS + 3);
    wait_for(fixture, file, total);
}

static void
an_idle_loop_is_not_woken(void **state)
{
    struct fixture *fixture = *state;
    struct file *file = &fixture->files[0];
    struct file *hot = &fixture->files[1];
    append(file, "x", 1);
    append(hot, "x", 1);
    follow(fixture, file, 0);
    follow(fixture, hot, 0);
    follower_set_pace(hot->follower, FOLLOWER_PACE_HOT);
    assert_true(run_until(&fixture->loop, has_caught_up, file));
    append(file, "y", 1);
    append(hot, "y", 1);
    wait_for(fixture, file, 2);
    wait_for(fixture, hot, 2);
    /* The pause after the last event may still run out. */
    uint64_t start = clock_monotonic_ms();
    while (uv_backend_timeout(&fixture->loop) >= 0 &&
           clock_monotonic_ms() - start < UNTIL_DEADLINE_MS)
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
    /* No timer, nothing deferred: it would sleep until the next event. */
    assert_int_equal(uv_backend_timeout(&fixture->loop), -1);
    assert_int_equal(uv_run(&fixture->loop, UV_RUN_NOWAIT), 1);
    assert_int_equal(uv_backend_timeout(&fixture->loop), -1);
}

static void
a_file_that_becomes_shorter_is_told_and_followed_on(void **state)
{
    struct fixture *fixture = *state;
    struct file *file = &fixture->files[0];
    append(file, "hello world", 11);
    follow(fixture, file, 0);
    wait_for(fixture, file, 11);
    assert_int_equal(ftruncate(file->fd, 4), 0);
    assert_true(run_until(&fixture->loop, has_trouble, file));
    assert_non_null(strstr(file->trouble.text, "cut from 11 to 4 bytes"));
    append(file, "more", 4);
    wait_for(fixture, file, 15);
    assert_string_equal(file->read.data, "hello worldmore");
    assert_int_equal(file->trouble_count, 1);
}

static void
a_file_that_is_removed_is_told_once_and_followed_on(void **state)
{
    struct fixture *fixture = *state;
    struct file *file = &fixture->files[0];
    append(file, "hello", 5);
    follow(fixture, file, 0);
    wait_for(fixture, file, 5);
    unlink(file->path);
    assert_true(run_until(&fixture->loop, has_trouble, file));
    assert_false(follower_is_current(file->follower));
    append(file, " world", 6);
    assert_int_equal(fchmod(file->fd, 0400), 0);
    wait_for(fixture, file, 11);
    assert_int_equal(file->trouble_count, 1);
}

static void
a_handler_may_free_its_follower(void **state)
{
    struct fixture *fixture = *state;
    struct file *file = &fixture->files[0];
    append(file, "hello", 5);
    follow(fixture, file, 0);
    file->frees_itself = true;
    wait_for(fixture, file, 5);
    assert_null(file->follower);
}

static void
two_followers_of_one_file_both_read_all(void **state)
{
    struct fixture *fixture = *state;
    struct file *file = &fixture->files[0];
    struct file *twin = &fixture->files[1];
    unlink(twin->path);
    free(twin->path);
    twin->path = xstrdup(file->path);
    follow(fixture, file, 0);
    follow(fixture, twin, 0);
    append(file, "hello", 5);
    wait_for(fixture, file, 5);
    wait_for(fixture, twin, 5);
    append(file, "hello", 5);
    wait_for(fixture, twin, 10);
    wait_for(fixture, file, 10);
}

static void
a_line_is_found_at_or_behind_an_offset(void **state)
{
    struct fixture *fixture = *state;
    struct file *file = &fixture->files[0];
    append(file, "ab\ncd\nef", 8);
    follow(fixture, file, 0);
    assert_int_equal(follower_find_line(file->follower, 0), 0);
    assert_int_equal(follower_find_line(file->follower, 1), 3);
    assert_int_equal(follower_find_line(file->follower, 3), 3);
    assert_int_equal(follower_find_line(file->follower, 4), 6);
    assert_int_equal(follower_find_line(file->follower, 7), 7);
    assert_int_equal(follower_find_line(file->follower, 100), 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_there_is_read_and_then_what_comes),
        TEST(reading_starts_at_the_given_offset),
        TEST(an_empty_file_is_caught_up_with_at_once),
        TEST(a_missing_file_is_made_private),
        TEST(links_and_other_things_than_files_are_refused),
        TEST(a_flood_is_read_in_slices_and_starves_nobody),
        TEST(a_hot_file_is_read_before_a_cold_flood_ends),
        TEST(every_byte_arrives_whatever_the_pace_does),
        TEST(cold_files_are_read_seldom_while_they_trickle),
        TEST(an_idle_loop_is_not_woken),
        TEST(a_file_that_becomes_shorter_is_told_and_followed_on),
        TEST(a_file_that_is_removed_is_told_once_and_followed_on),
        TEST(a_handler_may_free_its_follower),
        TEST(two_followers_of_one_file_both_read_all),
        TEST(a_line_is_found_at_or_behind_an_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
