#include "fleet/variables.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Columns of what a message shows. */
#define SHOWN_COLS 40

/* Letters, digits and _, no digit first. */
static size_t
name_length(const char *text)
{
    size_t len = 0;
    while (isalnum((unsigned char)text[len]) || text[len] == '_')
        len++;
    return isdigit((unsigned char)text[0]) ? 0 : len;
}

/* A variable's value, or NULL. */
static const char *
look_up(const struct variables *variables, const char *name)
{
    const char *value =
        variables->values
            ? json_string_value(json_object_get(variables->values, name))
            : getenv(name);
    if (value && variables->used)
        json_object_set_new(variables->used, name, json_from_text(value));
    return value;
}

static char *
bad_variable(const char *text, size_t len)
{
    char *shown = text_printable(text, len, SHOWN_COLS, TEXT_ONE_LINE);
    char *problem = xasprintf("\"%s\" is not a variable (write ${NAME} or "
                              "${NAME:-default}, and $${ for a plain ${)",
                              shown);
    free(shown);
    return problem;
}

/* Appends the value of the variable at text, "${…"; returns its length there,
 * or 0 with a problem. */
static size_t
expand_one(const struct variables *variables, const char *text,
           struct buffer *out, char **ret_problem)
{
    const char *end = strchr(text, '}');
    size_t len = end ? (size_t)(end - text) + 1 : strlen(text);
    size_t name_len = name_length(text + 2);
    const char *behind = text + 2 + name_len;
    bool has_default = end && !strncmp(behind, ":-", 2);
    if (!end || name_len == 0 || (behind != end && !has_default)) {
        *ret_problem = bad_variable(text, len);
        return 0;
    }
    char *name = xstrndup(text + 2, name_len);
    const char *value = look_up(variables, name);
    if (has_default && (!value || !*value))
        buffer_append(out, behind + 2, (size_t)(end - behind - 2));
    else if (value)
        buffer_append_text(out, value);
    else
        *ret_problem = xasprintf("the variable %s is not set (write "
                                 "${%s:-default} for one that may be missing)",
                                 name, name);
    free(name);
    return value || has_default ? len : 0;
}

char *
variables_expand(const struct variables *variables, const char *text,
                 char **ret_problem)
{
    struct buffer out = {0};
    while (*text) {
        size_t len = 1;
        if (!strncmp(text, "$${", 3)) {
            buffer_append_text(&out, "${");
            len = 3;
        } else if (!strncmp(text, "${", 2)) {
            len = expand_one(variables, text, &out, ret_problem);
        } else {
            buffer_append_byte(&out, *text);
        }
        bool is_long = out.len >= VARIABLES_MAX_BYTES;
        if (len && is_long)
            *ret_problem = xasprintf("this is longer than %d bytes with its "
                                     "variables expanded",
                                     VARIABLES_MAX_BYTES - 1);
        if (!len || is_long) {
            buffer_finish(&out);
            return NULL;
        }
        text += len;
    }
    return buffer_steal(&out);
}

/* Tells apart what people write where a file is wanted but no file is. */
static const char *
not_a_file(const char *path, bool has_variables)
{
    if (path[0] == '~')
        return has_variables ? "~ is not expanded here; write ${HOME}"
                             : "~ is not expanded here; write the whole path";
    bool is_variable = !strncmp(path, "$HOME", 5);
    if (has_variables && is_variable)
        return "variables have braces here; write ${HOME}";
    if (is_variable || (!has_variables && !strncmp(path, "${", 2)))
        return "variables are not expanded here; write the whole path";
    if (strstr(path, "://") && strcspn(path, "/") > strcspn(path, ":"))
        return "this is a URL, not a file";
    return path[0] ? NULL : "this is empty with its variables expanded";
}

static char *
absolute(const char *path, const char *directory)
{
    if (path[0] == '/')
        return xstrdup(path);
    while (!strncmp(path, "./", 2)) {
        path += 2;
        path += strspn(path, "/");
    }
    bool is_root = !strcmp(directory, "/");
    return xasprintf("%s/%s", is_root ? "" : directory, path);
}

char *
variables_path(const struct variables *variables, const char *text,
               const char *directory, char **ret_problem)
{
    char *expanded = variables ? variables_expand(variables, text, ret_problem)
                               : xstrdup(text);
    if (!expanded)
        return NULL;
    const char *problem = not_a_file(expanded, variables != NULL);
    char *path = problem ? NULL : absolute(expanded, directory);
    if (problem)
        *ret_problem = xstrdup(problem);
    free(expanded);
    return path;
}
