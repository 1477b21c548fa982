/* What this machine has for all guests together: QEMUs, memory. */
#include "base/xalloc.h"
#include "fleet/size.h"
#include "qemu/argv-internal.h"
#include "qemu/argv.h"
#include "qemu/holder.h"
#include "qemu/keyval.h"
#include "qemu/preflight-internal.h"
#include "qemu/version.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* QEMU's -m when nothing is said, for most machines. */
#define DEFAULT_MEMORY (UINT64_C(128) << 20)

static bool
is_known(const struct preflight *preflight, const char *program)
{
    for (size_t i = 0; i < preflight->qemu_count; i++) {
        if (!strcmp(preflight->qemus[i].program, program))
            return true;
    }
    return false;
}

void
preflight_note_qemu(const struct preflight_check *check, const char *program,
                    const char *field)
{
    struct preflight *preflight = check->preflight;
    struct qemu_version version = {0};
    struct error error = {0};
    if (is_known(preflight, program))
        return;
    if (!qemu_version_read(program, &version, &error))
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, field, -1, "%s",
                      error.text);
    else if (version.major > 0 && (version.major < QEMU_MIN_MAJOR ||
                                   (version.major == QEMU_MIN_MAJOR &&
                                    version.minor < QEMU_MIN_MINOR)))
        preflight_add(check, PREFLIGHT_SEVERITY_WARNING, field, -1,
                      "%s is QEMU %d.%d; guestmux is written for %d.%d and "
                      "later",
                      program, version.major, version.minor, QEMU_MIN_MAJOR,
                      QEMU_MIN_MINOR);
    preflight->qemus = xreallocarray(
        preflight->qemus, preflight->qemu_count + 1, sizeof(*preflight->qemus));
    preflight->qemus[preflight->qemu_count++] = (struct preflight_qemu){
        .program = xstrdup(program),
        .version = xstrdup(version.text),
    };
}

/* What a command line's last -m says, or QEMU's default. */
static uint64_t
command_memory(char *const *words)
{
    uint64_t bytes = DEFAULT_MEMORY;
    for (; words && words[0] && words[1]; words++) {
        if (strcmp(words[0], "-m") != 0 && strcmp(words[0], "--m") != 0)
            continue;
        struct keyval keyval;
        keyval_parse(&keyval, words[1]);
        const char *size = keyval_get(&keyval, "size", true);
        uint64_t said = 0;
        if (size && size_parse(size, &said))
            bytes = said;
        keyval_finish(&keyval);
    }
    return bytes;
}

static bool
is_among(const char *name, char *const *names)
{
    for (; *names; names++) {
        if (!strcmp(*names, name))
            return true;
    }
    return false;
}

/* What a guest takes when it starts. */
static uint64_t
memory_of(const struct spec *spec)
{
    if (spec->kind == SPEC_KIND_COMMAND)
        return command_memory(spec->command);
    if (spec->kind != SPEC_KIND_QEMU)
        return 0;
    return spec->memory_bytes ? spec->memory_bytes : DEFAULT_MEMORY;
}

/* What programs can have without swapping, bytes; 0: not known. */
static uint64_t
available_memory(void)
{
    FILE *file = fopen("/proc/meminfo", "re");
    char line[128];
    uint64_t kib = 0;
    while (file && !kib && fgets(line, sizeof(line), file))
        (void)sscanf(line, "MemAvailable: %" SCNu64, &kib);
    if (file)
        (void)fclose(file);
    return kib << 10;
}

void
preflight_check_memory(struct preflight *preflight, const struct fleet *fleet)
{
    uint64_t all = 0;
    uint64_t wanted = 0;
    uint64_t there =
        (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t available = available_memory();
    if (fleet->guest_count == 0)
        return;
    for (size_t i = 0; i < fleet->guest_count; i++)
        all += memory_of(fleet->guests[i]);
    struct preflight_check check = {preflight, fleet->guests[0]};
    if (all > there) {
        preflight_add(&check, PREFLIGHT_SEVERITY_WARNING, NULL, -1,
                      "the guests together want %" PRIu64
                      " MiB of memory, this machine has %" PRIu64,
                      all >> 20, there >> 20);
        return;
    }
    if (!available || all <= available)
        return;
    /* Those that run have theirs. */
    char **running = holder_guests();
    for (size_t i = 0; i < fleet->guest_count; i++) {
        if (!is_among(fleet->guests[i]->name, running))
            wanted += memory_of(fleet->guests[i]);
    }
    argv_free(running);
    if (wanted > available)
        preflight_add(&check, PREFLIGHT_SEVERITY_WARNING, NULL, -1,
                      "the guests that do not run yet want %" PRIu64
                      " MiB of memory, of this machine's %" PRIu64
                      " are %" PRIu64 " available",
                      wanted >> 20, there >> 20, available >> 20);
}
