#include "client/mirror.h"
#include "console/render.h"
#include "console/terminal.h"
#include "term-world.h"
#include "tui/pens.h"
#include "tui/term-driver.h"
#include "tui/term-entry.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>

static const char *
print(struct fixture *fixture, int row, int col, const char *text)
{
    tickit_term_goto(fixture->tickit, row, col);
    tickit_term_print(fixture->tickit, text);
    term_flush(fixture->term);
    return sent(fixture);
}

static void
what_is_drawn_appears_once_at_the_flush(void **state)
{
    (void)state;
    struct fixture fixture;
    open_term(&fixture, "xterm-256color", 24, 80);
    tickit_term_goto(fixture.tickit, 3, 5);
    tickit_term_print(fixture.tickit, "hello");
    assert_string_equal(sent(&fixture), "");
    term_flush(fixture.term);
    assert_non_null(strstr(sent(&fixture), "\033[4;6H"));
    assert_non_null(strstr(fixture.bytes, "hello"));
    /* the same again costs nothing */
    assert_string_equal(print(&fixture, 3, 5, "hello"), "");
    close_term(&fixture);
}

static void
the_size_is_the_terminals_and_follows_it(void **state)
{
    (void)state;
    struct fixture fixture;
    open_term(&fixture, "xterm-256color", 24, 80);
    int rows;
    int cols;
    tickit_term_get_size(fixture.tickit, &rows, &cols);
    assert_int_equal(rows, 24);
    assert_int_equal(cols, 80);
    assert_false(term_update_size(fixture.term));
    struct winsize size = {.ws_row = 50, .ws_col = 200};
    ioctl(fixture.slave, TIOCSWINSZ, &size);
    assert_true(term_update_size(fixture.term));
    tickit_term_get_size(fixture.tickit, &rows, &cols);
    assert_int_equal(rows, 50);
    assert_int_equal(cols, 200);
    assert_non_null(strstr(print(&fixture, 49, 190, "far"), "far"));
    close_term(&fixture);
}

/* As a size that cannot be: curses would have had cells for all of it. */
static void
a_terminal_is_drawn_up_to_a_limit(void **state)
{
    struct fixture fixture;
    int rows = 0;
    int cols = 0;
    (void)state;
    assert_int_equal(setenv("LINES", "77", 1), 0);
    open_term(&fixture, "xterm-256color", 65535, 65535);
    tickit_term_get_size(fixture.tickit, &rows, &cols);
    assert_int_equal(rows, 512);
    assert_int_equal(cols, 1024);
    assert_string_equal(getenv("LINES"), "77");
    assert_null(getenv("COLUMNS"));
    (void)unsetenv("LINES");
    close_term(&fixture);
}

static void
wide_and_combining_characters_are_one_cell_each(void **state)
{
    (void)state;
    struct fixture fixture;
    open_term(&fixture, "xterm-256color", 24, 80);
    assert_non_null(
        strstr(print(&fixture, 0, 0, "日本e\xCC\x81x"), "日本e\xCC\x81x"));
    close_term(&fixture);
}

static void
more_combining_marks_than_a_cell_holds_are_dropped(void **state)
{
    (void)state;
    struct fixture fixture;
    char text[1 + 2 * 100 + 1] = "e";
    for (size_t i = 1; i + 2 < sizeof(text); i += 2) {
        text[i] = (char)0xCC;
        text[i + 1] = (char)0x81;
    }
    open_term(&fixture, "xterm-256color", 24, 80);
    print(&fixture, 0, 0, text);
    assert_true(fixture.len < 60);
    /* one without a character before it has nowhere to go */
    print(&fixture, 1, 0, "\xCC\x81");
    close_term(&fixture);
}

static void
nothing_wraps_at_the_last_column(void **state)
{
    (void)state;
    struct fixture fixture;
    open_term(&fixture, "xterm-256color", 4, 10);
    print(&fixture, 0, 9, "日");
    assert_null(strstr(fixture.bytes, "日"));
    print(&fixture, 1, 8, "abcdef");
    assert_null(strstr(fixture.bytes, "c"));
    print(&fixture, 3, 8, "日");
    assert_non_null(strstr(fixture.bytes, "日"));
    print(&fixture, 3, 9, "z");
    assert_non_null(strstr(fixture.bytes, "z"));
    close_term(&fixture);
}

