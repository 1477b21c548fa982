#include "terminal-world.h"

/* Rows "abcdefgh" and so on, then what is done, then the screen. */
static const struct {
    const char *name;
    const char *bytes;
    const char *screen;
} rows[] = {
    {"not allowed", "\033[3;6sX", "Xbcdefgh|ijklmnop|qrstuvwx|yz012345"},
    {"text wraps between them", "\033[?69h\033[3;6s\033[1;3HABCDEF",
     "abABCDgh|ijEFmnop|qrstuvwx|yz012345"},
    {"text before them ends at them", "\033[?69h\033[3;6s\033[1;1HABCDEFGH",
     "ABCDEFgh|ijGHmnop|qrstuvwx|yz012345"},
    {"text behind them ends at the edge", "\033[?69h\033[3;6s\033[1;8HXY",
     "abcdefgX|ijYlmnop|qrstuvwx|yz012345"},
    {"return", "\033[?69h\033[3;6s\033[1;5H\rX\033[2;1H\rY",
     "abXdefgh|Yjklmnop|qrstuvwx|yz012345"},
    {"line feed at the bottom", "\033[?69h\033[3;6s\033[4;4H\nX",
     "abklmngh|ijstuvop|qr0123wx|yz X  45"},
    {"line feed outside of them", "\033[?69h\033[3;6s\033[4;1H\nX",
     "abcdefgh|ijklmnop|qrstuvwx|Xz012345"},
    {"reverse index", "\033[?69h\033[3;6s\033[1;3H\033MX",
     "abX   gh|ijcdefop|qrklmnwx|yzstuv45"},
    {"IL", "\033[?69h\033[3;6s\033[2;4H\033[LX",
     "abcdefgh|ijX   op|qrklmnwx|yzstuv45"},
    {"IL outside", "\033[?69h\033[3;6s\033[2;1H\033[L",
     "abcdefgh|ijklmnop|qrstuvwx|yz012345"},
    {"DL", "\033[?69h\033[3;6s\033[2;4H\033[2MX",
     "abcdefgh|ijX123op|qr    wx|yz    45"},
    {"SU", "\033[?69h\033[3;6s\033[S", "abklmngh|ijstuvop|qr0123wx|yz    45"},
    {"SD", "\033[?69h\033[3;6s\033[2T", "ab    gh|ij    op|qrcdefwx|yzklmn45"},
    {"SU of all", "\033[?69h\033[3;6s\033[99S",
     "ab    gh|ij    op|qr    wx|yz    45"},
    {"SU within a region", "\033[?69h\033[3;6s\033[2;3r\033[S",
     "abcdefgh|ijstuvop|qr    wx|yz012345"},
    {"ICH", "\033[?69h\033[3;6s\033[1;4H\033[2@",
     "abc  dgh|ijklmnop|qrstuvwx|yz012345"},
    {"ICH outside", "\033[?69h\033[3;6s\033[1;1H\033[2@",
     "abcdefgh|ijklmnop|qrstuvwx|yz012345"},
    {"DCH", "\033[?69h\033[3;6s\033[1;4H\033[2P",
     "abcf  gh|ijklmnop|qrstuvwx|yz012345"},
    {"DCH of all", "\033[?69h\033[3;6s\033[1;3H\033[99P",
     "ab    gh|ijklmnop|qrstuvwx|yz012345"},
    {"insert mode", "\033[?69h\033[3;6s\033[1;4H\033[4hXY",
     "abcXYdgh|ijklmnop|qrstuvwx|yz012345"},
    {"EL and ECH do not care",
     "\033[?69h\033[3;6s\033[1;4H\033[K\033[2H\033[9X",
     "abc||qrstuvwx|yz012345"},
    {"REP", "\033[?69h\033[3;6s\033[1;4HX\033[4b",
     "abcXXXgh|ijXXmnop|qrstuvwx|yz012345"},
    {"moves stop at them",
     "\033[?69h\033[3;6s\033[1;4H\033[9CX\033[2;4H\033[9DY\033[3;4H\b\b\b\bZ",
     "abcdeXgh|ijYlmnop|qrZtuvwx|yz012345"},
    {"origin mode", "\033[?69h\033[3;6s\033[2;3r\033[?6hX\033[9;9HY\033[2GZ",
     "abcdefgh|ijXlmnop|qrsZuYwx|yz012345"},
    {"off again", "\033[?69h\033[3;6s\033[?69l\033[1;1HABCDEFGHI",
     "ABCDEFGH|Ijklmnop|qrstuvwx|yz012345"},
    {"a reset", "\033[?69h\033[3;6s\033[!p\033[1;1HABCDEFGHI",
     "ABCDEFGH|Ijklmnop|qrstuvwx|yz012345"},
    {"nonsense", "\033[?69h\033[6;3s\033[4;4s\033[1;1HABCDEFGHI",
     "ABCDEFGH|Ijklmnop|qrstuvwx|yz012345"},
    {"a tab ends at them", "\033[?69h\033[3;6s\033[1;3H\tX",
     "abcdeXgh|ijklmnop|qrstuvwx|yz012345"},
    {"SL", "\033[2 @", "cdefgh|klmnop|stuvwx|012345"},
    {"SR", "\033[2 A", "  abcdef|  ijklmn|  qrstuv|  yz0123"},
    {"DECIC", "\033[?69h\033[3;6s\033[2;3r\033[2;4H\033['}",
     "abcdefgh|ijk lmop|qrs tuwx|yz012345"},
    {"DECDC", "\033[?69h\033[3;6s\033[2;3r\033[2;4H\033['~",
     "abcdefgh|ijkmn op|qrsuv wx|yz012345"},
    {"DECFI", "\033[?69h\033[3;6s\033[1;6H\0339X",
     "abdefXgh|ijlmn op|qrtuv wx|yz123 45"},
    {"DECBI", "\033[?69h\033[3;6s\033[1;3H\0336X",
     "abXcdegh|ij klmop|qr stuwx|yz 01245"},
    {"DECERA", "\033[2;3;3;6$z", "abcdefgh|ij    op|qr    wx|yz012345"},
    {"DECSERA", "\033[2;3;3;6${", "abcdefgh|ij    op|qr    wx|yz012345"},
    {"DECFRA", "\033[88;2;3;3;6$x", "abcdefgh|ijXXXXop|qrXXXXwx|yz012345"},
    {"DECFRA of a control", "\033[7;2;3;3;6$x",
     "abcdefgh|ijklmnop|qrstuvwx|yz012345"},
    {"DECFRA beyond the edge", "\033[88;4;5;99;99$x",
     "abcdefgh|ijklmnop|qrstuvwx|yz01XXXX"},
    {"DECCRA", "\033[1;1;2;3;1;3;5$v", "abcdefgh|ijklmnop|qrstabcx|yz01ijk5"},
    {"DECCRA over itself, down", "\033[1;1;3;8;1;2;2$v",
     "abcdefgh|iabcdefg|qijklmno|yqrstuvw"},
    {"DECCRA over itself, up", "\033[2;2;4;8;1;1;1$v",
     "jklmnoph|rstuvwxp|z012345x|yz012345"},
    {"a rectangle in origin mode", "\033[2;3r\033[?6h\033[88;1;1;1;2$x",
     "abcdefgh|XXklmnop|qrstuvwx|yz012345"},
    {"a wide character at an edge",
     "\033[1;2H\346\227\245\346\227\245\346\227\245\033[?69h\033[3;6s\033[S",
     "a klmn h|ijstuvop|qr0123wx|yz    45"},
    {"wide characters wrap between them",
     "\033[?69h\033[3;5s\033[1;3H\346\227\245\346\227\245",
     "ab\346\227\245 fgh|ij\346\227\245mnop|qrstuvwx|yz012345"},
};

