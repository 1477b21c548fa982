#include "server/hooks.h"

#include "base/buffer.h"
#include "base/loop.h"
#include "base/xalloc.h"
#include "fleet/shellwords.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* Our own variables; what this process has of them is not passed on. */
#define VARIABLE_PREFIX "GUESTMUX_"
#define VARIABLES_MAX 16
/* Bytes of what a command prints that are kept; the rest is read and dropped.
 */
#define OUTPUT_MAX_BYTES ((size_t)16 << 10)
#define READ_BYTES 4096
/* Commands that ended, of which something goes on and could print. */
#define DRAINING_MAX 16

struct hook {
    struct hook *next;
    struct hooks *hooks; /* borrowed; NULL: let go */
    char **words;        /* owned */
    char **variables;    /* owned: VARIABLES_MAX, NULL-terminated */
    char *guest;         /* owned; NULL: none */
    char *rule;          /* owned */
    char *input;         /* owned: what it reads */
    uint64_t timeout_ms;
    uv_process_t process;
    uv_pipe_t pipe;
    uv_pipe_t output;       /* what it prints */
    struct hooks *draining; /* borrowed: in whose list it is; or NULL */
    size_t printed;         /* bytes that were kept of it */
    uint64_t dropped;       /* and that were not */
    char chunk[READ_BYTES];
    uv_write_t write;
    struct loop_timer *limit; /* owned */
    int handles;              /* of ours, not closed yet */
    bool has_process;         /* its handle is one of them */
    bool is_late;
};

struct hooks {
    uv_loop_t *loop;    /* borrowed */
    const char *server; /* borrowed */
    hooks_trouble_fn on_trouble;
    void *data;
    struct hook *running;  /* owned until their ends */
    struct hook *waiting;  /* owned, oldest first */
    struct hook *draining; /* owned, newest first: over, but not their output */
    int draining_count;
    int running_count;
    int waiting_count;
};

struct hooks *
hooks_new(uv_loop_t *loop, const char *server, hooks_trouble_fn on_trouble,
          void *data)
{
    struct hooks *hooks = xcalloc(1, sizeof(*hooks));
    hooks->loop = loop;
    hooks->server = server;
    hooks->on_trouble = on_trouble;
    hooks->data = data;
    return hooks;
}

static void
free_hook(struct hook *hook)
{
    loop_timer_free(hook->limit);
    shellwords_free(hook->words);
    for (size_t i = 0; hook->variables && hook->variables[i]; i++)
        free(hook->variables[i]);
    free(hook->variables);
    free(hook->guest);
    free(hook->rule);
    free(hook->input);
    free(hook);
}

/* What it is told -----------------------------------------------------------
 */

static char **
make_variables(const char *server, const struct alert *alert)
{
    char **list = xcalloc(VARIABLES_MAX + 1, sizeof(*list));
    size_t count = 0;
    list[count++] = xasprintf(VARIABLE_PREFIX "SERVER=%s", server);
    list[count++] =
        xasprintf(VARIABLE_PREFIX "GUEST=%s", alert->guest ? alert->guest : "");
    list[count++] = xasprintf(VARIABLE_PREFIX "CONSOLE=%s",
                              alert->console ? alert->console : "");
    list[count++] = xasprintf(VARIABLE_PREFIX "RULE=%s", alert->rule);
    list[count++] = xasprintf(VARIABLE_PREFIX "SEVERITY=%s",
                              alert_severity_name(alert->severity));
    list[count++] = xasprintf(VARIABLE_PREFIX "MESSAGE=%s", alert->message);
    list[count++] =
        xasprintf(VARIABLE_PREFIX "LINE=%s", alert->line ? alert->line : "");
    list[count++] = xasprintf(VARIABLE_PREFIX "OFFSET=%" PRIu64, alert->offset);
    list[count++] = xasprintf(VARIABLE_PREFIX "ALERT=%" PRId64, alert->id);
    list[count++] =
        xasprintf(VARIABLE_PREFIX "TIME_MS=%" PRId64, alert->first_ms);
    return list;
}

/* This process's environment with a hook's variables; an array of borrowed
 * strings, which the caller frees. */
static char **
make_environment(const struct hook *hook)
{
    size_t count = 0;
    while (environ && environ[count])
        count++;
    char **list = xcalloc(count + VARIABLES_MAX + 1, sizeof(*list));
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(environ[i], VARIABLE_PREFIX, strlen(VARIABLE_PREFIX)) != 0)
            list[kept++] = environ[i];
    }
    for (size_t i = 0; hook->variables[i]; i++)
        list[kept++] = hook->variables[i];
    return list;
}

