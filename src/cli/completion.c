#include "cli/completion.h"

#include "cli/command.h"

#include <stdio.h>
#include <string.h>

/* What completes a guest's name; it starts no server. */
#define LIST_GUESTS "ls --names --no-start 2>/dev/null"
#define LIST_METHODS "api --names 2>/dev/null"

static const char *
argument_word(enum command_argument argument)
{
    switch (argument) {
    case COMMAND_ARGUMENT_NONE:
        break;
    case COMMAND_ARGUMENT_GUEST:
    case COMMAND_ARGUMENT_GUESTS:
        return "guest";
    case COMMAND_ARGUMENT_FILE:
        return "file";
    case COMMAND_ARGUMENT_METHOD:
        return "method";
    case COMMAND_ARGUMENT_COMMAND:
        return "command";
    }
    return "none";
}

/* Text inside single quotes of a shell. */
static void
print_quoted(const char *text, const char *also_escaped)
{
    for (; *text; text++) {
        if (*text == '\'')
            (void)fputs("'\\''", stdout);
        else if (strchr(also_escaped, *text))
            (void)printf("\\%c", *text);
        else
            (void)putchar(*text);
    }
}

static void
print_command_names(const char *separator)
{
    const char *between = "";
    for (size_t i = 0; i < commands_count; i++) {
        if (commands[i]->flags & COMMAND_HIDDEN)
            continue;
        (void)printf("%s%s", between, commands[i]->name);
        between = separator;
    }
}

static void
print_option_words(const struct option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (options[i].flags & OPTION_HIDDEN)
            continue;
        (void)printf(" --%s", options[i].name);
        if (options[i].letter)
            (void)printf(" -%c", options[i].letter);
    }
}

/* bash ----------------------------------------------------------------------
 */

static void
print_bash(void)
{
    (void)printf("# bash completion for guestmux; made from its command "
                 "table\n"
                 "_guestmux()\n{\n"
                 "    local cur=${COMP_WORDS[COMP_CWORD]} command= kind= "
                 "words= i\n"
                 "    local -a server=()\n"
                 "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                 "        case ${COMP_WORDS[i]} in\n"
                 "        -L|--server)\n"
                 "            server=(-L \"${COMP_WORDS[i + 1]}\")\n"
                 "            ((i++)) ;;\n"
                 "        --host|--theme|--keymap|--clipboard) ((i++)) ;;\n"
                 "        -*) ;;\n"
                 "        *) command=${COMP_WORDS[i]}; break ;;\n"
                 "        esac\n"
                 "    done\n"
                 "    case $command in\n"
                 "    '') kind=command ;;\n");
    for (size_t i = 0; i < commands_count; i++) {
        const struct command *command = commands[i];
        if (command->flags & COMMAND_HIDDEN)
            continue;
        (void)printf("    %s", command->name);
        if (command->alias)
            (void)printf("|%s", command->alias);
        (void)printf(")\n        kind=%s\n        words='",
                     argument_word(command->argument));
        print_option_words(command->options, command->option_count);
        (void)printf("' ;;\n");
    }
    (void)printf("    esac\n"
                 "    case $cur in\n"
                 "    -*)\n        words=\"$words");
    print_option_words(commands_global_options, commands_global_option_count);
    (void)printf("\" ;;\n"
                 "    *)\n"
                 "        case $kind in\n"
                 "        command) words='");
    print_command_names(" ");
    (void)printf("' ;;\n"
                 "        guest) words=$(guestmux \"${server[@]}\" %s) ;;\n"
                 "        method) words=$(guestmux \"${server[@]}\" %s) ;;\n"
                 "        *) COMPREPLY=($(compgen -f -- \"$cur\")); return "
                 ";;\n"
                 "        esac ;;\n"
                 "    esac\n"
                 "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                 "}\n"
                 "complete -o filenames -F _guestmux guestmux\n",
                 LIST_GUESTS, LIST_METHODS);
}

/* zsh ------------------------------------------------------------------------
 */

static const char *
zsh_action(enum command_argument argument)
{
    switch (argument) {
    case COMMAND_ARGUMENT_GUEST:
        return "'1:guest:_guestmux_guests' '*: :_default'";
    case COMMAND_ARGUMENT_GUESTS:
        return "'*:guest:_guestmux_guests'";
    case COMMAND_ARGUMENT_METHOD:
        return "'1:method:_guestmux_methods'";
    case COMMAND_ARGUMENT_COMMAND:
        return "'1:command:_guestmux_commands'";
    case COMMAND_ARGUMENT_FILE:
    case COMMAND_ARGUMENT_NONE:
        break;
    }
    return "'*:file:_files'";
}

static void
print_zsh_options(const struct option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct option *option = &options[i];
        if (option->flags & OPTION_HIDDEN)
            continue;
        (void)printf(" \\\n            '--%s%s[", option->name,
                     option->value ? "=" : "");
        print_quoted(option->summary, "[]:");
        (void)putchar(']');
        if (option->value) {
            (void)putchar(':');
            print_quoted(option->value, "[]:");
            (void)printf(":%s",
                         strcmp(option->value, "FILE") == 0 ? "_files" : " ");
        }
        (void)putchar('\'');
    }
}

