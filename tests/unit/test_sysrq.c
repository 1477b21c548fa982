#include "guest/sysrq.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
names_and_letters_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < sysrqs_count; i++) {
        assert_true(islower((unsigned char)sysrqs[i].letter));
        assert_true(strlen(sysrqs[i].name) > 1);
        assert_non_null(sysrqs[i].summary);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(sysrqs[i].name, sysrqs[j].name);
            assert_true(sysrqs[i].letter != sysrqs[j].letter);
        }
    }
}

static void
what_ends_something_is_dangerous(void **state)
{
    (void)state;
    for (const char *letter = "bcoeifk"; *letter; letter++) {
        char name[] = {*letter, '\0'};
        const struct sysrq *sysrq = sysrq_find(name, NULL);
        assert_non_null(sysrq);
        assert_true(sysrq->is_dangerous);
    }
    assert_false(sysrq_find("sync", NULL)->is_dangerous);
}

static void
a_name_and_its_letter_find_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sysrqs_count; i++) {
        char letter[] = {sysrqs[i].letter, '\0'};
        assert_ptr_equal(sysrq_find(sysrqs[i].name, NULL), &sysrqs[i]);
        assert_ptr_equal(sysrq_find(letter, NULL), &sysrqs[i]);
    }
}

static void
an_unknown_name_names_the_nearest(void **state)
{
    (void)state;
    struct error error = {0};
    assert_null(sysrq_find("rebot", &error));
    assert_int_equal(error.code, ERROR_CODE_NOT_FOUND);
    assert_non_null(strstr(error.text, "did you mean 'reboot'?"));
    assert_null(sysrq_find("", &error));
    assert_null(sysrq_find("so", &error));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_letters_are_unique),
        cmocka_unit_test(what_ends_something_is_dangerous),
        cmocka_unit_test(a_name_and_its_letter_find_the_same),
        cmocka_unit_test(an_unknown_name_names_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
