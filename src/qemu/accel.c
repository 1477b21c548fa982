#include "qemu/accel.h"

#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Whether guests of arch run on this machine's own processor. */
static bool
is_own_arch(const char *arch)
{
    struct utsname system;
    if (uname(&system) < 0)
        return false;
    if (!strcmp(system.machine, "arm64"))
        return !strcmp(arch, "aarch64");
    if (!strcmp(system.machine, "x86_64"))
        return !strcmp(arch, "x86_64") || !strcmp(arch, "i386");
    if (!strcmp(system.machine, "ppc64le"))
        return !strcmp(arch, "ppc64");
    return !strcmp(arch, system.machine);
}

#define KVM_DEVICE "/dev/kvm"

/* 0, or why the device cannot be opened. */
static int
open_device(const char *device)
{
    int fd = open(device, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno;
    (void)close(fd);
    return 0;
}

const char *
accel_native(const char *arch)
{
    if (!is_own_arch(arch))
        return NULL;
#ifdef __APPLE__
    return "hvf";
#else
    return open_device(KVM_DEVICE) == 0 ? "kvm" : NULL;
#endif
}

char *
accel_kvm_problem(const char *arch)
{
    return accel_device_problem(arch, KVM_DEVICE);
}

char *
accel_device_problem(const char *arch, const char *device)
{
    int errnum = is_own_arch(arch) ? open_device(device) : 0;
    if (errnum == 0)
        return NULL;
    if (errnum == EACCES || errnum == EPERM)
        return xasprintf("%s may not be opened: join its group (usually: sudo "
                         "usermod -aG kvm $USER, then log in again)",
                         device);
    if (errnum == ENOENT || errnum == ENODEV || errnum == ENXIO)
        return xstrdup("there is no KVM here: load the module (kvm_intel or "
                       "kvm_amd), switch virtualisation on in the firmware, "
                       "or use TCG");
    return xasprintf("%s cannot be opened: %s", device, strerror(errnum));
}

char *
accel_kvm_misfit(const char *arch)
{
    struct utsname system;
    if (uname(&system) < 0 || is_own_arch(arch))
        return NULL;
    return xasprintf("KVM runs guests of this machine's architecture, %s, and "
                     "not %s: take tcg or auto",
                     system.machine, arch);
}
