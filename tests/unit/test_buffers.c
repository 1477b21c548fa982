#include "base/xalloc.h"
#include "server/buffers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct buffers_origin origin = {.from = "n1", .now_ms = 5};

static int64_t
add(struct buffers *buffers, const char *text)
{
    struct error error = {0};
    return buffers_add(buffers, text, strlen(text), &origin, &error);
}

/* The text of a number; the caller's reference. */
static void
assert_text(const struct buffers *buffers, int64_t number, const char *text)
{
    struct error error = {0};
    json_t *object = buffers_get(buffers, number, true, &error);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, "text")),
                        text);
    json_decref(object);
}

static void
the_newest_is_the_one_without_a_number(void **state)
{
    (void)state;
    struct buffers *buffers = buffers_new();
    struct error error = {0};
    assert_null(buffers_get(buffers, 0, true, &error));
    assert_int_equal(error.code, ERROR_CODE_NOT_FOUND);
    assert_int_equal(add(buffers, "one"), 1);
    assert_int_equal(add(buffers, "two"), 2);
    assert_text(buffers, 0, "two");
    assert_text(buffers, 1, "one");
    assert_true(buffers_delete(buffers, 0, &error));
    assert_text(buffers, 0, "one");
    assert_false(buffers_delete(buffers, 2, &error));
    /* numbers do not come again */
    assert_int_equal(add(buffers, "three"), 3);
    buffers_free(buffers);
}

static void
appending_makes_a_new_line(void **state)
{
    (void)state;
    struct buffers *buffers = buffers_new();
    struct error error = {0};
    assert_int_equal(buffers_append(buffers, "a", 1, &origin, &error), 1);
    assert_int_equal(buffers_append(buffers, "b", 1, &origin, &error), 1);
    assert_text(buffers, 0, "a\nb");
    json_t *object = buffers_get(buffers, 0, false, &error);
    assert_int_equal(json_integer_value(json_object_get(object, "lines")), 2);
    assert_int_equal(json_integer_value(json_object_get(object, "bytes")), 3);
    assert_null(json_object_get(object, "text"));
    json_decref(object);
    buffers_free(buffers);
}

static void
the_oldest_go_when_there_are_too_many(void **state)
{
    (void)state;
    struct buffers *buffers = buffers_new();
    struct error error = {0};
    for (int i = 0; i < BUFFERS_MAX + 3; i++)
        add(buffers, "x");
    json_t *list = buffers_list(buffers);
    assert_int_equal(json_array_size(list), BUFFERS_MAX);
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(list, 0), "number")),
        BUFFERS_MAX + 3);
    assert_null(buffers_get(buffers, 3, true, &error));
    json_decref(list);
    buffers_free(buffers);
}

static void
bytes_are_bounded_by_text_and_in_all(void **state)
{
    (void)state;
    struct buffers *buffers = buffers_new();
    struct error error = {0};
    size_t len = BUFFERS_TEXT_MAX_BYTES;
    char *text = xmalloc(len + 2);
    memset(text, 'x', len + 1);
    text[len + 1] = '\0';
    assert_int_equal(buffers_add(buffers, text, len + 1, &origin, &error), 0);
    assert_int_equal(error.code, ERROR_CODE_LIMIT);
    for (int i = 0; i < 6; i++)
        assert_int_not_equal(buffers_add(buffers, text, len, &origin, &error),
                             0);
    assert_int_equal(buffers_append(buffers, "y", 1, &origin, &error), 0);
    json_t *list = buffers_list(buffers);
    assert_int_equal(json_array_size(list),
                     BUFFERS_MAX_BYTES / BUFFERS_TEXT_MAX_BYTES);
    json_decref(list);
    /* appending lets the oldest go too */
    int64_t number = add(buffers, "small");
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            buffers_append(buffers, text, len / 4, &origin, &error), number);
    list = buffers_list(buffers);
    assert_true(json_array_size(list) <=
                BUFFERS_MAX_BYTES / BUFFERS_TEXT_MAX_BYTES);
    json_decref(list);
    free(text);
    buffers_free(buffers);
}

static void
a_preview_is_one_printable_line(void **state)
{
    (void)state;
    struct buffers *buffers = buffers_new();
    struct error error = {0};
    add(buffers, "\n\n  first\nsecond\033[31m");
    json_t *object = buffers_get(buffers, 0, false, &error);
    const char *preview = json_string_value(json_object_get(object, "preview"));
    assert_int_equal(strncmp(preview, "first second", 12), 0);
    assert_null(strchr(preview, '\033'));
    json_decref(object);
    buffers_free(buffers);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_is_the_one_without_a_number),
        cmocka_unit_test(appending_makes_a_new_line),
        cmocka_unit_test(the_oldest_go_when_there_are_too_many),
        cmocka_unit_test(bytes_are_bounded_by_text_and_in_all),
        cmocka_unit_test(a_preview_is_one_printable_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
