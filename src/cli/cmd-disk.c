#include "base/json.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/clone.h"
#include "cli/cmd.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option options[] = {
    {
        .name = "full",
        .type = OPTION_FLAG,
        .summary = "clone: copy what is on the disks",
    },
    ROW_YES,
    ROW_JSON,
};

/* "1.5G" of bytes; "-" when they are not known. */
#define SIZE_BYTES 16
static void
size_text(const json_t *value, char text[SIZE_BYTES])
{
    static const char units[] = "BKMGTP";
    double number = (double)json_integer_value(value);
    unsigned unit = 0;
    if (!json_is_integer(value)) {
        (void)snprintf(text, SIZE_BYTES, "-");
        return;
    }
    for (; number >= 1024 && unit < 5; unit++)
        number /= 1024;
    bool is_whole = number >= 99.95 || number - (double)(long)number < 0.05;
    (void)snprintf(text, SIZE_BYTES, is_whole ? "%.0f%c" : "%.1f%c", number,
                   units[unit]);
}

static const char *
text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* What is wrong with a disk, or what it is. */
static const char *
note_of(const json_t *disk)
{
    size_t index;
    const json_t *image;
    if (json_is_true(json_object_get(disk, "made")) &&
        !json_is_true(json_object_get(disk, "exists")))
        return "made at the first start";
    json_array_foreach(json_object_get(disk, "chain"), index, image)
    {
        if (json_is_string(json_object_get(image, "problem")))
            return index ? "what it lies over cannot be read"
                         : "cannot be read";
    }
    return json_is_true(json_object_get(disk, "read-only")) ? "read-only" : "";
}

static void
add_row(struct output_table *table, const json_t *disk)
{
    const json_t *chain = json_object_get(disk, "chain");
    const json_t *top = json_array_get(chain, 0);
    const json_t *size = json_object_get(
        top ? top : disk, top ? "virtual-bytes" : "wanted-bytes");
    char cells[3][SIZE_BYTES];
    size_text(size, cells[0]);
    size_text(json_object_get(top, "actual-bytes"), cells[1]);
    size_text(json_object_get(disk, "free-bytes"), cells[2]);
    const char *base = text_of(disk, "base");
    const char *row[] = {text_of(disk, "guest"),
                         text_of(disk, "name"),
                         cells[0],
                         cells[1],
                         cells[2],
                         text_of(disk, "file"),
                         base[0] ? base : "-",
                         note_of(disk)};
    output_table_add(table, row);
}

static int
print_list(const json_t *value)
{
    static const char *const head[] = {"GUEST", "DISK", "SIZE", "USED",
                                       "FREE",  "FILE", "OVER", "NOTE"};
    const json_t *disks = json_object_get(value, "disks");
    if (!json_array_size(disks)) {
        (void)fprintf(stderr, "no disks\n");
        return COMMAND_DONE;
    }
    struct output_table *table = output_table_new(8);
    output_table_add(table, head);
    for (size_t i = 0; i < json_array_size(disks); i++)
        add_row(table, json_array_get(disks, i));
    output_table_print(table);
    return COMMAND_DONE;
}

static void
print_image(const json_t *image, size_t depth)
{
    char virtual_size[SIZE_BYTES];
    char actual[SIZE_BYTES];
    size_text(json_object_get(image, "virtual-bytes"), virtual_size);
    size_text(json_object_get(image, "actual-bytes"), actual);
    const char *format = text_of(image, "format");
    const char *problem = text_of(image, "problem");
    char *line =
        xasprintf("  %*s%s%s  %s, size %s, used %s%s%s", (int)depth * 2, "",
                  depth ? "over " : "", text_of(image, "file"),
                  format[0] ? format : "format not known", virtual_size, actual,
                  problem[0] ? ": " : "", problem);
    output_line(line);
    free(line);
}

