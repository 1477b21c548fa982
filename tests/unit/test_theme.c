#include "tui/term-driver.h"
#include "tui/theme.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Loads text as a theme file by its path. */
static struct theme *
load(const char *text, bool has_colour, struct buffer *problems)
{
    char path[] = "/tmp/test_theme.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    struct theme *theme = theme_load(path, NULL, has_colour, problems);
    unlink(path);
    return theme;
}

static int
foreground(const struct theme *theme, enum theme_role role)
{
    return tickit_pen_get_colour_attr(theme_pen(theme, role), TICKIT_PEN_FG);
}

static void
the_default_theme_has_no_mistake_and_every_role(void **state)
{
    (void)state;
    struct buffer problems = {0};
    struct theme *theme = theme_load(NULL, NULL, true, &problems);
    assert_int_equal(problems.len, 0);
    for (int i = 0; i < THEME_ROLE_COUNT; i++) {
        assert_non_null(theme_roles[i].name);
        assert_non_null(theme_roles[i].summary);
        assert_non_null(theme_pen(theme, (enum theme_role)i));
    }
    assert_true(foreground(theme, THEME_STATE_RUNNING) >= 0);
    theme_free(theme);
    buffer_finish(&problems);
}

static void
without_colour_states_and_focus_differ_by_attributes(void **state)
{
    (void)state;
    struct theme *theme = theme_load(NULL, NULL, false, NULL);
    for (int i = 0; i < THEME_ROLE_COUNT; i++) {
        assert_int_equal(foreground(theme, (enum theme_role)i), -1);
        assert_int_equal(
            tickit_pen_get_colour_attr(theme_pen(theme, (enum theme_role)i),
                                       TICKIT_PEN_BG),
            -1);
    }
    assert_true(tickit_pen_get_bool_attr(
        theme_pen(theme, THEME_SIDEBAR_SELECTED), TICKIT_PEN_REVERSE));
    assert_true(tickit_pen_get_bool_attr(
        theme_pen(theme, THEME_BUTTON_SELECTED), TICKIT_PEN_REVERSE));
    assert_false(tickit_pen_get_bool_attr(theme_pen(theme, THEME_BUTTON),
                                          TICKIT_PEN_REVERSE));
    theme_free(theme);
}

static const struct {
    const char *text;
    int index; /* -2: refused */
} colours[] = {
    {"default", -1}, {"black", 0},    {"white", 7},     {"bright-red", 9},
    {"0", 0},        {"255", 255},    {"256", -2},      {"#ffffff", 231},
    {"#000000", 16}, {"#0000ff", 21}, {"#808080", 244}, {"#5fafff", 75},
    {"#fff", -2},    {"reddish", -2}, {"", -2},         {"#12345g", -2},
    {"bright-", -2}, {"-1", -2},      {"1e2", -2},
};

static void
colours_are_names_numbers_and_rgb(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(colours) / sizeof(*colours); i++) {
        int index = -2;
        unsigned rgb;
        if (!theme_parse_colour(colours[i].text, &index, &rgb))
            index = -2;
        if (index != colours[i].index)
            fail_msg("%s is %d, not %d", colours[i].text, index,
                     colours[i].index);
    }
}

static void
colours_are_reduced_to_what_a_terminal_has(void **state)
{
    (void)state;
    assert_int_equal(term_colour_reduce(231, 256), 231);
    assert_int_equal(term_colour_reduce(231, 16), 15);
    assert_int_equal(term_colour_reduce(196, 16), 9);
    assert_int_equal(term_colour_reduce(160, 8), 1);
    assert_int_equal(term_colour_reduce(16, 8), 0);
    assert_int_equal(term_colour_reduce(9, 8), 1);
    assert_int_equal(term_colour_reduce(5, 8), 5);
    assert_int_equal(term_colour_reduce(5, 0), -1);
    assert_int_equal(term_colour_reduce(-1, 256), -1);
    /* a grey is no yellow */
    assert_int_equal(term_colour_reduce(244, 8), 7);
    assert_int_equal(term_colour_reduce(244, 16), 8);
    for (int i = 16; i < 256; i++)
        assert_int_equal(term_colour_from_rgb(term_colour_to_rgb(i)) >= 16, 1);
}

