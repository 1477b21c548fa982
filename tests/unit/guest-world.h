#pragma once

#include "base/buffer.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "guest/guest.h"
#include "scratch.h"
#include "until.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A place with real guests in it: directories, loop, consoles' hub, and what
 * the guests told. Several can share one directory, as servers that follow each
 * other do. */

#define WORLD_MAX_GUESTS 32

struct world {
    uv_loop_t loop;
    struct paths paths;
    struct console_hub *hub;
    struct guest_context context;
    char *dir;       /* the test's own; owned by the first world */
    bool is_visitor; /* the directory is another world's */
    struct guest *guests[WORLD_MAX_GUESTS];
    size_t count;
    struct buffer output;  /* of all consoles */
    struct buffer notices; /* a line each */
    unsigned changes;
};

/* What came of an action. */
struct outcome {
    bool is_done;
    bool has_failed;
    struct error error;
};

static inline void
world_on_change(void *data, struct guest *guest)
{
    (void)guest;
    ((struct world *)data)->changes++;
}

static inline void
world_on_screen(void *data, struct guest *guest, size_t console)
{
    (void)data;
    (void)guest;
    (void)console;
}

static inline void
world_on_output(void *data, struct guest *guest, size_t console,
                const char *bytes, size_t len, uint64_t offset)
{
    struct world *world = data;
    (void)guest;
    (void)console;
    (void)offset;
    buffer_append(&world->output, bytes, len);
}

static inline void
world_on_notice(void *data, struct guest *guest, const char *level,
                const char *text)
{
    struct world *world = data;
    buffer_printf(&world->notices, "%s %s: %s\n", guest_name(guest), level,
                  text);
}

static inline void
world_on_done(void *data, const struct error *error)
{
    struct outcome *outcome = data;
    outcome->is_done = true;
    outcome->has_failed = error != NULL;
    if (error)
        outcome->error = *error;
}

static inline bool
world_is_done(void *data)
{
    return ((struct outcome *)data)->is_done;
}

/* dir: another world's, or NULL for one of its own. */
static inline struct world *
world_new(const char *dir)
{
    static const struct guest_handlers handlers = {
        .on_change = world_on_change,
        .on_screen = world_on_screen,
        .on_output = world_on_output,
        .on_notice = world_on_notice,
    };
    struct world *world = xcalloc(1, sizeof(*world));
    uv_loop_init(&world->loop);
    world->is_visitor = dir != NULL;
    world->dir = dir ? xstrdup(dir) : scratch_new();
    world->paths = (struct paths){
        .server = xstrdup("test"),
        .runtime_dir = scratch_path(world->dir, "run"),
        .state_dir = scratch_path(world->dir, "state"),
        .data_dir = scratch_path(world->dir, "data"),
        .config_dir = scratch_path(world->dir, "config"),
    };
    assert_true(paths_make_dir(world->paths.runtime_dir, NULL));
    struct error error = {0};
    world->hub = console_hub_new(&world->loop, &error);
    assert_non_null(world->hub);
    world->context = (struct guest_context){
        .loop = &world->loop,
        .paths = &world->paths,
        .hub = world->hub,
        .handlers = &handlers,
        .data = world,
    };
    return world;
}

/* Forgets the guests; their QEMUs go on. */
static inline void
world_free(struct world *world)
{
    for (size_t i = 0; i < world->count; i++)
        guest_free(world->guests[i]);
    for (int turn = 0; turn < 3; turn++)
        uv_run(&world->loop, UV_RUN_NOWAIT);
    console_hub_free(world->hub);
    assert_true(until_closed(&world->loop));
    paths_finish(&world->paths);
    if (world->is_visitor)
        free(world->dir);
    else
        scratch_remove(world->dir);
    buffer_finish(&world->output);
    buffer_finish(&world->notices);
    free(world);
}

static inline struct spec *
world_spec(const struct world *world, const char *name, const char *entry)
{
    json_error_t fault;
    struct error error = {0};
    json_t *value = json_loads(entry, 0, &fault);
    assert_non_null(value);
    struct spec *spec = spec_from_json(name, value, world->dir, &error);
    json_decref(value);
    if (!spec)
        fail_msg("%s", error.text);
    return spec;
}

