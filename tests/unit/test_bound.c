#include "console/bound.h"
#include "console/console.h"
#include "console/keeper.h"
#include "scratch.h"
#include "until.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mount.h>

#include <cmocka.h>

#define KIB 1024u

struct fixture {
    uv_loop_t loop;
    char *dir;
    char *path;
    struct bound *bound;
    unsigned troubles;
    struct error trouble;
    uint64_t wanted; /* content has to begin here or later */
};

static void
on_trouble(void *data, const struct error *error)
{
    struct fixture *fixture = data;
    fixture->troubles++;
    fixture->trouble = *error;
}

static void
open_bound(struct fixture *fixture, uint64_t max_bytes)
{
    struct bound_config config = {
        .path = fixture->path,
        .max_bytes = max_bytes,
        .on_trouble = on_trouble,
        .data = fixture,
    };
    bound_free(fixture->bound);
    fixture->bound = bound_new(&fixture->loop, &config);
}

static int
set_up(void **state)
{
    struct fixture *fixture = xcalloc(1, sizeof(*fixture));
    uv_loop_init(&fixture->loop);
    fixture->dir = scratch_new();
    fixture->path = scratch_path(fixture->dir, "log");
    *state = fixture;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *fixture = *state;
    bound_free(fixture->bound);
    bool is_clean = until_closed(&fixture->loop);
    free(fixture->path);
    scratch_remove(fixture->dir);
    free(fixture);
    return is_clean ? 0 : -1;
}

/* What stands at an offset of every file here: lines of 64 bytes. */
static void
fill_line(char line[65], uint64_t number)
{
    uint64_t digits = number * 2654435761u;
    for (int i = 63; i-- > 0; digits /= 10) {
        if (i == 30)
            digits = number;
        line[i] = (char)('0' + digits % 10);
    }
    line[63] = '\n';
    line[64] = '\0';
}

/* Appends lines until the file has bytes. */
static void
grow(struct fixture *fixture, uint64_t bytes)
{
    char line[65];
    int fd =
        open(fixture->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    uint64_t at = (uint64_t)lseek(fd, 0, SEEK_END);
    for (; at < bytes; at += 64) {
        fill_line(line, at / 64);
        assert_int_equal(write(fd, line, 64), 64);
    }
    (void)close(fd);
}

static uint64_t
first_byte(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t data = lseek(fd, 0, SEEK_DATA);
    (void)close(fd);
    return data < 0 ? UINT64_MAX : (uint64_t)data;
}

static bool
begins_late(void *data)
{
    struct fixture *fixture = data;
    uint64_t first = first_byte(fixture->path);
    return first != UINT64_MAX && first >= fixture->wanted;
}

static void
wait_cut(struct fixture *fixture, uint64_t wanted)
{
    fixture->wanted = wanted;
    assert_true(run_until(&fixture->loop, begins_late, fixture));
    /* the thread has said so too */
    while (uv_loop_alive(&fixture->loop))
        uv_run(&fixture->loop, UV_RUN_ONCE);
}

/* Everything from the first whole line on is what was written. */
static void
check_content(struct fixture *fixture)
{
    char line[65];
    char got[65] = "";
    struct stat info;
    uint64_t start = bound_start(fixture->bound);
    assert_int_equal(start % 64, 0);
    int fd = open(fixture->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(fd, &info), 0);
    for (uint64_t at = start; at < (uint64_t)info.st_size; at += 64) {
        fill_line(line, at / 64);
        assert_int_equal(pread(fd, got, 64, (off_t)at), 64);
        assert_memory_equal(got, line, 64);
    }
    (void)close(fd);
}

static void
what_fits_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    grow(fixture, 64 * KIB);
    open_bound(fixture, 64 * KIB);
    bound_trim(fixture->bound, 64 * KIB);
    assert_int_equal(uv_loop_alive(&fixture->loop), 0);
    assert_int_equal(bound_start(fixture->bound), 0);
    check_content(fixture);
}

static void
an_eighth_goes_and_the_rest_is_untouched(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;
    grow(fixture, 300 * KIB);
    open_bound(fixture, 256 * KIB);
    bound_trim(fixture->bound, 300 * KIB);
    /* readers know before it is so */
    assert_true(bound_start(fixture->bound) > 0);
    wait_cut(fixture, 1);
    uint64_t first = first_byte(fixture->path);
    assert_int_equal(first, 300 * KIB - 224 * KIB);
    assert_true(bound_start(fixture->bound) > first);
    assert_true(bound_start(fixture->bound) <= first + 64);
    assert_int_equal(stat(fixture->path, &info), 0);
    assert_int_equal(info.st_size, 300 * KIB);
    assert_true(info.st_blocks * 512 <= 232 * (int64_t)KIB);
    check_content(fixture);
    /* seldom: not again before it is full */
    grow(fixture, 330 * KIB);
    bound_trim(fixture->bound, 330 * KIB);
    assert_int_equal(uv_loop_alive(&fixture->loop), 0);
}

