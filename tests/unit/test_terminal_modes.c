#include "terminal-world.h"

#define INDEXED(n) (STYLE_COLOUR_INDEXED | (n))
#define RGB(n) (STYLE_COLOUR_RGB | (n))
#define UNDERLINED(n) (STYLE_UNDERLINE | (n) << STYLE_UNDERLINE_SHIFT)

/* What SGR makes of the character printed behind it, and how DECRQSS tells
 * it. */
static const struct {
    const char *bytes;
    struct style style;
    const char *told;
} styles[] = {
    {"", {0}, "0"},
    {"\033[m", {0}, "0"},
    {"\033[1;2;3;4;5;7;8;9;53m",
     {.attributes = STYLE_BOLD | STYLE_DIM | STYLE_ITALIC | STYLE_UNDERLINE |
                    STYLE_BLINK | STYLE_REVERSE | STYLE_HIDDEN | STYLE_STRIKE |
                    STYLE_OVERLINE},
     "0;1;2;3;5;7;8;9;53;4"},
    {"\033[1;2;3;4;5;7;8;9;53m\033[22;23;24;25;27;28;29;55m", {0}, "0"},
    {"\033[6m", {.attributes = STYLE_BLINK}, "0;5"},
    {"\033[1;0;3m", {.attributes = STYLE_ITALIC}, "0;3"},
    {"\033[1;;3m", {.attributes = STYLE_ITALIC}, "0;3"},
    {"\033[31;42m",
     {.foreground = INDEXED(1), .background = INDEXED(2)},
     "0;31;42"},
    {"\033[91;102m",
     {.foreground = INDEXED(9), .background = INDEXED(10)},
     "0;91;102"},
    {"\033[31;42;39;49m", {0}, "0"},
    {"\033[38;5;200m", {.foreground = INDEXED(200)}, "0;38;5;200"},
    {"\033[48;5;7m", {.background = INDEXED(7)}, "0;47"},
    {"\033[38;2;1;2;3m", {.foreground = RGB(0x010203)}, "0;38;2;1;2;3"},
    {"\033[38:5:200m", {.foreground = INDEXED(200)}, "0;38;5;200"},
    {"\033[38:2:1:2:3m", {.foreground = RGB(0x010203)}, "0;38;2;1;2;3"},
    {"\033[38:2::1:2:3m", {.foreground = RGB(0x010203)}, "0;38;2;1;2;3"},
    {"\033[48:2::1:2:3:9:9m", {.background = RGB(0x010203)}, "0;48;2;1;2;3"},
    {"\033[38:2::1:2:3;1m",
     {.foreground = RGB(0x010203), .attributes = STYLE_BOLD},
     "0;1;38;2;1;2;3"},
    {"\033[38;5;200;1m",
     {.foreground = INDEXED(200), .attributes = STYLE_BOLD},
     "0;1;38;5;200"},
    {"\033[38;5;256m", {0}, "0"},
    {"\033[38;2;1;2;256m", {0}, "0"},
    {"\033[38m", {0}, "0"},
    {"\033[38;5m", {.foreground = INDEXED(0)}, "0;30"},
    {"\033[38:5m", {0}, "0"},
    {"\033[38:2:1m", {0}, "0"},
    {"\033[38;9;1m", {.attributes = STYLE_BOLD}, "0;1"},
    {"\033[4:0m", {0}, "0"},
    {"\033[4:1m", {.attributes = STYLE_UNDERLINE}, "0;4"},
    {"\033[4:3m", {.attributes = UNDERLINED(3)}, "0;4:3"},
    {"\033[4:5m", {.attributes = UNDERLINED(5)}, "0;4:5"},
    {"\033[4:9m", {.attributes = STYLE_UNDERLINE}, "0;4"},
    {"\033[21m", {.attributes = UNDERLINED(2)}, "0;4:2"},
    {"\033[4:3;24m", {0}, "0"},
    {"\033[58;5;9m", {.underline_colour = INDEXED(9)}, "0;58:5:9"},
    {"\033[58:2::1:2:3m", {.underline_colour = RGB(0x010203)}, "0;58:2::1:2:3"},
    {"\033[58;5;9;59m", {0}, "0"},
    {"\033[1m\033[99;10;12;73m", {.attributes = STYLE_BOLD}, "0;1"},
};

