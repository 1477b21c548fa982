#include "tui/theme.h"

#include "base/json.h"
#include "base/nearest.h"
#include "base/xalloc.h"
#include "tui/resource.h"
#include "tui/term-driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many themes may inherit in a row. */
#define THEME_DEPTH_MAX 8

/* ret_rgb of a colour that was not given as #rrggbb. */
#define THEME_RGB_NONE 0xFFFFFFFFu

struct theme {
    TickitPen *pens[THEME_ROLE_COUNT]; /* owned */
};

const struct theme_role_info theme_roles[THEME_ROLE_COUNT] = {
    [THEME_TEXT] = {"text", "anything without a role of its own"},
    [THEME_MUTED] = {"muted", "what matters less"},
    [THEME_ACCENT] = {"accent", "what should be seen"},
    [THEME_BORDER] = {"border", "lines between panes"},
    [THEME_BORDER_FOCUS] = {"border-focus", "lines of the focused pane"},
    [THEME_LETTERBOX] = {"letterbox",
                         "the edge of a console smaller than its pane"},
    [THEME_TITLE] = {"title", "a pane's title"},
    [THEME_TITLE_FOCUS] = {"title-focus", "the focused pane's title"},
    [THEME_SIDEBAR] = {"sidebar", "the list of guests"},
    [THEME_SIDEBAR_HEADING] = {"sidebar-heading", "its heading"},
    [THEME_SIDEBAR_CURRENT] = {"sidebar-current", "the guest that is typed to"},
    [THEME_SIDEBAR_SELECTED] = {"sidebar-selected",
                                "the selected row while it has the keyboard"},
    [THEME_STATE_RUNNING] = {"state-running", "running guests"},
    [THEME_STATE_BUSY] = {"state-busy", "starting, shutting down"},
    [THEME_STATE_PAUSED] = {"state-paused", "paused guests"},
    [THEME_STATE_STOPPED] = {"state-stopped", "defined and stopped guests"},
    [THEME_STATE_CRASHED] = {"state-crashed", "crashed guests"},
    [THEME_STATE_ATTENTION] = {"state-attention",
                               "lost guests, and states that want a look"},
    [THEME_ACTIVITY] = {"activity", "mark: output since it was last seen"},
    [THEME_BELL] = {"bell", "mark: the guest rang its bell"},
    [THEME_SILENCE] = {"silence", "mark: no output for too long"},
    [THEME_ALERT_INFO] = {"alert-info", "alerts that are good to know"},
    [THEME_ALERT_WARNING] = {"alert-warning", "alerts that are warnings"},
    [THEME_ALERT_CRITICAL] = {"alert-critical", "alerts that are critical"},
    [THEME_GUEST_1] = {"guest-1", "guests' names in lists, one of six colours"},
    [THEME_GUEST_2] = {"guest-2", "the same"},
    [THEME_GUEST_3] = {"guest-3", "the same"},
    [THEME_GUEST_4] = {"guest-4", "the same"},
    [THEME_GUEST_5] = {"guest-5", "the same"},
    [THEME_GUEST_6] = {"guest-6", "the same"},
    [THEME_STATUS] = {"status", "the status line"},
    [THEME_STATUS_CONSOLE] = {"status-console", "typing goes to a guest"},
    [THEME_STATUS_SIDEBAR] = {"status-sidebar", "keys act on guests"},
    [THEME_STATUS_PREFIX] = {"status-prefix", "the prefix waits for a key"},
    [THEME_STATUS_SCROLLBACK] = {"status-scrollback", "keys move in history"},
    [THEME_STATUS_PAST] = {"status-past", "a console's past is shown"},
    [THEME_STATUS_ALARM] =
        {"status-alarm", "the server is gone; typing goes to several guests"},
    [THEME_SELECTION] = {"selection", "what is selected in a console"},
    [THEME_MATCH] = {"match", "what a search found"},
    [THEME_MATCH_CURRENT] = {"match-current", "the match at the cursor"},
    [THEME_INFO] = {"info", "messages"},
    [THEME_WARNING] = {"warning", "warnings"},
    [THEME_ERROR] = {"error", "errors"},
    [THEME_OVERLAY] = {"overlay", "dialogs and help"},
    [THEME_OVERLAY_BORDER] = {"overlay-border", "their frame"},
    [THEME_OVERLAY_HEADING] = {"overlay-heading", "their headings"},
    [THEME_OVERLAY_KEY] = {"overlay-key", "keys in help"},
    [THEME_BUTTON] = {"button", "a dialog's buttons"},
    [THEME_BUTTON_SELECTED] = {"button-selected", "the chosen button"},
    [THEME_CARD] = {"card", "the card of a guest that is not running"},
    [THEME_CARD_TITLE] = {"card-title", "its first line"},
    [THEME_CARD_KEY] = {"card-key", "the keys it offers"},
};

