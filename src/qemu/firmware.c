#include "qemu/firmware.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "qemu/argv-internal.h"

#include <dirent.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of a descriptor; they have about 1000. */
#define DESCRIPTOR_MAX_BYTES (64u << 10)
/* Descriptors in all directories; a distribution ships about 20. */
#define MAX_DESCRIPTORS 512

/* What a name of ours wants of a descriptor's features. */
static const struct {
    const char *name;
    const char *wanted[2];
    const char *unwanted[2];
    const char *text; /* for messages */
} variants[] = {
    {"uefi", {NULL}, {"secure-boot", "requires-smm"}, "UEFI"},
    {"uefi-secure",
     {"secure-boot", "enrolled-keys"},
     {NULL},
     "UEFI with secure boot and keys enrolled"},
    {"uefi-secure-setup",
     {"secure-boot"},
     {"enrolled-keys"},
     "UEFI with secure boot and no keys"},
};
#define VARIANT_COUNT (sizeof(variants) / sizeof(variants[0]))

/* Machines that are known by another name than the one that descriptors have:
 * "q35" is the newest of "pc-q35-N". */
static const struct {
    const char *alias;
    const char *name;
} machine_names[] = {
    {"pc", "pc-i440fx-0"}, {"q35", "pc-q35-0"}, {"virt", "virt-0"}};

/* Debian's packages. */
static const struct {
    const char *arch;
    const char *package;
} packages[] = {
    {"aarch64", "qemu-efi-aarch64"},
    {"arm", "qemu-efi-arm"},
    {"i386", "ovmf-ia32"},
    {"x86_64", "ovmf"},
    {"loongarch64", "qemu-efi-loongarch64"},
    {"riscv64", "qemu-efi-riscv64"},
};

/* A descriptor's file. */
struct candidate {
    char *path; /* owned */
    const char *name;
    size_t rank; /* of its directory: higher is more special */
};

struct search {
    const struct firmware_query *query;
    size_t variant;
    struct candidate *candidates; /* owned */
    size_t count;
    struct buffer passed; /* what was passed over, and why */
};

char **
firmware_directories(void)
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    char **directories = xcalloc(4, sizeof(*directories));
    directories[0] = xstrdup("/usr/share/qemu/firmware");
    directories[1] = xstrdup("/etc/qemu/firmware");
    if (config && config[0] == '/')
        directories[2] = xasprintf("%s/qemu/firmware", config);
    else if (home && home[0] == '/')
        directories[2] = xasprintf("%s/.config/qemu/firmware", home);
    return directories;
}

static void
collect_directory(struct search *search, const char *directory, size_t rank)
{
    DIR *dir = opendir(directory);
    struct dirent *entry = NULL;
    while (dir && search->count < MAX_DESCRIPTORS && (entry = readdir(dir))) {
        size_t len = strlen(entry->d_name);
        if (len < 6 || strcmp(entry->d_name + len - 5, ".json") != 0)
            continue;
        search->candidates = xreallocarray(
            search->candidates, search->count + 1, sizeof(*search->candidates));
        char *path = xasprintf("%s/%s", directory, entry->d_name);
        search->candidates[search->count++] =
            (struct candidate){path, path + strlen(directory) + 1, rank};
    }
    if (dir)
        (void)closedir(dir);
}

/* By name; of one name the most special first. */
static int
compare_candidates(const void *a, const void *b)
{
    const struct candidate *left = a;
    const struct candidate *right = b;
    int order = strcmp(left->name, right->name);
    if (order != 0)
        return order;
    return left->rank > right->rank ? -1 : left->rank < right->rank;
}

static void
collect(struct search *search)
{
    char **own = search->query->directories ? NULL : firmware_directories();
    const char *const *directories = search->query->directories
                                         ? search->query->directories
                                         : (const char *const *)own;
    for (size_t i = 0; directories[i]; i++)
        collect_directory(search, directories[i], i);
    shellwords_free(own);
    if (search->count)
        qsort(search->candidates, search->count, sizeof(*search->candidates),
              compare_candidates);
}

