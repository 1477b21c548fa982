#include "base/buffer.h"
#include "console/parser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Writes every call of the parser down: T text, C control, E escape, S control
 * sequence, 0 to 5 a string of that kind. */

static void
put_bytes(struct buffer *out, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte >= 0x20 && byte < 0x7F)
            buffer_append_byte(out, bytes[i]);
        else
            buffer_printf(out, "<%02X>", byte);
    }
}

static void
put_sequence(struct buffer *out, const struct parser_sequence *sequence)
{
    if (sequence->prefix)
        buffer_append_byte(out, sequence->prefix);
    for (unsigned i = 0; i < sequence->count; i++) {
        if (i)
            buffer_append_byte(out, sequence->is_sub >> i & 1 ? ':' : ';');
        if (sequence->params[i] != PARSER_OMITTED)
            buffer_printf(out, "%d", (int)sequence->params[i]);
    }
    buffer_append_text(out, sequence->intermediates);
    buffer_append_byte(out, sequence->final);
}

static void
on_print(void *data, const char *bytes, size_t len)
{
    struct buffer *out = data;
    /* joins texts, so that the result does not depend on the pieces */
    if (out->len && out->data[out->len - 1] == '\1')
        out->len--;
    else
        buffer_append_text(out, "T(");
    put_bytes(out, bytes, len);
    buffer_append_text(out, "\1");
}

static void
close_text(struct buffer *out)
{
    if (out->len && out->data[out->len - 1] == '\1')
        out->data[out->len - 1] = ')';
}

static void
on_control(void *data, unsigned char control)
{
    close_text(data);
    buffer_printf(data, "C%02X", control);
}

static void
on_escape(void *data, const char *intermediates, char final)
{
    close_text(data);
    buffer_printf(data, "E(%s%c)", intermediates, final);
}

static void
on_csi(void *data, const struct parser_sequence *sequence)
{
    close_text(data);
    buffer_append_text(data, "S(");
    put_sequence(data, sequence);
    buffer_append_text(data, ")");
}

static void
on_string(void *data, enum parser_string kind,
          const struct parser_sequence *sequence, const char *text, size_t len)
{
    assert_int_equal(text[len], 0);
    close_text(data);
    buffer_printf(data, "%d(", (int)kind);
    if (sequence) {
        put_sequence(data, sequence);
        buffer_append_text(data, ",");
    }
    if (len <= 100)
        put_bytes(data, text, len);
    else
        buffer_printf(data, "%zu bytes", len);
    buffer_append_text(data, ")");
}

static const struct parser_handlers handlers = {.on_print = on_print,
                                                .on_control = on_control,
                                                .on_escape = on_escape,
                                                .on_csi = on_csi,
                                                .on_string = on_string};

/* Feeds bytes in pieces of a size. */
static void
expect_pieces(const char *bytes, size_t len, size_t piece, const char *calls)
{
    struct buffer out = {0};
    buffer_append_text(&out, "");
    struct parser parser;
    parser_init(&parser, &handlers, &out);
    for (size_t at = 0; at < len; at += piece)
        parser_feed(&parser, bytes + at, len - at < piece ? len - at : piece);
    close_text(&out);
    assert_string_equal(out.data ? out.data : "", calls);
    buffer_finish(&out);
}

static void
expect(const char *bytes, size_t len, const char *calls)
{
    for (size_t piece = 1; piece <= len; piece++)
        expect_pieces(bytes, len, piece, calls);
}

