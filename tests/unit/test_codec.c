#include "base/xalloc.h"
#include "wire/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_BYTES 64

/* What came out: messages as compact JSON, faults as '!', one a line. */
struct result {
    struct buffer text; /* owned */
    struct error last;  /* of the last fault */
    size_t peak_bytes;  /* most memory that the codec held */
};

static void
take_all(struct codec *codec, struct result *result)
{
    for (;;) {
        json_t *message = NULL;
        struct error error = {0};
        enum codec_result got = codec_next(codec, &message, &error);
        if (got == CODEC_RESULT_NONE)
            return;
        if (got == CODEC_RESULT_FAULT) {
            assert_null(message);
            assert_int_not_equal(error.code, ERROR_CODE_NONE);
            assert_string_not_equal(error.text, "");
            result->last = error;
            buffer_append_text(&result->text, "!\n");
            continue;
        }
        assert_int_equal(error.code, ERROR_CODE_NONE);
        assert_true(json_is_object(message));
        codec_encode(message, &result->text);
        json_decref(message);
    }
}

static void
feed(struct codec *codec, const char *bytes, size_t len, struct result *result)
{
    codec_feed(codec, bytes, len);
    take_all(codec, result);
    if (codec->line.capacity > result->peak_bytes)
        result->peak_bytes = codec->line.capacity;
}

static const struct {
    const char *name;
    const char *bytes;
    const char *out;
} rows[] = {
    {"one", "{\"a\":1}\n", "{\"a\":1}\n"},
    {"CRLF", "{\"a\":1}\r\n{\"b\":2}\r\n", "{\"a\":1}\n{\"b\":2}\n"},
    {"blanks", "\n\r\n  \t \n{ \"a\" : 1 } \n\n", "{\"a\":1}\n"},
    {"unfinished", "{\"a\":1}\n{\"b\":2}", "{\"a\":1}\n"},
    {"not an object", "[1]\n1\n\"x\"\nnull\n{}\n", "!\n!\n!\n!\n{}\n"},
    {"no JSON", "{\n}\n{\"a\" 1}\n{\"a\":1}}\n{}\n", "!\n!\n!\n!\n{}\n"},
    {"two on a line", "{}{}\n{}\n", "!\n{}\n"},
    {"twice the same name", "{\"a\":1,\"a\":2}\n{}\n", "!\n{}\n"},
    {"bad UTF-8", "{\"a\":\"\xFF\"}\n{\"\xC3\":1}\n{}\n", "!\n!\n{}\n"},
    {"UTF-8 that looks valid at its end", "{\"a\":\"\xF0\xBF\xBD\"}\n{}\n",
     "!\n{}\n"},
    {"surrogates", "{\"a\":\"\\ud800\"}\n{\"a\":\"\\ud83d\\ude00\"}\n",
     "!\n{\"a\":\"😀\"}\n"},
    {"zero in a string", "{\"a\":\"x\\u0000y\"}\n{}\n", "!\n{}\n"},
    {"control in a string", "{\"a\":\"\033\"}\n{}\n", "!\n{}\n"},
    {"escaped control", "{\"a\":\"\\u001b\"}\n", "{\"a\":\"\\u001B\"}\n"},
    {"unsigned", "{\"a\":18446744073709551615,\"id\":1}\n",
     "{\"a\":1.8446744073709552e19,\"id\":1}\n"},
    {"no number", "{\"18446744073709551615\":-9223372036854775809}\n",
     "{\"18446744073709551615\":-9.2233720368547758e18}\n"},
    {"at the edge", "{\"a\":[9223372036854775807,9223372036854775808]}\n",
     "{\"a\":[9223372036854775807,9.2233720368547758e18]}\n"},
    {"in a string", "{\"\\\\\\\"99999999999999999999\":1}\n",
     "{\"\\\\\\\"99999999999999999999\":1}\n"},
    {"fractions", "{\"a\":[99999999999999999999,1.5,99999999999999999999.5]}\n",
     "{\"a\":[1e20,1.5,1e20]}\n"},
    {"unsigned, but no JSON", "{\"a\":99999999999999999999,}\n{}\n", "!\n{}\n"},
    {"real too large", "{\"a\":1e999}\n{}\n", "!\n{}\n"},
    {"no numbers", "{\"a\":NaN}\n{\"a\":Infinity}\n{}\n", "!\n!\n{}\n"},
    {"longest line",
     "{\"a\":\"01234567890123456789012345678901234567890123456789012345\"}\n",
     "{\"a\":\"01234567890123456789012345678901234567890123456789012345\"}\n"},
    {"a byte longer",
     "{\"a\":\"012345678901234567890123456789012345678901234567890123456\"}\n"
     "{}\n",
     "!\n{}\n"},
    {"much longer",
     "{\"a\":\"0123456789012345678901234567890123456789012345678901234567890"
     "12345678901234567890123456789012345678901234567890123456789012345678"
     "90123456789012345678901234567890123456789012345678901234567890123456"
     "\"}\n{\"b\":2}\n",
     "!\n{\"b\":2}\n"},
    {"QMP's reset byte", "\xFF{}\n{}\n", "!\n{}\n"},
};

