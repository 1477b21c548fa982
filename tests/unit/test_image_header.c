#include "base/xalloc.h"
#include "qemu/disk-facts.h"
#include "qemu/image-header.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

/* Images as the real qemu-img makes and describes them. */

static char *directory;

static int
set_up(void **state)
{
    (void)state;
    directory = scratch_new();
    return chdir(directory);
}

static int
tear_down(void **state)
{
    (void)state;
    int failed = chdir("/");
    scratch_remove(directory);
    return failed;
}

/* What a command prints. The caller frees it. */
static char *
output_of(const char *command)
{
    char *text = xcalloc(1, 65536);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t len = fread(text, 1, 65535, pipe);
    text[len] = '\0';
    if (pclose(pipe) != 0)
        fail_msg("%s", command);
    return text;
}

/* Images by the words of `qemu-img create`; said: what is said of the format;
 * each lies in the scratch directory. */
static const struct {
    const char *words;
    const char *file;
    const char *said;
} rows[] = {
    {"-f raw a.img 7M", "a.img", NULL},
    {"-f raw b.img 7M", "b.img", "raw"},
    {"-f qcow2 a.qcow2 100M", "a.qcow2", NULL},
    {"-f qcow2 -o compat=0.10 b.qcow2 1T", "b.qcow2", "qcow2"},
    {"-f qcow a.qcow 100M", "a.qcow", NULL},
    {"-f qed a.qed 100M", "a.qed", NULL},
    {"-f vdi a.vdi 100M", "a.vdi", NULL},
    {"-f vdi -o static=on b.vdi 5M", "b.vdi", "vdi"},
    {"-f vhdx a.vhdx 100M", "a.vhdx", NULL},
    {"-f vhdx -o block_size=1M,subformat=fixed b.vhdx 5M", "b.vhdx", "vhdx"},
    {"-f parallels a.hdd 100M", "a.hdd", NULL},
    {"-f vpc a.vhd 100M", "a.vhd", NULL},
    {"-f vpc -o force_size=on b.vhd 100M", "b.vhd", NULL},
    {"-f vpc -o subformat=fixed c.vhd 5M", "c.vhd", "vpc"},
    {"-f vmdk a.vmdk 100M", "a.vmdk", NULL},
    {"-f vmdk -o subformat=streamOptimized b.vmdk 100M", "b.vmdk", "vmdk"},
    {"-f vmdk -o subformat=monolithicFlat c.vmdk 5M", "c.vmdk", NULL},
    {"-f vmdk -o subformat=twoGbMaxExtentSparse d.vmdk 5G", "d.vmdk", NULL},
    {"-f luks --object secret,id=s,data=x -o key-secret=s,iter-time=10 a.luks "
     "4M",
     "a.luks", NULL},
    {"-f qcow2 -b a.vmdk -F vmdk c.qcow2", "c.qcow2", NULL},
    {"-f qed -b a.qcow2 -F qcow2 b.qed", "b.qed", NULL},
    {"-f qed -b a.img -F raw c.qed", "c.qed", NULL},
    {"-f qcow -b a.img -F raw b.qcow", "b.qcow", NULL},
    {"-f vmdk -b a.vmdk -F vmdk e.vmdk", "e.vmdk", NULL},
};

static void
sizes_and_chains_are_those_that_qemu_img_tells(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *said = rows[i].said;
        char *make = xasprintf("qemu-img create -q %s", rows[i].words);
        free(output_of(make));
        char *ask =
            xasprintf("qemu-img info --output=json %s%s %s", said ? "-f " : "",
                      said ? said : "", rows[i].file);
        char *told = output_of(ask);
        json_t *facts = json_loads(told, 0, NULL);
        struct image_header header = {0};
        char *path = xasprintf("%s/%s", directory, rows[i].file);
        if (!image_header_read(path, said, &header))
            fail_msg("%s", rows[i].words);
        assert_string_equal(
            header.format, json_string_value(json_object_get(facts, "format")));
        assert_int_equal(
            header.virtual_bytes,
            json_integer_value(json_object_get(facts, "virtual-size")));
        const char *below =
            json_string_value(json_object_get(facts, "backing-filename"));
        char *backing = image_header_backing_path(path, &header);
        if (below) {
            char *wanted = xasprintf("%s/%s", directory, below);
            assert_string_equal(backing, wanted);
            free(wanted);
        } else {
            assert_null(backing);
        }
        image_header_finish(&header);
        json_decref(facts);
        free(backing);
        free(path);
        free(told);
        free(ask);
        free(make);
    }
}

static void
what_is_not_what_it_is_said_to_be_is_not_read(void **state)
{
    static const char *const pairs[][2] = {
        {"a.qcow2", "vmdk"}, {"a.img", "qcow2"}, {"a.vdi", "vhdx"},
        {"a.img", "vpc"},    {"none", "raw"},    {".", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct image_header header = {0};
        assert_false(image_header_read(pairs[i][0], pairs[i][1], &header));
        assert_null(header.format);
        assert_int_equal(disk_virtual_bytes(pairs[i][0], pairs[i][1]), 0);
    }
}

/* Every image cut short, and with bytes of its headers made 0 and 255: each one
 * of the first, where most of what is read stands, and every fifth behind. */
static void
broken_headers_are_read_without_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char bytes[4096];
        FILE *file = fopen(rows[i].file, "rb");
        assert_non_null(file);
        size_t len = fread(bytes, 1, sizeof(bytes), file);
        (void)fclose(file);
        for (size_t at = 0; at < len && at < 700; at += at < 128 ? 1 : 5) {
            for (int kind = 0; kind < 3; kind++) {
                char old = bytes[at];
                bytes[at] = kind == 1 ? 0 : kind == 2 ? (char)0xFF : old;
                file = fopen("broken", "wb");
                assert_non_null(file);
                size_t wanted = kind == 0 ? at : len;
                assert_int_equal(fwrite(bytes, 1, wanted, file), wanted);
                (void)fclose(file);
                bytes[at] = old;
                struct image_header header = {0};
                if (image_header_read("broken", NULL, &header))
                    image_header_finish(&header);
            }
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_chains_are_those_that_qemu_img_tells),
        cmocka_unit_test(what_is_not_what_it_is_said_to_be_is_not_read),
        cmocka_unit_test(broken_headers_are_read_without_harm),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
