#include "console/render.h"
#include "console/terminal.h"
#include "term-world.h"
#include "tui/term-looks.h"

#define ALL                                                                    \
    ((unsigned)TERM_EXTRA_UNDERLINES | TERM_EXTRA_UNDERLINE_COLOURS |          \
     TERM_EXTRA_STRIKE | TERM_EXTRA_OVERLINE | TERM_EXTRA_RGB)

static void
looks_have_numbers_and_lose_what_cannot_be_shown(void **state)
{
    (void)state;
    struct term_looks looks = {.extras = ALL};
    struct term_look curly = {.underline = 3};
    struct term_look red = {.underline = 3,
                            .underline_colour = TERM_LOOK_RGB | 0xFF0000};
    assert_int_equal(term_looks_number(&looks, &(struct term_look){0}), 0);
    assert_int_equal(term_looks_number(&looks, &curly), 1);
    assert_int_equal(term_looks_number(&looks, &red), 2);
    assert_int_equal(term_looks_number(&looks, &curly), 1);
    assert_int_equal(term_looks_get(&looks, 2)->underline_colour,
                     TERM_LOOK_RGB | 0xFF0000);
    assert_null(term_looks_get(&looks, 0));
    assert_null(term_looks_get(&looks, TERM_LOOKS_MAX + 1));
    /* without colours of underlines the two are one */
    looks.extras = TERM_EXTRA_UNDERLINES;
    assert_int_equal(term_looks_number(&looks, &red), 1);
    looks.extras = TERM_EXTRA_STRIKE;
    assert_int_equal(term_looks_number(&looks, &red), 0);
    /* curses has words for 24-bit colours there */
    looks.extras = ALL;
    looks.is_direct = true;
    struct term_look colour = {.foreground = TERM_LOOK_RGB | 1};
    assert_int_equal(term_looks_number(&looks, &colour), 0);
    term_looks_finish(&looks);
}

static void
numbers_that_nobody_uses_are_given_again(void **state)
{
    (void)state;
    struct term_looks looks = {.extras = ALL};
    static bool is_used[TERM_LOOKS_MAX + 1];
    struct term_look look = {0};
    for (uint32_t i = 1; i <= TERM_LOOKS_MAX; i++) {
        look.foreground = TERM_LOOK_RGB | i;
        assert_int_equal(term_looks_number(&looks, &look), i);
    }
    assert_true(term_looks_are_many(&looks));
    look.foreground = TERM_LOOK_RGB | 0xFFFFFF;
    assert_int_equal(term_looks_number(&looks, &look), 0);
    is_used[7] = true;
    is_used[9] = true;
    term_looks_keep(&looks, is_used);
    assert_int_equal(looks.count, 2);
    assert_int_equal(looks.generation, 1);
    look.foreground = TERM_LOOK_RGB | 9;
    assert_int_equal(term_looks_number(&looks, &look), 9);
    look.foreground = TERM_LOOK_RGB | 8;
    assert_int_not_equal(term_looks_number(&looks, &look), 9);
    assert_int_not_equal(term_looks_number(&looks, &look), 7);
    assert_int_not_equal(term_looks_number(&looks, &look), 0);
    term_looks_finish(&looks);
}

/* Looks of the table below: 1 curly, 2 struck, 3 24-bit text, 4 24-bit
 * background. Behind a character they stand as <1>. */
static const struct term_look named[] = {
    {.underline = 3},
    {.lines = TERM_EXTRA_STRIKE},
    {.foreground = TERM_LOOK_RGB | 0x010203},
    {.background = TERM_LOOK_RGB | 0x040506},
};