static void
what_was_not_read_yet_stays(void **state)
{
    struct fixture *fixture = *state;
    grow(fixture, 1024 * KIB);
    open_bound(fixture, 64 * KIB);
    bound_trim(fixture->bound, 100 * KIB);
    wait_cut(fixture, 1);
    assert_int_equal(first_byte(fixture->path), (100 - 56) * KIB / 4096 * 4096);
    check_content(fixture);
}

static void
a_later_server_finds_where_content_begins(void **state)
{
    struct fixture *fixture = *state;
    grow(fixture, 300 * KIB);
    open_bound(fixture, 64 * KIB);
    bound_trim(fixture->bound, 300 * KIB);
    wait_cut(fixture, 1);
    uint64_t start = bound_start(fixture->bound);
    open_bound(fixture, 64 * KIB);
    assert_int_equal(bound_start(fixture->bound), start);
    check_content(fixture);
}

/* Appends as fast as it can, from another thread, as QEMU does. */
static void
append_all(void *data)
{
    struct fixture *fixture = data;
    grow(fixture, 8192 * KIB);
}

static void
a_flood_is_kept_within_the_bound_without_losing_a_byte(void **state)
{
    struct fixture *fixture = *state;
    uv_thread_t writer;
    struct stat info = {0};
    grow(fixture, 64);
    open_bound(fixture, 128 * KIB);
    uv_thread_create(&writer, append_all, fixture);
    while (info.st_size < 8192 * (off_t)KIB) {
        assert_int_equal(stat(fixture->path, &info), 0);
        bound_trim(fixture->bound, (uint64_t)info.st_size);
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        if (bound_start(fixture->bound) > (uint64_t)info.st_size)
            fail_msg("what is not there yet was taken away");
    }
    uv_thread_join(&writer);
    while (uv_loop_alive(&fixture->loop))
        uv_run(&fixture->loop, UV_RUN_ONCE);
    bound_trim(fixture->bound, 8192 * KIB);
    wait_cut(fixture, (8192 - 128) * KIB);
    assert_int_equal(fixture->troubles, 0);
    check_content(fixture);
}

static void
another_file_in_its_place_is_not_touched(void **state)
{
    struct fixture *fixture = *state;
    grow(fixture, 300 * KIB);
    open_bound(fixture, 64 * KIB);
    bound_trim(fixture->bound, 300 * KIB);
    /* the thread may have been faster; then this one is a new file */
    assert_int_equal(unlink(fixture->path), 0);
    grow(fixture, 8 * KIB);
    while (uv_loop_alive(&fixture->loop))
        uv_run(&fixture->loop, UV_RUN_ONCE);
    assert_int_equal(first_byte(fixture->path), 0);
    bound_look(fixture->bound);
    assert_int_equal(bound_start(fixture->bound), 0);
    check_content(fixture);
}

static void
a_long_line_is_cut(void **state)
{
    struct fixture *fixture = *state;
    char *text = xmalloc(256 * KIB);
    memset(text, 'x', 256 * KIB);
    scratch_write(fixture->path, text, 256 * KIB);
    free(text);
    open_bound(fixture, 128 * KIB);
    bound_trim(fixture->bound, 256 * KIB);
    wait_cut(fixture, 1);
    assert_int_equal(bound_start(fixture->bound), first_byte(fixture->path));
}

/* ramfs has no holes. */
static void
a_file_system_without_holes_is_told_once(void **state)
{
    struct fixture *fixture = *state;
    if (mount("ramfs", fixture->dir, "ramfs", 0, NULL) != 0)
        skip();
    grow(fixture, 300 * KIB);
    open_bound(fixture, 64 * KIB);
    for (int i = 0; i < 3; i++) {
        bound_trim(fixture->bound, 300 * KIB);
        while (uv_loop_alive(&fixture->loop))
            uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    uint64_t start = bound_start(fixture->bound);
    umount2(fixture->dir, MNT_DETACH);
    assert_int_equal(fixture->troubles, 1);
    assert_non_null(strstr(fixture->trouble.text, "grows without limit"));
    assert_int_equal(start, 0);
}

static void
a_programs_words_are_kept_within_a_size(void **state)
{
    struct fixture *fixture = *state;
    struct error error = {0};
    grow(fixture, 64);
    struct console_hub *hub = console_hub_new(&fixture->loop, &error);
    assert_non_null(hub);
    struct keeper *keeper = keeper_new(hub, fixture->path, 64 * KIB);
    assert_non_null(keeper);
    grow(fixture, 1024 * KIB);
    fixture->wanted = (1024 - 64) * KIB;
    assert_true(run_until(&fixture->loop, begins_late, fixture));
    keeper_free(keeper);
    console_hub_free(hub);
    open_bound(fixture, 64 * KIB);
    check_content(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_fits_is_left_alone),
        TEST(an_eighth_goes_and_the_rest_is_untouched),
        TEST(what_was_not_read_yet_stays),
        TEST(a_later_server_finds_where_content_begins),
        TEST(a_flood_is_kept_within_the_bound_without_losing_a_byte),
        TEST(another_file_in_its_place_is_not_touched),
        TEST(a_long_line_is_cut),
        TEST(a_programs_words_are_kept_within_a_size),
        TEST(a_file_system_without_holes_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
