#include "base/json.h"
#include "base/utf8.h"
#include "scratch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    char *directory;
    char *path;
};

static int
set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    f->directory = scratch_new();
    f->path = scratch_path(f->directory, "file.json");
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    scratch_remove(f->directory);
    free(f->path);
    free(f);
    return 0;
}

/* --- members -------------------------------------------------------------- */

enum getter { STRING, BOOLEAN, INTEGER, OBJECT, ARRAY };

static bool
get(enum getter getter, const json_t *object, const char *name, unsigned flags,
    struct error *error)
{
    const char *text = "untouched";
    bool flag = false;
    int64_t number = 42;
    json_t *inner = NULL;
    bool ok = false;
    switch (getter) {
    case STRING:
        ok = json_get_string(object, name, flags, &text, error);
        assert_true(ok || !strcmp(text, "untouched"));
        return ok;
    case BOOLEAN:
        ok = json_get_bool(object, name, flags, &flag, error);
        assert_true(ok || !flag);
        return ok;
    case INTEGER:
        ok = json_get_integer(object, name, flags, -5, 10, &number, error);
        assert_true(ok || number == 42);
        return ok;
    case OBJECT:
        ok = json_get_object(object, name, flags, &inner, error);
        break;
    case ARRAY:
        ok = json_get_array(object, name, flags, &inner, error);
        break;
    }
    assert_true(ok || !inner);
    return ok;
}

static const struct {
    enum getter getter;
    const char *json;
    const char *text; /* NULL: it fits */
} members[] = {
    {STRING, "\"x\"", NULL},
    {STRING, "1", "argument 'm' is an integer, not a string"},
    {STRING, "[]", "argument 'm' is an array, not a string"},
    {STRING, "\"a\\u0000b\"", "argument 'm' contains a zero character"},
    {BOOLEAN, "true", NULL},
    {BOOLEAN, "0", "argument 'm' is an integer, not a boolean"},
    {BOOLEAN, "\"true\"", "argument 'm' is a string, not a boolean"},
    {INTEGER, "-5", NULL},
    {INTEGER, "10", NULL},
    {INTEGER, "-6", "argument 'm' is -6, not within -5 and 10"},
    {INTEGER, "11", "argument 'm' is 11, not within -5 and 10"},
    {INTEGER, "9223372036854775807",
     "argument 'm' is 9223372036854775807, not within -5 and 10"},
    {INTEGER, "1.0", "argument 'm' is a fraction, not an integer"},
    {INTEGER, "\"1\"", "argument 'm' is a string, not an integer"},
    {INTEGER, "true", "argument 'm' is a boolean, not an integer"},
    {OBJECT, "{}", NULL},
    {OBJECT, "[]", "argument 'm' is an array, not an object"},
    {ARRAY, "[]", NULL},
    {ARRAY, "{}", "argument 'm' is an object, not an array"},
};

static void
member_of_a_wrong_type_is_named_with_both_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        json_t *object = json_object();
        json_object_set_new(object, "m",
                            json_loads(members[i].json,
                                       JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
        struct error error = {0};
        bool ok = get(members[i].getter, object, "m", JSON_REQUIRED, &error);
        assert_int_equal(ok, !members[i].text);
        assert_int_equal(error.code, ok ? ERROR_CODE_NONE : ERROR_CODE_INVALID);
        assert_string_equal(error.text, ok ? "" : members[i].text);
        json_decref(object);
    }
}

static void
absent_and_null_members_are_missing_only_when_required(void **state)
{
    (void)state;
    json_t *objects[] = {json_object(), json_pack("{s:n}", "m"), NULL};
    for (size_t i = 0; i < 3; i++) {
        for (int getter = STRING; getter <= ARRAY; getter++) {
            struct error error = {0};
            assert_true(get((enum getter)getter, objects[i], "m", JSON_OPTIONAL,
                            &error));
            assert_int_equal(error.code, ERROR_CODE_NONE);
            assert_false(get((enum getter)getter, objects[i], "m",
                             JSON_REQUIRED, &error));
            assert_string_equal(error.text, "argument 'm' is missing");
        }
        json_decref(objects[i]);
    }
}

