#include "base/buffer.h"
#include "tui/keymap.h"

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

/* A configuration directory with one keymap, "mine". */
struct scratch {
    char dir[64];
    char file[128];
};

static void
write_keymap(struct scratch *scratch, const char *text)
{
    char folder[96];
    (void)snprintf(scratch->dir, sizeof(scratch->dir),
                   "/tmp/test_keymap.XXXXXX");
    assert_non_null(mkdtemp(scratch->dir));
    (void)snprintf(folder, sizeof(folder), "%s/keymaps", scratch->dir);
    assert_int_equal(mkdir(folder, 0700), 0);
    (void)snprintf(scratch->file, sizeof(scratch->file), "%s/mine.json",
                   folder);
    FILE *file = fopen(scratch->file, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
}

static void
remove_keymap(struct scratch *scratch)
{
    char folder[96];
    unlink(scratch->file);
    (void)snprintf(folder, sizeof(folder), "%s/keymaps", scratch->dir);
    rmdir(folder);
    rmdir(scratch->dir);
}

/* Loads text as the keymap "mine"; problems: what was said about it. */
static struct keymap *
load(const char *text, struct buffer *problems)
{
    struct scratch scratch;
    write_keymap(&scratch, text);
    struct keymap *keymap = keymap_load("mine", scratch.dir, problems);
    remove_keymap(&scratch);
    return keymap;
}

static const char *
action_of(const struct keymap *keymap, enum keymap_mode mode, const char *key)
{
    const struct action *action = keymap_find(keymap, mode, key);
    return action ? action->name : "";
}

static const struct {
    const char *text;
    const char *key; /* NULL: refused */
} keys[] = {
    {"a", "a"},           {"A", "A"},           {"C-a", "C-a"},
    {"C-A", "C-a"},       {"c-]", "C-]"},       {"M-C-x", "C-M-x"},
    {"S-M-Up", "M-S-Up"}, {"pageup", "PageUp"}, {"ESCAPE", "Escape"},
    {" ", "Space"},       {"space", "Space"},   {"C-Space", "C-Space"},
    {"C-@", "C-Space"},   {"C-[", "Escape"},    {"C-i", "Tab"},
    {"C-m", "Enter"},     {"-", "-"},           {"C--", "C--"},
    {"C-", NULL},         {"", NULL},           {"ab", NULL},
    {"X-a", NULL},        {"\033", NULL},       {"é", "é"},
    {"F12", "F12"},       {"F99", NULL},
};

static void
keys_have_one_spelling(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        char key[KEYMAP_KEY_MAX_BYTES] = "";
        struct error error = {0};
        bool is_key = keymap_normalise(keys[i].text, key, &error);
        assert_int_equal(is_key, keys[i].key != NULL);
        if (is_key)
            assert_string_equal(key, keys[i].key);
        else
            assert_int_equal(error.code, ERROR_CODE_INVALID);
    }
}

static void
the_default_keymap_has_no_mistake(void **state)
{
    (void)state;
    struct buffer problems = {0};
    struct keymap *keymap = keymap_load(NULL, NULL, &problems);
    assert_int_equal(problems.len, 0);
    assert_string_equal(keymap_prefix(keymap), "C-]");
    assert_string_equal(action_of(keymap, KEYMAP_CONSOLE, "C-]"), "prefix");
    assert_string_equal(action_of(keymap, KEYMAP_PREFIX, "C-]"), "send-prefix");
    assert_string_equal(action_of(keymap, KEYMAP_PREFIX, "d"), "detach");
    assert_string_equal(action_of(keymap, KEYMAP_SIDEBAR, "K"), "kill");
    keymap_free(keymap);
    buffer_finish(&problems);
}

static void
only_the_prefix_is_taken_from_a_console(void **state)
{
    (void)state;
    struct keymap *keymap = keymap_load(NULL, NULL, NULL);
    size_t count;
    keymap_bindings(keymap, KEYMAP_CONSOLE, &count);
    assert_int_equal(count, 1);
    assert_null(keymap_find(keymap, KEYMAP_CONSOLE, "Escape"));
    keymap_free(keymap);
}

static void
what_destroys_is_bound_only_where_it_asks_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < actions_count(); i++) {
        const char *name = actions_at(i)->name;
        if (strcmp(name, "kill") == 0 || strcmp(name, "reset") == 0 ||
            strcmp(name, "restart") == 0 || strcmp(name, "remove") == 0)
            assert_non_null(strstr(actions_at(i)->summary, "asks first"));
    }
}

