#include "base/buffer.h"
#include "base/xalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
empty_buffer_is_stolen_as_empty_text(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    char *text = buffer_steal(&buffer);
    assert_string_equal(text, "");
    free(text);
    buffer_finish(&buffer);
    buffer_finish(NULL);
}

static void
content_grows_and_is_terminated(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (int i = 0; i < 1000; i++) {
        buffer_printf(&buffer, "%d,", i % 10);
        assert_int_equal(buffer.len, 2 * (i + 1));
        assert_int_equal(buffer.data[buffer.len], '\0');
        assert_true(buffer.capacity > buffer.len);
    }
    buffer_append(&buffer, NULL, 0);
    buffer_append_byte(&buffer, '\0');
    buffer_append_text(&buffer, "end");
    assert_int_equal(buffer.len, 2004);
    assert_memory_equal(buffer.data + 2000, "\0end", 5);
    char *text = buffer_steal(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.len, 0);
    free(text);
}

static void
reserved_buffer_is_stolen_as_empty_text(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_reserve(&buffer, 100);
    char *text = buffer_steal(&buffer);
    assert_string_equal(text, "");
    free(text);
}

static void
consuming_keeps_the_rest_terminated(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_consume(&buffer, 5);
    buffer_append_text(&buffer, "abcdef");
    buffer_consume(&buffer, 0);
    assert_string_equal(buffer.data, "abcdef");
    buffer_consume(&buffer, 4);
    assert_string_equal(buffer.data, "ef");
    assert_int_equal(buffer.len, 2);
    buffer_consume(&buffer, 1000);
    assert_string_equal(buffer.data, "");
    assert_int_equal(buffer.len, 0);
    buffer_append_text(&buffer, "again");
    buffer_reset(&buffer);
    assert_string_equal(buffer.data, "");
    buffer_finish(&buffer);
}

static void
text_is_copied_with_its_length(void **state)
{
    (void)state;
    assert_null(xstrdup(NULL));
    char *part = xstrndup("abcdef", 3);
    assert_string_equal(part, "abc");
    free(part);
    int *numbers = xreallocarray(NULL, 0, sizeof(int));
    numbers = xreallocarray(numbers, 4, sizeof(int));
    numbers[3] = 1;
    free(numbers);
    free(xcalloc(0, 0));
    free(xmalloc(0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_buffer_is_stolen_as_empty_text),
        cmocka_unit_test(content_grows_and_is_terminated),
        cmocka_unit_test(reserved_buffer_is_stolen_as_empty_text),
        cmocka_unit_test(consuming_keeps_the_rest_terminated),
        cmocka_unit_test(text_is_copied_with_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
