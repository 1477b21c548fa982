#include "base/xalloc.h"
#include "qemu/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The names, each with a space behind it; NULL: there is no list. */
static char *
parse(enum names_kind kind, const char *text)
{
    struct names names = {0};
    if (!names_parse(kind, text, &names))
        return NULL;
    char *all = xstrdup("");
    for (size_t i = 0; i < names.count; i++) {
        char *longer = xasprintf("%s%s ", all, names.list[i]);
        free(all);
        all = longer;
    }
    names_finish(&names);
    return all;
}

static const struct {
    enum names_kind kind;
    const char *text;
    const char *names;
} rows[] = {
    {NAMES_MACHINES,
     "Supported machines are:\n"
     "microvm              microvm (i386)\n"
     "q35                  Standard PC (Q35 + ICH9, 2009) (alias of x)\n"
     "none                 empty machine\n",
     "microvm q35 none "},
    {NAMES_MACHINES, "qemu: a module is missing\nSupported machines are:\nvirt",
     "virt "},
    {NAMES_MACHINES, "Usage: qemu [options]\n-machine ...\n", NULL},
    {NAMES_MACHINES, "Supported machines are:\n", NULL},
    {NAMES_MACHINES, "", NULL},
    /* QEMU 7.2 for x86, and for others. */
    {NAMES_CPUS,
     "Available CPUs:\n"
     "x86 486                   (alias configured by machine type)\n"
     "x86 486-v1                \n"
     "x86 host                  processor with all supported host features\n"
     "\n"
     "Recognized CPUID flags:\n"
     "  3dnow aes\n",
     "486 486-v1 host "},
    {NAMES_CPUS, "Available CPUs:\n  a64fx\n  cortex-a72\n  max\n",
     "a64fx cortex-a72 max "},
    {NAMES_CPUS,
     "Available CPUs:\r\n  EPYC     (alias configured by machine type)\r\n"
     "\r\nRecognized CPUID flags:\r\n  aes\r\n",
     "EPYC "},
    {NAMES_CPUS, "Available CPUs:\nMIPS '4Kc'\nMIPS '24Kc'\n", "4Kc 24Kc "},
    {NAMES_DEVICES,
     "Controller/Bridge/Hub devices:\n"
     "name \"ich9-ahci\", bus PCI, alias \"ahci\"\n"
     "name \"pci-bridge\", bus PCI, desc \"Standard, alias \"\n"
     "\n"
     "USB devices:\n"
     "name \"usb-kbd\", bus usb-bus\n"
     "name \"cut",
     "ich9-ahci ahci pci-bridge usb-kbd cut "},
    {NAMES_DEVICES, "no such option\n", NULL},
    {NAMES_ACCELERATORS, "Accelerators supported in QEMU binary:\ntcg\nkvm\n",
     "tcg kvm "},
};

static void
names_are_found_in_qemus_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *got = parse(rows[i].kind, rows[i].text);
        if (rows[i].names)
            assert_string_equal(got ? got : "nothing", rows[i].names);
        else
            assert_null(got);
        free(got);
    }
}

static void
a_name_that_is_too_long_is_none(void **state)
{
    (void)state;
    char long_name[1024];
    memset(long_name, 'x', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = '\0';
    char *text = xasprintf("Supported machines are:\n%s\nq35 x\n", long_name);
    char *got = parse(NAMES_MACHINES, text);
    assert_string_equal(got, "q35 ");
    free(got);
    free(text);
}

static void
the_nearest_name_is_that_in_other_case_first(void **state)
{
    (void)state;
    struct names names = {0};
    assert_true(
        names_parse(NAMES_CPUS, "Available CPUs:\n epyd\n EPYC\n q35", &names));
    assert_string_equal(names_nearest(&names, "epyc"), "EPYC");
    assert_string_equal(names_nearest(&names, "q53"), "q35");
    assert_null(names_nearest(&names, "virt"));
    assert_true(names_has(&names, "EPYC"));
    assert_false(names_has(&names, "epyc"));
    names_finish(&names);
}

/* The QEMU of this machine. */
static void
a_real_qemu_tells_its_names(void **state)
{
    (void)state;
    static const char qemu[] = "/usr/bin/qemu-system-x86_64";
    static const struct {
        enum names_kind kind;
        const char *known;
        const char *unknown;
    } wanted[] = {
        {NAMES_MACHINES, "q35", "virt"},
        {NAMES_CPUS, "max", "Recognized"},
        {NAMES_DEVICES, "virtio-blk", "nothing"},
        {NAMES_ACCELERATORS, "tcg", "hvf"},
    };
    for (size_t i = 0; i < COUNT(wanted); i++) {
        struct names names = {0};
        struct error error = {0};
        if (!names_read(qemu, wanted[i].kind, &names, &error))
            fail_msg("%s", error.text);
        assert_true(names_has(&names, wanted[i].known));
        assert_false(names_has(&names, wanted[i].unknown));
        names_finish(&names);
    }
    assert_true(names_confirm_device(qemu, "ahci"));
    assert_false(names_confirm_device(qemu, "nothing"));
    struct names names = {0};
    struct error error = {0};
    assert_false(names_read("/nowhere/qemu", NAMES_CPUS, &names, &error));
    assert_int_equal(error.code, ERROR_CODE_IO);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_in_qemus_lists),
        cmocka_unit_test(a_name_that_is_too_long_is_none),
        cmocka_unit_test(the_nearest_name_is_that_in_other_case_first),
        cmocka_unit_test(a_real_qemu_tells_its_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
