#pragma once

#include "base/error.h"
#include "fleet/alert-rules.h"
#include "fleet/forward.h"
#include "fleet/lifecycle.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* What one guest is: the validated, resolved form of a fleet file's entry.
 * Paths are absolute. Strings are owned; NULL means "not said". */

enum spec_kind {
    SPEC_KIND_QEMU,    /* fields below */
    SPEC_KIND_COMMAND, /* a QEMU command line, rewritten by qemu/cmdline.h */
    SPEC_KIND_EXEC,    /* a program on a pty of the server's */
    SPEC_KIND_DEVICE,  /* a serial device */
    SPEC_KIND_SOCKET,  /* a unix socket */
    SPEC_KIND_COUNT
};

/* What counts where nothing is said. */
#define SPEC_DEFAULT_BAUD 115200
#define SPEC_DEFAULT_HISTORY 10000 /* lines */
/* Longest silence that can be watched for, s: a week. */
#define SPEC_MAX_SILENCE_S 604800
#define SPEC_DEFAULT_LOG_BYTES (UINT64_C(16) << 20)

struct spec_disk {
    char *name; /* "disk0", or as said; one of its own in the guest */
    char *file; /* absolute: an image of the user's; NULL: one is made */
    char *base; /* absolute: what the image that is made lies over; NULL: it is
                 * empty */
    uint64_t size_bytes; /* of what is made; 0: the base's */
    char *format;        /* of the file or base: "raw", "qcow2" …; NULL: it is
                          * found out */
    char *interface;     /* "virtio" (default), "ide", "scsi", "sata", "nvme",
                          * "pflash" */
    char *cache;         /* QEMU's cache mode; NULL: its default */
    char *serial;        /* NULL: none */
    bool discards;       /* the guest's trims free the image's blocks */
    bool is_readonly;
};

/* Whether guestmux makes its image. */
bool spec_disk_is_made(const struct spec_disk *disk);

/* The files that a cloud-init seed has. */
enum spec_document_kind {
    SPEC_DOCUMENT_USER_DATA,
    SPEC_DOCUMENT_META_DATA,
    SPEC_DOCUMENT_NETWORK_CONFIG,
    SPEC_DOCUMENT_VENDOR_DATA,
    SPEC_DOCUMENT_COUNT
};
extern const char *const spec_document_names[SPEC_DOCUMENT_COUNT];

/* One of them: at most one is set. */
struct spec_document {
    char *path;     /* absolute */
    char *text;     /* as it stands in the fleet file */
    json_t *object; /* owned */
};

struct spec_cloud_init {
    struct spec_document documents[SPEC_DOCUMENT_COUNT];
    char *hostname;  /* NULL: the guest's name */
    char *user;      /* NULL: the image's usual one */
    char *password;  /* in clear or hashed ("$6$…"); shown nowhere */
    char **ssh_keys; /* keys, absolute paths, "auto": NULL-terminated, or
                      * NULL */
};

/* Whether text is a public key as authorized_keys(5) has them, rather than a
 * path. */
bool spec_is_ssh_key(const char *text);

struct spec_nic {
    char *type;    /* "user", "tap" …; NULL when network or text says it */
    char *network; /* one of the fleet's own networks, instead of a type */
    char *model;   /* NULL: virtio */
    char *mac;
    struct forward *forwards; /* of a user network */
    size_t forward_count;
    char **options; /* of -netdev: a name, its value, a name … */
    size_t option_count;
    char *text; /* a raw -nic value, instead of all the above */
};
/* Whether it and the host are on one network: a tap, a bridge, macOS's vmnet.
 */
bool spec_nic_is_beside_host(const struct spec_nic *nic);

/* QEMU's -smp: how many CPUs, and how they are arranged. 0: not said. */
struct spec_smp {
    int cpus;
    int maxcpus;
    int sockets;
    int dies;
    int clusters;
    int cores;
    int threads;
};
/* The name of the part number index, as QEMU has it, and its value; NULL: there
 * are no more. */
const char *spec_smp_part(const struct spec_smp *smp, size_t index,
                          int *ret_value);

struct spec;
/* The guest's port for ssh: its definition's, or 22. */
int spec_ssh_port(const struct spec *spec);

/* How `guestmux ssh` reaches the guest; what is not said is ssh's to choose. */
struct spec_ssh {
    char *user;
    int port;       /* of the guest; 0: 22 */
    char *key;      /* absolute */
    char **options; /* for ssh's -o; NULL-terminated, or NULL */
};

/* How pastes go when nobody says otherwise. */
struct spec_paste {
    int64_t cps; /* characters and lines a second; 0: any number */
    int64_t lps;
    bool waits_for_echo;
    char *prompt;       /* PCRE2, or NULL */
    int64_t timeout_ms; /* of each wait; 0: no limit */
    char *bracketed;    /* "auto", "on", "off"; NULL: auto */
};
#define SPEC_MAX_PASTE_CPS 1000000
#define SPEC_MAX_PASTE_LPS 10000
#define SPEC_MAX_PASTE_TIMEOUT_S 86400
#define SPEC_DEFAULT_PASTE_TIMEOUT_MS 30000

struct spec {
    char *name;
    char *directory;       /* where relative paths start: the fleet file's */
    char *fleet_directory; /* of the file that included it; NULL: the same */
    enum spec_kind kind;