static void
absent_member_leaves_the_default(void **state)
{
    (void)state;
    json_t *object = json_object();
    const char *text = "default";
    int64_t number = 7;
    bool flag = true;
    assert_true(json_get_string(object, "m", 0, &text, NULL));
    assert_true(json_get_integer(object, "m", 0, 0, 1, &number, NULL));
    assert_true(json_get_bool(object, "m", 0, &flag, NULL));
    assert_string_equal(text, "default");
    assert_int_equal(number, 7);
    assert_true(flag);
    json_decref(object);
}

static void
any_bytes_become_a_json_string(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *text;
        size_t text_len;
    } rows[] = {
        {"plain", 5, "plain", 5},
        {"", 0, "", 0},
        {"a\0b", 3, "a\0b", 3},
        {"a\xFF\xE2\x82", 4, "a\xEF\xBF\xBD\xEF\xBF\xBD", 7},
        {"\xF0\xBF\xBD(", 4, "\xEF\xBF\xBD(", 4},
        {"\xED\xA0\x80", 3, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", 9},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *value = json_from_bytes(rows[i].bytes, rows[i].len);
        assert_non_null(value);
        assert_int_equal(json_string_length(value), rows[i].text_len);
        assert_memory_equal(json_string_value(value), rows[i].text,
                            rows[i].text_len + 1);
        char *dumped = json_dumps(value, JSON_ENCODE_ANY);
        assert_non_null(dumped);
        free(dumped);
        json_decref(value);
    }
}

/* --- files ---------------------------------------------------------------- */

static const struct {
    const char *text;
    const char *place; /* behind the path */
} broken[] = {
    {"", ":1:0: "},
    {"{\n  \"a\": 1,\n  \"b\" 2\n}\n", ":3:7: "},
    {"{\"a\": 1, \"a\": 2}", ":1:12: "},
    {"[1,\n2,\n]", ":3:1: "},
    {"{} x", ":1:4: "},
    {"{\"a\": \"\xFF\"}", ":1:"},
};

static void
syntax_error_has_its_place(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        scratch_write(f->path, broken[i].text, strlen(broken[i].text));
        struct error error = {0};
        assert_null(json_read_file(f->path, 4096, &error));
        assert_int_equal(error.code, ERROR_CODE_INVALID);
        char *start = xasprintf("%s%s", f->path, broken[i].place);
        if (strncmp(error.text, start, strlen(start)) != 0)
            fail_msg("%s", error.text);
        free(start);
    }
}

static void
syntax_error_shows_no_control_of_the_file(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "{\"a\": \033]0;x\a \xC2\x9B}";
    scratch_write(f->path, text, sizeof(text) - 1);
    struct error error = {0};
    assert_null(json_read_file(f->path, 4096, &error));
    assert_null(strpbrk(error.text, "\033\a"));
    assert_true(utf8_is_valid(error.text, strlen(error.text), NULL));
}

static void
file_beyond_the_limit_is_refused(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    scratch_write(f->path, "[          ]", 12);
    json_t *value = json_read_file(f->path, 12, &error);
    assert_non_null(value);
    json_decref(value);
    assert_null(json_read_file(f->path, 11, &error));
    assert_int_equal(error.code, ERROR_CODE_LIMIT);
    assert_null(json_read_file("/dev/zero", 4096, &error));
}

static void
what_is_no_file_is_refused_without_waiting(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    assert_null(json_read_file(f->path, 4096, &error));
    assert_int_equal(error.code, ERROR_CODE_IO);
    assert_int_equal(error.errnum, ENOENT);
    assert_non_null(strstr(error.text, f->path));
    assert_null(json_read_file(f->directory, 4096, &error));
    assert_non_null(strstr(error.text, f->directory));
    /* nobody ever writes into it: opening it to read must not wait */
    assert_int_equal(mkfifo(f->path, 0600), 0);
    alarm(20);
    assert_null(json_read_file(f->path, 4096, &error));
    alarm(0);
    assert_non_null(strstr(error.text, f->path));
}

