#include "terminal-world.h"

/* Everyday output on a screen of 4 rows and 10 columns: what is written, what
 * the screen shows then (rows divided by '|'), where the cursor stands. */
static const struct {
    const char *name;
    const char *bytes;
    const char *screen;
    int row;
    int col;
} rows[] = {
    {"text", "hello", "hello", 0, 5},
    {"line ends", "a\r\nb\nc", "a|b| c", 2, 2},
    {"VT and FF are line feeds", "a\vb\fc", "a| b|  c", 2, 3},
    {"wraps", "0123456789ab", "0123456789|ab", 1, 2},
    {"a full line waits to wrap", "0123456789", "0123456789", 0, 9},
    {"CR after a full line", "0123456789\rx", "x123456789", 0, 1},
    {"LF after a full line", "0123456789\nx", "0123456789|         x", 1, 9},
    {"BS after a full line", "0123456789\bx", "01234567x9", 0, 9},
    {"BS stops at the first column", "a\b\b\bx", "x", 0, 1},
    {"SGR keeps the pending wrap", "0123456789\033[1mx", "0123456789|x", 1, 1},
    {"TAB keeps the pending wrap", "0123456789\tx", "0123456789|x", 1, 1},
    {"EL spares a full line", "0123456789\033[Kx", "0123456789|x", 1, 1},
    {"ED spares a full line", "0123456789\033[Jx", "0123456789|x", 1, 1},
    {"ECH spares a full line", "0123456789\033[Xx", "0123456789|x", 1, 1},
    {"no wrap", "\033[?7l0123456789ab", "012345678b", 0, 9},
    {"no wrap, EL", "\033[?7l0123456789ab\033[K", "012345678", 0, 9},
    {"no wrap, ECH", "\033[?7l0123456789ab\033[2X", "012345678", 0, 9},
    {"no wrap, in pieces", "\033[?7l0123456789\033[ma\033[mb", "012345678b", 0,
     9},
    {"firmware's no wrap", "\033c\033[?7l\033[2J\033[0m0123456789ab",
     "0123456789|ab", 1, 2},
    {"no wrap after a reset and text", "\033cx\r\n\033[?7l0123456789ab",
     "x|012345678b", 1, 9},
    {"scrolls", "1\r\n2\r\n3\r\n4\r\n5", "2|3|4|5", 3, 1},
    {"tabs", "a\tb\tc", "a       bc", 0, 9},
    {"CUP", "\033[2;3Hx", "|  x", 1, 3},
    {"HVP, clamped", "\033[99;99fx", "|||         x", 3, 9},
    {"CUP of zeros", "abc\033[0;0Hx", "xbc", 0, 1},
    {"CUU CUD CUF CUB", "\033[3;3H\033[Aa\033[Bb\033[Cc\033[4Dd", "|  a|  db c",
     2, 3},
    {"moves stop at the edges", "\033[99Dx\033[99By\033[99Cz\033[99Aw",
     "x        w||| y       z", 0, 9},
    {"CNL CPL", "abc\033[2Ex\033[Fy", "abc|y|x", 1, 1},
    {"CHA HPA VPA", "\033[5Ga\033[2dc\033[9`b", "    a|     c  b", 1, 9},
    {"HPR VPR", "\033[2aa\033[2eb", "  a||   b", 2, 4},
    {"CHT CBT", "\033[Ia\033[Zb\033[9Ic", "        bc", 0, 9},
    {"ED 0", "aaaa\r\nbbbb\r\ncccc\033[2;3H\033[J", "aaaa|bb", 1, 2},
    {"ED 1", "aaaa\r\nbbbb\r\ncccc\033[2;3H\033[1J", "|   b|cccc", 1, 2},
    {"ED 2", "aaaa\r\nbbbb\033[2J", "", 1, 4},
    {"ED 3 does nothing to the screen", "aaaa\033[3J", "aaaa", 0, 4},
    {"DECSED is ED", "aaaa\r\nbbbb\033[?2J", "", 1, 4},
    {"EL 0", "abcdef\033[3G\033[K", "ab", 0, 2},
    {"EL 1", "abcdef\033[3G\033[1K", "   def", 0, 2},
    {"EL 2", "abcdef\033[3G\033[2K", "", 0, 2},
    {"ECH", "abcdef\033[3G\033[2X", "ab  ef", 0, 2},
    {"ECH beyond the end", "abcdef\033[3G\033[99X", "ab", 0, 2},
    {"ICH", "abcdef\033[3G\033[2@", "ab  cdef", 0, 2},
    {"ICH pushes out", "0123456789\033[3G\033[2@", "01  234567", 0, 2},
    {"DCH", "abcdef\033[3G\033[2P", "abef", 0, 2},
    {"DCH of more than there is", "abcdef\033[3G\033[99P", "ab", 0, 2},
    {"IL", "1\r\n2\r\n3\r\n4\033[2;2H\033[L", "1||2|3", 1, 0},
    {"DL", "1\r\n2\r\n3\r\n4\033[2;2H\033[2M", "1|4", 1, 0},
    {"SU", "1\r\n2\r\n3\r\n4\033[2S", "3|4", 3, 1},
    {"SD", "1\r\n2\r\n3\r\n4\033[2T", "||1|2", 3, 1},
    {"SD as ECMA-48 has it", "1\r\n2\033[^", "|1|2", 1, 1},
    {"highlight tracking is not SD", "1\033[1;1;1;1;1T", "1", 0, 1},
    {"IND NEL RI", "a\033Db\033Ec\033Md", "a| d|c", 1, 2},
    {"RI scrolls down", "a\r\nb\033[H\033Mx", "x|a|b", 0, 1},
    {"scroll region", "1\r\n2\r\n3\r\n4\033[2;3r\033[3;1H\nx", "1|3|x|4", 2, 1},
    {"scroll region homes", "abc\033[2;3rx", "xbc", 0, 1},
    {"scroll region of one row is none", "1\033[2;2r\033[4;1H\n\nx", "|||x", 3,
     1},
    {"LF below the region", "\033[1;2r\033[4;1Ha\nb", "|||ab", 3, 2},
    {"RI above the region", "\033[3;4r\033[1;1Ha\033Mb", "ab", 0, 2},
    {"IL outside the region", "1\r\n2\033[3;4r\033[1;1H\033[L", "1|2", 0, 0},
    {"CUD stops at the region", "\033[1;2r\033[9Bx", "|x", 1, 1},
    {"CUU stops at the region", "\033[3;4r\033[4;1H\033[9Ax", "||x", 2, 1},
    {"origin mode", "\033[2;3r\033[?6hx\033[9;1Hy", "|x|y", 2, 1},
    {"origin mode off homes", "\033[2;3r\033[?6h\033[?6lx", "x", 0, 1},
    {"wrap at the region's end", "\033[1;2r\033[2;9Habcd", "        ab|cd", 1,
     2},
    {"insert mode", "abc\033[1G\033[4hxy\033[4lz", "xyzbc", 0, 3},
    {"insert mode pushes out", "0123456789\033[1G\033[4hab", "ab01234567", 0,
     2},
    {"LNM", "\033[20ha\nb", "a|b", 1, 1},
    {"HTS", "\033[4G\033H\r\tx", "   x", 0, 4},
    {"TBC 0", "\033[4G\033H\033[g\r\tx", "        x", 0, 9},
    {"TBC 3", "\033[3g\tx", "         x", 0, 9},
    {"DECST8C", "\033[3g\033[?5W\tx", "        x", 0, 9},
    {"DECSC DECRC", "ab\0337\033[3;3Hc\0338d", "abd||  c", 0, 3},
    {"SCOSC SCORC", "ab\033[s\033[3;3Hc\033[ud", "abd||  c", 0, 3},
    {"DECSC keeps the pending wrap", "0123456789\0337\033[H\0338x",
     "0123456789|x", 1, 1},
    {"DECRC without DECSC homes", "abc\0338x", "xbc", 0, 1},
    {"REP", "a\033[4b", "aaaaa", 0, 5},
    {"REP wraps", "\033[9Ga\033[3b", "        aa|aa", 1, 2},
    {"REP of nothing", "\033[4b", "", 0, 0},
    {"REP after a sequence", "a\033[1m\033[2b", "a", 0, 1},
    {"REP after a control", "a\r\033[2b", "a", 0, 0},
    {"REP after REP", "a\033[2b\033[2b", "aaa", 0, 3},
    {"REP of a wide character", "\344\275\240\033[2b", "你你你", 0, 6},
    {"DECALN", "x\033#8", "EEEEEEEEEE|EEEEEEEEEE|EEEEEEEEEE|EEEEEEEEEE", 0, 0},
    {"RIS", "abc\033[2;3r\033[5G\033c\tx", "        x", 0, 9},
    {"line drawing", "\033(0lqk\033(Bq", "┌─┐q", 0, 4},
    {"SO SI", "\033)0q\016q\017q", "q─q", 0, 3},
    {"LS2 LS3", "\033*0\033+0\033nq\033oq\017q", "──q", 0, 3},
    {"SS2 SS3", "\033*0\033+Aq\033Nqq\033O##", "q─q£#", 0, 5},
    {"UK set", "\033(A#\033(B#", "£#", 0, 2},
    {"a set nobody knows is ASCII", "\033(Zq[", "q[", 0, 2},
    {"UTF-8 in line drawing", "\033(0é", "é", 0, 1},
    {"reverse wrap", "\033[?45h0123456789a\b\bx", "012345678x|a", 0, 9},
    {"wide", "a你b", "a你b", 0, 4},
    {"wide at the last column", "012345678你", "012345678|你", 1, 2},
    {"wide at the last column, over text", "0123456789\r012345678你",
     "012345678|你", 1, 2},
    {"wide at the last column, no wrap", "\033[?7l012345678你x", "012345678x",
     0, 9},
    {"left half overwritten", "你\rx", "x", 0, 1},
    {"right half overwritten", "你\033[2Gx", " x", 0, 2},
    {"left half of the next one", "a你\033[2Gx", "ax", 0, 2},
    {"wide over two wides", "你好\033[2G世", " 世", 0, 3},
    {"EL within a wide one", "a你b\033[3G\033[K", "a", 0, 2},
    {"ECH within a wide one", "a你b\033[3G\033[X", "a  b", 0, 2},
    {"DCH within a wide one", "a你b\033[3G\033[P", "a b", 0, 2},
    {"ICH within a wide one", "a你b\033[3G\033[@", "a   b", 0, 2},
    {"ICH pushes half a wide one out", "01234567你\033[1G\033[@", " 01234567",
     0, 0},
    {"combining", "e\314\201x", "e\314\201x", 0, 2},
    {"combining on a full line", "012345678e\314\201x", "012345678e\314\201|x",
     1, 1},
    {"combining on a wide one", "你\314\201x", "你\314\201x", 0, 3},
    {"combining on nothing", "\314\201x", "x", 0, 1},
    {"combining on a gap", "\033[3G\314\201x", "  x", 0, 3},
    {"joiner", "a\342\200\215b", "a\342\200\215b", 0, 2},
    {"hidden characters vanish", "a\342\200\213\342\200\256\357\273\277b", "ab",
     0, 2},
    {"C1 as characters are nothing", "a\302\233b\302\205c", "abc", 0, 3},
    {"broken UTF-8", "a\377b\342\202c\303", "a\357\277\275b\357\277\275c", 0,
     5},
    {"unassigned", "a\315\270b\357\277\277c", "a\357\277\275b\357\277\275c", 0,
     5},
    {"strings show nothing", "a\033]0;t\ab\033P+q\033\\c\033_x\033\\d", "abcd",
     0, 4},
    {"unknown sequences show nothing", "a\033[5%z\033[?9999h\033[=5u\033%Gb",
     "ab", 0, 2},
    {"window sizes are not the guest's", "a\033[8;2;2tb\033[9;1tc", "abc", 0,
     3},
    {"DECCOLM clears, and changes no columns", "abc\033[2;3r\033[?3hd", "d", 0,
     1},
    {"DECCOLM as it was does nothing", "abc\033[?3ld", "abcd", 0, 4},
};

