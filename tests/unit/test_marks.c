#include "base/error.h"
#include "console/marks.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/guestmux-marks-XXXXXX";
static char path[64];

static int
make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/marks", dir);
    return 0;
}

static int
remove_dir(void **state)
{
    (void)state;
    return rmdir(dir);
}

static int
remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void
write_file(const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
}

static struct marks *
open_marks(void)
{
    struct error error = {0};
    struct marks *marks = marks_open(path, &error);
    if (!marks)
        fail_msg("%s", error.text);
    return marks;
}

static void
add_size(struct marks *marks, uint64_t offset, int rows, int cols)
{
    struct error error = {0};
    struct mark mark = {
        .kind = MARKS_KIND_SIZE, .offset = offset, .rows = rows, .cols = cols};
    assert_true(marks_add(marks, &mark, &error));
}

static void
add_boot(struct marks *marks, uint64_t offset)
{
    struct error error = {0};
    struct mark mark = {.kind = MARKS_KIND_BOOT, .offset = offset};
    assert_true(marks_add(marks, &mark, &error));
}

static void
expect_next(struct marks *marks, enum marks_kind kind, uint64_t offset)
{
    const struct mark *mark = marks_peek(marks);
    assert_non_null(mark);
    assert_int_equal(mark->kind, kind);
    assert_int_equal(mark->offset, offset);
    marks_pass(marks);
}

static void
a_new_file_is_private_and_has_no_marks(void **state)
{
    struct stat status;
    struct marks *marks = open_marks();
    (void)state;
    assert_null(marks_peek(marks));
    assert_false(marks_has(marks, MARKS_KIND_SIZE));
    assert_int_equal(marks_boot_offset(marks), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    marks_free(marks);
}

static void
marks_come_back_in_order_with_all_they_say(void **state)
{
    struct error error = {0};
    struct mark gap = {.kind = MARKS_KIND_GAP, .offset = 700, .bytes = 12};
    struct marks *marks = open_marks();
    (void)state;
    add_size(marks, 0, 24, 80);
    add_boot(marks, 500);
    assert_true(marks_add(marks, &gap, &error));
    marks_free(marks);

    marks = open_marks();
    const struct mark *mark = marks_peek(marks);
    assert_int_equal(mark->rows, 24);
    assert_int_equal(mark->cols, 80);
    assert_true(mark->wall_ms > 1600000000000);
    expect_next(marks, MARKS_KIND_SIZE, 0);
    expect_next(marks, MARKS_KIND_BOOT, 500);
    assert_int_equal(marks_peek(marks)->bytes, 12);
    expect_next(marks, MARKS_KIND_GAP, 700);
    assert_null(marks_peek(marks));
    assert_true(marks_has(marks, MARKS_KIND_GAP));
    assert_int_equal(marks_boot_offset(marks), 500);
    marks_free(marks);
}

static void
a_mark_added_behind_the_last_one_is_the_next(void **state)
{
    struct marks *marks = open_marks();
    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        add_size(marks, i * 10, 24, 80);
        expect_next(marks, MARKS_KIND_SIZE, i * 10);
        assert_null(marks_peek(marks));
    }
    marks_free(marks);
}

static void
a_torn_last_line_is_passed_over_and_harms_no_later_one(void **state)
{
    static const char text[] = "0 size 24 80 1700000000000 .\n"
                               "10 size 30 100 17000";
    struct marks *marks;
    (void)state;
    write_file(text, sizeof(text) - 1);
    marks = open_marks();
    expect_next(marks, MARKS_KIND_SIZE, 0);
    assert_null(marks_peek(marks));
    add_boot(marks, 20);
    marks_free(marks);

    marks = open_marks();
    expect_next(marks, MARKS_KIND_SIZE, 0);
    expect_next(marks, MARKS_KIND_BOOT, 20);
    assert_null(marks_peek(marks));
    marks_free(marks);
}

