#include "tui/keymap.h"

#include "base/json.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "tui/resource.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How many keymaps may inherit in a row. */
#define KEYMAP_DEPTH_MAX 8

/* Bindings of one mode. */
#define KEYMAP_BINDINGS_MAX 256

/* In files it stands for whatever the prefix key is. */
#define KEYMAP_PREFIX_NAME "Prefix"

struct keymap {
    struct {
        struct keymap_binding *bindings; /* owned */
        size_t count;
    } modes[KEYMAP_MODE_COUNT];
    char prefix[KEYMAP_KEY_MAX_BYTES];
};

const struct keymap_mode_info keymap_modes[KEYMAP_MODE_COUNT] = {
    [KEYMAP_CONSOLE] = {"console", "Typing to a guest"},
    [KEYMAP_PAST] = {"past", "In a console's past"},
    [KEYMAP_DEAD] = {"dead", "A guest that does not run"},
    [KEYMAP_PREFIX] = {"prefix", "After the prefix key"},
    [KEYMAP_SIDEBAR] = {"sidebar", "In the list of guests"},
    [KEYMAP_SCROLLBACK] = {"scrollback",
                           "In the scrollback: moving, selecting, copying"},
    [KEYMAP_DIALOG] = {"dialog", "In a dialog"},
    [KEYMAP_MENU] = {"menu", "In a menu"},
    [KEYMAP_VIEWER] = {"viewer", "In help and reports"},
    [KEYMAP_RECORDS] = {"records", "In the alerts and the timeline"},
    [KEYMAP_PROMPT] = {"prompt", "While a line is typed"},
};

/* Keys with names; the same as the server encodes for the guest. */
static const char *const key_names[] = {
    "Enter",    "Tab",     "Backspace", "Escape",
    "Space",    "Up",      "Down",      "Left",
    "Right",    "Home",    "End",       "PageUp",
    "PageDown", "Insert",  "Delete",    "F1",
    "F2",       "F3",      "F4",        "F5",
    "F6",       "F7",      "F8",        "F9",
    "F10",      "F11",     "F12",       "F13",
    "F14",      "F15",     "F16",       "F17",
    "F18",      "F19",     "F20",       "KP0",
    "KP1",      "KP2",     "KP3",       "KP4",
    "KP5",      "KP6",     "KP7",       "KP8",
    "KP9",      "KPEnter", "KPPlus",    "KPMinus",
    "KPMult",   "KPDiv",   "KPDot",     KEYMAP_PREFIX_NAME,
};
#define KEY_NAMES_COUNT (sizeof(key_names) / sizeof(*key_names))

enum modifier {
    MODIFIER_CTRL = 1 << 0,
    MODIFIER_META = 1 << 1,
    MODIFIER_SHIFT = 1 << 2,
};

static unsigned
strip_modifiers(const char **text)
{
    unsigned modifiers = 0;
    while ((*text)[0] && (*text)[1] == '-' && (*text)[2]) {
        switch ((*text)[0]) {
        case 'C':
        case 'c':
            modifiers |= MODIFIER_CTRL;
            break;
        case 'M':
        case 'm':
        case 'A':
        case 'a':
            modifiers |= MODIFIER_META;
            break;
        case 'S':
        case 's':
            modifiers |= MODIFIER_SHIFT;
            break;
        default:
            return modifiers;
        }
        *text += 2;
    }
    return modifiers;
}

/* The keys that Ctrl makes into other keys on every terminal. */
static const char *
control_alias(const char *base)
{
    if (base[0] && base[1])
        return base;
    switch (base[0]) {
    case '[':
        return "Escape";
    case 'i':
        return "Tab";
    case 'm':
        return "Enter";
    case '@':
        return "Space";
    default:
        return base;
    }
}

static const char *
find_base(const char *text, char single[8])
{
    uint32_t codepoint = 0;
    size_t len = strlen(text);
    if (strcmp(text, " ") == 0)
        return "Space";
    if (len > 0 && utf8_decode(text, len, &codepoint) == len &&
        codepoint > 0x20 && utf8_width(codepoint) > 0) {
        (void)snprintf(single, 8, "%s", text);
        return single;
    }
    for (size_t i = 0; i < KEY_NAMES_COUNT; i++) {
        if (strcasecmp(text, key_names[i]) == 0)
            return key_names[i];
    }
    return NULL;
}

