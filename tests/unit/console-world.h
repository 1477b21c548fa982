#pragma once

/* What the tests of a console share: a directory of its own, a loop, a hub, a
 * console and a record of what its handlers heard. */

#include "base/buffer.h"
#include "base/xalloc.h"
#include "console/console.h"
#include "console/render.h"
#include "until.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    uv_loop_t loop;
    struct console_hub *hub;
    struct console *console;
    char *dir;
    char *log_path;
    char *marks_path;
    int log; /* QEMU's descriptor of it */

    unsigned changes;
    struct buffer output; /* live bytes */
    uint64_t output_offset;
    uint64_t logged_then; /* the log's size when output came last */
    unsigned bells;
    char *title;
    unsigned ends;
    int end_errnum;
    unsigned troubles;
    struct error trouble;
    bool frees_on_output;

    const char *wanted; /* text to wait for */
    uint64_t wanted_offset;
};

static inline void
world_on_change(void *data)
{
    struct world *world = data;
    world->changes++;
}

static inline uint64_t
world_log_size(struct world *world)
{
    off_t end = lseek(world->log, 0, SEEK_END);
    return (uint64_t)end;
}

static inline void
world_on_output(void *data, const char *bytes, size_t len, uint64_t offset)
{
    struct world *world = data;
    buffer_append(&world->output, bytes, len);
    world->output_offset = offset;
    world->logged_then = world_log_size(world);
    if (!world->frees_on_output)
        return;
    console_free(world->console);
    world->console = NULL;
}

static inline void
world_on_bell(void *data)
{
    struct world *world = data;
    world->bells++;
}

static inline void
world_on_title(void *data, const char *title)
{
    struct world *world = data;
    free(world->title);
    world->title = xstrdup(title);
}

static inline void
world_on_end(void *data, int errnum)
{
    struct world *world = data;
    world->ends++;
    world->end_errnum = errnum;
}

static inline void
world_on_trouble(void *data, const struct error *error)
{
    struct world *world = data;
    world->troubles++;
    world->trouble = *error;
}

static const struct console_handlers world_handlers = {
    .on_change = world_on_change,
    .on_output = world_on_output,
    .on_bell = world_on_bell,
    .on_title = world_on_title,
    .on_end = world_on_end,
    .on_trouble = world_on_trouble,
};

/* parent: a directory to make the world's in. */
static inline struct world *
world_new(const char *parent)
{
    struct error error = {0};
    struct world *world = xcalloc(1, sizeof(*world));
    uv_loop_init(&world->loop);
    world->hub = console_hub_new(&world->loop, &error);
    if (!world->hub)
        fail_msg("%s", error.text);
    world->dir = xasprintf("%s/guestmux-console-XXXXXX", parent);
    assert_non_null(mkdtemp(world->dir));
    world->log_path = xasprintf("%s/console.log", world->dir);
    world->marks_path = xasprintf("%s/console.marks", world->dir);
    world->log =
        open(world->log_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(world->log >= 0);
    return world;
}

static inline struct console *
world_open_console(struct world *world, int rows, int cols)
{
    struct error error = {0};
    struct console_config config = {
        .log_path = world->log_path,
        .marks_path = world->marks_path,
        .rows = rows,
        .cols = cols,
        .history_lines = 1000,
        .handlers = &world_handlers,
        .data = world,
    };
    struct console *console = console_new(world->hub, &config, &error);
    if (!console)
        fail_msg("%s", error.text);
    return console;
}

static inline bool
world_free(struct world *world)
{
    console_free(world->console);
    console_hub_free(world->hub);
    bool is_clean = until_closed(&world->loop);
    close(world->log);
    unlink(world->log_path);
    unlink(world->marks_path);
    rmdir(world->dir);
    free(world->dir);
    free(world->log_path);
    free(world->marks_path);
    free(world->title);
    buffer_finish(&world->output);
    free(world);
    return is_clean;
}

/* As QEMU does. */
static inline void
world_print(struct world *world, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(write(world->log, text, len), len);
}

/* The history and the screen as text; the caller frees it. */
static inline char *
world_text(struct console *console)
{
    struct buffer text = {0};
    struct terminal *terminal = console_terminal(console);
    render_rows(terminal, -(int)terminal_history_rows(terminal),
                terminal_rows(terminal) - 1, RENDER_ANSI, &text);
    return buffer_steal(&text);
}

static inline bool
world_shows(struct world *world, const char *text)
{
    char *shown = world_text(world->console);
    bool is_shown = strstr(shown, text) != NULL;
    free(shown);
    return is_shown;
}

/* On the screen, without the history: for a look at every turn. */
static inline bool
world_shows_wanted(void *data)
{
    struct world *world = data;
    struct buffer text = {0};
    struct terminal *terminal = console_terminal(world->console);
    render_rows(terminal, 0, terminal_rows(terminal) - 1, RENDER_ANSI, &text);
    bool is_shown = text.data && strstr(text.data, world->wanted);
    buffer_finish(&text);
    return is_shown;
}

static inline void
world_wait_for(struct world *world, const char *text)
{
    world->wanted = text;
    if (run_until(&world->loop, world_shows_wanted, world))
        return;
    char *shown = world_text(world->console);
    fail_msg("\"%s\" was not shown, but:\n%s", text, shown);
}

static inline bool
world_has_offset(void *data)
{
    struct world *world = data;
    return !console_is_replaying(world->console) &&
           console_offset(world->console) >= world->wanted_offset;
}

static inline void
world_wait_for_offset(struct world *world, uint64_t offset)
{
    world->wanted_offset = offset;
    assert_true(run_until(&world->loop, world_has_offset, world));
}
