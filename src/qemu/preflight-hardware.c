/* The firmware's files, and what devices read. */
#include "base/xalloc.h"
#include "qemu/firmware.h"
#include "qemu/preflight-internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Linux's network devices. */
#define NETWORK_DEVICES "/sys/class/net"

/* Files that the fleet file names. */
static void
check_named(const struct preflight_check *check)
{
    const struct spec *spec = check->spec;
    const struct {
        const char *path;
        int mode;
        const char *field;
    } files[] = {
        {spec->firmware && spec->firmware[0] == '/' ? spec->firmware : NULL,
         R_OK, "firmware"},
        {spec->flash_code, R_OK, "firmware"},
        {spec->flash_vars, R_OK, "firmware"},
        {spec->flash_store, R_OK | W_OK, "firmware"},
        {spec->rng, R_OK, "rng"},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (files[i].path)
            (void)preflight_check_file(check, files[i].path, files[i].mode,
                                       files[i].field, -1);
    }
}

/* Where QEMU looks for firmware by its name, as distributions have it. */
static const char *const firmware_places[] = {
    "/usr/share/qemu",       "/usr/share/seabios",
    "/usr/lib/ipxe/qemu",    "/usr/share/qemu-firmware",
    "/usr/local/share/qemu", "/opt/homebrew/share/qemu",
};

/* A bare name is a file beside the fleet file, or one of QEMU's. */
static void
check_bare(const struct preflight_check *check)
{
    const char *name = check->spec->firmware;
    if (!name || strchr(name, '/') || !strcmp(name, "none"))
        return;
    char *path = xasprintf("%s/%s", check->spec->directory, name);
    bool is_there = access(path, R_OK) == 0;
    free(path);
    for (size_t i = 0; i < COUNT(firmware_places) && !is_there; i++) {
        path = xasprintf("%s/%s", firmware_places[i], name);
        is_there = access(path, R_OK) == 0;
        free(path);
    }
    if (!is_there)
        preflight_add(check, PREFLIGHT_SEVERITY_WARNING, "firmware", -1,
                      "%s is no file in %s, nor one that QEMU comes with, as "
                      "far as is known here",
                      name, check->spec->directory);
}

/* Devices of the host that cards are on. */
static void
check_links(const struct preflight_check *check)
{
    const struct spec *spec = check->spec;
    for (size_t i = 0; i < spec->nic_count; i++) {
        const struct spec_nic *nic = &spec->nics[i];
        bool is_bridge = nic->type && !strcmp(nic->type, "bridge");
        bool is_tap = nic->type && !strcmp(nic->type, "tap");
        const char *name = is_bridge ? "br0" : NULL;
        for (size_t k = 0; k + 1 < nic->option_count; k += 2) {
            const char *option = nic->options[k];
            if ((is_bridge && !strcmp(option, "br")) ||
                (is_tap && !strcmp(option, "ifname")))
                name = nic->options[k + 1];
        }
        char *path = name ? xasprintf(NETWORK_DEVICES "/%s", name) : NULL;
        /* Without Linux's /sys nothing can be said. */
        if (path && access(NETWORK_DEVICES, X_OK) == 0 &&
            access(path, F_OK) < 0)
            preflight_add(check,
                          is_bridge ? PREFLIGHT_SEVERITY_ERROR
                                    : PREFLIGHT_SEVERITY_WARNING,
                          "nics", (int)i,
                          is_bridge
                              ? "this machine has no bridge %s"
                              : "this machine has no network device %s, and "
                                "QEMU can make it only as root (`ip tuntap add "
                                "... mode tap` does before)",
                          name);
        free(path);
    }
}

void
preflight_check_hardware(const struct preflight_check *check)
{
    check_named(check);
    if (check->spec->flash_store)
        preflight_check_use(check, check->spec->flash_store, IMAGE_USE_WRITES,
                            "firmware", -1);
    check_bare(check);
    check_links(check);
    struct firmware firmware = {0};
    struct error error = {0};
    if (!check->spec->uefi)
        return;
    if (firmware_of_spec(check->spec, NULL, &firmware, &error))
        firmware_finish(&firmware);
    else
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, "firmware", -1, "%s",
                      error.text);
}
