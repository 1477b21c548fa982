#include "fleet/arch.h"

#include <string.h>

/* Where it is not ttyS, or other than four ports (QEMU 7.2: four -serial on a
 * PC; one on virt, whose second is the secure world's). */
static const struct {
    const char *arch;
    const char *prefix;
    size_t ports;
} serials[] = {
    {"aarch64", "ttyAMA", 1}, {"arm", "ttyAMA", 1},   {"m68k", "ttyGF", 1},
    {"ppc64", "hvc", 4},      {"riscv32", "ttyS", 1}, {"riscv64", "ttyS", 1},
    {"s390x", "ttysclp", 1},
};

#define OTHERS_PREFIX "ttyS"
#define OTHERS_PORTS 4

const char *
arch_of_program(const char *program)
{
    static const char prefix[] = "qemu-system-";
    const char *slash = program ? strrchr(program, '/') : NULL;
    const char *name = slash ? slash + 1 : program;
    if (!name || strncmp(name, prefix, strlen(prefix)) != 0 ||
        strstr(name, "microvm"))
        return "x86_64";
    return name + strlen(prefix);
}

const char *
arch_serial_prefix(const char *arch)
{
    for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
        if (!strcmp(serials[i].arch, arch))
            return serials[i].prefix;
    }
    return OTHERS_PREFIX;
}

size_t
arch_serial_ports(const char *arch)
{
    for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
        if (!strcmp(serials[i].arch, arch))
            return serials[i].ports;
    }
    return OTHERS_PORTS;
}
