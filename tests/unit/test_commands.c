#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The longest line of `guestmux --help`: 26 columns of name, 52 of text. */
#define SUMMARY_MAX_BYTES 70

static void
the_table_is_sorted_and_unique(void **state)
{
    (void)state;
    for (size_t i = 1; i < commands_count; i++)
        assert_true(strcmp(commands[i - 1]->name, commands[i]->name) < 0);
    for (size_t i = 0; i < commands_count; i++) {
        for (size_t j = 0; j < commands_count; j++) {
            const char *alias = commands[i]->alias;
            assert_false(alias && strcmp(alias, commands[j]->name) == 0);
            assert_false(alias && i != j && commands[j]->alias &&
                         strcmp(alias, commands[j]->alias) == 0);
        }
    }
}

static void
each_row_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < commands_count; i++) {
        const struct command *command = commands[i];
        assert_non_null(command->run);
        assert_non_null(command->usage);
        assert_non_null(command->summary);
        assert_true(strlen(command->summary) <= SUMMARY_MAX_BYTES);
        assert_true(command->summary[strlen(command->summary) - 1] != '.');
        assert_true(command->max_arguments == -1 ||
                    command->max_arguments >= command->min_arguments);
        assert_true(command->min_arguments >= 0);
        assert_true((command->min_arguments == 0) ==
                        (command->usage[0] == '[' || !command->usage[0] ||
                         strstr(command->usage, "--list") != NULL) ||
                    command->usage[0] == '[');
    }
}

static void
check_options(const char *command, const struct option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct option *option = &options[i];
        assert_non_null(option->name);
        assert_non_null(option->summary);
        if ((option->type == OPTION_FLAG) != (option->value == NULL))
            fail_msg("%s --%s: a value is missing or too many", command,
                     option->name);
        if ((option->type == OPTION_INTEGER ||
             option->type == OPTION_SECONDS) &&
            option->max <= option->min)
            fail_msg("%s --%s: no range", command, option->name);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(option->name, options[j].name) == 0 ||
                (option->letter && option->letter == options[j].letter))
                fail_msg("%s --%s is there twice", command, option->name);
        }
    }
}

static void
options_are_complete_and_unique(void **state)
{
    (void)state;
    check_options("guestmux", commands_global_options,
                  commands_global_option_count);
    for (size_t i = 0; i < commands_count; i++) {
        const struct command *command = commands[i];
        struct option all[64];
        size_t count = 0;
        for (size_t j = 0; j < command->option_count; j++)
            all[count++] = command->options[j];
        for (size_t j = 0; j < commands_global_option_count; j++)
            all[count++] = commands_global_options[j];
        check_options(command->name, all, count);
    }
}

/* Tables as an option parser sees them: a number's default has to be one. */
static void
defaults_are_within_their_ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < commands_count; i++) {
        for (size_t j = 0; j < commands[i]->option_count; j++) {
            const struct option *option = &commands[i]->options[j];
            if (!option->default_value)
                continue;
            const struct option_table table = {option, 1};
            char word[64] = "--";
            strcat(word, option->name);
            char *const argv[] = {word, (char *)option->default_value};
            struct options options = {0};
            struct error error = {0};
            if (!options_parse(&options, &table, 1, 0, 2, argv, &error))
                fail_msg("%s: %s", commands[i]->name, error.text);
            options_finish(&options);
        }
    }
}

static void
names_and_aliases_are_found_whole(void **state)
{
    (void)state;
    struct error error = {0};
    for (size_t i = 0; i < commands_count; i++) {
        assert_ptr_equal(commands_find(commands[i]->name, &error), commands[i]);
        if (commands[i]->alias)
            assert_ptr_equal(commands_find(commands[i]->alias, &error),
                             commands[i]);
    }
    assert_null(commands_find("att", &error));
    assert_null(commands_find("", &error));
    assert_null(commands_find("attahc", &error));
    assert_non_null(strstr(error.text, "attach"));
    assert_int_equal(error.code, ERROR_CODE_INVALID);
}

static void
what_destroys_takes_yes(void **state)
{
    (void)state;
    static const char *const names[] = {"down", "kill", "reset", "restart",
                                        "rm"};
    struct error error = {0};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct command *command = commands_find(names[i], &error);
        assert_true(command->flags & COMMAND_CONFIRMS);
        bool has_yes = false;
        for (size_t j = 0; j < command->option_count; j++)
            has_yes = has_yes || strcmp(command->options[j].name, "yes") == 0;
        assert_true(has_yes);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sorted_and_unique),
        cmocka_unit_test(each_row_is_complete),
        cmocka_unit_test(options_are_complete_and_unique),
        cmocka_unit_test(defaults_are_within_their_ranges),
        cmocka_unit_test(names_and_aliases_are_found_whole),
        cmocka_unit_test(what_destroys_takes_yes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
