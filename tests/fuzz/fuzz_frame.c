/* From a hostile guest's bytes to the client's mirror, through frames of
 * changes: after each one the mirror has what a client would have that only
 * just came. The input is a program: a byte says what to do, others how. */

#include "base/json-writer.h"
#include "base/xalloc.h"
#include "client/mirror.h"
#include "console/terminal.h"
#include "server/frame.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_ROWS 20
#define MAX_COLS 40
#define HISTORY_LINES 30

struct world {
    const uint8_t *data;
    size_t size;
    struct terminal *terminal;
    struct frame_state state;
    struct mirror_view mirror;
    int64_t frame;
};

static void
expect(int is_true)
{
    if (!is_true)
        abort();
}

static unsigned
take(struct world *world)
{
    if (!world->size)
        return 0;
    world->size--;
    return *world->data++;
}

static void
apply(struct mirror_view *mirror, json_t *data, int64_t frame)
{
    struct error error = {0};
    json_object_set_new(data, "frame", json_integer(frame));
    expect(mirror_view_apply(mirror, data, &error));
    json_decref(data);
}

static void
compare_rows(const struct mirror_row *a, const struct mirror_row *b)
{
    expect(a->run_count == b->run_count);
    for (size_t i = 0; i < a->run_count; i++) {
        const struct mirror_run *x = &a->runs[i];
        const struct mirror_run *y = &b->runs[i];
        expect(x->col == y->col && x->cols == y->cols);
        expect(x->foreground == y->foreground);
        expect(x->background == y->background);
        expect(x->underline_colour == y->underline_colour);
        expect(x->attributes == y->attributes);
        expect(!strcmp(x->text, y->text));
    }
}

static void
compare(const struct mirror_view *a, const struct mirror_view *b)
{
    for (int row = 0; row < a->rows; row++)
        compare_rows(&a->lines[row], &b->lines[row]);
    expect(a->cursor_row == b->cursor_row && a->cursor_col == b->cursor_col);
    expect(a->is_cursor_visible == b->is_cursor_visible);
    expect(a->cursor_shape == b->cursor_shape && a->modes == b->modes);
    expect(a->scroll == b->scroll);
    expect(a->origin_row == b->origin_row && a->origin_col == b->origin_col);
    expect(a->console_rows == b->console_rows);
    expect(a->console_cols == b->console_cols);
}

/* The frame as its reader sees it; NULL when nothing changed. */
static json_t *
build_frame(struct frame_state *state, struct terminal *terminal)
{
    struct buffer text = {0};
    struct json_writer out = json_writer_begin(&text);
    json_writer_open_object(&out, NULL);
    bool has_changed = frame_write(state, terminal, &out);
    json_writer_close_object(&out);
    json_t *data =
        json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    expect(data != NULL);
    buffer_finish(&text);
    if (has_changed)
        return data;
    json_decref(data);
    return NULL;
}

/* Brings the mirror to the newest state, and a new one too. */
static void
send_frame(struct world *world)
{
    json_t *data = build_frame(&world->state, world->terminal);
    if (data)
        apply(&world->mirror, data, ++world->frame);
    data = build_frame(&world->state, world->terminal);
    expect(!data);
    struct frame_state fresh;
    struct mirror_view mirror;
    frame_state_init(&fresh, world->state.rows, world->state.cols);
    fresh.is_scrolled = world->state.is_scrolled;
    fresh.anchor = world->state.anchor;
    fresh.first_row = world->state.first_row;
    fresh.first_col = world->state.first_col;
    fresh.is_panned = world->state.is_panned;
    fresh.is_pinned = world->state.is_pinned;
    mirror_view_init(&mirror, fresh.rows, fresh.cols);
    apply(&mirror, build_frame(&fresh, world->terminal), 1);
    compare(&world->mirror, &mirror);
    mirror_view_finish(&mirror);
    frame_state_finish(&fresh);
}

static void
write_some(struct world *world, size_t len)
{
    if (len > world->size)
        len = world->size;
    terminal_write(world->terminal, (const char *)world->data, len,
                   TERMINAL_WRITE_LIVE);
    world->data += len;
    world->size -= len;
}

static void
step(struct world *world)
{
    unsigned what = take(world);
    int rows = 0;
    int cols = 0;
    switch (what) {
    case 0:
        rows = (int)(take(world) % MAX_ROWS) + 1;
        cols = (int)(take(world) % MAX_COLS) + 1;
        terminal_resize(world->terminal, rows, cols);
        break;
    case 1:
        rows = (int)(take(world) % MAX_ROWS) + 1;
        cols = (int)(take(world) % MAX_COLS) + 1;
        frame_state_resize(&world->state, rows, cols);
        mirror_view_resize(&world->mirror, rows, cols);
        break;
    case 2:
        frame_state_scroll(&world->state, world->terminal, take(world));
        break;
    case 3:
        terminal_reset(world->terminal);
        break;
    case 4:
        rows = (int)(take(world) % MAX_ROWS) - 1;
        cols = (int)(take(world) % MAX_COLS) - 1;
        frame_state_pan(&world->state, world->terminal, rows, cols);
        break;
    case 5:
        (void)frame_state_follow(&world->state);
        break;
    default:
        write_some(world, what);
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world = {.data = data, .size = size};
    struct terminal_config config = {
        .rows = (int)(take(&world) % MAX_ROWS) + 1,
        .cols = (int)(take(&world) % MAX_COLS) + 2,
        .history_lines = HISTORY_LINES,
    };
    world.terminal = terminal_new(&config);
    int rows = (int)(take(&world) % MAX_ROWS) + 1;
    int cols = (int)(take(&world) % MAX_COLS) + 1;
    frame_state_init(&world.state, rows, cols);
    mirror_view_init(&world.mirror, rows, cols);
    while (world.size) {
        step(&world);
        send_frame(&world);
    }
    mirror_view_finish(&world.mirror);
    frame_state_finish(&world.state);
    terminal_free(world.terminal);
    return 0;
}
