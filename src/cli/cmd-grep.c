#include "base/json.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/found.h"
#include "cli/guests.h"
#include "cli/output.h"
#include "cli/session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What grep exits with. */
enum {
    GREP_FOUND = 0,
    GREP_NONE = 1,
    GREP_FAILED = 2,
};

/* Lines asked for at once. */
#define PAGE_LINES 1000
/* The server gives a search up after this and a little, ms. */
#define SEARCH_TIMEOUT_MS 60000u

static const struct option options[] = {
    {
        .name = "fixed-strings",
        .letter = 'F',
        .type = OPTION_FLAG,
        .summary = "the pattern is plain text",
    },
    {
        .name = "extended-regexp",
        .letter = 'E',
        .type = OPTION_FLAG,
        .summary = "the pattern is a regular expression (PCRE2), as without it",
    },
    {
        .name = "ignore-case",
        .letter = 'i',
        .type = OPTION_FLAG,
        .summary = "upper and lower case are the same",
    },
    {
        .name = "case-sensitive",
        .letter = 's',
        .type = OPTION_FLAG,
        .summary = "case counts; without -i and -s it does when the pattern "
                   "has upper case",
    },
    {
        .name = "count",
        .letter = 'c',
        .type = OPTION_FLAG,
        .summary = "only how many lines each console has",
    },
    {
        .name = "files-with-matches",
        .letter = 'l',
        .type = OPTION_FLAG,
        .summary = "only the names of the consoles that have any",
    },
    {
        .name = "line-number",
        .letter = 'n',
        .type = OPTION_FLAG,
        .summary = "each line's number: of its first row, counted since the "
                   "scrollback began, or in what is searched of a log",
    },
    {
        .name = "byte-offset",
        .letter = 'b',
        .type = OPTION_FLAG,
        .summary = "with --logs, where in the console's log each line begins: "
                   "the offset of `timeline --around GUEST:OFFSET`",
    },
    {
        .name = "after-context",
        .letter = 'A',
        .type = OPTION_INTEGER,
        .value = "N",
        .max = 100,
        .summary = "N lines behind each one too",
    },
    {
        .name = "before-context",
        .letter = 'B',
        .type = OPTION_INTEGER,
        .value = "N",
        .max = 100,
        .summary = "N lines before each one too",
    },
    {
        .name = "context",
        .letter = 'C',
        .type = OPTION_INTEGER,
        .value = "N",
        .max = 100,
        .summary = "both",
    },
    {
        .name = "logs",
        .type = OPTION_FLAG,
        .summary = "search the whole logs on disk, not scrollback and screens",
    },
    {
        .name = "since-boot",
        .type = OPTION_FLAG,
        .summary = "search the logs from each guest's last start on",
    },
    {
        .name = "json",
        .type = OPTION_FLAG,
        .summary = "each line as a JSON object",
    },
};

struct grep {
    struct cli *cli;         /* borrowed */
    struct session *session; /* owned */
    struct found found;      /* how lines are printed */
    int64_t skipped;         /* lines that may match, or not */
    bool is_log;
    bool has_any; /* a line was found */
};

/* What every page of a search is asked with. */
static json_t *
page_arguments(const struct grep *grep, const char *target)
{
    const struct options *given = &grep->cli->options;
    const char *how = "smart";
    if (options_has(given, "ignore-case"))
        how = "insensitive";
    else if (options_has(given, "case-sensitive"))
        how = "sensitive";
    return json_pack("{s:s,s:o,s:b,s:s,s:i,s:I,s:I}", "guest", target,
                     "pattern", json_from_text(given->arguments[0]), "regex",
                     !options_has(given, "fixed-strings"), "case", how, "max",
                     PAGE_LINES, "context-before",
                     (json_int_t)grep->found.before, "context-after",
                     (json_int_t)grep->found.after);
}

