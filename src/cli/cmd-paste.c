#include "base/base64.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"
#include "cli/targets.h"
#include "client/expand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes sent in one command. */
#define PIECE_BYTES (256u << 10)
/* Guests whose progress fits into one line of a terminal. */
#define PROGRESS_MAX 3

static const struct option options[] = {
    {
        .name = "cps",
        .type = OPTION_INTEGER,
        .value = "N",
        .max = 1000000,
        .summary = "at most so many characters a second",
    },
    {
        .name = "lps",
        .type = OPTION_INTEGER,
        .value = "N",
        .max = 10000,
        .summary = "at most so many lines a second",
    },
    {
        .name = "wait-echo",
        .type = OPTION_FLAG,
        .summary = "wait for each line's echo before the next one",
    },
    {
        .name = "wait-prompt",
        .type = OPTION_TEXT,
        .value = "REGEX",
        .summary = "before each line, wait until this appears (PCRE2)",
    },
    {
        .name = "full-speed",
        .type = OPTION_FLAG,
        .summary = "as fast as the guest takes it, whatever the fleet file "
                   "says",
    },
    ROW_TIMEOUT(NULL, "how long for each echo or prompt, 30 unless the fleet "
                      "file says otherwise; 0: any time"),
    {
        .name = "bracketed",
        .type = OPTION_TEXT,
        .value = "WHEN",
        .summary = "paste in brackets: on, off, or auto: when the guest asked",
    },
    ROW_TO,
    ROW_EXPAND,
    {
        .name = "cancel",
        .type = OPTION_FLAG,
        .summary = "cancel what is being pasted there",
    },
    ROW_JSON,
};

/* One guest that is pasted to. */
struct target {
    const char *name; /* borrowed */
    size_t index;     /* from 1 */
    json_int_t paste; /* the server's id; 0: not begun */
    json_t *outcome;  /* owned: the last answer */
    struct session_call *call;
    json_int_t bytes; /* as last told */
    json_int_t total;
    bool has_failed;
};

struct job {
    struct cli *cli;
    struct session *session; /* owned */
    struct target *targets;  /* owned */
    size_t count;
    int fd; /* what is pasted */
    int64_t total_bytes;
    struct buffer kept; /* the beginning of a word to be filled in */
    json_t *answers;    /* owned; with --json */
    int status;
    bool has_progress; /* a line of it is on the terminal */
    bool shows_progress;
};

/* Progress ----------------------------------------------------------------- */

static void
wipe_progress(struct job *job)
{
    if (job->has_progress)
        (void)fputs("\r\033[K", stderr);
    job->has_progress = false;
}

static void
draw_progress(struct job *job)
{
    (void)fputs("\r\033[K", stderr);
    for (size_t i = 0; i < job->count && i < PROGRESS_MAX; i++) {
        const struct target *target = &job->targets[i];
        if (target->has_failed || !target->paste)
            continue;
        (void)fprintf(stderr, "%s %lld KiB", target->name,
                      (long long)target->bytes / 1024);
        if (target->total > 0)
            (void)fprintf(stderr, " (%lld%%)",
                          (long long)(target->bytes * 100 / target->total));
        (void)fputs("  ", stderr);
    }
    if (job->count > PROGRESS_MAX)
        (void)fputs("…", stderr);
    (void)fflush(stderr);
    job->has_progress = true;
}

static void
on_event(void *user, const char *name, json_t *data)
{
    struct job *job = user;
    if (strcmp(name, "PASTE") != 0)
        return;
    for (size_t i = 0; i < job->count; i++) {
        struct target *target = &job->targets[i];
        if (!target->paste || target->paste != guests_number(data, "paste"))
            continue;
        target->bytes = guests_number(data, "bytes");
        target->total = guests_number(data, "total");
        draw_progress(job);
    }
}

/* Sending ------------------------------------------------------------------ */

static json_t *
first_arguments(const struct job *job, const struct target *target)
{
    const struct options *given = &job->cli->options;
    json_t *arguments =
        json_pack("{s:o,s:I}", "guest", json_from_text(target->name),
                  "total-bytes", (json_int_t)job->total_bytes);
    if (options_has(given, "full-speed"))
        json_object_update_new(arguments,
                               json_pack("{s:i,s:i,s:b,s:s}", "cps", 0, "lps",
                                         0, "wait-echo", 0, "wait-prompt", ""));
    if (options_has(given, "bracketed"))
        json_object_set_new(arguments, "bracketed",
                            json_from_text(options_text(given, "bracketed")));
    if (options_has(given, "timeout"))
        json_object_set_new(arguments, "timeout-ms",
                            json_integer(options_number(given, "timeout")));
    static const char *const numbers[] = {"cps", "lps"};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        if (options_has(given, numbers[i]))
            json_object_set_new(
                arguments, numbers[i],
                json_integer(options_number(given, numbers[i])));
    }
    if (options_has(given, "wait-echo"))
        json_object_set_new(arguments, "wait-echo", json_true());
    if (options_has(given, "wait-prompt"))
        json_object_set_new(arguments, "wait-prompt",
                            json_from_text(options_text(given, "wait-prompt")));
    return arguments;
}

