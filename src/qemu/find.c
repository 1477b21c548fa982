/* Finds QEMU's binaries. */
#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "qemu/argv-internal.h"
#include "qemu/argv.h"
#include "qemu/cmdline.h"
#include "qemu/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Debian's and Ubuntu's packages; the others are in qemu-system-misc. Where a
 * name is a prefix, it covers its family. */
static const struct {
    const char *prefix;
    const char *package;
} packages[] = {
    {"aarch64", "qemu-system-arm"}, {"arm", "qemu-system-arm"},
    {"i386", "qemu-system-x86"},    {"mips", "qemu-system-mips"},
    {"ppc", "qemu-system-ppc"},     {"sparc", "qemu-system-sparc"},
    {"x86_64", "qemu-system-x86"},
};

static const char *
package_of(const char *arch)
{
    for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++) {
        if (!strncmp(arch, packages[i].prefix, strlen(packages[i].prefix)))
            return packages[i].package;
    }
    return "qemu-system-misc";
}

/* Checks that path is a program that may be run. */
static bool
check_program(const char *path, struct error *error)
{
    struct stat info;
    if (stat(path, &info) < 0)
        return error_set_errno(error, errno, "cannot run %s", path);
    if (!S_ISREG(info.st_mode))
        return error_set(error, ERROR_CODE_INVALID,
                         "cannot run %s: it is not a regular file", path);
    if (access(path, X_OK) < 0)
        return error_set(error, ERROR_CODE_DENIED,
                         "cannot run %s: it is not executable (chmod +x it)",
                         path);
    return true;
}

static char *
find_by_path(const struct spec *spec, const char *path, struct error *error)
{
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    char *whole = path[0] == '/' ? xstrdup(path)
                                 : xasprintf("%s/%s", spec->directory, path);
    if (check_program(whole, error))
        return whole;
    free(whole);
    return NULL;
}

/* The program of a command, behind sudo and the like. */
static char *
command_program(const struct spec *spec, struct error *error)
{
    struct cmdline *cmdline =
        cmdline_rewrite(spec->command, NULL, CMDLINE_COMMAND, error);
    char *program = cmdline ? xstrdup(cmdline->program) : NULL;
    cmdline_free(cmdline);
    return program;
}

char *
argv_find_qemu(const struct spec *spec, struct error *error)
{
    char *name = spec->kind == SPEC_KIND_COMMAND ? command_program(spec, error)
                 : spec->qemu                    ? xstrdup(spec->qemu)
                              : xasprintf("qemu-system-%s", argv_arch(spec));
    if (!name)
        return NULL;
    char *path = NULL;
    if (strchr(name, '/')) {
        path = find_by_path(spec, name, error);
    } else {
        path = process_find_program(name, NULL);
        if (!path && !strncmp(name, "qemu-system-", 12))
            error_set(error, ERROR_CODE_NOT_FOUND,
                      "%s is not installed: no such program in PATH (Debian, "
                      "Ubuntu: apt install %s; Fedora: dnf install %s)",
                      name, package_of(name + 12), name);
        else if (!path)
            error_set(error, ERROR_CODE_NOT_FOUND,
                      "%s is not installed: no such program in PATH", name);
    }
    free(name);
    return path;
}