/* Asks for a page and prints it. *ret_page: the answer, a new reference. */
static bool
run_page(struct grep *grep, const char *method, json_t *arguments,
         const char *target, json_t **ret_page, struct error *error)
{
    if (!session_call(grep->session, method, arguments, SEARCH_TIMEOUT_MS,
                      ret_page, error))
        return false;
    const json_t *lines = json_object_get(*ret_page, "lines");
    size_t count = json_array_size(lines);
    grep->has_any |= count > 0;
    grep->skipped += guests_number(*ret_page, "skipped");
    for (size_t i = 0; i < count; i++)
        found_print(&grep->found, target, json_array_get(lines, i));
    return output_flush() ? true
                          : error_set(error, ERROR_CODE_IO,
                                      "cannot write to standard output");
}

/* Whether what was printed is all that is asked for. */
static bool
is_enough(const struct grep *grep)
{
    return (grep->found.is_names && grep->found.count) || !output_has_reader();
}

static bool
count_scrollback(struct grep *grep, const char *target, struct error *error)
{
    json_t *page = NULL;
    json_t *arguments = page_arguments(grep, target);
    json_object_set_new(arguments, "count", json_true());
    if (!session_call(grep->session, "console-search", arguments,
                      SEARCH_TIMEOUT_MS, &page, error))
        return false;
    const json_t *console =
        json_array_get(json_object_get(page, "consoles"), 0);
    grep->found.count = guests_number(console, "count");
    grep->has_any |= grep->found.count > 0;
    grep->skipped += guests_number(page, "skipped");
    json_decref(page);
    return true;
}

static bool
search_scrollback(struct grep *grep, const char *target, struct error *error)
{
    json_int_t row = -1;
    for (bool goes_on = true; goes_on && !is_enough(grep);) {
        json_t *page = NULL;
        json_t *arguments = page_arguments(grep, target);
        if (row >= 0)
            json_object_set_new(arguments, "row", json_integer(row));
        if (!run_page(grep, "console-search", arguments, target, &page, error))
            return false;
        const json_t *lines = json_object_get(page, "lines");
        const json_t *console =
            json_array_get(json_object_get(page, "consoles"), 0);
        const json_t *last = json_array_get(lines, json_array_size(lines) - 1);
        goes_on = last && json_is_true(json_object_get(console, "more"));
        if (last)
            row = guests_number(last, "row") + guests_number(last, "rows");
        json_decref(page);
    }
    return true;
}

static bool
search_log(struct grep *grep, const char *target, struct error *error)
{
    json_int_t offset = -1;
    json_int_t base = 1;
    for (bool goes_on = true; goes_on && !is_enough(grep);) {
        json_t *page = NULL;
        json_t *arguments = page_arguments(grep, target);
        if (offset >= 0)
            json_object_set_new(arguments, "offset", json_integer(offset));
        else if (options_has(&grep->cli->options, "since-boot"))
            json_object_set_new(arguments, "since-boot", json_true());
        grep->found.base = base;
        if (!run_page(grep, "console-log-search", arguments, target, &page,
                      error))
            return false;
        base += guests_number(page, "next-number");
        json_int_t next = guests_number(page, "next-offset");
        goes_on = next > offset && next < guests_number(page, "size");
        offset = next;
        json_decref(page);
    }
    return true;
}

/* Searches one console: "n1", or "n1:hvc0" when it is not the first. */
static bool
search_console(struct grep *grep, const char *target, struct error *error)
{
    bool ok = true;
    found_begin(&grep->found);
    if (grep->is_log)
        ok = search_log(grep, target, error);
    else if (grep->found.is_count)
        ok = count_scrollback(grep, target, error);
    else
        ok = search_scrollback(grep, target, error);
    if (ok)
        found_end(&grep->found, target);
    return ok;
}

/* All consoles of a guest. */
static bool
search_guest(struct grep *grep, const json_t *guest, struct error *error)
{
    const json_t *consoles = json_object_get(guest, "consoles");
    const char *name = guests_text(guest, "name");
    for (size_t i = 0; i < json_array_size(consoles); i++) {
        const char *console = guests_text(json_array_get(consoles, i), "name");
        char *target = i ? xasprintf("%s:%s", name, console) : xstrdup(name);
        bool ok = search_console(grep, target, error);
        free(target);
        if (!ok)
            return false;
    }
    return true;
}

static bool
search_all(struct grep *grep, struct error *error)
{
    json_t *guests = guests_list(grep->session, error);
    if (!guests)
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < json_array_size(guests); i++)
        ok = search_guest(grep, json_array_get(guests, i), error);
    json_decref(guests);
    return ok;
}