static void
what_is_no_mark_is_passed_over(void **state)
{
    static const char *const lines[] = {
        "",
        "size",
        "0 size 24 80 1700000000000",
        "0 size 24 1700000000000 .",
        "0 size 24 80 1 1700000000000 .",
        "-1 boot 1700000000000 .",
        "0 boot 1700000000000 . ",
        "0 boot x .",
        "0  boot 1 .",
        "0 colour 1 .",
        "0 booted 1 .",
        "99999999999999999999 boot 1 .",
        "0 size 99999999999 80 1 .",
        "\x1b[31m",
    };
    char binary[] = "a\0b\n7 boot 1 .\n";
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        write_file(lines[i], strlen(lines[i]));
        write_file("\n", 1);
    }
    char *longest = malloc(10000);
    memset(longest, '1', 10000);
    write_file(longest, 10000);
    free(longest);
    write_file("\n", 1);
    write_file(binary, sizeof(binary) - 1);
    struct marks *marks = open_marks();
    expect_next(marks, MARKS_KIND_BOOT, 7);
    assert_null(marks_peek(marks));
    marks_free(marks);
}

static void
offsets_that_go_backwards_void_the_marks_beyond(void **state)
{
    struct marks *marks = open_marks();
    (void)state;
    add_size(marks, 0, 24, 80);
    add_size(marks, 100, 25, 80);
    add_boot(marks, 200);
    add_size(marks, 50, 26, 80);
    marks_free(marks);
    marks = open_marks();
    expect_next(marks, MARKS_KIND_SIZE, 0);
    expect_next(marks, MARKS_KIND_SIZE, 50);
    assert_null(marks_peek(marks));
    assert_int_equal(marks_boot_offset(marks), 50);
    marks_free(marks);
}

static void
a_huge_file_gives_its_newest_marks_and_gets_shorter(void **state)
{
    struct stat status;
    (void)state;
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    for (unsigned i = 0; i < 80000; i++)
        (void)fprintf(file, "%u size 24 80 1700000000000 .\n", i);
    assert_int_equal(fclose(file), 0);

    struct marks *marks = open_marks();
    uint64_t last = 0;
    for (const struct mark *mark; (mark = marks_peek(marks)); marks_pass(marks))
        last = mark->offset;
    assert_int_equal(last, 79999);
    add_boot(marks, 80000);
    marks_free(marks);
    assert_int_equal(stat(path, &status), 0);
    assert_true(status.st_size < MARKS_FILE_MAX_BYTES / 4);

    marks = open_marks();
    assert_int_equal(marks_boot_offset(marks), 80000);
    marks_free(marks);
}

static void
a_mark_that_cannot_be_written_counts_for_this_server(void **state)
{
    struct error error = {0};
    struct mark boot = {.kind = MARKS_KIND_BOOT, .offset = 9};
    struct rlimit old;
    struct rlimit none;
    struct marks *marks = open_marks();
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    none = old;
    none.rlim_cur = 0;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    bool is_written = marks_add(marks, &boot, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_false(is_written);
    assert_int_equal(error.code, ERROR_CODE_IO);
    expect_next(marks, MARKS_KIND_BOOT, 9);
    marks_free(marks);
}

static void
a_link_or_a_directory_is_no_marks_file(void **state)
{
    struct error error = {0};
    (void)state;
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_null(marks_open(path, &error));
    assert_int_equal(error.code, ERROR_CODE_IO);
    memset(&error, 0, sizeof(error));
    assert_null(marks_open(dir, &error));
    assert_int_not_equal(error.code, ERROR_CODE_NONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_new_file_is_private_and_has_no_marks,
                                  remove_file),
        cmocka_unit_test_teardown(marks_come_back_in_order_with_all_they_say,
                                  remove_file),
        cmocka_unit_test_teardown(a_mark_added_behind_the_last_one_is_the_next,
                                  remove_file),
        cmocka_unit_test_teardown(
            a_torn_last_line_is_passed_over_and_harms_no_later_one,
            remove_file),
        cmocka_unit_test_teardown(what_is_no_mark_is_passed_over, remove_file),
        cmocka_unit_test_teardown(
            offsets_that_go_backwards_void_the_marks_beyond, remove_file),
        cmocka_unit_test_teardown(
            a_huge_file_gives_its_newest_marks_and_gets_shorter, remove_file),
        cmocka_unit_test_teardown(
            a_mark_that_cannot_be_written_counts_for_this_server, remove_file),
        cmocka_unit_test_teardown(a_link_or_a_directory_is_no_marks_file,
                                  remove_file),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
