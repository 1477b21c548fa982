/* Ports of this machine that guests want: forwarded ones and VNC displays; unix
 * sockets. */
#include "base/xalloc.h"
#include "fleet/forward.h"
#include "qemu/argv.h"
#include "qemu/cmdline.h"
#include "qemu/holder.h"
#include "qemu/keyval.h"
#include "qemu/preflight-internal.h"
#include "qemu/unix-sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A port that a guest listens on while it runs. */
struct want {
    const struct spec *spec;
    const char *field;
    int index;
    struct forward forward; /* owned: of it the host's part counts */
    bool is_display;
};

struct wants {
    struct preflight *preflight;
    struct want *items; /* owned */
    size_t count;
};

/* Takes the forward over. */
static void
add(struct wants *wants, const struct want *want)
{
    if (want->forward.host_port == 0) {
        struct forward none = want->forward;
        forward_finish(&none); /* a free one is taken */
        return;
    }
    wants->items =
        xreallocarray(wants->items, wants->count + 1, sizeof(*wants->items));
    wants->items[wants->count++] = *want;
}

static struct forward
copy_forward(const struct forward *forward)
{
    struct forward copy = *forward;
    copy.host_address = xstrdup(forward->host_address);
    copy.guest_address = NULL;
    return copy;
}

/* Who writes a port's number means another display. */
static void
check_display(const struct wants *wants, const struct want *want)
{
    struct preflight_check check = {wants->preflight, want->spec};
    int display = want->forward.host_port - ARGV_VNC_BASE_PORT;
    if (display >= ARGV_VNC_BASE_PORT)
        preflight_add(&check, PREFLIGHT_SEVERITY_WARNING, want->field, -1,
                      "display %d listens on port %d: port %d is display %d's",
                      display, want->forward.host_port, display,
                      display - ARGV_VNC_BASE_PORT);
}

/* The displays that listen on TCP. */
static void
add_displays(struct wants *wants, struct want want)
{
    struct argv_vnc vnc;
    want.is_display = true;
    for (size_t at = 0; argv_find_vnc(want.spec, &at, &vnc);) {
        want.field = vnc.field;
        want.forward = (struct forward){.host_port = vnc.port};
        check_display(wants, &want);
        if (vnc.host) {
            want.forward.host_address =
                xstrdup(!strcmp(vnc.host, "localhost") ? "127.0.0.1"
                        : vnc.host[0]                  ? vnc.host
                                                       : "0.0.0.0");
            add(wants, &want);
        }
        argv_vnc_finish(&vnc);
    }
}

/* The forwarded ports in a value of -nic or -netdev. */
static void
add_network(struct wants *wants, struct want want, const char *text)
{
    struct keyval keyval;
    keyval_parse(&keyval, text);
    for (size_t i = 0; i < keyval.count; i++) {
        const struct keyval_pair *pair = &keyval.pairs[i];
        if (pair->key && !strcmp(pair->key, "hostfwd") &&
            forward_parse(pair->value, &want.forward, NULL))
            add(wants, &want);
    }
    keyval_finish(&keyval);
}

static void
add_words(struct wants *wants, struct want want, char *const *words)
{
    static const char *const networks[] = {"nic", "netdev", "net"};
    for (; words && words[0] && words[1]; words++) {
        const char *name = cmdline_option_name(words[0]);
        for (size_t i = 0; name && i < sizeof(networks) / sizeof(networks[0]);
             i++) {
            if (!strcmp(name, networks[i]))
                add_network(wants, want, words[1]);
        }
    }
}

static void
collect(struct wants *wants, const struct spec *spec)
{
    struct want want = {.spec = spec, .field = "nics"};
    for (size_t i = 0; i < spec->nic_count; i++) {
        const struct spec_nic *nic = &spec->nics[i];
        want.index = (int)i;
        for (size_t k = 0; k < nic->forward_count; k++) {
            want.forward = copy_forward(&nic->forwards[k]);
            add(wants, &want);
        }
        want.forward = (struct forward){0};
        if (nic->text)
            add_network(wants, want, nic->text);
    }
    want.index = -1;
    add_displays(wants, want);
    want.field = spec->kind == SPEC_KIND_COMMAND ? "command" : "args";
    add_words(wants, want,
              spec->kind == SPEC_KIND_COMMAND ? spec->command : spec->args);
}

static void __attribute__((format(printf, 3, 4)))
tell(const struct wants *wants, const struct want *want, const char *format,
     ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    struct preflight_check check = {wants->preflight, want->spec};
    const char *protocol = want->forward.is_udp ? "UDP" : "TCP";
    if (want->is_display)
        preflight_add(&check, PREFLIGHT_SEVERITY_ERROR, want->field,
                      want->index, "VNC display %d (TCP port %d of %s) %s",
                      want->forward.host_port - ARGV_VNC_BASE_PORT,
                      want->forward.host_port, want->forward.host_address,
                      text);
    else
        preflight_add(&check, PREFLIGHT_SEVERITY_ERROR, want->field,
                      want->index, "%s port %d of %s %s", protocol,
                      want->forward.host_port, want->forward.host_address,
                      text);
    free(text);
}

