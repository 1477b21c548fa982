"""aarch64: EDK2 and a Debian arm64 kernel, to a shell, under TCG."""

import os
import subprocess

from harness import TREE, Skip, limit, main, require_equal, require_in


def arm_guest():
    """Where the arm64 kernel and initrd.gz lie."""
    if not os.path.exists("/usr/share/qemu/firmware/60-edk2-aarch64.json"):
        raise Skip("qemu-efi-aarch64 is not installed")
    return subprocess.run(
        ["sh", os.path.join(TREE, "tests/guest/make-arm-guest.sh")],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        text=True).stdout.strip()


@limit(900)
def test_uefi_boots_a_debian_kernel_to_a_shell(box):
    directory = arm_guest()
    # The tutorial's way, with QEMU's words; and the fields' own.
    box.gm("import", "-n", "arm", "-o", "guestmux.json",
           f"qemu-system-aarch64 -M virt -cpu cortex-a57 -accel tcg -m 512M "
           f"-nographic -nodefaults -drive if=pflash,format=raw,readonly=on,"
           f"file=/usr/share/AAVMF/AAVMF_CODE.fd -drive if=pflash,format=raw,"
           f"file=/usr/share/AAVMF/AAVMF_VARS.fd -kernel {directory}/vmlinuz "
           f"-initrd {directory}/initrd.gz -append 'console=ttyAMA0 panic=-1 "
           f"gm.shell' -serial mon:stdio")
    box.gm("check")
    box.up(patience=120)
    for pattern in ("UEFI firmware", "EFI stub|Booting Linux",
                    r"this is tiny, Linux [0-9.-]+-cloud-arm64"):
        box.gm("wait", "arm", "--for", pattern, "--since-boot", "--timeout",
               400, patience=410)
    box.wait_shell("arm", patience=200)
    box.shell("arm", "uname -m", "^aarch64")
    require_equal(box.shell("arm", "ls -d /sys/firmware/efi",
                            "^/sys/firmware/efi").code, 0)
    require_in("AAVMF_VARS", box.gm("export-command", "arm").out)


main(globals())
