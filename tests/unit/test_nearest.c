#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
nearest_name_is_a_typing_error_away(void **state)
{
    (void)state;
    static const char *const names[] = {
        "memory", "machine", "kernel", "initrd", "append", "smp", "cpu", "args",
    };
    static const struct {
        const char *word;
        const char *near;
    } rows[] = {
        {"memory", "memory"},  {"memmory", "memory"}, {"mem", NULL},
        {"memroy", "memory"},  {"kernal", "kernel"},  {"krenel", "kernel"},
        {"machin", "machine"}, {"smo", "smp"},        {"cpus", "cpu"},
        {"psm", NULL},         {"x", NULL},           {"", NULL},
        {"disks", NULL},       {"intird", "initrd"},  {"arg", "args"},
    };
    size_t count = sizeof(names) / sizeof(names[0]);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *near = nearest_name(rows[i].word, names, count);
        if (!rows[i].near)
            assert_null(near);
        else
            assert_string_equal(near, rows[i].near);
    }
    assert_null(nearest_name("memory", NULL, 0));
}

static void
long_words_have_no_neighbour(void **state)
{
    (void)state;
    char word[200];
    memset(word, 'a', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    const char *names[] = {word};
    assert_null(nearest_name(word, names, 1));
    assert_null(nearest_name("aaaa", names, 1));
    word[64] = '\0';
    assert_ptr_equal(nearest_name(word, names, 1), word);
    word[65] = '\0';
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_name_is_a_typing_error_away),
        cmocka_unit_test(long_words_have_no_neighbour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
