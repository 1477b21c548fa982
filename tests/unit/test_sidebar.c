#include "tui/sidebar.h"
#include "tui/state.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <tickit-mockterm.h>
#include <tickit.h>

#define NOW_MS 1700000000000
#define MINUTE_MS (int64_t)60000

static const struct sidebar_row guests[] = {
    {"control0", "running", NOW_MS - 37000, SIDEBAR_CURRENT},
    {"worker0", "running", NOW_MS - 125 * MINUTE_MS, SIDEBAR_ACTIVITY},
    {"old", "crashed", 0, SIDEBAR_BELL},
    {"next", "defined", 0, 0},
    {"halt", "paused", NOW_MS - 5 * MINUTE_MS, 0},
    {"odd", "io-error", NOW_MS - 5 * MINUTE_MS, 0},
};
#define GUESTS_COUNT (sizeof(guests) / sizeof(*guests))

struct fixture {
    TickitTerm *term;
    struct theme *theme;
    int rows;
    int cols;
};

static void
draw(struct fixture *fixture, int rows, int cols,
     const struct sidebar_model *model)
{
    fixture->rows = rows;
    fixture->cols = cols;
    fixture->term = tickit_mockterm_new(rows, cols);
    fixture->theme = theme_load(NULL, NULL, true, NULL);
    TickitRenderBuffer *rb = tickit_renderbuffer_new(rows, cols);
    sidebar_draw(rb, fixture->theme, model, rows, cols);
    tickit_renderbuffer_flush_to_term(rb, fixture->term);
    tickit_renderbuffer_unref(rb);
}

static void
finish(struct fixture *fixture)
{
    tickit_mockterm_destroy(fixture->term);
    theme_free(fixture->theme);
}

/* A row of the screen without the blanks at its end. */
static const char *
line(struct fixture *fixture, int row)
{
    static char text[1024];
    size_t len = tickit_mockterm_get_display_text(
        fixture->term, text, sizeof(text) - 1, row, 0, fixture->cols);
    while (len > 0 && text[len - 1] == ' ')
        len--;
    text[len] = '\0';
    return text;
}

static struct sidebar_model
model_of(size_t selected, size_t top, unsigned flags)
{
    return (struct sidebar_model){
        .heading = "guestmux",
        .rows = guests,
        .count = GUESTS_COUNT,
        .selected = selected,
        .top = top,
        .now_ms = NOW_MS,
        .flags = flags,
    };
}

static void
a_narrow_list_says_uptime_or_state(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sidebar_model model = model_of(0, 0, SIDEBAR_UNICODE);
    draw(&fixture, 8, 20, &model);
    assert_string_equal(line(&fixture, 0), " guestmux         6");
    assert_string_equal(line(&fixture, 1), "▌● control0    37s");
    assert_string_equal(line(&fixture, 2), " ● worker0   2h05m •");
    assert_string_equal(line(&fixture, 3), " ✗ old     crashed !");
    assert_string_equal(line(&fixture, 4), " ○ next    defined");
    assert_string_equal(line(&fixture, 5), " ◐ halt     paused");
    assert_string_equal(line(&fixture, 6), " ! odd    io-error");
    assert_string_equal(line(&fixture, 7), "");
    finish(&fixture);
}

static void
a_wide_list_says_both(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sidebar_model model = model_of(0, 0, SIDEBAR_UNICODE);
    draw(&fixture, 8, 32, &model);
    assert_string_equal(line(&fixture, 1), "▌● control0     running    37s");
    assert_string_equal(line(&fixture, 5), " ◐ halt          paused     5m");
    finish(&fixture);
}

static void
a_terminal_without_unicode_gets_ascii(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sidebar_model model = model_of(0, 0, 0);
    draw(&fixture, 8, 20, &model);
    for (int row = 0; row < 8; row++) {
        for (const char *at = line(&fixture, row); *at; at++)
            assert_true((unsigned char)*at < 0x80);
    }
    assert_string_equal(line(&fixture, 1), ">* control0    37s");
    finish(&fixture);
}

