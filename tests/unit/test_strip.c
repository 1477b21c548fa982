#include "cli/strip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *bytes;
    const char *plain;
    const char *sgr; /* with STRIP_KEEP_SGR; NULL: the same */
} cases[] = {
    {"hello\n", "hello\n", NULL},
    {"a\r\nb\r\r\nc\rd", "a\nb\nc\nd", NULL},
    {"a\tb\a\b\001c", "a\tbc", NULL},
    {"\033[1;31mred\033[0m", "red", "\033[1;31mred\033[0m"},
    {"\033[38:2::1:2:3mx\033[m", "x", "\033[38:2::1:2:3mx\033[m"},
    {"\033[>4mx\033[?25l\033[2J\033[10;10Hy", "xy", NULL},
    {"\033]0;title\007x\033]52;c;AAAA\033\\y", "xy", NULL},
    {"\033P1$r0m\033\\x\033_apc\033\\y\033^pm\033\\z", "xyz", NULL},
    {"\033(Bx\033#8y\033cz", "xyz", NULL},
    {"\302\23331mx\302\235title\007y", "xy", "\033[31mxy"},
    {"\303\244\344\270\255e\314\201", "\303\244\344\270\255e\314\201", NULL},
    {"\377a\303(b", "\357\277\275a\357\277\275(b", NULL},
    {"a\342\200\256b\342\200\213c", "abc", NULL},
    {"\033[3\0331mx", "mx", NULL},
    {"\033]never\033[mended\030x",
     "ended"
     "x",
     "\033[mendedx"},
    {"\033", "", NULL},
    {"\033[31", "", NULL},
    {"\303", "", NULL},
};

static void
run_case(const char *bytes, unsigned flags, size_t piece, const char *want)
{
    struct strip strip = {.flags = flags};
    struct buffer out = {0};
    size_t len = strlen(bytes);
    for (size_t at = 0; at < len; at += piece)
        strip_feed(&strip, bytes + at, len - at < piece ? len - at : piece,
                   &out);
    assert_string_equal(out.data ? out.data : "", want);
    buffer_finish(&out);
    strip_finish(&strip);
}

static void
sequences_vanish_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *sgr = cases[i].sgr ? cases[i].sgr : cases[i].plain;
        for (size_t piece = 1; piece <= 5; piece++) {
            run_case(cases[i].bytes, STRIP_ALL, piece, cases[i].plain);
            run_case(cases[i].bytes, STRIP_KEEP_SGR, piece, sgr);
        }
        run_case(cases[i].bytes, STRIP_ALL, 1000, cases[i].plain);
    }
}

/* What a shell's line editor prints while a word is corrected. */
static void
editing_keeps_backspaces(void **state)
{
    (void)state;
    run_case("lx\b\033[Ks", STRIP_EDITING, 1, "lx\b \bs");
    run_case("lx\b \bs\r\n", STRIP_EDITING, 3, "lx\b \bs\n");
    run_case("x\033[0Ky\r\033[Kz", STRIP_EDITING, 1, "xy\nz");
    run_case("\033]0;t\b\a\033[31m\ax", STRIP_EDITING, 2, "x");
}

static void
a_string_without_end_hides_no_more_than_its_limit(void **state)
{
    (void)state;
    struct strip strip = {0};
    struct buffer out = {0};
    strip_feed(&strip, "\033]0;", 4, &out);
    for (int i = 0; i < 10000; i++)
        strip_feed(&strip, "x", 1, &out);
    strip_feed(&strip, "login: ", 7, &out);
    assert_true(out.len > 5000);
    assert_non_null(strstr(out.data, "login: "));
    buffer_finish(&out);
    strip_finish(&strip);
}

/* No byte but printable ones, tabs and line ends comes out, whatever goes in.
 */
static void
random_bytes_come_out_harmless(void **state)
{
    (void)state;
    struct strip strip = {0};
    struct buffer out = {0};
    unsigned seed = 7;
    for (int i = 0; i < 200000; i++) {
        seed = seed * 1103515245u + 12345u;
        char byte = (char)(seed >> 16);
        strip_feed(&strip, &byte, 1, &out);
    }
    for (size_t i = 0; i < out.len; i++) {
        unsigned char byte = (unsigned char)out.data[i];
        assert_true(byte >= 0x20 || byte == '\n' || byte == '\t');
        assert_true(byte != 0x7F);
        if (byte == 0xC2)
            assert_true((unsigned char)out.data[i + 1] >= 0xA0);
    }
    assert_true(strip.partial.capacity < 4096);
    buffer_finish(&out);
    strip_finish(&strip);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_vanish_however_they_are_cut),
        cmocka_unit_test(editing_keeps_backspaces),
        cmocka_unit_test(a_string_without_end_hides_no_more_than_its_limit),
        cmocka_unit_test(random_bytes_come_out_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