static const char *const colour_names[] = {
    "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
};
#define COLOUR_NAMES_COUNT (sizeof(colour_names) / sizeof(*colour_names))

bool
theme_parse_colour(const char *text, int *ret_index, unsigned *ret_rgb)
{
    *ret_rgb = THEME_RGB_NONE;
    if (strcmp(text, "default") == 0) {
        *ret_index = -1;
        return true;
    }
    if (text[0] == '#') {
        if (strlen(text) != 7 ||
            strspn(text + 1, "0123456789abcdefABCDEF") != 6)
            return false;
        *ret_rgb = (unsigned)strtoul(text + 1, NULL, 16);
        *ret_index = term_colour_from_rgb(*ret_rgb);
        return true;
    }
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && digits <= 3 && !text[digits]) {
        *ret_index = (int)strtoul(text, NULL, 10);
        return *ret_index <= 255;
    }
    int bright = strncmp(text, "bright-", 7) == 0 ? 8 : 0;
    for (size_t i = 0; i < COLOUR_NAMES_COUNT; i++) {
        if (strcmp(text + (bright ? 7 : 0), colour_names[i]) == 0) {
            *ret_index = (int)i + bright;
            return true;
        }
    }
    return false;
}

static void
set_colour(TickitPen *pen, TickitPenAttr attr, int index, unsigned rgb)
{
    tickit_pen_set_colour_attr(pen, attr, index);
    if (rgb == THEME_RGB_NONE)
        return;
    TickitPenRGB8 value = {
        .r = (uint8_t)(rgb >> 16 & 0xFF),
        .g = (uint8_t)(rgb >> 8 & 0xFF),
        .b = (uint8_t)(rgb & 0xFF),
    };
    tickit_pen_set_colour_attr_rgb8(pen, attr, value);
}

/* What is being read, for the messages and for where things go. */
struct reading {
    struct theme *theme;
    const char *place;
    const char *role;
    struct buffer *problems;
    bool has_colour;
};

static void
read_colour(const struct reading *reading, TickitPen *pen, TickitPenAttr attr,
            const char *key, const json_t *value)
{
    char digits[16];
    const char *text = json_string_value(value);
    if (json_is_integer(value)) {
        (void)snprintf(digits, sizeof(digits), "%d",
                       (int)json_integer_value(value));
        text = digits;
    }
    int index = -1;
    unsigned rgb = THEME_RGB_NONE;
    if (!text || !theme_parse_colour(text, &index, &rgb)) {
        resource_problem(reading->problems, reading->place,
                         "roles.%s.%s: no colour (try \"red\", \"bright-blue\","
                         " \"default\", 0 to 255 or \"#rrggbb\")",
                         reading->role, key);
        return;
    }
    if (reading->has_colour)
        set_colour(pen, attr, index, rgb);
}

/* A pen's members beside fg and bg. */
static const char *const attribute_names[] = {
    "bold", "dim", "italic", "reverse", "underline",
};
#define ATTRIBUTE_NAMES_COUNT                                                  \
    (sizeof(attribute_names) / sizeof(*attribute_names))

static void
read_attribute(const struct reading *reading, TickitPen *pen, const char *key,
               const json_t *value)
{
    size_t found = 0;
    while (found < ATTRIBUTE_NAMES_COUNT &&
           strcmp(key, attribute_names[found]) != 0)
        found++;
    if (found == ATTRIBUTE_NAMES_COUNT) {
        const char *nearest =
            nearest_name(key, attribute_names, ATTRIBUTE_NAMES_COUNT);
        resource_problem(reading->problems, reading->place,
                         "roles.%s.%s: no such member%s%s%s", reading->role,
                         key, nearest ? " (did you mean \"" : "",
                         nearest ? nearest : "", nearest ? "\"?)" : "");
        return;
    }
    if (!json_is_boolean(value)) {
        resource_problem(reading->problems, reading->place,
                         "roles.%s.%s: is %s, not true or false", reading->role,
                         key, json_type_text(value));
        return;
    }
    bool is_on = json_is_true(value);
    switch (key[0]) {
    case 'b':
        tickit_pen_set_bool_attr(pen, TICKIT_PEN_BOLD, is_on);
        break;
    case 'd':
        tickit_pen_set_int_attr(pen, TICKIT_PEN_ALTFONT,
                                is_on ? TERM_FONT_DIM : 0);
        break;
    case 'i':
        tickit_pen_set_bool_attr(pen, TICKIT_PEN_ITALIC, is_on);
        break;
    case 'r':
        tickit_pen_set_bool_attr(pen, TICKIT_PEN_REVERSE, is_on);
        break;
    default:
        tickit_pen_set_int_attr(pen, TICKIT_PEN_UNDER,
                                is_on ? TICKIT_PEN_UNDER_SINGLE : 0);
        break;
    }
}