static void
screens_show_what_was_printed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world world;
        world_init(&world, 4, 10, 10);
        world_write(&world, rows[i].bytes);
        print_message("# %s\n", rows[i].name);
        world_expect(&world, rows[i].screen);
        world_expect_cursor(&world, rows[i].row, rows[i].col);
        world_finish(&world);
    }
}

/* Byte by byte gives the same. */
static void
writes_may_be_split_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world world;
        world_init(&world, 4, 10, 10);
        for (const char *byte = rows[i].bytes; *byte; byte++)
            world_write_bytes(&world, byte, 1);
        print_message("# %s\n", rows[i].name);
        /* the start of a character at the end is still awaited */
        if (strcmp(rows[i].name, "broken UTF-8") != 0) {
            world_expect(&world, rows[i].screen);
            world_expect_cursor(&world, rows[i].row, rows[i].col);
        }
        world_finish(&world);
    }
}

/* What goes to the history, on 3 rows of 10 columns. */
static const struct {
    const char *name;
    const char *bytes;
    const char *history;
    const char *screen;
} kept[] = {
    {"scrolled lines", "1\r\n2\r\n3\r\n4\r\n5", "1|2", "3|4|5"},
    {"a region at the top", "1\r\n2\r\n3\033[1;2r\033[2;1H\nx", "1", "2|x|3"},
    {"not a region below", "1\r\n2\r\n3\033[2;3r\033[3;1H\nx", "", "1|3|x"},
    {"SU", "1\r\n2\r\n3\033[2S", "1|2", "3"},
    {"not DL", "1\r\n2\r\n3\033[H\033[2M", "", "3"},
    {"ED 2", "1\r\n2\033[2Jx", "1|2", "| x"},
    {"ED 2 twice", "1\r\n2\033[2J\033[2J", "1|2", ""},
    {"ED at home", "1\r\n2\033[H\033[Jx", "1|2", "x"},
    {"not ED elsewhere", "1\r\n2\033[2;1H\033[Jx", "", "1|x"},
    {"RIS", "1\r\n2\033cx", "1|2", "x"},
    {"ED 3 erases nothing", "1\r\n2\r\n3\r\n4\033[3J", "1", "2|3|4"},
    {"SeaBIOS", "old\033c\033[?7l\033[2J\033[0mSeaBIOS", "old", "SeaBIOS"},
    {"not the alternate screen",
     "1\033[?1049h2\r\n3\r\n4\r\n5\033[2J\033[?1049l", "", "1"},
    {"blanks at the end are cut", "a   \r\n\r\n\r\n\r\n", "a", ""},
    {"styles and wide ones", "\033[31ma\033[0m你e\314\201\r\n\r\n\r\n",
     "a你e\314\201", ""},
    {"gaps", "\033[5Gx\r\n\r\n\r\n", "    x", ""},
};