static void
text_can_be_told_from_what_is_behind_it_in_few_colours(void **state)
{
    (void)state;
    static const struct {
        int text;
        int background;
        int colours;
        int wanted;
    } rows[] = {
        {240, -1, 8, -1}, {238, -1, 8, -1},     {236, -1, 16, -1},
        {240, -1, 16, 8}, {240, -1, 256, 240},  {16, -1, 8, 0},
        {0, -1, 8, 0},    {250, 236, 8, 7},     {240, 236, 8, 7},
        {236, 252, 8, 0}, {252, 255, 8, 0},     {203, 160, 8, 7},
        {160, 160, 8, 1}, {16, 75, 8, 0},       {231, 160, 8, 7},
        {-1, 236, 8, -1}, {203, 160, 256, 203}, {231, 160, 0, -1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        int got = term_colour_reduce_text(rows[i].text, rows[i].background,
                                          rows[i].colours);
        if (got != rows[i].wanted)
            fail_msg("%d on %d in %d: %d", rows[i].text, rows[i].background,
                     rows[i].colours, got);
    }
}

static void
a_theme_changes_what_it_names_and_keeps_the_rest(void **state)
{
    (void)state;
    struct buffer problems = {0};
    struct theme *theme =
        load("{\"roles\": {\"accent\": {\"fg\": \"red\", \"italic\": true}}}",
             true, &problems);
    struct theme *base = theme_load(NULL, NULL, true, NULL);
    assert_int_equal(problems.len, 0);
    assert_int_equal(foreground(theme, THEME_ACCENT), 1);
    assert_true(tickit_pen_get_bool_attr(theme_pen(theme, THEME_ACCENT),
                                         TICKIT_PEN_ITALIC));
    assert_false(tickit_pen_get_bool_attr(theme_pen(theme, THEME_ACCENT),
                                          TICKIT_PEN_BOLD));
    assert_int_equal(foreground(theme, THEME_MUTED),
                     foreground(base, THEME_MUTED));
    theme_free(base);
    theme_free(theme);
    buffer_finish(&problems);
}

static void
themes_inherit_by_path(void **state)
{
    (void)state;
    char path[] = "/tmp/test_theme.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    const char *parent = "{\"roles\": {\"text\": {\"fg\": 3}, "
                         "\"muted\": {\"fg\": 4}}}";
    assert_true(write(fd, parent, strlen(parent)) > 0);
    close(fd);
    char text[256];
    (void)snprintf(text, sizeof(text),
                   "{\"inherit\": \"%s\", \"roles\": {\"muted\": {\"fg\": 5}}}",
                   path);
    struct theme *theme = load(text, true, NULL);
    assert_int_equal(foreground(theme, THEME_TEXT), 3);
    assert_int_equal(foreground(theme, THEME_MUTED), 5);
    theme_free(theme);
    unlink(path);
}

static const struct {
    const char *text;
    const char *complaint;
} mistakes[] = {
    {"{\"roles\": {\"acent\": {}}}",
     "roles.acent: no such role (did you mean \"accent\"?)"},
    {"{\"roles\": {\"accent\": {\"fg\": \"rod\"}}}",
     "roles.accent.fg: no colour"},
    {"{\"roles\": {\"accent\": {\"bold\": 1}}}", "roles.accent.bold: is "},
    {"{\"roles\": {\"accent\": {\"bould\": true}}}",
     "roles.accent.bould: no such member (did you mean \"bold\"?)"},
    {"{\"roles\": {\"accent\": 7}}", "roles.accent: is "},
    {"{\"roles\": 7}", "roles: missing, or not an object"},
    {"{\"inherit\": 7, \"roles\": {}}", "inherit: is "},
    {"{\"inherit\": \"nowhere\", \"roles\": {}}", "no theme \"nowhere\""},
    {"{\"roles\": {},}", ":1:"},
    {"{\"roles\": {}, \"roles\": {}}", "duplicate"},
};

static void
mistakes_are_told_with_their_place_and_leave_the_default(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
        struct buffer problems = {0};
        struct theme *theme = load(mistakes[i].text, true, &problems);
        assert_true(problems.len > 0);
        if (!strstr(problems.data, mistakes[i].complaint))
            fail_msg("\"%s\" does not say \"%s\"", problems.data,
                     mistakes[i].complaint);
        assert_true(foreground(theme, THEME_STATE_RUNNING) >= 0);
        theme_free(theme);
        buffer_finish(&problems);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_theme_has_no_mistake_and_every_role),
        cmocka_unit_test(without_colour_states_and_focus_differ_by_attributes),
        cmocka_unit_test(colours_are_names_numbers_and_rgb),
        cmocka_unit_test(colours_are_reduced_to_what_a_terminal_has),
        cmocka_unit_test(
            text_can_be_told_from_what_is_behind_it_in_few_colours),
        cmocka_unit_test(a_theme_changes_what_it_names_and_keeps_the_rest),
        cmocka_unit_test(themes_inherit_by_path),
        cmocka_unit_test(
            mistakes_are_told_with_their_place_and_leave_the_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
