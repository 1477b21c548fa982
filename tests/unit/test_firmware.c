#include "base/xalloc.h"
#include "qemu/argv.h"
#include "qemu/firmware.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two directories of descriptors, the second more special, and the files that
 * the descriptors name. */
struct fixture {
    char *directory;
    char *general;
    char *special;
};

static int
setup(void **state)
{
    struct fixture *fixture = xcalloc(1, sizeof(*fixture));
    fixture->directory = scratch_new();
    fixture->general = scratch_path(fixture->directory, "general");
    fixture->special = scratch_path(fixture->directory, "special");
    assert_int_equal(mkdir(fixture->general, 0700), 0);
    assert_int_equal(mkdir(fixture->special, 0700), 0);
    static const char *const files[] = {"code.fd", "vars.fd", "code.sb.fd",
                                        "vars.sb.fd"};
    for (size_t i = 0; i < 4; i++) {
        char *path = scratch_path(fixture->directory, files[i]);
        scratch_write(path, "x", 1);
        free(path);
    }
    *state = fixture;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *fixture = *state;
    scratch_remove(fixture->directory);
    free(fixture->general);
    free(fixture->special);
    free(fixture);
    return 0;
}

/* Writes a descriptor. where: "general/50-x.json"; machines and features: the
 * inside of a JSON array; code, vars: names in the directory. */
static void
describe(const struct fixture *fixture, const char *where, const char *machines,
         const char *features, const char *code, const char *vars)
{
    char *path = scratch_path(fixture->directory, where);
    char *text = xasprintf(
        "{\"interface-types\":[\"uefi\"],\"mapping\":{\"device\":\"flash\","
        "\"executable\":{\"filename\":\"%s/%s\",\"format\":\"raw\"},"
        "\"nvram-template\":{\"filename\":\"%s/%s\",\"format\":\"raw\"}},"
        "\"targets\":[{\"architecture\":\"x86_64\",\"machines\":[%s]}],"
        "\"features\":[%s]}",
        fixture->directory, code, fixture->directory, vars, machines, features);
    scratch_write(path, text, strlen(text));
    free(text);
    free(path);
}

static void
write_raw(const struct fixture *fixture, const char *where, const char *text)
{
    char *path = scratch_path(fixture->directory, where);
    scratch_write(path, text, strlen(text));
    free(path);
}

/* The name of the descriptor that is found, after the directory, or the error's
 * text. The caller frees it. */
static char *
find(const struct fixture *fixture, const char *name, const char *arch,
     const char *machine)
{
    const char *const directories[] = {fixture->general, fixture->special,
                                       NULL};
    struct firmware_query query = {name, arch, machine, directories};
    struct firmware firmware = {0};
    struct error error = {0};
    if (!firmware_find(&query, &firmware, &error))
        return xstrdup(error.text);
    assert_int_equal(error.code, ERROR_CODE_NONE);
    char *found = xstrdup(firmware.descriptor + strlen(fixture->directory) + 1);
    firmware_finish(&firmware);
    return found;
}

static void
assert_found(const struct fixture *fixture, const char *name,
             const char *machine, const char *wanted)
{
    char *found = find(fixture, name, "x86_64", machine);
    if (wanted)
        assert_string_equal(found, wanted);
    else
        assert_non_null(strstr(found, "no firmware"));
    free(found);
}

#define Q35 "\"pc-q35-*\""

static void
the_first_by_name_of_all_directories_is_taken(void **state)
{
    const struct fixture *fixture = *state;
    describe(fixture, "general/60-b.json", Q35, "", "code.fd", "vars.fd");
    assert_found(fixture, "uefi", "q35", "general/60-b.json");
    describe(fixture, "special/70-c.json", Q35, "", "code.fd", "vars.fd");
    assert_found(fixture, "uefi", "q35", "general/60-b.json");
    describe(fixture, "special/50-a.json", Q35, "", "code.fd", "vars.fd");
    assert_found(fixture, "uefi", "q35", "special/50-a.json");
}