static bool
array_has(const json_t *array, const char *text)
{
    size_t index = 0;
    json_t *item = NULL;
    json_array_foreach((json_t *)array, index, item)
    {
        if (json_is_string(item) && !strcmp(json_string_value(item), text))
            return true;
    }
    return false;
}

/* Whether a pattern of a descriptor means the machine of a -machine value. */
static bool
is_machine(const char *pattern, const char *machine)
{
    if (!machine)
        return !strcmp(pattern, "*");
    if (!strncmp(machine, "type=", 5))
        machine += 5;
    char *type = xstrndup(machine, strcspn(machine, ","));
    bool is = fnmatch(pattern, type, 0) == 0;
    for (size_t i = 0; i < sizeof(machine_names) / sizeof(machine_names[0]);
         i++) {
        if (!strcmp(type, machine_names[i].alias))
            is = is || fnmatch(pattern, machine_names[i].name, 0) == 0;
    }
    free(type);
    return is;
}

static bool
has_target(const json_t *descriptor, const struct firmware_query *query)
{
    size_t index = 0;
    json_t *target = NULL;
    json_array_foreach(json_object_get(descriptor, "targets"), index, target)
    {
        const char *arch =
            json_string_value(json_object_get(target, "architecture"));
        if (!arch || strcmp(arch, query->arch) != 0)
            continue;
        size_t at = 0;
        json_t *pattern = NULL;
        json_array_foreach(json_object_get(target, "machines"), at, pattern)
        {
            if (json_is_string(pattern) &&
                is_machine(json_string_value(pattern), query->machine))
                return true;
        }
    }
    return false;
}

static bool
has_features(const json_t *descriptor, size_t variant)
{
    const json_t *features = json_object_get(descriptor, "features");
    for (size_t i = 0; i < 2; i++) {
        const char *wanted = variants[variant].wanted[i];
        const char *unwanted = variants[variant].unwanted[i];
        if ((wanted && !array_has(features, wanted)) ||
            (unwanted && array_has(features, unwanted)))
            return false;
    }
    return true;
}

/* A "FirmwareFlashFile": its name and format, copied. */
static bool
take_flash_file(const json_t *mapping, const char *member, char **ret_file,
                char **ret_format)
{
    const json_t *file = json_object_get(mapping, member);
    const char *name = json_string_value(json_object_get(file, "filename"));
    const char *format = json_string_value(json_object_get(file, "format"));
    if (!name || name[0] != '/')
        return false;
    *ret_file = xstrdup(name);
    *ret_format = xstrdup(format ? format : "raw");
    return true;
}

/* Reads how the firmware gets into the machine: code and store in two files
 * ("split"), in one, of which the guest gets a copy ("combined"), or code alone
 * ("stateless"). */
static bool
take_mapping(const json_t *descriptor, struct firmware *firmware)
{
    const json_t *mapping = json_object_get(descriptor, "mapping");
    const char *device = json_string_value(json_object_get(mapping, "device"));
    const char *mode = json_string_value(json_object_get(mapping, "mode"));
    if (device && !strcmp(device, "memory")) {
        const char *file =
            json_string_value(json_object_get(mapping, "filename"));
        firmware->device = FIRMWARE_DEVICE_MEMORY;
        firmware->code = xstrdup(file && file[0] == '/' ? file : NULL);
        return firmware->code != NULL;
    }
    if (!device || strcmp(device, "flash") != 0)
        return false;
    firmware->device = FIRMWARE_DEVICE_FLASH;
    firmware->requires_smm =
        array_has(json_object_get(descriptor, "features"), "requires-smm");
    if (!take_flash_file(mapping, "executable", &firmware->code,
                         &firmware->code_format))
        return false;
    if (mode && !strcmp(mode, "stateless"))
        return true;
    if (mode && !strcmp(mode, "combined")) {
        firmware->is_combined = true;
        firmware->vars = xstrdup(firmware->code);
        firmware->vars_format = xstrdup(firmware->code_format);
        return true;
    }
    return (!mode || !strcmp(mode, "split")) &&
           take_flash_file(mapping, "nvram-template", &firmware->vars,
                           &firmware->vars_format);
}