static void
cells_outside_the_screen_are_nowhere(void **state)
{
    (void)state;
    struct fixture fixture;
    open_term(&fixture, "xterm-256color", 4, 10);
    print(&fixture, 99, 0, "below");
    print(&fixture, 0, 99, "right");
    tickit_term_goto(fixture.tickit, 99, 99);
    tickit_term_erasech(fixture.tickit, 50, TICKIT_MAYBE);
    term_flush(fixture.term);
    close_term(&fixture);
}

static void
controls_never_reach_the_terminal(void **state)
{
    (void)state;
    struct fixture fixture;
    open_term(&fixture, "xterm-256color", 24, 80);
    print(&fixture, 0, 0, "a\033]0;title\ab\xC2\x9B");
    assert_null(strstr(fixture.bytes, "\033]"));
    assert_null(strchr(fixture.bytes, '\a'));
    assert_null(strstr(fixture.bytes, "\xC2\x9B"));
    close_term(&fixture);
}

/* Random drawing, beside a plain picture of what should stand there ---------
 */

#define PICTURE_ROWS 6
#define PICTURE_COLS 16

/* One column; "" is the second one of a wide character. */
struct picture {
    char cells[PICTURE_ROWS][PICTURE_COLS][8];
};

static void
set_cell(struct picture *picture, int row, int col, const char *text, int width)
{
    char(*line)[8] = picture->cells[row];
    if (!line[col][0])
        strcpy(line[col - 1], " ");
    if (col + width < PICTURE_COLS && !line[col + width][0])
        strcpy(line[col + width], " ");
    strcpy(line[col], text);
    if (width == 2)
        line[col + 1][0] = '\0';
}

static void
draw_at_random(struct fixture *fixture, struct picture *picture)
{
    static const struct {
        const char *text;
        int width;
    } characters[] = {
        {" ", 1}, {"a", 1}, {"b", 1}, {"日", 2}, {"e\xCC\x81", 1}, {"本", 2},
    };
    static const struct term_ink ink = {.foreground = -1, .background = -1};
    int row = rand() % PICTURE_ROWS;
    int col = rand() % PICTURE_COLS;
    bool is_ink = rand() % 2;
    tickit_term_goto(fixture->tickit, row, col);
    if (rand() % 4 == 0) {
        int count = 1 + rand() % (PICTURE_COLS - col);
        if (is_ink)
            term_fill(fixture->term, row, col, col + count, &ink);
        else
            tickit_term_erasech(fixture->tickit, count, TICKIT_MAYBE);
        for (int i = 0; i < count; i++)
            set_cell(picture, row, col + i, " ", 1);
        return;
    }
    for (int left = 1 + rand() % 6; left > 0; left--) {
        size_t which = (size_t)rand() % 6;
        int width = characters[which].width;
        if (col + width > PICTURE_COLS)
            break;
        const char *text = characters[which].text;
        if (is_ink)
            term_put(fixture->term, row, col, PICTURE_COLS, &ink, text,
                     strlen(text));
        else
            tickit_term_print(fixture->tickit, text);
        set_cell(picture, row, col, text, width);
        col += width;
    }
}

static void
expect_picture(struct terminal *terminal, const struct picture *picture,
               int round)
{
    struct buffer shown = {0};
    struct buffer wanted = {0};
    render_rows(terminal, 0, PICTURE_ROWS - 1, RENDER_PLAIN, &shown);
    for (int row = 0; row < PICTURE_ROWS; row++) {
        size_t start = wanted.len;
        for (int col = 0; col < PICTURE_COLS; col++)
            buffer_append_text(&wanted, picture->cells[row][col]);
        while (wanted.len > start && wanted.data[wanted.len - 1] == ' ')
            wanted.len--;
        buffer_append_text(&wanted, "\n");
    }
    if (strcmp(shown.data, wanted.data) != 0)
        fail_msg("round %d:\n%s--- instead of\n%s", round, shown.data,
                 wanted.data);
    buffer_finish(&shown);
    buffer_finish(&wanted);
}

