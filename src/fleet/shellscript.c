#include "fleet/shellscript.h"

#include "base/xalloc.h"
#include "fleet/shellscript-internal.h"
#include "fleet/shellwords.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* All words of a script together: variables could make them grow without end.
 */
#define MAX_TOTAL_BYTES (4u << 20)
#define MAX_COMMANDS 65536

/* Commands whose words are assignments. */
static const char *const declarations[] = {"export", "readonly", "local",
                                           "declare", "typeset"};

void
script_add(struct script_words *words, char *word)
{
    if (words->count + 1 >= words->capacity) {
        words->capacity = words->capacity * 2 + 8;
        words->items =
            xreallocarray(words->items, words->capacity, sizeof(*words->items));
    }
    words->items[words->count++] = word;
    words->items[words->count] = NULL;
}

void
script_words_finish(struct script_words *words)
{
    shellwords_free(words->items);
    *words = (struct script_words){0};
}

void
script_problem(struct script_reader *reader, const char *format, ...)
{
    if (reader->problem)
        return;
    va_list args;
    va_start(args, format);
    reader->problem = xvasprintf(format, args);
    va_end(args);
}

void
script_remark(struct script_reader *reader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    bool is_known = reader->is_value && reader->remark;
    for (size_t i = 0; !reader->is_value && i < reader->notes.count; i++)
        is_known = is_known || !strcmp(reader->notes.items[i], text);
    if (is_known)
        free(text);
    else if (reader->is_value)
        reader->remark = text;
    else
        script_add(&reader->notes, text);
}

bool
script_fault(struct script_reader *reader, enum error_code code,
             const char *text)
{
    return error_set(reader->error, code, "line %u: %s", reader->line, text);
}

bool
script_put(struct script_reader *reader, const char *text, size_t len)
{
    reader->bytes += len;
    if (reader->bytes > MAX_TOTAL_BYTES)
        return script_fault(reader, ERROR_CODE_LIMIT,
                            "the words of the script are more than 4 MiB");
    buffer_append(&reader->word, text, len);
    reader->has_word = reader->has_word || len > 0;
    return true;
}

bool
script_end_word(struct script_reader *reader)
{
    if (!reader->has_word)
        return true;
    char *word = buffer_steal(&reader->word);
    if (reader->words.count >= SHELLWORDS_MAX_WORDS) {
        free(word);
        return script_fault(reader, ERROR_CODE_LIMIT,
                            "the command has too many words");
    }
    /* Before a command, a lone $ is the prompt of a text. */
    bool is_first = !reader->words.count && !reader->assignments.count &&
                    !reader->is_quoted;
    if (is_first && (!strcmp(word, "$") || script_take_reserved(reader, word)))
        free(word);
    else
        script_add(&reader->words, word);
    script_note_line(reader);
    reader->has_word = false;
    reader->is_quoted = false;
    return true;
}

/* "export NAME=value": the words were taken already. */
static bool
is_declaration(const struct script_words *words)
{
    for (size_t i = 0; i < sizeof(declarations) / sizeof(declarations[0]);
         i++) {
        if (words->count && !strcmp(words->items[0], declarations[i]))
            return true;
    }
    return false;
}

static bool
end_command(struct script_reader *reader)
{
    if (!script_end_word(reader))
        return false;
    script_take_exports(reader);
    struct shellscript *nested = script_read_texts(reader);
    bool is_loop = script_begin_block(reader);
    struct shellscript *script = reader->script;
    if (reader->words.count || reader->assignments.count)
        reader->is_chained = false;
    if (script->count >= MAX_COMMANDS) {
        shellscript_free(nested);
        return script_fault(reader, ERROR_CODE_LIMIT,
                            "there are too many commands in the script");
    }
    if (reader->words.count && !is_loop && !is_declaration(&reader->words)) {
        if (reader->depth > reader->loop_count)
            script_add(&reader->notes,
                       xstrdup("it stands in a condition, a loop or a "
                               "function: it is taken as if it ran once"));
        script->commands = xreallocarray(script->commands, script->count + 1,
                                         sizeof(*script->commands));
        script->commands[script->count++] =
            (struct shellscript_command){reader->words.items,
                                         reader->assignments.items,
                                         reader->notes.items,
                                         reader->problem,
                                         nested,
                                         reader->command_line};
    } else {
        shellscript_free(nested);
        script_words_finish(&reader->words);
        script_words_finish(&reader->assignments);
        script_words_finish(&reader->notes);
        free(reader->problem);
    }
    reader->words = reader->assignments = reader->notes =
        (struct script_words){0};
    reader->problem = NULL;
    return true;
}