static void
bytes_give_the_same_messages_however_they_are_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].bytes);
        /* piece: bytes fed at once; first: those of the first piece */
        for (size_t piece = 1; piece <= len; piece++) {
            for (size_t first = 1; first <= piece; first++) {
                struct codec codec;
                struct result result = {0};
                codec_init(&codec, MAX_BYTES);
                for (size_t at = 0, now = first; at < len; now = piece) {
                    now = now < len - at ? now : len - at;
                    feed(&codec, rows[i].bytes + at, now, &result);
                    at += now;
                }
                codec_finish(&codec);
                const char *out = result.text.data ? result.text.data : "";
                if (strcmp(out, rows[i].out) != 0)
                    fail_msg("%s, in pieces of %zu: %s", rows[i].name, piece,
                             out);
                buffer_finish(&result.text);
            }
        }
    }
}

static void
zero_byte_in_a_line_is_a_fault(void **state)
{
    (void)state;
    struct codec codec;
    struct result result = {0};
    codec_init(&codec, MAX_BYTES);
    feed(&codec, "{\"a\":\0 1}\n\0\n{}\n", 16, &result);
    assert_string_equal(result.text.data, "!\n!\n{}\n");
    buffer_finish(&result.text);
    codec_finish(&codec);
}

static void
fault_says_what_and_where(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum error_code code;
        const char *text;
    } faults[] = {
        {"{\"a\":\"\xFF\"}\n", ERROR_CODE_PROTOCOL,
         "the line is not UTF-8: byte 0xff at offset 6"},
        {"{\"a\": 1,}\n", ERROR_CODE_PROTOCOL, "at column 9"},
        {"{\"a\":1,\"a\":2}\n", ERROR_CODE_PROTOCOL, "duplicate object key"},
        {"[]\n", ERROR_CODE_PROTOCOL, "the line is not a JSON object"},
    };
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct codec codec;
        struct result result = {0};
        codec_init(&codec, MAX_BYTES);
        feed(&codec, faults[i].line, strlen(faults[i].line), &result);
        assert_int_equal(result.last.code, faults[i].code);
        if (!strstr(result.last.text, faults[i].text))
            fail_msg("%s", result.last.text);
        buffer_finish(&result.text);
        codec_finish(&codec);
    }
}

static void
fault_shows_no_control_of_the_line(void **state)
{
    (void)state;
    static const char line[] = "{\"a\": \033]0;x\a}\n";
    struct codec codec;
    struct result result = {0};
    codec_init(&codec, MAX_BYTES);
    feed(&codec, line, sizeof(line) - 1, &result);
    assert_string_equal(result.text.data, "!\n");
    assert_null(strpbrk(result.last.text, "\033\a"));
    buffer_finish(&result.text);
    codec_finish(&codec);
}

static void
deep_nesting_is_a_fault_and_no_crash(void **state)
{
    (void)state;
    static const char brackets[] = {'[', '{'};
    for (size_t i = 0; i < 2; i++) {
        struct buffer line = {0};
        buffer_append_text(&line, "{\"a\":");
        for (int depth = 0; depth < 100000; depth++) {
            buffer_append_byte(&line, brackets[i]);
            if (brackets[i] == '{')
                buffer_append_text(&line, "\"a\":");
        }
        buffer_append_text(&line, "\n{}\n");
        struct codec codec;
        struct result result = {0};
        codec_init(&codec, 1 << 20);
        feed(&codec, line.data, line.len, &result);
        assert_string_equal(result.text.data, "!\n{}\n");
        buffer_finish(&result.text);
        buffer_finish(&line);
        codec_finish(&codec);
    }
}