static void
pass_over(struct search *search, const char *path, const char *format,
          const char *what)
{
    if (search->passed.len < 1024) {
        buffer_printf(&search->passed, "; %s ", path);
        buffer_append_text(&search->passed, format);
        buffer_append_text(&search->passed, what);
    }
}

/* Whether the candidate is what is looked for; then *firmware is filled. */
static bool
try_candidate(struct search *search, const char *path,
              struct firmware *firmware)
{
    struct error error = {0};
    json_t *descriptor = json_read_file(path, DESCRIPTOR_MAX_BYTES, &error);
    if (!descriptor) {
        pass_over(search, path, "is no descriptor: ", error.text);
        return false;
    }
    bool fits =
        array_has(json_object_get(descriptor, "interface-types"), "uefi") &&
        has_target(descriptor, search->query) &&
        has_features(descriptor, search->variant) &&
        take_mapping(descriptor, firmware);
    json_decref(descriptor);
    const char *files[] = {firmware->code, firmware->vars};
    for (size_t i = 0; fits && i < 2; i++) {
        if (files[i] && access(files[i], R_OK) < 0) {
            pass_over(search, path,
                      "names a file that cannot be read: ", files[i]);
            fits = false;
        }
    }
    if (fits)
        firmware->descriptor = xstrdup(path);
    else
        firmware_finish(firmware);
    return fits;
}

static bool
is_empty(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && info.st_size == 0;
}

static bool
not_found(const struct search *search, struct error *error)
{
    const struct firmware_query *query = search->query;
    const char *package = NULL;
    for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++) {
        if (!strcmp(packages[i].arch, query->arch))
            package = packages[i].package;
    }
    struct buffer places = {0};
    char **own = query->directories ? NULL : firmware_directories();
    const char *const *directories =
        query->directories ? query->directories : (const char *const *)own;
    for (size_t i = 0; directories[i]; i++)
        buffer_printf(&places, "%s%s", i ? ", " : "", directories[i]);
    shellwords_free(own);
    error_set(error, ERROR_CODE_NOT_FOUND,
              "no firmware \"%s\" (%s) for %s's machine %s among QEMU's "
              "descriptors in %s%s%s%s%s",
              query->name, variants[search->variant].text, query->arch,
              query->machine ? query->machine : "(QEMU's own)",
              places.len ? places.data : "",
              search->passed.len ? search->passed.data : "",
              package ? " (Debian's package is " : "", package ? package : "",
              package ? ")" : "");
    buffer_finish(&places);
    return false;
}

bool
firmware_find(const struct firmware_query *query, struct firmware *ret,
              struct error *error)
{
    struct search search = {.query = query};
    while (search.variant < VARIANT_COUNT &&
           strcmp(variants[search.variant].name, query->name) != 0)
        search.variant++;
    if (search.variant == VARIANT_COUNT)
        return error_set(error, ERROR_CODE_INVALID,
                         "\"%s\" is no firmware's name", query->name);
    collect(&search);
    struct firmware found = {0};
    bool ok = false;
    const char *last = "";
    for (size_t i = 0; !ok && i < search.count; i++) {
        const struct candidate *candidate = &search.candidates[i];
        bool is_hidden = !strcmp(candidate->name, last);
        last = candidate->name;
        if (!is_hidden && !is_empty(candidate->path))
            ok = try_candidate(&search, candidate->path, &found);
    }
    if (ok)
        *ret = found;
    else
        not_found(&search, error);
    for (size_t i = 0; i < search.count; i++)
        free(search.candidates[i].path);
    free(search.candidates);
    buffer_finish(&search.passed);
    return ok;
}

