#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct option rows[] = {
    {.name = "detach", .letter = 'd', .type = OPTION_FLAG, .summary = "x"},
    {
        .name = "file",
        .letter = 'f',
        .type = OPTION_TEXT,
        .value = "FILE",
        .default_value = "x.json",
        .summary = "x",
    },
    {
        .name = "history",
        .type = OPTION_INTEGER,
        .value = "N",
        .min = 1,
        .max = 100,
        .summary = "x",
    },
    {
        .name = "timeout",
        .type = OPTION_SECONDS,
        .value = "S",
        .default_value = "2.5",
        .max = 10000,
        .summary = "x",
    },
};
static const struct option global_rows[] = {
    {.name = "json", .type = OPTION_FLAG, .summary = "x"},
    {
        .name = "secret",
        .type = OPTION_FLAG,
        .flags = OPTION_HIDDEN,
        .summary = "x",
    },
};
static const struct option_table tables[] = {
    {rows, sizeof(rows) / sizeof(rows[0])},
    {global_rows, sizeof(global_rows) / sizeof(global_rows[0])},
};

#define MAX_WORDS 8

static bool
parse(struct options *options, const char *const *words, unsigned flags,
      struct error *error)
{
    char *argv[MAX_WORDS];
    int argc = 0;
    for (; argc < MAX_WORDS && words[argc]; argc++)
        argv[argc] = (char *)words[argc];
    /* options borrows the words themselves, not argv */
    return options_parse(options, tables, 2, flags, argc, argv, error);
}

static void
good_command_lines_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *words[MAX_WORDS];
        unsigned flags;
        const char *read; /* what was read, see below */
    } cases[] = {
        {{NULL}, 0, "d0 f=x.json h0 t2500 j0"},
        {{"-d"}, 0, "d1 f=x.json h0 t2500 j0"},
        {{"--detach", "a", "--json"}, 0, "d1 f=x.json h0 t2500 j1 a"},
        {{"-f", "y"}, 0, "d0 f=y h0 t2500 j0"},
        {{"-fy"}, 0, "d0 f=y h0 t2500 j0"},
        {{"-dfy"}, 0, "d1 f=y h0 t2500 j0"},
        {{"-df", "-d"}, 0, "d1 f=-d h0 t2500 j0"},
        {{"--file=y", "--file", "z"}, 0, "d0 f=z h0 t2500 j0"},
        {{"--file="}, 0, "d0 f= h0 t2500 j0"},
        {{"a", "--", "--detach", "-x"},
         0,
         "d0 f=x.json h0 t2500 j0 a --detach "
         "-x"},
        {{"-"}, 0, "d0 f=x.json h0 t2500 j0 -"},
        {{"--history", "100"}, 0, "d0 f=x.json h100 t2500 j0"},
        {{"--timeout", "0.0001"}, 0, "d0 f=x.json h0 t1 j0"},
        {{"--timeout=10"}, 0, "d0 f=x.json h0 t10000 j0"},
        {{"-d", "qemu", "-d", "--json"},
         OPTIONS_STOP_AT_ARGUMENT,
         "d1 f=x.json h0 t2500 j0 qemu -d --json"},
        {{"--", "-m", "1"},
         OPTIONS_STOP_AT_ARGUMENT,
         "d0 f=x.json h0 t2500 j0 -m 1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct options options = {0};
        struct error error = {0};
        if (!parse(&options, cases[i].words, cases[i].flags, &error))
            fail_msg("%zu: %s", i, error.text);
        char text[256];
        int len = snprintf(text, sizeof(text), "d%d f=%s h%d t%d j%d",
                           options_has(&options, "detach"),
                           options_text(&options, "file"),
                           (int)options_number(&options, "history"),
                           (int)options_number(&options, "timeout"),
                           options_has(&options, "json"));
        for (int j = 0; j < options.argument_count; j++)
            len += snprintf(text + len, sizeof(text) - (size_t)len, " %s",
                            options.arguments[j]);
        assert_null(options.arguments[options.argument_count]);
        assert_string_equal(text, cases[i].read);
        options_finish(&options);
    }
}

static void
bad_command_lines_name_the_mistake(void **state)
{
    (void)state;
    static const struct {
        const char *words[MAX_WORDS];
        const char *text; /* part of the error */
    } cases[] = {
        {{"--detahc"}, "did you mean --detach?"},
        {{"--det"}, "no option --det"},
        {{"--secre"}, "no option --secre (what"},
        {{"--wholly-else"}, "no option --wholly-else"},
        {{"--wholly=else"}, "no option --wholly "},
        {{"-x"}, "no option -x"},
        {{"-dx"}, "no option -x"},
        {{"-f"}, "-f wants a value (FILE)"},
        {{"--file"}, "--file wants a value (FILE)"},
        {{"--detach=1"}, "--detach takes no value"},
        {{"--history", "0"}, "no number from 1 to 100"},
        {{"--history", "101"}, "no number from 1 to 100"},
        {{"--history", "1x"}, "\"1x\" is no number"},
        {{"--history", ""}, "\"\" is no number"},
        {{"--history", "99999999999999999999"}, "is no number"},
        {{"--timeout", "-1"}, "no number of seconds from 0 to 10"},
        {{"--timeout", "11"}, "no number of seconds"},
        {{"--timeout", "1e1"}, "no number of seconds"},
        {{"--timeout", "nan"}, "no number of seconds"},
        {{"--timeout", "."}, "no number of seconds"},
        {{"--timeout", "1.2.3"}, "no number of seconds"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct options options = {0};
        struct error error = {0};
        if (parse(&options, cases[i].words, 0, &error))
            fail_msg("taken: %s", cases[i].words[0]);
        assert_int_equal(error.code, ERROR_CODE_INVALID);
        if (!strstr(error.text, cases[i].text))
            fail_msg("\"%s\" lacks \"%s\"", error.text, cases[i].text);
    }
}

static void
finishing_twice_is_harmless(void **state)
{
    (void)state;
    struct options options = {0};
    struct error error = {0};
    static const char *const words[] = {"-d", "a", NULL};
    assert_true(parse(&options, words, 0, &error));
    options_finish(&options);
    options_finish(&options);
    options_finish(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_command_lines_are_read),
        cmocka_unit_test(bad_command_lines_name_the_mistake),
        cmocka_unit_test(finishing_twice_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