static void
the_prefix_moves_with_one_member(void **state)
{
    (void)state;
    struct buffer problems = {0};
    struct keymap *keymap = load("{\"prefix\": \"C-a\"}", &problems);
    assert_int_equal(problems.len, 0);
    assert_string_equal(action_of(keymap, KEYMAP_CONSOLE, "C-a"), "prefix");
    assert_string_equal(action_of(keymap, KEYMAP_CONSOLE, "C-]"), "");
    assert_string_equal(action_of(keymap, KEYMAP_PREFIX, "C-a"), "send-prefix");
    assert_string_equal(action_of(keymap, KEYMAP_PREFIX, "d"), "detach");
    keymap_free(keymap);
    buffer_finish(&problems);
}

static void
null_unbinds_and_the_rest_is_inherited(void **state)
{
    (void)state;
    struct keymap *keymap = load(
        "{\"modes\": {\"sidebar\": {\"K\": null, \"F9\": \"kill\"}}}", NULL);
    assert_string_equal(action_of(keymap, KEYMAP_SIDEBAR, "K"), "");
    assert_string_equal(action_of(keymap, KEYMAP_SIDEBAR, "F9"), "kill");
    assert_string_equal(action_of(keymap, KEYMAP_SIDEBAR, "s"), "start");
    keymap_free(keymap);
}

static const struct {
    const char *text;
    const char *complaint; /* a part of it */
} mistakes[] = {
    {"{\"modes\": {\"sidebar\": {\"F9\": \"kil\"}}}",
     "modes.sidebar.F9: no action \"kil\" (did you mean \"kill\"?)"},
    {"{\"modes\": {\"sidbar\": {}}}",
     "modes.sidbar: no such mode (did you mean \"sidebar\"?)"},
    {"{\"modes\": {\"sidebar\": {\"Hoome\": \"top\"}}}",
     "modes.sidebar: \"Hoome\" is no key (did you mean \"Home\"?)"},
    {"{\"modes\": {\"sidebar\": {\"a\": 7}}}", "modes.sidebar.a: is "},
    {"{\"modes\": []}", "modes: missing, or not an object"},
    {"{\"prefix\": \"C-\"}", "prefix: \"C-\" is no key"},
    {"{\"prefix\": 1}", "prefix: is "},
    {"{\"inherit\": 1, \"modes\": {}}", "inherit: is "},
    {"{\"inherit\": \"mine\", \"modes\": {}}", "more than 8 keymaps in a row"},
    {"{\"inherit\": \"nowhere\", \"modes\": {}}", "no keymap \"nowhere\""},
    {"{\"modes\": {}\n", "mine.json:2"},
};

static void
mistakes_are_told_with_their_place_and_leave_the_default(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
        struct buffer problems = {0};
        struct keymap *keymap = load(mistakes[i].text, &problems);
        assert_true(problems.len > 0);
        if (!strstr(problems.data, mistakes[i].complaint))
            fail_msg("\"%s\" does not say \"%s\"", problems.data,
                     mistakes[i].complaint);
        assert_string_equal(action_of(keymap, KEYMAP_CONSOLE, "C-]"), "prefix");
        keymap_free(keymap);
        buffer_finish(&problems);
    }
}

static void
actions_are_sorted_unique_and_complete(void **state)
{
    (void)state;
    size_t tables = 0;
    assert_in_range(actions_count(), 1, ACTIONS_MAX);
    assert_null(actions_at(actions_count()));
    for (size_t i = 0; i < actions_count(); i++) {
        const struct action *action = actions_at(i);
        assert_non_null(action->run);
        assert_true(action->summary[0] != '\0');
        assert_ptr_equal(action_find(action->name, NULL), action);
        /* the rows of one table stand in one piece */
        if (i == 0 || action != actions_at(i - 1) + 1)
            tables++;
        else
            assert_true(strcmp(actions_at(i - 1)->name, action->name) < 0);
    }
    assert_true(tables < actions_count() / 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_have_one_spelling),
        cmocka_unit_test(the_default_keymap_has_no_mistake),
        cmocka_unit_test(only_the_prefix_is_taken_from_a_console),
        cmocka_unit_test(what_destroys_is_bound_only_where_it_asks_first),
        cmocka_unit_test(the_prefix_moves_with_one_member),
        cmocka_unit_test(null_unbinds_and_the_rest_is_inherited),
        cmocka_unit_test(
            mistakes_are_told_with_their_place_and_leave_the_default),
        cmocka_unit_test(actions_are_sorted_unique_and_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