static void
sgr_sets_the_style(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
        struct world world;
        world_init(&world, 4, 10, 10);
        world_write(&world, styles[i].bytes);
        world_write(&world, "x\033P$qm\033\\");
        struct style style = world_style_at(&world, 0, 0);
        print_message("# row %zu\n", i);
        assert_true(style_is_equal(&style, &styles[i].style));
        char reply[200];
        (void)snprintf(reply, sizeof(reply), "\033P1$r%sm\033\\",
                       styles[i].told);
        world_expect_reply(&world, reply);
        /* the history has the same */
        world_write(&world, "\033[m\r\n\r\n\r\n\r\n");
        style = world_style_at(&world, -1, 0);
        assert_true(style_is_equal(&style, &styles[i].style));
        world_finish(&world);
    }
}

static void
erased_cells_get_the_background_colour(void **state)
{
    (void)state;
    static const char *const erasers[] = {
        "\033[K",  "\033[2K",        "\033[X", "\033[J",
        "\033[2J", "\033[P\033[10P", "\033[M", "\033[L",
        "\033[S",  "\033[H\033[T",   "\033[@", "\033[3H\n\n",
    };
    for (size_t i = 0; i < sizeof(erasers) / sizeof(erasers[0]); i++) {
        struct world world;
        world_init(&world, 1, 10, 10);
        world_write(&world, "\033[1;31;44m");
        world_write(&world, erasers[i]);
        struct style style = world_style_at(&world, 0, 0);
        assert_int_equal(style.background, INDEXED(4));
        assert_int_equal(style.foreground, STYLE_COLOUR_DEFAULT);
        assert_int_equal(style.attributes, 0);
        world_finish(&world);
    }
}

/* The modes that a client sees. */
static const struct {
    const char *set;
    const char *reset;
    unsigned mode;
} modes[] = {
    {"\033[?1h", "\033[?1l", TERMINAL_MODE_APPLICATION_CURSOR},
    {"\033=", "\033>", TERMINAL_MODE_APPLICATION_KEYPAD},
    {"\033[?66h", "\033[?66l", TERMINAL_MODE_APPLICATION_KEYPAD},
    {"\033[?2004h", "\033[?2004l", TERMINAL_MODE_BRACKETED_PASTE},
    {"\033[20h", "\033[20l", TERMINAL_MODE_NEWLINE},
    {"\033[?5h", "\033[?5l", TERMINAL_MODE_REVERSE_SCREEN},
    {"\033[?1000h", "\033[?1000l", TERMINAL_MODE_MOUSE_CLICK},
    {"\033[?1002h", "\033[?1002l", TERMINAL_MODE_MOUSE_DRAG},
    {"\033[?1003h", "\033[?1003l", TERMINAL_MODE_MOUSE_MOVE},
    {"\033[?1006h", "\033[?1006l", TERMINAL_MODE_MOUSE_SGR},
    {"\033[?9h", "\033[?9l", TERMINAL_MODE_MOUSE_PRESS},
    {"\033[?1005h", "\033[?1005l", TERMINAL_MODE_MOUSE_UTF8},
    {"\033[?1015h", "\033[?1015l", TERMINAL_MODE_MOUSE_URXVT},
    {"\033[?1007h", "\033[?1007l", TERMINAL_MODE_ALTERNATE_SCROLL},
    {"\033[?1004h", "\033[?1004l", TERMINAL_MODE_FOCUS},
    {"\033[?2026h", "\033[?2026l", TERMINAL_MODE_SYNCHRONIZED},
    {"\033[?47h", "\033[?47l", TERMINAL_MODE_ALTERNATE_SCREEN},
    {"\033[?1047h", "\033[?1047l", TERMINAL_MODE_ALTERNATE_SCREEN},
    {"\033[?1049h", "\033[?1049l", TERMINAL_MODE_ALTERNATE_SCREEN},
    {"\033[?1002;1006h", "\033[?1002;1006l",
     TERMINAL_MODE_MOUSE_DRAG | TERMINAL_MODE_MOUSE_SGR},
};

