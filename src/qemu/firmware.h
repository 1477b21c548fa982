#pragma once

#include "base/error.h"
#include "fleet/spec.h"

#include <stdbool.h>
#include <stddef.h>

/* A guest's firmware: files that it names, or what QEMU's firmware descriptors
 * say (docs/interop/firmware.json of QEMU). */

enum firmware_device {
    FIRMWARE_DEVICE_NONE,   /* the machine's usual one */
    FIRMWARE_DEVICE_MEMORY, /* -bios */
    FIRMWARE_DEVICE_FLASH,  /* two flash chips: code, variable store */
};

struct firmware {
    enum firmware_device device;
    char *code;         /* owned; the file with the program */
    char *code_format;  /* owned: "raw", "qcow2" */
    char *vars;         /* owned: the template of the variable store, of which
                         * each guest gets a copy; NULL: there is none */
    char *vars_format;  /* owned */
    char *store;        /* owned: the variable store; NULL: none */
    char *store_format; /* owned */
    bool is_combined;   /* code and variables are one file: vars is the code,
                         * and a store is the whole firmware */
    bool requires_smm;  /* it trusts the store only to system management mode */
    char *descriptor;   /* owned: the file that describes it, or NULL */
};

/* What is looked for among descriptors. */
struct firmware_query {
    const char *name;    /* "uefi", "uefi-secure", "uefi-secure-setup" */
    const char *arch;    /* QEMU's: "x86_64" */
    const char *machine; /* of -machine, or NULL */
    /* Where, from the general to the special, NULL-terminated; NULL:
     * firmware_directories'. */
    const char *const *directories;
};

/* Finds the first descriptor, by the files' names, that fits: a file in a more
 * special directory hides one of the same name in a more general one, and an
 * empty file hides it without being one. Descriptors whose files are not there
 * are passed over. error says where was looked, what was passed over and what
 * to install. Reads small files. */
bool firmware_find(const struct firmware_query *query, struct firmware *ret,
                   struct error *error);

/* /usr/share/qemu/firmware, /etc/qemu/firmware, $XDG_CONFIG_HOME/qemu/firmware:
 * NULL-terminated; freed with shellwords_free. */
char **firmware_directories(void);

/* The firmware of a guest described by fields. data_dir: the guest's, where its
 * variable store lies; NULL: none is named. */
bool firmware_of_spec(const struct spec *spec, const char *data_dir,
                      struct firmware *ret, struct error *error);
void firmware_finish(struct firmware *firmware);

/* Whether a file is the code of a descriptor's firmware that wants system
 * management mode. */
bool firmware_file_requires_smm(const char *code);
