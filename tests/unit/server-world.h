#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "base/paths.h"
#include "base/xalloc.h"
#include "cpu-time.h"
#include "scratch.h"
#include "server/server.h"
#include "wire/codec.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

/* A real server in a process of its own, in directories of its own, and
 * clients that wait for its answers. */

/* ms; far more than anything takes, so that only a hang reaches it. */
#define WORLD_DEADLINE_MS 90000

struct world {
    char *directory; /* owned */
    struct paths paths;
    pid_t pid; /* the server's; 0: it has been waited for */
};

struct client {
    int fd;
    struct codec codec;
    json_t *events; /* owned: array of those that came so far */
    json_t *last;   /* owned: the last reply */
    int next_id;
};

/* --- the server ----------------------------------------------------------- */

static inline void
world_run_server(const struct world *world, int ready_fd)
{
    struct error error = {0};
    struct server_options options = {
        .paths = &world->paths,
        .ready_fd = ready_fd,
        .flags = SERVER_FOREGROUND,
    };
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    bool ok = server_run(&options, &error);
    if (!ok)
        (void)fprintf(stderr, "server: %s\n", error.text);
    struct paths paths = world->paths;
    paths_finish(&paths);
    free(world->directory);
    exit(ok ? 0 : 1);
}

/* Starts the server; returns what it says on when it is ready. */
static inline int
world_fork(struct world *world)
{
    int ready[2];
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    (void)fflush(NULL);
    world->pid = fork();
    assert_true(world->pid >= 0);
    if (world->pid == 0) {
        close(ready[0]);
        world_run_server(world, ready[1]);
    }
    close(ready[1]);
    return ready[0];
}

static inline void
world_start(struct world *world)
{
    int ready_fd = world_fork(world);
    char byte = 1;
    assert_int_equal(read(ready_fd, &byte, 1), 1);
    assert_int_equal(byte, 0);
    close(ready_fd);
}

static inline void
world_init(struct world *world)
{
    struct error error = {0};
    world->directory = scratch_new();
    setenv("XDG_RUNTIME_DIR", world->directory, 1);
    setenv("XDG_STATE_HOME", world->directory, 1);
    setenv("XDG_DATA_HOME", world->directory, 1);
    setenv("XDG_CONFIG_HOME", world->directory, 1);
    assert_true(paths_init(&world->paths, "test", &error));
    world_start(world);
}

/* Waits for the server's end: its exit status, or 128 and the signal. */
static inline int
world_wait(struct world *world)
{
    int status = 0;
    assert_int_equal(waitpid(world->pid, &status, 0), world->pid);
    world->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* CPU time of the server, ms. */
static inline uint64_t
world_cpu_ms(const struct world *world)
{
    clockid_t clock;
    assert_int_equal(clock_getcpuclockid(world->pid, &clock), 0);
    return cpu_time_of(clock);
}

static inline void
world_finish(struct world *world)
{
    if (world->pid) {
        kill(world->pid, SIGTERM);
        assert_int_equal(world_wait(world), 0);
    }
    paths_finish(&world->paths);
    scratch_remove(world->directory);
}

/* --- a client ------------------------------------------------------------- */

static inline int
world_connect(const struct world *world)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char *path = paths_api_socket(&world->paths);
    memcpy(address.sun_path, path, strlen(path) + 1);
    free(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)),
                     0);
    return fd;
}

/* The next message; NULL when the server closed. */
static inline json_t *
client_receive(struct client *client)
{
    uint64_t end = clock_monotonic_ms() + WORLD_DEADLINE_MS;
    for (;;) {
        json_t *message = NULL;
        struct error error = {0};
        enum codec_result got = codec_next(&client->codec, &message, &error);
        if (got == CODEC_RESULT_MESSAGE)
            return message;
        if (got == CODEC_RESULT_FAULT)
            fail_msg("%s", error.text);
        struct pollfd ready = {.fd = client->fd, .events = POLLIN};
        int64_t left = (int64_t)(end - clock_monotonic_ms());
        if (left <= 0 || poll(&ready, 1, (int)left) <= 0)
            fail_msg("the server said nothing in time");
        char bytes[65536];
        ssize_t len = read(client->fd, bytes, sizeof(bytes));
        if (len <= 0)
            return NULL;
        codec_feed(&client->codec, bytes, (size_t)len);
    }
}

