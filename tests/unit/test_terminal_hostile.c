#include "base/utf8.h"
#include "cpu-time.h"
#include "terminal-world.h"

/* Most CPU time that any of these may take, ms: they take a fraction of it, and
 * would take for ever if work per byte were not bounded. Sanitizers are allowed
 * for. */
#define PATIENCE_MS 60000

static void
expect_little_work(uint64_t start_ms)
{
    assert_true(cpu_time() - start_ms < PATIENCE_MS);
}

/* What drove libvterm 0.1.4 to corruption, endless loops or overflows. */
static const char *const killers[] = {
    "\033[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19;20m",
    "\033[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;"
    "1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1H",
    "\033[9b",
    "\314\201\033[9b",
    "\033[65535b",
    "\303\050\342\202\050\360\237\222\300\301\365\377",
    "\033]0;title\033",
    "\\",
    "\033[2;3r",
    "\033[?1049h\033[2;3r\033[?1049l",
    "\033[65535;65535H\033[65535@\033[65535P\033[65535L\033[65535M\033[65535S"
    "\033[65535T\033[65535X\033[65535I\033[65535Z",
    "\033[8;65535;65535t\033[4;65535;65535t\033[?3h\033[?40h",
    "\033[;;;;;;;;;;m\033[:::::m\033[38;5m\033[38:2m\033[4:m",
    "\033[?65535h\033[?0l\033[?h\033[h\033[l",
    "\033[0;0r\033[5;2r\033[-1;2r",
};

static void
killers_of_others_do_no_harm(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 2}, {2, 2}, {24, 80}, {3, 5}, {50, 200}};
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        struct world world;
        world_init(&world, sizes[s][0], sizes[s][1], 20);
        for (size_t i = 0; i < sizeof(killers) / sizeof(killers[0]); i++) {
            world_write(&world, killers[i]);
            terminal_resize(world.terminal, 2 + (int)i % 7, 2 + (int)i % 11);
            world_write(&world, killers[i]);
        }
        world_finish(&world);
    }
}

static void
ten_megabytes_of_random_bytes_pass(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 24, 80, 1000);
    uint64_t start = cpu_time();
    uint32_t seed = 7;
    for (int piece = 0; piece < 640; piece++) {
        char bytes[16384];
        for (size_t i = 0; i < sizeof(bytes); i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = (char)(seed >> 24);
        }
        terminal_write(world.terminal, bytes, sizeof(bytes),
                       TERMINAL_WRITE_LIVE);
    }
    expect_little_work(start);
    assert_true(terminal_history_bytes(world.terminal) < 4u << 20);
    world_finish(&world);
}

static void
floods_of_sequences_pass_with_little_work(void **state)
{
    (void)state;
    static const char *const floods[] = {
        "\033[65535b",
        "x\033[65535b",
        "\033[65535S",
        "\033[65535T",
        "\033[65535L",
        "\033[65535M",
        "\033[65535@",
        "\033[65535P",
        "\033#8",
        "\033#8\033[2J",
        "\033c",
        "\033c\033#8",
        "\033[?1049h\033[?1049l",
        "\033[?1047hx\033[?1047l",
        "\033[2J",
        "x\033[2J",
        "\033[65535I",
        "\033[65535Z",
        "\033]0;x\a",
        "\033[6n",
        "\033P$qm\033\\",
        "e\314\201\314\202\314\203",
        "\314\201",
        "\342\200\215",
        "\0337\0338",
        "\033[1;65535r\033[6n",
        "\a",
        "\033M",
        "\033[44m\033[2J",
        "\033[?3h\033[?3l",
        "x\033[?3h\033[?3l",
        "\033[88;1;1;65535;65535$x",
        "\033[1;1;65535;65535$z",
        "\033[1;1;65535;65535;1;2;2$v",
        "\033[65535'}\033[65535'~",
        "\033[65535 @\033[65535 A",
        "\0336\0339",
        "\033[?69h\033[2;199s\033[65535S",
        "\033[?69h\033[2;199sx\033[65535b",
        "\033[?69h\033[2;199s\033[65535L\033[65535@",
        "\033[?69h\033[100;101s\347\225\214",
        "\033P1;2;3|x\033\\",
        "\033P",
        "\033_x",
        "\033X\033^",
    };
    for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
        struct world world;
        world_init(&world, 50, 200, 200);
        uint64_t start = cpu_time();
        world_flood(&world, floods[i], 20000);
        expect_little_work(start);
        world_finish(&world);
    }
}

