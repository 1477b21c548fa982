#include "console/keys.h"

#include "base/nearest.h"
#include "base/utf8.h"
#include "console/terminal.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* XTerm's PC-style function keys (XTerm Control Sequences, "PC-Style Function
 * Keys"): a key with modifiers says 1 + the sum of these as a parameter. */
enum modifier {
    MODIFIER_SHIFT = 1,
    MODIFIER_META = 2,
    MODIFIER_CONTROL = 4,
};

enum key_form {
    KEY_FORM_BYTE,   /* the byte itself */
    KEY_FORM_CURSOR, /* CSI final, SS3 final in application cursor mode */
    KEY_FORM_SS3,    /* SS3 final; CSI 1 ; modifiers final */
    KEY_FORM_TILDE,  /* CSI number ~ */
    KEY_FORM_KEYPAD, /* the character, SS3 final in application keypad mode */
};

struct key {
    const char *name;
    enum key_form form;
    char final; /* or the byte */
    int number; /* KEY_FORM_TILDE; KEY_FORM_KEYPAD: the plain character */
};

static const struct key table[] = {
    {"Enter", KEY_FORM_BYTE, '\r', 0},
    {"Tab", KEY_FORM_BYTE, '\t', 0},
    {"Backspace", KEY_FORM_BYTE, 0x7F, 0},
    {"Escape", KEY_FORM_BYTE, 0x1B, 0},
    {"Space", KEY_FORM_BYTE, ' ', 0},
    {"Up", KEY_FORM_CURSOR, 'A', 0},
    {"Down", KEY_FORM_CURSOR, 'B', 0},
    {"Right", KEY_FORM_CURSOR, 'C', 0},
    {"Left", KEY_FORM_CURSOR, 'D', 0},
    {"Home", KEY_FORM_CURSOR, 'H', 0},
    {"End", KEY_FORM_CURSOR, 'F', 0},
    {"PageUp", KEY_FORM_TILDE, '~', 5},
    {"PageDown", KEY_FORM_TILDE, '~', 6},
    {"Insert", KEY_FORM_TILDE, '~', 2},
    {"Delete", KEY_FORM_TILDE, '~', 3},
    {"F1", KEY_FORM_SS3, 'P', 0},
    {"F2", KEY_FORM_SS3, 'Q', 0},
    {"F3", KEY_FORM_SS3, 'R', 0},
    {"F4", KEY_FORM_SS3, 'S', 0},
    {"F5", KEY_FORM_TILDE, '~', 15},
    {"F6", KEY_FORM_TILDE, '~', 17},
    {"F7", KEY_FORM_TILDE, '~', 18},
    {"F8", KEY_FORM_TILDE, '~', 19},
    {"F9", KEY_FORM_TILDE, '~', 20},
    {"F10", KEY_FORM_TILDE, '~', 21},
    {"F11", KEY_FORM_TILDE, '~', 23},
    {"F12", KEY_FORM_TILDE, '~', 24},
    {"F13", KEY_FORM_TILDE, '~', 25},
    {"F14", KEY_FORM_TILDE, '~', 26},
    {"F15", KEY_FORM_TILDE, '~', 28},
    {"F16", KEY_FORM_TILDE, '~', 29},
    {"F17", KEY_FORM_TILDE, '~', 31},
    {"F18", KEY_FORM_TILDE, '~', 32},
    {"F19", KEY_FORM_TILDE, '~', 33},
    {"F20", KEY_FORM_TILDE, '~', 34},
    {"KP0", KEY_FORM_KEYPAD, 'p', '0'},
    {"KP1", KEY_FORM_KEYPAD, 'q', '1'},
    {"KP2", KEY_FORM_KEYPAD, 'r', '2'},
    {"KP3", KEY_FORM_KEYPAD, 's', '3'},
    {"KP4", KEY_FORM_KEYPAD, 't', '4'},
    {"KP5", KEY_FORM_KEYPAD, 'u', '5'},
    {"KP6", KEY_FORM_KEYPAD, 'v', '6'},
    {"KP7", KEY_FORM_KEYPAD, 'w', '7'},
    {"KP8", KEY_FORM_KEYPAD, 'x', '8'},
    {"KP9", KEY_FORM_KEYPAD, 'y', '9'},
    {"KPEnter", KEY_FORM_KEYPAD, 'M', '\r'},
    {"KPPlus", KEY_FORM_KEYPAD, 'k', '+'},
    {"KPMinus", KEY_FORM_KEYPAD, 'm', '-'},
    {"KPMult", KEY_FORM_KEYPAD, 'j', '*'},
    {"KPDiv", KEY_FORM_KEYPAD, 'o', '/'},
    {"KPDot", KEY_FORM_KEYPAD, 'n', '.'},
};

#define KEY_COUNT (sizeof(table) / sizeof(table[0]))

const size_t keys_count = KEY_COUNT;

const char *
keys_name(size_t index)
{
    return index < KEY_COUNT ? table[index].name : NULL;
}

/* The modifiers in front of a name; *name moves behind them. A modifier needs
 * something to modify: "C-" alone is none, "C--" is Control and a minus. */