static const struct {
    const char *bytes;
    const char *calls;
} rows[] = {
    {"plain text, longer than eight", "T(plain text, longer than eight)"},
    {"a\r\nb", "T(a)C0DC0AT(b)"},
    {"a\177b", "T(ab)"},
    {"\033[A", "S(A)"},
    {"\033[1;2H", "S(1;2H)"},
    {"\033[;H", "S(;H)"},
    {"\033[;5H", "S(;5H)"},
    {"\033[?25h", "S(?25h)"},
    {"\033[>c\033[=c\033[<u", "S(>c)S(=c)S(<u)"},
    {"\033[4:3m", "S(4:3m)"},
    {"\033[38:2::1:2:3;1m", "S(38:2::1:2:3;1m)"},
    {"\033[0 q", "S(0 q)"},
    {"\033[!p", "S(!p)"},
    {"\033[?7$p", "S(?7$p)"},
    /* more intermediates than are kept: ignored */
    {"\033[ !\"p.", "T(.)"},
    {"\033 !\"F.", "T(.)"},
    /* a prefix that is not in front */
    {"\033[1?h.", "T(.)"},
    {"\033[ 1h.", "T(.)"},
    {"\033[99999999999m", "S(65535m)"},
    {"\033[000000000000000000001m", "S(1m)"},
    /* controls within a sequence are executed */
    {"\033[1\r2H", "C0DS(12H)"},
    {"\033\n[A", "C0AS(A)"},
    /* CAN and SUB end it, ESC starts another */
    {"\033[1\030A", "T(A)"},
    {"\033[1\032A", "T(A)"},
    {"\033[1\033[2A", "S(2A)"},
    {"\033[1\177A", "S(1A)"},
    {"\033[1\303\251A", "S(1A)"},
    {"\033c\0337\033#8\033(0", "E(c)E(7)E(#8)E((0)"},
    {"\033]0;title\a.", "0(0;title)T(.)"},
    {"\033]0;title\033\\.", "0(0;title)E(\\)T(.)"},
    {"\033]0;t\303\251\a", "0(0;t<C3><A9>)"},
    /* 9C is the middle of a character, not a terminator */
    {"\033]0;\342\234\205\a", "0(0;<E2><9C><85>)"},
    {"\033]0;a\tb\001c\a", "0(0;abc)"},
    {"\033]0;cut\030.", "T(.)"},
    {"\033]0;cut\nlogin:", "C0AT(login:)"},
    {"\033P$qm\033\\", "1($q,m)E(\\)"},
    {"\033P1;2|data\n\aX\033\\", "1(1;2|,data<0A><07>X)E(\\)"},
    {"\033P1?x\033\\.", "E(\\)T(.)"},
    {"\033Xsos\033\\\033^pm\033\\\033_apc\033\\",
     "2(sos)E(\\)3(pm)E(\\)4(apc)E(\\)"},
    {"\033ktitle\033\\", "5(title)E(\\)"},
    {"\033_cut\030.", "T(.)"},
    /* Linux' palette has no terminator */
    {"\033]R.\033]P0123456.", "T(..)"},
    /* UTF-8, whole and broken */
    {"a\303\251b", "T(a<C3><A9>b)"},
    {"\360\237\230\200", "T(<F0><9F><98><80>)"},
    {"\342\202\r", "T(<E2><82>)C0D"},
    {"\342\202\033[A", "T(<E2><82>)S(A)"},
    {"\342\202a", "T(<E2><82>a)"},
    {"\302\233A", "T(<C2><9B>A)"},
    {"\233A", "T(<9B>A)"},
    {"\377\376", "T(<FF><FE>)"},
    {"\340\200\200", "T(<E0><80><80>)"},
};

static void
bytes_mean_the_same_however_they_are_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect(rows[i].bytes, strlen(rows[i].bytes), rows[i].calls);
}

static void
nul_is_a_control(void **state)
{
    (void)state;
    expect("a\0b", 3, "T(a)C00T(b)");
}

static void
parameters_beyond_the_maximum_are_dropped(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    struct buffer calls = {0};
    buffer_append_text(&bytes, "\033[");
    buffer_append_text(&calls, "S(");
    for (int i = 0; i < 200; i++) {
        buffer_printf(&bytes, "%s%d", i ? ";" : "", i);
        if (i < PARSER_MAX_PARAMS)
            buffer_printf(&calls, "%s%d", i ? ";" : "", i);
    }
    buffer_append_text(&bytes, "m");
    buffer_append_text(&calls, "m)");
    expect(bytes.data, bytes.len, calls.data);
    buffer_finish(&bytes);
    buffer_finish(&calls);
}

static void
sub_parameters_beyond_the_maximum_are_dropped(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    buffer_append_text(&bytes, "\033[4");
    for (int i = 0; i < 10000; i++)
        buffer_append_text(&bytes, ":1");
    buffer_append_text(&bytes, "m.");
    struct buffer out = {0};
    struct parser parser;
    parser_init(&parser, &handlers, &out);
    parser_feed(&parser, bytes.data, bytes.len);
    assert_int_equal(parser.sequence.count, PARSER_MAX_PARAMS);
    assert_true(strstr(out.data, "T(.") != NULL);
    buffer_finish(&bytes);
    buffer_finish(&out);
}

static void
a_long_string_is_kept_up_to_its_cap(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    buffer_append_text(&bytes, "\033]");
    for (int i = 0; i < 10000; i++)
        buffer_append_byte(&bytes, 'x');
    buffer_append_text(&bytes, "\a.");
    expect_pieces(bytes.data, bytes.len, 7, "0(4096 bytes)T(.)");
    expect_pieces(bytes.data, bytes.len, bytes.len, "0(4096 bytes)T(.)");
    buffer_finish(&bytes);
}

static void
a_string_without_an_end_hides_no_login_prompt(void **state)
{
    (void)state;
    static const char *const starts[] = {"\033]52;c;", "\033P",  "\033P1;1q",
                                         "\033_G",     "\033X",  "\033^",
                                         "\033k",      "\033P1?"};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        struct buffer out = {0};
        struct parser parser;
        parser_init(&parser, &handlers, &out);
        parser_feed(&parser, starts[i], strlen(starts[i]));
        for (size_t n = 0; n < PARSER_STRING_LIMIT_BYTES + 2; n++)
            parser_feed(&parser, "q", 1);
        assert_true(parser_is_idle(&parser));
        out.len = 0;
        parser_feed(&parser, "login:", 6);
        close_text(&out);
        assert_true(strstr(out.data, "login:") != NULL);
        buffer_finish(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_mean_the_same_however_they_are_split),
        cmocka_unit_test(nul_is_a_control),
        cmocka_unit_test(parameters_beyond_the_maximum_are_dropped),
        cmocka_unit_test(sub_parameters_beyond_the_maximum_are_dropped),
        cmocka_unit_test(a_long_string_is_kept_up_to_its_cap),
        cmocka_unit_test(a_string_without_an_end_hides_no_login_prompt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