static void
margins_and_rectangles(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world world;
        world_init(&world, 4, 8, 10);
        print_message("# %s\n", rows[i].name);
        world_write(&world, "abcdefghijklmnopqrstuvwxyz012345\033[H");
        world_write(&world, rows[i].bytes);
        world_expect(&world, rows[i].screen);
        world_finish(&world);
    }
}

static void
margins_go_with_a_resize(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 4, 8, 10);
    world_write(&world, "\033[?69h\033[3;6s\033[1;3Habc");
    terminal_resize(world.terminal, 4, 6);
    world_write(&world, "de\r\nABCDEFG");
    world_expect(&world, "  abcd|e|ABCDEF|G");
    world_finish(&world);
}

static void
what_scrolls_between_margins_is_not_kept(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 2, 8, 10);
    world_write(&world, "12345678\033[?69h\033[3;6s\033[2;3H\n\n\n");
    world_expect_history(&world, "");
    world_write(&world, "\033[?69l\033[2H\n");
    world_expect_history(&world, "12    78");
    world_finish(&world);
}

static void
a_line_does_not_go_on_over_margins(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 4, 8, 10);
    world_write(&world, "abcdefghij\033[?69h\033[3;6s\033[S");
    terminal_resize(world.terminal, 4, 20);
    world_expect(&world, "ab    gh|ij");
    world_finish(&world);
}

static void
margins_are_reported(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 4, 8, 10);
    world_write(&world, "\033P$qs\033\\");
    world_expect_reply(&world, "\033P1$r1;8s\033\\");
    world_write(&world, "\033[?69$p\033[?69h\033[?69$p\033[3;6s\033P$qs\033\\");
    world_expect_reply(&world, "\033[?69;2$y\033[?69;1$y\033P1$r3;6s\033\\");
    world_write(&world, "\033[2;3r\033[?6h\033[2;2H\033[6n");
    world_expect_reply(&world, "\033[2;2R");
    world_expect_cursor(&world, 2, 3);
    world_finish(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(margins_and_rectangles),
        cmocka_unit_test(margins_go_with_a_resize),
        cmocka_unit_test(what_scrolls_between_margins_is_not_kept),
        cmocka_unit_test(a_line_does_not_go_on_over_margins),
        cmocka_unit_test(margins_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
