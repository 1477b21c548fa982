/* The files that guests name, and what two guests cannot share. */
#include "base/xalloc.h"
#include "qemu/keyval.h"
#include "qemu/preflight-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Options whose value is a file. */
static const char *const file_options[] = {
    "kernel", "initrd", "dtb", "hda", "hdb",    "hdc",      "hdd",
    "cdrom",  "fda",    "fdb", "sd",  "pflash", "mtdblock",
};
/* Those of them that are images which the guest writes to. */
static const char *const image_options[] = {"hda", "hdb", "hdc", "hdd"};

bool
preflight_check_file(const struct preflight_check *check, const char *path,
                     int mode, const char *field, int index)
{
    struct stat info;
    if (stat(path, &info) < 0) {
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, field, index,
                      "cannot open %s: %s", path, strerror(errno));
        return false;
    }
    if (S_ISDIR(info.st_mode)) {
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, field, index,
                      "%s is a directory, not a file", path);
        return false;
    }
    if (access(path, mode) < 0) {
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, field, index,
                      mode & W_OK ? "%s may not be read and written: %s"
                                  : "%s may not be read: %s",
                      path, strerror(errno));
        return false;
    }
    return true;
}

/* How a guest uses a file. */
enum use {
    USE_PLAIN, /* it is no image, or read by QEMU alone */
    USE_READS,
    USE_WRITES,
};

/* A file of a command line; what names a protocol is none. */
static void
check_word(const struct preflight_check *check, const char *path, enum use use,
           const char *field)
{
    if (!path[0] || strcspn(path, ":") < strcspn(path, "/"))
        return;
    char *whole = path[0] == '/'
                      ? xstrdup(path)
                      : xasprintf("%s/%s", check->spec->directory, path);
    if (preflight_check_file(check, whole, R_OK, field, -1) && use != USE_PLAIN)
        preflight_check_use(check, whole, use == USE_WRITES, field, -1);
    free(whole);
}

static void
check_drive(const struct preflight_check *check, const char *value,
            const char *field)
{
    struct keyval keyval;
    keyval_parse(&keyval, value);
    const char *file = keyval_get(&keyval, "file", false);
    const char *media = keyval_get(&keyval, "media", false);
    bool is_readonly = keyval_is_on(&keyval, "readonly") ||
                       keyval_is_on(&keyval, "snapshot") ||
                       (media && !strcmp(media, "cdrom"));
    /* Who takes the locks away knows of the others. */
    const char *locking = keyval_get(&keyval, "file.locking", false);
    if (file && locking && !strcmp(locking, "off"))
        check_word(check, file, USE_PLAIN, field);
    else if (file)
        check_word(check, file, is_readonly ? USE_READS : USE_WRITES, field);
    keyval_finish(&keyval);
}

/* Whether an option asks for KVM and nothing else. */
static bool
wants_kvm(const char *name, const char *value)
{
    if (!strcmp(name, "enable-kvm"))
        return true;
    bool is_accel = !strcmp(name, "accel");
    bool is_machine = !strcmp(name, "machine") || !strcmp(name, "M");
    if (!value || (!is_accel && !is_machine))
        return false;
    struct keyval keyval;
    keyval_parse(&keyval, value);
    const char *accel = keyval_get(&keyval, "accel", is_accel);
    bool wants = accel && !strcmp(accel, "kvm");
    keyval_finish(&keyval);
    return wants;
}

/* Whether "-accel tcg" is there for when KVM is not. */
static bool
has_fallback(char *const *words)
{
    for (; words && words[0] && words[1]; words++) {
        if (!strcmp(words[0], "-accel") && !strncmp(words[1], "tcg", 3))
            return true;
    }
    return false;
}

/* What -hda and the like do with their file. */
static enum use
use_of(const char *option)
{
    size_t count = sizeof(image_options) / sizeof(image_options[0]);
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(option, image_options[i]))
            return USE_WRITES;
    }
    return !strcmp(option, "cdrom") ? USE_READS : USE_PLAIN;
}

static void
check_words(const struct preflight_check *check, char *const *words,
            const char *field)
{
    bool falls_back = has_fallback(words);
    for (; words && words[0]; words++) {
        const char *name = words[0];
        if (name[0] != '-')
            continue;
        name += name[1] == '-' ? 2 : 1;
        if (!falls_back && wants_kvm(name, words[1]))
            preflight_check_kvm(check, field);
        if (!words[1])
            continue;
        if (!strcmp(name, "drive"))
            check_drive(check, words[1], field);
        for (size_t i = 0; i < sizeof(file_options) / sizeof(file_options[0]);
             i++) {
            if (!strcmp(name, file_options[i]))
                check_word(check, words[1], use_of(name), field);
        }
    }
}

void
preflight_check_files(const struct preflight_check *check)
{
    const struct spec *spec = check->spec;
    if (spec->kind == SPEC_KIND_COMMAND) {
        check_words(check, spec->command, "command");
        return;
    }
    preflight_check_hardware(check);
    if (spec->kernel)
        (void)preflight_check_file(check, spec->kernel, R_OK, "kernel", -1);
    if (spec->initrd)
        (void)preflight_check_file(check, spec->initrd, R_OK, "initrd", -1);
    preflight_check_disks(check);
    check_words(check, spec->args, "args");
}

void
preflight_check_shared(struct preflight *preflight, const struct fleet *fleet)
{
    preflight_check_uses(preflight);
    preflight_check_ports(preflight, fleet);
    preflight_check_memory(preflight, fleet);
}
