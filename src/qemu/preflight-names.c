/* Machines, CPUs, devices, accelerators: whether the guest's QEMU knows them.
 */
#include "base/xalloc.h"
#include "fleet/arch.h"
#include "qemu/accel.h"
#include "qemu/argv-internal.h"
#include "qemu/argv.h"
#include "qemu/cmdline.h"
#include "qemu/keyval.h"
#include "qemu/preflight-internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

/* What QEMU is asked about one guest. */
struct names_check {
    const struct preflight_check *check;
    struct preflight_qemu *qemu; /* borrowed, within the preflight */
    const char *arch;
    const char *field;
    int index;
};

/* What a kind is called, and how sure a name is wrong that QEMU does not list.
 */
static const char *const nouns[] = {
    [NAMES_MACHINES] = "machine",
    [NAMES_CPUS] = "CPU",
    [NAMES_DEVICES] = "device",
    [NAMES_ACCELERATORS] = "accelerator",
};

/* The list, asked for when it is first needed; NULL: QEMU does not tell. */
static const struct names *
get_names(const struct names_check *at, enum names_kind kind)
{
    struct preflight_qemu *qemu = at->qemu;
    struct error error = {0};
    if (qemu->names[kind].count)
        return &qemu->names[kind];
    if (qemu->is_silent[kind])
        return NULL;
    if (names_read(qemu->program, kind, &qemu->names[kind], &error))
        return &qemu->names[kind];
    /* One that does not end is not asked for more. */
    for (int i = 0; i < NAMES_COUNT; i++)
        qemu->is_silent[i] = qemu->is_silent[i] || i == (int)kind ||
                             error.code == ERROR_CODE_TIMEOUT;
    preflight_add(at->check, PREFLIGHT_SEVERITY_NOTE, at->field, at->index,
                  "whether QEMU knows the %s cannot be told: %s", nouns[kind],
                  error.text);
    return NULL;
}

/* Architectures whose CPUs QEMU takes by exactly the names that it lists;
 * others' have several spellings, or numbers. */
static bool
has_exact_cpus(const char *arch)
{
    static const char *const archs[] = {"x86_64", "i386", "aarch64", "arm"};
    for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++) {
        if (!strcmp(archs[i], arch))
            return true;
    }
    return false;
}

/* "tcg, kvm"; the caller frees it. */
static char *
join(const struct names *names)
{
    struct buffer text = {0};
    for (size_t i = 0; i < names->count; i++)
        buffer_printf(&text, "%s%s", i ? ", " : "", names->list[i]);
    return buffer_steal(&text);
}

static void
tell_unknown(const struct names_check *at, enum names_kind kind,
             const struct names *names, const char *name)
{
    bool is_sure = kind != NAMES_CPUS || has_exact_cpus(at->arch);
    const char *near = names_nearest(names, name);
    if (!is_sure && near && !strcasecmp(near, name))
        return;
    char *hint = NULL;
    if (near) {
        hint = xasprintf("did you mean \"%s\"?", near);
    } else if (kind == NAMES_ACCELERATORS) {
        char *all = join(names);
        hint = xasprintf("it has %s", all);
        free(all);
    } else {
        hint =
            xasprintf("its -%s help lists what there is", names_option(kind));
    }
    preflight_add(at->check,
                  is_sure ? PREFLIGHT_SEVERITY_ERROR
                          : PREFLIGHT_SEVERITY_WARNING,
                  at->field, at->index, "%s has no %s \"%s\" (%s)",
                  at->qemu->program, nouns[kind], name, hint);
    free(hint);
}

static void
check_name(const struct names_check *at, enum names_kind kind, const char *name)
{
    /* What asks QEMU for a list is none. */
    if (!name || !*name || !strcmp(name, "help") || !strcmp(name, "?"))
        return;
    const struct names *names = get_names(at, kind);
    if (!names || names_has(names, name))
        return;
    if (kind == NAMES_DEVICES && names_confirm_device(at->qemu->program, name))
        return;
    tell_unknown(at, kind, names, name);
}

/* The first one that QEMU has is taken: of "kvm:tcg" one is enough. */
static void
check_accelerators(const struct names_check *at, const char *list)
{
    const struct names *names = get_names(at, NAMES_ACCELERATORS);
    char *copy = xstrdup(list);
    char *rest = copy;
    char *first = NULL;
    bool is_known = !names;
    for (char *name = strsep(&rest, ":"); name; name = strsep(&rest, ":")) {
        first = first ? first : name;
        is_known = is_known || names_has(names, name);
    }
    if (!is_known)
        tell_unknown(at, NAMES_ACCELERATORS, names, first);
    free(copy);
}

static void
check_machine(const struct names_check *at, const char *value)
{
    struct keyval keyval;
    keyval_parse(&keyval, value);
    const char *accel = keyval_get(&keyval, "accel", false);
    check_name(at, NAMES_MACHINES, keyval_get(&keyval, "type", true));
    if (accel)
        check_accelerators(at, accel);
    keyval_finish(&keyval);
}

static void
check_accel(const struct names_check *at, const char *value)
{
    struct keyval keyval;
    keyval_parse(&keyval, value);
    const char *name = keyval_get(&keyval, "accel", true);
    /* TCG is in every QEMU that people have. */
    if (name && strcmp(name, "tcg") != 0)
        check_name(at, NAMES_ACCELERATORS, name);
    keyval_finish(&keyval);
}

static void
check_cpu(const struct names_check *at, const char *value)
{
    char *name = xstrndup(value, strcspn(value, ","));
    /* Whether it can run is another question. */
    if (strcmp(name, "host") != 0)
        check_name(at, NAMES_CPUS, name);
    free(name);
}

