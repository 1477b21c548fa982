#pragma once

#include "console/render.h"
#include "console/terminal-internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A terminal and what it told. */
struct world {
    struct terminal *terminal;
    struct buffer replies;
    char title[512];
    int bells;
    int frames;
    char frame_row[64]; /* the first row at the last frame's end */
    int titles;
};

static inline void
world_on_reply(void *data, const char *bytes, size_t len)
{
    struct world *world = data;
    buffer_append(&world->replies, bytes, len);
}

static inline void
world_on_bell(void *data)
{
    struct world *world = data;
    world->bells++;
}

static inline void
world_on_frame(void *data)
{
    struct world *world = data;
    struct buffer row = {0};
    world->frames++;
    render_rows(world->terminal, 0, 0, RENDER_PLAIN, &row);
    (void)snprintf(world->frame_row, sizeof(world->frame_row), "%.*s",
                   (int)(row.len ? row.len - 1 : 0), row.data);
    buffer_finish(&row);
}

static inline void
world_on_title(void *data, const char *title)
{
    struct world *world = data;
    world->titles++;
    (void)snprintf(world->title, sizeof(world->title), "%s", title);
}

static const struct terminal_handlers world_handlers = {
    .on_reply = world_on_reply,
    .on_bell = world_on_bell,
    .on_frame = world_on_frame,
    .on_title = world_on_title,
};

static inline void
world_init(struct world *world, int rows, int cols, size_t history_lines)
{
    *world = (struct world){0};
    struct terminal_config config = {.rows = rows,
                                     .cols = cols,
                                     .history_lines = history_lines,
                                     .handlers = &world_handlers,
                                     .data = world};
    world->terminal = terminal_new(&config);
}

static inline void
world_finish(struct world *world)
{
    const char *fault = terminal_check(world->terminal);
    if (fault)
        fail_msg("invariant: %s", fault);
    terminal_free(world->terminal);
    buffer_finish(&world->replies);
}

static inline void
world_write_bytes(struct world *world, const char *bytes, size_t len)
{
    terminal_write(world->terminal, bytes, len, TERMINAL_WRITE_LIVE);
    const char *fault = terminal_check(world->terminal);
    if (fault)
        fail_msg("invariant: %s", fault);
}

static inline void
world_write(struct world *world, const char *text)
{
    world_write_bytes(world, text, strlen(text));
}

/* Many times over. */
static inline void
world_flood(struct world *world, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        terminal_write(world->terminal, text, strlen(text),
                       TERMINAL_WRITE_LIVE);
}

/* Compares rows first..last with text: rows divided by '|', blank rows at the
 * end left out. A '|' of the content would be ambiguous: do not print any. */
static inline void
world_expect_rows(struct world *world, int first, int last, const char *text,
                  const char *about)
{
    struct buffer out = {0};
    buffer_append_text(&out, "");
    if (first <= last)
        render_rows(world->terminal, first, last, RENDER_PLAIN, &out);
    while (out.len && out.data[out.len - 1] == '\n')
        out.data[--out.len] = '\0';
    for (size_t i = 0; i < out.len; i++)
        if (out.data[i] == '\n')
            out.data[i] = '|';
    if (strcmp(out.data ? out.data : "", text) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", about, out.data, text);
    buffer_finish(&out);
}

static inline void
world_expect(struct world *world, const char *screen)
{
    world_expect_rows(world, 0, terminal_rows(world->terminal) - 1, screen,
                      "screen");
}

static inline void
world_expect_history(struct world *world, const char *history)
{
    int rows = (int)terminal_history_rows(world->terminal);
    world_expect_rows(world, -rows, -1, history, "history");
}

static inline void
world_expect_cursor(struct world *world, int row, int col)
{
    struct terminal_cursor cursor = terminal_cursor(world->terminal);
    if (cursor.row != row || cursor.col != col)
        fail_msg("cursor at %d,%d instead of %d,%d", cursor.row, cursor.col,
                 row, col);
}

static inline void
world_expect_reply(struct world *world, const char *reply)
{
    const char *got = world->replies.data ? world->replies.data : "";
    if (strcmp(got, reply) != 0)
        fail_msg("reply \"%s\" instead of \"%s\"", got + (*got == '\033'),
                 reply + (*reply == '\033'));
    buffer_reset(&world->replies);
}

/* The style at a column of a row; *ret_text (may be NULL) gets the run's
 * text. */
static inline struct style
world_style_at(struct world *world, int row, int col)
{
    struct terminal_run runs[256];
    size_t count = terminal_read_row(world->terminal, row, runs, 256, NULL);
    for (size_t i = 0; i < count; i++)
        if (col >= runs[i].col && col < runs[i].col + runs[i].cols)
            return runs[i].style;
    return (struct style){0};
}