static void
begin_piece(struct job *job, struct target *target, const char *bytes,
            size_t len, bool is_last)
{
    json_t *arguments = target->paste
                            ? json_pack("{s:I}", "paste", target->paste)
                            : first_arguments(job, target);
    struct buffer text = {0};
    struct buffer encoded = {0};
    if (options_has(&job->cli->options, "expand"))
        expand_text(bytes, len, target->name, target->index, &text);
    else
        buffer_append(&text, bytes, len);
    base64_encode(text.data ? text.data : "", text.len, &encoded);
    json_object_set_new(arguments, "data",
                        json_string(encoded.data ? encoded.data : ""));
    json_object_set_new(arguments, is_last ? "wait" : "more", json_true());
    buffer_finish(&encoded);
    buffer_finish(&text);
    target->call = session_begin(
        job->session, target->paste ? "console-paste-more" : "console-paste",
        arguments);
}

static void
fail_target(struct job *job, struct target *target, struct error *error)
{
    target->has_failed = true;
    if (session_is_interrupted(job->session)) {
        job->status = COMMAND_INTERRUPTED;
        return;
    }
    wipe_progress(job);
    if (job->answers)
        json_array_append_new(job->answers,
                              json_pack("{s:o,s:s,s:o}", "guest",
                                        json_from_text(target->name), "class",
                                        error_code_name(error->code), "error",
                                        json_from_text(error->text)));
    if (strncmp(error->text, target->name, strlen(target->name)) != 0)
        error_prefix(error, "%s", target->name);
    int status = cli_fail(error);
    if (job->status != COMMAND_FAILED)
        job->status = status;
}

static void
finish_piece(struct job *job, struct target *target)
{
    struct error error = {0};
    json_t *value = NULL;
    if (!session_finish(job->session, target->call, SESSION_NO_TIMEOUT, &value,
                        &error)) {
        fail_target(job, target, &error);
        return;
    }
    target->paste = guests_number(value, "paste");
    json_decref(target->outcome);
    target->outcome = value;
    if (strcmp(guests_text(value, "state"), "cancelled") == 0) {
        error_set(&error, ERROR_CODE_STATE, "cancelled after %lld bytes",
                  (long long)guests_number(value, "bytes"));
        fail_target(job, target, &error);
    }
}

/* One piece to all that still take some; false: none does. */
static bool
send_piece(struct job *job, const char *bytes, size_t len, bool is_last)
{
    bool is_wanted = false;
    for (size_t i = 0; i < job->count; i++) {
        if (!job->targets[i].has_failed)
            begin_piece(job, &job->targets[i], bytes, len, is_last);
    }
    for (size_t i = 0; i < job->count; i++) {
        if (!job->targets[i].has_failed)
            finish_piece(job, &job->targets[i]);
        is_wanted = is_wanted || !job->targets[i].has_failed;
    }
    return is_wanted;
}

