#include "base/json.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"
#include "cli/strip.h"
#include "tui/save.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option options[] = {
    {
        .name = "force",
        .letter = 'f',
        .type = OPTION_FLAG,
        .summary = "save: replace a file that exists",
    },
    ROW_JSON,
};

static int
print_list(const struct cli *cli, const json_t *value)
{
    if (options_has(&cli->options, "json")) {
        output_json(value);
        return COMMAND_DONE;
    }
    static const char *const head[] = {"BUFFER", "LINES", "BYTES", "FROM",
                                       "TEXT"};
    struct output_table *table = output_table_new(5);
    output_table_add(table, head);
    const json_t *list = json_object_get(value, "buffers");
    for (size_t i = 0; i < json_array_size(list); i++) {
        static const char *const numbers[] = {"number", "lines", "bytes"};
        const json_t *buffer = json_array_get(list, i);
        char cells[3][24];
        const char *row[5] = {cells[0], cells[1], cells[2]};
        for (size_t j = 0; j < 3; j++)
            (void)snprintf(cells[j], sizeof(cells[j]), "%lld",
                           (long long)json_integer_value(
                               json_object_get(buffer, numbers[j])));
        const char *from = json_string_value(json_object_get(buffer, "from"));
        row[3] = from ? from : "-";
        row[4] = json_string_value(json_object_get(buffer, "preview"));
        output_table_add(table, row);
    }
    output_table_print(table);
    return COMMAND_DONE;
}

/* Whole to a file or a pipe; to a terminal what is fit to show. */
static int
print_text(const struct cli *cli, const json_t *value)
{
    const json_t *text = json_object_get(value, "text");
    if (options_has(&cli->options, "json")) {
        output_json(value);
        return COMMAND_DONE;
    }
    struct strip strip = {.flags = STRIP_ALL};
    struct buffer out = {0};
    if (isatty(STDOUT_FILENO))
        strip_feed(&strip, json_string_value(text), json_string_length(text),
                   &out);
    else
        buffer_append(&out, json_string_value(text), json_string_length(text));
    (void)fwrite(out.data ? out.data : "", 1, out.len, stdout);
    if (!out.data || !out.len || out.data[out.len - 1] != '\n')
        (void)putchar('\n');
    buffer_finish(&out);
    strip_finish(&strip);
    return COMMAND_DONE;
}

static int
save_text(const struct cli *cli, const json_t *value)
{
    struct error error = {0};
    const json_t *text = json_object_get(value, "text");
    unsigned flags =
        options_has(&cli->options, "force") ? SAVE_REPLACE : SAVE_NEW;
    if (save_text_file(cli->options.arguments[1], json_string_value(text),
                       json_string_length(text), flags, &error))
        return COMMAND_DONE;
    if (error.code == ERROR_CODE_EXISTS)
        (void)error_prefix(&error, "not saved (--force replaces it)");
    return cli_fail(&error);
}

/* What can be done with buffers; the argument that may be their number. */
static const struct {
    const char *name;
    const char *method;
    int number_at; /* index of the argument; 0: none */
    int min_arguments;
    int (*tell)(const struct cli *cli, const json_t *value); /* NULL: nothing */
} verbs[] = {
    {"list", "buffer-list", 0, 1, print_list},
    {"show", "buffer-get", 1, 1, print_text},
    {"save", "buffer-get", 2, 2, save_text},
    {"delete", "buffer-delete", 1, 1, NULL},
};
#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

/* The verb that is meant, or VERB_COUNT with error. */
static size_t
find_verb(const struct cli *cli, struct error *error)
{
    const struct options *given = &cli->options;
    const char *name = given->argument_count > 0 ? given->arguments[0] : "list";
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(name, verbs[i].name) != 0)
            continue;
        int max = verbs[i].number_at ? verbs[i].number_at + 1 : 1;
        int count = given->argument_count > 0 ? given->argument_count : 1;
        if (count >= verbs[i].min_arguments && count <= max)
            return i;
        error_set(error, ERROR_CODE_INVALID, "wrong arguments for buffer %s",
                  name);
        return VERB_COUNT;
    }
    error_set(error, ERROR_CODE_INVALID,
              "buffer does list, show, save or delete, not \"%s\"", name);
    return VERB_COUNT;
}

static bool
read_number(const struct cli *cli, size_t verb, json_t **ret_arguments,
            struct error *error)
{
    int at = verbs[verb].number_at;
    *ret_arguments = json_object();
    if (!at || cli->options.argument_count <= at)
        return true;
    char *end = NULL;
    const char *text = cli->options.arguments[at];
    long long number = strtoll(text, &end, 10);
    if (number > 0 && *end == '\0') {
        json_object_set_new(*ret_arguments, "number", json_integer(number));
        return true;
    }
    json_decref(*ret_arguments);
    return error_set(error, ERROR_CODE_INVALID,
                     "\"%s\" is no buffer's number; `guestmux buffer` lists "
                     "them",
                     text);
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    json_t *arguments = NULL;
    size_t verb = find_verb(cli, &error);
    if (verb == VERB_COUNT || !read_number(cli, verb, &arguments, &error)) {
        return cli_fail_usage(cli, &error);
    }
    return session_ask(cli, verbs[verb].method, arguments,
                       SESSION_REPLY_TIMEOUT_MS, verbs[verb].tell);
}

const struct command cmd_buffer = {
    .name = "buffer",
    .usage = "[list | show [NUMBER] | save FILE [NUMBER] | delete [NUMBER]]",
    .summary = "Show or save what was copied in the deck",
    .text = "The newest buffer is meant when no number is given. `save` "
            "replaces no file unless --force is given.",
    COMMAND_OPTIONS(options),
    .max_arguments = 3,
    .run = run,
};
