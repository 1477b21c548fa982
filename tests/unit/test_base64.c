#include "base/base64.h"
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* RFC 4648, section 10. */
static const struct {
    const char *plain;
    const char *encoded;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

static void
base64_agrees_with_the_vectors_of_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct buffer out = {0};
        base64_encode(vectors[i].plain, strlen(vectors[i].plain), &out);
        char *text = buffer_steal(&out);
        assert_string_equal(text, vectors[i].encoded);
        assert_true(base64_decode(text, strlen(text), &out));
        free(text);
        text = buffer_steal(&out);
        assert_string_equal(text, vectors[i].plain);
        free(text);
    }
}

static void
base64_carries_every_byte_at_every_place(void **state)
{
    (void)state;
    unsigned char bytes[259] = {0};
    for (size_t len = 0; len < sizeof(bytes); len++) {
        for (size_t i = 0; i < len; i++)
            bytes[i] = (unsigned char)(i * 7 + len);
        struct buffer encoded = {0};
        struct buffer decoded = {0};
        base64_encode(bytes, len, &encoded);
        assert_int_equal(encoded.len, (len + 2) / 3 * 4);
        assert_true(base64_decode(encoded.data, encoded.len, &decoded));
        assert_int_equal(decoded.len, len);
        if (len)
            assert_memory_equal(decoded.data, bytes, len);
        buffer_finish(&encoded);
        buffer_finish(&decoded);
    }
}

static void
bad_base64_leaves_the_output_alone(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Z",     "Zg",        "Zg=",  "Zg===",      "====",
        "=g==",  "Z===",      "Zg=a", "Zm9vZg=g",   "Zg==Zm9v",
        "Zm9\n", "Zm9v\nZm9", "Zm-_", "Zm\xff\xfe", "Zm9vY m=",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct buffer out = {0};
        buffer_append_text(&out, "kept");
        assert_false(base64_decode(bad[i], strlen(bad[i]), &out));
        assert_int_equal(out.len, 4);
        assert_memory_equal(out.data, "kept", 4);
        buffer_append_text(&out, "!");
        assert_string_equal(out.data, "kept!");
        buffer_finish(&out);
    }
    struct buffer out = {0};
    assert_false(base64_decode("Zm\0v", 4, &out));
    buffer_finish(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_agrees_with_the_vectors_of_the_rfc),
        cmocka_unit_test(base64_carries_every_byte_at_every_place),
        cmocka_unit_test(bad_base64_leaves_the_output_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
