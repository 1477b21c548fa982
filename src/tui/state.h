#pragma once

#include "tui/theme.h"

#include <stdbool.h>

/* How a guest's state looks and what it means for the keyboard. */
struct state_info {
    const char *name;  /* the API's */
    const char *label; /* at most 8 columns */
    const char *glyph;
    const char *ascii;
    enum theme_role role;
    bool has_ended; /* nobody to type to: a start is offered */
};

/* Never NULL: a state that is not known here looks like one that wants
 * attention. */
const struct state_info *state_info(const char *name);

/* What the terminal can show. */
const char *state_glyph(const struct state_info *info, bool has_unicode);
