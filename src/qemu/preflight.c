#include "qemu/preflight.h"

#include "base/buffer.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "qemu/accel.h"
#include "qemu/argv-internal.h"
#include "qemu/argv.h"
#include "qemu/overlays.h"
#include "qemu/preflight-internal.h"
#include "qemu/process.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Columns of one finding. */
#define MAX_COLS 500

static const char *const severity_names[] = {
    [PREFLIGHT_SEVERITY_ERROR] = "error",
    [PREFLIGHT_SEVERITY_WARNING] = "warning",
    [PREFLIGHT_SEVERITY_NOTE] = "note",
};

const char *
preflight_severity_name(enum preflight_severity severity)
{
    return severity_names[severity];
}

void
preflight_add(const struct preflight_check *check,
              enum preflight_severity severity, const char *field, int index,
              const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    struct preflight *preflight = check->preflight;
    preflight->findings =
        xreallocarray(preflight->findings, preflight->count + 1,
                      sizeof(*preflight->findings));
    preflight->findings[preflight->count++] = (struct preflight_finding){
        .severity = severity,
        .guest = check->spec->name,
        .field = field,
        .index = index,
        .text = text_printable(text, strlen(text), MAX_COLS, TEXT_ONE_LINE),
    };
    preflight->counts[severity]++;
    free(text);
}

void
preflight_check_kvm(const struct preflight_check *check, const char *field)
{
    char *problem = accel_kvm_problem(argv_arch(check->spec));
    if (problem)
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, field, -1, "%s",
                      problem);
    free(problem);
}

static void
check_accel(const struct preflight_check *check)
{
    const struct spec *spec = check->spec;
    const char *accel = spec->accel ? spec->accel : "auto";
    const char *machine = argv_machine(spec);
    if (!strncmp(accel, "kvm", 3)) {
        preflight_check_kvm(check, "accel");
        return;
    }
    if (strcmp(accel, "auto") != 0 || (machine && strstr(machine, "accel=")))
        return;
    char *problem = accel_kvm_problem(argv_arch(spec));
    if (problem)
        preflight_add(check, PREFLIGHT_SEVERITY_WARNING, "accel", -1,
                      "it will be slow: %s", problem);
    free(problem);
}

static void
check_command_line(const struct preflight_check *check)
{
    const struct spec *spec = check->spec;
    bool is_command = spec->kind == SPEC_KIND_COMMAND;
    const char *field = is_command ? "command" : "args";
    struct error error = {0};
    char **notes = argv_notes(spec, &error);
    for (size_t i = 0; notes && notes[i]; i++)
        preflight_add(check, PREFLIGHT_SEVERITY_NOTE, field, -1, "%s",
                      notes[i]);
    argv_free(notes);
    if (!notes) {
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, field, -1, "%s",
                      error.text);
        return;
    }
    const char *where = is_command   ? "command"
                        : spec->qemu ? "qemu"
                        : spec->arch ? "arch"
                                     : NULL;
    char *program = argv_find_qemu(spec, &error);
    if (program) {
        preflight_note_qemu(check, program, where);
        preflight_check_names(check, program);
    } else {
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, where, -1, "%s",
                      error.text);
    }
    free(program);
}

static void
check_exec(const struct preflight_check *check)
{
    const char *name = check->spec->command[0];
    struct error error = {0};
    char *path = NULL;
    if (name[0] != '/' && strchr(name, '/'))
        path = xasprintf("%s/%s", check->spec->directory, name);
    else
        path = process_find_program(name, &error);
    if (path && access(path, X_OK) < 0)
        error_set_errno(&error, errno, "cannot run %s", path);
    if (error.code)
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, "exec", -1, "%s",
                      error.text);
    free(path);
}

static void
check_device(const struct preflight_check *check)
{
    const char *path = check->spec->device;
    struct stat info;
    if (stat(path, &info) < 0)
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, "device", -1,
                      "cannot open %s: %s", path, strerror(errno));
    else if (!S_ISCHR(info.st_mode))
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, "device", -1,
                      "%s is not a serial device", path);
    else if (access(path, R_OK | W_OK) < 0)
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, "device", -1,
                      "%s may not be opened: join its group (usually: sudo "
                      "usermod -aG dialout $USER, then log in again)",
                      path);
}

/* Whoever listens there may well start later. */
static void
check_socket(const struct preflight_check *check)
{
    const char *path = check->spec->socket;
    struct stat info;
    if (stat(path, &info) < 0)
        preflight_add(check, PREFLIGHT_SEVERITY_WARNING, "socket", -1,
                      "nobody listens on %s: %s", path, strerror(errno));
    else if (!S_ISSOCK(info.st_mode))
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, "socket", -1,
                      "%s is not a socket", path);
}