static void
print_zsh(void)
{
    (void)printf("#compdef guestmux\n"
                 "# made from guestmux's command table\n"
                 "_guestmux_guests() { compadd -- ${(f)\"$(guestmux $server "
                 "%s)\"} }\n"
                 "_guestmux_methods() { compadd -- ${(f)\"$(guestmux $server "
                 "%s)\"} }\n"
                 "_guestmux_commands() {\n"
                 "    local -a commands=(\n",
                 LIST_GUESTS, LIST_METHODS);
    for (size_t i = 0; i < commands_count; i++) {
        if (commands[i]->flags & COMMAND_HIDDEN)
            continue;
        (void)printf("        '%s:", commands[i]->name);
        print_quoted(commands[i]->summary, "");
        (void)printf("'\n");
    }
    (void)printf("    )\n"
                 "    _describe command commands\n"
                 "}\n"
                 "_guestmux() {\n"
                 "    local curcontext=$curcontext state line name\n"
                 "    local -A opt_args\n"
                 "    local -a server\n"
                 "    _arguments -C");
    print_zsh_options(commands_global_options, commands_global_option_count);
    (void)printf(" \\\n            '-L[talk to the server of this "
                 "name]:NAME: ' \\\n"
                 "            '1:command:_guestmux_commands' "
                 "'*::argument:->argument'\n"
                 "    [[ $state == argument ]] || return\n"
                 "    name=${opt_args[-L]:-$opt_args[--server]}\n"
                 "    [[ -n $name ]] && server=(-L $name)\n"
                 "    case $line[1] in\n");
    for (size_t i = 0; i < commands_count; i++) {
        const struct command *command = commands[i];
        if (command->flags & COMMAND_HIDDEN)
            continue;
        (void)printf("    %s", command->name);
        if (command->alias)
            (void)printf("|%s", command->alias);
        (void)printf(")\n        _arguments");
        print_zsh_options(command->options, command->option_count);
        (void)printf(" \\\n            %s ;;\n", zsh_action(command->argument));
    }
    (void)printf("    esac\n}\n_guestmux \"$@\"\n");
}

/* fish -----------------------------------------------------------------------
 */

static void
print_fish_options(const char *condition, const struct option *options,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct option *option = &options[i];
        if (option->flags & OPTION_HIDDEN)
            continue;
        (void)printf("complete -c guestmux%s -l %s", condition, option->name);
        if (option->letter)
            (void)printf(" -s %c", option->letter);
        if (option->value)
            (void)printf(strcmp(option->value, "FILE") == 0 ? " -r -F" : " -x");
        (void)printf(" -d '");
        print_quoted(option->summary, "");
        (void)printf("'\n");
    }
}

/* What a command's arguments are completed with. */
static void
print_fish_arguments(const char *condition, const struct command *command)
{
    switch (command->argument) {
    case COMMAND_ARGUMENT_GUEST:
    case COMMAND_ARGUMENT_GUESTS:
        (void)printf("complete -c guestmux%s -a '(__guestmux %s)'\n", condition,
                     LIST_GUESTS);
        break;
    case COMMAND_ARGUMENT_METHOD:
        (void)printf("complete -c guestmux%s -a '(__guestmux %s)'\n", condition,
                     LIST_METHODS);
        break;
    case COMMAND_ARGUMENT_COMMAND:
        (void)printf("complete -c guestmux%s -a '", condition);
        print_command_names(" ");
        (void)printf("'\n");
        break;
    case COMMAND_ARGUMENT_FILE:
        (void)printf("complete -c guestmux%s -F\n", condition);
        break;
    case COMMAND_ARGUMENT_NONE:
        break;
    }
}

static void
print_fish(void)
{
    (void)printf("# fish completion for guestmux; made from its command "
                 "table\n"
                 "function __guestmux\n"
                 "    set -l server\n"
                 "    set -l words (commandline -opc)\n"
                 "    for i in (seq 2 (count $words))\n"
                 "        if contains -- $words[(math $i - 1)] -L --server\n"
                 "            set server -L $words[$i]\n"
                 "        end\n"
                 "    end\n"
                 "    guestmux $server $argv\n"
                 "end\n"
                 "complete -c guestmux -f\n");
    print_fish_options("", commands_global_options,
                       commands_global_option_count);
    for (size_t i = 0; i < commands_count; i++) {
        const struct command *command = commands[i];
        char condition[128];
        if (command->flags & COMMAND_HIDDEN)
            continue;
        (void)printf("complete -c guestmux -n __fish_use_subcommand -a %s "
                     "-d '",
                     command->name);
        print_quoted(command->summary, "");
        (void)printf("'\n");
        (void)snprintf(condition, sizeof(condition),
                       " -n '__fish_seen_subcommand_from %s %s'", command->name,
                       command->alias ? command->alias : "");
        print_fish_options(condition, command->options, command->option_count);
        print_fish_arguments(condition, command);
    }
}

bool
completion_print(const char *shell, struct error *error)
{
    static const struct {
        const char *shell;
        void (*print)(void);
    } table[] = {
        {"bash", print_bash}, {"fish", print_fish}, {"zsh", print_zsh}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i].shell, shell) == 0) {
            table[i].print();
            return true;
        }
    }
    return error_set(error, ERROR_CODE_INVALID,
                     "completion: no shell \"%s\" (bash, zsh, fish)", shell);
}
