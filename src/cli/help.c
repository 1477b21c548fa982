#include "cli/help.h"

#include "base/buffer.h"
#include "config.h"

#include <stdio.h>
#include <string.h>

/* Where the explanations begin, columns. */
#define INDENT_COLS 26
/* Where they end. */
#define PAGE_COLS 78

/* Prints words from the present column on, later lines indented. */
static void
print_wrapped(const char *text, int indent, int col)
{
    while (*text) {
        int len = (int)strcspn(text, " \n");
        if (col + 1 + len > PAGE_COLS && col > indent) {
            (void)printf("\n%*s", indent, "");
            col = indent;
        } else if (col > indent) {
            (void)putchar(' ');
            col++;
        }
        (void)fwrite(text, 1, (size_t)len, stdout);
        col += len;
        text += len;
        if (*text == '\n') {
            (void)printf("\n%*s", indent, "");
            col = indent;
        }
        if (*text)
            text++;
    }
    (void)putchar('\n');
}

static void
print_entry(const char *head, const char *text)
{
    int len = (int)strlen(head);
    (void)printf("  %s", head);
    if (len + 4 > INDENT_COLS)
        (void)printf("\n%*s", INDENT_COLS, "");
    else
        (void)printf("%*s", INDENT_COLS - 2 - len, "");
    print_wrapped(text, INDENT_COLS, INDENT_COLS);
}

void
help_format_option(const struct option *option, struct buffer *out)
{
    if (option->letter)
        buffer_printf(out, "-%c, ", option->letter);
    buffer_printf(out, "--%s", option->name);
    if (option->value)
        buffer_printf(out, " %s", option->value);
}

void
help_format_summary(const struct option *option, struct buffer *out)
{
    buffer_append_text(out, option->summary);
    if (option->default_value)
        buffer_printf(out, " (default: %s)", option->default_value);
}

void
help_each_option(const struct option *options, size_t count,
                 void (*print)(const char *head, const char *text))
{
    for (size_t i = 0; i < count; i++) {
        if (options[i].flags & OPTION_HIDDEN)
            continue;
        struct buffer head = {0};
        struct buffer text = {0};
        help_format_option(&options[i], &head);
        help_format_summary(&options[i], &text);
        print(head.data, text.data);
        buffer_finish(&head);
        buffer_finish(&text);
    }
}

void
help_print_version(void)
{
    (void)printf("guestmux %s\n", GUESTMUX_VERSION);
}

void
help_print_all(void)
{
    (void)printf("usage: guestmux [OPTION]… [COMMAND [ARGUMENT]…]\n\n");
    print_wrapped("Puts the consoles of many headless QEMU guests on one "
                  "screen. Without a command it opens the deck (attach).",
                  0, 0);
    (void)printf("\ncommands:\n");
    for (size_t i = 0; i < commands_count; i++) {
        if (!(commands[i]->flags & COMMAND_HIDDEN))
            print_entry(commands[i]->name, commands[i]->summary);
    }
    (void)printf("\noptions of every command:\n");
    help_each_option(commands_global_options, commands_global_option_count,
                     print_entry);
    (void)printf("\nexit status: 0 done, 1 failed, 2 wrong use, 3 timeout.\n"
                 "`guestmux COMMAND --help` tells more; so do guestmux(1), "
                 "guestmux-fleet(5).\n");
}

void
help_print_command(const struct command *command)
{
    (void)printf("usage: guestmux %s%s%s\n", command->name,
                 command->usage[0] ? " " : "", command->usage);
    if (command->alias)
        (void)printf("also:  guestmux %s\n", command->alias);
    (void)putchar('\n');
    (void)printf("%s.\n", command->summary);
    if (command->text) {
        (void)putchar('\n');
        print_wrapped(command->text, 0, 0);
    }
    if (command->option_count)
        (void)printf("\noptions:\n");
    help_each_option(command->options, command->option_count, print_entry);
    (void)printf("\noptions of every command:\n");
    help_each_option(commands_global_options, commands_global_option_count,
                     print_entry);
}