static unsigned
take_modifiers(const char **name)
{
    static const struct {
        char letter;
        unsigned modifier;
    } order[] = {
        {'C', MODIFIER_CONTROL},
        {'M', MODIFIER_META},
        {'S', MODIFIER_SHIFT},
    };
    unsigned modifiers = 0;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        const char *at = *name;
        if ((at[0] & ~0x20) == order[i].letter && at[1] == '-' && at[2]) {
            modifiers |= order[i].modifier;
            *name += 2;
        }
    }
    return modifiers;
}

static const struct key *
find_key(const char *name)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (!strcasecmp(table[i].name, name))
            return &table[i];
    }
    return NULL;
}

/* The control that Control and a character make, as a VT220 does; -1: none. */
static int
control_of(uint32_t character)
{
    if (character >= 'a' && character <= 'z')
        return (int)(character & 0x1F);
    if (character >= '@' && character <= '_')
        return (int)(character & 0x1F);
    if (character == ' ')
        return 0;
    if (character == '?')
        return 0x7F;
    return -1;
}

static void
put_function_key(const struct key *key, unsigned modifiers, unsigned modes,
                 struct buffer *bytes)
{
    unsigned parameter = modifiers + 1;
    if (key->form == KEY_FORM_TILDE && modifiers)
        buffer_printf(bytes, "\033[%d;%u~", key->number, parameter);
    else if (key->form == KEY_FORM_TILDE)
        buffer_printf(bytes, "\033[%d~", key->number);
    else if (modifiers)
        buffer_printf(bytes, "\033[1;%u%c", parameter, key->final);
    else if (key->form == KEY_FORM_SS3 ||
             (modes & TERMINAL_MODE_APPLICATION_CURSOR))
        buffer_printf(bytes, "\033O%c", key->final);
    else
        buffer_printf(bytes, "\033[%c", key->final);
}

static void
put_named(const struct key *key, unsigned modifiers, unsigned modes,
          struct buffer *bytes)
{
    if (key->form != KEY_FORM_BYTE && key->form != KEY_FORM_KEYPAD) {
        put_function_key(key, modifiers, modes, bytes);
        return;
    }
    if (key->form == KEY_FORM_BYTE && key->final == '\t' &&
        (modifiers & MODIFIER_SHIFT)) {
        buffer_append_text(bytes, "\033[Z"); /* CBT: back tab */
        return;
    }
    if (modifiers & MODIFIER_META)
        buffer_append_byte(bytes, '\033');
    if (key->form == KEY_FORM_KEYPAD) {
        if (modes & TERMINAL_MODE_APPLICATION_KEYPAD)
            buffer_printf(bytes, "\033O%c", key->final);
        else
            buffer_append_byte(bytes, (char)key->number);
    } else if (key->final == ' ' && (modifiers & MODIFIER_CONTROL)) {
        buffer_append_byte(bytes, '\0');
    } else if (key->final == 0x7F && (modifiers & MODIFIER_CONTROL)) {
        buffer_append_byte(bytes, '\b');
    } else {
        buffer_append_byte(bytes, key->final);
        if (key->final == '\r' && (modes & TERMINAL_MODE_NEWLINE))
            buffer_append_byte(bytes, '\n');
    }
}

/* One character, not a name. */
static bool
put_character(const char *name, uint32_t character, unsigned modifiers,
              struct buffer *bytes, struct error *error)
{
    int control = -1;
    if (modifiers & MODIFIER_CONTROL) {
        control = control_of(character);
        if (control < 0)
            return error_set(error, ERROR_CODE_INVALID,
                             "\"C-%s\" is no key of a serial terminal: there "
                             "is no such control character",
                             name);
    }
    if ((modifiers & MODIFIER_SHIFT) && character >= 'a' && character <= 'z')
        character -= 0x20;
    if (modifiers & MODIFIER_META)
        buffer_append_byte(bytes, '\033');
    if (control >= 0) {
        buffer_append_byte(bytes, (char)control);
        return true;
    }
    char encoded[4];
    buffer_append(bytes, encoded, utf8_encode(character, encoded));
    return true;
}

static bool
unknown_key(const char *name, struct error *error)
{
    const char *names[KEY_COUNT];
    for (size_t i = 0; i < KEY_COUNT; i++)
        names[i] = table[i].name;
    const char *near = nearest_name(name, names, KEY_COUNT);
    if (near)
        return error_set(error, ERROR_CODE_INVALID,
                         "there is no key \"%.32s\" (did you mean \"%s\"?)",
                         name, near);
    return error_set(error, ERROR_CODE_INVALID,
                     "there is no key \"%.32s\"; keys are single characters "
                     "and names such as Enter, Up, F1, C-c, M-x",
                     name);
}

bool
keys_encode(const char *name, unsigned modes, struct buffer *bytes,
            struct error *error)
{
    unsigned modifiers = take_modifiers(&name);
    const struct key *key = find_key(name);
    if (key) {
        put_named(key, modifiers, modes, bytes);
        return true;
    }
    size_t len = strlen(name);
    uint32_t character = 0;
    if (len == 0 || !utf8_is_valid(name, len, NULL) ||
        utf8_decode(name, len, &character) != len || character < 0x20 ||
        character == 0x7F)
        return unknown_key(name, error);
    return put_character(name, character, modifiers, bytes, error);
}