/* Every mode, set and reset at random, with what moves and prints between. */
static void
mode_storms_pass(void **state)
{
    (void)state;
    static const int modes[] = {1,    3,    5,    6,    7,    9,    12,
                                25,   42,   45,   47,   66,   69,   1000,
                                1002, 1003, 1004, 1005, 1006, 1015, 1047,
                                1048, 1049, 2004, 2026, 65535};
    static const char *const between[] = {
        "\033[3;9s", "\033[s",         "\033[2;4r",
        "\033[r",    "\0337",          "\0338",
        "\033[99C",  "abcdefgh",       "\347\225\214e\314\201",
        "\033[9b",   "\n\n\n",         "\033M\033M",
        "\033[2@",   "\033[2L",        "\033[!p",
        "\033c",     "\033[2;2H",      "\t\t",
        "\033(K{}",  "\033[2;2;9;9$z", "\033[1;1;3;3;1;2;2$v",
        "\b\b\b",    "\033[4h",        "\033[4l",
        "\033[J",    "\033[?69$p",     "\033#8",
        "\0336",
    };
    struct world world;
    world_init(&world, 6, 11, 50);
    uint32_t seed = 11;
    for (int i = 0; i < 200000; i++) {
        seed = seed * 1664525u + 1013904223u;
        char text[64];
        size_t mode = (seed >> 8) % (sizeof(modes) / sizeof(modes[0]));
        size_t what = (seed >> 16) % (sizeof(between) / sizeof(between[0]));
        (void)snprintf(text, sizeof(text), "\033[?%d%c%s", modes[mode],
                       seed >> 31 ? 'h' : 'l', between[what]);
        terminal_write(world.terminal, text, strlen(text), TERMINAL_WRITE_LIVE);
        const char *fault = terminal_check(world.terminal);
        if (fault)
            fail_msg("%d: %s", i, fault);
        if (i % 5000 == 0)
            terminal_resize(world.terminal, 3 + i / 5000 % 5,
                            4 + i / 5000 % 17);
    }
    world_finish(&world);
}

/* Strings that never end are swallowed up to their limit, and hold nothing. */
static void
endless_strings_end(void **state)
{
    (void)state;
    static const char *const starts[] = {"\033]0;", "\033P", "\033Pq", "\033_",
                                         "\033^",   "\033X", "\033k"};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        struct world world;
        world_init(&world, 5, 30, 10);
        world_write(&world, starts[i]);
        world_flood(&world, "AAAAAAAAAAAAAAAA", 8 * 65536);
        world_write(&world, "\r\n\033[1mlogin: ");
        int row = terminal_cursor(world.terminal).row;
        world_expect_rows(&world, row, row, "login:", starts[i] + 1);
        assert_int_equal(world.titles, 0);
        assert_int_equal(world.replies.len, 0);
        world_finish(&world);
    }
}

static void
colours_without_end_stay_in_bounded_memory(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 24, 80, 100);
    for (unsigned i = 0; i < 400000; i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "\033[38;2;%u;%u;%umx", i & 255,
                       i >> 8 & 255, i >> 16);
        terminal_write(world.terminal, text, strlen(text), 0);
    }
    assert_true(world.terminal->pool.styles.capacity <= 16384);
    world_finish(&world);
}

static void
clusters_without_end_stay_in_bounded_memory(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 24, 80, 100);
    for (uint32_t i = 0; i < 300000; i++) {
        char text[16];
        size_t len = utf8_encode(0x4E00 + i % 20000, text);
        len += utf8_encode(0x300 + i % 111, text + len);
        len += utf8_encode(0x300 + i % 97, text + len);
        terminal_write(world.terminal, text, len, 0);
    }
    assert_true(world.terminal->pool.clusters.capacity <= 16384);
    world_finish(&world);
}

static void
combining_characters_beyond_the_cap_are_dropped(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 4, 10, 10);
    world_write(&world, "e");
    world_flood(&world, "\314\201", 100000);
    struct terminal_run runs[10];
    assert_int_equal(terminal_read_row(world.terminal, 0, runs, 10, NULL), 1);
    assert_int_equal(runs[0].cols, 1);
    assert_int_equal(runs[0].bytes, 1 + 2 * (CELL_MAX_CODEPOINTS - 1));
    world_finish(&world);
}