static bool
read_single_quoted(struct script_reader *reader)
{
    const char *start = reader->text + reader->at + 1;
    const char *end = strchr(start, '\'');
    if (!end)
        return script_fault(reader, ERROR_CODE_INVALID,
                            "the ' has no closing '");
    reader->has_word = true;
    if (!script_put(reader, start, (size_t)(end - start)))
        return false;
    for (const char *c = start; c < end; c++)
        reader->line += *c == '\n';
    reader->at = (size_t)(end - reader->text) + 1;
    return true;
}

static bool
read_double_quoted(struct script_reader *reader)
{
    unsigned line = reader->line;
    bool had_word = reader->has_word;
    size_t had_bytes = reader->word.len;
    reader->has_word = true;
    reader->has_nothing = false;
    reader->at++;
    for (;;) {
        const char *here = reader->text + reader->at;
        bool ok = true;
        if (here[0] == '"') {
            reader->at++;
            if (reader->has_nothing && reader->word.len == had_bytes)
                reader->has_word = had_word;
            return true;
        }
        if (here[0] == '\0') {
            reader->line = line;
            return script_fault(reader, ERROR_CODE_INVALID,
                                "the \" has no closing \"");
        }
        if (here[0] == '$') {
            ok = script_expand(reader, true, 0);
        } else if (here[0] == '`') {
            reader->at++;
            script_skip_nested(reader, '\0', '`');
            script_problem(reader, "`…` needs a shell to tell its value");
        } else {
            bool is_escape =
                here[0] == '\\' && here[1] && strchr("$`\"\\\n", here[1]);
            const char *c = here + is_escape;
            reader->line += *c == '\n';
            reader->at += is_escape ? 2 : 1;
            ok = (is_escape && *c == '\n') || script_put(reader, c, 1);
        }
        if (!ok)
            return false;
    }
}

bool
script_read_quoted(struct script_reader *reader)
{
    reader->is_quoted = true;
    return reader->text[reader->at] == '\'' ? read_single_quoted(reader)
                                            : read_double_quoted(reader);
}

bool
script_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* One character outside of quotes that is neither blank nor operator. */
static bool
read_plain(struct script_reader *reader)
{
    const char *here = reader->text + reader->at;
    if (here[0] == '\'' || here[0] == '"')
        return script_read_quoted(reader);
    if (here[0] == '$' && (here[1] == '"' || here[1] == '\'')) {
        reader->at++;
        if (here[1] == '\'')
            script_problem(reader, "$'…' is a shell's extension");
        return script_read_quoted(reader);
    }
    if (here[0] == '$')
        return script_expand(reader, false, 0);
    if (here[0] == '`') {
        bool is_comment = here[1 + strspn(here + 1, " \t")] == '#';
        reader->at++;
        script_skip_nested(reader, '\0', '`');
        if (is_comment)
            return true;
        script_problem(reader, "`…` needs a shell to tell its value");
        reader->has_word = true;
        return true;
    }
    if (here[0] == '\\') {
        size_t end = here[1] == '\r' && here[2] == '\n' ? 2 : 1;
        size_t blanks = strspn(here + 1, " \t");
        if (blanks && strchr("\r\n", here[1 + blanks]))
            script_problem(reader,
                           "the \\ at the end of line %u has a blank behind "
                           "it, so that it joins nothing: take the blank away",
                           reader->line);
        reader->at += here[end] ? end + 1 : 1;
        reader->line += here[end] == '\n';
        reader->is_quoted = reader->is_quoted || here[end] != '\n';
        return here[end] == '\n' || !here[end] ||
               script_put(reader, here + end, 1);
    }
    const char *home = getenv("HOME");
    if (here[0] == '~' && !reader->has_word && home &&
        (here[1] == '/' || script_is_blank(here[1]) || here[1] == '\n')) {
        reader->at++;
        return script_put(reader, home, strlen(home));
    }
    if (here[0] == '*' || here[0] == '?')
        script_problem(reader, "%c is a file name pattern, which needs a shell",
                       here[0]);
    reader->at++;
    return script_put(reader, here, 1);
}