static void
what_leaves_the_screen_is_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        struct world world;
        world_init(&world, 3, 10, 10);
        world_write(&world, kept[i].bytes);
        print_message("# %s\n", kept[i].name);
        world_expect_history(&world, kept[i].history);
        world_expect(&world, kept[i].screen);
        world_finish(&world);
    }
}

static void
an_id_stays_with_a_row_into_the_history(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3, 10, 10);
    world_write(&world, "1\r\n2\r\n3");
    struct terminal_row_stamp one = terminal_row_stamp(world.terminal, 0);
    struct terminal_row_stamp two = terminal_row_stamp(world.terminal, 1);
    struct terminal_row_stamp three = terminal_row_stamp(world.terminal, 2);
    assert_true(one.id != two.id && two.id != three.id);
    world_write(&world, "\r\n4\r\n5");
    struct terminal_row_stamp now = terminal_row_stamp(world.terminal, -2);
    assert_memory_equal(&now, &one, sizeof(now));
    now = terminal_row_stamp(world.terminal, -1);
    assert_memory_equal(&now, &two, sizeof(now));
    now = terminal_row_stamp(world.terminal, 0);
    assert_memory_equal(&now, &three, sizeof(now));
    world_finish(&world);
}

static void
a_version_grows_with_every_change_of_a_row(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "x",      "\033[K",   "\033[1mx",  "\033[P", "\033[@",
        "\033[X", "\033[1K",  "e\314\201", "你",     "x\033[3b",
        "\033#8", "\033[4hx", "\033[2K",
    };
    struct world world;
    world_init(&world, 3, 10, 10);
    world_write(&world, "abc\033[2;1Hother\033[1;2H");
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        world_write(&world, "\033[1;2H");
        struct terminal_row_stamp before =
            terminal_row_stamp(world.terminal, 0);
        uint64_t version = terminal_version(world.terminal);
        world_write(&world, changes[i]);
        struct terminal_row_stamp after = terminal_row_stamp(world.terminal, 0);
        assert_true(after.version > before.version);
        assert_true(terminal_version(world.terminal) > version);
    }
    world_finish(&world);
}