static void
whatever_is_drawn_over_what_the_screen_is_right(void **state)
{
    (void)state;
    struct fixture fixture;
    struct picture picture;
    struct terminal_config config = {.rows = PICTURE_ROWS,
                                     .cols = PICTURE_COLS};
    struct terminal *terminal = terminal_new(&config);
    memset(&picture, 0, sizeof(picture));
    for (int i = 0; i < PICTURE_ROWS * PICTURE_COLS; i++)
        strcpy(picture.cells[i / PICTURE_COLS][i % PICTURE_COLS], " ");
    open_term(&fixture, "xterm-256color", PICTURE_ROWS, PICTURE_COLS);
    srand(20261126);
    for (int round = 0; round < 3000; round++) {
        for (int i = rand() % 8; i >= 0; i--)
            draw_at_random(&fixture, &picture);
        term_flush(fixture.term);
        sent(&fixture);
        terminal_write(terminal, fixture.bytes, fixture.len,
                       TERMINAL_WRITE_REPLAY);
        expect_picture(terminal, &picture, round);
    }
    terminal_free(terminal);
    close_term(&fixture);
}

static void
ink_ends_where_it_is_told_to(void **state)
{
    (void)state;
    static const struct term_ink ink = {.foreground = -1, .background = -1};
    struct fixture fixture;
    open_term(&fixture, "xterm-256color", 4, 10);
    term_put(fixture.term, 0, 2, 5, &ink, "abcdef", 6);
    term_put(fixture.term, 1, 2, 5, &ink, "ab日c", 6);
    term_put(fixture.term, 2, 8, 99, &ink, "yz!", 3);
    term_put(fixture.term, 3, 7, 5, &ink, "q", 1);
    term_fill(fixture.term, 3, 7, 5, &ink);
    term_flush(fixture.term);
    sent(&fixture);
    assert_non_null(strstr(fixture.bytes, "abc"));
    assert_null(strstr(fixture.bytes, "d"));
    assert_null(strstr(fixture.bytes, "日"));
    assert_non_null(strstr(fixture.bytes, "yz"));
    assert_null(strpbrk(fixture.bytes, "!q"));
    close_term(&fixture);
}

/* What the terminal is sent for a run in the middle of its screen. */
static void
send_run(struct fixture *fixture, const char *type,
         const struct mirror_run *run, bool is_ink, bool is_reverse)
{
    struct pens pens = {0};
    open_term(fixture, type, 4, 10);
    pens.term = fixture->term;
    struct term_ink ink = pens_ink_of_run(run, is_reverse);
    if (is_ink) {
        term_put(fixture->term, 1, 1, 10, &ink, "x", 1);
    } else {
        tickit_term_goto(fixture->tickit, 1, 1);
        tickit_term_setpen(fixture->tickit,
                           pens_of_run(&pens, run, is_reverse));
        tickit_term_print(fixture->tickit, "x");
    }
    term_flush(fixture->term);
    sent(fixture);
    pens_finish(&pens);
    close_term(fixture);
}

static void
an_ink_is_drawn_as_its_pen_is(void **state)
{
    (void)state;
    static const char *const types[] = {"xterm-256color", "xterm", "vt100",
                                        "xterm-direct", "tmux-256color"};
    static const struct mirror_run runs[] = {
        {0},
        {.foreground = MIRROR_COLOUR_INDEXED | 75, .attributes = MIRROR_BOLD},
        {.foreground = MIRROR_COLOUR_RGB | 0x123456,
         .background = MIRROR_COLOUR_RGB | 0x654321},
        {.background = MIRROR_COLOUR_INDEXED | 3,
         .attributes = MIRROR_DIM | MIRROR_ITALIC | MIRROR_BLINK},
        {.underline_colour = MIRROR_COLOUR_RGB | 0xFF0000,
         .attributes = MIRROR_UNDERLINE | 3 << 12},
        {.foreground = MIRROR_COLOUR_RGB | 0x010203,
         .attributes = MIRROR_REVERSE | MIRROR_STRIKE | MIRROR_OVERLINE},
    };
    static struct fixture fixtures[2];
    for (size_t i = 0; i < 4 * sizeof(types) / sizeof(*types); i++) {
        const char *type = types[i / 4];
        (void)setenv("COLORTERM", i % 2 ? "truecolor" : "", 1);
        for (size_t j = 0; j < sizeof(runs) / sizeof(*runs); j++) {
            send_run(&fixtures[0], type, &runs[j], false, i % 4 >= 2);
            send_run(&fixtures[1], type, &runs[j], true, i % 4 >= 2);
            if (strcmp(fixtures[0].bytes, fixtures[1].bytes) != 0)
                fail_msg("%s, run %zu: %s by pen, %s by ink", type, j,
                         fixtures[0].bytes + 1, fixtures[1].bytes + 1);
            assert_non_null(strchr(fixtures[1].bytes, 'x'));
        }
    }
    (void)unsetenv("COLORTERM");
}

