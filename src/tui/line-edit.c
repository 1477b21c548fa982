#include "tui/line-edit.h"

#include "base/text.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

void
line_edit_finish(struct line_edit *edit)
{
    buffer_finish(&edit->text);
    edit->cursor = 0;
}

const char *
line_edit_text(const struct line_edit *edit)
{
    return edit->text.data ? edit->text.data : "";
}

void
line_edit_set(struct line_edit *edit, const char *text)
{
    buffer_reset(&edit->text);
    edit->cursor = 0;
    line_edit_insert(edit, text, strlen(text));
}

/* The longest beginning of a text that has at most so many bytes. */
static size_t
cut(const char *text, size_t len, size_t max)
{
    if (len <= max)
        return len;
    while (max > 0 && ((unsigned char)text[max] & 0xC0) == 0x80)
        max--;
    return max;
}

void
line_edit_insert(struct line_edit *edit, const char *bytes, size_t len)
{
    char *text = text_printable(bytes, len, 0, TEXT_ONE_LINE);
    size_t room = LINE_EDIT_MAX_BYTES - edit->text.len;
    size_t add = cut(text, strlen(text), room);
    buffer_reserve(&edit->text, add);
    char *at = edit->text.data + edit->cursor;
    memmove(at + add, at, edit->text.len - edit->cursor + 1);
    for (size_t i = 0; i < add; i++)
        at[i] = text[i];
    edit->text.len += add;
    edit->cursor += add;
    free(text);
}

static size_t
step_left(const struct line_edit *edit, size_t at)
{
    const char *text = line_edit_text(edit);
    if (at > 0)
        at--;
    while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80)
        at--;
    return at;
}

static size_t
step_right(const struct line_edit *edit, size_t at)
{
    const char *text = line_edit_text(edit);
    if (at < edit->text.len)
        at++;
    while (at < edit->text.len && ((unsigned char)text[at] & 0xC0) == 0x80)
        at++;
    return at;
}

/* Words are parted by blanks, as in a shell's C-w. */
static bool
is_blank(const struct line_edit *edit, size_t at)
{
    return line_edit_text(edit)[at] == ' ';
}

static size_t
target(const struct line_edit *edit, enum line_edit_move move)
{
    size_t at = edit->cursor;
    switch (move) {
    case LINE_EDIT_LEFT:
        return step_left(edit, at);
    case LINE_EDIT_RIGHT:
        return step_right(edit, at);
    case LINE_EDIT_WORD_LEFT:
        while (at > 0 && is_blank(edit, at - 1))
            at--;
        while (at > 0 && !is_blank(edit, at - 1))
            at--;
        return at;
    case LINE_EDIT_WORD_RIGHT:
        while (at < edit->text.len && is_blank(edit, at))
            at++;
        while (at < edit->text.len && !is_blank(edit, at))
            at++;
        return at;
    case LINE_EDIT_START:
        return 0;
    case LINE_EDIT_END:
        return edit->text.len;
    }
    return at;
}

void
line_edit_move(struct line_edit *edit, enum line_edit_move move)
{
    edit->cursor = target(edit, move);
}

void
line_edit_delete(struct line_edit *edit, enum line_edit_move move)
{
    size_t to = target(edit, move);
    size_t start = to < edit->cursor ? to : edit->cursor;
    size_t end = to < edit->cursor ? edit->cursor : to;
    if (start == end)
        return;
    memmove(edit->text.data + start, edit->text.data + end,
            edit->text.len - end + 1);
    edit->text.len -= end - start;
    edit->cursor = start;
}

void
line_edit_view(const struct line_edit *edit, int cols, size_t *ret_start,
               int *ret_col)
{
    const char *text = line_edit_text(edit);
    size_t start = 0;
    int col = (int)utf8_text_cols(text, edit->cursor);
    /* the cursor takes a column too */
    while (col >= cols && start < edit->cursor) {
        size_t next = step_right(edit, start);
        col -= (int)utf8_text_cols(text + start, next - start);
        start = next;
    }
    *ret_start = start;
    *ret_col = col;
}