static const struct {
    const char *name;
    const char *written; /* by curses */
    const char *shown;
} updates[] = {
    {"nothing", "plain\033[Htext", "plain\033[Htext"},
    {"a run", "\033[4ma<1>b<1>\033[m", "\033[4m\033[4:3mab\033[m"},
    {"the next one is underlined only", "\033[4ma<1>b\033[m",
     "\033[4m\033[4:3ma\033[4mb\033[m"},
    {"the next one is not", "a<2>b", "\033[9ma\033[29mb"},
    {"one after the other", "a<2>\033[4mb<1>",
     "\033[9ma\033[4m\033[4:3;29mb"
     "\033[4m"},
    {"marks stay with their character", "e<2>\xCC\x81o<2>\xCC\x88",
     "\033[9me\xCC\x81o\xCC\x88\033[29m"},
    {"wide ones", "\xE6\x97\xA5<2>x", "\033[9m\xE6\x97\xA5\033[29mx"},
    {"before anything that may erase", "\033[41ma<4>\033[K",
     "\033[41m\033[48;2;4;5;6ma\033[41m\033[K"},
    {"not before a colour", "\033[31ma<3>\033[32mb<3>\033[33mc",
     "\033[31m\033[38;2;1;2;3ma\033[32m\033[38;2;1;2;3mb\033[33mc"},
    {"the colour before comes back", "\033[38;5;75ma<3>b",
     "\033[38;5;75m\033[38;2;1;2;3ma\033[38;5;75mb"},
    {"of two in one sequence", "\033[0;1;38;5;75;48;5;9ma<3>b<4>c",
     "\033[0;1;38;5;75;48;5;9m\033[38;2;1;2;3ma"
     "\033[38;5;75;48;2;4;5;6mb\033[48;5;9mc"},
    {"the next row", "a<2>\r\v", "\033[9ma\033[29m\r\v"},
    {"the charset's sign changes nothing", "a<2>\033(B\033[mb",
     "\033[9ma\033(B\033[mb"},
    {"an unknown number is no look", "a<77>b", "ab"},
    {"cut in a sequence", "a\033[", "a\033["},
    {"cut in a character", "a\xE6\x97", "a\xE6\x97"},
    {"cut in an escape", "a<2>\033", "\033[9ma\033[29m\033"},
};

/* "<1>" to the character that stands for 1. */
static void
append_written(struct buffer *bytes, const char *text)
{
    while (*text) {
        unsigned number = 0;
        int len = 0;
        if (sscanf(text, "<%u>%n", &number, &len) == 1 && len > 0) {
            unsigned code = TERM_LOOK_FIRST + number;
            const char utf8[4] = {(char)0xF4, (char)(0x80 | (code >> 12 & 63)),
                                  (char)(0x80 | (code >> 6 & 63)),
                                  (char)(0x80 | (code & 63))};
            buffer_append(bytes, utf8, 4);
            text += len;
        } else {
            buffer_append_byte(bytes, *text++);
        }
    }
}

static void
what_curses_wrote_gets_its_looks(void **state)
{
    (void)state;
    struct term_looks looks = {.extras = ALL};
    for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++)
        assert_int_equal(term_looks_number(&looks, &named[i]), i + 1);
    for (size_t i = 0; i < sizeof(updates) / sizeof(*updates); i++) {
        struct buffer written = {0};
        struct buffer shown = {0};
        append_written(&written, updates[i].written);
        term_looks_apply(&looks, written.data, written.len, &shown);
        if (strcmp(shown.data, updates[i].shown) != 0) {
            for (size_t j = 0; j < shown.len; j++)
                shown.data[j] = shown.data[j] == 27 ? '^' : shown.data[j];
            fail_msg("%s: %s", updates[i].name, shown.data);
        }
        buffer_finish(&written);
        buffer_finish(&shown);
    }
    term_looks_finish(&looks);
}

/* Random drawing in random looks, shown by an emulator; beside it another one
 * that was told each cell outright. */

#define ROWS 6
#define COLS 16

static const struct {
    const char *sgr;
    struct term_look look;
    bool is_underlined;
    int fg; /* what a terminal without 24 bits shows */
} styles[] = {
    {"0", {0}, false, -1},
    {"0;31", {0}, false, 1},
    {"0;4", {0}, true, -1},
    {"0;4:3", {.underline = 3}, true, -1},
    {"0;4:2;58:5:9",
     {.underline = 2, .underline_colour = TERM_LOOK_INDEXED | 9},
     true,
     -1},
    {"0;4;58:2::1:2:3",
     {.underline_colour = TERM_LOOK_RGB | 0x010203},
     true,
     -1},
    {"0;9;31", {.lines = TERM_EXTRA_STRIKE}, false, 1},
    {"0;9;53", {.lines = TERM_EXTRA_STRIKE | TERM_EXTRA_OVERLINE}, false, -1},
    {"0;38;2;255;1;2", {.foreground = TERM_LOOK_RGB | 0xFF0102}, false, 196},
    {"0;48;2;3;4;5", {.background = TERM_LOOK_RGB | 0x030405}, false, -1},
};
#define STYLES (sizeof(styles) / sizeof(*styles))

