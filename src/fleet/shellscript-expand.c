/* Variables of a script: set, and put in place of $NAME. */
#include "base/xalloc.h"
#include "fleet/shellscript-internal.h"

#include <stdlib.h>
#include <string.h>

/* Variables of one script. */
#define MAX_VARIABLES 1024
/* "${a:-${b:-…}}" */
#define MAX_DEPTH 8
/* Bytes of a name or expansion that a message shows. */
#define SHOWN_BYTES 40

/* What a script may count on from outside; it means the same here. */
static const char *const environment[] = {"HOME", "LOGNAME", "USER"};

static bool
is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

size_t
script_name_length(const char *text)
{
    size_t len = 0;
    if (!is_name_start(text[0]))
        return 0;
    while (is_name_start(text[len]) || (text[len] >= '0' && text[len] <= '9'))
        len++;
    return len;
}

struct script_variable *
script_find(struct script_reader *reader, const char *name, size_t len)
{
    for (size_t i = 0; i < reader->variable_count; i++) {
        struct script_variable *variable = &reader->variables[i];
        if (strlen(variable->name) == len &&
            !strncmp(variable->name, name, len))
            return variable;
    }
    return NULL;
}

/* VAR+=text goes on with the text, VAR+=(…) with the array. */
static void
append_values(struct script_variable *variable, struct script_words *values,
              bool is_array)
{
    for (size_t i = 0; i < values->count; i++) {
        if (!is_array && variable->values.count > 0) {
            char **last = &variable->values.items[0];
            char *joined = xasprintf("%s%s", *last, values->items[i]);
            free(*last);
            *last = joined;
        } else {
            script_add(&variable->values, xstrdup(values->items[i]));
        }
    }
    script_words_finish(values);
}

/* What is to be said when the value is used: where it comes from. */
static void
set_remark(struct script_reader *reader, struct script_variable *variable,
           unsigned flags)
{
    bool is_in_block = reader->depth > reader->loop_count || reader->is_chained;
    if (is_in_block && !(flags & SCRIPT_SET_TURN)) {
        free(reader->remark);
        reader->remark = xasprintf("$%s: what line %u says is taken, in a "
                                   "condition, a loop or a function",
                                   variable->name, reader->line);
    }
    if (reader->remark) {
        free(variable->remark);
        variable->remark = reader->remark;
        variable->depth =
            is_in_block && !reader->is_chained ? reader->depth : 0;
        reader->remark = NULL;
    }
}

void
script_set(struct script_reader *reader, const char *name, size_t len,
           unsigned flags, struct script_words *values, char *problem)
{
    struct script_variable *variable = script_find(reader, name, len);
    if (!variable && reader->variable_count < MAX_VARIABLES) {
        reader->variables =
            xreallocarray(reader->variables, reader->variable_count + 1,
                          sizeof(*reader->variables));
        variable = &reader->variables[reader->variable_count++];
        *variable = (struct script_variable){.name = xstrndup(name, len)};
    }
    if (!variable) {
        script_words_finish(values);
        free(problem);
        return;
    }
    if (!(flags & SCRIPT_SET_APPEND)) {
        script_words_finish(&variable->values);
        free(variable->problem);
        free(variable->remark);
        variable->problem = variable->remark = NULL;
    }
    variable->is_exported =
        variable->is_exported || (flags & SCRIPT_SET_EXPORT);
    set_remark(reader, variable, flags);
    if (problem && !variable->problem)
        variable->problem = problem;
    else
        free(problem);
    append_values(variable, values, (flags & SCRIPT_SET_ARRAY) != 0);
}

void
script_skip_nested(struct script_reader *reader, char open, char close)
{
    size_t nested = 0;
    const char *text = reader->text;
    for (; text[reader->at]; reader->at++) {
        char c = text[reader->at];
        reader->line += c == '\n';
        if (c == '\\' && text[reader->at + 1] != '\0') {
            reader->line += text[++reader->at] == '\n';
        } else if (c == close && nested <= 1) {
            reader->at++;
            return;
        } else if (c == close) {
            nested--;
        } else if (c == open) {
            nested++;
        }
    }
}

bool
script_put_value(struct script_reader *reader, const char *value,
                 bool is_quoted)
{
    if (is_quoted || reader->keeps_blanks) {
        reader->has_word = reader->has_word || is_quoted || value[0];
        return script_put(reader, value, strlen(value));
    }
    while (*value) {
        size_t blanks = strspn(value, " \t\n");
        if (blanks && !script_end_word(reader))
            return false;
        value += blanks;
        size_t len = strcspn(value, " \t\n");
        if (len && !script_put(reader, value, len))
            return false;
        value += len;
    }
    return true;
}

/* "${A[@]}": each value a word of its own. */
static bool
put_all(struct script_reader *reader, const struct script_variable *variable,
        bool is_quoted)
{
    reader->has_nothing = variable->values.count == 0;
    for (size_t i = 0; i < variable->values.count; i++) {
        bool ok = true;
        if (i > 0)
            ok = reader->keeps_blanks ? script_put(reader, " ", 1)
                                      : script_end_word(reader);
        if (!ok ||
            !script_put_value(reader, variable->values.items[i], is_quoted))
            return false;
    }
    return true;
}

/* What a name of the environment stands for, or NULL. */
static const char *
from_environment(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(environment) / sizeof(environment[0]); i++) {
        if (strlen(environment[i]) == len &&
            !strncmp(environment[i], name, len))
            return getenv(environment[i]);
    }
    return NULL;
}

/* Puts a variable's value; false when it is not set. *ret_ok: within the limit.
 */