/* A compiled entry of two strings, cursor_address and cursor_down: term(5). */
static size_t
make_entry(char *entry, const char *address, const char *down)
{
    char *at = entry;
    const int header[] = {0432, 2, 1, 1, 12, 0};
    for (size_t i = 0; i < 6; i++) {
        *at++ = (char)(header[i] & 0xFF);
        *at++ = (char)(header[i] >> 8);
    }
    memcpy(at, "x\0\1", 3); /* the name, one boolean */
    at += 3;
    *at++ = '\0'; /* to an even offset */
    memcpy(at, "\1\0", 2);
    at += 2;
    memset(at, 0xFF, 24);
    at[20] = at[21] = 0;
    at[22] = (char)(strlen(address) + 1);
    at[23] = 0;
    at += 24;
    strcpy(at, address);
    at += strlen(address) + 1;
    strcpy(at, down);
    at += strlen(down) + 1;
    entry[10] = (char)(strlen(address) + strlen(down) + 2);
    return (size_t)(at - entry);
}

static void
an_entry_moves_down_by_vt_instead_of_lf(void **state)
{
    (void)state;
    char entry[128];
    size_t len = make_entry(entry, "\033[%i%p1%d;%p2%dH", "\n");
    assert_true(term_entry_patch(entry, len));
    assert_string_equal(entry + len - 2, "\v");
    assert_false(term_entry_patch(entry, len));
    len = make_entry(entry, "\033[%i%p1%d;%p2%dH", "\033[B");
    assert_false(term_entry_patch(entry, len));
    len = make_entry(entry, "\032=%p1%p2", "\n");
    assert_false(term_entry_patch(entry, len));
    /* cut anywhere, it is none */
    len = make_entry(entry, "\033[%i%p1%d;%p2%dH", "\n");
    for (size_t cut = 0; cut < len; cut++) {
        char *part = malloc(cut + 1);
        memcpy(part, entry, cut);
        assert_false(term_entry_patch(part, cut));
        free(part);
    }
}

static void
the_next_row_costs_two_bytes(void **state)
{
    (void)state;
    struct fixture fixture;
    open_term(&fixture, "xterm-256color", 24, 80);
    for (int row = 10; row < 13; row++) {
        tickit_term_goto(fixture.tickit, row, 0);
        tickit_term_print(fixture.tickit, "a line of a log");
    }
    term_flush(fixture.term);
    assert_non_null(strstr(sent(&fixture), "a line of a log\r\va line of"));
    assert_null(getenv("TERMINFO"));
    close_term(&fixture);
}

static const struct {
    const char *type;
    int colours;         /* told by terminfo */
    const char *indexed; /* what colour 75 becomes */
} terminals[] = {
    {"xterm-256color", 256, "\033[38;5;75m"},
    {"xterm-16color", 16, "\033[94m"},
    {"xterm", 8, "\033[36m"},
    {"vt100", 0, ""},
    {"xterm-direct", 0x1000000, "\033[38:2::95:175:255m"},
};

