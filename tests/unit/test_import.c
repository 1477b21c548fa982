#include "base/buffer.h"
#include "base/xalloc.h"
#include "fleet/fleet.h"
#include "fleet/spec.h"
#include "qemu/argv.h"
#include "qemu/import.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Whether the fleet file would be taken as it is. */
static void
check_fleet(const struct import *import)
{
    json_t *root = import_to_fleet(import);
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    struct error error = {0};
    struct fleet *fleet =
        fleet_parse("/f/fleet.json", text, strlen(text), &error);
    if (!fleet)
        fail_msg("%s: %s", text, error.text);
    else
        assert_int_equal(fleet->guest_count, json_object_size(import->guests));
    fleet_free(fleet);
    free(text);
    json_decref(root);
}

/* What a script becomes: each guest's entry on a line, then the notes, then the
 * error. */
static char *
import(const char *script, const char *name)
{
    struct import import;
    struct error error = {0};
    import_init(&import);
    struct buffer out = {0};
    bool ok =
        import_script(&import, script, strlen(script), NULL, name, &error);
    if (ok)
        check_fleet(&import);
    const char *guest = NULL;
    json_t *entry = NULL;
    json_object_foreach(import.guests, guest, entry)
    {
        json_object_del(entry, "comment");
        char *text = json_dumps(entry, JSON_COMPACT | JSON_PRESERVE_ORDER);
        buffer_printf(&out, "%s %s\n", guest, text);
        free(text);
    }
    for (size_t i = 0; i < import.note_count; i++)
        buffer_printf(&out, "# %s\n", import.notes[i]);
    if (!ok)
        buffer_printf(&out, "error: %s\n", error.text);
    import_finish(&import);
    return buffer_steal(&out);
}

static bool
is_same(const char *what, const char *got, const char *wanted)
{
    if (!strcmp(got, wanted))
        return true;
    (void)fprintf(stderr, "# %s\n# wanted\n%s\n# got\n%s\n", what, wanted, got);
    return false;
}

/* The shortest command with nothing to remark: a PC without default devices. */
#define PC "qemu-system-x86_64 -nodefaults -display none -accel tcg -M q35 "
#define FIELDS "vm0 {\"machine\":\"q35\",\"accel\":\"tcg\","
#define CONSOLE                                                                \
    "# line 1: vm0: consoles: a serial port was added, the console, "          \
    "where the command has none\n"
#define MAC(words)                                                             \
    "# line 1: vm0: " words                                                    \
    ": the card gets a MAC address of its own instead "                        \
    "of QEMU's 52:54:00:12:34:56\n"

