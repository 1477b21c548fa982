#include "tui/input.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What input said, one event after the other: keys as <name>, sequences as
 * {bytes}, pastes as "content", other bytes as [bytes]; ESC as ^. */
struct record {
    struct input input;
    char text[4096];
    size_t len;
    size_t paste_bytes;
    bool is_cut;
};

static void
add(struct record *record, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len && record->len + 2 < sizeof(record->text); i++)
        record->text[record->len++] = bytes[i] == 0x1B ? '^' : bytes[i];
    record->text[record->len] = '\0';
}

static void
on_event(void *user, const struct input_event *event)
{
    static const char *const marks[] = {
        [INPUT_KEY] = "<>",
        [INPUT_SEQUENCE] = "{}",
        [INPUT_PASTE] = "\"\"",
        [INPUT_BYTES] = "[]",
    };
    struct record *record = user;
    add(record, marks[event->kind], 1);
    if (event->kind == INPUT_KEY)
        add(record, event->name, strlen(event->name));
    else
        add(record, event->bytes, event->len < 200 ? event->len : 200);
    add(record, marks[event->kind] + 1, 1);
    if (event->kind == INPUT_PASTE) {
        record->paste_bytes = event->len;
        record->is_cut = event->is_cut;
    }
}

static void
init(struct record *record)
{
    memset(record, 0, sizeof(*record));
    input_init(&record->input, on_event, record);
}

static const struct {
    const char *bytes;
    const char *events;  /* of the bytes alone */
    const char *expired; /* of what was pending, when no more comes */
} rows[] = {
    {"a", "<a>", ""},
    {"aB ", "<a><B><Space>", ""},
    {"\r\n\t\x7F\b", "<Enter><C-j><Tab><Backspace><C-h>", ""},
    {"\x01\x1A\x1C\x1D\x1E\x1F", "<C-a><C-z><C-\\><C-]><C-^><C-_>", ""},
    {"\033", "", "<Escape>"},
    {"\033\033", "<Escape>", "<Escape>"},
    {"\033x", "<M-x>", ""},
    {"\033\r", "<M-Enter>", ""},
    {"\033\x01", "<C-M-a>", ""},
    {"\033[A", "{^[A}", ""},
    {"\033[1;5D", "{^[1;5D}", ""},
    {"\033[15~z", "{^[15~}<z>", ""},
    {"\033OP", "{^OP}", ""},
    {"\033O5P", "{^O5P}", ""},
    {"\033[", "", "<M-[>"},
    {"\033O", "", "<M-O>"},
    {"\033[1;", "", "[^[1;]"},
    {"\033[[A", "{^[[A}", ""},
    {"\033[M !\"", "{^[M !\"}", ""},
    {"\033[<0;10;5M", "{^[<0;10;5M}", ""},
    {"\033[1\033[B", "[^[1]{^[B}", ""},
    {"\033[1\x01", "[^[1]<C-a>", ""},
    {"\xC3\xA9", "<é>", ""},
    {"\xF0\x9F\x98\x80", "<\xF0\x9F\x98\x80>", ""},
    {"\033\xC3\xA9", "<M-é>", ""},
    {"\xC3", "", "[\xC3]"},
    {"\xC3(", "[\xC3]<(>", ""},
    {"\xFFz", "[\xFF]<z>", ""},
    {"\xE2\x82", "", "[\xE2\x82]"},
    {"\033[200~abc\033[201~", "\"abc\"", ""},
    {"x\033[200~\033[201~y", "<x>\"\"<y>", ""},
    {"\033[200~a\x1D\033[20b\033[201~z", "\"a\x1D^[20b\"<z>", ""},
    {"\033[200~\033\033[201~", "\"^\"", ""},
    {"\033[200~a\033[200~b\033[201~", "\"a^[200~b\"", ""},
    {"\033[200~a\033[201~\x1D"
     "d\033[201~",
     "\"a\"<C-]><d>{^[201~}", ""},
    {"\033[200~abc\033[2", "", "\"abc^[2\""},
};

static void
bytes_become_keys_sequences_and_pastes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct record record;
        init(&record);
        input_feed(&record.input, rows[i].bytes, strlen(rows[i].bytes));
        assert_string_equal(record.text, rows[i].events);
        bool is_pending = input_timeout_ms(&record.input) > 0;
        assert_int_equal(is_pending, rows[i].expired[0] != '\0');
        input_expire(&record.input);
        assert_string_equal(record.text + strlen(rows[i].events),
                            rows[i].expired);
        assert_int_equal(input_timeout_ms(&record.input), 0);
        input_finish(&record.input);
    }
}

static void
every_split_of_the_reads_gives_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        size_t len = strlen(rows[i].bytes);
        for (size_t split = 0; split <= len; split++) {
            struct record record;
            init(&record);
            input_feed(&record.input, rows[i].bytes, split);
            input_feed(&record.input, rows[i].bytes + split, len - split);
            assert_string_equal(record.text, rows[i].events);
            input_finish(&record.input);
        }
    }
}

static void
the_zero_byte_is_control_space(void **state)
{
    (void)state;
    struct record record;
    init(&record);
    input_feed(&record.input, "\0\033\0", 3);
    assert_string_equal(record.text, "<C-Space><C-M-Space>");
    input_finish(&record.input);
}

static void
a_sequence_without_end_is_given_up(void **state)
{
    (void)state;
    struct record record;
    init(&record);
    char bytes[1000];
    memset(bytes, '1', sizeof(bytes));
    bytes[0] = 0x1B;
    bytes[1] = '[';
    input_feed(&record.input, bytes, sizeof(bytes));
    assert_int_equal(record.text[0], '[');
    assert_int_equal(input_timeout_ms(&record.input), 0);
    input_finish(&record.input);
}

static void
a_paste_beyond_the_limit_is_cut_and_told(void **state)
{
    (void)state;
    struct record record;
    init(&record);
    static char block[1 << 16];
    memset(block, 'x', sizeof(block));
    input_feed(&record.input, "\033[200~", 6);
    for (size_t sent = 0; sent < INPUT_PASTE_MAX_BYTES + sizeof(block);
         sent += sizeof(block))
        input_feed(&record.input, block, sizeof(block));
    input_feed(&record.input, "\033[201~", 6);
    assert_true(record.is_cut);
    assert_int_equal(record.paste_bytes, INPUT_PASTE_MAX_BYTES);
    input_finish(&record.input);
}

static void
random_bytes_end_in_the_ground_state(void **state)
{
    (void)state;
    struct record record;
    init(&record);
    uint32_t seed = 1;
    for (int i = 0; i < 200000; i++) {
        /* Numerical Recipes' generator: any would do */
        seed = seed * 1664525u + 1013904223u;
        char byte = (char)(seed >> 24);
        input_feed(&record.input, &byte, 1);
    }
    input_expire(&record.input);
    assert_int_equal(input_timeout_ms(&record.input), 0);
    input_finish(&record.input);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_become_keys_sequences_and_pastes),
        cmocka_unit_test(every_split_of_the_reads_gives_the_same),
        cmocka_unit_test(the_zero_byte_is_control_space),
        cmocka_unit_test(a_sequence_without_end_is_given_up),
        cmocka_unit_test(a_paste_beyond_the_limit_is_cut_and_told),
        cmocka_unit_test(random_bytes_end_in_the_ground_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
