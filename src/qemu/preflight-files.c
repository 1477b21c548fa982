/* The files that guests name, and what two guests cannot share. */
#include "qemu/accel.h"
#include "qemu/argv-internal.h"
#include "qemu/cmdline.h"
#include "qemu/image-words.h"
#include "qemu/keyval.h"
#include "qemu/preflight-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Words of a field being looked at. */
struct words {
    const struct preflight_check *check;
    const char *field;
};

static void
on_file(void *data, const char *path, enum image_use use)
{
    const struct words *words = data;
    struct stat info;
    /* printed to: new, or a device; to open those may mean something */
    if (use == IMAGE_USE_CREATES &&
        (stat(path, &info) < 0 ||
         !(S_ISREG(info.st_mode) || S_ISBLK(info.st_mode))))
        return;
    if (preflight_check_file(words->check, path, R_OK, words->field, -1) &&
        use != IMAGE_USE_PLAIN)
        preflight_check_use(words->check, path, use, words->field, -1);
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

/* -enable-kvm has no name that QEMU could be asked for. */
static void
check_arch(const struct preflight_check *check, const char *field)
{
    char *problem = accel_kvm_misfit(argv_arch(check->spec));
    if (problem)
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, field, -1, "%s",
                      problem);
    free(problem);
}

/* words: options and their values. */
static void
check_words(const struct preflight_check *check, char *const *words,
            const char *field)
{
    struct words own = {check, field};
    bool falls_back = has_fallback(words);
    for (char *const *word = words; word && word[0]; word++) {
        const char *name = cmdline_option_name(word[0]);
        if (!name)
            continue;
        if (!falls_back && wants_kvm(name, word[1]))
            preflight_check_kvm(check, field);
        if (!strcmp(name, "enable-kvm"))
            check_arch(check, field);
        if (!strcmp(name, "readconfig") && word[1])
            preflight_add(check, PREFLIGHT_SEVERITY_WARNING, field, -1,
                          "what %s says is not looked at: write its disks as "
                          "\"disks\", so that nothing of theirs is overwritten",
                          word[1]);
    }
    image_words_each(words, check->spec->directory, on_file, &own);
}

static void
check_devices(const struct preflight_check *check)
{
    struct words own = {check, "devices"};
    image_words_of_devices(check->spec, on_file, &own);
}

void
preflight_check_files(const struct preflight_check *check)
{
    const struct spec *spec = check->spec;
    if (spec->kind == SPEC_KIND_COMMAND) {
        check_words(check, spec->command + 1, "command");
        return;
    }
    preflight_check_hardware(check);
    if (spec->kernel)
        (void)preflight_check_file(check, spec->kernel, R_OK, "kernel", -1);
    if (spec->initrd)
        (void)preflight_check_file(check, spec->initrd, R_OK, "initrd", -1);
    preflight_check_disks(check);
    check_words(check, spec->args, "args");
    check_devices(check);
}

void
preflight_check_shared(struct preflight *preflight, const struct fleet *fleet)
{
    preflight_check_uses(preflight);
    preflight_check_ports(preflight, fleet);
    preflight_check_nics(preflight, fleet);
    preflight_check_memory(preflight, fleet);
}
