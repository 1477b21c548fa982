#include "tui/term-looks.h"

#include <stdlib.h>
#include <string.h>

#define NCURSES_NOMACROS
#include <curses.h>
#include <term.h>

#define UNDERLINES (TERM_EXTRA_UNDERLINES | TERM_EXTRA_UNDERLINE_COLOURS)

/* Extended capabilities (user_caps(5); Smulx and Setulc are tmux's, Su is
 * kitty's). value: what a string has to begin with; NULL: it is a flag. */
static const struct {
    const char *name;
    const char *value;
    unsigned extras;
} capabilities[] = {
    {"Smulx", "\033[4:%p1%d", TERM_EXTRA_UNDERLINES},
    {"Setulc", "\033[58:", TERM_EXTRA_UNDERLINE_COLOURS},
    {"Su", NULL, UNDERLINES},
    {"smxx", "\033[9m", TERM_EXTRA_STRIKE},
    {"Smol", "\033[53m", TERM_EXTRA_OVERLINE},
    {"RGB", NULL, TERM_EXTRA_RGB},
    {"Tc", NULL, TERM_EXTRA_RGB},
};

/* Terminals whose entries say less than they can, by the beginning of TERM. */
static const struct {
    const char *type;
    unsigned extras;
} types[] = {
    {"alacritty", UNDERLINES | TERM_EXTRA_STRIKE | TERM_EXTRA_RGB},
    {"contour",
     UNDERLINES | TERM_EXTRA_STRIKE | TERM_EXTRA_OVERLINE | TERM_EXTRA_RGB},
    {"foot", UNDERLINES | TERM_EXTRA_STRIKE | TERM_EXTRA_RGB},
    {"mintty",
     UNDERLINES | TERM_EXTRA_STRIKE | TERM_EXTRA_OVERLINE | TERM_EXTRA_RGB},
    {"tmux",
     UNDERLINES | TERM_EXTRA_STRIKE | TERM_EXTRA_OVERLINE | TERM_EXTRA_RGB},
    {"vte",
     UNDERLINES | TERM_EXTRA_STRIKE | TERM_EXTRA_OVERLINE | TERM_EXTRA_RGB},
    {"wezterm",
     UNDERLINES | TERM_EXTRA_STRIKE | TERM_EXTRA_OVERLINE | TERM_EXTRA_RGB},
    {"xterm-ghostty",
     UNDERLINES | TERM_EXTRA_STRIKE | TERM_EXTRA_OVERLINE | TERM_EXTRA_RGB},
    {"xterm-kitty", UNDERLINES | TERM_EXTRA_STRIKE | TERM_EXTRA_RGB},
};

static bool
has_capability(const char *name, const char *value)
{
    if (!value)
        return tigetflag(name) > 0;
    const char *string = tigetstr(name);
    return string && string != (char *)-1 &&
           strncmp(string, value, strlen(value)) == 0;
}

unsigned
term_extras_find(const char *type)
{
    const char *colours = getenv("COLORTERM");
    unsigned extras = 0;
    for (size_t i = 0; i < sizeof(capabilities) / sizeof(*capabilities); i++) {
        if (has_capability(capabilities[i].name, capabilities[i].value))
            extras |= capabilities[i].extras;
    }
    for (size_t i = 0; type && i < sizeof(types) / sizeof(*types); i++) {
        if (strncmp(type, types[i].type, strlen(types[i].type)) == 0)
            extras |= types[i].extras;
    }
    if (colours &&
        (strcmp(colours, "truecolor") == 0 || strcmp(colours, "24bit") == 0))
        extras |= TERM_EXTRA_RGB;
    return extras;
}
