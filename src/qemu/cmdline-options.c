#include "qemu/cmdline-internal.h"

#include <string.h>

/* QEMU's options that take no value, and those that are looked at; all others
 * take a value and are kept. From QEMU's qemu-options.hx, with those that went
 * in versions before. */
static const struct cmdline_option options[] = {
    {"S", true, CMDLINE_ACTION_KEEP, NULL},
    {"alt-grab", true, CMDLINE_ACTION_DROP, "there is no window"},
    {"async-teardown", true, CMDLINE_ACTION_KEEP, NULL},
    {"audio-help", true, CMDLINE_ACTION_KEEP, NULL},
    {"chardev", false, CMDLINE_ACTION_CHARDEV, NULL},
    {"ctrl-grab", true, CMDLINE_ACTION_DROP, "there is no window"},
    {"curses", true, CMDLINE_ACTION_DROP, "there is no terminal to draw on"},
    {"daemonize", true, CMDLINE_ACTION_DROP,
     "QEMU stays alive without it, in a session of its own"},
    {"device", false, CMDLINE_ACTION_DEVICE, NULL},
    {"display", false, CMDLINE_ACTION_DISPLAY, NULL},
    {"enable-fips", true, CMDLINE_ACTION_KEEP, NULL},
    {"enable-kvm", true, CMDLINE_ACTION_KEEP, NULL},
    {"enable-sync-profile", true, CMDLINE_ACTION_KEEP, NULL},
    {"full-screen", true, CMDLINE_ACTION_DROP, "there is no window"},
    {"h", true, CMDLINE_ACTION_KEEP, NULL},
    {"help", true, CMDLINE_ACTION_KEEP, NULL},
    {"incoming", false, CMDLINE_ACTION_SPAWN, NULL},
    {"jitdump", true, CMDLINE_ACTION_KEEP, NULL},
    {"mem-prealloc", true, CMDLINE_ACTION_KEEP, NULL},
    {"mon", false, CMDLINE_ACTION_MON, "the monitor is guestmux's"},
    {"monitor", false, CMDLINE_ACTION_MONITOR, "the monitor is guestmux's"},
    {"name", false, CMDLINE_ACTION_DROP, "the guest has its name here"},
    {"net", false, CMDLINE_ACTION_NET, NULL},
    {"netdev", false, CMDLINE_ACTION_NET, NULL},
    {"nic", false, CMDLINE_ACTION_NET, NULL},
    {"no-acpi", true, CMDLINE_ACTION_KEEP, NULL},
    {"no-fd-bootchk", true, CMDLINE_ACTION_KEEP, NULL},
    {"no-frame", true, CMDLINE_ACTION_DROP, "there is no window"},
    {"no-hpet", true, CMDLINE_ACTION_KEEP, NULL},
    {"no-kvm", true, CMDLINE_ACTION_KEEP, NULL},
    {"no-quit", true, CMDLINE_ACTION_DROP, "there is no window"},
    {"no-reboot", true, CMDLINE_ACTION_KEEP, NULL},
    {"no-shutdown", true, CMDLINE_ACTION_KEEP, NULL},
    {"no-user-config", true, CMDLINE_ACTION_KEEP, NULL},
    {"nodefaults", true, CMDLINE_ACTION_KEEP, NULL},
    {"nodefconfig", true, CMDLINE_ACTION_KEEP, NULL},
    {"nographic", true, CMDLINE_ACTION_NOGRAPHIC, NULL},
    {"old-param", true, CMDLINE_ACTION_KEEP, NULL},
    {"only-migratable", true, CMDLINE_ACTION_KEEP, NULL},
    {"parallel", false, CMDLINE_ACTION_PARALLEL, NULL},
    {"perfmap", true, CMDLINE_ACTION_KEEP, NULL},
    {"pidfile", false, CMDLINE_ACTION_DROP,
     "guestmux knows the guest's process"},
    {"portrait", true, CMDLINE_ACTION_KEEP, NULL},
    {"preconfig", true, CMDLINE_ACTION_KEEP, NULL},
    {"qmp", false, CMDLINE_ACTION_MONITOR, "the monitor is guestmux's"},
    {"qmp-pretty", false, CMDLINE_ACTION_MONITOR, "the monitor is guestmux's"},
    {"runas", false, CMDLINE_ACTION_SPAWN, NULL},
    {"s", true, CMDLINE_ACTION_KEEP, NULL},
    {"sandbox", false, CMDLINE_ACTION_SANDBOX, NULL},
    {"sdl", true, CMDLINE_ACTION_DROP, "there is no window"},
    {"semihosting", true, CMDLINE_ACTION_KEEP, NULL},
    {"serial", false, CMDLINE_ACTION_SERIAL, NULL},
    {"show-cursor", true, CMDLINE_ACTION_DROP, "there is no window"},
    {"singlestep", true, CMDLINE_ACTION_KEEP, NULL},
    {"snapshot", true, CMDLINE_ACTION_KEEP, NULL},
    {"spice", false, CMDLINE_ACTION_REMOTE, NULL},
    {"usb", true, CMDLINE_ACTION_KEEP, NULL},
    {"uuid", false, CMDLINE_ACTION_UUID, NULL},
    {"version", true, CMDLINE_ACTION_KEEP, NULL},
    {"vnc", false, CMDLINE_ACTION_REMOTE, NULL},
    {"win2k-hack", true, CMDLINE_ACTION_KEEP, NULL},
    {"xen-attach", true, CMDLINE_ACTION_KEEP, NULL},
    {"xen-domid-restrict", true, CMDLINE_ACTION_KEEP, NULL},
};

static const struct cmdline_option other = {"", false, CMDLINE_ACTION_KEEP,
                                            NULL};

const char *
cmdline_option_name(const char *word)
{
    if (word[0] != '-' || word[1] == '\0')
        return NULL;
    return word + (word[1] == '-' ? 2 : 1);
}

const struct cmdline_option *
cmdline_find_option(const char *name)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (!strcmp(options[i].name, name))
            return &options[i];
    }
    return &other;
}
