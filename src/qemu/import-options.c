/* Options that are a field each, and those that guestmux takes over. */
#include "base/xalloc.h"
#include "fleet/size.h"
#include "qemu/accel.h"
#include "qemu/import-internal.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Options whose value is a field's, as it is. */
static const struct {
    const char *option;
    const char *field;
    json_t *(*make)(const char *text);
} plain[] = {
    {"cpu", "cpu", import_text},       {"bios", "firmware", import_path},
    {"kernel", "kernel", import_path}, {"initrd", "initrd", import_path},
    {"append", "append", import_text},
};

/* Options that are not needed here. */
static const struct {
    const char *name;
    const char *why; /* NULL: what it says is so anyway */
} dropped[] = {
    {"daemonize", "QEMU stays alive without it, in a session of its own"},
    {"nodefaults", NULL},
    {"no-quit", "there is no window"},
    {"pidfile", "guestmux knows the guest's process"},
};

/* The CPU that QEMU takes where our default is another. */
static const struct {
    const char *arch;
    const char *cpu;
} qemu_cpus[] = {{"aarch64", "cortex-a15"}};

static void
take_plain(struct importer *importer)
{
    for (size_t i = 0; i < COUNT(plain); i++) {
        int at = -1;
        struct import_item *item = NULL;
        while ((item = import_next(importer, plain[i].option, &at))) {
            json_object_set_new(importer->entry, plain[i].field,
                                plain[i].make(item->value));
            item->is_done = true;
        }
    }
    for (size_t i = 0; i < COUNT(qemu_cpus); i++) {
        if (strcmp(qemu_cpus[i].arch, importer->arch) != 0 ||
            json_object_get(importer->entry, "cpu"))
            continue;
        import_set_text(importer, "cpu", qemu_cpus[i].cpu);
        import_note(importer, "cpu: %s is QEMU's default, here it is max",
                    qemu_cpus[i].cpu);
    }
    /* Without a kernel QEMU refuses them, and so do we. */
    if (!json_object_get(importer->entry, "kernel") &&
        (json_object_get(importer->entry, "append") ||
         json_object_get(importer->entry, "initrd")))
        import_give_up(importer, "-append and -initrd want -kernel");
}

/* What of -name is not kept. */
static void
note_name(struct importer *importer, const char *value)
{
    struct keyval keyval;
    keyval_parse(&keyval, value);
    const char *name = keyval_get(&keyval, "guest", true);
    if (name && !import_is_name(name))
        import_note(importer,
                    "-name %s: dropped, a name here has letters, digits, '.', "
                    "'_' and '-' only, at most %d",
                    value, IMPORT_NAME_MAX_BYTES);
    else if (strcspn(value, ",") != strlen(value))
        import_note(importer, "-name %s: dropped but for the name", value);
    keyval_finish(&keyval);
}

static void
drop(struct importer *importer)
{
    for (size_t i = 0; i < importer->count; i++) {
        struct import_item *item = &importer->items[i];
        for (size_t k = 0; item->name && k < COUNT(dropped); k++) {
            if (strcmp(item->name, dropped[k].name) != 0)
                continue;
            item->is_done = true;
            if (dropped[k].why)
                import_note(importer, "%s: dropped, %s", item->word,
                            dropped[k].why);
        }
        if (item->name && item->value && !strcmp(item->name, "name")) {
            item->is_done = true;
            note_name(importer, item->value);
        }
    }
}

/* -smp's value as the field has it, or NULL. New reference. */
static json_t *
read_smp(const char *text)
{
    struct keyval keyval;
    json_t *smp = json_object();
    keyval_parse(&keyval, text);
    for (size_t i = 0; i < keyval.count; i++) {
        const struct keyval_pair *pair = &keyval.pairs[i];
        char *end = NULL;
        long number = strtol(pair->value, &end, 10);
        bool ok = end != pair->value && !*end;
        json_object_set_new(smp, pair->key ? pair->key : "cpus",
                            ok ? json_integer(number) : json_null());
    }
    keyval_finish(&keyval);
    json_t *cpus = json_incref(json_object_get(smp, "cpus"));
    if (json_object_size(smp) == 1 && cpus) {
        json_decref(smp);
        return cpus;
    }
    json_decref(cpus);
    return smp;
}

