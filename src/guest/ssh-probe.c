#include "base/clock.h"
#include "base/xalloc.h"
#include "guest/guest-internal.h"

#include <stdlib.h>
#include <string.h>

/* Whether the guest's sshd answers: through a port of the host that QEMU's user
 * network forwards, or at an address where the host reaches the guest. QEMU
 * takes the connection whether or not the guest does, so only the banner tells
 * (RFC 4253, 4.2). */

/* ms between two tries, in the first minutes and after. */
#define TRY_AGAIN_MS 2000u
#define TRY_LATER_MS 30000u
/* ms from the boot's beginning on during which it is expected. */
#define EXPECTED_MS 300000
/* ms that one try may take. */
#define TRY_TIMEOUT_MS 5000u

static const char banner[] = "SSH-";

struct ssh_probe {
    struct guest *guest; /* borrowed: the owner */
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } where;                  /* the forwarded port, or the last address */
    bool is_forwarded;        /* else the address is asked for at each try */
    struct loop_timer *timer; /* owned: the next try, or this one's limit */
    uv_tcp_t *socket;         /* owned: this try's; NULL: none */
};

/* One try's socket dies by itself once it is closed. */
static void
on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void
hang_up(struct ssh_probe *probe)
{
    if (!probe->socket)
        return;
    probe->socket->data = NULL;
    uv_close((uv_handle_t *)probe->socket, on_closed);
    probe->socket = NULL;
}

static void
plan_next(struct ssh_probe *probe)
{
    int64_t since_ms = clock_wall_ms() - probe->guest->stages.boot_ms;
    hang_up(probe);
    loop_timer_start(probe->timer,
                     since_ms < EXPECTED_MS ? TRY_AGAIN_MS : TRY_LATER_MS);
}

static void
allocate(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    (void)handle;
    (void)wanted;
    *buf = uv_buf_init(xmalloc(64), 64);
}

static void
on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct ssh_probe *probe = stream->data;
    bool is_banner = got >= (ssize_t)strlen(banner) &&
                     !memcmp(buf->base, banner, strlen(banner));
    free(buf->base);
    if (!probe || got == 0)
        return;
    if (!is_banner) {
        plan_next(probe);
        return;
    }
    hang_up(probe);
    loop_timer_stop(probe->timer);
    (void)guest_note_stage(probe->guest, STAGE_SSH, clock_wall_ms());
}

static void
on_connect(uv_connect_t *request, int status)
{
    struct ssh_probe *probe = request->handle->data;
    if (probe && status == 0)
        status = uv_read_start(request->handle, allocate, on_read);
    if (probe && status != 0)
        plan_next(probe);
    free(request);
}

static void
try_once(struct ssh_probe *probe)
{
    uv_connect_t *request = xcalloc(1, sizeof(*request));
    probe->socket = xcalloc(1, sizeof(*probe->socket));
    (void)uv_tcp_init(probe->guest->context->loop, probe->socket);
    probe->socket->data = probe;
    loop_timer_start(probe->timer, TRY_TIMEOUT_MS);
    if (uv_tcp_connect(request, probe->socket, &probe->where.any, on_connect) ==
        0)
        return;
    free(request);
    plan_next(probe);
}

/* Where this try goes to. */
static bool
find_place(struct ssh_probe *probe)
{
    struct guest *guest = probe->guest;
    const struct guest_handlers *handlers = guest->context->handlers;
    char address[GUEST_ADDRESS_BYTES];
    int port = spec_ssh_port(guest->spec);
    return probe->is_forwarded ||
           (handlers->on_find_address(guest->context->data, guest, address) &&
            (uv_ip4_addr(address, port, &probe->where.v4) == 0 ||
             uv_ip6_addr(address, port, &probe->where.v6) == 0));
}

static void
on_timer(void *data)
{
    struct ssh_probe *probe = data;
    const struct guest *guest = probe->guest;
    if (!probe->socket && guest->stages.at_ms[STAGE_SSH])
        return; /* until the next boot */
    if (probe->socket || guest->state != GUEST_STATE_RUNNING ||
        !find_place(probe))
        plan_next(probe);
    else
        try_once(probe);
}

/* The port of the host that leads to the guest's sshd, of those that QEMU
 * names. */
static bool
find_forward(const struct guest *guest, struct sockaddr_in *ret_where)
{
    int wanted = spec_ssh_port(guest->spec);
    size_t index;
    json_t *row;
    json_array_foreach(guest->forwards, index, row)
    {
        const char *protocol =
            json_string_value(json_object_get(row, "protocol"));
        const char *host = json_string_value(json_object_get(row, "host"));
        int port = (int)json_integer_value(json_object_get(row, "host-port"));
        if (strcmp(protocol, "tcp") != 0 ||
            json_integer_value(json_object_get(row, "guest-port")) != wanted)
            continue;
        bool is_any = !strcmp(host, "0.0.0.0");
        if (uv_ip4_addr(is_any ? "127.0.0.1" : host, port, ret_where) == 0)
            return true;
    }
    return false;
}

/* Whether an address may come to be known where the host reaches it. */
static bool
may_be_reached(const struct guest *guest)
{
    struct guest_card card;
    for (size_t i = 0; guest_card(guest, i, &card); i++) {
        if (card.is_beside_host)
            return guest->context->handlers->on_find_address != NULL;
    }
    return false;
}

static bool
is_same(const struct ssh_probe *probe, bool is_forwarded,
        const struct sockaddr_in *where)
{
    return probe->is_forwarded == is_forwarded &&
           (!is_forwarded ||
            (probe->where.v4.sin_port == where->sin_port &&
             probe->where.v4.sin_addr.s_addr == where->sin_addr.s_addr));
}

void
ssh_probe_update(struct guest *guest)
{
    struct run *run = guest->run;
    struct sockaddr_in where = {0};
    if (!run)
        return;
    bool is_forwarded = find_forward(guest, &where);
    if (run->ssh_probe && is_same(run->ssh_probe, is_forwarded, &where))
        return;
    ssh_probe_free(run->ssh_probe);
    run->ssh_probe = NULL;
    if (!is_forwarded && !may_be_reached(guest))
        return;
    struct ssh_probe *probe = xcalloc(1, sizeof(*probe));
    probe->guest = guest;
    probe->where.v4 = where;
    probe->is_forwarded = is_forwarded;
    probe->timer = loop_timer_new(guest->context->loop, on_timer, probe);
    run->ssh_probe = probe;
    loop_timer_start(probe->timer, TRY_AGAIN_MS);
}

void
ssh_probe_again(struct guest *guest)
{
    if (guest->run && guest->run->ssh_probe)
        plan_next(guest->run->ssh_probe);
}

void
ssh_probe_free(struct ssh_probe *probe)
{
    if (!probe)
        return;
    hang_up(probe);
    loop_timer_free(probe->timer);
    free(probe);
}