static bool
search_named(struct grep *grep, struct error *error)
{
    const struct options *given = &grep->cli->options;
    for (int i = 1; i < given->argument_count; i++) {
        const char *name = given->arguments[i];
        json_t *guest = NULL;
        bool ok = false;
        if (strchr(name, ':')) {
            ok = search_console(grep, name, error);
        } else if (session_call(
                       grep->session, "guest-query",
                       json_pack("{s:o}", "guest", json_from_text(name)),
                       SESSION_REPLY_TIMEOUT_MS, &guest, error)) {
            ok = search_guest(grep, guest, error);
            json_decref(guest);
        }
        if (!ok)
            return false;
    }
    return true;
}

static void
read_options(struct grep *grep)
{
    const struct options *given = &grep->cli->options;
    int64_t context = options_number(given, "context");
    struct found *found = &grep->found;
    found->before = options_has(given, "before-context")
                        ? options_number(given, "before-context")
                        : context;
    found->after = options_has(given, "after-context")
                       ? options_number(given, "after-context")
                       : context;
    grep->is_log =
        options_has(given, "logs") || options_has(given, "since-boot");
    found->is_json = options_has(given, "json");
    found->is_count = options_has(given, "count");
    found->is_names = options_has(given, "files-with-matches");
    found->is_numbered = options_has(given, "line-number");
    found->has_offsets = options_has(given, "byte-offset") && grep->is_log;
    if (found->is_count || found->is_names)
        found->before = found->after = 0;
}

/* What contradicts itself, or would have no effect. */
static bool
check_options(const struct options *given, struct error *error)
{
    static const char *const conflicts[][2] = {
        {"fixed-strings", "extended-regexp"},
        {"ignore-case", "case-sensitive"},
    };
    for (size_t i = 0; i < sizeof(conflicts) / sizeof(*conflicts); i++) {
        if (options_has(given, conflicts[i][0]) &&
            options_has(given, conflicts[i][1]))
            return error_set(error, ERROR_CODE_INVALID,
                             "grep: --%s and --%s contradict each other",
                             conflicts[i][0], conflicts[i][1]);
    }
    if (options_has(given, "byte-offset") && !options_has(given, "logs") &&
        !options_has(given, "since-boot"))
        return error_set(error, ERROR_CODE_INVALID,
                         "grep: --byte-offset is where a line begins in the "
                         "log: it goes with --logs");
    return true;
}

static int
run(struct cli *cli)
{
    struct grep grep = {.cli = cli};
    struct error error = {0};
    if (!check_options(&cli->options, &error))
        return cli_fail_usage(cli, &error);
    read_options(&grep);
    grep.session = session_open(cli, CONNECTION_START_SERVER, &error);
    bool ok = grep.session != NULL;
    if (ok && cli->options.argument_count > 1)
        ok = search_named(&grep, &error);
    else if (ok)
        ok = search_all(&grep, &error);
    int status = grep.has_any ? GREP_FOUND : GREP_NONE;
    if (ok && grep.skipped) {
        cli_warn("grep: the pattern takes too long to match %" PRId64
                 " of the lines, which may match too; use a simpler one (no "
                 "repeated group that holds a repetition)",
                 grep.skipped);
        status = grep.has_any ? GREP_FOUND : GREP_FAILED;
    }
    if (!ok) {
        int failure = session_fail(grep.session, &error);
        status = failure == COMMAND_INTERRUPTED ? failure : GREP_FAILED;
    }
    session_close(grep.session);
    return status;
}

const struct command cmd_grep = {
    .name = "grep",
    .usage = "REGEX [GUEST[:CONSOLE]…] [-F] [-i] [-c] [-C N] [--logs]",
    .summary = "Print the lines of consoles that match a pattern",
    .text =
        "Without a guest all consoles are searched: their scrollback and what "
        "stands on their screens, rows of wrapped lines joined. --logs "
        "searches what is on disk instead, which reaches further back; its "
        "lines are as the guest printed them, whatever programs painted. The "
        "pattern is a regular expression (PCRE2), with -F plain text. Exits "
        "with 0 when a line was found, 1 when none was, 2 when it failed.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