static void
written_file_is_private_and_reads_back(void **state)
{
    struct fixture *f = *state;
    mode_t mask = umask(0);
    json_t *value = json_pack("{s:i,s:[s,b]}", "a", 1, "b", "é", 1);
    struct error error = {0};
    assert_true(json_write_file(value, f->path, &error));
    assert_int_equal(scratch_mode(f->path), 0600);
    json_t *back = json_read_file(f->path, 4096, &error);
    assert_true(json_equal(value, back));
    json_decref(back);
    assert_int_equal(chmod(f->path, 0644), 0);
    assert_true(json_write_file_volatile(value, f->path, &error));
    assert_int_equal(scratch_mode(f->path), 0600);
    json_decref(value);
    umask(mask);
}

/* Old content or new one, whole: the file is replaced, not overwritten. */
static void
file_is_replaced_as_a_whole(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    scratch_write(f->path, "[\"old\"]", 7);
    int old = open(f->path, O_RDONLY | O_CLOEXEC);
    json_t *value = json_pack("[s]", "new");
    assert_true(json_write_file(value, f->path, &error));
    char text[8] = "";
    assert_int_equal(read(old, text, sizeof(text)), 7);
    assert_memory_equal(text, "[\"old\"]", 7);
    close(old);
    /* nothing is left beside it */
    char *temporary = xasprintf("%s.%d.tmp", f->path, (int)getpid());
    assert_int_equal(access(temporary, F_OK), -1);
    /* neither what a crash left there nor a link changes what is written */
    scratch_write(temporary, "rubbish", 7);
    assert_int_equal(chmod(temporary, 0666), 0);
    assert_true(json_write_file(value, f->path, &error));
    assert_int_equal(scratch_mode(f->path), 0600);
    char *victim = scratch_path(f->directory, "victim");
    scratch_write(victim, "kept", 4);
    assert_int_equal(symlink(victim, temporary), 0);
    (void)json_write_file(value, f->path, &error);
    char *kept = scratch_read(victim);
    assert_string_equal(kept, "kept");
    free(kept);
    free(victim);
    free(temporary);
    json_decref(value);
}

static void
failed_write_keeps_the_old_file_and_says_why(void **state)
{
    struct fixture *f = *state;
    json_t *value = json_array();
    struct error error = {0};
    char *missing = scratch_path(f->directory, "no/such/file");
    assert_false(json_write_file(value, missing, &error));
    assert_int_equal(error.errnum, ENOENT);
    free(missing);
    /* a directory cannot be replaced by a file */
    assert_int_equal(mkdir(f->path, 0700), 0);
    assert_false(json_write_file(value, f->path, &error));
    assert_int_equal(error.errnum, EISDIR);
    char *temporary = xasprintf("%s.%d.tmp", f->path, (int)getpid());
    assert_int_equal(access(temporary, F_OK), -1);
    free(temporary);
    assert_false(json_write_file(value, "/dev/full/x", &error));
    json_decref(value);
}

#define WITH_FILE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(member_of_a_wrong_type_is_named_with_both_types),
        cmocka_unit_test(
            absent_and_null_members_are_missing_only_when_required),
        cmocka_unit_test(absent_member_leaves_the_default),
        cmocka_unit_test(any_bytes_become_a_json_string),
        WITH_FILE(syntax_error_has_its_place),
        WITH_FILE(syntax_error_shows_no_control_of_the_file),
        WITH_FILE(file_beyond_the_limit_is_refused),
        WITH_FILE(what_is_no_file_is_refused_without_waiting),
        WITH_FILE(written_file_is_private_and_reads_back),
        WITH_FILE(file_is_replaced_as_a_whole),
        WITH_FILE(failed_write_keeps_the_old_file_and_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