static inline void
client_open(struct client *client, const struct world *world)
{
    *client = (struct client){.fd = world_connect(world)};
    codec_init(&client->codec, 128u << 20);
    client->events = json_array();
    json_t *greeting = client_receive(client);
    assert_non_null(json_object_get(greeting, "QMP"));
    json_decref(greeting);
}

static inline void
client_close(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    codec_finish(&client->codec);
    json_decref(client->events);
    json_decref(client->last);
    *client = (struct client){.fd = -1};
}

static inline void
client_say(struct client *client, const char *text, size_t len)
{
    while (len) {
        ssize_t put = send(client->fd, text, len, MSG_NOSIGNAL);
        if (put <= 0)
            fail_msg("cannot send: %s", strerror(errno));
        text += put;
        len -= (size_t)put;
    }
}

/* Sends a command (arguments: stolen) and returns its id. */
static inline int
client_send(struct client *client, const char *method, json_t *arguments)
{
    int id = ++client->next_id;
    json_t *message = codec_command(method, arguments, json_integer(id));
    struct buffer line = {0};
    codec_encode(message, &line);
    client_say(client, line.data, line.len);
    buffer_finish(&line);
    json_decref(message);
    return id;
}

/* The reply of that id (borrowed until the next one); events are kept, other
 * replies dropped. */
static inline json_t *
client_reply(struct client *client, int id)
{
    for (;;) {
        json_t *message = client_receive(client);
        if (!message)
            fail_msg("the server closed the connection");
        if (json_object_get(message, "event")) {
            json_array_append_new(client->events, message);
            continue;
        }
        if (json_integer_value(json_object_get(message, "id")) != id) {
            json_decref(message);
            continue;
        }
        json_decref(client->last);
        client->last = message;
        return message;
    }
}

/* Calls a method that has to succeed; returns its value (borrowed). */
static inline json_t *
client_call(struct client *client, const char *method, json_t *arguments)
{
    json_t *reply =
        client_reply(client, client_send(client, method, arguments));
    json_t *value = json_object_get(reply, "return");
    if (!value) {
        char *text = json_dumps(reply, 0);
        fail_msg("%s: %s", method, text);
        free(text);
    }
    return value;
}

/* Calls a method that has to fail with that class; returns the text. */
static inline const char *
client_fail(struct client *client, const char *method, json_t *arguments,
            const char *class)
{
    json_t *reply =
        client_reply(client, client_send(client, method, arguments));
    json_t *error = json_object_get(reply, "error");
    if (!error)
        fail_msg("%s did not fail", method);
    assert_string_equal(json_string_value(json_object_get(error, "class")),
                        class);
    return json_string_value(json_object_get(error, "desc"));
}

static inline bool
client_is_event(const json_t *event, const char *name)
{
    const char *is = json_string_value(json_object_get(event, "event"));
    return is && !strcmp(is, name);
}

/* Waits for an event of that name, and takes it out: the caller's. */
static inline json_t *
client_event(struct client *client, const char *name)
{
    for (;;) {
        size_t count = json_array_size(client->events);
        for (size_t i = 0; i < count; i++) {
            json_t *event = json_array_get(client->events, i);
            if (!client_is_event(event, name))
                continue;
            json_incref(event);
            json_array_remove(client->events, i);
            return event;
        }
        json_t *message = client_receive(client);
        if (!message)
            fail_msg("the server closed before it told %s", name);
        if (json_object_get(message, "event"))
            json_array_append_new(client->events, message);
        else
            json_decref(message);
    }
}

/* Defines and starts a guest that is a shell script on a terminal. */
static inline void
client_start_guest(struct client *client, const char *name, const char *script)
{
    client_call(client, "guest-define",
                json_pack("{s:s,s:{s:[s,s,s]},s:s,s:b,s:b}", "name", name,
                          "spec", "exec", "/bin/sh", "-c", script, "directory",
                          "/", "start", 1, "wait", 1));
}

/* Waits until a pattern stands in the console's text since its start. */
static inline json_t *
client_expect(struct client *client, const char *guest, const char *pattern)
{
    return client_call(client, "console-wait",
                       json_pack("{s:s,s:s,s:b,s:i}", "guest", guest, "pattern",
                                 pattern, "since-boot", 1, "timeout-ms",
                                 WORLD_DEADLINE_MS));
}
