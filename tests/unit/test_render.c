#include "terminal-world.h"

/* What rows look like as text, on 3 rows of 10 columns. */
static const struct {
    const char *bytes;
    int first;
    int last;
    unsigned flags;
    const char *text;
} rows[] = {
    {"a\r\nb", 0, 2, RENDER_PLAIN, "a\nb\n\n"},
    {"a\r\nb", 1, 1, RENDER_PLAIN, "b\n"},
    {"a\r\nb", -99, 99, RENDER_PLAIN, "a\nb\n\n"},
    {"a\r\nb", 2, 1, RENDER_PLAIN, ""},
    {"1\r\n2\r\n3\r\n4", -1, 0, RENDER_PLAIN, "1\n2\n"},
    {"\033[4Gx  ", 0, 0, RENDER_PLAIN, "   x\n"},
    {"0123456789ab", 0, 1, RENDER_PLAIN, "0123456789\nab\n"},
    {"0123456789ab", 0, 1, RENDER_JOIN_WRAPPED, "0123456789ab\n"},
    {"0123456789ab", 0, 0, RENDER_JOIN_WRAPPED, "0123456789\n"},
    {"012345678 ab", 0, 1, RENDER_JOIN_WRAPPED, "012345678 ab\n"},
    {"012345678你b", 0, 1, RENDER_JOIN_WRAPPED, "012345678你b\n"},
    {"\033[31mred\033[0m", 0, 0, RENDER_PLAIN, "red\n"},
    {"a\033[31mred\033[0mb", 0, 0, RENDER_ANSI, "a\033[0;31mred\033[0mb\n"},
    {"\033[1;4:3;38;5;200;48;2;1;2;3mx", 0, 0, RENDER_ANSI,
     "\033[0;1;4:3;38;5;200;48;2;1;2;3mx\033[0m\n"},
    {"\033[44m\033[K", 0, 0, RENDER_ANSI, "\033[0;44m          \033[0m\n"},
    {"\033[7mx\033[0m\033[5Gy", 0, 0, RENDER_ANSI, "\033[0;7mx\033[0m   y\n"},
};

static void
rows_become_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world world;
        struct buffer out = {0};
        world_init(&world, 3, 10, 10);
        world_write(&world, rows[i].bytes);
        buffer_append_text(&out, ">");
        render_rows(world.terminal, rows[i].first, rows[i].last, rows[i].flags,
                    &out);
        assert_string_equal(out.data + 1, rows[i].text);
        buffer_finish(&out);
        world_finish(&world);
    }
}

/* What was rendered, shown on another terminal, is the same. */
static void
rendered_styles_mean_the_same(void **state)
{
    (void)state;
    struct world world;
    struct world other;
    world_init(&world, 3, 60, 10);
    world_init(&other, 3, 60, 10);
    world_write(&world,
                "\033[1ma\033[2;3mb\033[0;4:2mc\033[4:5;58;5;9md\033[58:2::1:2:"
                "3me\033[0;7;9;53mf\033[0;94;105mg\033[38;2;9;8;7mh\033[0mi");
    struct buffer out = {0};
    render_rows(world.terminal, 0, 0, RENDER_ANSI, &out);
    world_write(&other, out.data);
    for (int col = 0; col < 10; col++) {
        struct style a = world_style_at(&world, 0, col);
        struct style b = world_style_at(&other, 0, col);
        assert_true(style_is_equal(&a, &b));
    }
    buffer_finish(&out);
    world_finish(&world);
    world_finish(&other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_text),
        cmocka_unit_test(rendered_styles_mean_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
