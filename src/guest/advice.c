#include "base/text.h"
#include "base/xalloc.h"
#include "guest/guest-internal.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Processes looked at for who holds an image. */
#define MAX_PROCESSES 4096

/* What QEMU says and what helps, the more special first. */
static const struct advice_row {
    const char *words;
    const char *advice;
} advice_rows[] = {
    {"kvm_buf_set_msrs",
     "KVM on this machine cannot run this CPU; use \"accel\": \"tcg\", or "
     "another \"cpu\""},
    {"Could not access KVM kernel module: Permission denied",
     "You may not use /dev/kvm: join the group kvm and log in again, or use "
     "\"accel\": \"tcg\""},
    {"Could not access KVM kernel module",
     "This machine offers no KVM; use \"accel\": \"tcg\""},
    {"failed to initialize kvm",
     "KVM does not work here; use \"accel\": \"tcg\""},
    {"requires KVM", "Without KVM there is no such CPU; use another \"cpu\""},
    {"Could not set up host forwarding rule",
     "The host's port is taken; forward another one, or find who has it: ss "
     "-ltnp"},
    {"Address already in use",
     "The address is taken; choose another one, or find who has it: ss -ltnp"},
    {"access denied by acl file",
     "QEMU's bridge helper does not allow this bridge: put a line like \"allow "
     "br0\" with its name into /etc/qemu/bridge.conf"},
    {"bridge helper failed",
     "Check that the bridge is there (ip link), that /etc/qemu/bridge.conf "
     "allows it, and that qemu-bridge-helper is set-uid root"},
    {"could not configure /dev/net/tun",
     "Check that nobody else has the tap, or make it for you: sudo ip tuntap "
     "add dev tap0 mode tap user $USER, with the tap's name"},
    {"cannot set up guest memory",
     "There is not enough memory; give the guest less, or stop others"},
    {"Cannot allocate memory",
     "There is not enough memory; give the guest less, or stop others"},
    {"could not load kernel",
     "Check that the kernel is there, readable, and one for this machine"},
    {"could not load initrd", "Check that the initrd is there and readable"},
    {"not in qcow2 format",
     "The image is of another format; say which: \"format\": \"raw\""},
    {"invalid option", "This QEMU has no such option; see its -help"},
    {"unsupported machine type",
     "See which there are: QEMU -machine help; `guestmux check` names the nearest"},
    {"unable to find CPU model",
     "See which there are: QEMU -cpu help; `guestmux check` names the nearest"},
    {"is not a valid device model name",
     "See which there are: QEMU -device help; `guestmux check` names the nearest"},
    {"No space left on device", "The disk is full; make room on it"},
    {"No such file or directory",
     "Check the path; relative ones start at the fleet file's directory"},
    {"Permission denied",
     "You may not open it; check its owner and mode, and its directories'"},
    {"Could not open",
     "Check the path; relative ones start at the fleet file's directory"},
};

/* Whether a process (a number under /proc) has a file open. */
static bool
holds_file(const char *pid, const struct stat *file)
{
    char *path = xasprintf("/proc/%s/fd", pid);
    DIR *dir = opendir(path);
    free(path);
    if (!dir)
        return false;
    bool is_found = false;
    struct dirent *entry;
    while (!is_found && (entry = readdir(dir))) {
        struct stat info;
        is_found = fstatat(dirfd(dir), entry->d_name, &info, 0) == 0 &&
                   info.st_dev == file->st_dev && info.st_ino == file->st_ino;
    }
    (void)closedir(dir);
    return is_found;
}

/* What a process is called, fit to show. The caller frees it. */
static char *
process_name(const char *pid)
{
    char *path = xasprintf("/proc/%s/comm", pid);
    FILE *file = fopen(path, "re");
    free(path);
    char name[64] = "";
    if (file) {
        if (!fgets(name, sizeof(name), file))
            name[0] = '\0';
        (void)fclose(file);
    }
    name[strcspn(name, "\n")] = '\0';
    return text_printable(name, strlen(name), 40, TEXT_ONE_LINE);
}

/* "Is another process using the image [/path]?": who is it? The caller frees
 * the result; NULL: cannot be told. */
static char *
find_holder(const char *line)
{
    const char *start = strchr(line, '[');
    const char *end = start ? strchr(start, ']') : NULL;
    if (!end)
        return NULL;
    char *image = xstrndup(start + 1, (size_t)(end - start - 1));
    struct stat file;
    bool is_there = stat(image, &file) == 0;
    free(image);
    DIR *proc = is_there ? opendir("/proc") : NULL;
    if (!proc)
        return NULL;
    char *holder = NULL;
    struct dirent *entry;
    for (int seen = 0;
         !holder && seen < MAX_PROCESSES && (entry = readdir(proc)); seen++) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
            !holds_file(entry->d_name, &file))
            continue;
        char *name = process_name(entry->d_name);
        holder = xasprintf("Process %s (%s) has the image open: two guests "
                           "cannot write to one; give each its own overlay",
                           entry->d_name, name);
        free(name);
    }
    (void)closedir(proc);
    return holder;
}

static char *
advise_lock(const json_t *lines)
{
    size_t index;
    json_t *line;
    json_array_foreach(lines, index, line)
    {
        const char *text = json_string_value(line);
        char *holder = strstr(text, "another process using the image")
                           ? find_holder(text)
                           : NULL;
        if (holder)
            return holder;
    }
    return xstrdup("Another process has the image open: two guests cannot "
                   "write to one; give each its own overlay");
}

char *
advice_find(const json_t *lines)
{
    size_t index;
    json_t *line;
    json_array_foreach(lines, index, line)
    {
        const char *text = json_string_value(line);
        if (strstr(text, "Failed to get") && strstr(text, " lock"))
            return advise_lock(lines);
    }
    size_t count = sizeof(advice_rows) / sizeof(*advice_rows);
    for (size_t row = 0; row < count; row++) {
        json_array_foreach(lines, index, line)
        {
            if (strstr(json_string_value(line), advice_rows[row].words))
                return xstrdup(advice_rows[row].advice);
        }
    }
    return NULL;
}