static int
print_info(const json_t *value)
{
    size_t index;
    const json_t *disk;
    json_array_foreach(json_object_get(value, "disks"), index, disk)
    {
        char free_size[SIZE_BYTES];
        size_text(json_object_get(disk, "free-bytes"), free_size);
        char *line = xasprintf(
            "%s %s: %s, %s%s; %s free where it lies", text_of(disk, "guest"),
            text_of(disk, "name"), text_of(disk, "interface"),
            json_is_true(json_object_get(disk, "made")) ? "made by guestmux"
                                                        : "your own image",
            json_is_true(json_object_get(disk, "read-only")) ? ", read-only"
                                                             : "",
            free_size);
        output_line(line);
        free(line);
        const json_t *chain = json_object_get(disk, "chain");
        for (size_t i = 0; i < json_array_size(chain); i++)
            print_image(json_array_get(chain, i), i);
        if (!json_array_size(chain)) {
            line = xasprintf("  %s  made at the first start%s%s",
                             text_of(disk, "file"),
                             text_of(disk, "base")[0] ? ", over " : "",
                             text_of(disk, "base"));
            output_line(line);
            free(line);
        }
    }
    return COMMAND_DONE;
}

/* Leaves the disk with that name alone in the list; false: there is none. */
static bool
choose_disk(json_t *value, const char *name)
{
    json_t *disks = json_object_get(value, "disks");
    for (size_t i = json_array_size(disks); name && i > 0; i--) {
        if (strcmp(text_of(json_array_get(disks, i - 1), "name"), name) != 0)
            json_array_remove(disks, i - 1);
    }
    return !name || json_array_size(disks) > 0;
}

static int
list(struct cli *cli, struct session *session)
{
    const struct options *given = &cli->options;
    bool is_info =
        given->argument_count > 0 && !strcmp(given->arguments[0], "info");
    const char *disk = given->argument_count > 2 ? given->arguments[2] : NULL;
    json_t *arguments = json_object();
    json_t *value = NULL;
    struct error error = {0};
    if (given->argument_count > 1)
        json_object_set_new(arguments, "guest",
                            json_from_text(given->arguments[1]));
    if (!session_call(session, "disk-list", arguments, SESSION_REPLY_TIMEOUT_MS,
                      &value, &error))
        return session_fail(session, &error);
    int status = COMMAND_DONE;
    if (!choose_disk(value, disk)) {
        error_set(&error, ERROR_CODE_NOT_FOUND, "%s has no disk \"%s\"",
                  given->arguments[1], disk);
        status = session_fail(session, &error);
    } else if (options_has(given, "json")) {
        output_json(json_object_get(value, "disks"));
    } else {
        status = is_info ? print_info(value) : print_list(value);
    }
    json_decref(value);
    return status;
}

static int
change(struct session *session, const char *method, json_t *arguments,
       const char *done)
{
    struct error error = {0};
    char *text = xasprintf("%s%s%s: %s", text_of(arguments, "guest"),
                           text_of(arguments, "disk")[0] ? " " : "",
                           text_of(arguments, "disk"), done);
    int status = COMMAND_DONE;
    if (session_call(session, method, arguments, SESSION_NO_TIMEOUT, NULL,
                     &error))
        output_line(text);
    else
        status = session_fail(session, &error);
    free(text);
    return status;
}

static int
resize(struct cli *cli, struct session *session)
{
    const struct options *given = &cli->options;
    int last = given->argument_count - 1;
    json_t *arguments = json_object();
    json_object_set_new(arguments, "guest",
                        json_from_text(given->arguments[1]));
    if (last == 3)
        json_object_set_new(arguments, "disk",
                            json_from_text(given->arguments[2]));
    json_object_set_new(arguments, "size",
                        json_from_text(given->arguments[last]));
    char *done = xasprintf("has %s now", given->arguments[last]);
    int status = change(session, "disk-resize", arguments, done);
    free(done);
    return status;
}