static void
a_special_file_hides_a_general_one_of_its_name(void **state)
{
    const struct fixture *fixture = *state;
    describe(fixture, "general/60-b.json", Q35, "", "code.fd", "vars.fd");
    describe(fixture, "special/60-b.json", Q35, "", "code.fd", "vars.fd");
    assert_found(fixture, "uefi", "q35", "special/60-b.json");
    /* One that does not fit hides it all the same. */
    describe(fixture, "special/60-b.json", "\"microvm\"", "", "code.fd",
             "vars.fd");
    assert_found(fixture, "uefi", "q35", NULL);
    write_raw(fixture, "special/60-b.json", "");
    assert_found(fixture, "uefi", "q35", NULL);
}

static void
features_tell_the_variants_apart(void **state)
{
    const struct fixture *fixture = *state;
    describe(fixture, "general/40-e.json", Q35,
             "\"secure-boot\",\"enrolled-keys\",\"requires-smm\"", "code.sb.fd",
             "vars.sb.fd");
    describe(fixture, "general/50-s.json", Q35,
             "\"secure-boot\",\"requires-smm\"", "code.sb.fd", "vars.fd");
    describe(fixture, "general/60-n.json", Q35, "\"acpi-s3\"", "code.fd",
             "vars.fd");
    assert_found(fixture, "uefi", "q35", "general/60-n.json");
    assert_found(fixture, "uefi-secure", "q35", "general/40-e.json");
    assert_found(fixture, "uefi-secure-setup", "q35", "general/50-s.json");
}

static void
machines_are_known_by_their_aliases_too(void **state)
{
    const struct fixture *fixture = *state;
    describe(fixture, "general/10-i.json", "\"pc-i440fx-*\"", "", "code.fd",
             "vars.fd");
    describe(fixture, "general/20-q.json", Q35, "", "code.fd", "vars.fd");
    assert_found(fixture, "uefi", "pc", "general/10-i.json");
    assert_found(fixture, "uefi", "q35,smm=off", "general/20-q.json");
    assert_found(fixture, "uefi", "type=q35", "general/20-q.json");
    assert_found(fixture, "uefi", "pc-q35-7.2", "general/20-q.json");
    assert_found(fixture, "uefi", "microvm", NULL);
    char *found = find(fixture, "uefi", "aarch64", "virt");
    assert_non_null(strstr(found, "no firmware \"uefi\" (UEFI) for aarch64's "
                                  "machine virt among QEMU's descriptors"));
    assert_non_null(strstr(found, "qemu-efi-aarch64"));
    free(found);
}

static void
what_cannot_be_used_is_passed_over_and_named(void **state)
{
    const struct fixture *fixture = *state;
    write_raw(fixture, "general/10-broken.json", "{");
    write_raw(fixture, "general/11-odd.json", "[1]");
    write_raw(fixture, "general/readme.txt", "no descriptor");
    describe(fixture, "general/20-gone.json", Q35, "", "code.fd", "gone.fd");
    char *found = find(fixture, "uefi", "x86_64", "q35");
    assert_non_null(strstr(found, "10-broken.json is no descriptor: "));
    assert_non_null(strstr(found, "20-gone.json names a file that cannot be "
                                  "read: "));
    free(found);
    describe(fixture, "general/30-whole.json", Q35, "", "code.fd", "vars.fd");
    assert_found(fixture, "uefi", "q35", "general/30-whole.json");
}

