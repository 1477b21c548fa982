#include "fleet/synonyms.h"

#include <string.h>

/* From QEMU's options, libvirt, container files and cloud tools. A word may
 * mean different fields of different objects: the first that is among those
 * counts. */
static const struct {
    const char *word;
    const char *meant;
} synonyms[] = {
    {"aliases", "labels"},
    {"backing", "base"},
    {"backing-file", "base"},
    {"backing_file", "base"},
    {"bios", "firmware"},
    {"boot", "args"},
    {"bus", "interface"},
    {"cloudinit", "cloud-init"},
    {"cmd", "command"},
    {"cmdline", "append"},
    {"cores", "smp"},
    {"cpus", "smp"},
    {"depends", "after"},
    {"depends-on", "after"},
    {"depends_on", "after"},
    {"display", "vga"},
    {"drive", "disks"},
    {"drives", "disks"},
    {"environment", "env"},
    {"extra-args", "args"},
    {"forward", "hostfwd"},
    {"forwards", "hostfwd"},
    {"graphics", "vga"},
    {"hardware", "devices"},
    {"hdd", "disks"},
    {"host_port", "host-port"},
    {"hostname", "cloud-init"},
    {"identity", "key"},
    {"if", "interface"},
    {"image", "disks"},
    {"image", "file"},
    {"image", "base"},
    {"images", "disks"},
    {"interfaces", "nics"},
    {"iso", "cdrom"},
    {"kernel-args", "append"},
    {"macaddr", "mac"},
    {"mem", "memory"},
    {"net", "nics"},
    {"netdev", "nics"},
    {"network", "nics"},
    {"networks", "nics"},
    {"options", "args"},
    {"password", "cloud-init"},
    {"path", "file"},
    {"ports", "hostfwd"},
    {"ports", "nics"},
    {"power", "button"},
    {"ram", "memory"},
    {"ro", "readonly"},
    {"ro", "read-only"},
    {"serial", "consoles"},
    {"source", "file"},
    {"src", "file"},
    {"ssh-key", "ssh-keys"},
    {"storage", "disks"},
    {"tags", "labels"},
    {"timeout", "button"},
    {"uefi", "firmware"},
    {"user-data", "cloud-init"},
    {"userdata", "user-data"},
    {"userdata", "cloud-init"},
    {"username", "user"},
    {"vcpus", "smp"},
    {"video", "vga"},
    {"volumes", "disks"},
};

const char *
synonym_find(const char *word, const char *const *names, size_t count)
{
    for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++) {
        if (strcmp(synonyms[i].word, word) != 0)
            continue;
        for (size_t k = 0; k < count; k++) {
            if (!strcmp(names[k], synonyms[i].meant))
                return names[k];
        }
    }
    return NULL;
}