/* What is lost, told before it is. */
static bool
confirm_reset(struct cli *cli, struct session *session, const char *guest,
              const char *disk)
{
    json_t *value = NULL;
    char used[SIZE_BYTES] = "-";
    char *file = NULL;
    if (options_has(&cli->options, "yes"))
        return true;
    if (session_call(session, "disk-list", json_pack("{s:s}", "guest", guest),
                     SESSION_REPLY_TIMEOUT_MS, &value, NULL) &&
        choose_disk(value, disk)) {
        const json_t *found =
            json_array_get(json_object_get(value, "disks"), 0);
        size_text(
            json_object_get(json_array_get(json_object_get(found, "chain"), 0),
                            "actual-bytes"),
            used);
        file = xstrdup(text_of(found, "file"));
    }
    json_decref(value);
    char *question =
        xasprintf("throw away all that %s wrote to %s (%s in %s) and begin "
                  "with a fresh disk?",
                  guest, disk ? disk : "its disk", used, file ? file : "?");
    bool yes = output_confirm(question, false);
    free(question);
    free(file);
    return yes;
}

static int
reset(struct cli *cli, struct session *session)
{
    const struct options *given = &cli->options;
    const char *guest = given->arguments[1];
    const char *disk = given->argument_count > 2 ? given->arguments[2] : NULL;
    if (!confirm_reset(cli, session, guest, disk)) {
        (void)fprintf(stderr, "not done%s\n",
                      isatty(STDIN_FILENO)
                          ? ""
                          : " (without a terminal to ask on it wants --yes)");
        return COMMAND_FAILED;
    }
    json_t *arguments = json_object();
    json_object_set_new(arguments, "guest", json_from_text(guest));
    if (disk)
        json_object_set_new(arguments, "disk", json_from_text(disk));
    return change(session, "disk-reset", arguments, "a fresh disk");
}

static int
clone_verb(struct cli *cli, struct session *session)
{
    return clone_guest(cli, session, cli->options.arguments[1],
                       cli->options.arguments[2]);
}

static const struct verb {
    const char *name;
    int min_arguments; /* with the verb itself */
    int max_arguments;
    int (*run)(struct cli *cli, struct session *session);
} verbs[] = {
    {"ls", 0, 2, list},          {"info", 2, 3, list},
    {"resize", 3, 4, resize},    {"reset", 2, 3, reset},
    {"clone", 3, 3, clone_verb},
};

static const struct verb *
find_verb(const struct cli *cli, struct error *error)
{
    const struct options *given = &cli->options;
    const char *name = given->argument_count > 0 ? given->arguments[0] : "ls";
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(name, verbs[i].name) != 0)
            continue;
        if (given->argument_count >= verbs[i].min_arguments &&
            given->argument_count <= verbs[i].max_arguments)
            return &verbs[i];
        error_set(error, ERROR_CODE_INVALID, "wrong arguments for disk %s",
                  name);
        return NULL;
    }
    error_set(error, ERROR_CODE_INVALID,
              "disk does ls, info, resize, reset or clone, not \"%s\"", name);
    return NULL;
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    const struct verb *verb = find_verb(cli, &error);
    if (!verb)
        return cli_fail_usage(cli, &error);
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    if (!session)
        return cli_fail(&error);
    int status = verb->run(cli, session);
    session_close(session);
    return status;
}

const struct command cmd_disk = {
    .name = "disk",
    .usage = "[ls [GUEST] | info GUEST [DISK] | resize GUEST [DISK] SIZE | "
             "reset GUEST [DISK] | clone GUEST NAME]",
    .summary = "List, grow and renew guests' disks",
    .text = "`ls` tells each disk's size for the guest, what its image uses, "
            "and what is free where that lies; `info` the chain of images "
            "below it. `resize` makes a disk larger, also while the guest "
            "runs; the guest has to grow its file system itself (cloud-init "
            "does at the next boot). `reset` puts a fresh image in the place "
            "of one that guestmux made: what the guest wrote is lost, so it "
            "asks first, and the old one stays until the new one is whole; one "
            "that another guest's disk lies over is kept. "
            "`clone` is `guestmux clone`. A disk's name is needless where "
            "there is one.",
    COMMAND_OPTIONS(options),
    .max_arguments = 4,
    .flags = COMMAND_CONFIRMS,
    .run = run,
};