bool
script_read_word(struct script_reader *reader)
{
    bool ok = true;
    while (ok && reader->text[reader->at] &&
           !strchr(" \t\r\n;&|<>()", reader->text[reader->at]))
        ok = read_plain(reader);
    return ok;
}

/* "(a b c)", at is behind the parenthesis. */
static bool
read_array(struct script_reader *reader, struct script_words *ret)
{
    struct script_words outer = reader->words;
    reader->words = (struct script_words){0};
    reader->keeps_blanks = false;
    bool ok = true;
    /* The first word must not be taken for a reserved one. */
    script_add(&reader->words, xstrdup(""));
    for (;;) {
        char c = reader->text[reader->at];
        if (c == '#' && !reader->has_word) {
            reader->at += strcspn(reader->text + reader->at, "\n");
            continue;
        }
        if (!ok || c == '\0' || c == ')')
            break;
        if (script_is_blank(c) || c == '\n') {
            reader->line += c == '\n';
            reader->at++;
            ok = script_end_word(reader);
        } else {
            ok = read_plain(reader);
        }
    }
    ok = ok && script_end_word(reader);
    reader->at += reader->text[reader->at] == ')';
    for (size_t i = 1; i < reader->words.count; i++) {
        script_add(ret, reader->words.items[i]);
        reader->words.items[i] = NULL;
    }
    free(reader->words.count ? reader->words.items[0] : NULL);
    free(reader->words.items);
    reader->words = outer;
    return ok;
}

/* Whether NAME= or NAME+= stands here, where a command's first words are.
 * *ret_len: of the name. */
static bool
is_assignment(const struct script_reader *reader, size_t *ret_len)
{
    if (reader->has_word ||
        (reader->words.count && !is_declaration(&reader->words)))
        return false;
    const char *here = reader->text + reader->at;
    *ret_len = script_name_length(here);
    const char *rest = here + *ret_len;
    return *ret_len > 0 && (rest[0] == '=' || !strncmp(rest, "+=", 2));
}

/* What follows the assignment decides whether it is the script's or a
 * command's own. */
static bool
read_assignment(struct script_reader *reader, size_t len)
{
    const char *name = reader->text + reader->at;
    unsigned flags = name[len] == '+' ? SCRIPT_SET_APPEND : 0;
    char *outer_problem = reader->problem;
    reader->problem = NULL;
    reader->is_value = true;
    reader->at += len + (flags ? 2 : 1);
    struct script_words values = {0};
    bool is_array = reader->text[reader->at] == '(';
    bool ok = true;
    if (is_array) {
        flags |= SCRIPT_SET_ARRAY;
        reader->at++;
        ok = read_array(reader, &values);
    } else {
        reader->keeps_blanks = true;
        ok = script_read_word(reader);
        script_add(&values, buffer_steal(&reader->word));
        reader->has_word = reader->is_quoted = false;
    }
    reader->keeps_blanks = false;
    if (!is_array && ok && !reader->words.count)
        script_add(&reader->assignments,
                   xasprintf("%.*s=%s", (int)len, name, values.items[0]));
    if (script_is_exporting(reader))
        flags |= SCRIPT_SET_EXPORT;
    script_set(reader, name, len, flags, &values, reader->problem);
    reader->problem = outer_problem;
    reader->is_value = false;
    return ok;
}

static bool
read_operator(struct script_reader *reader)
{
    const char *here = reader->text + reader->at;
    if (here[0] == '&' && here[1] == '>') {
        reader->at++;
        return script_read_redirection(reader);
    }
    size_t at = reader->at;
    if (!script_end_word(reader))
        return false;
    if (reader->at != at)
        return true; /* a loop's next turn */
    if (!strncmp(here, "((", 2) && reader->words.count == 1 &&
        !strcmp(reader->words.items[0], "for"))
        return script_begin_counting(reader);
    if (here[0] == '|' && here[1] != '|' && reader->words.count)
        script_add(&reader->notes,
                   xstrdup("its pipe was left out: guestmux keeps what the "
                           "consoles print"));
    bool is_double = here[0] == here[1] && strchr(";&|", here[0]);
    reader->at += is_double ? 2 : 1;
    if (!end_command(reader))
        return false;
    reader->is_chained = is_double && here[0] != ';';
    return true;
}

