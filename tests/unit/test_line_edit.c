#include "tui/line-edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
expect(const struct line_edit *edit, const char *text, size_t cursor)
{
    assert_string_equal(line_edit_text(edit), text);
    assert_int_equal(edit->cursor, cursor);
}

static void
text_is_typed_and_taken_back(void **state)
{
    (void)state;
    struct line_edit edit = {0};
    expect(&edit, "", 0);
    line_edit_delete(&edit, LINE_EDIT_LEFT);
    line_edit_delete(&edit, LINE_EDIT_RIGHT);
    line_edit_move(&edit, LINE_EDIT_WORD_LEFT);
    expect(&edit, "", 0);
    line_edit_insert(&edit, "kernel pän", 11);
    line_edit_insert(&edit, "ic", 2);
    expect(&edit, "kernel pänic", 13);
    line_edit_move(&edit, LINE_EDIT_WORD_LEFT);
    line_edit_insert(&edit, "new ", 4);
    expect(&edit, "kernel new pänic", 11);
    line_edit_move(&edit, LINE_EDIT_RIGHT);
    line_edit_move(&edit, LINE_EDIT_RIGHT);
    line_edit_delete(&edit, LINE_EDIT_LEFT);
    expect(&edit, "kernel new pnic", 12);
    line_edit_delete(&edit, LINE_EDIT_WORD_LEFT);
    expect(&edit, "kernel new nic", 11);
    line_edit_delete(&edit, LINE_EDIT_WORD_LEFT);
    expect(&edit, "kernel nic", 7);
    line_edit_delete(&edit, LINE_EDIT_RIGHT);
    expect(&edit, "kernel ic", 7);
    line_edit_move(&edit, LINE_EDIT_START);
    line_edit_move(&edit, LINE_EDIT_WORD_RIGHT);
    line_edit_delete(&edit, LINE_EDIT_END);
    expect(&edit, "kernel", 6);
    line_edit_delete(&edit, LINE_EDIT_START);
    expect(&edit, "", 0);
    line_edit_finish(&edit);
}

static void
only_what_can_be_shown_is_taken(void **state)
{
    (void)state;
    struct line_edit edit = {0};
    line_edit_set(&edit, "a\tb\nc\033[31m\xff\xe2\x80\xae z");
    expect(&edit, "a b c\xEF\xBF\xBD[31m\xEF\xBF\xBD\xEF\xBF\xBD z",
           strlen(line_edit_text(&edit)));
    /* no more than a bound, and no half of a character */
    char *text = malloc(LINE_EDIT_MAX_BYTES + 10);
    assert_non_null(text);
    for (size_t i = 0; i + 1 < LINE_EDIT_MAX_BYTES + 10; i += 2)
        text[i] = (char)0xC3, text[i + 1] = (char)0xA4;
    line_edit_set(&edit, "x");
    line_edit_insert(&edit, text, LINE_EDIT_MAX_BYTES + 10);
    assert_int_equal(edit.text.len, LINE_EDIT_MAX_BYTES - 1);
    line_edit_insert(&edit, text, 2);
    assert_int_equal(edit.text.len, LINE_EDIT_MAX_BYTES - 1);
    free(text);
    line_edit_finish(&edit);
}

static void
narrow_view_follows_the_cursor(void **state)
{
    (void)state;
    struct line_edit edit = {0};
    size_t start = 0;
    int col = 0;
    line_edit_set(&edit, "0123456789");
    line_edit_view(&edit, 20, &start, &col);
    assert_int_equal(start, 0);
    assert_int_equal(col, 10);
    line_edit_view(&edit, 10, &start, &col);
    assert_int_equal(start, 1);
    assert_int_equal(col, 9);
    line_edit_move(&edit, LINE_EDIT_START);
    line_edit_view(&edit, 4, &start, &col);
    assert_int_equal(start, 0);
    assert_int_equal(col, 0);
    line_edit_set(&edit, "你好你好");
    line_edit_view(&edit, 5, &start, &col);
    assert_int_equal(start, 6);
    assert_int_equal(col, 4);
    line_edit_view(&edit, 1, &start, &col);
    assert_int_equal(start, 12);
    assert_int_equal(col, 0);
    line_edit_finish(&edit);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_typed_and_taken_back),
        cmocka_unit_test(only_what_can_be_shown_is_taken),
        cmocka_unit_test(narrow_view_follows_the_cursor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
