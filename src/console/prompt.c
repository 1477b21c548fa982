#include "console/prompt.h"

#include "base/buffer.h"
#include "base/xalloc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Rows that a line may wrap over to be looked at as one: a prompt with a long
 * directory in it has two. */
#define PROMPT_MAX_ROWS 4

static const char why_no_prompt[] = "the cursor stands at no shell prompt";

/* The text of a row's columns from first up to (not with) end, blanks where
 * nothing stands. */
static void
read_columns(struct terminal *terminal, int row, int first, int end,
             struct buffer *text, unsigned *ret_flags)
{
    size_t max = (size_t)terminal_cols(terminal);
    struct terminal_run *runs = xcalloc(max, sizeof(*runs));
    size_t count = terminal_read_row(terminal, row, runs, max, ret_flags);
    int col = first;
    for (size_t i = 0; i < count; i++) {
        const struct terminal_run *run = &runs[i];
        if (run->col + run->cols <= first || run->col >= end)
            continue;
        while (col < run->col) {
            buffer_append_byte(text, ' ');
            col++;
        }
        /* one that begins before or ends behind is cut: each of its columns is
         * one byte unless it has other than ASCII, where a bit more or less
         * decides nothing */
        size_t skip = run->col < first ? (size_t)(first - run->col) : 0;
        size_t bytes = run->bytes;
        if (run->col + run->cols > end && bytes == (size_t)run->cols)
            bytes = (size_t)(end - run->col);
        if (skip < bytes)
            buffer_append(text, run->text + skip, bytes - skip);
        col = run->col + run->cols;
    }
    while (col < end) {
        buffer_append_byte(text, ' ');
        col++;
    }
    free(runs);
}

/* What stands before the cursor, from its line's first row on. */
static char *
text_before(struct terminal *terminal, const struct terminal_cursor *cursor)
{
    struct buffer text = {0};
    int first = cursor->row;
    while (first > 0 && cursor->row - first < PROMPT_MAX_ROWS) {
        unsigned flags = 0;
        struct buffer ignored = {0};
        read_columns(terminal, first - 1, 0, 1, &ignored, &flags);
        buffer_finish(&ignored);
        if (!(flags & TERMINAL_ROW_WRAPPED))
            break;
        first--;
    }
    for (int row = first; row < cursor->row; row++)
        read_columns(terminal, row, 0, terminal_cols(terminal), &text, NULL);
    read_columns(terminal, cursor->row, 0, cursor->col, &text, NULL);
    return buffer_steal(&text);
}

static bool
is_blank_behind(struct terminal *terminal, const struct terminal_cursor *cursor)
{
    struct buffer text = {0};
    read_columns(terminal, cursor->row, cursor->col, terminal_cols(terminal),
                 &text, NULL);
    bool is_blank = true;
    for (size_t i = 0; i < text.len; i++)
        is_blank = is_blank && text.data[i] == ' ';
    buffer_finish(&text);
    return is_blank;
}

/* Whether text ends in word, in any case and with or without blanks behind. */
static bool
ends_in(const char *text, const char *word)
{
    size_t len = strlen(text);
    size_t word_len = strlen(word);
    while (len && text[len - 1] == ' ')
        len--;
    return len >= word_len &&
           strncasecmp(text + len - word_len, word, word_len) == 0;
}

/* Whether a prompt's end stands in the middle of the text: what follows it was
 * typed. */
static bool
has_typed(const char *text, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++) {
        if (strchr("$#%", text[i]) && text[i + 1] == ' ' &&
            strspn(text + i + 1, " ") < len - i - 1)
            return true;
    }
    return false;
}

/* "> " is the prompt of many that are no shell, and of shells that wait for the
 * rest of a command: only behind what looks like a directory or a host. */
static bool
is_angle_prompt(const char *text, size_t len)
{
    if (len == 0)
        return false;
    char last = text[len - 1];
    if (!isalnum((unsigned char)last) && !strchr("~/-_.", last))
        return false;
    size_t start = len;
    while (start > 0 && text[start - 1] != ' ')
        start--;
    bool is_place = false;
    for (size_t i = start; i < len; i++) {
        if (text[i] == '\\' || text[i] == '?' || text[i] == '[')
            return false;
        is_place = is_place || strchr("~/@", text[i]);
    }
    return is_place;
}

/* len: of text without the blank at its end and the character before. */
static bool
is_prompt_end(const char *text, size_t len, char end)
{
    char before = len ? text[len - 1] : '\0';
    switch (end) {
    case '$':
        return true;
    case '#':
        /* a router's "(config)# ", a heading */
        return before != ')' && before != '#';
    case '%':
        /* "50% " is progress */
        return !isdigit((unsigned char)before) && before != ' ';
    case '>':
        return is_angle_prompt(text, len);
    default:
        return false;
    }
}

static bool
check_text(const char *text, const char **ret_why)
{
    static const struct {
        const char *word;
        const char *why;
    } questions[] = {
        {"login:", "the guest asks for a login"},
        {"password:", "the guest asks for a password"},
        {"passphrase:", "the guest asks for a passphrase"},
    };
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        if (ends_in(text, questions[i].word)) {
            *ret_why = questions[i].why;
            return false;
        }
    }
    size_t len = strlen(text);
    *ret_why = why_no_prompt;
    if (len < 2 || text[len - 1] != ' ')
        return false;
    if (has_typed(text, len)) {
        *ret_why = "something is typed at the prompt";
        return false;
    }
    return is_prompt_end(text, len - 2, text[len - 2]);
}

bool
prompt_is_shell(struct terminal *terminal, const char **ret_why)
{
    struct terminal_cursor cursor = terminal_cursor(terminal);
    if (terminal_modes(terminal) & TERMINAL_MODE_ALTERNATE_SCREEN) {
        *ret_why = "a full-screen program runs";
        return false;
    }
    if (!cursor.is_visible) {
        *ret_why = "the cursor is hidden: a program runs";
        return false;
    }
    if (!is_blank_behind(terminal, &cursor)) {
        *ret_why = "something stands behind the cursor";
        return false;
    }
    char *text = text_before(terminal, &cursor);
    bool is_shell = check_text(text, ret_why);
    free(text);
    return is_shell;
}