/* 0, or why this machine does not give the port. */
static int
try_bind(const struct forward *forward)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)forward->host_port),
    };
    if (inet_pton(AF_INET, forward->host_address, &address.sin_addr) != 1)
        return 0; /* a name, or IPv6: QEMU will see */
    int type = forward->is_udp ? SOCK_DGRAM : SOCK_STREAM;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    /* As QEMU: what is only in TIME_WAIT is free. */
    int on = 1;
    if (!forward->is_udp)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    int errnum = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
                         (!forward->is_udp && listen(fd, 1) < 0)
                     ? errno
                     : 0;
    (void)close(fd);
    return errnum;
}

static void
check_free(const struct wants *wants, const struct want *want)
{
    int errnum = try_bind(&want->forward);
    struct holder holder = {0};
    if (errnum == EADDRINUSE) {
        holder_of_port(want->forward.is_udp, want->forward.host_port, &holder);
        char *who = holder_text(&holder);
        /* A guest that runs has its own ports. */
        if (!holder.guest || strcmp(holder.guest, want->spec->name) != 0)
            tell(wants, want, "is taken by %s", who);
        free(who);
        holder_finish(&holder);
    } else if (errnum == EACCES) {
        tell(wants, want,
             "is root's: take one from 1024 on (or lower sysctl "
             "net.ipv4.ip_unprivileged_port_start)");
    } else if (errnum == EADDRNOTAVAIL) {
        tell(wants, want, "cannot be had: the address is not this machine's");
    }
}

/* Whether an earlier guest wants the port too; then that is told. */
static bool
is_wanted_twice(const struct wants *wants, size_t index)
{
    const struct want *want = &wants->items[index];
    for (size_t i = 0; i < index; i++) {
        const struct want *other = &wants->items[i];
        if (!forward_clashes(&other->forward, other->forward.host_port,
                             &want->forward, want->forward.host_port))
            continue;
        tell(wants, want,
             other->spec == want->spec ? "is wanted twice by %s"
                                       : "is wanted by %s already",
             other->spec->name);
        return true;
    }
    return false;
}

/* Unix sockets ------------------------------------------------------------- */

/* A path on which a guest listens. */
struct listening {
    const struct spec *spec;
    char *path; /* owned */
};

struct sockets {
    struct preflight *preflight;
    const struct spec *spec;
    struct listening *items; /* owned */
    size_t count;
};

static void
on_socket(void *data, const char *path, const char *field, int index)
{
    struct sockets *sockets = data;
    struct preflight_check check = {sockets->preflight, sockets->spec};
    struct error error = {0};
    size_t i = 0;
    while (i < sockets->count && strcmp(sockets->items[i].path, path) != 0)
        i++;
    if (i < sockets->count)
        preflight_add(&check, PREFLIGHT_SEVERITY_ERROR, field, index,
                      sockets->items[i].spec == sockets->spec
                          ? "the socket %s is wanted twice by %s"
                          : "the socket %s is wanted by %s already",
                      path, sockets->items[i].spec->name);
    else if (!unix_sockets_check_path(path, sockets->spec->name, &error))
        preflight_add(&check, PREFLIGHT_SEVERITY_ERROR, field, index, "%s",
                      error.text);
    sockets->items = xreallocarray(sockets->items, sockets->count + 1,
                                   sizeof(*sockets->items));
    sockets->items[sockets->count++] =
        (struct listening){sockets->spec, xstrdup(path)};
}

static void
check_sockets(struct preflight *preflight, const struct fleet *fleet)
{
    struct sockets sockets = {.preflight = preflight};
    for (size_t i = 0; i < fleet->guest_count; i++) {
        sockets.spec = fleet->guests[i];
        unix_sockets_each(sockets.spec, on_socket, &sockets);
    }
    for (size_t i = 0; i < sockets.count; i++)
        free(sockets.items[i].path);
    free(sockets.items);
}

void
preflight_check_ports(struct preflight *preflight, const struct fleet *fleet)
{
    struct wants wants = {.preflight = preflight};
    for (size_t i = 0; i < fleet->guest_count; i++)
        collect(&wants, fleet->guests[i]);
    for (size_t i = 0; i < wants.count; i++) {
        if (!is_wanted_twice(&wants, i))
            check_free(&wants, &wants.items[i]);
    }
    for (size_t i = 0; i < wants.count; i++)
        forward_finish(&wants.items[i].forward);
    free(wants.items);
    check_sockets(preflight, fleet);
}