static void
check_device(const struct names_check *at, const char *value)
{
    if (value[0] == '{') {
        json_t *object = json_loads(value, 0, NULL);
        check_name(at, NAMES_DEVICES,
                   json_string_value(json_object_get(object, "driver")));
        json_decref(object);
        return;
    }
    struct keyval keyval;
    keyval_parse(&keyval, value);
    check_name(at, NAMES_DEVICES, keyval_get(&keyval, "driver", true));
    keyval_finish(&keyval);
}

/* What a QEMU's own accelerator is known to be: "tcg", or NULL. */
static const char *
sure_accel(const struct spec *spec)
{
    const char *machine = argv_machine(spec);
    bool is_auto = !spec->accel || !strcmp(spec->accel, "auto");
    if (!is_auto)
        return strncmp(spec->accel, "tcg", 3) ? NULL : "tcg";
    if (machine && strstr(machine, "accel="))
        return strstr(machine, "accel=tcg") ? "tcg" : NULL;
    return accel_native(argv_arch(spec)) ? NULL : "tcg";
}

/* "-cpu host" is the processor of this machine, which TCG cannot be. */
static void
check_host_cpu(const struct names_check *at)
{
    const struct spec *spec = at->check->spec;
    if (!spec->cpu || strcspn(spec->cpu, ",") != strlen("host") ||
        strncmp(spec->cpu, "host", strlen("host")) != 0 || !sure_accel(spec))
        return;
    preflight_add(at->check, PREFLIGHT_SEVERITY_ERROR, at->field, at->index,
                  "the CPU \"host\" is this machine's own, for KVM and HVF "
                  "alone, and the guest runs with TCG, whose most capable CPU "
                  "is \"max\"");
}

static void
check_devices(struct names_check *at, const char *field, char *const *devices)
{
    at->field = field;
    for (size_t i = 0; devices && devices[i]; i++) {
        at->index = (int)i;
        check_device(at, devices[i]);
    }
    at->index = -1;
}

/* The card of a -nic. PCs take devices, and "virtio"; other machines may have
 * cards of their own. */
static void
check_raw_nic(const struct names_check *at, const char *text)
{
    struct keyval keyval;
    bool is_pc = !strcmp(at->arch, "x86_64") || !strcmp(at->arch, "i386");
    keyval_parse(&keyval, text);
    const char *model = keyval_get(&keyval, "model", false);
    if (is_pc && model && strcmp(model, "virtio") != 0)
        check_name(at, NAMES_DEVICES, model);
    keyval_finish(&keyval);
}

static void
check_nics(struct names_check *at)
{
    const struct spec *spec = at->check->spec;
    at->field = "nics";
    for (size_t i = 0; i < spec->nic_count; i++) {
        at->index = (int)i;
        if (spec->nics[i].model)
            check_device(at, spec->nics[i].model);
        else if (spec->nics[i].text)
            check_raw_nic(at, spec->nics[i].text);
    }
    at->index = -1;
}

static void
check_fields(struct names_check *at)
{
    const struct spec *spec = at->check->spec;
    at->field = "machine";
    if (spec->machine)
        check_machine(at, spec->machine);
    at->field = "accel";
    if (spec->accel && strcmp(spec->accel, "auto") != 0)
        check_accel(at, spec->accel);
    at->field = "cpu";
    if (spec->cpu)
        check_cpu(at, spec->cpu);
    check_host_cpu(at);
    check_nics(at);
    check_devices(at, "usb", spec->usb);
    check_devices(at, "devices", spec->devices);
}

/* With another -accel QEMU goes on when it does not know one. */
static bool
is_alternative(const struct names_check *at, const char *option,
               char *const *words)
{
    size_t count = at->check->spec->kind == SPEC_KIND_COMMAND ? 0 : 1;
    for (; words && words[0]; words++)
        count += !strcmp(words[0], "-accel") || !strcmp(words[0], "--accel");
    return !strcmp(option, "accel") && count > 1;
}

/* The same of a command line. */
static void
check_words(struct names_check *at, char *const *words, const char *field)
{
    static const struct {
        const char *option;
        void (*check)(const struct names_check *at, const char *value);
    } options[] = {
        {"machine", check_machine}, {"M", check_machine},
        {"accel", check_accel},     {"cpu", check_cpu},
        {"device", check_device},   {"nic", check_raw_nic},
    };
    at->field = field;
    char *const *all = words;
    for (; words && words[0] && words[1]; words++) {
        const char *name = cmdline_option_name(words[0]);
        for (size_t i = 0; name && i < sizeof(options) / sizeof(options[0]);
             i++) {
            if (!strcmp(options[i].option, name) &&
                !is_alternative(at, name, all))
                options[i].check(at, words[1]);
        }
    }
}

void
preflight_check_names(const struct preflight_check *check, const char *program)
{
    const struct spec *spec = check->spec;
    struct preflight *preflight = check->preflight;
    struct names_check at = {.check = check, .index = -1};
    for (size_t i = 0; i < preflight->qemu_count; i++) {
        if (!strcmp(preflight->qemus[i].program, program))
            at.qemu = &preflight->qemus[i];
    }
    /* What does not say that it is QEMU is asked nothing. */
    if (!at.qemu || !at.qemu->version[0])
        return;
    at.arch = spec->kind == SPEC_KIND_COMMAND ? arch_of_program(program)
                                              : argv_arch(spec);
    if (spec->kind == SPEC_KIND_COMMAND) {
        check_words(&at, spec->command, "command");
        return;
    }
    check_fields(&at);
    check_words(&at, spec->args, "args");
}