static const struct {
    const char *script;
    const char *result;
} rows[] = {
    {PC, FIELDS "\"nics\":[]}\n" CONSOLE},
    {PC "-m 2G -smp 4",
     FIELDS "\"smp\":4,\"memory\":\"2G\",\"nics\":[]}\n" CONSOLE},
    {PC "-m size=512 -smp cpus=2",
     FIELDS "\"smp\":2,\"memory\":512,\"nics\":[]}\n" CONSOLE},
    {PC "-m 2G,slots=2,maxmem=4G -smp 4,sockets=1,cores=2,threads=2", FIELDS
     "\"smp\":{\"cpus\":4,\"sockets\":1,\"cores\":2,\"threads\":2},"
     "\"nics\":[],\"args\":[\"-m\",\"2G,slots=2,maxmem=4G\"]}\n" CONSOLE},
    {PC "-smp cores=2,maxcpus=8",
     FIELDS "\"smp\":{\"cores\":2,\"maxcpus\":8},\"nics\":[]}\n" CONSOLE},
    {PC "-smp 6,sockets=1,cores=2,threads=2",
     FIELDS "\"nics\":[],\"args\":[\"-smp\","
            "\"6,sockets=1,cores=2,threads=2\"]}\n" CONSOLE},
    {PC "-smp 4,books=2",
     FIELDS "\"nics\":[],\"args\":[\"-smp\",\"4,books=2\"]}\n" CONSOLE},
    {PC "-cpu max,+aes -kernel k -initrd i -append 'a=1 {name}' -bios b.bin",
     FIELDS
     "\"cpu\":\"max,+aes\",\"firmware\":\"b.bin\",\"kernel\":\"k\","
     "\"initrd\":\"i\",\"append\":\"a=1 {{name}}\",\"nics\":[]}\n" CONSOLE},
    {PC "-kernel '${HOME}/k'",
     FIELDS "\"kernel\":\"$${HOME}/k\",\"nics\":[]}\n" CONSOLE},
    {PC "-k de -boot d -S -rtc base=localtime",
     FIELDS "\"nics\":[],\"args\":[\"-k\",\"de\",\"-boot\",\"d\",\"-S\","
            "\"-rtc\",\"base=localtime\"]}\n" CONSOLE},
    /* Accelerators. */
    {"qemu-system-x86_64 -nodefaults -display none -M q35 -enable-kvm",
     "vm0 {\"machine\":\"q35\",\"accel\":\"kvm\",\"nics\":[]}\n" CONSOLE},
    {"qemu-system-x86_64 -nodefaults -display none "
     "-machine accel=kvm:tcg,type=q35,smm=off",
     "vm0 {\"machine\":\"q35,smm=off\",\"accel\":\"auto\",\"nics\":[]}\n" CONSOLE},
    {"qemu-system-x86_64 -nodefaults -display none -M q35 -accel hvf -accel "
     "tcg,thread=multi",
     "vm0 {\"machine\":\"q35\",\"accel\":\"hvf\",\"nics\":[],\"args\":["
     "\"-accel\",\"tcg,thread=multi\"]}\n" CONSOLE},
    {"kvm -nodefaults -display none -machine q35",
     "vm0 {\"qemu\":\"kvm\",\"machine\":\"q35\",\"accel\":\"kvm\",\"nics\":[]}"
     "\n" CONSOLE},
    /* Consoles and monitors. */
    {PC "-serial mon:stdio", FIELDS "\"nics\":[]}\n# line 1: vm0: -serial "
                                    "mon:stdio: the console ttyS0\n"},
    {PC "-serial vc -serial pty -serial file:log -monitor none",
     FIELDS "\"nics\":[],\"args\":[\"-serial\",\"file:log\"],"
            "\"consoles\":[\"ttyS0\",\"ttyS1\"]}\n"
            "# line 1: vm0: -serial vc: the console ttyS0\n"
            "# line 1: vm0: -serial pty: the console ttyS1\n"},
    {PC "-chardev stdio,id=c,mux=on -serial chardev:c -mon chardev=c "
        "-chardev socket,id=m,path=m,server=on,wait=off -mon m,mode=control",
     FIELDS "\"nics\":[]}\n"
            "# line 1: vm0: -serial chardev:c: the console ttyS0\n"
            "# line 1: vm0: -mon chardev=c: dropped, the monitor is guestmux's "
            "(guestmux qmp)\n"
            "# line 1: vm0: -mon m,mode=control: dropped, the monitor is "
            "guestmux's (guestmux qmp)\n"
            "# line 1: vm0: -chardev stdio,id=c,mux=on: dropped, the console "
            "has one of guestmux's\n"
            "# line 1: vm0: -chardev socket,id=m,path=m,server=on,wait=off: "
            "dropped, only the monitor used it\n"},
    {PC "-chardev vc,id=a -device isa-serial,chardev=a -chardev vc,id=b "
        "-device virtio-serial -device virtconsole,chardev=b",
     FIELDS "\"nics\":[],\"consoles\":[\"ttyS0\",\"hvc0\"]}\n"
            "# line 1: vm0: -device isa-serial,chardev=a: the console ttyS0\n"
            "# line 1: vm0: -device virtconsole,chardev=b: the console hvc0\n"
            "# line 1: vm0: -device virtio-serial: dropped, it comes with what "
            "is on it\n"
            "# line 1: vm0: -chardev vc,id=a: dropped, the console has one of "
            "guestmux's\n"
            "# line 1: vm0: -chardev vc,id=b: dropped, the console has one of "
            "guestmux's\n"},
    {PC "-serial file:x -serial stdio",
     "vm0 {\"command\":[\"qemu-system-x86_64\",\"-nodefaults\",\"-display\","
     "\"none\",\"-accel\",\"tcg\",\"-M\",\"q35\",\"-serial\",\"file:x\","
     "\"-serial\",\"stdio\"]}\n# line 1: vm0: kept as a command: a serial port "
     "that leads elsewhere stands before the console's\n"},
    {PC "-qmp unix:q,server -monitor telnet:127.0.0.1:1,server,nowait -serial "
        "stdio",
     FIELDS "\"nics\":[]}\n"
            "# line 1: vm0: -serial stdio: the console ttyS0\n"
            "# line 1: vm0: -monitor telnet:127.0.0.1:1,server,nowait: "
            "dropped, the monitor is guestmux's (guestmux qmp)\n"
            "# line 1: vm0: -qmp unix:q,server: dropped, the monitor is "
            "guestmux's (guestmux qmp)\n"},
    /* Disks. */
    {PC "-drive file=a.qcow2,if=virtio,format=qcow2 -drive "
        "if=virtio,readonly=on,file=b,,c.iso",
     FIELDS "\"disks\":[{\"file\":\"a.qcow2\",\"format\":\"qcow2\"},{\"file\":"
            "\"b,c.iso\",\"readonly\":true}],\"nics\":[]}\n" CONSOLE},
    /* In the order of QEMU's places, whatever that of the words is; a virtio
     * disk without a device comes behind those that have one. */
    {PC "-cdrom b.iso -hda a.img -drive file=c.img", FIELDS
     "\"disks\":[{\"file\":\"a.img\",\"interface\":\"ide\"},{\"file\":"
     "\"c.img\",\"interface\":\"ide\"},{\"file\":\"b.iso\",\"format\":"
     "\"raw\",\"interface\":\"ide\",\"readonly\":true}],\"nics\":[]}\n" CONSOLE
     "# line 1: vm0: -hda a.img: a disk on ide\n"
     "# line 1: vm0: -cdrom b.iso: a disk on ide, a CD-ROM\n"},
    {PC "-hdb b -drive file=d,if=virtio,index=1 -drive if=virtio,file=c "
        "-drive file=a,index=0 -drive if=none,id=p,file=e "
        "-device virtio-blk-pci,drive=p",
     FIELDS "\"disks\":[{\"file\":\"a\",\"interface\":\"ide\"},{\"file\":"
            "\"b\",\"interface\":\"ide\"},{\"file\":\"e\"},{\"file\":"
            "\"c\"},{\"file\":\"d\"}],\"nics\":[]}\n" CONSOLE
            "# line 1: vm0: -hdb b: a disk on ide\n"},
    {PC "-hdc c -hda a",
     FIELDS "\"disks\":[{\"file\":\"a\",\"interface\":\"ide\"},{\"file\":"
            "\"c\",\"interface\":\"ide\"}],\"nics\":[]}\n" CONSOLE
            "# line 1: vm0: -hda a: a disk on ide\n"
            "# line 1: vm0: -hdc c: a disk on ide, in the next place instead "
            "of its own\n"},
    /* Beside one that is no field the others stay: it would take a place. */
    {PC "-hda a -drive file=b,snapshot=on -drive file=c,if=virtio",
     FIELDS "\"disks\":[{\"file\":\"c\"}],\"nics\":[],\"args\":[\"-hda\","
            "\"a\",\"-drive\",\"file=b,snapshot=on\"]}\n" CONSOLE},
    /* -snapshot is nothing to a -blockdev. */
    {PC "-snapshot -blockdev driver=file,node-name=d,filename=d.img -device "
        "virtio-blk-pci,drive=d -drive file=e,if=virtio",
     FIELDS
     "\"disks\":[{\"file\":\"e\"}],\"nics\":[],\"devices\":["
     "\"virtio-blk-pci,drive=d\"],\"args\":[\"-snapshot\","
     "\"-blockdev\",\"driver=file,node-name=d,filename=d.img\"]}\n" CONSOLE},
    {PC "-drive if=none,id=d,file=a,format=raw -device nvme,drive=d,serial=x1 "
        "-blockdev driver=qcow2,node-name=q,file.driver=file,file.filename=b "
        "-device virtio-blk-pci,drive=q -blockdev "
        "'{\"driver\":\"file\",\"node-name\":\"f\",\"filename\":\"c\"}' "
        "-blockdev driver=raw,file=f,node-name=r,read-only=on -device "
        "virtio-scsi-pci,id=s -device scsi-cd,bus=s.0,drive=r",
     FIELDS "\"disks\":[{\"file\":\"a\",\"format\":\"raw\",\"interface\":"
            "\"nvme\",\"serial\":\"x1\"},{\"file\":\"b\",\"format\":\"qcow2\"},"
            "{\"file\":\"c\",\"format\":\"raw\",\"interface\":\"scsi\","
            "\"readonly\":true}],\"nics\":[]}\n" CONSOLE},
    {PC "-drive file=a,if=virtio,cache=none,discard=unmap",
     FIELDS "\"disks\":[{\"file\":\"a\",\"cache\":\"none\",\"discard\":true}],"
            "\"nics\":[]}\n" CONSOLE},
    /* What fields cannot say of a disk stays as it is. */
    {PC "-drive file=nbd:h:1,if=virtio -drive file=a,if=virtio,aio=native "
        "-drive if=none,id=d,file=b -device virtio-blk-pci,drive=d,bootindex=1 "
        "-drive if=ide,readonly=on,file=c -drive if=floppy,file=e",
     FIELDS
     "\"nics\":[],\"devices\":[\"virtio-blk-pci,drive=d,bootindex=1\"],"
     "\"args\":[\"-drive\",\"file=nbd:h:1,if=virtio\",\"-drive\","
     "\"file=a,if=virtio,aio=native\",\"-drive\",\"if=none,id=d,file=b\","
     "\"-drive\",\"if=ide,readonly=on,file=c\",\"-drive\","
     "\"if=floppy,file=e\"]}\n" CONSOLE},
    /* The card may come before its network; a RISC-V machine has none. */
    {"qemu-system-x86_64 -display none -accel tcg -M q35 -vga none -serial "
     "stdio -device e1000,netdev=n,mac=52:54:00:00:00:01 -netdev user,id=n",
     FIELDS
     "\"nics\":[{\"model\":\"e1000\",\"mac\":\"52:54:00:00:00:01\"}]}\n"
     "# line 1: vm0: -serial stdio: the console ttyS0\n"
     "# line 1: vm0: QEMU's parallel port, floppy drive and empty CD-ROM "
     "drive are left out\n"},
    {"qemu-system-riscv64 -M virt -accel tcg -nographic",
     "vm0 {\"arch\":\"riscv64\",\"machine\":\"virt\",\"accel\":\"tcg\","
     "\"nics\":[]}\n"},
    {PC "-device isa-serial,chardev=c,index=0 -chardev pty,id=c",
     FIELDS "\"nics\":[]}\n"
            "# line 1: vm0: -device isa-serial,chardev=c,index=0: the console "
            "ttyS0\n# line 1: vm0: -chardev pty,id=c: dropped, the console has "
            "one of guestmux's\n"},
    /* Firmware. */
    {"qemu-system-x86_64 -nodefaults -display none -accel tcg -M "
     "q35,pflash0=c,pflash1=v -blockdev driver=file,node-name=c,filename=c.fd,"
     "read-only=on -blockdev driver=file,filename=v.fd,node-name=v",
     FIELDS "\"firmware\":{\"code\":\"c.fd\",\"store\":\"v.fd\"},"
            "\"nics\":[]}\n" CONSOLE},
    {PC "-blockdev driver=file,node-name=d,filename=d.img -device "
        "virtio-blk-pci,drive=d",
     FIELDS "\"disks\":[{\"file\":\"d.img\",\"format\":\"raw\"}],"
            "\"nics\":[]}\n" CONSOLE},
    {PC "-drive if=pflash,format=raw,readonly=on,file=c.fd -drive "
        "if=pflash,format=raw,file=v.fd",
     FIELDS
     "\"firmware\":{\"code\":\"c.fd\",\"store\":\"v.fd\"},\"nics\":[]}\n" CONSOLE},
    {PC "-drive if=pflash,unit=1,format=qcow2,file=v.qcow2 -drive "
        "if=pflash,unit=0,format=raw,file=c.fd",
     FIELDS "\"firmware\":{\"code\":\"c.fd\",\"store\":\"v.qcow2\"},\"nics\":[]"
            "}\n" CONSOLE "# line 1: vm0: firmware: c.fd is opened "
            "read-only\n"},
    {PC "-drive if=pflash,format=raw,file=both.fd",
     FIELDS "\"nics\":[],\"args\":[\"-drive\","
            "\"if=pflash,format=raw,file=both.fd\"]}\n" CONSOLE},
    {PC "-drive if=pflash,format=qcow2,readonly=on,file=c.fd",
     FIELDS "\"nics\":[],\"args\":[\"-drive\","
            "\"if=pflash,format=qcow2,readonly=on,file=c.fd\"]}\n" CONSOLE},
    {"qemu-system-x86_64 -nodefaults -display none -accel tcg -machine "
     "q35,pflash0=c,pflash1=v -blockdev "
     "node-name=c,driver=raw,read-only=on,file.driver=file,file.filename=c.fd "
     "-blockdev "
     "node-name=v,driver=qcow2,file.driver=file,file.filename=v.qcow2",
     FIELDS "\"firmware\":{\"code\":\"c.fd\",\"store\":\"v.qcow2\"},\"nics\":[]"
            "}\n" CONSOLE},
    /* Networks. */
    {PC "-nic none", FIELDS "\"nics\":[]}\n" CONSOLE},
    {PC "-nic user",
     FIELDS "\"nics\":[{\"model\":\"e1000e\"}]}\n" CONSOLE MAC("-nic user")},
    {PC "-nic user,model=virtio,mac=52:54:00:00:00:01,hostfwd=tcp::22-:22,"
        "restrict=on",
     FIELDS "\"nics\":[{\"hostfwd\":[\"tcp::22-:22\"],\"options\":{\"restrict\""
            ":\"on\"},\"model\":\"virtio-net-pci\",\"mac\":"
            "\"52:54:00:00:00:01\"}]}\n" CONSOLE},
    {PC "-netdev tap,id=t,ifname=tap0,script=no,downscript=no -device "
        "e1000,netdev=t,mac=52:54:00:00:00:02",
     FIELDS "\"nics\":[{\"type\":\"tap\",\"name\":\"tap0\",\"script\":\"no\","
            "\"downscript\":\"no\",\"model\":\"e1000\",\"mac\":"
            "\"52:54:00:00:00:02\"}]}\n" CONSOLE},
    {PC "-nic tap,mac=52:54:00:00:00:02",
     FIELDS "\"nics\":[{\"type\":\"tap\",\"script\":\"/etc/qemu-ifup\","
            "\"downscript\":\"/etc/qemu-ifdown\",\"model\":\"e1000e\","
            "\"mac\":\"52:54:00:00:00:02\"}]}\n" CONSOLE},
    {PC "-netdev bridge,br=b0,id=n -device "
        "virtio-net-pci,netdev=n,mac=52:54:00:00:00:03,romfile=",
     FIELDS "\"nics\":[{\"type\":\"bridge\",\"bridge\":\"b0\",\"mac\":"
            "\"52:54:00:00:00:03\"}]}\n" CONSOLE},
    {PC "-net nic,model=rtl8139,macaddr=52:54:00:00:00:04 -net user",
     FIELDS "\"nics\":[{\"model\":\"rtl8139\",\"mac\":\"52:54:00:00:00:04\"}]}"
            "\n" CONSOLE "# line 1: vm0: -net "
            "nic,model=rtl8139,macaddr=52:54:00:00:00:04 -net user: one card "
            "on that network\n"},
    {PC "-netdev user,id=n -device virtio-net-pci,netdev=n,bootindex=2",
     FIELDS "\"nics\":[],\"devices\":[\"virtio-net-pci,netdev=n,bootindex=2\"]"
            ",\"args\":[\"-netdev\",\"user,id=n\"]}\n" CONSOLE},
    {PC "-nic l2tpv3,src=a,dst=b,mac=52:54:00:00:00:05", FIELDS
     "\"nics\":[\"l2tpv3,src=a,dst=b,mac=52:54:00:00:00:05\"]}\n" CONSOLE},
    /* Displays and devices. */
    {"qemu-system-x86_64 -nodefaults -accel tcg -M q35 -vnc :0 -vga qxl -usb "
     "-device usb-tablet -device usb-storage,drive=x",
     FIELDS "\"nics\":[],\"vga\":\"qxl\",\"vnc\":\":0\",\"usb\":[\"usb-tablet\""
            ",\"usb-storage,drive=x\"]}\n" CONSOLE
            "# line 1: vm0: usb: on an xHCI controller\n"},
    {"qemu-system-x86_64 -nodefaults -accel tcg -M q35 -display vnc=unix:v",
     FIELDS "\"nics\":[],\"vga\":\"none\",\"vnc\":\"unix:v\"}\n" CONSOLE},
    {PC "-device qemu-xhci -device usb-kbd -device usb-mouse,bus=x.0",
     FIELDS "\"nics\":[],\"devices\":[\"qemu-xhci\",\"usb-kbd\","
            "\"usb-mouse,bus=x.0\"]}\n" CONSOLE},
    {PC "-object rng-random,id=r,filename=/dev/urandom -device "
        "virtio-rng-pci,rng=r -device "
        "'{\"driver\":\"edu\",\"addr\":\"7\"}'",
     FIELDS "\"nics\":[],\"devices\":[{\"driver\":\"edu\",\"addr\":\"7\"}],"
            "\"rng\":true}\n" CONSOLE},
    {PC "-daemonize -pidfile p -name web,debug-threads=on -sdl",
     "web {\"machine\":\"q35\",\"accel\":\"tcg\",\"nics\":[]}\n"
     "# line 1: web: -daemonize: dropped, QEMU stays alive without it, in a "
     "session of its own\n"
     "# line 1: web: -pidfile: dropped, guestmux knows the guest's process\n"
     "# line 1: web: -name web,debug-threads=on: dropped but for the name\n"
     "# line 1: web: consoles: a serial port was added, the console, where the "
     "command has none\n"
     "# line 1: web: -sdl: dropped, there is no window\n"},
    /* Around the command. */
    {"A=1 sudo -u me env B='2 3' nice -n 5 " PC,
     FIELDS "\"nics\":[],\"env\":{\"A\":\"1\",\"B\":\"2 3\"}}\n"
            "# line 1: vm0: sudo: dropped, QEMU runs as the user that guestmux "
            "runs as\n# line 1: vm0: env: dropped, what it sets is in "
            "\"env\"\n# line 1: vm0: nice: dropped, guestmux sets no "
            "priorities\n" CONSOLE},
    /* For a shell of its own. */
    {"M=64\nA=1 sudo env B=2 sh -c \"" PC "-m $M\" name x",
     FIELDS "\"memory\":64,\"nics\":[],\"env\":{\"A\":\"1\",\"B\":\"2\"}}\n"
            "# line 2: sudo env B=2 sh -c 'qemu-system-x86_64 -nodefaults "
            "-display…: dropped, what it has a shell run is taken\n"
            "# line 2: vm0: consoles: a serial port was added, the console, "
            "where the command has none\n"},
    {"tmux new-window -n a \\; split-window -h -t x '\n\n" PC
     "; bash' \\; next",
     FIELDS "\"nics\":[]}\n"
            "# line 1: tmux new-window -n a ';' split-window -h -t x '  "
            "qemu-syste…: dropped, what it has a shell run is taken\n"
            "# line 3: vm0: consoles: a serial port was added, the console, "
            "where the command has none\n"
            "# line 3: bash: not a QEMU command, left out\n"},
    {"sh -c 'echo qemu'\nsh -ec '" PC "-m $1'",
     "# line 1: sh -c 'echo qemu': not a QEMU command, left out\n"
     "# line 2: sh -ec 'qemu-system-x86_64 -nodefaults -display none -accel…: "
     "dropped, what it has a shell run is taken\n"
     "error: line 2: $1 needs a shell to tell its value\n"},
    {"bash --norc +x -o pipefail -c '" PC "'\nsh -x script -c '" PC "'\n"
     "tmux send-keys '" PC "' Enter\ntmux attach \\; new '" PC "' word",
     FIELDS "\"nics\":[]}\n"
            "# line 1: bash --norc +x -o pipefail -c 'qemu-system-x86_64 "
            "-nodefaul…: dropped, what it has a shell run is taken\n" CONSOLE
            "# line 2: sh -x script -c 'qemu-system-x86_64 -nodefaults "
            "-display no…: not a QEMU command, left out; it names one, which "
            "can be imported by itself\n"
            "# line 3: tmux send-keys 'qemu-system-x86_64 -nodefaults -display "
            "non…: not a QEMU command, left out; it names one, which can be "
            "imported by itself\n"
            "# line 4: tmux attach ';' new 'qemu-system-x86_64 -nodefaults "
            "-displa…: not a QEMU command, left out; it names one, which can "
            "be imported by itself\n"},
    {"X=1\nexport Y=2 Z\nZ=3\nsh -c '" PC "-m $Y -smp $X'\nset -a\nX=4\nZ=5\n"
     "sh -c '" PC "-smp $X -m ${Z}'",
     FIELDS
     "\"smp\":4,\"memory\":5,\"nics\":[]}\n"
     "# line 4: sh -c 'qemu-system-x86_64 -nodefaults -display none -accel "
     "…: dropped, what it has a shell run is taken\n"
     "# line 5: set -a: not a QEMU command, left out\n"
     "# line 8: sh -c 'qemu-system-x86_64 -nodefaults -display none -accel "
     "…: dropped, what it has a shell run is taken\n"
     "# line 8: vm0: consoles: a serial port was added, the console, where the "
     "command has none\n"
     "error: line 4: $X: it is not exported, so that the shell of its own that "
     "runs this does not have it\n"},
    {"qemu-system-mips -m 64 -nographic",
     "vm0 {\"command\":[\"qemu-system-mips\",\"-m\",\"64\",\"-nographic\"]}\n"
     "# line 1: vm0: kept as a command: which devices its machine has without "
     "-nodefaults is not known here\n"},
    {"cd /x\nmake all\n" PC "> log &", FIELDS
     "\"nics\":[]}\n# line 1: cd /x: left out, relative paths start "
     "where the fleet file lies\n# line 2: make all: not a QEMU command, "
     "left out\n# line 3: vm0: consoles: a serial port was added, the "
     "console, where the command has none\n# line 3: > log: left out, "
     "guestmux keeps what QEMU says\n"},
    {"echo x", "# line 1: echo x: not a QEMU command, left out\nerror: there "
               "is no QEMU command in it\n"},
    {"qemu-system-x86_64 -m $X\nqemu-system-x86_64 -m $(y)",
     "error: line 1: $X is not set in the script\nline 2: $(y) needs a shell "
     "to tell its value\n"},
    {"qemu-system-x86_64 -serial none",
     "vm0 {\"machine\":\"pc\",\"accel\":\"tcg\",\"nics\":[{\"model\":\"e1000\"}"
     "],\"vga\":\"std\"}\n"
     "# line 1: vm0: machine: pc is QEMU's default, here it is q35\n"
     "# line 1: vm0: accel: tcg is QEMU's default; \"auto\" takes KVM where it "
     "can\n" CONSOLE
     "# line 1: vm0: nics: QEMU's default card; it gets a MAC address of its "
     "own instead of 52:54:00:12:34:56\n"
     "# line 1: vm0: display: QEMU's window is left out; \"vnc\" gives a "
     "display to look at\n"
     "# line 1: vm0: QEMU's parallel port, floppy drive and empty CD-ROM drive "
     "are left out\n"
     "# line 1: vm0: vga: QEMU's default card, which nobody sees without a "
     "display; take it out if the guest needs none\n"},
};