static bool
read_step(struct script_reader *reader)
{
    char c = reader->text[reader->at];
    size_t len = 0;
    if (script_is_blank(c)) {
        reader->at++;
        return script_end_word(reader);
    }
    if (c == '\n') {
        size_t at = reader->at;
        bool ok = end_command(reader);
        if (reader->at != at)
            return ok; /* a loop's next turn */
        reader->at++;
        reader->line++;
        script_skip_heredocs(reader);
        return ok;
    }
    if (c == '#' && !reader->has_word) {
        reader->at += strcspn(reader->text + reader->at, "\n");
        return true;
    }
    if (!reader->has_word)
        reader->word_line = reader->line;
    if (!reader->has_word && !reader->words.count && !reader->assignments.count)
        reader->command_line = reader->line;
    if (is_assignment(reader, &len))
        return read_assignment(reader, len);
    if (c == '<' || c == '>')
        return script_read_redirection(reader);
    if (strchr(";&|()", c))
        return read_operator(reader);
    return read_plain(reader);
}

/* PWD is a shell's own, not the environment's. */
static void
set_directory(struct script_reader *reader)
{
    char *directory = getcwd(NULL, 0);
    struct script_words values = {0};
    if (!directory)
        return;
    script_add(&values, directory);
    script_set(reader, "PWD", strlen("PWD"), SCRIPT_SET_EXPORT, &values, NULL);
}

void
script_finish(struct script_reader *reader)
{
    for (size_t i = 0; i < reader->variable_count; i++) {
        free(reader->variables[i].name);
        free(reader->variables[i].problem);
        free(reader->variables[i].remark);
        script_words_finish(&reader->variables[i].values);
    }
    free(reader->variables);
    for (size_t i = 0; i < reader->heredoc_count; i++)
        free(reader->heredocs[i]);
    script_words_finish(&reader->words);
    script_words_finish(&reader->assignments);
    script_words_finish(&reader->notes);
    buffer_finish(&reader->word);
    free(reader->problem);
    free(reader->remark);
    free(reader->lines);
    script_blocks_finish(reader);
}

bool
script_read_all(struct script_reader *reader)
{
    bool ok = true;
    /* The last word may be a loop's "done", which leads back. */
    for (size_t end = SIZE_MAX; ok && reader->at != end;) {
        end = reader->text[reader->at] ? SIZE_MAX : reader->at;
        ok = end == SIZE_MAX ? read_step(reader) : end_command(reader);
    }
    return ok;
}

struct shellscript *
shellscript_read(const char *text, size_t len, struct error *error)
{
    return shellscript_read_nested(text, len, NULL, error);
}

struct shellscript *
shellscript_read_nested(const char *text, size_t len,
                        shellscript_text_fn find_text, struct error *error)
{
    if (len > SHELLSCRIPT_MAX_BYTES || memchr(text, '\0', len)) {
        error_set(error, ERROR_CODE_INVALID,
                  len > SHELLSCRIPT_MAX_BYTES
                      ? "the script is larger than 1 MiB"
                      : "this is no shell script: it has a zero byte");
        return NULL;
    }
    char *copy = xstrndup(text, len);
    struct script_reader reader = {
        .text = copy, .line = 1, .error = error, .find_text = find_text};
    reader.script = xcalloc(1, sizeof(*reader.script));
    set_directory(&reader);
    bool ok = script_read_all(&reader);
    script_finish(&reader);
    free(copy);
    if (ok)
        return reader.script;
    shellscript_free(reader.script);
    return NULL;
}

void
shellscript_free(struct shellscript *script)
{
    for (size_t i = 0; script && i < script->count; i++) {
        struct shellscript_command *command = &script->commands[i];
        shellwords_free(command->words);
        shellwords_free(command->assignments);
        shellwords_free(command->notes);
        free(command->problem);
        shellscript_free(command->nested);
    }
    if (script)
        free(script->commands);
    free(script);
}
