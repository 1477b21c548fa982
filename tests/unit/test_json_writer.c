#include "base/json-writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static void
values_stand_with_their_commas(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct json_writer writer = json_writer_begin(&out);
    json_writer_open_object(&writer, NULL);
    json_writer_open_array(&writer, "empty");
    json_writer_close_array(&writer);
    json_writer_open_array(&writer, "rows");
    json_writer_open_array(&writer, NULL);
    json_writer_integer(&writer, NULL, 7);
    json_writer_string(&writer, NULL, "x", 1);
    json_writer_close_array(&writer);
    json_writer_open_object(&writer, NULL);
    json_writer_close_object(&writer);
    json_writer_close_array(&writer);
    json_writer_boolean(&writer, "yes", true);
    json_writer_boolean(&writer, "no", false);
    json_writer_close_object(&writer);
    assert_string_equal(
        out.data,
        "{\"empty\":[],\"rows\":[[7,\"x\"],{}],\"yes\":true,\"no\":false}");
    buffer_finish(&out);
}

static void
it_goes_on_behind_what_is_there(void **state)
{
    (void)state;
    struct buffer out = {0};
    buffer_append_text(&out, "before ");
    struct json_writer writer = json_writer_begin(&out);
    json_writer_open_array(&writer, NULL);
    json_writer_close_array(&writer);
    assert_string_equal(out.data, "before []");
    assert_int_equal(out.len, strlen(out.data));
    buffer_finish(&out);
}

static void
integers_of_all_sizes_come_back(void **state)
{
    (void)state;
    static const int64_t values[] = {
        0, 1, -1, 9, 10, 4294967296, -4294967296, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        struct buffer out = {0};
        struct json_writer writer = json_writer_begin(&out);
        json_writer_open_array(&writer, NULL);
        json_writer_integer(&writer, NULL, values[i]);
        json_writer_close_array(&writer);
        json_t *value = json_loads(out.data, 0, NULL);
        assert_non_null(value);
        assert_true(json_integer_value(json_array_get(value, 0)) == values[i]);
        json_decref(value);
        buffer_finish(&out);
    }
}

static void
every_character_comes_back(void **state)
{
    (void)state;
    char text[0x80 + 16];
    size_t len = 0;
    for (char byte = 0x01; byte < 0x7F; byte++)
        text[len++] = byte;
    text[len++] = 0x7F;
    memcpy(text + len, "é漢\xF0\x9F\x98\x80", 9);
    len += 9;
    struct buffer out = {0};
    struct json_writer writer = json_writer_begin(&out);
    json_writer_open_object(&writer, NULL);
    json_writer_string(&writer, "text", text, len);
    json_writer_close_object(&writer);
    assert_null(memchr(out.data, '\n', out.len));
    json_t *value = json_loads(out.data, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(value);
    json_t *string = json_object_get(value, "text");
    assert_int_equal(json_string_length(string), len);
    assert_memory_equal(json_string_value(string), text, len);
    json_decref(value);
    buffer_finish(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stand_with_their_commas),
        cmocka_unit_test(it_goes_on_behind_what_is_there),
        cmocka_unit_test(integers_of_all_sizes_come_back),
        cmocka_unit_test(every_character_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
