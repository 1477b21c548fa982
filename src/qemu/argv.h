#pragma once

#include "base/error.h"
#include "fleet/spec.h"

#include <stdbool.h>
#include <stddef.h>

/* Where a guest's QEMU is to find what guestmux gives it. */
struct argv_runtime {
    const char *uuid;        /* -uuid, to know the guest again */
    int monitor_fd;          /* the listening QMP socket's number in QEMU */
    const char *const *logs; /* one log path per console, absolute */
    size_t log_count;
    const char *pidfile; /* may be NULL */
    /* One a card of the spec: where its QEMU listens for the switch, absolute;
     * NULL for cards on no network of the fleet's. The array may be NULL when
     * there are none such. */
    const char *const *nic_sockets;
    /* One a forward of the spec, card after card: the host's port. NULL: those
     * that the spec says. */
    const int *forward_ports;
    const char *agent_socket; /* where the agent's port is; NULL: no agent */
    const char
        *data_dir; /* the guest's, for what guestmux makes; may be NULL */
};

/* A MAC address as text, with its terminating zero. */
#define ARGV_MAC_BYTES 18

/* The address of a spec's card: the given one, or one that follows from
 * directory, name and index. */
void argv_nic_mac(const struct spec *spec, size_t index,
                  char mac[ARGV_MAC_BYTES]);

/* Where a disk's image is, and the seed; data_dir: as above. The caller frees
 * them. */
char *argv_disk_path(const struct spec_disk *disk, const char *data_dir);
char *argv_seed_path(const char *data_dir);
/* A disk's id in QEMU, for QMP's "device". */
#define ARGV_DISK_ID "gmdisk%zu"

/* Finds the QEMU binary of a spec: by path, by name in PATH, or
 * qemu-system-ARCH. The caller frees it. error names what to install. */
char *argv_find_qemu(const struct spec *spec, struct error *error);

/* Console names of a spec in order ("ttyS0", …), NULL-terminated, borrowed
 * names in an owned array; at least one. Valid while spec lives. */
const char **argv_console_names(const struct spec *spec, struct error *error);

/* The QEMU command line: NULL-terminated, owned (argv_free). argv[0] is the
 * binary's absolute path. Commas in values are doubled where QEMU's option
 * syntax wants it. Console number N is the chardev "gmconN", the monitor's is
 * "gmqmp". QEMU is to run in spec->directory: a command's relative paths start
 * there. See qemu/cmdline.h for what becomes of the user's own options. */
char **argv_build(const struct spec *spec, const struct argv_runtime *runtime,
                  struct error *error);
void argv_free(char **argv);

/* The UUID that the user's own arguments give with -uuid, in lower case, or
 * NULL: then runtime's is the guest's. The caller frees it. */
char *argv_own_uuid(const struct spec *spec);

/* The TCP port of VNC display 0. */
#define ARGV_VNC_BASE_PORT 5900

/* Where a guest's VNC display listens. */
struct argv_vnc {
    const char *field; /* a literal: what gives it, "vnc", "args", "command" */
    char *host;        /* owned; "": all addresses; NULL: a unix socket */
    int port;          /* TCP's */
    char *socket;      /* owned; absolute, or NULL */
};

/* The VNC displays that a guest's fields, args or command give, one a call; *at
 * is 0 for the first one. ret: to be finished. False: there are no more. */
bool argv_find_vnc(const struct spec *spec, size_t *at, struct argv_vnc *ret);
void argv_vnc_finish(struct argv_vnc *vnc);

/* What was rewritten in a command or in args, and why: a line each,
 * NULL-terminated (argv_free). NULL on failure. */
char **argv_notes(const struct spec *spec, struct error *error);

/* The command line for a person's shell: the same guest without guestmux. The
 * first console and the monitor are the terminal's (-serial mon:stdio), further
 * consoles ptys; without the UUID, sandbox, logs and sockets that guestmux
 * adds. Of runtime only data_dir and forward_ports count. A guest that is a
 * command gives its words. It has to run in spec->directory when args or
 * command have relative paths. argv_free frees it. */
char **argv_export(const struct spec *spec, const struct argv_runtime *runtime,
                   struct error *error);

/* The words, quoted for a POSIX shell, with one option a line. */
char *argv_to_script(char *const *argv);

/* The words, quoted for a POSIX shell, for showing and copying. */
char *argv_to_shell(char *const *argv);
