#include "server/server.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "console/own-log.h"
#include "guest/ports.h"
#include "server/addresses.h"
#include "server/buffers.h"
#include "server/clients.h"
#include "server/lan.h"
#include "server/listener.h"
#include "server/paste.h"
#include "server/peer.h"
#include "server/server-internal.h"
#include "server/view.h"
#include "wire/codec.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A server that holds no guest and talks to nobody leaves after this long, ms:
 * it started by itself, and nobody would stop it. */
#define IDLE_LEAVE_MS 30000
/* Loop turns in which libuv's handles close. */
#define CLOSING_TURNS 4
/* ms; how long who waits for the server waits for silent monitors. */
#define ADOPTION_TIMEOUT_MS 1000u

void
server_stop(struct server *server)
{
    if (server->is_stopping)
        return;
    server->is_stopping = true;
    server_emit(server, "SERVER_STOPPING", json_object());
    uv_stop(&server->loop);
}

void
server_check_idle(struct server *server)
{
    bool is_useless = !server->peer_count && !server->member_count &&
                      !(server->flags & SERVER_FOREGROUND);
    if (!is_useless)
        loop_timer_stop(server->idle_timer);
    else if (!loop_timer_is_armed(server->idle_timer))
        loop_timer_start(server->idle_timer, IDLE_LEAVE_MS);
}

static void
on_idle(void *data)
{
    server_stop(data);
}

void
server_emit(struct server *server, const char *name, json_t *data)
{
    json_t *event = codec_event(name, data);
    struct buffer line = {0};
    for (struct peer *peer = server->peers; peer; peer = peer_next(peer)) {
        if (!peer_is_subscribed(peer))
            continue;
        if (!line.len)
            codec_encode(event, &line);
        peer_send_event(peer, line.data, line.len);
    }
    buffer_finish(&line);
    json_decref(event);
}

void
server_notice(struct server *server, const char *level, const char *guest,
              const char *text)
{
    server_emit(server, "NOTICE",
                json_pack("{s:s,s:s?,s:o}", "level", level, "guest", guest,
                          "text", json_from_text(text)));
    watch_notice(server, level, guest, text);
}

/* Starting ----------------------------------------------------------------- */

static void
on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    server_stop(handle->data);
}

static void
start_signals(struct server *server)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGQUIT};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        server->signals[i].data = server;
        uv_signal_start(&server->signals[i], on_signal, numbers[i]);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGXFSZ,
                 SIG_IGN); /* a limit fails the write, as a full disk */
}

static void
on_connect(void *data, int fd)
{
    peer_new(data, fd);
}

static void
on_sweep(void *data)
{
    peer_sweep(data);
}

static void
on_found(void *data, struct guest *guest)
{
    registry_add(data, guest);
}

static void
on_unreadable(void *data, const char *name, const struct error *error)
{
    (void)data;
    char *shown = text_printable(name, strlen(name), 64, TEXT_ONE_LINE);
    (void)fprintf(stderr, "guestmux: guest '%s' is left alone: %s\n", shown,
                  error->text);
    free(shown);
}

/* Tells who waits that the server listens, or why not. Nothing when another
 * server was first: who waits connects to that one. */
static void
tell_ready(int fd, const struct error *error)
{
    if (fd < 0)
        return;
    ssize_t done = 0;
    if (!error)
        done = write(fd, "", 1);
    else if (error->code != ERROR_CODE_EXISTS)
        done = write(fd, error->text, strlen(error->text));
    (void)done; /* who waited may be gone */
    (void)close(fd);
}

static bool
server_open(struct server *server, struct error *error)
{
    server->listener =
        listener_new(&server->loop, server->paths, on_connect, server, error);
    if (!server->listener || !paths_make_dir(server->paths->data_dir, error))
        return false;
    server->hub = console_hub_new(&server->loop, error);
    if (!server->hub)
        return false;
    char *log = xasprintf("%s/server.log", server->paths->state_dir);
    server->own_log = own_log_new(server->hub, log, OWN_LOG_MAX_BYTES);
    free(log);
    server->watch = watch_new(server);
    server->stages = stages_new(server);
    server->context = (struct guest_context){
        .loop = &server->loop,
        .paths = server->paths,
        .hub = server->hub,
        .ports = server->ports,
        .handlers = &registry_guest_handlers,
        .data = server,
        .file_limit = server->file_limit,
    };
    return guest_adopt_all(&server->context, on_found, on_unreadable, error);
}

