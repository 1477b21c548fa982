#include "console/mouse.h"
#include "console/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SGR TERMINAL_MODE_MOUSE_SGR

/* What an event at row 4, column 9 sends. */
static const struct {
    enum mouse_action action;
    enum mouse_button button;
    unsigned modifiers;
    unsigned modes;
    const char *bytes;
} rows[] = {
    {MOUSE_PRESS, MOUSE_LEFT, 0, 0, ""},
    {MOUSE_PRESS, MOUSE_LEFT, 0, SGR, ""},
    {MOUSE_MOVE, MOUSE_LEFT, 0, SGR, ""},
    /* X10: presses alone, without modifiers */
    {MOUSE_PRESS, MOUSE_LEFT, 0, TERMINAL_MODE_MOUSE_PRESS, "\033[M *%"},
    {MOUSE_PRESS, MOUSE_RIGHT, MOUSE_CONTROL, TERMINAL_MODE_MOUSE_PRESS,
     "\033[M\"*%"},
    {MOUSE_RELEASE, MOUSE_LEFT, 0, TERMINAL_MODE_MOUSE_PRESS, ""},
    {MOUSE_MOVE, MOUSE_LEFT, 0, TERMINAL_MODE_MOUSE_PRESS, ""},
    /* 1000 */
    {MOUSE_PRESS, MOUSE_MIDDLE, 0, TERMINAL_MODE_MOUSE_CLICK, "\033[M!*%"},
    {MOUSE_RELEASE, MOUSE_MIDDLE, 0, TERMINAL_MODE_MOUSE_CLICK, "\033[M#*%"},
    {MOUSE_PRESS, MOUSE_NONE, 0, TERMINAL_MODE_MOUSE_CLICK, ""},
    {MOUSE_MOVE, MOUSE_LEFT, 0, TERMINAL_MODE_MOUSE_CLICK, ""},
    {MOUSE_PRESS, MOUSE_WHEEL_UP, 0, TERMINAL_MODE_MOUSE_CLICK, "\033[M`*%"},
    {MOUSE_RELEASE, MOUSE_WHEEL_UP, 0, TERMINAL_MODE_MOUSE_CLICK, ""},
    {MOUSE_PRESS, MOUSE_LEFT, MOUSE_SHIFT | MOUSE_META | MOUSE_CONTROL,
     TERMINAL_MODE_MOUSE_CLICK, "\033[M<*%"},
    /* 1002 and 1003 */
    {MOUSE_MOVE, MOUSE_LEFT, 0, TERMINAL_MODE_MOUSE_DRAG, "\033[M@*%"},
    {MOUSE_MOVE, MOUSE_NONE, 0, TERMINAL_MODE_MOUSE_DRAG, ""},
    {MOUSE_MOVE, MOUSE_NONE, 0, TERMINAL_MODE_MOUSE_MOVE, "\033[MC*%"},
    {MOUSE_MOVE, MOUSE_RIGHT, 0, TERMINAL_MODE_MOUSE_MOVE, "\033[MB*%"},
    {MOUSE_MOVE, MOUSE_WHEEL_UP, 0, TERMINAL_MODE_MOUSE_MOVE, ""},
    /* the forms */
    {MOUSE_PRESS, MOUSE_LEFT, 0, TERMINAL_MODE_MOUSE_CLICK | SGR,
     "\033[<0;10;5M"},
    {MOUSE_RELEASE, MOUSE_RIGHT, MOUSE_CONTROL, TERMINAL_MODE_MOUSE_CLICK | SGR,
     "\033[<18;10;5m"},
    {MOUSE_MOVE, MOUSE_NONE, 0, TERMINAL_MODE_MOUSE_MOVE | SGR,
     "\033[<35;10;5M"},
    {MOUSE_PRESS, MOUSE_WHEEL_DOWN, 0, TERMINAL_MODE_MOUSE_CLICK | SGR,
     "\033[<65;10;5M"},
    {MOUSE_PRESS, MOUSE_LEFT, 0,
     TERMINAL_MODE_MOUSE_CLICK | TERMINAL_MODE_MOUSE_URXVT, "\033[32;10;5M"},
    {MOUSE_RELEASE, MOUSE_LEFT, 0,
     TERMINAL_MODE_MOUSE_CLICK | TERMINAL_MODE_MOUSE_URXVT, "\033[35;10;5M"},
    {MOUSE_PRESS, MOUSE_LEFT, 0,
     TERMINAL_MODE_MOUSE_CLICK | TERMINAL_MODE_MOUSE_UTF8, "\033[M *%"},
    {MOUSE_PRESS, MOUSE_LEFT, 0,
     TERMINAL_MODE_MOUSE_CLICK | TERMINAL_MODE_MOUSE_URXVT | SGR,
     "\033[<0;10;5M"},
};

static void
an_event_sends_what_was_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mouse_event event = {.action = rows[i].action,
                                    .button = rows[i].button,
                                    .modifiers = rows[i].modifiers,
                                    .row = 4,
                                    .col = 9};
        struct buffer bytes = {0};
        mouse_encode(&event, rows[i].modes, &bytes);
        buffer_append_byte(&bytes, '\0');
        if (strcmp(bytes.data, rows[i].bytes) != 0)
            fail_msg("row %zu sends \"%s\"", i, bytes.data + 1);
        buffer_finish(&bytes);
    }
}

static void
expect_at(int row, int col, unsigned form, const char *bytes)
{
    struct mouse_event event = {
        .action = MOUSE_PRESS, .button = MOUSE_LEFT, .row = row, .col = col};
    struct buffer sent = {0};
    mouse_encode(&event, TERMINAL_MODE_MOUSE_CLICK | form, &sent);
    buffer_append_byte(&sent, '\0');
    assert_string_equal(sent.data, bytes);
    buffer_finish(&sent);
}

static void
a_place_that_a_form_cannot_say_sends_nothing(void **state)
{
    (void)state;
    expect_at(-1, 0, SGR, "");
    expect_at(0, -1, SGR, "");
    expect_at(0, 222, 0, "\033[M \377!");
    expect_at(0, 223, 0, "");
    expect_at(223, 0, 0, "");
    expect_at(0, 94, TERMINAL_MODE_MOUSE_UTF8, "\033[M \177!");
    expect_at(0, 95, TERMINAL_MODE_MOUSE_UTF8, "\033[M \302\200!");
    expect_at(0, 2015, TERMINAL_MODE_MOUSE_UTF8, "");
    expect_at(999, 1999, SGR, "\033[<0;2000;1000M");
    expect_at(999, 1999, TERMINAL_MODE_MOUSE_URXVT, "\033[32;2000;1000M");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_sends_what_was_asked_for),
        cmocka_unit_test(a_place_that_a_form_cannot_say_sends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
