#include "qemu/tool.h"

#include "base/buffer.h"
#include "base/loop.h"
#include "base/xalloc.h"
#include "qemu/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tool {
    uv_loop_t *loop; /* borrowed */
    char *name;      /* owned: "qemu-img" */
    uint64_t timeout_ms;
    struct process *process;  /* owned */
    struct loop_poll *poll;   /* owned: on output_fd */
    struct loop_timer *limit; /* owned */
    int output_fd;            /* -1: at its end */
    struct buffer output;
    tool_done_fn on_done;
    void *data; /* borrowed */
    struct process_exit exit;
    bool is_late;
    bool is_cancelled;
};

static void
close_output(struct tool *tool)
{
    loop_poll_free(tool->poll);
    tool->poll = NULL;
    if (tool->output_fd >= 0)
        (void)close(tool->output_fd);
    tool->output_fd = -1;
}

static void
free_tool(struct tool *tool)
{
    close_output(tool);
    loop_timer_free(tool->limit);
    process_free(tool->process);
    buffer_finish(&tool->output);
    free(tool->name);
    free(tool);
}

/* Takes what is there; what goes beyond the limit is dropped. */
static void
read_output(struct tool *tool)
{
    char bytes[4096];
    while (tool->output_fd >= 0) {
        ssize_t got = read(tool->output_fd, bytes, sizeof(bytes));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            close_output(tool);
            return;
        }
        size_t room = TOOL_OUTPUT_MAX_BYTES - tool->output.len;
        size_t len = (size_t)got < room ? (size_t)got : room;
        buffer_append(&tool->output, bytes, len);
    }
}

static void
on_readable(void *data, int status, int events)
{
    (void)status;
    (void)events;
    read_output(data);
}

/* False, with error, unless it exited with 0. */
static bool
explain_exit(const struct tool *tool, struct error *error)
{
    if (tool->is_late)
        return error_set(error, ERROR_CODE_TIMEOUT,
                         "%s was ended: it took longer than %g s", tool->name,
                         (double)tool->timeout_ms / 1000.0);
    if (tool->exit.signal) {
        char *signal = process_signal_name(tool->exit.signal);
        error_set(error, ERROR_CODE_IO, "%s was killed by %s", tool->name,
                  signal);
        free(signal);
        return false;
    }
    if (tool->exit.is_known && tool->exit.code == 0)
        return true;
    return error_set(error, ERROR_CODE_IO, "%s exited with status %d",
                     tool->name, tool->exit.is_known ? tool->exit.code : -1);
}

static void
on_exit_status(void *data, const struct process_exit *exit)
{
    struct tool *tool = data;
    tool->exit = *exit;
    if (tool->is_cancelled) {
        free_tool(tool);
        return;
    }
    read_output(tool); /* the rest; what it started is not waited for */
    struct error error = {0};
    bool ok = explain_exit(tool, &error);
    buffer_reserve(&tool->output, 1);
    tool->on_done(tool->data, tool->output.data, tool->output.len,
                  ok ? NULL : &error);
    free_tool(tool);
}

static void
on_late(void *data)
{
    struct tool *tool = data;
    tool->is_late = true;
    (void)process_signal_group(tool->process, SIGKILL, NULL);
}

static bool
spawn(struct tool *tool, char *const *argv, unsigned flags, struct error *error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set_errno(error, errno, "cannot make a pipe for %s",
                               tool->name);
    tool->output_fd = ends[0];
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    struct process_config config = {
        .argv = argv,
        .output_fd = ends[1],
        .passed_fd = -1,
        .death_signal = flags & TOOL_ENDS_WITH_US ? SIGKILL : 0,
    };
    tool->process =
        process_spawn(tool->loop, &config, on_exit_status, tool, error);
    (void)close(ends[1]);
    return tool->process != NULL;
}

struct tool *
tool_start(uv_loop_t *loop, char *const *argv, unsigned flags,
           uint64_t timeout_ms, tool_done_fn on_done, void *data,
           struct error *error)
{
    char *program = process_find_program(argv[0], error);
    if (!program)
        return NULL;
    size_t count = 0;
    while (argv[count])
        count++;
    char **words = xcalloc(count + 1, sizeof(*words));
    memcpy(words, argv, count * sizeof(*words));
    words[0] = program;
    const char *slash = strrchr(program, '/');
    struct tool *tool = xcalloc(1, sizeof(*tool));
    tool->loop = loop;
    tool->name = xstrdup(slash ? slash + 1 : program);
    tool->timeout_ms = timeout_ms;
    tool->output_fd = -1;
    tool->on_done = on_done;
    tool->data = data;
    bool ok = spawn(tool, words, flags, error);
    free(words);
    free(program);
    if (!ok) {
        free_tool(tool);
        return NULL;
    }
    tool->poll = loop_poll_new(loop, tool->output_fd, on_readable, tool);
    if (tool->poll)
        loop_poll_set(tool->poll, UV_READABLE);
    tool->limit = loop_timer_new(loop, on_late, tool);
    loop_timer_start(tool->limit, timeout_ms);
    return tool;
}

void
tool_cancel(struct tool *tool)
{
    if (!tool)
        return;
    /* Its end is awaited, so that no zombie stays. */
    tool->is_cancelled = true;
    (void)process_signal_group(tool->process, SIGKILL, NULL);
}