/* Running -------------------------------------------------------------------
 */

static void start_next(struct hooks *hooks);

static void
tell(const struct hook *hook, const char *what)
{
    if (!hook->hooks)
        return;
    char *text = xasprintf("the command of alert rule \"%s\" (%s) %s",
                           hook->rule, hook->words[0], what);
    hook->hooks->on_trouble(hook->hooks->data, hook->guest, text);
    free(text);
}

static void
on_closed(uv_handle_t *handle)
{
    struct hook *hook = handle->data;
    if (--hook->handles == 0)
        free_hook(hook);
}

static void
close_pipe(struct hook *hook)
{
    if (!uv_is_closing((uv_handle_t *)&hook->pipe))
        uv_close((uv_handle_t *)&hook->pipe, on_closed);
}

static void
unlink_hook(struct hook **list, struct hook *hook)
{
    while (*list != hook)
        list = &(*list)->next;
    *list = hook->next;
    hook->next = NULL;
}

static void
close_output(struct hook *hook)
{
    if (uv_is_closing((uv_handle_t *)&hook->output))
        return;
    if (hook->dropped)
        (void)fprintf(stderr,
                      "guestmux: the command of alert rule \"%s\" (%s) printed "
                      "%" PRIu64 " bytes more\n",
                      hook->rule, hook->words[0], hook->dropped);
    if (hook->draining) {
        hook->draining->draining_count--;
        unlink_hook(&hook->draining->draining, hook);
        hook->draining = NULL;
    }
    uv_close((uv_handle_t *)&hook->output, on_closed);
}

/* A command may leave something behind that still prints: it is not to die of a
 * closed pipe. */
static void
drain(struct hooks *hooks, struct hook *hook)
{
    if (uv_is_closing((uv_handle_t *)&hook->output))
        return;
    hook->draining = hooks;
    hook->next = hooks->draining;
    hooks->draining = hook;
    if (++hooks->draining_count <= DRAINING_MAX)
        return;
    struct hook *oldest = hook;
    while (oldest->next)
        oldest = oldest->next;
    close_output(oldest);
}

/* The command is over, or never began. */
static void
finish(struct hook *hook)
{
    struct hooks *hooks = hook->hooks;
    loop_timer_free(hook->limit);
    hook->limit = NULL;
    close_pipe(hook);
    if (hook->has_process)
        uv_close((uv_handle_t *)&hook->process, on_closed);
    if (!hooks) {
        close_output(hook);
        return;
    }
    unlink_hook(&hooks->running, hook);
    hook->hooks = NULL;
    hooks->running_count--;
    drain(hooks, hook);
    start_next(hooks);
}

static void
on_chunk_wanted(uv_handle_t *handle, size_t size, uv_buf_t *ret_chunk)
{
    struct hook *hook = handle->data;
    (void)size;
    *ret_chunk = uv_buf_init(hook->chunk, sizeof(hook->chunk));
}

/* The command printed something; server.log gets the beginning of it. */
static void
on_output(uv_stream_t *stream, ssize_t len, const uv_buf_t *chunk)
{
    struct hook *hook = stream->data;
    if (len < 0) {
        close_output(hook);
        return;
    }
    size_t room = OUTPUT_MAX_BYTES - hook->printed;
    size_t kept = (size_t)len < room ? (size_t)len : room;
    if (kept)
        (void)fwrite(chunk->base, 1, kept, stderr);
    hook->printed += kept;
    hook->dropped += (size_t)len - kept;
}

static void
on_exit_status(uv_process_t *process, int64_t status, int signal_number)
{
    struct hook *hook = process->data;
    char what[80];
    if (hook->is_late)
        (void)snprintf(what, sizeof(what),
                       "was ended: it took longer than %" PRIu64 " s",
                       hook->timeout_ms / 1000);
    else if (signal_number)
        (void)snprintf(what, sizeof(what), "was killed by signal %d",
                       signal_number);
    else
        (void)snprintf(what, sizeof(what), "failed with status %" PRId64,
                       status);
    if (hook->is_late || signal_number || status)
        tell(hook, what);
    finish(hook);
}

static void
on_limit(void *data)
{
    struct hook *hook = data;
    /* the whole session's first group; its pid is reserved until it is waited
     * for */
    (void)kill(-hook->process.pid, hook->is_late ? SIGKILL : SIGTERM);
    if (!hook->is_late)
        loop_timer_start(hook->limit, HOOKS_KILL_MS);
    hook->is_late = true;
}

