#include "fleet/shellwords.h"

#include "base/buffer.h"
#include "base/xalloc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct splitter {
    const char *text;
    size_t at;
    struct buffer word;
    bool has_word; /* "" is a word too */
    char **words;
    size_t count;
    size_t capacity;
    size_t bytes; /* of all words */
};

/* Characters that mean something to a shell when unquoted, and what. */
static const struct {
    const char *text;
    const char *meaning;
} refused[] = {
    {"&&", "a list of commands"},
    {"||", "a list of commands"},
    {";", "a list of commands"},
    {"&", "a command in the background followed by another"},
    {"|", "a pipe"},
    {"<", "a redirection"},
    {">", "a redirection"},
    {"(", "a subshell"},
    {")", "a subshell"},
    {"`", "a command substitution"},
    {"*", "a file name pattern"},
    {"?", "a file name pattern"},
};

static bool
fault(struct splitter *splitter, const char *what, const char *meaning,
      struct error *error)
{
    (void)splitter;
    return error_set(error, ERROR_CODE_INVALID,
                     "%s is %s, which needs a shell; quote it if it is "
                     "meant literally",
                     what, meaning);
}

static bool
is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Refuses $NAME, ${NAME}, $(…), $1, $? …; a lone $ is a character. */
static bool
check_dollar(struct splitter *splitter, struct error *error)
{
    const char *next = splitter->text + splitter->at + 1;
    if (next[0] == '(')
        return fault(splitter, "$(", "a command substitution", error);
    if (next[0] == '\'' || next[0] == '"')
        return fault(splitter, "$ before a quote", "a shell's extension",
                     error);
    size_t len = 0;
    if (next[0] == '{') {
        len = strcspn(next, "}\n");
        len += next[len] == '}';
    } else if (is_name_start(next[0])) {
        while (is_name_start(next[len]) ||
               (next[len] >= '0' && next[len] <= '9'))
            len++;
    } else if (next[0] != '\0' && strchr("0123456789@*#?-$!", next[0])) {
        len = 1;
    }
    if (len == 0)
        return true;
    char name[48];
    size_t kept = len < sizeof(name) - 2 ? len : sizeof(name) - 2;
    name[0] = '$';
    memcpy(name + 1, next, kept);
    name[kept + 1] = '\0';
    return fault(splitter, name, "a variable", error);
}

static bool
put(struct splitter *splitter, char c, struct error *error)
{
    if (splitter->bytes++ >= SHELLWORDS_MAX_BYTES)
        return error_set(error, ERROR_CODE_LIMIT,
                         "the command is longer than %u bytes",
                         SHELLWORDS_MAX_BYTES);
    buffer_append_byte(&splitter->word, c);
    splitter->has_word = true;
    return true;
}

static bool
end_word(struct splitter *splitter, struct error *error)
{
    if (!splitter->has_word)
        return true;
    if (splitter->count >= SHELLWORDS_MAX_WORDS)
        return error_set(error, ERROR_CODE_LIMIT,
                         "the command has more than %d words",
                         SHELLWORDS_MAX_WORDS);
    if (splitter->count + 1 >= splitter->capacity) {
        splitter->capacity = splitter->capacity * 2 + 16;
        splitter->words = xreallocarray(splitter->words, splitter->capacity,
                                        sizeof(*splitter->words));
    }
    splitter->words[splitter->count++] = buffer_steal(&splitter->word);
    splitter->words[splitter->count] = NULL;
    splitter->has_word = false;
    return true;
}

static bool
read_single_quoted(struct splitter *splitter, struct error *error)
{
    size_t start = splitter->at++;
    splitter->has_word = true;
    while (splitter->text[splitter->at] != '\'') {
        if (splitter->text[splitter->at] == '\0') {
            splitter->at = start;
            return error_set(error, ERROR_CODE_INVALID,
                             "the ' has no closing '");
        }
        if (!put(splitter, splitter->text[splitter->at++], error))
            return false;
    }
    splitter->at++;
    return true;
}