static void
colours_are_those_that_the_terminal_has(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(terminals) / sizeof(*terminals); i++) {
        struct fixture fixture;
        open_term(&fixture, terminals[i].type, 24, 80);
        assert_int_equal(term_abilities(fixture.term).colours,
                         terminals[i].colours);
        TickitPen *pen =
            tickit_pen_new_attrs(TICKIT_PEN_FG, 75, TICKIT_PEN_BOLD, 1, 0);
        tickit_term_setpen(fixture.tickit, pen);
        tickit_pen_unref(pen);
        print(&fixture, 2, 2, "colour");
        if (!strstr(fixture.bytes, terminals[i].indexed))
            fail_msg("%s got %s", terminals[i].type, fixture.bytes + 1);
        close_term(&fixture);
    }
}

static void
attributes_reach_the_terminal(void **state)
{
    (void)state;
    struct fixture fixture;
    open_term(&fixture, "xterm-256color", 24, 80);
    TickitPen *pen = tickit_pen_new_attrs(TICKIT_PEN_REVERSE, 1, 0);
    tickit_term_setpen(fixture.tickit, pen);
    assert_non_null(strstr(print(&fixture, 2, 2, "r"), ";7mr"));
    tickit_pen_unref(pen);
    pen = tickit_pen_new_attrs(TICKIT_PEN_UNDER, 1, 0);
    tickit_term_setpen(fixture.tickit, pen);
    assert_non_null(strstr(print(&fixture, 4, 2, "u"), ";4mu"));
    tickit_pen_unref(pen);
    pen = tickit_pen_new_attrs(TICKIT_PEN_ALTFONT, TERM_FONT_DIM, 0);
    tickit_term_setpen(fixture.tickit, pen);
    assert_non_null(strstr(print(&fixture, 6, 2, "d"), ";2md"));
    tickit_pen_unref(pen);
    close_term(&fixture);
}

static void
show_cursor(struct fixture *fixture, int shape)
{
    term_set_cursor_shape(fixture->term, shape);
    tickit_term_setctl_int(fixture->tickit, TICKIT_TERMCTL_CURSORVIS, 1);
    term_flush(fixture->term);
}

static void
the_cursor_gets_a_shape_and_gives_it_back(void **state)
{
    (void)state;
    struct fixture fixture;
    open_term(&fixture, "xterm-256color", 24, 80);
    show_cursor(&fixture, 5);
    assert_non_null(strstr(sent(&fixture), "\033[5 q"));
    show_cursor(&fixture, 5);
    assert_null(strstr(sent(&fixture), " q"));
    term_close(fixture.term);
    assert_non_null(strstr(sent(&fixture), "\033[0 q"));
    close(fixture.master);
    close(fixture.slave);
    /* a terminal without that is not asked */
    open_term(&fixture, "linux", 24, 80);
    show_cursor(&fixture, 5);
    assert_null(strstr(sent(&fixture), " q"));
    close_term(&fixture);
}

static void
the_mouse_tells_as_much_as_is_wanted(void **state)
{
    (void)state;
    struct fixture fixture;
    open_term(&fixture, "xterm-256color", 24, 80);
    term_set_tracking(fixture.term, TERM_TRACKING_MOVES);
    assert_null(strstr(sent(&fixture), "\033[?100"));
    term_set_mouse(fixture.term, true);
    assert_non_null(strstr(sent(&fixture), "\033[?1003h"));
    term_set_tracking(fixture.term, TERM_TRACKING_DRAGS);
    assert_non_null(strstr(sent(&fixture), "\033[?1002h"));
    term_set_tracking(fixture.term, TERM_TRACKING_CLICKS);
    assert_non_null(strstr(sent(&fixture), "\033[?1000h"));
    assert_null(strstr(fixture.bytes, "\033[?1002h"));
    term_set_mouse(fixture.term, false);
    assert_non_null(strstr(sent(&fixture), "\033[?1003l"));
    close_term(&fixture);
}