static void
on_adoption_late(void *data)
{
    *(bool *)data = true;
}

static bool
is_adopting(const struct server *server)
{
    for (size_t i = 0; i < server->member_count; i++)
        if (guest_is_being_adopted(server->members[i]->guest))
            return true;
    return false;
}

/* Who is told that the server is ready finds the guests in their states, not
 * all of them "starting": the monitors answer within some ms. */
static void
await_adoption(struct server *server)
{
    bool is_late = false;
    struct loop_timer *limit =
        loop_timer_new(&server->loop, on_adoption_late, &is_late);
    loop_timer_start(limit, ADOPTION_TIMEOUT_MS);
    while (!is_late && !server->is_stopping && is_adopting(server))
        uv_run(&server->loop, UV_RUN_ONCE);
    loop_timer_free(limit);
}

static void
server_init(struct server *server, const struct server_options *options)
{
    uv_loop_init(&server->loop);
    server->paths = options->paths;
    server->flags = options->flags;
    server->started_ms = clock_wall_ms();
    server->frame_timer = loop_timer_new(&server->loop, view_send_due, server);
    server->activity_timer =
        loop_timer_new(&server->loop, registry_send_activity, server);
    server->change_timer =
        loop_timer_new(&server->loop, registry_send_changes, server);
    server->clients_timer =
        loop_timer_new(&server->loop, clients_send_due, server);
    server->idle_timer = loop_timer_new(&server->loop, on_idle, server);
    server->addresses_timer =
        loop_timer_new(&server->loop, addresses_save, server);
    server->order_defer = loop_defer_new(&server->loop, order_look, server);
    server->peer_sweep = loop_defer_new(&server->loop, on_sweep, server);
    server->buffers = buffers_new();
    server->ports = ports_new();
    server->lans = lans_new(server);
    start_signals(server);
}

static void
server_finish(struct server *server)
{
    paste_free_all(server);
    peer_free_all(server);
    addresses_save(server);
    lans_free(server->lans);
    server->lans = NULL;
    registry_free_all(server);
    stages_free(server->stages);
    watch_free(server->watch);
    server->watch = NULL;
    own_log_free(server->own_log);
    console_hub_free(server->hub);
    buffers_free(server->buffers);
    ports_free(server->ports);
    listener_free(server->listener);
    buffer_finish(&server->frame_line);
    loop_timer_free(server->frame_timer);
    loop_timer_free(server->activity_timer);
    loop_timer_free(server->change_timer);
    loop_timer_free(server->clients_timer);
    loop_timer_free(server->idle_timer);
    loop_timer_free(server->addresses_timer);
    loop_defer_free(server->order_defer);
    loop_defer_free(server->peer_sweep);
    for (size_t i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&server->signals[i], NULL);
    /* The close callbacks come in the next turns; nothing may be waited for but
     * what is being written to disk: its thread tells a loop that is there. */
    for (int turn = 0; turn < CLOSING_TURNS; turn++)
        uv_run(&server->loop, UV_RUN_NOWAIT);
    while (server->loop.active_reqs.count)
        uv_run(&server->loop, UV_RUN_ONCE);
    (void)uv_loop_close(&server->loop);
}

/* Descriptors that the server may have open: five a guest, a thousand guests,
 * some clients. The usual limit of 1024 is for programs that call select; a
 * million makes programs slow that close all of them. */
#define FILE_LIMIT 16384

/* Returns the limit as it was, which the guests' programs get again. */
static rlim_t
raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    rlim_t before = limit.rlim_cur;
    if (before >= FILE_LIMIT)
        return before;
    limit.rlim_cur = limit.rlim_max < FILE_LIMIT ? limit.rlim_max : FILE_LIMIT;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return before;
}

bool
server_run(const struct server_options *options, struct error *error)
{
    (void)umask(077);
    struct server server = {.file_limit = raise_file_limit()};
    server_init(&server, options);
    bool ok = server_open(&server, error);
    if (ok)
        await_adoption(&server);
    tell_ready(options->ready_fd, ok ? NULL : error);
    if (ok && !server.is_stopping) {
        order_resume(&server, options->flags & SERVER_FOREGROUND);
        server_check_idle(&server);
        uv_run(&server.loop, UV_RUN_DEFAULT);
    }
    server_finish(&server);
    return ok;
}
