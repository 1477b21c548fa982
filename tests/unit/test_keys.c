#include "console/keys.h"
#include "console/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What keys send, in the plain modes, and in application cursor and keypad
 * modes. */
static const struct {
    const char *name;
    const char *plain;
    const char *application;
} rows[] = {
    {"a", "a", "a"},
    {"A", "A", "A"},
    {"-", "-", "-"},
    {"é", "é", "é"},
    {"你", "你", "你"},
    {"S-a", "A", "A"},
    {"M-a", "\033a", "\033a"},
    {"M-é", "\033é", "\033é"},
    {"C-a", "\001", "\001"},
    {"C-A", "\001", "\001"},
    {"c-a", "\001", "\001"},
    {"C-M-a", "\033\001", "\033\001"},
    {"C-[", "\033", "\033"},
    {"C-]", "\035", "\035"},
    {"C-\\", "\034", "\034"},
    {"C-^", "\036", "\036"},
    {"C-_", "\037", "\037"},
    {"C-?", "\177", "\177"},
    {"Enter", "\r", "\r"},
    {"enter", "\r", "\r"},
    {"M-Enter", "\033\r", "\033\r"},
    {"Tab", "\t", "\t"},
    {"S-Tab", "\033[Z", "\033[Z"},
    {"Backspace", "\177", "\177"},
    {"Escape", "\033", "\033"},
    {"Space", " ", " "},
    {"Up", "\033[A", "\033OA"},
    {"Down", "\033[B", "\033OB"},
    {"Right", "\033[C", "\033OC"},
    {"Left", "\033[D", "\033OD"},
    {"Home", "\033[H", "\033OH"},
    {"End", "\033[F", "\033OF"},
    {"C-Up", "\033[1;5A", "\033[1;5A"},
    {"M-Up", "\033[1;3A", "\033[1;3A"},
    {"S-Up", "\033[1;2A", "\033[1;2A"},
    {"C-M-S-Up", "\033[1;8A", "\033[1;8A"},
    {"PageUp", "\033[5~", "\033[5~"},
    {"PageDown", "\033[6~", "\033[6~"},
    {"C-PageDown", "\033[6;5~", "\033[6;5~"},
    {"Insert", "\033[2~", "\033[2~"},
    {"Delete", "\033[3~", "\033[3~"},
    {"F1", "\033OP", "\033OP"},
    {"F4", "\033OS", "\033OS"},
    {"S-F1", "\033[1;2P", "\033[1;2P"},
    {"F5", "\033[15~", "\033[15~"},
    {"F12", "\033[24~", "\033[24~"},
    {"C-F12", "\033[24;5~", "\033[24;5~"},
    {"F13", "\033[25~", "\033[25~"},
    {"F20", "\033[34~", "\033[34~"},
    {"KP0", "0", "\033Op"},
    {"KP9", "9", "\033Oy"},
    {"KPEnter", "\r", "\033OM"},
    {"KPPlus", "+", "\033Ok"},
    {"KPMinus", "-", "\033Om"},
    {"KPMult", "*", "\033Oj"},
    {"KPDiv", "/", "\033Oo"},
    {"KPDot", ".", "\033On"},
};

static void
expect(const char *name, unsigned modes, const char *bytes)
{
    struct buffer out = {0};
    struct error error = {0};
    if (!keys_encode(name, modes, &out, &error))
        fail_msg("%s: %s", name, error.text);
    assert_string_equal(out.data, bytes);
    assert_int_equal(out.len, strlen(bytes));
    buffer_finish(&out);
}

static void
keys_send_what_xterm_sends(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect(rows[i].name, 0, rows[i].plain);
        expect(rows[i].name,
               TERMINAL_MODE_APPLICATION_CURSOR |
                   TERMINAL_MODE_APPLICATION_KEYPAD,
               rows[i].application);
    }
}

static void
control_with_space_or_at_is_nul(void **state)
{
    (void)state;
    static const char *const names[] = {"C-Space", "C-@", "C-space"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct buffer out = {0};
        struct error error = {0};
        assert_true(keys_encode(names[i], 0, &out, &error));
        assert_int_equal(out.len, 1);
        assert_int_equal(out.data[0], 0);
        buffer_finish(&out);
    }
}

static void
enter_sends_a_line_feed_too_in_newline_mode(void **state)
{
    (void)state;
    expect("Enter", TERMINAL_MODE_NEWLINE, "\r\n");
}

static void
every_name_is_a_key(void **state)
{
    (void)state;
    assert_true(keys_count >= 46);
    for (size_t i = 0; i < keys_count; i++) {
        struct buffer out = {0};
        struct error error = {0};
        assert_true(keys_encode(keys_name(i), 0, &out, &error));
        assert_true(out.len > 0);
        buffer_finish(&out);
    }
    assert_null(keys_name(keys_count));
}

static void
what_is_no_key_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",     "Foo", "ab",  "C-",       "F21", "F0", "\033", "\177",
        "\377", "C-é", "C-1", "M-Enterr", "é́",   "\n", "KP",   "a "};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct buffer out = {0};
        struct error error = {0};
        if (keys_encode(names[i], 0, &out, &error))
            fail_msg("\"%s\" is a key", names[i]);
        assert_int_equal(error.code, ERROR_CODE_INVALID);
        assert_int_equal(out.len, 0);
        buffer_finish(&out);
    }
}

static void
the_nearest_name_is_told(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct error error = {0};
    assert_false(keys_encode("Entre", 0, &out, &error));
    assert_non_null(strstr(error.text, "Enter"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_send_what_xterm_sends),
        cmocka_unit_test(control_with_space_or_at_is_nul),
        cmocka_unit_test(enter_sends_a_line_feed_too_in_newline_mode),
        cmocka_unit_test(every_name_is_a_key),
        cmocka_unit_test(what_is_no_key_is_refused),
        cmocka_unit_test(the_nearest_name_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