static void
a_line_that_a_reset_ends_gets_another_version(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3, 4, 10);
    world_write(&world, "abcd ");
    struct terminal_row_stamp before = terminal_row_stamp(world.terminal, 0);
    terminal_reset(world.terminal);
    unsigned flags = 0;
    struct terminal_run runs[4];
    terminal_read_row(world.terminal, -1, runs, 4, &flags);
    assert_int_equal(flags, 0);
    struct terminal_row_stamp after = terminal_row_stamp(world.terminal, -1);
    assert_int_equal(after.id, before.id);
    assert_true(after.version > before.version);
    world_finish(&world);
}

static void
an_untouched_row_keeps_its_stamp(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3, 10, 10);
    world_write(&world, "one\r\ntwo\r\nthree");
    struct terminal_row_stamp before = terminal_row_stamp(world.terminal, 0);
    world_write(&world, "\033[31m more\r\033[2;1H\033[K\033[5m\033[?25l\a");
    struct terminal_row_stamp after = terminal_row_stamp(world.terminal, 0);
    assert_memory_equal(&before, &after, sizeof(after));
    world_finish(&world);
}

static void
the_terminals_version_grows_with_cursor_and_modes(void **state)
{
    (void)state;
    static const char *const changes[] = {"\033[5C", "\033[?25l", "\033[?2004h",
                                          "\033[3 q", "\033[?1049h"};
    struct world world;
    world_init(&world, 3, 10, 10);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        uint64_t version = terminal_version(world.terminal);
        world_write(&world, changes[i]);
        assert_true(terminal_version(world.terminal) > version);
    }
    world_finish(&world);
}