static void
each_end_of_synchronized_output_is_told_where_it_is(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 4, 20, 10);
    world_write(&world, "\033[?2026h\033[Hone\033[?2026l\033[?2026h\033[Htwo");
    assert_int_equal(world.frames, 1);
    assert_string_equal(world.frame_row, "one");
    world_write(&world, "\033[?2026l\033[Hthree\033[?2026l");
    assert_int_equal(world.frames, 2);
    assert_string_equal(world.frame_row, "two");
    /* nobody looks at a replay */
    terminal_write(world.terminal, "\033[?2026h\033[?2026l", 16,
                   TERMINAL_WRITE_REPLAY);
    assert_int_equal(world.frames, 2);
    world_finish(&world);
}

static void
modes_are_set_and_reset(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct world world;
        world_init(&world, 4, 10, 10);
        assert_int_equal(terminal_modes(world.terminal),
                         TERMINAL_MODE_AUTOWRAP);
        world_write(&world, modes[i].set);
        assert_int_equal(terminal_modes(world.terminal),
                         TERMINAL_MODE_AUTOWRAP | modes[i].mode);
        world_write(&world, modes[i].reset);
        assert_int_equal(terminal_modes(world.terminal),
                         TERMINAL_MODE_AUTOWRAP);
        /* a guest that starts again has none of them */
        world_write(&world, modes[i].set);
        terminal_reset(world.terminal);
        assert_int_equal(terminal_modes(world.terminal),
                         TERMINAL_MODE_AUTOWRAP);
        world_finish(&world);
    }
}

static void
one_mouse_mode_replaces_another(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 4, 10, 10);
    world_write(&world, "\033[?1000h\033[?1003h");
    assert_int_equal(terminal_modes(world.terminal),
                     TERMINAL_MODE_AUTOWRAP | TERMINAL_MODE_MOUSE_MOVE);
    world_finish(&world);
}

static void
a_reset_turns_wrapping_on(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 4, 10, 10);
    world_write(&world, "\033[?7l");
    assert_int_equal(terminal_modes(world.terminal), 0);
    terminal_reset(world.terminal);
    assert_int_equal(terminal_modes(world.terminal), TERMINAL_MODE_AUTOWRAP);
    world_finish(&world);
}

static void
the_cursor_has_a_shape_and_hides(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 4, 10, 10);
    assert_true(terminal_cursor(world.terminal).is_visible);
    assert_int_equal(terminal_cursor(world.terminal).shape, 0);
    world_write(&world, "\033[?25l\033[4 q");
    assert_false(terminal_cursor(world.terminal).is_visible);
    assert_int_equal(terminal_cursor(world.terminal).shape, 4);
    world_write(&world, "\033[99 q");
    assert_int_equal(terminal_cursor(world.terminal).shape, 4);
    world_write(&world, "\033[!p");
    assert_true(terminal_cursor(world.terminal).is_visible);
    /* mode 12 makes it blink */
    world_write(&world, "\033[?12h");
    assert_int_equal(terminal_cursor(world.terminal).shape, 3);
    world_write(&world, "\033[0 q");
    assert_int_equal(terminal_cursor(world.terminal).shape, 1);
    world_write(&world, "\033[5 q");
    assert_int_equal(terminal_cursor(world.terminal).shape, 5);
    world_write(&world, "\033[?12l\033[0 q");
    assert_int_equal(terminal_cursor(world.terminal).shape, 0);
    world_finish(&world);
}

static void
a_soft_reset_forgets_what_it_should(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 4, 10, 10);
    world_write(&world, "ab\0337\033[2;3r\033[?6h\033[4h\033[1m\033(0\033[?7l");
    world_write(&world, "\033[!p");
    world_expect(&world, "ab");
    world_write(&world, "\033[4;1Hq\0338x");
    world_expect(&world, "xb|||q");
    struct style style = world_style_at(&world, 3, 0);
    assert_int_equal(style.attributes, 0);
    assert_int_equal(terminal_modes(world.terminal), TERMINAL_MODE_AUTOWRAP);
    world_finish(&world);
}