/* Every character, at the start, and at the last column and row; with wrap on
 * and off, and in insert mode. */
static void
all_of_unicode_fits_anywhere(void **state)
{
    (void)state;
    static const char *const modes[] = {"", "\033[?7l", "\033[4h",
                                        "\033[?7l\033[4h"};
    for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
        struct world world;
        world_init(&world, 3, 8, 10);
        world_write(&world, modes[m]);
        for (uint32_t c = 0; c <= 0x10FFFF; c++) {
            char text[64] = "\033[3;8H";
            size_t len = strlen(text);
            len += utf8_encode(c, text + len);
            text[len++] = '!';
            len += utf8_encode(c, text + len);
            terminal_write(world.terminal, text, len, 0);
            if (c % 4096 == 0) {
                const char *fault = terminal_check(world.terminal);
                if (fault)
                    fail_msg("U+%04X: %s", (unsigned)c, fault);
            }
        }
        world_finish(&world);
    }
}

static void
rows_hold_no_controls_and_nothing_invisible(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3, 8, 10);
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        char text[64] = "\033c";
        size_t len = strlen(text);
        if (c == 0x1B)
            continue;
        len += utf8_encode(c, text + len);
        terminal_write(world.terminal, text, len, 0);
        struct terminal_run runs[8];
        size_t count = terminal_read_row(world.terminal, 0, runs, 8, NULL);
        if (!count)
            continue;
        uint32_t shown = 0;
        assert_int_equal(utf8_decode(runs[0].text, runs[0].bytes, &shown),
                         runs[0].bytes);
        assert_true(shown == c || shown == UTF8_REPLACEMENT);
        assert_int_equal(runs[0].cols, utf8_width(shown));
        assert_true(utf8_width(shown) > 0);
    }
    world_finish(&world);
}

static void
a_painted_status_bar_is_only_cells(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 5, 30, 10);
    world_write(&world, "\033[1;4r\033[5;1H\033[7m guestmux: type \033[0m"
                        "\033[4;1H\n\n");
    world_expect(&world, "|||| guestmux: type");
    world_write(&world, "\033c");
    world_expect(&world, "");
    world_finish(&world);
}

static void
strings_of_every_number_are_swallowed(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 5, 30, 10);
    for (int number = 0; number < 3000; number++) {
        char text[200];
        (void)snprintf(text, sizeof(text),
                       "\033]%d;http://x/;text\a\033]%d;c;eA==\033\\"
                       "\033P%dq#0;2;0;0;0~\033\\\033_G%d\033\\",
                       number, number, number, number);
        if (number != 0 && number != 2)
            terminal_write(world.terminal, text, strlen(text),
                           TERMINAL_WRITE_LIVE);
    }
    assert_int_equal(world.titles, 0);
    assert_int_equal(world.replies.len, 0);
    world_expect(&world, "");
    world_finish(&world);
}

static void
a_string_of_a_megabyte_hides_no_prompt(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 5, 30, 10);
    world_write(&world, "\033]52;c;");
    world_flood(&world, "AAAAAAAAAAAAAAAA", 65536);
    world_write(&world, "\r\nlogin: ");
    world_expect_rows(&world, terminal_cursor(world.terminal).row,
                      terminal_cursor(world.terminal).row, "login:", "screen");
    world_finish(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killers_of_others_do_no_harm),
        cmocka_unit_test(ten_megabytes_of_random_bytes_pass),
        cmocka_unit_test(floods_of_sequences_pass_with_little_work),
        cmocka_unit_test(mode_storms_pass),
        cmocka_unit_test(endless_strings_end),
        cmocka_unit_test(colours_without_end_stay_in_bounded_memory),
        cmocka_unit_test(clusters_without_end_stay_in_bounded_memory),
        cmocka_unit_test(combining_characters_beyond_the_cap_are_dropped),
        cmocka_unit_test(all_of_unicode_fits_anywhere),
        cmocka_unit_test(rows_hold_no_controls_and_nothing_invisible),
        cmocka_unit_test(a_painted_status_bar_is_only_cells),
        cmocka_unit_test(strings_of_every_number_are_swallowed),
        cmocka_unit_test(a_string_of_a_megabyte_hides_no_prompt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
