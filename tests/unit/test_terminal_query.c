#include "terminal-world.h"

/* Queries on a screen of 5 rows and 20 columns, cursor at row 3, column 4. */
static const struct {
    const char *query;
    const char *reply;
} rows[] = {
    {"\033[c", "\033[?62;22c"},
    {"\033[0c", "\033[?62;22c"},
    {"\033Z", "\033[?62;22c"},
    {"\033[>c", "\033[>1;10;0c"},
    {"\033[=c", "\033P!|00000000\033\\"},
    {"\033[5n", "\033[0n"},
    {"\033[6n", "\033[3;4R"},
    {"\033[?6n", "\033[?3;4R"},
    {"\033[?15n", "\033[?13n"},
    {"\033[?25n", "\033[?21n"},
    {"\033[?26n", "\033[?27;1;0;0n"},
    {"\033[18t", "\033[8;5;20t"},
    {"\033[19t", "\033[9;5;20t"},
    {"\033[?7$p", "\033[?7;1$y"},
    {"\033[?6$p", "\033[?6;2$y"},
    {"\033[?1049$p", "\033[?1049;2$y"},
    {"\033[?9999$p", "\033[?9999;0$y"},
    {"\033[4$p", "\033[4;2$y"},
    {"\033[99$p", "\033[99;0$y"},
    {"\033P$qr\033\\", "\033P1$r1;5r\033\\"},
    {"\033P$q q\033\\", "\033P1$r0 q\033\\"},
    {"\033P$q\"p\033\\", "\033P1$r62;1\"p\033\\"},
    {"\033P$q\"q\033\\", "\033P1$r0\"q\033\\"},
    {"\033P$qguest text\033\\", "\033P0$r\033\\"},
    {"\033[x", "\033[2;1;1;128;128;1;0x"},
    {"\033[1x", "\033[3;1;1;128;128;1;0x"},
    /* no answer */
    {"\005", ""},
    {"\033[1c\033[>1c\033[=1c\033[?c", ""},
    {"\033[n\033[7n\033[?7n", ""},
    {"\033[21t\033[20t\033[14t\033[11t\033[8;9;9t", ""},
    {"\033]0;t\a\033]10;?\a\033]4;1;?\a\033]52;c;?\a", ""},
    {"\033P+q544e\033\\\033P1$qm\030", ""},
    {"\033[2x", ""},
};

static void
queries_get_one_answer_of_fixed_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world world;
        world_init(&world, 5, 20, 10);
        world_write(&world, "\033[3;4H");
        world_write(&world, rows[i].query);
        print_message("# %s\n", rows[i].query + 1);
        world_expect_reply(&world, rows[i].reply);
        world_finish(&world);
    }
}

static void
a_replay_is_not_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world world;
        world_init(&world, 5, 20, 10);
        terminal_write(world.terminal, rows[i].query, strlen(rows[i].query),
                       TERMINAL_WRITE_REPLAY);
        world_expect_reply(&world, "");
        world_finish(&world);
    }
}

static void
an_answer_is_no_question(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world world;
        world_init(&world, 5, 20, 10);
        world_write(&world, rows[i].reply);
        world_expect_reply(&world, "");
        world_finish(&world);
    }
}

static void
origin_mode_counts_from_the_region(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 5, 20, 10);
    world_write(&world, "\033[2;4r\033[?6h\033[2;3H\033[6n");
    world_expect_reply(&world, "\033[2;3R");
    world_finish(&world);
}

static void
the_report_at_a_full_line_names_the_last_column(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 5, 4, 10);
    world_write(&world, "abcd\033[6n");
    world_expect_reply(&world, "\033[1;4R");
    world_finish(&world);
}

static void
a_flood_of_queries_is_answered_a_bounded_number_of_times(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 5, 20, 10);
    world_flood(&world, "\033[6n", 10u * 1000 * 1000 / 4);
    assert_in_range(world.replies.len, 100, TERMINAL_REPLY_BURST_BYTES);
    world_finish(&world);
}

