#include "fleet/syntax.h"

#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/positions.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Columns of jansson's text that are shown; it quotes at most 20 bytes. */
#define FAULT_MAX_COLS 120

/* What jansson says for programmers, for people. */
static const struct {
    const char *text;
    const char *instead;
} wordings[] = {
    {"\\u0000 is not allowed", "a string cannot contain \\u0000"},
    {"NUL byte in object key", "a name cannot contain \\u0000"},
    {"'[' or '{' expected", "'{' expected"},
    {"maximum parsing depth", "this is nested too deep"},
    {"unable to decode byte", "this is not UTF-8"},
};

/* Where the token begins that jansson stumbled over: its position is behind
 * it. */
static size_t
fault_offset(const char *text, size_t len, const json_error_t *fault)
{
    size_t offset = fault->position > 0 ? (size_t)fault->position : 0;
    if (offset > len)
        offset = len;
    if (strstr(fault->text, "near end of file") || offset == 0)
        return offset;
    const char *near = strstr(fault->text, " near '");
    size_t near_len = near ? strlen(near += strlen(" near '")) : 0;
    near_len -= near_len > 0;
    if (near_len == 0 || near_len > offset ||
        memcmp(text + offset - near_len, near, near_len) != 0)
        return offset - 1;
    return offset - near_len;
}

/* The last character before offset that is no space, or 0. */
static char
character_before(const char *text, size_t offset)
{
    while (offset > 0 && strchr(" \t\r\n", text[offset - 1]))
        offset--;
    return offset > 0 ? text[offset - 1] : '\0';
}

static bool
stands_at(const char *text, size_t len, size_t offset, const char *word)
{
    size_t word_len = strlen(word);
    return offset <= len && len - offset >= word_len &&
           memcmp(text + offset, word, word_len) == 0;
}

static bool
is_foreign_word(const char *text, size_t len, size_t offset)
{
    static const char *const words[] = {"True", "False", "None", "yes"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (stands_at(text, len, offset, words[i]))
            return true;
    }
    return false;
}

static const char *
hint(const char *text, size_t len, size_t offset, const char *fault)
{
    char here = offset < len ? text[offset] : '\0';
    char before = character_before(text, offset);
    if (is_foreign_word(text, len, offset))
        return " (JSON has true, false and null)";
    if (here == '0' && !strncmp(fault, "invalid token", 13))
        return " (a number has no 0 in front)";
    if (here == '/' || here == '#')
        return " (JSON has no comments)";
    if (!strncmp(fault, "'[' or '{' expected", 19) &&
        isalpha((unsigned char)here))
        return " (this is to be JSON, which begins with {)";
    if (offset >= len && strstr(fault, "expected near end of file"))
        return " (a bracket that was opened is not closed)";
    if (here == '\'')
        return " (JSON's strings have double quotes)";
    if ((here == '}' || here == ']') && before == ',')
        return " (the comma before it is one too many)";
    if (!strncmp(fault, "'}' expected", 12) ||
        !strncmp(fault, "']' expected", 12))
        return offset < len ? " (is a comma missing before it?)" : "";
    if (!strncmp(fault, "string or '}' expected", 22) &&
        isalpha((unsigned char)here))
        return " (names have double quotes)";
    if (!strncmp(fault, "unexpected newline", 18))
        return " (its closing quote is missing)";
    return "";
}

static bool
is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!strchr(" \t\r\n", text[i]))
            return false;
    }
    return true;
}

void
syntax_set_error(const char *file, const char *text, size_t len,
                 const json_error_t *fault, struct error *error)
{
    if (is_blank(text, len)) {
        error_set(error, ERROR_CODE_INVALID, "%s:1:1: the file is empty", file);
        return;
    }
    size_t offset = fault_offset(text, len, fault);
    struct position position = positions_of_offset(text, len, offset);
    const char *what = fault->text;
    const char *near = strstr(what, " near ");
    for (size_t i = 0; i < sizeof(wordings) / sizeof(wordings[0]); i++) {
        if (strstr(what, wordings[i].text))
            what = wordings[i].instead;
    }
    /* After a bad byte jansson quotes what stood before it. */
    bool quotes = what != fault->text && near && !strstr(what, "UTF-8");
    char *whole = xasprintf("%s%s", what, quotes ? near : "");
    char *shown =
        text_printable(whole, strlen(whole), FAULT_MAX_COLS, TEXT_ONE_LINE);
    error_set(error, ERROR_CODE_INVALID, "%s:%u:%u: %s%s", file, position.line,
              position.column, shown, hint(text, len, offset, fault->text));
    free(shown);
    free(whole);
}