static void
states_have_the_colours_of_their_roles(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sidebar_model model = model_of(0, 0, SIDEBAR_UNICODE);
    draw(&fixture, 8, 20, &model);
    for (size_t i = 1; i < GUESTS_COUNT; i++) {
        TickitPen *shown =
            tickit_mockterm_get_display_pen(fixture.term, (int)i + 1, 1);
        TickitPen *role =
            theme_pen(fixture.theme, state_info(guests[i].state)->role);
        assert_int_equal(tickit_pen_get_colour_attr(shown, TICKIT_PEN_FG),
                         tickit_pen_get_colour_attr(role, TICKIT_PEN_FG));
    }
    finish(&fixture);
}

static void
the_selected_row_is_one_bar_while_the_list_has_the_keyboard(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sidebar_model model = model_of(2, 0, SIDEBAR_FOCUS);
    draw(&fixture, 8, 20, &model);
    int background = tickit_pen_get_colour_attr(
        theme_pen(fixture.theme, THEME_SIDEBAR_SELECTED), TICKIT_PEN_BG);
    for (int col = 0; col < 20; col++) {
        TickitPen *pen = tickit_mockterm_get_display_pen(fixture.term, 3, col);
        assert_int_equal(tickit_pen_get_colour_attr(pen, TICKIT_PEN_BG),
                         background);
    }
    finish(&fixture);
}

static void
a_list_longer_than_the_screen_scrolls_and_says_where(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sidebar_model model = model_of(4, 2, SIDEBAR_UNICODE);
    draw(&fixture, 4, 20, &model);
    assert_string_equal(line(&fixture, 0), " guestmux       5/6");
    assert_string_equal(line(&fixture, 1), " ✗ old     crashed !");
    finish(&fixture);
}

static void
scrolling_keeps_the_selected_row_in_view(void **state)
{
    (void)state;
    assert_int_equal(sidebar_scroll(0, 9, 20, 5), 5);
    assert_int_equal(sidebar_scroll(8, 2, 20, 5), 2);
    assert_int_equal(sidebar_scroll(3, 4, 20, 5), 3);
    assert_int_equal(sidebar_scroll(3, 1, 4, 5), 0);
    assert_int_equal(sidebar_scroll(19, 19, 20, 5), 15);
    assert_int_equal(sidebar_scroll(3, 3, 20, 0), 0);
}

static void
foreign_names_are_made_printable_and_cut(void **state)
{
    (void)state;
    const struct sidebar_row rows[] = {
        {"\033[2Jevil\nname-that-is-very-long", "run\033ning", 0, 0},
    };
    struct sidebar_model model = {
        .heading = "x",
        .rows = rows,
        .count = 1,
        .now_ms = NOW_MS,
    };
    struct fixture fixture;
    draw(&fixture, 3, 20, &model);
    assert_null(strchr(line(&fixture, 1), 0x1B));
    assert_non_null(strstr(line(&fixture, 1), "…"));
    assert_non_null(strstr(line(&fixture, 1), "unknown"));
    finish(&fixture);
}

static void
facts_and_keys_stand_below_where_there_is_room(void **state)
{
    (void)state;
    const struct sidebar_note facts[] = {{"worker0", NULL}, {NULL, "qemu"}};
    const struct sidebar_note keys[] = {{"keys", NULL}, {"s", "start"}};
    struct sidebar_model model = model_of(1, 0, SIDEBAR_UNICODE);
    model.facts = facts;
    model.fact_count = 2;
    model.keys = keys;
    model.key_count = 2;
    struct fixture fixture;
    draw(&fixture, 12, 20, &model);
    assert_string_equal(line(&fixture, 8), "─ worker0 ──────────");
    assert_string_equal(line(&fixture, 9), " qemu");
    assert_string_equal(line(&fixture, 10), "─ keys ─────────────");
    assert_string_equal(line(&fixture, 11), " s  start");
    finish(&fixture);
    /* with less room first the facts go, then the keys, never a guest */
    draw(&fixture, 11, 20, &model);
    assert_string_equal(line(&fixture, 8), "");
    assert_string_equal(line(&fixture, 9), "─ keys ─────────────");
    finish(&fixture);
    draw(&fixture, 9, 20, &model);
    assert_string_equal(line(&fixture, 6), " ! odd    io-error");
    assert_string_equal(line(&fixture, 8), "");
    finish(&fixture);
}