bool
keymap_normalise(const char *text, char key[KEYMAP_KEY_MAX_BYTES],
                 struct error *error)
{
    const char *rest = text;
    char single[8];
    unsigned modifiers = strip_modifiers(&rest);
    const char *base = find_base(rest, single);
    if (!base) {
        const char *nearest = nearest_name(rest, key_names, KEY_NAMES_COUNT);
        return error_set(error, ERROR_CODE_INVALID, "\"%s\" is no key%s%s%s",
                         text, nearest ? " (did you mean \"" : "",
                         nearest ? nearest : "", nearest ? "\"?)" : "");
    }
    if (modifiers & MODIFIER_CTRL) {
        /* a terminal sends the same for both cases */
        if (base == single && single[0] >= 'A' && single[0] <= 'Z')
            single[0] = (char)(single[0] + 0x20);
        const char *alias = control_alias(base);
        if (alias != base && strcmp(alias, "Space") != 0)
            modifiers &= ~(unsigned)MODIFIER_CTRL;
        base = alias;
    }
    (void)snprintf(key, KEYMAP_KEY_MAX_BYTES, "%s%s%s%s",
                   modifiers & MODIFIER_CTRL ? "C-" : "",
                   modifiers & MODIFIER_META ? "M-" : "",
                   modifiers & MODIFIER_SHIFT ? "S-" : "", base);
    return true;
}

static struct keymap_binding *
find_binding(const struct keymap *keymap, enum keymap_mode mode,
             const char *key)
{
    for (size_t i = 0; i < keymap->modes[mode].count; i++) {
        if (strcmp(keymap->modes[mode].bindings[i].key, key) == 0)
            return &keymap->modes[mode].bindings[i];
    }
    return NULL;
}

/* action NULL unbinds. */
static void
set_binding(struct keymap *keymap, enum keymap_mode mode, const char *key,
            const struct action *action)
{
    struct keymap_binding *binding = find_binding(keymap, mode, key);
    size_t count = keymap->modes[mode].count;
    if (!binding) {
        if (!action || count >= KEYMAP_BINDINGS_MAX)
            return;
        keymap->modes[mode].bindings = xreallocarray(
            keymap->modes[mode].bindings, count + 1, sizeof(*binding));
        binding = &keymap->modes[mode].bindings[count];
        (void)snprintf(binding->key, sizeof(binding->key), "%s", key);
        keymap->modes[mode].count++;
    }
    if (action) {
        binding->action = action;
        return;
    }
    size_t index = (size_t)(binding - keymap->modes[mode].bindings);
    memmove(binding, binding + 1, (count - index - 1) * sizeof(*binding));
    keymap->modes[mode].count--;
}

static void
read_binding(struct keymap *keymap, enum keymap_mode mode, const char *place,
             const char *text, const json_t *value, struct buffer *problems)
{
    char key[KEYMAP_KEY_MAX_BYTES];
    struct error error = {0};
    const char *mode_name = keymap_modes[mode].name;
    if (!keymap_normalise(text, key, &error)) {
        resource_problem(problems, place, "modes.%s: %s", mode_name,
                         error.text);
        return;
    }
    if (json_is_null(value)) {
        set_binding(keymap, mode, key, NULL);
        return;
    }
    if (!json_is_string(value)) {
        resource_problem(problems, place,
                         "modes.%s.%s: is %s, not the name of an action",
                         mode_name, text, json_type_text(value));
        return;
    }
    const char *nearest = NULL;
    const struct action *action =
        action_find(json_string_value(value), &nearest);
    if (!action) {
        resource_problem(problems, place, "modes.%s.%s: no action \"%s\"%s%s%s",
                         mode_name, text, json_string_value(value),
                         nearest ? " (did you mean \"" : "",
                         nearest ? nearest : "", nearest ? "\"?)" : "");
        return;
    }
    set_binding(keymap, mode, key, action);
}

static int
find_mode(const char *name)
{
    for (int i = 0; i < KEYMAP_MODE_COUNT; i++) {
        if (strcmp(keymap_modes[i].name, name) == 0)
            return i;
    }
    return -1;
}

static void
read_modes(struct keymap *keymap, const char *place, json_t *modes,
           struct buffer *problems)
{
    const char *name;
    json_t *bindings;
    json_object_foreach(modes, name, bindings)
    {
        int mode = find_mode(name);
        if (mode < 0) {
            const char *names[KEYMAP_MODE_COUNT];
            for (int i = 0; i < KEYMAP_MODE_COUNT; i++)
                names[i] = keymap_modes[i].name;
            const char *nearest = nearest_name(name, names, KEYMAP_MODE_COUNT);
            resource_problem(problems, place, "modes.%s: no such mode%s%s%s",
                             name, nearest ? " (did you mean \"" : "",
                             nearest ? nearest : "", nearest ? "\"?)" : "");
            continue;
        }
        if (!json_is_object(bindings)) {
            resource_problem(problems, place, "modes.%s: is %s, not an object",
                             name, json_type_text(bindings));
            continue;
        }
        const char *key;
        json_t *value;
        json_object_foreach(bindings, key, value)
        {
            read_binding(keymap, (enum keymap_mode)mode, place, key, value,
                         problems);
        }
    }
}