static void
huge_line_is_one_fault_and_never_kept(void **state)
{
    (void)state;
    enum { SLICE = 65536, LIMIT = 1 << 20 };
    char *slice = xmalloc(SLICE);
    memset(slice, 'x', SLICE);
    struct codec codec;
    struct result result = {0};
    codec_init(&codec, LIMIT);
    for (int i = 0; i < (64 << 20) / SLICE; i++)
        feed(&codec, slice, SLICE, &result);
    assert_string_equal(result.text.data, "!\n");
    assert_int_equal(result.last.code, ERROR_CODE_LIMIT);
    assert_true(result.peak_bytes <= 2 * (LIMIT + SLICE));
    feed(&codec, "\n{\"b\":2}\n", 9, &result);
    assert_string_equal(result.text.data, "!\n{\"b\":2}\n");
    buffer_finish(&result.text);
    codec_finish(&codec);
    free(slice);
}

static void
memory_of_a_long_line_is_given_back(void **state)
{
    (void)state;
    struct buffer line = {0};
    buffer_append_text(&line, "{\"a\":\"");
    while (line.len < 4 << 20)
        buffer_append_text(&line, "0123456789abcdef");
    buffer_append_text(&line, "\"}\n");
    struct codec codec;
    struct result result = {0};
    codec_init(&codec, 8 << 20);
    feed(&codec, line.data, line.len, &result);
    assert_int_equal(result.text.len, line.len);
    assert_true(codec.line.capacity <= 1 << 20);
    feed(&codec, "{}\n", 3, &result);
    assert_int_equal(result.text.len, line.len + 3);
    buffer_finish(&result.text);
    buffer_finish(&line);
    codec_finish(&codec);
}

/* A long line that comes byte by byte must not be looked through each time. */
static void
work_is_linear_in_what_is_fed(void **state)
{
    (void)state;
    struct codec codec;
    struct result result = {0};
    codec_init(&codec, 8 << 20);
    for (int i = 0; i < 2 << 20; i++) {
        codec_feed(&codec, " ", 1);
        json_t *message = NULL;
        assert_int_equal(codec_next(&codec, &message, NULL), CODEC_RESULT_NONE);
        assert_int_equal(codec.scanned, i + 1);
    }
    feed(&codec, "{}\n", 3, &result);
    assert_string_equal(result.text.data, "{}\n");
    buffer_finish(&result.text);
    codec_finish(&codec);
}

static void
assert_encoded(json_t *message, const char *text)
{
    struct buffer out = {0};
    codec_encode(message, &out);
    assert_string_equal(out.data, text);
    buffer_finish(&out);
    json_decref(message);
}

static void
messages_are_built_as_qmp_has_them(void **state)
{
    (void)state;
    assert_encoded(codec_command("stop", NULL, NULL),
                   "{\"execute\":\"stop\"}\n");
    assert_encoded(
        codec_command("x", json_pack("{s:i}", "a", 1), json_integer(7)),
        "{\"execute\":\"x\",\"arguments\":{\"a\":1},\"id\":7}\n");
    assert_encoded(codec_return(NULL, NULL), "{\"return\":{}}\n");
    assert_encoded(codec_return(json_array(), json_null()),
                   "{\"return\":[],\"id\":null}\n");
    assert_encoded(codec_error("Invalid", "bad \xFF\n", json_string("i")),
                   "{\"error\":{\"class\":\"Invalid\",\"desc\":\"bad "
                   "\xEF\xBF\xBD\\n\"},\"id\":\"i\"}\n");
    json_t *event = codec_event("STOP", NULL);
    assert_string_equal(json_string_value(json_object_get(event, "event")),
                        "STOP");
    assert_true(json_is_object(json_object_get(event, "data")));
    json_t *timestamp = json_object_get(event, "timestamp");
    assert_true(json_is_integer(json_object_get(timestamp, "seconds")));
    assert_true(json_is_integer(json_object_get(timestamp, "microseconds")));
    json_decref(event);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_give_the_same_messages_however_they_are_split),
        cmocka_unit_test(zero_byte_in_a_line_is_a_fault),
        cmocka_unit_test(fault_says_what_and_where),
        cmocka_unit_test(fault_shows_no_control_of_the_line),
        cmocka_unit_test(deep_nesting_is_a_fault_and_no_crash),
        cmocka_unit_test(huge_line_is_one_fault_and_never_kept),
        cmocka_unit_test(memory_of_a_long_line_is_given_back),
        cmocka_unit_test(work_is_linear_in_what_is_fed),
        cmocka_unit_test(messages_are_built_as_qmp_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