/* A guest that echoes what we answer, and asks again each time. */
static void
echoed_answers_earn_no_endless_answers(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 5, 20, 10);
    size_t rounds = 0;
    for (; rounds < 100000; rounds++) {
        buffer_reset(&world.replies);
        world_flood(&world, "\033[6n", 1);
        if (!world.replies.len)
            break;
        char echo[200];
        (void)snprintf(echo, sizeof(echo), "^[%s", world.replies.data + 1);
        world_flood(&world, echo, 1);
    }
    assert_in_range(rounds, 100, 2000);
    world_finish(&world);
}

/* busybox' shell asks at each prompt. */
static void
a_shell_that_asks_at_each_prompt_is_always_answered(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 24, 80, 10);
    for (int i = 0; i < 5000; i++) {
        buffer_reset(&world.replies);
        world_flood(&world, "/ # \033[6n", 1);
        assert_true(world.replies.len > 0);
        world_flood(&world, "uname -a\r\nLinux guest 6.1.0\r\n", 1);
    }
    world_finish(&world);
}

static void
the_bell_rings_live_only(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 5, 20, 10);
    world_write(&world, "a\ab\a");
    assert_int_equal(world.bells, 2);
    terminal_write(world.terminal, "\a", 1, TERMINAL_WRITE_REPLAY);
    assert_int_equal(world.bells, 2);
    world_expect(&world, "ab");
    world_finish(&world);
}

static void
titles_are_fit_to_show(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *title;
    } titles[] = {
        {"\033]0;plain\a", "plain"},
        {"\033]2;with ST\033\\", "with ST"},
        {"\033]2;\a", ""},
        {"\033]1;icon\a", NULL},
        {"\033]02;no\a", NULL},
        {"\033]2\a", NULL},
        {"\033ktmux\033\\", NULL},
        {"\033]0;a\tb\a", "ab"},
        {"\033]0;a\302\233b\a", "a\357\277\275b"},
        {"\033]0;a\342\200\256b\a", "a\357\277\275b"},
        {"\033]0;a\377b\a", "a\357\277\275b"},
    };
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        struct world world;
        world_init(&world, 5, 20, 10);
        world_write(&world, titles[i].bytes);
        assert_int_equal(world.titles, titles[i].title ? 1 : 0);
        assert_string_equal(world.title,
                            titles[i].title ? titles[i].title : "");
        world_expect(&world, "");
        world_finish(&world);
    }
}

static void
a_huge_title_is_cut(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 5, 20, 10);
    world_write(&world, "\033]0;");
    world_flood(&world, "\360\237\230\200", 15000);
    world_write(&world, "\a");
    assert_int_equal(world.titles, 1);
    assert_in_range(strlen(world.title), 10, 256);
    world_finish(&world);
}

static void
nobody_has_to_listen(void **state)
{
    (void)state;
    struct terminal_config config = {.rows = 5, .cols = 20};
    struct terminal *terminal = terminal_new(&config);
    terminal_write(terminal, "\a\033[c\033]0;t\a", 9, TERMINAL_WRITE_LIVE);
    terminal_free(terminal);
    static const struct terminal_handlers none = {0};
    config.handlers = &none;
    terminal = terminal_new(&config);
    terminal_write(terminal, "\a\033[c\033]0;t\a", 9, TERMINAL_WRITE_LIVE);
    terminal_free(terminal);
    terminal_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_get_one_answer_of_fixed_form),
        cmocka_unit_test(a_replay_is_not_answered),
        cmocka_unit_test(an_answer_is_no_question),
        cmocka_unit_test(origin_mode_counts_from_the_region),
        cmocka_unit_test(the_report_at_a_full_line_names_the_last_column),
        cmocka_unit_test(
            a_flood_of_queries_is_answered_a_bounded_number_of_times),
        cmocka_unit_test(echoed_answers_earn_no_endless_answers),
        cmocka_unit_test(a_shell_that_asks_at_each_prompt_is_always_answered),
        cmocka_unit_test(the_bell_rings_live_only),
        cmocka_unit_test(titles_are_fit_to_show),
        cmocka_unit_test(a_huge_title_is_cut),
        cmocka_unit_test(nobody_has_to_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