static void
memory_and_stateless_firmware_has_no_store(void **state)
{
    const struct fixture *fixture = *state;
    char *text = xasprintf(
        "{\"interface-types\":[\"uefi\"],\"mapping\":{\"device\":\"memory\","
        "\"filename\":\"%s/code.fd\"},\"targets\":[{\"architecture\":"
        "\"x86_64\",\"machines\":[\"*\"]}],\"features\":[]}",
        fixture->directory);
    write_raw(fixture, "general/10-m.json", text);
    free(text);
    const char *const directories[] = {fixture->general, NULL};
    struct firmware_query query = {"uefi", "x86_64", NULL, directories};
    struct firmware firmware = {0};
    struct error error = {0};
    assert_true(firmware_find(&query, &firmware, &error));
    assert_int_equal(firmware.device, FIRMWARE_DEVICE_MEMORY);
    assert_null(firmware.vars);
    firmware_finish(&firmware);
    text = xasprintf(
        "{\"interface-types\":[\"uefi\"],\"mapping\":{\"device\":\"flash\","
        "\"mode\":\"stateless\",\"executable\":{\"filename\":\"%s/code.fd\","
        "\"format\":\"qcow2\"}},\"targets\":[{\"architecture\":\"x86_64\","
        "\"machines\":[\"*\"]}],\"features\":[]}",
        fixture->directory);
    write_raw(fixture, "general/10-m.json", text);
    free(text);
    assert_true(firmware_find(&query, &firmware, &error));
    assert_int_equal(firmware.device, FIRMWARE_DEVICE_FLASH);
    assert_string_equal(firmware.code_format, "qcow2");
    assert_null(firmware.vars);
    firmware_finish(&firmware);
}

static struct spec *
make_spec(const char *text)
{
    json_t *entry = json_loads(text, 0, NULL);
    struct error error = {0};
    struct spec *spec = spec_from_json("n1", entry, "/f", &error);
    if (!spec)
        fail_msg("%s", error.text);
    json_decref(entry);
    return spec;
}

/* One file with code and variables: the guest's copy of it is all its flash. */
static void
combined_firmware_is_copied_whole(void **state)
{
    const struct fixture *fixture = *state;
    char *text = xasprintf(
        "{\"interface-types\":[\"uefi\"],\"mapping\":{\"device\":\"flash\","
        "\"mode\":\"combined\",\"executable\":{\"filename\":\"%s/code.fd\","
        "\"format\":\"raw\"}},\"targets\":[{\"architecture\":\"x86_64\","
        "\"machines\":[" Q35 "]}],\"features\":[]}",
        fixture->directory);
    char *config = scratch_path(fixture->directory, "config");
    static const char *const below[] = {"config", "config/qemu",
                                        "config/qemu/firmware"};
    for (size_t i = 0; i < 3; i++) {
        char *path = scratch_path(fixture->directory, below[i]);
        assert_int_equal(mkdir(path, 0700), 0);
        free(path);
    }
    write_raw(fixture, "config/qemu/firmware/00-one.json", text);
    free(text);
    assert_int_equal(setenv("XDG_CONFIG_HOME", config, 1), 0);
    struct spec *spec = make_spec("{\"firmware\":\"uefi\"}");
    struct firmware firmware = {0};
    struct error error = {0};
    if (!firmware_of_spec(spec, "/d/n1", &firmware, &error))
        fail_msg("%s", error.text);
    assert_true(firmware.is_combined);
    assert_string_equal(firmware.code, firmware.vars);
    assert_string_equal(firmware.vars_format, "raw");
    assert_int_equal(strncmp(firmware.store, "/d/n1/code-", 11), 0);
    char *store = xstrdup(firmware.store);
    firmware_finish(&firmware);
    const char *const logs[] = {"/d/n1/ttyS0.log"};
    struct argv_runtime runtime = {
        .data_dir = "/d/n1", .logs = logs, .log_count = 1};
    char **argv = argv_export(spec, &runtime, &error);
    if (!argv)
        fail_msg("%s", error.text);
    assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
    char *wanted = xasprintf("if=pflash,unit=0,format=qcow2,file=%s", store);
    size_t flashes = 0;
    size_t at = 0;
    for (size_t i = 0; argv[i]; i++) {
        if (strstr(argv[i], "if=pflash")) {
            flashes++;
            at = i;
        }
    }
    assert_int_equal(flashes, 1);
    assert_string_equal(argv[at], wanted);
    free(wanted);
    free(store);
    argv_free(argv);
    spec_free(spec);
    free(config);
}