/* National sets need mode 42: ESC ( K is Linux's user mapping, too. */
static void
national_sets_have_their_letters(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        const char *screen;
    } sets[] = {
        {"A", "\302\243@[\\]^_`{}~"},
        {"K", "#\302\247\303\204\303\226\303\234^_`\303\244\303\274\303\237"},
        {"R",
         "\302\243\303\240\302\260\303\247\302\247^_`\303\251\303\250\302\250"},
        {"E",
         "#\303\204\303\206\303\230\303\205\303\234_\303\244\303\246\303\245\303\274"},
        {"%6", "#@\303\203\303\207\303\225^_`\303\243\303\265~"},
        {"x", "#@[\\]^_`{}~"},
        {"%K", "#@[\\]^_`{}~"},
    };
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        struct world world;
        world_init(&world, 2, 20, 10);
        char text[64];
        (void)snprintf(text, sizeof(text), "\033[?42h\033(%s#@[\\]^_`{}~",
                       sets[i].set);
        world_write(&world, text);
        world_expect(&world, sets[i].screen);
        (void)snprintf(text, sizeof(text), "\033c\033(%s\\", sets[i].set);
        world_write(&world, text);
        world_expect(&world, "\\");
        world_finish(&world);
    }
}

static void
the_alternate_screen_keeps_the_main_one(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3, 10, 10);
    world_write(&world, "1\r\n2\r\n3\r\n4\033[2;2H");
    world_write(&world, "\033[?1049h");
    world_expect(&world, "");
    world_expect_cursor(&world, 1, 1);
    world_write(&world, "alt\r\n\r\n\r\n\r\n");
    world_expect_history(&world, "1");
    world_write(&world, "\033[?1049l");
    world_expect(&world, "2|3|4");
    world_expect_cursor(&world, 1, 1);
    /* 47 keeps what the alternate screen held, 1049 does not */
    world_write(&world, "\033[?47h\033[Hold\033[?47l\033[?47h");
    world_expect(&world, "old");
    world_write(&world, "\033[?47l\033[?1049h");
    world_expect(&world, "");
    world_finish(&world);
}

static void
screens_1047_is_cleared_when_left(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3, 10, 10);
    world_write(&world, "\033[?1047hold\033[?1047l\033[?47h");
    world_expect(&world, "");
    world_finish(&world);
}

static void
mode_1048_saves_the_cursor(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3, 10, 10);
    world_write(&world, "ab\033[?1048h\033[3;3Hx\033[?1048ly");
    world_expect(&world, "aby||  x");
    world_finish(&world);
}

static void
a_reset_leaves_the_alternate_screen_and_keeps_content(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3, 10, 10);
    world_write(&world, "main\033[?1049halt");
    terminal_reset(world.terminal);
    world_expect(&world, "");
    world_expect_history(&world, "main");
    world_expect_cursor(&world, 0, 0);
    world_finish(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgr_sets_the_style),
        cmocka_unit_test(erased_cells_get_the_background_colour),
        cmocka_unit_test(each_end_of_synchronized_output_is_told_where_it_is),
        cmocka_unit_test(modes_are_set_and_reset),
        cmocka_unit_test(one_mouse_mode_replaces_another),
        cmocka_unit_test(a_reset_turns_wrapping_on),
        cmocka_unit_test(the_cursor_has_a_shape_and_hides),
        cmocka_unit_test(a_soft_reset_forgets_what_it_should),
        cmocka_unit_test(national_sets_have_their_letters),
        cmocka_unit_test(the_alternate_screen_keeps_the_main_one),
        cmocka_unit_test(screens_1047_is_cleared_when_left),
        cmocka_unit_test(mode_1048_saves_the_cursor),
        cmocka_unit_test(a_reset_leaves_the_alternate_screen_and_keeps_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
