#include "base/error.h"
#include "base/utf8.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
set_error_has_code_and_text(void **state)
{
    (void)state;
    struct error error = {0};
    assert_false(error_set(&error, ERROR_CODE_LIMIT, "%d is too many", 7));
    assert_int_equal(error.code, ERROR_CODE_LIMIT);
    assert_int_equal(error.errnum, 0);
    assert_string_equal(error.text, "7 is too many");
}

static void
absent_error_is_no_crash(void **state)
{
    (void)state;
    assert_false(error_set(NULL, ERROR_CODE_IO, "x"));
    assert_false(error_set_errno(NULL, ENOENT, "x"));
    assert_false(error_prefix(NULL, "x"));
}

static void
errno_text_is_appended_for_both_signs(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        struct error error = {0};
        error_set_errno(&error, sign * ENOENT, "cannot open %s", "f");
        assert_int_equal(error.code, ERROR_CODE_IO);
        assert_int_equal(error.errnum, ENOENT);
        assert_string_equal(error.text,
                            "cannot open f: No such file or directory");
    }
}

static void
prefix_keeps_code_and_errnum(void **state)
{
    (void)state;
    struct error error = {0};
    error_set_errno(&error, EACCES, "cannot open it");
    error_prefix(&error, "guest '%s'", "n1");
    assert_int_equal(error.code, ERROR_CODE_IO);
    assert_int_equal(error.errnum, EACCES);
    assert_string_equal(error.text,
                        "guest 'n1': cannot open it: Permission denied");
}

/* Fills the text up to every place around its end with characters of each
 * length: what was cut must still be UTF-8. */
static void
text_is_cut_at_the_end_of_a_character(void **state)
{
    (void)state;
    static const char *const characters[] = {"x", "é", "€", "😀"};
    for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
        for (size_t start = 0; start < 5; start++) {
            char text[ERROR_TEXT_BYTES + 64] = "abcd";
            size_t len = start;
            size_t bytes = strlen(characters[i]);
            while (len + bytes < sizeof(text)) {
                memcpy(text + len, characters[i], bytes);
                len += bytes;
            }
            text[len] = '\0';
            struct error error = {0};
            error_set(&error, ERROR_CODE_INVALID, "%s", text);
            size_t kept = strlen(error.text);
            assert_true(kept < ERROR_TEXT_BYTES);
            assert_true(kept + 4 >= ERROR_TEXT_BYTES);
            assert_true(utf8_is_valid(error.text, kept, NULL));
            error_prefix(&error, "é: %s", "prefix");
            kept = strlen(error.text);
            assert_true(kept < ERROR_TEXT_BYTES);
            assert_true(utf8_is_valid(error.text, kept, NULL));
            error_prefix(&error, "%s", text);
            kept = strlen(error.text);
            assert_true(kept < ERROR_TEXT_BYTES);
            assert_true(utf8_is_valid(error.text, kept, NULL));
        }
    }
}

static void
every_code_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 1; i < ERROR_CODE_COUNT; i++) {
        enum error_code code = (enum error_code)i;
        assert_int_equal(error_code_from_name(error_code_name(code)), code);
    }
}

static void
unknown_codes_and_names_are_internal(void **state)
{
    (void)state;
    assert_string_equal(error_code_name(ERROR_CODE_COUNT), "Internal");
    assert_string_equal(error_code_name((enum error_code)9999), "Internal");
    assert_int_equal(error_code_from_name("Nonsense"), ERROR_CODE_INTERNAL);
    assert_int_equal(error_code_from_name("None"), ERROR_CODE_INTERNAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_error_has_code_and_text),
        cmocka_unit_test(absent_error_is_no_crash),
        cmocka_unit_test(errno_text_is_appended_for_both_signs),
        cmocka_unit_test(prefix_keeps_code_and_errnum),
        cmocka_unit_test(text_is_cut_at_the_end_of_a_character),
        cmocka_unit_test(every_code_has_a_name_of_its_own),
        cmocka_unit_test(unknown_codes_and_names_are_internal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
