#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "fleet/spec-internal.h"

#define Q SPEC_KINDS(SPEC_KIND_QEMU)
#define AT(member) offsetof(struct spec, member)

/* The one table of what an entry may say, in the manual's order. */
const struct spec_field spec_fields[] = {
    {
        .name = "arch",
        .type = "architecture",
        .summary = "what to emulate: runs qemu-system-ARCH (x86_64)",
        .kinds = Q,
        .offset = AT(arch),
        .read = spec_read_arch,
    },
    {
        .name = "qemu",
        .type = "program",
        .summary = "QEMU's binary by name or path, instead of the usual one",
        .kinds = Q,
        .offset = AT(qemu),
        .read = spec_read_program,
    },
    {
        .name = "machine",
        .type = "text",
        .summary = "QEMU's -machine (x86_64: q35, aarch64: virt)",
        .kinds = Q,
        .offset = AT(machine),
        .read = spec_read_option,
    },
    {
        .name = "accel",
        .type = "accelerator",
        .summary = "auto, kvm, hvf or tcg (auto)",
        .kinds = Q,
        .offset = AT(accel),
        .read = spec_read_accel,
    },
    {
        .name = "cpu",
        .type = "text",
        .summary = "QEMU's -cpu",
        .kinds = Q,
        .offset = AT(cpu),
        .read = spec_read_option,
    },
    {
        .name = "smp",
        .type = "cpus",
        .summary =
            "number of CPUs, 1 to 1024, or an object of cpus, maxcpus, sockets, dies, clusters, cores and threads (1)",
        .kinds = Q,
        .offset = AT(smp),
        .read = spec_read_smp,
    },
    {
        .name = "memory",
        .type = "size",
        .summary = "the guest's memory: \"2G\", \"512M\", or MiB as a number",
        .kinds = Q,
        .offset = AT(memory_bytes),
        .read = spec_read_memory,
    },
    {
        .name = "firmware",
        .type = "firmware",
        .summary = "bios, uefi, uefi-secure, uefi-secure-setup, a file for "
                   "QEMU's -bios, or an object of code and vars (bios)",
        .kinds = Q,
        .offset = AT(firmware),
        .read = spec_read_firmware,
    },
    {
        .name = "kernel",
        .type = "path",
        .summary = "a Linux kernel to boot directly",
        .kinds = Q,
        .offset = AT(kernel),
        .read = spec_read_path,
    },
    {
        .name = "initrd",
        .type = "path",
        .summary = "the initial ram disk that goes with kernel",
        .kinds = Q,
        .offset = AT(initrd),
        .read = spec_read_path,
    },
    {
        .name = "append",
        .type = "text",
        .summary = "the kernel's command line",
        .kinds = Q,
        .offset = AT(append),
        .read = spec_read_append,
    },
    {
        .name = "disks",
        .type = "array",
        .summary = "disk images: paths, or objects of file, base, size, "
                   "format, interface, serial, cache, discard, readonly, name",
        .kinds = Q,
        .offset = AT(disks),
        .read = spec_read_disks,
    },
    {
        .name = "cdrom",
        .type = "path",
        .summary = "a CD-ROM image",
        .kinds = Q,
        .offset = AT(cdrom),
        .read = spec_read_path,
    },
    {
        .name = "cloud-init",
        .type = "object",
        .summary = "a seed for cloud-init: hostname, user, password, "
                   "ssh-keys, user-data, meta-data, network-config, "
                   "vendor-data",
        .kinds = Q,
        .offset = AT(cloud_init),
        .read = spec_read_cloud_init,
    },
    {
        .name = "nics",
        .type = "array",
        .summary = "network cards: objects of type or network, model, mac, "
                   "hostfwd …, or QEMU's -nic values (one user network)",
        .kinds = Q,
        .offset = AT(nics),
        .read = spec_read_nics,
    },
    {
        .name = "agent",
        .type = "boolean",
        .summary = "a port for the guest agent (false)",
        .kinds = Q,
        .offset = AT(has_agent),
        .read = spec_read_boolean,
    },
    {
        .name = "vga",
        .type = "text",
        .summary = "a graphics card: std, virtio, qxl … (none; with vnc the "
                   "machine's usual one)",
        .kinds = Q,
        .offset = AT(vga),
        .read = spec_read_vga,
    },
    {
        .name = "vnc",
        .type = "display",
        .summary = "a display for VNC clients: a number on 127.0.0.1, "
                   "\"HOST:NUMBER\", or \"unix:PATH\"",
        .kinds = Q,
        .offset = AT(vnc_display),
        .read = spec_read_vnc,
    },
    {
        .name = "usb",
        .type = "array",
        .summary = "USB devices: tablet, mouse, keyboard, -device values; "
                   "true: a controller alone (false)",
        .kinds = Q,
        .offset = AT(usb),
        .read = spec_read_usb,
    },
    {
        .name = "devices",
        .type = "array",
        .summary = "further devices: QEMU's -device values, as strings or "
                   "objects with driver",
        .kinds = Q,
        .offset = AT(devices),
        .read = spec_read_devices,
    },
    {
        .name = "rng",
        .type = "path",
        .summary = "a virtio source of random bytes: true (/dev/urandom), or "
                   "where they come from (false)",
        .kinds = Q,
        .offset = AT(rng),
        .read = spec_read_rng,
    },
    {
        .name = "args",
        .type = "array",
        .summary = "QEMU arguments of your own, after all others",
        .kinds = Q,
        .offset = AT(args),
        .read = spec_read_words,
    },
    {
        .name = "consoles",
        .type = "array",
        .summary = "serial ports and virtio consoles, such as [\"ttyS0\", "
                   "\"hvc0\"] (the first serial port)",
        .kinds = Q,
        .offset = AT(consoles),
        .read = spec_read_consoles,
    },
    {
        .name = "command",
        .type = "command",
        .summary = "a QEMU command line, as a string or an array of words",
        .kinds = SPEC_KINDS(SPEC_KIND_COMMAND),
        .offset = AT(command),
        .read = spec_read_command,
    },
    {
        .name = "ssh",
        .type = "object",
        .summary = "how `guestmux ssh` reaches it: user, port (22), key, "
                   "options",
        .kinds = Q | SPEC_KINDS(SPEC_KIND_COMMAND),
        .offset = AT(ssh),
        .read = spec_read_ssh,
    },
    {
        .name = "exec",
        .type = "array",
        .summary = "a program, not a guest: its terminal is the console",
        .kinds = SPEC_KINDS(SPEC_KIND_EXEC),
        .offset = AT(command),
        .read = spec_read_words,
    },
    {
        .name = "device",
        .type = "path",
        .summary = "a serial device, such as /dev/ttyUSB0",
        .kinds = SPEC_KINDS(SPEC_KIND_DEVICE),
        .offset = AT(device),
        .read = spec_read_path,
    },
    {
        .name = "baud",
        .type = "integer",
        .summary = "the serial device's speed (115200)",
        .kinds = SPEC_KINDS(SPEC_KIND_DEVICE),
        .offset = AT(baud),
        .read = spec_read_baud,
    },
    {
        .name = "socket",
        .type = "path",
        .summary = "a unix socket whose stream is the console",
        .kinds = SPEC_KINDS(SPEC_KIND_SOCKET),
        .offset = AT(socket),
        .read = spec_read_socket,
    },
    {
        .name = "env",
        .type = "object",
        .summary = "environment variables for QEMU or the program, by names",
        .kinds = Q | SPEC_KINDS(SPEC_KIND_COMMAND) | SPEC_KINDS(SPEC_KIND_EXEC),
        .offset = AT(env),
        .read = spec_read_env,
    },
    {
        .name = "labels",
        .type = "object",
        .summary = "words of your own about the guest, by names; commands take "
                   "--label NAME=VALUE",
        .kinds = SPEC_KINDS_ALL,
        .offset = AT(labels),
        .read = spec_read_labels,
    },
    {
        .name = "history",
        .type = "integer",
        .summary = "lines of scrollback per console, 0 to 1000000 (10000)",
        .kinds = SPEC_KINDS_ALL,
        .offset = AT(history_lines),
        .read = spec_read_history,
    },
    {
        .name = "alerts",
        .type = "array",
        .summary = "alert rules: objects of name, pattern, severity, message, "
                   "run, timeout, enabled",
        .kinds = SPEC_KINDS_ALL,
        .offset = AT(alerts),
        .read = spec_read_alerts,
    },
    {
        .name = "silence",
        .type = "integer",
        .summary = "seconds without output after which an alert is raised, 0 "
                   "to 604800 (0: never)",
        .kinds = SPEC_KINDS_ALL,
        .offset = AT(silence_s),
        .read = spec_read_silence,
    },
    {
        .name = "log",
        .type = "object",
        .summary = "each console's log: {\"max\": what is kept of it, 64K or "
                   "more, or \"unlimited\"} (16M)",
        .kinds = SPEC_KINDS_ALL,
        .offset = AT(log_max_bytes),
        .read = spec_read_log,
    },
    {
        .name = "console",
        .type = "object",
        .summary = "a size that its consoles keep: rows and cols",
        .kinds = SPEC_KINDS_ALL,
        .offset = AT(console_rows),
        .read = spec_read_console,
    },
    {
        .name = "read-only",
        .type = "boolean",
        .summary = "nobody types into its consoles (false)",
        .kinds = SPEC_KINDS_ALL,
        .offset = AT(is_readonly),
        .read = spec_read_boolean,
    },
    {
        .name = "paste",
        .type = "object",
        .summary = "how pastes go: cps, lps (per second), wait-echo, "
                   "wait-prompt, timeout (30 s), bracketed (auto)",
        .kinds = SPEC_KINDS_ALL,
        .offset = AT(paste),
        .read = spec_read_paste,
    },
    {
        .name = "after",
        .type = "array",
        .summary = "guests that have to come as far as until says before it "
                   "is started by up",
        .kinds = SPEC_KINDS_ALL,
        .offset = AT(lifecycle.after),
        .read = spec_read_after,
    },
    {
        .name = "until",
        .type = "stage",
        .summary = "how far those: running or a stage, or an object of stage, "
                   "timeout (running, 600 s)",
        .kinds = SPEC_KINDS_ALL,
        .offset = AT(lifecycle.until),
        .read = spec_read_until,
    },
    {
        .name = "restart",
        .type = "policy",
        .summary = "what follows its end: never, on-failure or always, or an "
                   "object of policy, delay, max-delay, limit, window (never)",
        .kinds = SPEC_KINDS_ALL,
        .offset = AT(lifecycle.restart),
        .read = spec_read_restart,
    },
    {
        .name = "autostart",
        .type = "boolean",
        .summary = "it starts with a server under a service manager (false)",
        .kinds = SPEC_KINDS_ALL,
        .offset = AT(lifecycle.is_autostart),
        .read = spec_read_boolean,
    },
    {
        .name = "shutdown",
        .type = "object",
        .summary = "how it is shut down, in seconds: button, repeat, agent, "
                   "quit, term; and force (60, 5, 30, 5, 5, false)",
        .kinds = SPEC_KINDS_ALL,
        .offset = AT(lifecycle.shutdown),
        .read = spec_read_shutdown,
    },
    {
        .name = "stall",
        .type = "object",
        .summary = "seconds in a stage of the boot after which an alert is "
                   "raised: firmware, boot-loader, kernel, init, cloud-init",
        .kinds = SPEC_KINDS_ALL,
        .offset = AT(lifecycle.stall_s),
        .read = spec_read_stall,
    },
    {
        .name = "comment",
        .type = "text",
        .summary = "for people: a string or an array of strings",
        .kinds = SPEC_KINDS_ALL,
        .offset = 0, /* it is kept nowhere */
        .read = spec_read_comment,
    },
};
const size_t spec_fields_count = sizeof(spec_fields) / sizeof(spec_fields[0]);