static inline struct guest *
world_define(struct world *world, const char *name, const char *entry)
{
    struct error error = {0};
    struct guest *guest =
        guest_new(&world->context, world_spec(world, name, entry), &error);
    if (!guest)
        fail_msg("%s", error.text);
    world->guests[world->count++] = guest;
    return guest;
}

/* Takes a guest out before it is freed by other means. */
static inline void
world_forget(struct world *world, const struct guest *guest)
{
    for (size_t i = 0; i < world->count; i++)
        if (world->guests[i] == guest)
            world->guests[i] = world->guests[--world->count];
}

static inline void
world_on_found(void *data, struct guest *guest)
{
    struct world *world = data;
    world->guests[world->count++] = guest;
}

static inline void
world_on_unreadable(void *data, const char *name, const struct error *error)
{
    struct world *world = data;
    buffer_printf(&world->notices, "%s unreadable: %s\n", name, error->text);
}

/* A world that finds what another left. */
static inline struct world *
world_adopt(const char *dir)
{
    struct world *world = world_new(dir);
    struct error error = {0};
    assert_true(guest_adopt_all(&world->context, world_on_found,
                                world_on_unreadable, &error));
    return world;
}

struct world_wish {
    const struct guest *guest;
    const char *state;
};

static inline bool
world_has_state(void *data)
{
    const struct world_wish *wish = data;
    return !strcmp(guest_state_name(wish->guest), wish->state);
}

/* Runs the loop until the guest is in a state. */
static inline void
world_await(struct world *world, const struct guest *guest, const char *state)
{
    struct world_wish wish = {guest, state};
    if (!run_until(&world->loop, world_has_state, &wish))
        fail_msg("%s is %s, not %s", guest_name(guest), guest_state_name(guest),
                 state);
}

static inline void
world_finish(struct world *world, struct outcome *outcome)
{
    assert_true(run_until(&world->loop, world_is_done, outcome));
}

/* Starts it and waits until that is done. */
static inline struct outcome
world_start(struct world *world, struct guest *guest)
{
    struct outcome outcome = {0};
    struct error error = {0};
    if (!guest_start(guest, world_on_done, &outcome, &error))
        fail_msg("%s", error.text);
    world_finish(world, &outcome);
    return outcome;
}

static inline void
world_kill(struct world *world, struct guest *guest)
{
    struct outcome outcome = {0};
    struct error error = {0};
    if (!guest_kill(guest, world_on_done, &outcome, &error))
        fail_msg("%s", error.text);
    world_finish(world, &outcome);
    assert_false(outcome.has_failed);
}

/* A member of the guest object; "exit.summary" of the exit report. Borrowed
 * from *ret_object, which the caller frees. */
static inline const json_t *
world_member(struct guest *guest, const char *name, json_t **ret_object)
{
    *ret_object = guest_to_json(guest);
    const json_t *at = *ret_object;
    if (!strncmp(name, "exit.", 5)) {
        at = json_object_get(at, "exit");
        name += 5;
    }
    return json_object_get(at, name);
}

/* Whether such a member is a string that contains text. */
static inline bool
world_says(struct guest *guest, const char *name, const char *text)
{
    json_t *object;
    const char *value = json_string_value(world_member(guest, name, &object));
    bool says = value && strstr(value, text);
    if (!says)
        print_message("%s: %s is \"%s\"\n", guest_name(guest), name,
                      value ? value : "(null)");
    json_decref(object);
    return says;
}

static inline json_int_t
world_number(struct guest *guest, const char *name)
{
    json_t *object;
    json_int_t value = json_integer_value(world_member(guest, name, &object));
    json_decref(object);
    return value;
}

/* A file in a guest's state directory. The caller frees the path. */
static inline char *
world_file(const struct world *world, const char *guest, const char *file)
{
    return xasprintf("%s/%s/%s", world->paths.state_dir, guest, file);
}

static inline bool
world_has_file(const struct world *world, const char *guest, const char *file)
{
    char *path = world_file(world, guest, file);
    bool is_there = access(path, F_OK) == 0;
    free(path);
    return is_there;
}

/* Whether there is a QEMU to test with; else says in TAP's words that the whole
 * program is skipped. */
static inline bool
world_has_qemu(void)
{
    bool has = system("qemu-system-x86_64 -version >/dev/null 2>&1") == 0;
    if (!has)
        (void)puts("1..0 # SKIP there is no qemu-system-x86_64 in PATH");
    return has;
}
