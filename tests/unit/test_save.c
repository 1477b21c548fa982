#include "scratch.h"
#include "tui/save.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
assert_content(const char *path, const char *text)
{
    char content[64] = "";
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t len = fread(content, 1, sizeof(content) - 1, file);
    content[len] = '\0';
    (void)fclose(file);
    assert_string_equal(content, text);
}

static void
what_is_there_is_replaced_only_when_asked(void **state)
{
    (void)state;
    struct error error = {0};
    char *dir = scratch_new();
    char *path = scratch_path(dir, "text");
    assert_false(save_exists(path));
    assert_true(save_text_file(path, "one\ntwo", 7, SAVE_NEW, &error));
    assert_content(path, "one\ntwo\n");
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_true(save_exists(path));
    assert_false(save_text_file(path, "new", 3, SAVE_NEW, &error));
    assert_int_equal(error.code, ERROR_CODE_EXISTS);
    assert_content(path, "one\ntwo\n");
    assert_true(save_text_file(path, "new\n", 4, SAVE_REPLACE, &error));
    assert_content(path, "new\n");
    free(path);
    scratch_remove(dir);
}

static void
a_file_that_was_there_beside_it_stays(void **state)
{
    (void)state;
    struct error error = {0};
    char *dir = scratch_new();
    char *path = scratch_path(dir, "text");
    char name[64];
    (void)snprintf(name, sizeof(name), "text.%d.tmp", (int)getpid());
    char *beside = scratch_path(dir, name);
    assert_true(save_text_file(path, "old", 3, SAVE_NEW, &error));
    assert_true(save_text_file(beside, "mine", 4, SAVE_NEW, &error));
    assert_false(save_text_file(path, "new", 3, SAVE_REPLACE, &error));
    assert_non_null(strstr(error.text, "cannot write"));
    assert_content(path, "old\n");
    assert_content(beside, "mine\n");
    free(beside);
    free(path);
    scratch_remove(dir);
}

/* A link is not followed: whoever made it chose where the text would go. */
static void
links_and_directories_are_left_alone(void **state)
{
    (void)state;
    struct error error = {0};
    char *dir = scratch_new();
    char *path = scratch_path(dir, "link");
    char *target = scratch_path(dir, "target");
    assert_int_equal(symlink(target, path), 0);
    assert_true(save_exists(path));
    assert_false(save_text_file(path, "x", 1, SAVE_NEW, &error));
    assert_false(save_text_file(path, "x", 1, SAVE_REPLACE, &error));
    assert_false(save_exists(target));
    assert_false(save_text_file(dir, "x", 1, SAVE_REPLACE, &error));
    free(path);
    path = scratch_path(dir, "no/such");
    assert_false(save_text_file(path, "x", 1, SAVE_NEW, &error));
    assert_int_equal(error.code, ERROR_CODE_IO);
    free(path);
    free(target);
    scratch_remove(dir);
}

static void
a_tilde_is_the_home_directory(void **state)
{
    (void)state;
    assert_int_equal(setenv("HOME", "/home/x", 1), 0);
    char *path = save_expand_path("~/a/b");
    assert_string_equal(path, "/home/x/a/b");
    free(path);
    path = save_expand_path("~other/a");
    assert_string_equal(path, "~other/a");
    free(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_is_replaced_only_when_asked),
        cmocka_unit_test(a_file_that_was_there_beside_it_stays),
        cmocka_unit_test(links_and_directories_are_left_alone),
        cmocka_unit_test(a_tilde_is_the_home_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