static TickitPen *
make_pen(struct term *term, size_t style)
{
    TickitPen *pen = tickit_pen_new_attrs(
        TICKIT_PEN_FG, styles[style].fg, TICKIT_PEN_BG, -1, TICKIT_PEN_UNDER,
        styles[style].is_underlined, TICKIT_PEN_ALTFONT, 0, 0);
    if (styles[style].look.foreground)
        tickit_pen_set_colour_attr_rgb8(
            pen, TICKIT_PEN_FG, (TickitPenRGB8){.r = 0xFF, .g = 1, .b = 2});
    term_pen_look(term, pen, &styles[style].look);
    return pen;
}

static void
tell_cells(struct terminal *wanted, size_t style, int row, int col, int count,
           const char *text)
{
    char bytes[128];
    for (int i = 0; i < count; i++) {
        int len = snprintf(bytes, sizeof(bytes), "\033[%d;%dH\033[%sm%s",
                           row + 1, col + i + 1, styles[style].sgr, text);
        terminal_write(wanted, bytes, (size_t)len, TERMINAL_WRITE_REPLAY);
    }
}

static void
draw_one(struct fixture *fixture, struct terminal *wanted)
{
    static const char *const texts[] = {"a", "b", "e\xCC\x81", " "};
    size_t style = (size_t)rand() % STYLES;
    int row = rand() % ROWS;
    int col = rand() % COLS;
    int count = 1 + rand() % (COLS - col);
    const char *text = texts[rand() % 4];
    TickitPen *pen = make_pen(fixture->term, style);
    tickit_term_setpen(fixture->tickit, pen);
    tickit_pen_unref(pen);
    tickit_term_goto(fixture->tickit, row, col);
    if (strcmp(text, " ") == 0)
        tickit_term_erasech(fixture->tickit, count, TICKIT_MAYBE);
    for (int i = 0; i < count && strcmp(text, " ") != 0; i++)
        tickit_term_print(fixture->tickit, text);
    tell_cells(wanted, style, row, col, count, text);
}

/* All rows one up: what curses does by scrolling. */
static void
draw_scrolled(struct fixture *fixture, struct terminal *wanted)
{
    for (int row = 0; row < ROWS; row++) {
        for (int col = 0; col < COLS; col++) {
            size_t style = (size_t)(row + col / 4 + 1) % STYLES;
            char text[2] = {(char)('A' + (row * 7 + col) % 26), '\0'};
            TickitPen *pen = make_pen(fixture->term, style);
            tickit_term_setpen(fixture->tickit, pen);
            tickit_pen_unref(pen);
            tickit_term_goto(fixture->tickit, row, col);
            tickit_term_print(fixture->tickit, text);
            tell_cells(wanted, style, row, col, 1, text);
        }
    }
}

static void
expect_same(struct terminal *shown, struct terminal *wanted, int round)
{
    struct buffer a = {0};
    struct buffer b = {0};
    render_rows(shown, 0, ROWS - 1, RENDER_ANSI, &a);
    render_rows(wanted, 0, ROWS - 1, RENDER_ANSI, &b);
    if (strcmp(a.data, b.data) != 0)
        fail_msg("round %d:\n%s\n--- instead of\n%s", round, a.data, b.data);
    buffer_finish(&a);
    buffer_finish(&b);
}

static void
whatever_is_drawn_has_its_look(void **state)
{
    (void)state;
    struct fixture fixture;
    struct terminal_config config = {.rows = ROWS, .cols = COLS};
    struct terminal *shown = terminal_new(&config);
    struct terminal *wanted = terminal_new(&config);
    open_term(&fixture, "tmux-256color", ROWS, COLS);
    srand(3);
    for (int row = 0; row < ROWS; row++)
        tell_cells(wanted, 0, row, 0, COLS, " ");
    for (int round = 0; round < 3000; round++) {
        if (round % 50 == 49)
            draw_scrolled(&fixture, wanted);
        for (int i = rand() % 4; i >= 0; i--)
            draw_one(&fixture, wanted);
        term_flush(fixture.term);
        sent(&fixture);
        terminal_write(shown, fixture.bytes, fixture.len,
                       TERMINAL_WRITE_REPLAY);
        expect_same(shown, wanted, round);
    }
    terminal_free(shown);
    terminal_free(wanted);
    close_term(&fixture);
}