static void
each_template_has_a_store_of_its_own(void **state)
{
    (void)state;
    static const char *const templates[] = {"a/vars.fd", "b/vars.fd"};
    char *stores[2] = {NULL};
    for (size_t i = 0; i < 2; i++) {
        char *text = xasprintf("{\"firmware\":{\"code\":\"c.fd\",\"vars\":"
                               "\"%s\"}}",
                               templates[i]);
        struct spec *spec = make_spec(text);
        struct firmware firmware = {0};
        assert_true(firmware_of_spec(spec, "/d/n1", &firmware, NULL));
        assert_string_equal(firmware.store_format, "qcow2");
        assert_string_equal(firmware.code, "/f/c.fd");
        stores[i] = xstrdup(firmware.store);
        assert_int_equal(strncmp(stores[i], "/d/n1/vars-", 11), 0);
        firmware_finish(&firmware);
        spec_free(spec);
        free(text);
    }
    assert_string_not_equal(stores[0], stores[1]);
    free(stores[0]);
    free(stores[1]);
}

static void
a_store_of_the_users_is_used_as_it_is(void **state)
{
    (void)state;
    struct spec *spec = make_spec(
        "{\"firmware\":{\"code\":\"/c.qcow2\",\"store\":\"my-vars.fd\"}}");
    struct firmware firmware = {0};
    assert_true(firmware_of_spec(spec, "/d/n1", &firmware, NULL));
    assert_string_equal(firmware.code_format, "qcow2");
    assert_string_equal(firmware.store, "/f/my-vars.fd");
    assert_string_equal(firmware.store_format, "raw");
    assert_null(firmware.vars);
    firmware_finish(&firmware);
    spec_free(spec);
}

/* What Debian ships, where it is installed. */
static void
the_distributions_descriptors_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *descriptor;
        const char *name;
        const char *arch;
        const char *machine;
        bool requires_smm;
    } rows[] = {
        {"/usr/share/qemu/firmware/60-edk2-x86_64.json", "uefi", "x86_64",
         "q35", false},
        {"/usr/share/qemu/firmware/40-edk2-x86_64-secure-enrolled.json",
         "uefi-secure", "x86_64", "q35", true},
        {"/usr/share/qemu/firmware/60-edk2-aarch64.json", "uefi", "aarch64",
         "virt", false},
    };
    size_t tried = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        static const char *const directories[] = {"/usr/share/qemu/firmware",
                                                  NULL};
        if (access(rows[i].descriptor, R_OK) < 0)
            continue;
        struct firmware_query query = {rows[i].name, rows[i].arch,
                                       rows[i].machine, directories};
        struct firmware firmware = {0};
        struct error error = {0};
        if (!firmware_find(&query, &firmware, &error))
            fail_msg("%s", error.text);
        assert_string_equal(firmware.descriptor, rows[i].descriptor);
        assert_int_equal(firmware.requires_smm, rows[i].requires_smm);
        assert_non_null(firmware.vars);
        firmware_finish(&firmware);
        tried++;
    }
    if (!tried)
        skip();
}

int
main(void)
{
#define WITH_FIXTURE(test)                                                     \
    cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(the_first_by_name_of_all_directories_is_taken),
        WITH_FIXTURE(a_special_file_hides_a_general_one_of_its_name),
        WITH_FIXTURE(features_tell_the_variants_apart),
        WITH_FIXTURE(machines_are_known_by_their_aliases_too),
        WITH_FIXTURE(what_cannot_be_used_is_passed_over_and_named),
        WITH_FIXTURE(memory_and_stateless_firmware_has_no_store),
        WITH_FIXTURE(combined_firmware_is_copied_whole),
        cmocka_unit_test(each_template_has_a_store_of_its_own),
        cmocka_unit_test(a_store_of_the_users_is_used_as_it_is),
        cmocka_unit_test(the_distributions_descriptors_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