static bool
put_variable(struct script_reader *reader, const char *name, size_t len,
             bool is_all, bool is_quoted, bool *ret_ok)
{
    const struct script_variable *variable = script_find(reader, name, len);
    if (variable && variable->problem)
        script_problem(reader, "$%s: %s", variable->name, variable->problem);
    /* In its own block it is what it says there. */
    if (variable && variable->remark &&
        (!variable->depth || variable->depth > reader->depth))
        script_remark(reader, "%s", variable->remark);
    if (variable && is_all) {
        *ret_ok = put_all(reader, variable, is_quoted);
        return true;
    }
    const char *value = from_environment(name, len);
    if (variable)
        value = variable->values.count ? variable->values.items[0] : "";
    if (value)
        *ret_ok = script_put_value(reader, value, is_quoted);
    return value != NULL;
}

/* The word in "${NAME:-word}", up to its brace. */
static bool
read_default(struct script_reader *reader, struct buffer *ret, int depth)
{
    struct buffer outer = reader->word;
    bool had_word = reader->has_word;
    bool kept_blanks = reader->keeps_blanks;
    reader->word = (struct buffer){0};
    reader->keeps_blanks = true;
    bool ok = true;
    while (ok && reader->text[reader->at] && reader->text[reader->at] != '}') {
        char c = reader->text[reader->at];
        if (c == '$') {
            ok = script_expand(reader, true, depth + 1);
        } else if (c == '"') {
            reader->at++;
        } else {
            reader->at += c == '\\' && reader->text[reader->at + 1] != '\0';
            reader->line += reader->text[reader->at] == '\n';
            ok = script_put(reader, reader->text + reader->at, 1);
            reader->at++;
        }
    }
    *ret = reader->word;
    reader->word = outer;
    reader->has_word = had_word;
    reader->keeps_blanks = kept_blanks;
    return ok;
}

static void
unknown_expansion(struct script_reader *reader, size_t start)
{
    size_t len = reader->at - start;
    script_problem(reader, "%.*s needs a shell to tell its value",
                   (int)(len < SHOWN_BYTES ? len : SHOWN_BYTES),
                   reader->text + start);
}

/* The word of "${NAME:-word}", which begins at start. */
static bool
put_default(struct script_reader *reader, size_t start, const char *word,
            bool is_quoted)
{
    size_t len = reader->at - start;
    script_remark(reader,
                  "%.*s: it is not set in the script, \"%.*s\" is taken",
                  (int)(len < SHOWN_BYTES ? len : SHOWN_BYTES),
                  reader->text + start, SHOWN_BYTES, word);
    return script_put_value(reader, word, is_quoted);
}

/* "${NAME}", "${NAME[@]}", "${NAME:-word}"; at is behind the brace. */
static bool
expand_braces(struct script_reader *reader, bool is_quoted, int depth)
{
    size_t start = reader->at - 2;
    const char *name = reader->text + reader->at;
    size_t len = script_name_length(name);
    const char *rest = name + len;
    bool is_all = !strncmp(rest, "[@]", 3) || !strncmp(rest, "[*]", 3);
    rest += is_all || !strncmp(rest, "[0]", 3) ? 3 : 0;
    bool has_default = (rest[0] == ':' && (rest[1] == '-' || rest[1] == '=')) ||
                       rest[0] == '-' || rest[0] == '=';
    bool ok = true;
    if (len > 0 && rest[0] == '}') {
        reader->at = (size_t)(rest - reader->text) + 1;
        if (!put_variable(reader, name, len, is_all, is_quoted, &ok))
            script_problem(reader, "$%.*s is not set in the script",
                           (int)(len < SHOWN_BYTES ? len : SHOWN_BYTES), name);
        return ok;
    }
    bool is_parameter = name[0] >= '1' && name[0] <= '9';
    if (is_parameter) {
        len = 1;
        rest = name + 1;
        has_default = rest[0] == ':' && rest[1] == '-';
    }
    if (len == 0 || !has_default || depth > MAX_DEPTH) {
        reader->at = start + 1;
        script_skip_nested(reader, '{', '}');
        unknown_expansion(reader, start);
        return true;
    }
    struct buffer word = {0};
    reader->at = (size_t)(rest - reader->text) + (rest[0] == ':' ? 2 : 1);
    ok = read_default(reader, &word, depth);
    reader->at += reader->text[reader->at] == '}';
    if (ok && (is_parameter ||
               !put_variable(reader, name, len, false, is_quoted, &ok)))
        ok = put_default(reader, start, word.data ? word.data : "", is_quoted);
    buffer_finish(&word);
    return ok;
}

bool
script_expand(struct script_reader *reader, bool is_quoted, int depth)
{
    size_t start = reader->at++;
    const char *next = reader->text + reader->at;
    size_t len = script_name_length(next);
    bool ok = true;
    if (len > 0) {
        reader->at += len;
        if (!put_variable(reader, next, len, false, is_quoted, &ok))
            script_problem(reader, "$%.*s is not set in the script",
                           (int)(len < SHOWN_BYTES ? len : SHOWN_BYTES), next);
    } else if (next[0] == '{') {
        reader->at++;
        ok = expand_braces(reader, is_quoted, depth);
    } else if (next[0] == '(') {
        if (script_calculate(reader, &ok))
            return ok;
        script_skip_nested(reader, '(', ')');
        unknown_expansion(reader, start);
        reader->has_word = true;
    } else if ((next[0] == '@' || next[0] == '*') && !reader->has_arguments) {
        reader->at++;
        reader->has_nothing = true;
        script_add(&reader->notes,
                   xasprintf("$%c: left out, a script that is imported has no "
                             "arguments",
                             next[0]));
    } else if (next[0] != '\0' && strchr("0123456789#?-$!@*", next[0])) {
        reader->at++;
        unknown_expansion(reader, start);
    } else {
        ok = script_put(reader, "$", 1);
    }
    return ok;
}