    /* SPEC_KIND_QEMU */
    char *qemu; /* binary's name or path; NULL: qemu-system-ARCH */
    char *arch; /* "x86_64" by default */
    char *machine;
    char *accel;
    char *cpu;
    struct spec_smp smp;   /* all 0: QEMU's default */
    uint64_t memory_bytes; /* 0: QEMU's default */
    char *firmware;        /* absolute, or a bare name that QEMU looks up */
    char *uefi;            /* "uefi" …: found by QEMU's descriptors */
    char *flash_code;      /* absolute, as the next two: the firmware's program,
                            */
    char *flash_vars;      /* … the variable store to copy, or NULL */
    char *flash_store;     /* … or the one to write to, or NULL */
    char *kernel;
    char *initrd;
    char *append;
    struct spec_disk *disks;
    size_t disk_count;
    char *cdrom;                        /* absolute */
    struct spec_cloud_init *cloud_init; /* owned; NULL: no seed */
    struct spec_nic *nics;
    size_t nic_count;
    bool has_agent; /* a port for the guest agent */
    bool has_nics;  /* false: nothing was said, one user network it is */
    char *vga; /* "none", "std" …; "auto": the machine's; NULL: not said */
    char *vnc_display; /* QEMU's "HOST:NUMBER", or NULL */
    char *vnc_socket;  /* absolute, or NULL */
    char **usb;        /* NULL: no controller; values of -device otherwise */
    char **devices;    /* NULL-terminated, or NULL: values of -device */
    char *rng;         /* where its bytes come from; NULL: there is none */
    char **args;       /* NULL-terminated, or NULL: raw QEMU arguments */
    char **consoles;   /* "ttyS0", "hvc0" …: NULL-terminated, or NULL: the
                        * first serial port */

    /* SPEC_KIND_COMMAND, SPEC_KIND_EXEC: NULL-terminated words */
    char **command;

    char *device; /* SPEC_KIND_DEVICE */
    int baud;
    char *socket; /* SPEC_KIND_SOCKET */

    struct spec_ssh ssh;

    char **env;     /* "NAME=VALUE", NULL-terminated, or NULL: what its program
                     * gets besides the usual environment */
    json_t *labels; /* owned: an object of texts, or NULL */

    size_t history_lines; /* scrollback */
    int console_rows;     /* a fixed size; 0: that of who looks at it */
    int console_cols;
    bool is_readonly; /* nobody types */
    int silence_s;    /* without output for so long it is told; 0: never */
    struct alert_rules alerts; /* its own, before those of all guests */
    uint64_t log_max_bytes;    /* of each console's log; 0: without limit */
    struct spec_paste paste;
    struct lifecycle lifecycle; /* start order, restarts, shutting down */
    json_t *source; /* owned: the entry with defaults merged in, as written
                     * to spec.json; spec_from_json reads it back */
};

/* Builds a spec from an entry's fields (defaults already merged in). directory:
 * absolute. On failure error lists every mistake, one per line, each as
 * "guests.NAME.FIELD: …". */
struct spec *spec_from_json(const char *name, const json_t *entry,
                            const char *directory, struct error *error);
void spec_free(struct spec *spec);

/* A deep copy. */
struct spec *spec_copy(const struct spec *spec);

/* {"name", "directory", "entry": …}: what is saved in the guest's state
 * directory, and the way back. New reference. */
json_t *spec_save(const struct spec *spec);
struct spec *spec_load(const json_t *saved, struct error *error);

/* The directory by which the networks of the guest's fleet are known. Borrowed.
 */
const char *spec_network_directory(const struct spec *spec);

/* A running guest's spec with what needs no restart taken from another one of
 * it: what QEMU does not know of, such as labels, order, restarts, shutting
 * down, alert rules, scrollback. */
struct spec *spec_with_live_fields(const struct spec *running,
                                   const struct spec *wanted);

/* Whether the fleet's networks that they name, if any, are the same: a file may
 * be read for itself, or be included by one in another directory. */
bool spec_has_same_networks(const struct spec *a, const struct spec *b);

/* Whether both describe the same guest. */
bool spec_is_equal(const struct spec *a, const struct spec *b);

/* What differs, as an array of {"field", "old", "new"}; null: not said. What
 * may hold a password is not shown. New reference. */
json_t *spec_changes(const struct spec *before, const struct spec *after);

const char *spec_kind_name(enum spec_kind kind);

/* Bits of struct spec_field's kinds. */
#define SPEC_KINDS(kind) (1u << (kind))
#define SPEC_KINDS_ALL ((1u << SPEC_KIND_COUNT) - 1)

struct place;
struct spec_reader;

/* Every field's name with one line of help, for messages, check, man page. */
struct spec_field {
    const char *name;
    const char *type;
    const char *summary;
    unsigned kinds; /* of which kinds of guest it is a field */
    bool is_live;   /* QEMU knows nothing of it: a guest that runs takes it */
    size_t offset;  /* in struct spec, where read puts it */
    /* Puts value into the reader's spec, or adds mistakes. */
    void (*read)(struct spec_reader *reader, const struct spec_field *field,
                 const json_t *value, const struct place *place);
};
extern const struct spec_field spec_fields[];
extern const size_t spec_fields_count;