static bool
send_all(struct job *job, struct error *error)
{
    char *bytes = xmalloc(PIECE_BYTES);
    bool is_over = false;
    bool has_any = false;
    bool ok = true;
    while (ok && !is_over) {
        ssize_t got = read(job->fd, bytes, PIECE_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            ok = error_set_errno(error, errno, "cannot read what is pasted");
        is_over = got == 0;
        if (is_over && !has_any)
            ok = error_set(error, ERROR_CODE_INVALID,
                           "there is nothing to paste: the text is empty");
        has_any = has_any || got > 0;
        if (got > 0)
            buffer_append(&job->kept, bytes, (size_t)got);
        size_t tail = 0;
        if (!is_over && options_has(&job->cli->options, "expand"))
            tail = expand_tail(job->kept.data, job->kept.len);
        if (!ok)
            break;
        size_t len = job->kept.len - tail;
        is_over = !send_piece(job, job->kept.data ? job->kept.data : "", len,
                              is_over) ||
                  is_over;
        buffer_consume(&job->kept, len);
    }
    free(bytes);
    return ok;
}

/* From start to end -------------------------------------------------------- */

/* What was begun goes on without us: an interrupted command takes it back. */
static void
cancel_begun(struct job *job)
{
    struct error ignored = {0};
    struct session *session =
        session_open(job->cli, CONNECTION_START_NEVER, &ignored);
    for (size_t i = 0; session && i < job->count; i++) {
        const struct target *target = &job->targets[i];
        if (target->paste)
            (void)session_call(session, "console-paste-cancel",
                               json_pack("{s:o,s:I}", "guest",
                                         json_from_text(target->name), "paste",
                                         target->paste),
                               SESSION_REPLY_TIMEOUT_MS, NULL, &ignored);
    }
    session_close(session);
}

static void
report(struct job *job)
{
    wipe_progress(job);
    for (size_t i = 0; i < job->count; i++) {
        const struct target *target = &job->targets[i];
        if (target->has_failed || !target->outcome)
            continue;
        if (job->answers)
            json_array_append(job->answers, target->outcome);
        else
            (void)printf("%s: pasted %lld bytes, %lld line%s\n", target->name,
                         (long long)guests_number(target->outcome, "bytes"),
                         (long long)guests_number(target->outcome, "lines"),
                         guests_number(target->outcome, "lines") == 1 ? ""
                                                                      : "s");
    }
    if (job->answers)
        output_json(options_has(&job->cli->options, "to")
                        ? job->answers
                        : json_array_get(job->answers, 0));
}

static bool
open_input(struct job *job, const char *path, struct error *error)
{
    struct stat info;
    job->fd = path && strcmp(path, "-") != 0 ? open(path, O_RDONLY | O_CLOEXEC)
                                             : STDIN_FILENO;
    if (job->fd < 0)
        return error_set_errno(error, errno, "cannot open %s", path);
    if (fstat(job->fd, &info) == 0 && S_ISREG(info.st_mode))
        job->total_bytes = info.st_size;
    return true;
}

static int
run_job(struct job *job, const char *path)
{
    struct error error = {0};
    if (!open_input(job, path, &error))
        return cli_fail(&error);
    job->session = session_open(job->cli, CONNECTION_START_SERVER, &error);
    if (!job->session)
        return cli_fail(&error);
    job->shows_progress = !job->answers && isatty(STDERR_FILENO);
    if (job->shows_progress) {
        session_set_on_event(job->session, on_event, job);
        (void)session_call(job->session, "events-subscribe", NULL,
                           SESSION_REPLY_TIMEOUT_MS, NULL, &error);
    }
    bool ok = send_all(job, &error);
    if (session_is_interrupted(job->session)) {
        cancel_begun(job);
        wipe_progress(job);
        return COMMAND_INTERRUPTED;
    }
    if (!ok) {
        cancel_begun(job);
        wipe_progress(job);
        return cli_fail(&error);
    }
    report(job);
    return job->status;
}

static int
cancel(struct cli *cli, const struct targets *targets)
{
    struct error error = {0};
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    if (!session)
        return cli_fail(&error);
    struct act act = {
        .method = "console-paste-cancel",
        .timeout_ms = SESSION_REPLY_TIMEOUT_MS,
        .done = "nothing is being pasted any more",
    };
    int status =
        act_on_guests(cli, session, targets->names, targets->count, &act);
    session_close(session);
    return status;
}

/* How fast is said twice. */
static bool
check_pace(const struct options *given, struct error *error)
{
    static const char *const paces[] = {"cps", "lps", "wait-echo",
                                        "wait-prompt"};
    for (size_t i = 0; options_has(given, "full-speed") && i < 4; i++) {
        if (options_has(given, paces[i]))
            return error_set(error, ERROR_CODE_INVALID,
                             "paste: --full-speed and --%s contradict each "
                             "other",
                             paces[i]);
    }
    return true;
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    struct targets targets;
    const struct options *given = &cli->options;
    bool ok = targets_read(cli, &targets, &error) && check_pace(given, &error);
    int words = given->argument_count - targets.first_word;
    if (ok && words > (options_has(given, "cancel") ? 0 : 1))
        ok = error_set(&error, ERROR_CODE_INVALID,
                       "paste: one guest and one file; more guests go with "
                       "--to");
    if (!ok || options_has(given, "cancel")) {
        int status = ok ? cancel(cli, &targets) : cli_fail_usage(cli, &error);
        targets_finish(&targets);
        return status;
    }
    struct job job = {.cli = cli, .count = targets.count, .fd = -1};
    job.targets = xcalloc(targets.count, sizeof(*job.targets));
    for (size_t i = 0; i < targets.count; i++)
        job.targets[i] =
            (struct target){.name = targets.names[i], .index = i + 1};
    if (options_has(given, "json"))
        job.answers = json_array();
    int status =
        run_job(&job, words > 0 ? given->arguments[targets.first_word] : NULL);
    for (size_t i = 0; i < job.count; i++)
        json_decref(job.targets[i].outcome);
    free(job.targets);
    buffer_finish(&job.kept);
    json_decref(job.answers);
    session_close(job.session);
    targets_finish(&targets);
    return status;
}

const struct command cmd_paste = {
    .name = "paste",
    .usage = "[GUEST[:CONSOLE]] [FILE]",
    .summary = "Paste a file, or standard input, into a console",
    .text =
        "As fast as the guest takes it, unless told otherwise, here or by "
        "paste in the fleet file; boot loaders and slow serial devices want "
        "--cps, --lps, --wait-echo or --wait-prompt. Returns when the guest's machine has taken all of it. "
        "Ctrl-C, and Escape in the deck, cancel. A guest's terminal drops "
        "what lies beyond 4095 characters of one line, unless its program "
        "reads without line editing.",
    COMMAND_OPTIONS(options),
    .min_arguments = 0,
    .max_arguments = 2,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