static void
commands_become_entries_that_mean_the_same(void **state)
{
    (void)state;
    bool ok = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *got = import(rows[i].script, NULL);
        ok = is_same(rows[i].script, got, rows[i].result) && ok;
        free(got);
    }
    assert_true(ok);
}

static void
guests_get_names_of_their_own(void **state)
{
    (void)state;
    char *got =
        import(PC "\n" PC "-name a\n" PC "-name a\n" PC "-name 'b c'\n", NULL);
    assert_non_null(strstr(got, "vm0 {"));
    assert_non_null(strstr(got, "\na {"));
    assert_non_null(strstr(got, "\na2 {"));
    assert_non_null(strstr(got, "\nvm1 {"));
    free(got);
    /* in a fleet file names that differ in case only are one */
    got = import(PC "-name a\n" PC "-name A\n", NULL);
    assert_non_null(strstr(got, "a {"));
    assert_non_null(strstr(got, "\nA2 {"));
    free(got);
    got = import(PC "\n" PC "-name a", "x");
    assert_non_null(strstr(got, "x {"));
    assert_non_null(strstr(got, "\nx2 {"));
    free(got);
}

/* From a spec to a shell and back ------------------------------------------ */

/* The guest n1 of a fleet file in /f. */
static struct spec *
make_spec(json_t *entry)
{
    json_t *root =
        json_pack("{s:i, s:{s:O}}", "version", 1, "guests", "n1", entry);
    char *text = json_dumps(root, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(root);
    struct error error = {0};
    struct fleet *fleet =
        fleet_parse("/f/fleet.json", text, strlen(text), &error);
    if (!fleet)
        fail_msg("%s: %s", text, error.text);
    struct spec *spec = spec_copy(fleet->guests[0]);
    fleet_free(fleet);
    free(text);
    return spec;
}

/* The words that guestmux starts it with, as one text; NULL for none. */
static char *
build(const struct spec *spec)
{
    static const char *const logs[] = {"/l0", "/l1", "/l2", "/l3"};
    struct error error = {0};
    struct argv_runtime runtime = {.uuid = "u",
                                   .monitor_fd = 3,
                                   .logs = logs,
                                   .log_count = 4,
                                   .data_dir = "/d/n1",
                                   .agent_socket = "n1.agent"};
    char **argv = argv_build(spec, &runtime, &error);
    if (!argv)
        fail_msg("%s", error.text);
    char *text = argv_to_script(argv);
    argv_free(argv);
    return text;
}

static char *export(const struct spec *spec)
{
    struct error error = {0};
    struct argv_runtime runtime = {.data_dir = "/d/n1"};
    char **argv = argv_export(spec, &runtime, &error);
    if (!argv)
        fail_msg("%s", error.text);
    char *text = argv_to_script(argv);
    argv_free(argv);
    return text;
}

/* The entry that an exported command comes back as. */
static json_t *
import_entry(const char *command)
{
    struct import import;
    struct error error = {0};
    import_init(&import);
    if (!import_script(&import, command, strlen(command), NULL, NULL, &error))
        fail_msg("%s: %s", command, error.text);
    json_t *entry = json_incref(json_object_get(import.guests, "n1"));
    assert_non_null(entry);
    json_object_del(entry, "comment");
    import_finish(&import);
    return entry;
}

/* Entries that come back as they are, and those (not is_exact) that come back
 * as others with the very same QEMU. */
static const struct {
    const char *entry;
    bool is_exact;
} trips[] = {
    {"{\"machine\":\"q35\",\"accel\":\"tcg\",\"nics\":[]}", true},
    {"{}", false},
    {"{\"accel\":\"auto\"}", false},
    {"{\"machine\":\"pc,usb=off\",\"accel\":\"tcg,thread=single\",\"cpu\":"
     "\"max,+aes\",\"smp\":4,\"memory\":\"1024M\",\"kernel\":\"/k,1\","
     "\"initrd\":\"/i\",\"append\":\"-x console=ttyS0 'q' {{name}}\",\"nics\":"
     "[]}",
     true},
    {"{\"memory\":\"1.5G\",\"firmware\":\"bios-256k.bin\"}", false},
    {"{\"machine\":\"q35\",\"accel\":\"tcg\",\"nics\":[],\"smp\":{\"sockets\":2,"
     "\"dies\":1,\"cores\":2,\"threads\":1,\"maxcpus\":4}}",
     true},
    {"{\"machine\":\"q35\",\"accel\":\"tcg\",\"nics\":[],\"firmware\":"
     "{\"code\":\"/c.fd\",\"store\":\"/s.qcow2\"}}",
     true},
    {"{\"firmware\":{\"code\":\"c.fd\",\"vars\":\"v.fd\"}}", false},
    {"{\"firmware\":{\"code\":\"c.fd\"}}", false},
    {"{\"machine\":\"q35\",\"accel\":\"tcg\",\"disks\":[{\"file\":\"/a,b\"},"
     "{\"file\":\"/c.qcow2\",\"format\":\"qcow2\"},{\"file\":\"/d\","
     "\"format\":\"raw\",\"interface\":\"ide\"},{\"file\":\"/e\",\"interface\":"
     "\"scsi\"},{\"file\":\"/f\",\"interface\":\"scsi\",\"readonly\":true},"
     "{\"file\":\"/g\",\"interface\":\"sata\"},{\"file\":\"/h\",\"interface\":"
     "\"sata\",\"readonly\":true},{\"file\":\"/i\",\"interface\":\"nvme\"},"
     "{\"file\":\"/j\",\"readonly\":true}],\"nics\":[]}",
     true},
    {"{\"machine\":\"pc\",\"accel\":\"tcg\",\"disks\":[{\"file\":\"/a\",\"interface\""
     ":\"ide\"},{\"file\":\"/b\"},{\"file\":\"/c\",\"interface\":\"ide\","
     "\"readonly\":true},{\"file\":\"/d\",\"interface\":\"ide\"},{\"file\":\"/e\","
     "\"cache\":\"none\",\"serial\":\"s1\",\"discard\":true}],\"nics\":[]}",
     true},
    {"{\"cdrom\":\"c.iso\",\"machine\":\"pc\"}", false},
    {"{\"cdrom\":\"c.iso\"}", false},
    {"{\"disks\":[{\"base\":\"b.qcow2\",\"size\":\"2G\"},{\"size\":\"1G\"}]}",
     false},
    {"{\"machine\":\"q35\",\"accel\":\"tcg\",\"nics\":[{\"mac\":"
     "\"52:54:00:00:00:01\"},{\"hostfwd\":[\"tcp:127.0.0.1:2222-:22\","
     "\"udp:0.0.0.0:53-:53\"],\"options\":{\"restrict\":\"on\"},\"model\":"
     "\"e1000\",\"mac\":\"52:54:00:00:00:02\"},{\"type\":\"tap\",\"name\":"
     "\"t0\",\"script\":\"no\",\"downscript\":\"no\",\"mac\":"
     "\"52:54:00:00:00:03\"}]}",
     true},
    {"{\"nics\":[\"user\",\"user,model=e1000,net=10.9.0.0/24\",{\"type\":"
     "\"tap\"},{\"hostfwd\":[\"auto:22\"]}]}",
     false},
    {"{\"machine\":\"q35\",\"accel\":\"tcg\",\"nics\":[],\"consoles\":"
     "[\"ttyS0\",\"ttyS1\",\"hvc0\",\"hvc1\"]}",
     true},
    {"{\"consoles\":[\"hvc0\",\"ttyS0\"]}", false},
    {"{\"consoles\":[\"hvc0\"],\"agent\":true}", false},
    {"{\"agent\":true}", false},
    {"{\"machine\":\"q35\",\"accel\":\"tcg\",\"nics\":[],\"vga\":\"virtio\","
     "\"vnc\":\":7,password=on\",\"usb\":[\"usb-tablet\",{\"driver\":"
     "\"usb-mouse\",\"port\":\"2\"}],\"devices\":[\"edu,addr=9\",{\"driver\":"
     "\"pvpanic\"}],\"rng\":true}",
     true},
    {"{\"vga\":true,\"vnc\":3,\"usb\":true,\"rng\":\"/r,1\"}", false},
    {"{\"vnc\":\"unix:v,1\",\"vga\":\"none\"}", false},
    {"{\"machine\":\"q35\",\"accel\":\"tcg\",\"nics\":[],\"args\":[\"-S\","
     "\"-rtc\",\"base=localtime\",\"-drive\",\"if=virtio,file=x,aio=native\"],"
     "\"env\":{\"TZ\":\"A B\"}}",
     true},
    {"{\"args\":[\"-serial\",\"file:x\",\"-serial\",\"null\"]}", false},
    {"{\"arch\":\"aarch64\",\"machine\":\"virt\",\"accel\":\"tcg\",\"cpu\":"
     "\"max\",\"memory\":512,\"disks\":[{\"file\":\"/a\",\"format\":\"raw\"}],"
     "\"nics\":[{\"mac\":\"52:54:00:00:00:01\"}],\"vga\":\"virtio\"}",
     false},
    {"{\"arch\":\"aarch64\",\"usb\":[\"tablet\"],\"vnc\":0,\"consoles\":"
     "[\"ttyAMA0\",\"hvc0\"]}",
     false},
    {"{\"qemu\":\"/bin/sh\",\"nics\":[]}", false},
};

static void
what_is_exported_comes_back(void **state)
{
    (void)state;
    bool ok = true;
    for (size_t i = 0; i < sizeof(trips) / sizeof(trips[0]); i++) {
        json_t *entry = json_loads(trips[i].entry, 0, NULL);
        assert_non_null(entry);
        struct spec *spec = make_spec(entry);
        char *command = export(spec);
        if (!strncmp(command, "/bin/sh", 7)) {
            free(command); /* no QEMU's name: nobody would import it */
            spec_free(spec);
            json_decref(entry);
            continue;
        }
        json_t *again = import_entry(command);
        struct spec *other = make_spec(again);
        char *wanted = build(spec);
        char *got = build(other);
        ok = is_same(trips[i].entry, got, wanted) && ok;
        char *second = export(other);
        ok = is_same(trips[i].entry, second, command) && ok;
        char *text = json_dumps(again, JSON_COMPACT | JSON_PRESERVE_ORDER);
        if (trips[i].is_exact && !json_equal(entry, again))
            ok = is_same("not the same entry", text, trips[i].entry);
        free(text);
        free(second);
        free(got);
        free(wanted);
        spec_free(other);
        json_decref(again);
        free(command);
        spec_free(spec);
        json_decref(entry);
    }
    assert_true(ok);
}

/* What tutorials say, and the QEMU that a person would get of it. */
static const struct {
    const char *what;
    const char *script;
    const char *command;
} tutorials[] = {
    {"x86_64 with UEFI, a cloud image and its seed",
     "IMG=noble-server-cloudimg-amd64.img\n"
     "sudo qemu-system-x86_64 \\\n  -machine q35,accel=kvm -cpu host \\\n"
     "  -smp 2 -m 2G \\\n"
     "  -drive if=pflash,format=raw,readonly=on,file=/fw/CODE.fd \\\n"
     "  -drive if=pflash,format=raw,file=/vm/vars.fd \\\n"
     "  -drive file=/vm/$IMG,if=virtio,format=qcow2 \\\n"
     "  -drive file=/vm/cidata.iso,if=virtio,format=raw,readonly=on \\\n"
     "  -nic user,model=virtio-net-pci,mac=52:54:00:00:00:01,"
     "hostfwd=tcp::2222-:22 \\\n  -vga none -nographic -serial mon:stdio &\n",
     "qemu-system-x86_64 -name vm0 -nographic -nodefaults -serial mon:stdio "
     "-machine q35 -accel kvm -cpu host -smp 2 -m 2048M -drive "
     "if=pflash,unit=0,format=raw,readonly=on,file=/fw/CODE.fd -drive "
     "if=pflash,unit=1,format=raw,file=/vm/vars.fd -drive "
     "if=none,id=gmdisk0,file=/vm/"
     "noble-server-cloudimg-amd64.img,format=qcow2 -device "
     "virtio-blk-pci,drive=gmdisk0 -drive "
     "if=none,id=gmdisk1,file=/vm/cidata.iso,format=raw,readonly=on -device "
     "virtio-blk-pci,drive=gmdisk1 -netdev "
     "user,id=gmnet0,hostfwd=tcp:0.0.0.0:2222-:22 -device "
     "virtio-net-pci,id=gmnic0,netdev=gmnet0,mac=52:54:00:00:00:01"},
    {"aarch64 with UEFI",
     "qemu-system-aarch64 -M virt -cpu cortex-a72 -m 4G -nographic -bios "
     "/fw/QEMU_EFI.fd -drive if=none,file=/vm/a.img,id=hd0 -device "
     "virtio-blk-device,drive=hd0 -netdev user,id=net0 -device "
     "virtio-net-device,netdev=net0,mac=52:54:00:00:00:01",
     "qemu-system-aarch64 -name vm0 -nographic -nodefaults -serial mon:stdio "
     "-machine virt -accel tcg -cpu cortex-a72 -m 4096M -bios /fw/QEMU_EFI.fd "
     "-drive if=none,id=gmdisk0,file=/vm/a.img -device "
     "virtio-blk-pci,drive=gmdisk0 -netdev user,id=gmnet0 -device "
     "virtio-net-device,id=gmnic0,netdev=gmnet0,mac=52:54:00:00:00:01"},
    {"no defaults, explicit chardevs",
     "qemu-system-x86_64 -nodefaults -machine pc -display none -chardev "
     "stdio,id=char0,mux=on,signal=off -serial chardev:char0 -mon "
     "chardev=char0 -chardev vc,id=char1 -serial chardev:char1 -m 256",
     "qemu-system-x86_64 -name vm0 -chardev pty,id=gmcon1 -nographic "
     "-nodefaults -serial mon:stdio -serial chardev:gmcon1 -machine pc -accel "
     "tcg -m 256M"},
    {"a live CD",
     "qemu-system-x86_64 -enable-kvm -m 2048 -cdrom /vm/live.iso -boot d -nic "
     "none -display gtk",
     "qemu-system-x86_64 -name vm0 -nographic -nodefaults -serial mon:stdio "
     "-machine pc -accel kvm -m 2048M -drive "
     "if=none,id=gmdisk0,file=/vm/live.iso,format=raw,readonly=on -device "
     "ide-cd,bus=ide.0,unit=0,drive=gmdisk0 -vga std -boot d"},
    {"VNC and a tablet",
     "qemu-system-x86_64 -M q35 -hda /vm/a.qcow2 -vnc :0 -usbdevice tablet -k "
     "de -net none",
     "qemu-system-x86_64 -name vm0 -nodefaults -serial mon:stdio -machine q35 "
     "-accel tcg -drive if=none,id=gmdisk0,file=/vm/a.qcow2,format=qcow2 "
     "-device ide-hd,drive=gmdisk0 -vga std -vnc :0 -device "
     "qemu-xhci,id=gmusb -device usb-tablet -k de"},
};

static void
tutorials_give_the_right_qemu(void **state)
{
    (void)state;
    bool ok = true;
    for (size_t i = 0; i < sizeof(tutorials) / sizeof(tutorials[0]); i++) {
        struct import import;
        struct error error = {0};
        import_init(&import);
        const char *script = tutorials[i].script;
        if (!import_script(&import, script, strlen(script), NULL, NULL, &error))
            fail_msg("%s: %s", tutorials[i].what, error.text);
        check_fleet(&import);
        struct spec *spec = spec_from_json(
            "vm0", json_object_get(import.guests, "vm0"), "/f", &error);
        assert_non_null(spec);
        struct argv_runtime runtime = {0};
        char **argv = argv_export(spec, &runtime, &error);
        if (!argv)
            fail_msg("%s: %s", tutorials[i].what, error.text);
        char *text = argv_to_shell(argv);
        ok = is_same(tutorials[i].what, text, tutorials[i].command) && ok;
        free(text);
        argv_free(argv);
        spec_free(spec);
        import_finish(&import);
    }
    assert_true(ok);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_become_entries_that_mean_the_same),
        cmocka_unit_test(guests_get_names_of_their_own),
        cmocka_unit_test(tutorials_give_the_right_qemu),
        cmocka_unit_test(what_is_exported_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