static void
take_smp(struct importer *importer)
{
    int at = -1;
    struct import_item *item = NULL;
    while ((item = import_next(importer, "smp", &at))) {
        json_t *smp = read_smp(item->value);
        json_t *entry = json_pack("{s:O}", "smp", smp);
        bool has_null = json_is_null(smp);
        const char *key = NULL;
        json_t *value = NULL;
        json_object_foreach(smp, key, value) has_null |= json_is_null(value);
        /* what the field does not take stays an argument */
        if (!has_null && import_is_entry_good(entry, NULL)) {
            json_object_set(importer->entry, "smp", smp);
            item->is_done = true;
        }
        json_decref(entry);
        json_decref(smp);
    }
}

static void
take_memory(struct importer *importer)
{
    int at = -1;
    struct import_item *item = NULL;
    while ((item = import_next(importer, "m", &at))) {
        const char *text = item->value;
        uint64_t bytes = 0;
        if (!strncmp(text, "size=", 5))
            text += 5;
        /* A size that is no whole number of MiB would be rounded. */
        if (!size_parse(text, &bytes) || bytes % (1u << 20) ||
            bytes < (1u << 20))
            continue;
        if (strspn(text, "0123456789") == strlen(text))
            json_object_set_new(importer->entry, "memory",
                                json_integer((json_int_t)(bytes >> 20)));
        else
            import_set_text(importer, "memory", text);
        item->is_done = true;
    }
}

/* Accelerators in the order in which QEMU tries them. */
static void
add_accel(json_t *accels, struct import_item *item, const char *text)
{
    json_array_append_new(accels, json_string(text));
    item->is_done = true;
}

/* All -machine options together, without the type and the accelerator. */
static void
take_machine(struct importer *importer, json_t *accels)
{
    struct buffer rest = {0};
    for (size_t i = 0; i < importer->count; i++) {
        struct import_item *item = &importer->items[i];
        if (!import_is(item, "machine") && !import_is(item, "M"))
            continue;
        struct keyval keyval;
        keyval_parse(&keyval, item->value);
        for (size_t k = 0; k < keyval.count; k++) {
            const struct keyval_pair *pair = &keyval.pairs[k];
            if (!pair->key || !strcmp(pair->key, "type"))
                continue;
            if (!strcmp(pair->key, "accel")) {
                char *list = xstrdup(pair->value);
                char *saved = NULL;
                for (char *one = strtok_r(list, ":", &saved); one;
                     one = strtok_r(NULL, ":", &saved))
                    json_array_append_new(accels, json_string(one));
                free(list);
                continue;
            }
            buffer_printf(&rest, ",%s=", pair->key);
            keyval_append_value(&rest, pair->value);
        }
        keyval_finish(&keyval);
        item->is_done = true;
    }
    const char *type = importer->machine;
    if (!type && import_is_pc(importer)) {
        type = "pc";
        import_note(importer, "machine: pc is QEMU's default, here it is q35");
    }
    if (type || rest.len) {
        char *text =
            xasprintf("%s%s", type ? type : "", rest.data ? rest.data : "");
        import_set_text(importer, "machine", text + (type ? 0 : 1));
        free(text);
    }
    buffer_finish(&rest);
}

static void
take_accels(struct importer *importer)
{
    json_t *accels = json_array();
    take_machine(importer, accels);
    for (size_t i = 0; i < importer->count; i++) {
        struct import_item *item = &importer->items[i];
        if (import_is(item, "accel"))
            add_accel(accels, item, item->value);
        else if (item->name && !strcmp(item->name, "enable-kvm"))
            add_accel(accels, item, "kvm");
        else if (item->name && !strcmp(item->name, "no-kvm"))
            add_accel(accels, item, "tcg");
    }
    const char *first = json_string_value(json_array_get(accels, 0));
    const char *second = json_string_value(json_array_get(accels, 1));
    bool is_auto = first && second && json_array_size(accels) == 2 &&
                   !strcmp(first, "kvm") && !strcmp(second, "tcg");
    if (!first && strstr(importer->program, "kvm")) {
        import_set_text(importer, "accel", "kvm");
    } else if (!first) {
        import_set_text(importer, "accel", "tcg");
        import_note(importer, "accel: tcg is QEMU's default; \"auto\" takes "
                              "KVM where it can");
    } else {
        import_set_text(importer, "accel", is_auto ? "auto" : first);
    }
    if (!is_auto) {
        for (size_t i = 1; i < json_array_size(accels); i++) {
            json_array_append_new(importer->args, json_string("-accel"));
            json_array_append(importer->args, json_array_get(accels, i));
        }
    }
    json_decref(accels);
}

void
import_options(struct importer *importer)
{
    drop(importer);
    take_accels(importer);
    take_plain(importer);
    take_smp(importer);
    take_memory(importer);
}