static const struct {
    int64_t ms;
    const char *text;
    int64_t lasts_ms;
} uptimes[] = {
    {0, "0s", 1000},
    {999, "0s", 1},
    {59999, "59s", 1},
    {60000, "1m", 60000},
    {3599999, "59m", 1},
    {3600000, "1h00m", 60000},
    {86399999, "23h59m", 1},
    {86400000, "1d00h", 3600000},
    {99 * (int64_t)86400000, "99d00h", 3600000},
    {400 * (int64_t)86400000, "400d", 3600000},
    {-5000, "0s", 6000},
};

static void
uptimes_are_short_and_say_how_long_they_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(uptimes) / sizeof(*uptimes); i++) {
        char text[16];
        sidebar_format_uptime(uptimes[i].ms, text, sizeof(text));
        assert_string_equal(text, uptimes[i].text);
        assert_int_equal(sidebar_uptime_lasts_ms(uptimes[i].ms),
                         uptimes[i].lasts_ms);
    }
}

static void
uptimes_change_at_whole_seconds(void **state)
{
    (void)state;
    assert_int_equal(sidebar_round_up_ms(1795651003000), 1795651003000);
    assert_int_equal(sidebar_round_up_ms(1795651003001), 1795651004000);
    assert_int_equal(sidebar_round_up_ms(1795651003999), 1795651004000);
}

static void
company_stands_behind_the_name(void **state)
{
    (void)state;
    static const struct sidebar_row rows[] = {
        {"alone", "running", NOW_MS, 0},
        {"watched", "running", NOW_MS, SIDEBAR_WATCHED},
        {"typed", "running", NOW_MS, SIDEBAR_TYPED | SIDEBAR_BELL},
        {"a-name-that-is-cut", "running", NOW_MS, SIDEBAR_TYPED},
    };
    struct fixture fixture;
    struct sidebar_model model = model_of(0, 0, SIDEBAR_UNICODE);
    model.rows = rows;
    model.count = sizeof(rows) / sizeof(*rows);
    draw(&fixture, 6, 20, &model);
    assert_null(strchr(line(&fixture, 1), '@'));
    assert_non_null(strstr(line(&fixture, 2), "watched @"));
    assert_non_null(strstr(line(&fixture, 3), "typed @"));
    assert_non_null(strstr(line(&fixture, 3), "!"));
    assert_non_null(strstr(line(&fixture, 4), "… @"));
    finish(&fixture);
}

int
main(void)
{
    /* widths are the C library's, too, and it has none without a locale */
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(company_stands_behind_the_name),
        cmocka_unit_test(a_narrow_list_says_uptime_or_state),
        cmocka_unit_test(a_wide_list_says_both),
        cmocka_unit_test(a_terminal_without_unicode_gets_ascii),
        cmocka_unit_test(states_have_the_colours_of_their_roles),
        cmocka_unit_test(
            the_selected_row_is_one_bar_while_the_list_has_the_keyboard),
        cmocka_unit_test(a_list_longer_than_the_screen_scrolls_and_says_where),
        cmocka_unit_test(scrolling_keeps_the_selected_row_in_view),
        cmocka_unit_test(foreign_names_are_made_printable_and_cut),
        cmocka_unit_test(facts_and_keys_stand_below_where_there_is_room),
        cmocka_unit_test(uptimes_are_short_and_say_how_long_they_hold),
        cmocka_unit_test(uptimes_change_at_whole_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
