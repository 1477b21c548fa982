#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

#include <tickit.h>

/* Colours by role: what a thing is, not what it looks like. */
enum theme_role {
    THEME_TEXT,
    THEME_MUTED,
    THEME_ACCENT,
    THEME_BORDER,
    THEME_BORDER_FOCUS,
    THEME_LETTERBOX,
    THEME_TITLE,
    THEME_TITLE_FOCUS,
    THEME_SIDEBAR,
    THEME_SIDEBAR_HEADING,
    THEME_SIDEBAR_CURRENT,
    THEME_SIDEBAR_SELECTED,
    THEME_STATE_RUNNING,
    THEME_STATE_BUSY,
    THEME_STATE_PAUSED,
    THEME_STATE_STOPPED,
    THEME_STATE_CRASHED,
    THEME_STATE_ATTENTION,
    THEME_ACTIVITY,
    THEME_BELL,
    THEME_SILENCE,
    THEME_ALERT_INFO,
    THEME_ALERT_WARNING,
    THEME_ALERT_CRITICAL,
    THEME_GUEST_1, /* … to 6 in a row */
    THEME_GUEST_2,
    THEME_GUEST_3,
    THEME_GUEST_4,
    THEME_GUEST_5,
    THEME_GUEST_6,
    THEME_STATUS,
    THEME_STATUS_CONSOLE,
    THEME_STATUS_SIDEBAR,
    THEME_STATUS_PREFIX,
    THEME_STATUS_SCROLLBACK,
    THEME_STATUS_PAST,
    THEME_STATUS_ALARM,
    THEME_SELECTION,
    THEME_MATCH,
    THEME_MATCH_CURRENT,
    THEME_INFO,
    THEME_WARNING,
    THEME_ERROR,
    THEME_OVERLAY,
    THEME_OVERLAY_BORDER,
    THEME_OVERLAY_HEADING,
    THEME_OVERLAY_KEY,
    THEME_BUTTON,
    THEME_BUTTON_SELECTED,
    THEME_CARD,
    THEME_CARD_TITLE,
    THEME_CARD_KEY,
    THEME_ROLE_COUNT
};

/* The roles' names in theme files, and what they are for. */
struct theme_role_info {
    const char *name;
    const char *summary;
};
extern const struct theme_role_info theme_roles[THEME_ROLE_COUNT];

/* One pen for each role. */
struct theme;

/* Loads a theme as resource_load finds it. A theme may inherit another; roles
 * that neither has come from the default theme. Mistakes are appended to
 * problems, and never keep it from working. has_colour: false for monochrome
 * terminals and NO_COLOR; the roles' "mono" members apply then. */
struct theme *theme_load(const char *name, const char *config_dir,
                         bool has_colour, struct buffer *problems);
void theme_free(struct theme *theme);

/* Borrowed; never NULL. */
TickitPen *theme_pen(const struct theme *theme, enum theme_role role);

/* "red", "bright-red", "default", 0..255 in digits, "#rrggbb". Sets the pen's
 * colour; false when it is none of these. */
bool theme_parse_colour(const char *text, int *ret_index, unsigned *ret_rgb);