/* What lies below images that are there already. */
static void
check_overlays(const struct preflight_check *check)
{
    const struct spec *spec = check->spec;
    struct error error = {0};
    const char *field = spec->kind == SPEC_KIND_COMMAND ? "command"
                        : spec->disk_count              ? "disks"
                        : spec->args                    ? "args"
                                                        : "firmware";
    if (check->preflight->data_dir && overlays_concern(spec) &&
        !overlays_check(spec, check->preflight->data_dir, &error))
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, field, -1, "%s",
                      error.text);
}

static void
check_guest(const struct preflight_check *check)
{
    switch (check->spec->kind) {
    case SPEC_KIND_QEMU:
        check_accel(check);
        check_command_line(check);
        preflight_check_files(check);
        check_overlays(check);
        break;
    case SPEC_KIND_COMMAND:
        check_command_line(check);
        preflight_check_files(check);
        check_overlays(check);
        break;
    case SPEC_KIND_EXEC:
        check_exec(check);
        break;
    case SPEC_KIND_DEVICE:
        check_device(check);
        break;
    case SPEC_KIND_SOCKET:
        check_socket(check);
        break;
    case SPEC_KIND_COUNT:
        break;
    }
}

/* A finding with its place, for sorting. */
struct placed {
    struct preflight_finding finding;
    struct fleet_place place;
    size_t order; /* that they were found in */
};

static int
compare_placed(const void *a, const void *b)
{
    const struct placed *left = a;
    const struct placed *right = b;
    const unsigned keys[][2] = {
        {left->place.file, right->place.file},
        {left->place.position.line, right->place.position.line},
        {left->place.position.column, right->place.position.column},
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    }
    return left->order < right->order ? -1 : left->order > right->order;
}

/* Puts the findings in the order of the files. */
static void
sort(struct preflight *preflight, const struct fleet *fleet)
{
    struct placed *placed = xcalloc(preflight->count + 1, sizeof(*placed));
    for (size_t i = 0; i < preflight->count; i++) {
        const struct preflight_finding *finding = &preflight->findings[i];
        placed[i] = (struct placed){
            *finding,
            fleet_locate(fleet, finding->guest, finding->field, finding->index),
            i,
        };
    }
    qsort(placed, preflight->count, sizeof(*placed), compare_placed);
    for (size_t i = 0; i < preflight->count; i++)
        preflight->findings[i] = placed[i].finding;
    free(placed);
}

void
preflight_run(struct preflight *preflight, const struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->guest_count; i++) {
        struct preflight_check check = {preflight, fleet->guests[i]};
        check_guest(&check);
    }
    preflight_check_shared(preflight, fleet);
    preflight_check_order(preflight, fleet);
    sort(preflight, fleet);
}

bool
preflight_check_commands(const struct fleet *fleet, struct error *error)
{
    struct buffer lines = {0};
    for (size_t i = 0; i < fleet->guest_count; i++) {
        const struct spec *spec = fleet->guests[i];
        struct error problem = {0};
        char **notes = argv_notes(spec, &problem);
        if (!notes) {
            bool is_command = spec->kind == SPEC_KIND_COMMAND;
            char *where = fleet_where(fleet, spec->name,
                                      is_command ? "command" : "args", -1);
            char *shown = text_printable(problem.text, strlen(problem.text),
                                         MAX_COLS, TEXT_ONE_LINE);
            buffer_printf(&lines, "%s%s: %s", lines.len ? "\n" : "", where,
                          shown);
            free(shown);
            free(where);
        }
        argv_free(notes);
    }
    bool ok = lines.len == 0;
    if (!ok)
        error_set(error, ERROR_CODE_INVALID, "%s", lines.data);
    buffer_finish(&lines);
    return ok;
}

void
preflight_finish(struct preflight *preflight)
{
    for (size_t i = 0; i < preflight->count; i++)
        free(preflight->findings[i].text);
    for (size_t i = 0; i < preflight->qemu_count; i++) {
        free(preflight->qemus[i].program);
        free(preflight->qemus[i].version);
        for (int kind = 0; kind < NAMES_COUNT; kind++)
            names_finish(&preflight->qemus[i].names[kind]);
    }
    for (size_t i = 0; i < preflight->lower_count; i++)
        free(preflight->lowers[i].path);
    free(preflight->lowers);
    for (size_t i = 0; i < preflight->use_count; i++)
        free(preflight->uses[i].path);
    free(preflight->uses);
    free(preflight->qemus);
    free(preflight->findings);
    *preflight = (struct preflight){0};
}

char *
preflight_line(const struct fleet *fleet,
               const struct preflight_finding *finding)
{
    char *where =
        fleet_where(fleet, finding->guest, finding->field, finding->index);
    char *line = xasprintf("%s: %s: %s", where,
                           severity_names[finding->severity], finding->text);
    free(where);
    return line;
}