static void
read_prefix(struct keymap *keymap, const char *place, const json_t *prefix,
            struct buffer *problems)
{
    char key[KEYMAP_KEY_MAX_BYTES];
    struct error error = {0};
    if (!json_is_string(prefix)) {
        resource_problem(problems, place, "prefix: is %s, not a key",
                         json_type_text(prefix));
        return;
    }
    if (!keymap_normalise(json_string_value(prefix), key, &error)) {
        resource_problem(problems, place, "prefix: %s", error.text);
        return;
    }
    if (strcmp(key, KEYMAP_PREFIX_NAME) == 0)
        return;
    memcpy(keymap->prefix, key, sizeof(key));
}

static void
read_keymap(struct keymap *keymap, const char *name, const char *config_dir,
            struct buffer *problems, int depth)
{
    struct error error = {0};
    struct resource resource = {0};
    if (!resource_load(&resource, RESOURCE_KEYMAP, name, config_dir, &error)) {
        resource_problem(problems, "keymap", "%s", error.text);
        return;
    }
    json_t *parent = json_object_get(resource.json, "inherit");
    if (parent && !json_is_string(parent))
        resource_problem(problems, resource.place,
                         "inherit: is %s, not the name of a keymap",
                         json_type_text(parent));
    else if (parent && depth >= KEYMAP_DEPTH_MAX)
        resource_problem(problems, resource.place,
                         "inherit: more than %d keymaps in a row",
                         KEYMAP_DEPTH_MAX);
    else if (parent)
        read_keymap(keymap, json_string_value(parent), config_dir, problems,
                    depth + 1);

    json_t *prefix = json_object_get(resource.json, "prefix");
    if (prefix)
        read_prefix(keymap, resource.place, prefix, problems);
    json_t *modes = json_object_get(resource.json, "modes");
    if (json_is_object(modes))
        read_modes(keymap, resource.place, modes, problems);
    else if (modes || !prefix)
        resource_problem(problems, resource.place,
                         "modes: missing, or not an object");
    resource_finish(&resource);
}

/* Puts the prefix key where bindings say "Prefix". An explicit binding of the
 * key itself in the same mode gives way: without its prefix the deck could not
 * be left. */
static void
resolve_prefix(struct keymap *keymap)
{
    for (int mode = 0; mode < KEYMAP_MODE_COUNT; mode++) {
        if (!find_binding(keymap, (enum keymap_mode)mode, KEYMAP_PREFIX_NAME))
            continue;
        set_binding(keymap, (enum keymap_mode)mode, keymap->prefix, NULL);
        struct keymap_binding *binding =
            find_binding(keymap, (enum keymap_mode)mode, KEYMAP_PREFIX_NAME);
        memcpy(binding->key, keymap->prefix, sizeof(binding->key));
    }
}

struct keymap *
keymap_load(const char *name, const char *config_dir, struct buffer *problems)
{
    struct keymap *keymap = xcalloc(1, sizeof(*keymap));
    (void)snprintf(keymap->prefix, sizeof(keymap->prefix), "C-]");
    read_keymap(keymap, NULL, NULL, problems, 0);
    if (name || config_dir)
        read_keymap(keymap, name, config_dir, problems, 0);
    resolve_prefix(keymap);
    return keymap;
}

void
keymap_free(struct keymap *keymap)
{
    if (!keymap)
        return;
    for (int i = 0; i < KEYMAP_MODE_COUNT; i++)
        free(keymap->modes[i].bindings);
    free(keymap);
}

const char *
keymap_prefix(const struct keymap *keymap)
{
    return keymap->prefix;
}

const struct action *
keymap_find(const struct keymap *keymap, enum keymap_mode mode, const char *key)
{
    const struct keymap_binding *binding = find_binding(keymap, mode, key);
    return binding ? binding->action : NULL;
}

const struct keymap_binding *
keymap_bindings(const struct keymap *keymap, enum keymap_mode mode,
                size_t *ret_count)
{
    *ret_count = keymap->modes[mode].count;
    return keymap->modes[mode].bindings;
}

const char *
keymap_key_of(const struct keymap *keymap, enum keymap_mode mode,
              const char *action)
{
    for (size_t i = 0; i < keymap->modes[mode].count; i++) {
        if (strcmp(keymap->modes[mode].bindings[i].action->name, action) == 0)
            return keymap->modes[mode].bindings[i].key;
    }
    return NULL;
}
