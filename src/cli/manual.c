#include "cli/manual.h"

#include "base/buffer.h"
#include "cli/command.h"
#include "cli/help.h"
#include "server/api.h"
#include "tui/actions.h"
#include "tui/keymap.h"
#include "tui/theme.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text as scdoc wants it: what it would take for markup is escaped. */
static void
print_escaped(const char *text)
{
    if (*text == '-') /* it would begin a list */
        (void)putchar('\\');
    for (; *text; text++) {
        if (strchr("_*\\#`<>[]|~", *text))
            (void)putchar('\\');
        (void)putchar(*text);
    }
}

/* "*head*" and the text below it. */
static void
print_entry(const char *head, const char *text)
{
    (void)putchar('*');
    print_escaped(head);
    (void)printf("*\n\t");
    print_escaped(text);
    (void)printf(".\n\n");
}

static void
print_options(void)
{
    (void)printf("# OPTIONS\n\n"
                 "These go before the command's name or behind it.\n\n");
    help_each_option(commands_global_options, commands_global_option_count,
                     print_entry);
}

static void
print_command(const struct command *command)
{
    /* a heading is taken as it stands, without markup */
    (void)printf("## %s\n\n*guestmux %s* ", command->name, command->name);
    print_escaped(command->usage);
    (void)printf("\n\n");
    print_escaped(command->summary);
    (void)putchar('.');
    if (command->alias)
        (void)printf(" Also called *%s*.", command->alias);
    (void)printf("\n\n");
    if (command->text) {
        print_escaped(command->text);
        (void)printf("\n\n");
    }
    help_each_option(command->options, command->option_count, print_entry);
}

static void
print_commands(void)
{
    (void)printf("# COMMANDS\n\n");
    for (size_t i = 0; i < commands_count; i++) {
        if (!(commands[i]->flags & COMMAND_HIDDEN))
            print_command(commands[i]);
    }
}

static void
print_method(const struct method *method)
{
    (void)printf("## %s\n\n", method->name);
    print_escaped(method->summary);
    (void)printf(".\n\n");
    for (size_t i = 0; i < METHOD_MAX_ARGUMENTS && method->arguments[i].name;
         i++) {
        const struct method_argument *argument = &method->arguments[i];
        bool is_required = (argument->flags & ARGUMENT_REQUIRED) != 0;
        (void)printf("*%s*%s (%s)\n\t", argument->name, is_required ? "" : "?",
                     argument_type_name(argument->type));
        print_escaped(argument->summary);
        (void)printf(".\n\n");
    }
}

static void
print_methods(void)
{
    const struct method *method = NULL;
    for (size_t i = 0; (method = api_method(i)); i++)
        print_method(method);
}

static void
print_roles(void)
{
    for (size_t i = 0; i < THEME_ROLE_COUNT; i++)
        print_entry(theme_roles[i].name, theme_roles[i].summary);
}

static void
print_modes(void)
{
    for (size_t i = 0; i < KEYMAP_MODE_COUNT; i++)
        print_entry(keymap_modes[i].name, keymap_modes[i].heading);
}

static int
compare_actions(const void *a, const void *b)
{
    const struct action *const *first = a;
    const struct action *const *second = b;
    return strcmp((*first)->name, (*second)->name);
}

static void
print_actions(void)
{
    const struct action *sorted[ACTIONS_MAX];
    size_t count = 0;
    while (count < actions_count() && count < ACTIONS_MAX) {
        sorted[count] = actions_at(count);
        count++;
    }
    qsort(sorted, count, sizeof(sorted[0]), compare_actions);
    for (size_t i = 0; i < count; i++)
        print_entry(sorted[i]->name, sorted[i]->summary);
}

/* The default keymap, mode by mode. Keys of one action stand together. */
static void
print_keys(void)
{
    struct keymap *keymap = keymap_load(NULL, NULL, NULL);
    for (size_t mode = 0; mode < KEYMAP_MODE_COUNT; mode++) {
        size_t count = 0;
        const struct keymap_binding *bindings =
            keymap_bindings(keymap, (enum keymap_mode)mode, &count);
        (void)printf("## %s\n\n", keymap_modes[mode].heading);
        for (size_t i = 0; i < count; i++) {
            bool is_same =
                i + 1 < count && bindings[i].action == bindings[i + 1].action;
            (void)putchar('*');
            print_escaped(bindings[i].key);
            (void)printf(is_same ? "*, " : "*\n\t");
            if (is_same)
                continue;
            print_escaped(bindings[i].action->summary);
            (void)printf("\n\n");
        }
    }
    keymap_free(keymap);
}

bool
manual_print(const char *table, struct error *error)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } tables[] = {
        {"actions", print_actions}, {"commands", print_commands},
        {"keys", print_keys},       {"methods", print_methods},
        {"modes", print_modes},     {"options", print_options},
        {"roles", print_roles},
    };
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (strcmp(tables[i].name, table) == 0) {
            tables[i].print();
            return true;
        }
    }
    return error_set(error, ERROR_CODE_INVALID,
                     "the manual has no table \"%s\"", table);
}