static void
runs_leave_out_what_was_never_written(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3, 20, 10);
    world_write(&world, "ab\033[5G\033[1mcd\033[0m  \033[44m \033[0m ");
    struct terminal_run runs[20];
    size_t count = terminal_read_row(world.terminal, 0, runs, 20, NULL);
    assert_int_equal(count, 4);
    assert_int_equal(runs[0].col, 0);
    assert_int_equal(runs[0].cols, 2);
    assert_int_equal(runs[1].col, 4);
    assert_int_equal(runs[1].cols, 2);
    assert_int_equal(runs[1].style.attributes, STYLE_BOLD);
    assert_int_equal(runs[2].col, 6);
    assert_int_equal(runs[2].cols, 2);
    assert_int_equal(runs[3].col, 8);
    assert_int_equal(runs[3].cols, 1);
    assert_int_equal(runs[3].style.background, STYLE_COLOUR_INDEXED | 4);
    /* the same from the history */
    world_write(&world, "\r\n\r\n\r\n");
    struct terminal_run old[20];
    assert_int_equal(terminal_read_row(world.terminal, -1, old, 20, NULL), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(old[i].col, runs[i].col);
        assert_int_equal(old[i].cols, runs[i].cols);
        assert_int_equal(old[i].bytes, runs[i].bytes);
        assert_true(style_is_equal(&old[i].style, &runs[i].style));
    }
    world_finish(&world);
}

static void
rows_that_do_not_exist_are_empty(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3, 10, 10);
    struct terminal_run runs[10];
    unsigned flags = 7;
    assert_int_equal(terminal_read_row(world.terminal, 3, runs, 10, &flags), 0);
    assert_int_equal(flags, 0);
    assert_int_equal(terminal_read_row(world.terminal, -1, runs, 10, NULL), 0);
    assert_int_equal(terminal_row_stamp(world.terminal, -1).id, 0);
    assert_int_equal(terminal_row_stamp(world.terminal, 99).id, 0);
    world_finish(&world);
}

static void
sizes_are_clamped(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, -1, 0, 10);
    assert_int_equal(terminal_rows(world.terminal), TERMINAL_MIN_ROWS);
    assert_int_equal(terminal_cols(world.terminal), TERMINAL_MIN_COLS);
    world_write(&world, "你好\r\nab\033[2J\033[5@x\033[9P\033[?1049h你");
    terminal_resize(world.terminal, 65535, 65535);
    assert_int_equal(terminal_rows(world.terminal), TERMINAL_MAX_ROWS);
    assert_int_equal(terminal_cols(world.terminal), TERMINAL_MAX_COLS);
    world_write(&world, "\033[999;1999H你\033[?1049lx");
    terminal_resize(world.terminal, 0, 0);
    assert_int_equal(terminal_rows(world.terminal), TERMINAL_MIN_ROWS);
    world_finish(&world);
}

static void
no_history_is_kept_when_none_is_wanted(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 2, 10, 0);
    world_write(&world, "1\r\n2\r\n3\r\n4");
    assert_int_equal(terminal_history_rows(world.terminal), 0);
    assert_int_equal(terminal_history_dropped(world.terminal), 2);
    world_expect(&world, "3|4");
    terminal_resize(world.terminal, 4, 5);
    world_expect(&world, "3|4");
    world_finish(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(screens_show_what_was_printed),
        cmocka_unit_test(writes_may_be_split_anywhere),
        cmocka_unit_test(what_leaves_the_screen_is_kept),
        cmocka_unit_test(an_id_stays_with_a_row_into_the_history),
        cmocka_unit_test(a_version_grows_with_every_change_of_a_row),
        cmocka_unit_test(a_line_that_a_reset_ends_gets_another_version),
        cmocka_unit_test(an_untouched_row_keeps_its_stamp),
        cmocka_unit_test(the_terminals_version_grows_with_cursor_and_modes),
        cmocka_unit_test(runs_leave_out_what_was_never_written),
        cmocka_unit_test(rows_that_do_not_exist_are_empty),
        cmocka_unit_test(sizes_are_clamped),
        cmocka_unit_test(no_history_is_kept_when_none_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
