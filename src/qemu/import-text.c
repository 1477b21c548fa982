/* Commands that hand a text over to a shell of its own: "sh -c TEXT", tmux. */
#include "qemu/import-internal.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const shells[] = {"ash", "bash", "dash", "ksh", "sh", "zsh"};

/* tmux's commands that run one: with_value: options of theirs that take one. */
static const struct {
    const char *name;
    const char *with_value;
} tmux_commands[] = {
    {"new-session", "ceFfnstxy"}, {"new", "ceFfnstxy"},
    {"new-window", "ceFnt"},      {"neww", "ceFnt"},
    {"split-window", "ceFlpt"},   {"splitw", "ceFlpt"},
    {"respawn-pane", "cet"},      {"respawnp", "cet"},
    {"respawn-window", "cet"},    {"respawnw", "cet"},
};
/* Of tmux itself. */
#define TMUX_WITH_VALUE "cfLST"

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool
is_shell(const char *program)
{
    for (size_t i = 0; i < COUNT(shells); i++) {
        if (!strcmp(shells[i], base_name(program)))
            return true;
    }
    return false;
}

/* Steps over options: "-d", "-s NAME", "-sNAME", "-ds NAME". */
static char *const *
skip_options(char *const *at, const char *with_value)
{
    while (*at && (*at)[0] == '-' && (*at)[1]) {
        const char *option = *at++;
        if (!strcmp(option, "--"))
            break;
        const char *taker = option + strcspn(option + 1, with_value) + 1;
        if (taker[0] && !taker[1] && *at)
            at++;
    }
    return at;
}

/* "sh -exc TEXT [NAME [ARGUMENT…]]", at is at its name. */
static char *const *
find_shell_text(char *const *at, const char **ret_argument)
{
    bool has_c = false;
    for (at++; *at && ((*at)[0] == '-' || (*at)[0] == '+') && (*at)[1]; at++) {
        const char *option = *at;
        if (!strcmp(option, "--")) {
            at++;
            break;
        }
        if (option[0] == '-' && option[1] == '-')
            continue; /* --login */
        has_c = has_c || (option[0] == '-' && strchr(option, 'c'));
        if (strpbrk(option, "oO") && at[1])
            at++;
    }
    if (!has_c || !*at)
        return NULL;
    *ret_argument = at[1] ? at[2] : NULL;
    return at;
}

/* The end of one of tmux's commands: ";" or a word that ends with it. */
static char *const *
find_end(char *const *at)
{
    while (*at && (!(*at)[0] || (*at)[strlen(*at) - 1] != ';'))
        at++;
    return at;
}

/* tmux's command in one word: several words it runs without a shell. */
static char *const *
find_tmux_text(char *const *at)
{
    for (size_t i = 0; i < COUNT(tmux_commands); i++) {
        if (strcmp(tmux_commands[i].name, *at) != 0)
            continue;
        char *const *text = skip_options(at + 1, tmux_commands[i].with_value);
        bool is_one = *text && strcmp(*text, ";") != 0 &&
                      (!text[1] || !strcmp(text[1], ";"));
        return is_one ? text : NULL;
    }
    return NULL;
}

int
import_find_text(char *const *words, int from, const char **ret_argument)
{
    char *const *program = import_skip_wrappers(NULL, words);
    char *const *text = NULL;
    *ret_argument = NULL;
    if (!*program)
        return -1;
    if (is_shell(*program)) {
        text = find_shell_text(program, ret_argument);
        return text && text - words >= from ? (int)(text - words) : -1;
    }
    if (strcmp(base_name(*program), "tmux") != 0)
        return -1;
    char *const *at = skip_options(program + 1, TMUX_WITH_VALUE);
    for (; *at; at = *at ? at + 1 : at) {
        text = find_tmux_text(at);
        if (text && text - words >= from)
            return (int)(text - words);
        at = find_end(at);
        if (!*at)
            break;
    }
    return -1;
}

bool
import_is_shell(char *const *words)
{
    const char *argument = NULL;
    return import_find_text(words, 0, &argument) >= 0;
}