static const char *
print_with(struct fixture *fixture, const struct term_look *look,
           const char *text)
{
    TickitPen *pen = tickit_pen_new_attrs(TICKIT_PEN_UNDER, 1, 0);
    term_pen_look(fixture->term, pen, look);
    tickit_term_setpen(fixture->tickit, pen);
    tickit_pen_unref(pen);
    tickit_term_goto(fixture->tickit, 2, 3);
    tickit_term_print(fixture->tickit, text);
    term_flush(fixture->term);
    return sent(fixture);
}

/* What terminals get of a curly red underline on struck text. */
static const struct {
    const char *type;
    const char *shown; /* before the text */
} terminals[] = {
    {"tmux-256color", "4:3;58:5:9;9mtext"},
    {"vte-256color", "4:3;58:5:9;9mtext"},
    {"xterm-256color", "[9mtext"},
    {"linux", "text"},
    {"vt220", "text"},
    {"xterm-direct", "[9mtext"},
};

static void
a_terminal_gets_what_it_can_show(void **state)
{
    (void)state;
    struct term_look look = {
        .underline = 3,
        .underline_colour = TERM_LOOK_INDEXED | 9,
        .lines = TERM_EXTRA_STRIKE,
    };
    for (size_t i = 0; i < sizeof(terminals) / sizeof(*terminals); i++) {
        struct fixture fixture;
        open_term(&fixture, terminals[i].type, 24, 80);
        const char *bytes = print_with(&fixture, &look, "text");
        bool has_any = strstr(bytes, "4:3") || strstr(bytes, "58:");
        if (!strstr(bytes, terminals[i].shown) ||
            has_any != !!strstr(terminals[i].shown, "4:3"))
            fail_msg("%s got %s", terminals[i].type, bytes + 1);
        /* drawn again it costs nothing */
        assert_string_equal(print_with(&fixture, &look, "text"), "");
        close_term(&fixture);
    }
}

static void
colorterm_says_24_bits(void **state)
{
    (void)state;
    struct fixture fixture;
    struct term_look look = {.foreground = TERM_LOOK_RGB | 0x112233};
    open_term(&fixture, "xterm-256color", 24, 80);
    assert_null(strstr(print_with(&fixture, &look, "text"), "38;2;"));
    close_term(&fixture);
    (void)setenv("COLORTERM", "truecolor", 1);
    open_term(&fixture, "xterm-256color", 24, 80);
    assert_non_null(
        strstr(print_with(&fixture, &look, "text"), "38;2;17;34;51mtext"));
    close_term(&fixture);
    (void)unsetenv("COLORTERM");
}

static void
looks_come_and_go_without_end(void **state)
{
    (void)state;
    struct fixture fixture;
    char wanted[32];
    open_term(&fixture, "tmux-256color", 24, 80);
    for (unsigned i = 0; i < 3 * TERM_LOOKS_MAX; i++) {
        struct term_look look = {.foreground = TERM_LOOK_RGB | i};
        (void)snprintf(wanted, sizeof(wanted), "38;2;%u;%u;%umt", i >> 16,
                       i >> 8 & 0xFF, i & 0xFF);
        if (!strstr(print_with(&fixture, &look, "t"), wanted))
            fail_msg("look %u: %s", i, fixture.bytes + 1);
    }
    close_term(&fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_have_numbers_and_lose_what_cannot_be_shown),
        cmocka_unit_test(numbers_that_nobody_uses_are_given_again),
        cmocka_unit_test(what_curses_wrote_gets_its_looks),
        cmocka_unit_test(whatever_is_drawn_has_its_look),
        cmocka_unit_test(a_terminal_gets_what_it_can_show),
        cmocka_unit_test(colorterm_says_24_bits),
        cmocka_unit_test(looks_come_and_go_without_end),
    };
    (void)unsetenv("COLORTERM");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