/* Inside double quotes a backslash quotes only $ ` " \ and a line end. */
static bool
read_double_quoted(struct splitter *splitter, struct error *error)
{
    size_t start = splitter->at++;
    splitter->has_word = true;
    for (;;) {
        char c = splitter->text[splitter->at];
        char next = c ? splitter->text[splitter->at + 1] : '\0';
        if (c == '\0') {
            splitter->at = start;
            return error_set(error, ERROR_CODE_INVALID,
                             "the \" has no closing \"");
        }
        if (c == '"') {
            splitter->at++;
            return true;
        }
        if (c == '`')
            return fault(splitter, "`", "a command substitution", error);
        if (c == '$' && next != '"' && !check_dollar(splitter, error))
            return false;
        splitter->at++;
        if (c == '\\' && next != '\0' && strchr("$`\"\\\n", next)) {
            splitter->at++;
            c = next;
            if (c == '\n')
                continue;
        }
        if (!put(splitter, c, error))
            return false;
    }
}

static bool
read_backslash(struct splitter *splitter, struct error *error)
{
    char next = splitter->text[splitter->at + 1];
    if (next == '\0')
        return error_set(error, ERROR_CODE_INVALID,
                         "there is nothing after the last \\");
    if (next == '\r' && splitter->text[splitter->at + 2] == '\n') {
        splitter->at += 3;
        return true;
    }
    splitter->at += 2;
    return next == '\n' || put(splitter, next, error);
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Whether only blanks and comments follow. */
static bool
is_rest_empty(const char *text)
{
    for (; *text; text++) {
        if (*text == '#')
            text += strcspn(text, "\n") - 1;
        else if (!is_blank(*text))
            return false;
    }
    return true;
}

static bool
check_operator(struct splitter *splitter, struct error *error)
{
    const char *here = splitter->text + splitter->at;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        const char *text = refused[i].text;
        if (!strncmp(here, text, strlen(text)))
            return fault(splitter, text, refused[i].meaning, error);
    }
    if (here[0] == '~' && !splitter->has_word)
        return fault(splitter, "~", "a home directory", error);
    if (here[0] == '$')
        return check_dollar(splitter, error);
    return true;
}

static bool
read_character(struct splitter *splitter, struct error *error)
{
    char c = splitter->text[splitter->at];
    if (is_blank(c)) {
        splitter->at++;
        return end_word(splitter, error);
    }
    if (c == '\'')
        return read_single_quoted(splitter, error);
    if (c == '"')
        return read_double_quoted(splitter, error);
    if (c == '\\')
        return read_backslash(splitter, error);
    if (c == '#' && !splitter->has_word) {
        splitter->at += strcspn(splitter->text + splitter->at, "\n");
        return true;
    }
    if ((c == '&' || c == ';') &&
        is_rest_empty(splitter->text + splitter->at + 1)) {
        splitter->at += strlen(splitter->text + splitter->at);
        return true;
    }
    if (!check_operator(splitter, error))
        return false;
    splitter->at++;
    return put(splitter, c, error);
}

char **
shellwords_split(const char *text, size_t *ret_offset, struct error *error)
{
    struct splitter splitter = {.text = text};
    splitter.words = xcalloc(1, sizeof(*splitter.words));
    bool ok = true;
    while (ok && text[splitter.at])
        ok = read_character(&splitter, error);
    ok = ok && end_word(&splitter, error);
    buffer_finish(&splitter.word);
    if (ok)
        return splitter.words;
    if (ret_offset)
        *ret_offset = splitter.at;
    shellwords_free(splitter.words);
    return NULL;
}

void
shellwords_free(char **words)
{
    for (size_t i = 0; words && words[i]; i++)
        free(words[i]);
    free(words);
}

size_t
shellwords_count(char *const *words)
{
    size_t count = 0;
    while (words && words[count])
        count++;
    return count;
}

char **
shellwords_copy(char *const *words)
{
    if (!words)
        return NULL;
    size_t count = shellwords_count(words);
    char **copy = xcalloc(count + 1, sizeof(*copy));
    for (size_t i = 0; i < count; i++)
        copy[i] = xstrdup(words[i]);
    return copy;
}

static void
append_quoted(struct buffer *out, const char *word)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz"
                                "0123456789%+,-./:=@_";
    if (*word && strspn(word, plain) == strlen(word)) {
        buffer_append_text(out, word);
        return;
    }
    buffer_append_byte(out, '\'');
    for (; *word; word++) {
        if (*word == '\'')
            buffer_append_text(out, "'\\''");
        else
            buffer_append_byte(out, *word);
    }
    buffer_append_byte(out, '\'');
}

char *
shellwords_join(char *const *words)
{
    struct buffer out = {0};
    for (size_t i = 0; words[i]; i++) {
        if (i)
            buffer_append_byte(&out, ' ');
        append_quoted(&out, words[i]);
    }
    return buffer_steal(&out);
}