static void
on_written(uv_write_t *write, int status)
{
    (void)status; /* who does not read its input loses nothing */
    close_pipe(write->data);
}

/* Starts the process; what it prints goes to that descriptor. An error of
 * libuv's, or 0. */
static int
spawn_into(struct hook *hook, int output)
{
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
         .data.stream = (uv_stream_t *)&hook->pipe},
        {.flags = UV_INHERIT_FD, .data.fd = output},
        {.flags = UV_INHERIT_FD, .data.fd = output},
    };
    char **environment = make_environment(hook);
    const char *home = getenv("HOME");
    uv_process_options_t options = {
        .exit_cb = on_exit_status,
        .file = hook->words[0],
        .args = hook->words,
        .env = environment,
        .cwd = home && access(home, X_OK) == 0 ? home : "/",
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = 3,
        .stdio = stdio,
    };
    hook->has_process = true;
    hook->handles++;
    int fault = uv_spawn(hook->hooks->loop, &hook->process, &options);
    free(environment);
    return fault;
}

static bool
spawn(struct hook *hook)
{
    uv_file ends[2];
    hook->handles = 2;
    hook->process.data = hook->pipe.data = hook->write.data = hook;
    hook->output.data = hook;
    uv_pipe_init(hook->hooks->loop, &hook->pipe, 0);
    uv_pipe_init(hook->hooks->loop, &hook->output, 0);
    int fault = uv_pipe(ends, UV_NONBLOCK_PIPE, 0);
    bool has_pipe = !fault;
    if (has_pipe) {
        (void)uv_pipe_open(&hook->output, ends[0]);
        fault = spawn_into(hook, ends[1]);
        (void)close(ends[1]);
    }
    if (!fault) {
        (void)uv_read_start((uv_stream_t *)&hook->output, on_chunk_wanted,
                            on_output);
        return true;
    }
    char *what = xasprintf("cannot be run: %s", uv_strerror(fault));
    tell(hook, what);
    free(what);
    return false;
}

static void
start(struct hooks *hooks, struct hook *hook)
{
    hook->next = hooks->running;
    hooks->running = hook;
    hooks->running_count++;
    if (!spawn(hook)) {
        finish(hook);
        return;
    }
    uv_buf_t input = uv_buf_init(hook->input, (unsigned)strlen(hook->input));
    if (uv_write(&hook->write, (uv_stream_t *)&hook->pipe, &input, 1,
                 on_written) != 0)
        close_pipe(hook);
    hook->limit = loop_timer_new(hooks->loop, on_limit, hook);
    loop_timer_start(hook->limit, hook->timeout_ms);
}

static void
start_next(struct hooks *hooks)
{
    while (hooks->waiting && hooks->running_count < HOOKS_MAX_RUNNING) {
        struct hook *hook = hooks->waiting;
        hooks->waiting = hook->next;
        hooks->waiting_count--;
        start(hooks, hook);
    }
}

void
hooks_run(struct hooks *hooks, const struct alert *alert, char *const *words,
          int timeout_s)
{
    struct hook *hook = xcalloc(1, sizeof(*hook));
    hook->hooks = hooks;
    hook->words = shellwords_copy(words);
    hook->variables = make_variables(hooks->server, alert);
    hook->guest = xstrdup(alert->guest);
    hook->rule = xstrdup(alert->rule);
    hook->input = xasprintf("%s\n", alert->line ? alert->line : "");
    hook->timeout_ms = (uint64_t)timeout_s * 1000;
    if (hooks->waiting_count == HOOKS_MAX_WAITING) {
        tell(hook, "was not run: too many wait already");
        free_hook(hook);
        return;
    }
    struct hook **end = &hooks->waiting;
    while (*end)
        end = &(*end)->next;
    *end = hook;
    hooks->waiting_count++;
    start_next(hooks);
}

void
hooks_free(struct hooks *hooks)
{
    if (!hooks)
        return;
    while (hooks->waiting) {
        struct hook *hook = hooks->waiting;
        hooks->waiting = hook->next;
        free_hook(hook);
    }
    while (hooks->running) {
        struct hook *hook = hooks->running;
        hooks->running = hook->next;
        hook->hooks = NULL;
        finish(hook);
    }
    while (hooks->draining)
        close_output(hooks->draining);
    free(hooks);
}