static void
opening_and_closing_leave_the_terminal_as_it_was(void **state)
{
    (void)state;
    struct fixture fixture;
    struct termios before = {0};
    struct termios during = {0};
    struct termios after = {0};
    struct error error = {0};
    open_pty(&fixture, 24, 80);
    assert_int_equal(tcgetattr(fixture.slave, &before), 0);
    fixture.term =
        term_open(fixture.slave, fixture.slave, "xterm-256color", &error);
    assert_non_null(fixture.term);
    term_set_mouse(fixture.term, true);
    term_flush(fixture.term);
    assert_non_null(strstr(sent(&fixture), "\033[?1049h"));
    assert_non_null(strstr(fixture.bytes, "\033[?2004h"));
    assert_non_null(strstr(fixture.bytes, "\033[?1006h"));
    tcgetattr(fixture.slave, &during);
    assert_int_equal(during.c_lflag & (ICANON | ECHO | ISIG), 0);
    assert_int_equal(during.c_iflag & (ICRNL | IXON), 0);
    term_close(fixture.term);
    assert_non_null(strstr(sent(&fixture), "\033[?1049l"));
    assert_non_null(strstr(fixture.bytes, "\033[?1004l\033[?2004l"));
    assert_non_null(strstr(fixture.bytes, "\033[?1006l"));
    assert_non_null(strstr(fixture.bytes, "\033[?25h"));
    tcgetattr(fixture.slave, &after);
    assert_memory_equal(&before, &after, sizeof(before));
    close(fixture.master);
    close(fixture.slave);
}

static void
a_crash_gives_the_terminal_back(void **state)
{
    (void)state;
    struct fixture fixture;
    struct termios before = {0};
    struct termios after = {0};
    open_pty(&fixture, 24, 80);
    tcgetattr(fixture.slave, &before);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct term *term = term_open(fixture.slave, fixture.slave,
                                      "xterm-256color", &(struct error){0});
        if (!term)
            _exit(1);
        term_flush(term);
        (void)raise(SIGABRT);
        _exit(1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(sent(&fixture), "\033[?1049l"));
    assert_non_null(strstr(fixture.bytes, "\033[?2004l"));
    tcgetattr(fixture.slave, &after);
    assert_memory_equal(&before, &after, sizeof(before));
    close(fixture.master);
    close(fixture.slave);
}

static void
what_is_no_usable_terminal_is_refused_with_the_reason(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    open_pty(&fixture, 24, 80);
    assert_null(term_open(fixture.slave, fixture.slave, "dumb", &error));
    assert_non_null(strstr(error.text, "cannot position its cursor"));
    error = (struct error){0};
    assert_null(
        term_open(fixture.slave, fixture.slave, "no-such-terminal", &error));
    assert_non_null(strstr(error.text, "'no-such-terminal' is not known"));
    error = (struct error){0};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_null(term_open(null, fixture.slave, "xterm", &error));
    assert_non_null(strstr(error.text, "needs a terminal"));
    close(null);
    close(fixture.master);
    close(fixture.slave);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_drawn_appears_once_at_the_flush),
        cmocka_unit_test(the_size_is_the_terminals_and_follows_it),
        cmocka_unit_test(a_terminal_is_drawn_up_to_a_limit),
        cmocka_unit_test(wide_and_combining_characters_are_one_cell_each),
        cmocka_unit_test(more_combining_marks_than_a_cell_holds_are_dropped),
        cmocka_unit_test(nothing_wraps_at_the_last_column),
        cmocka_unit_test(cells_outside_the_screen_are_nowhere),
        cmocka_unit_test(controls_never_reach_the_terminal),
        cmocka_unit_test(whatever_is_drawn_over_what_the_screen_is_right),
        cmocka_unit_test(ink_ends_where_it_is_told_to),
        cmocka_unit_test(an_ink_is_drawn_as_its_pen_is),
        cmocka_unit_test(an_entry_moves_down_by_vt_instead_of_lf),
        cmocka_unit_test(the_next_row_costs_two_bytes),
        cmocka_unit_test(colours_are_those_that_the_terminal_has),
        cmocka_unit_test(attributes_reach_the_terminal),
        cmocka_unit_test(the_cursor_gets_a_shape_and_gives_it_back),
        cmocka_unit_test(the_mouse_tells_as_much_as_is_wanted),
        cmocka_unit_test(opening_and_closing_leave_the_terminal_as_it_was),
        cmocka_unit_test(a_crash_gives_the_terminal_back),
        cmocka_unit_test(what_is_no_usable_terminal_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