static void
read_pen(const struct reading *reading, TickitPen *pen, json_t *members)
{
    if (!json_is_object(members)) {
        resource_problem(reading->problems, reading->place,
                         "roles.%s: is %s, not an object", reading->role,
                         json_type_text(members));
        return;
    }
    json_t *mono = json_object_get(members, "mono");
    if (mono && !reading->has_colour) {
        read_pen(reading, pen, mono);
        return;
    }
    const char *key;
    json_t *value;
    json_object_foreach(members, key, value)
    {
        if (strcmp(key, "fg") == 0)
            read_colour(reading, pen, TICKIT_PEN_FG, key, value);
        else if (strcmp(key, "bg") == 0)
            read_colour(reading, pen, TICKIT_PEN_BG, key, value);
        else if (strcmp(key, "mono") != 0)
            read_attribute(reading, pen, key, value);
    }
}

static int
find_role(const char *name, const char **ret_nearest)
{
    const char *names[THEME_ROLE_COUNT];
    for (int i = 0; i < THEME_ROLE_COUNT; i++) {
        names[i] = theme_roles[i].name;
        if (strcmp(name, names[i]) == 0)
            return i;
    }
    *ret_nearest = nearest_name(name, names, THEME_ROLE_COUNT);
    return -1;
}

static void
read_roles(struct reading *reading, json_t *roles)
{
    const char *name;
    json_t *members;
    json_object_foreach(roles, name, members)
    {
        const char *nearest = NULL;
        int role = find_role(name, &nearest);
        if (role < 0) {
            resource_problem(reading->problems, reading->place,
                             "roles.%s: no such role%s%s%s", name,
                             nearest ? " (did you mean \"" : "",
                             nearest ? nearest : "", nearest ? "\"?)" : "");
            continue;
        }
        TickitPen *pen = tickit_pen_new();
        reading->role = name;
        read_pen(reading, pen, members);
        tickit_pen_unref(reading->theme->pens[role]);
        reading->theme->pens[role] = pen;
    }
}

static void
read_theme(struct theme *theme, const char *name, const char *config_dir,
           bool has_colour, struct buffer *problems, int depth)
{
    struct error error = {0};
    struct resource resource = {0};
    if (!resource_load(&resource, RESOURCE_THEME, name, config_dir, &error)) {
        resource_problem(problems, "theme", "%s", error.text);
        return;
    }
    json_t *parent = json_object_get(resource.json, "inherit");
    if (parent && !json_is_string(parent))
        resource_problem(problems, resource.place,
                         "inherit: is %s, not the name of a theme",
                         json_type_text(parent));
    else if (parent && depth >= THEME_DEPTH_MAX)
        resource_problem(problems, resource.place,
                         "inherit: more than %d themes in a row",
                         THEME_DEPTH_MAX);
    else if (parent)
        read_theme(theme, json_string_value(parent), config_dir, has_colour,
                   problems, depth + 1);

    struct reading reading = {
        .theme = theme,
        .place = resource.place,
        .problems = problems,
        .has_colour = has_colour,
    };
    json_t *roles = json_object_get(resource.json, "roles");
    if (json_is_object(roles))
        read_roles(&reading, roles);
    else
        resource_problem(problems, resource.place,
                         "roles: missing, or not an object");
    resource_finish(&resource);
}

struct theme *
theme_load(const char *name, const char *config_dir, bool has_colour,
           struct buffer *problems)
{
    struct theme *theme = xcalloc(1, sizeof(*theme));
    for (int i = 0; i < THEME_ROLE_COUNT; i++)
        theme->pens[i] = tickit_pen_new();
    /* the program's own first, so that every role has something */
    read_theme(theme, NULL, NULL, has_colour, problems, 0);
    if (name || config_dir)
        read_theme(theme, name, config_dir, has_colour, problems, 0);
    return theme;
}

void
theme_free(struct theme *theme)
{
    if (!theme)
        return;
    for (int i = 0; i < THEME_ROLE_COUNT; i++)
        tickit_pen_unref(theme->pens[i]);
    free(theme);
}

TickitPen *
theme_pen(const struct theme *theme, enum theme_role role)
{
    return theme->pens[role];
}