bool
firmware_file_requires_smm(const char *code)
{
    struct firmware_query query = {.name = "uefi"};
    struct search search = {.query = &query};
    bool requires_smm = false;
    collect(&search);
    for (size_t i = 0; i < search.count; i++) {
        json_t *descriptor = json_read_file(search.candidates[i].path,
                                            DESCRIPTOR_MAX_BYTES, NULL);
        struct firmware firmware = {0};
        if (descriptor && take_mapping(descriptor, &firmware) &&
            !strcmp(firmware.code, code))
            requires_smm = requires_smm || firmware.requires_smm;
        firmware_finish(&firmware);
        json_decref(descriptor);
        free(search.candidates[i].path);
    }
    free(search.candidates);
    return requires_smm;
}

/* What a file's name says of its format; firmware comes raw otherwise. */
static const char *
format_of(const char *file)
{
    size_t len = strlen(file);
    return len > 6 && !strcmp(file + len - 6, ".qcow2") ? "qcow2" : "raw";
}

/* The name of a guest's copy: the template's with a number that depends on its
 * whole path (FNV-1a, 32 bits), so that other firmware gets another store. */
static char *
store_of(const char *template, const char *data_dir)
{
    const char *slash = strrchr(template, '/');
    const char *name = slash ? slash + 1 : template;
    const char *dot = strrchr(name, '.');
    size_t len = dot && dot > name ? (size_t)(dot - name) : strlen(name);
    uint32_t hash = UINT32_C(2166136261);
    for (const char *at = template; *at; at++)
        hash = (hash ^ (unsigned char)*at) * UINT32_C(16777619);
    return xasprintf("%s/%.*s-%08" PRIx32 ".qcow2", data_dir, (int)len, name,
                     hash);
}

static void
take_flash(const struct spec *spec, struct firmware *ret)
{
    ret->device = FIRMWARE_DEVICE_FLASH;
    ret->code = xstrdup(spec->flash_code);
    ret->code_format = xstrdup(format_of(spec->flash_code));
    ret->requires_smm = firmware_file_requires_smm(spec->flash_code);
    if (spec->flash_vars) {
        ret->vars = xstrdup(spec->flash_vars);
        ret->vars_format = xstrdup(format_of(spec->flash_vars));
    }
    if (spec->flash_store) {
        ret->store = xstrdup(spec->flash_store);
        ret->store_format = xstrdup(format_of(spec->flash_store));
    }
}

/* A bare name is one of QEMU's own, unless there is such a file beside the
 * fleet. */
static void
take_bios(const struct spec *spec, struct firmware *ret)
{
    char *beside = xasprintf("%s/%s", spec->directory, spec->firmware);
    bool is_beside = !strchr(spec->firmware, '/') && access(beside, F_OK) == 0;
    ret->device = FIRMWARE_DEVICE_MEMORY;
    ret->code = xstrdup(is_beside ? beside : spec->firmware);
    free(beside);
}

bool
firmware_of_spec(const struct spec *spec, const char *data_dir,
                 struct firmware *ret, struct error *error)
{
    struct firmware found = {0};
    if (spec->firmware) {
        take_bios(spec, &found);
    } else if (spec->flash_code) {
        take_flash(spec, &found);
    } else if (spec->uefi) {
        struct firmware_query query = {.name = spec->uefi,
                                       .arch = argv_arch(spec),
                                       .machine = argv_machine(spec)};
        if (!firmware_find(&query, &found, error))
            return false;
    }
    if (found.vars && !found.store && data_dir) {
        found.store = store_of(found.vars, data_dir);
        found.store_format = xstrdup("qcow2");
    }
    *ret = found;
    return true;
}

void
firmware_finish(struct firmware *firmware)
{
    free(firmware->code);
    free(firmware->code_format);
    free(firmware->vars);
    free(firmware->vars_format);
    free(firmware->store);
    free(firmware->store_format);
    free(firmware->descriptor);
    *firmware = (struct firmware){0};
}
