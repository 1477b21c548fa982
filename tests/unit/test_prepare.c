#include "base/xalloc.h"
#include "qemu/argv.h"
#include "qemu/prepare.h"
#include "qemu/qcow2.h"
#include "qemu/seed.h"
#include "scratch.h"
#include "until.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

/* Images by the real qemu-img, in a directory of the test's own. */

struct world {
    uv_loop_t loop;
    char *dir;
    char *home; /* all guests' data */
    char *data; /* the guest's */
    bool is_done;
    struct error error; /* code NONE: it went well */
    char *words;
    char *steps; /* joined by "|" */
    char *note;
};

static int
set_up(void **state)
{
    struct world *world = xcalloc(1, sizeof(*world));
    uv_loop_init(&world->loop);
    world->dir = scratch_new();
    world->home = scratch_path(world->dir, "data");
    world->data = scratch_path(world->home, "n1");
    world->steps = xstrdup("");
    (void)umask(077);
    *state = world;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *world = *state;
    assert_true(until_closed(&world->loop));
    scratch_remove(world->dir);
    free(world->home);
    free(world->data);
    free(world->words);
    free(world->steps);
    free(world->note);
    free(world);
    return 0;
}

static void
on_step(void *data, const char *text)
{
    struct world *world = data;
    char *steps = xasprintf("%s|%s", world->steps, text);
    free(world->steps);
    world->steps = steps;
}

static void
on_note(void *data, const char *text)
{
    struct world *world = data;
    free(world->note);
    world->note = xstrdup(text);
}

static void
on_done(void *data, const struct error *error, const json_t *words)
{
    struct world *world = data;
    assert_false(world->is_done);
    world->is_done = true;
    world->error = error ? *error : (struct error){0};
    free(world->words);
    world->words = words ? json_dumps(words, 0) : NULL;
}

static const struct prepare_handlers handlers = {
    .on_step = on_step,
    .on_note = on_note,
    .on_done = on_done,
};

static bool
is_done(void *data)
{
    return ((struct world *)data)->is_done;
}

static struct spec *
make_spec(const struct world *world, const char *text)
{
    json_t *entry = json_loads(text, 0, NULL);
    assert_non_null(entry);
    struct error error = {0};
    struct spec *spec = spec_from_json("n1", entry, world->dir, &error);
    if (!spec)
        fail_msg("%s: %s", text, error.text);
    json_decref(entry);
    return spec;
}

/* Prepares a guest of these disks; false with world->error. */
static bool
prepare(struct world *world, const char *text)
{
    struct spec *spec = make_spec(world, text);
    assert_true(prepare_is_needed(spec));
    world->is_done = false;
    (void)prepare_begin(&world->loop, spec, world->data, world->home, &handlers,
                        world);
    spec_free(spec); /* it has a copy */
    assert_true(run_until(&world->loop, is_done, world));
    return world->error.code == ERROR_CODE_NONE;
}

static void
put_image(const struct world *world, const char *name, const char *arguments)
{
    char *path = scratch_path(world->dir, name);
    char *made = scratch_path(world->dir, "made");
    char *command = xasprintf("qemu-img create -q %s %s 1M", arguments, made);
    /* NOLINTNEXTLINE(cert-env33-c): the test's own command */
    assert_int_equal(system(command), 0);
    assert_int_equal(rename(made, path), 0);
    free(command);
    free(made);
    free(path);
}

static struct qcow2_header
header_of(const struct world *world, const char *name)
{
    char *path = scratch_path(world->data, name);
    struct qcow2_header header = {0};
    struct error error = {0};
    if (!qcow2_read_header(path, &header, &error))
        fail_msg("%s", error.text);
    free(path);
    return header;
}

static size_t
count_files(const char *path)
{
    DIR *dir = opendir(path);
    size_t count = 0;
    if (!dir)
        return 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
    (void)closedir(dir);
    return count;
}

static void
overlays_and_empty_disks_are_made_once(void **state)
{
    struct world *world = *state;
    put_image(world, "a, 'b' $(x).img", "-f qcow2");
    static const char text[] =
        "{\"disks\":[{\"base\":\"a, 'b' $(x).img\",\"size\":\"20G\"},"
        "{\"size\":\"3M\",\"name\":\"extra\"},{\"base\":\"a, 'b' $(x).img\"}]}";
    if (!prepare(world, text))
        fail_msg("%s %s", world->error.text, world->words);
    assert_string_equal(world->steps, "|looking for its disks|making disk0|"
                                      "making extra|making disk2");
    assert_int_equal(count_files(world->data), 3);
    struct qcow2_header header = header_of(world, "disk0.qcow2");
    char *base = scratch_path(world->dir, "a, 'b' $(x).img");
    assert_string_equal(header.backing, base);
    assert_string_equal(header.backing_format, "qcow2"); /* written down */
    assert_true(header.virtual_bytes == UINT64_C(20) << 30);
    qcow2_header_finish(&header);
    header = header_of(world, "extra.qcow2");
    assert_null(header.backing);
    assert_true(header.virtual_bytes == 3 << 20);
    qcow2_header_finish(&header);
    header = header_of(world, "disk2.qcow2");
    assert_true(header.virtual_bytes == 1 << 20);
    qcow2_header_finish(&header);
    struct stat before;
    struct stat after;
    char *path = scratch_path(world->data, "disk0.qcow2");
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(before.st_mode & 0777, 0600);
    assert_true(prepare(world, text));
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino == after.st_ino);
    assert_null(world->note);
    free(path);
    free(base);
}

static void
a_raw_base_is_found_out(void **state)
{
    struct world *world = *state;
    put_image(world, "base.img", "-f raw");
    assert_true(prepare(world, "{\"disks\":[{\"base\":\"base.img\"}]}"));
    struct qcow2_header header = header_of(world, "disk0.qcow2");
    assert_string_equal(header.backing_format, "raw");
    qcow2_header_finish(&header);
}

static void
what_cannot_be_made_is_told(void **state)
{
    struct world *world = *state;
    put_image(world, "base.img", "-f raw");
    static const struct {
        const char *disks;
        const char *message; /* a part of it */
        const char *words;   /* of qemu-img's */
    } rows[] = {
        {"[{\"base\":\"nowhere.img\"}]", "nowhere.img: No such file", NULL},
        {"[{\"base\":\"base.img\",\"size\":\"64K\"}]",
         "cannot make disk0: its size 64K is less than that of its base ",
         NULL},
        {"[{\"base\":\"base.img\",\"format\":\"qcow2\"}]",
         "cannot make disk0: qemu-img exited with status 1",
         "Image is not in qcow2 format"},
        {"[{\"base\":\"data\"}]", "cannot make disk0: qemu-img exited",
         "to be a regular file"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *text = xasprintf("{\"disks\":%s}", rows[i].disks);
        assert_false(prepare(world, text));
        if (!strstr(world->error.text, rows[i].message))
            fail_msg("%s: %s", rows[i].disks, world->error.text);
        if (rows[i].words && !strstr(world->words, rows[i].words))
            fail_msg("%s: %s", rows[i].disks, world->words);
        assert_int_equal(count_files(world->data), 0);
        free(text);
    }
}

static void
what_is_there_is_never_taken_for_what_it_is_not(void **state)
{
    struct world *world = *state;
    put_image(world, "one.img", "-f raw");
    put_image(world, "two.img", "-f raw");
    assert_true(prepare(world, "{\"disks\":[{\"base\":\"one.img\"}]}"));
    /* Another base: the image stays, the guest does not start. */
    assert_false(prepare(world, "{\"disks\":[{\"base\":\"two.img\"}]}"));
    assert_non_null(strstr(world->error.text, "guestmux disk reset n1 disk0"));
    assert_false(prepare(world, "{\"disks\":[{\"size\":\"1M\"}]}"));
    /* The same file by another path is the same base. */
    char *link = scratch_path(world->dir, "link.img");
    assert_int_equal(symlink("one.img", link), 0);
    assert_true(prepare(world, "{\"disks\":[{\"base\":\"link.img\"}]}"));
    free(link);
    /* A link out of the directory is no image of ours. */
    char *path = scratch_path(world->data, "disk1.qcow2");
    char *own = scratch_path(world->dir, "two.img");
    assert_int_equal(symlink(own, path), 0);
    assert_false(prepare(world, "{\"disks\":[\"one.img\",{\"size\":\"1M\"}]}"));
    assert_non_null(strstr(world->error.text, "disk0.qcow2 lies over that"));
    put_image(world, "three.img", "-f raw");
    assert_false(
        prepare(world, "{\"disks\":[\"three.img\",{\"size\":\"1M\"}]}"));
    assert_non_null(strstr(world->error.text, "a symbolic link"));
    assert_int_equal(access(own, F_OK), 0);
    free(own);
    free(path);
    /* Neither is another guest's disk a base. */
    assert_false(prepare(
        world,
        "{\"disks\":[{\"base\":\"data/n1/disk0.qcow2\",\"name\":\"x\"}]}"));
    assert_non_null(strstr(world->error.text, "the disk of a guest"));
}

static void
another_size_is_told_and_left(void **state)
{
    struct world *world = *state;
    assert_true(prepare(world, "{\"disks\":[{\"size\":\"1M\"}]}"));
    assert_true(prepare(world, "{\"disks\":[{\"size\":\"2M\"}]}"));
    assert_string_equal(world->note,
                        "disk0 has 1M and stays so, though its definition says "
                        "2M; `guestmux disk resize n1 disk0 2M` makes it grow");
}

static void
half_an_image_is_never_found(void **state)
{
    struct world *world = *state;
    put_image(world, "base.img", "-f raw");
    /* What a server left that was killed. */
    assert_true(prepare(world, "{\"disks\":[{\"size\":\"1M\"}]}"));
    char *half = scratch_path(world->data, ".making-abcdef");
    scratch_write(half, "QFI\xfb", 4);
    free(half);
    struct spec *spec = make_spec(
        world, "{\"disks\":[{\"size\":\"1M\"},{\"base\":\"base.img\"}]}");
    struct prepare *job = prepare_begin(&world->loop, spec, world->data,
                                        world->home, &handlers, world);
    while (!strstr(world->steps, "making disk1"))
        uv_run(&world->loop, UV_RUN_ONCE);
    prepare_cancel(job);
    spec_free(spec);
    uv_run(&world->loop, UV_RUN_DEFAULT);          /* qemu-img's end */
    assert_int_equal(count_files(world->data), 1); /* disk0 */
    /* And called off in its thread. */
    world->is_done = false;
    spec = make_spec(world, "{\"disks\":[{\"base\":\"base.img\"}]}");
    job = prepare_begin(&world->loop, spec, world->data, world->home, &handlers,
                        world);
    prepare_cancel(job);
    spec_free(spec);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_false(world->is_done);
    assert_true(prepare(
        world, "{\"disks\":[{\"size\":\"1M\"},{\"base\":\"base.img\"}]}"));
    assert_int_equal(count_files(world->data), 2);
}

static void
without_qemu_img_it_is_told(void **state)
{
    struct world *world = *state;
    char *path = xstrdup(getenv("PATH"));
    assert_int_equal(setenv("PATH", world->dir, 1), 0);
    assert_false(prepare(world, "{\"disks\":[{\"size\":\"1M\"}]}"));
    assert_int_equal(setenv("PATH", path, 1), 0);
    free(path);
    assert_non_null(strstr(world->error.text, "qemu-img"));
    assert_int_equal(count_files(world->data), 0);
}

/* Seeds -------------------------------------------------------------------- */

/* One file of an ISO image, zero-terminated; NULL: it has none such. */
static char *
read_member(const char *path, const char *name)
{
    struct archive *archive = archive_read_new();
    struct archive_entry *entry = NULL;
    char *text = NULL;
    archive_read_support_format_iso9660(archive);
    assert_int_equal(archive_read_open_filename(archive, path, 2048), 0);
    while (!text && archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
        if (strcmp(archive_entry_pathname(entry), name) != 0)
            continue;
        size_t len = (size_t)archive_entry_size(entry);
        text = xcalloc(1, len + 1);
        assert_int_equal(archive_read_data(archive, text, len), len);
    }
    archive_read_free(archive);
    return text;
}

static void
seed_is_a_private_iso_image_called_cidata(void **state)
{
    struct world *world = *state;
    assert_true(prepare(world, "{\"cloud-init\":{\"password\":\"geheim\","
                               "\"network-config\":{\"version\":2}}}"));
    assert_string_equal(world->steps, "|making its seed");
    char *path = argv_seed_path(world->data);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    unsigned char bytes[6 * 2048];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(fd, bytes, sizeof(bytes), 16 * 2048), sizeof(bytes));
    (void)close(fd);
    /* ECMA-119: the primary descriptor's volume identifier. */
    assert_memory_equal(bytes, "\1CD001", 6);
    assert_memory_equal(bytes + 40, "cidata  ", 8);
    /* Joliet: a supplementary descriptor with UCS-2's escape. */
    bool has_joliet = false;
    for (size_t at = 0; at < sizeof(bytes); at += 2048)
        has_joliet = has_joliet || (bytes[at] == 2 && bytes[at + 88] == '%' &&
                                    bytes[at + 89] == '/');
    assert_true(has_joliet);
    /* Rock Ridge: names with small letters and a hyphen. */
    char *meta = read_member(path, "meta-data");
    assert_non_null(strstr(meta, "iid-n1-"));
    char *user = read_member(path, "user-data");
    assert_null(strstr(user, "geheim"));
    assert_non_null(strstr(user, "$6$"));
    char *network = read_member(path, "network-config");
    assert_non_null(network);
    assert_null(read_member(path, "vendor-data"));
    /* The id stays; a new one is asked for. */
    assert_true(prepare(world, "{\"cloud-init\":{}}"));
    char *again = read_member(path, "meta-data");
    assert_string_equal(meta, again);
    char *renewed = seed_new_instance_id(world->data, "n1", NULL);
    assert_null(strstr(meta, renewed));
    assert_true(prepare(world, "{\"cloud-init\":{}}"));
    free(again);
    again = read_member(path, "meta-data");
    assert_non_null(strstr(again, renewed));
    free(renewed);
    free(again);
    free(network);
    free(user);
    free(meta);
    free(path);
}

static void
seed_replaces_a_link_and_not_what_it_points_to(void **state)
{
    struct world *world = *state;
    char *other = scratch_path(world->dir, "other");
    scratch_write(other, "kept", 4);
    assert_true(prepare(world, "{\"cloud-init\":{}}"));
    char *path = argv_seed_path(world->data);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(other, path), 0);
    assert_true(prepare(world, "{\"cloud-init\":{}}"));
    struct stat info;
    assert_int_equal(stat(other, &info), 0);
    assert_int_equal(info.st_size, 4);
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISREG(info.st_mode));
    assert_int_equal(count_files(world->data), 2); /* seed, instance-id */
    free(path);
    free(other);
}

/* A process that may write no large files stands for a disk without room. */
static void
a_seed_without_room_leaves_nothing_and_says_why(void **state)
{
    struct world *world = *state;
    struct rlimit limit;
    assert_int_equal(mkdir(world->home, 0700), 0);
    assert_int_equal(mkdir(world->data, 0700), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    struct rlimit small = {4096, limit.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    struct spec *spec = make_spec(world, "{\"cloud-init\": {}}");
    struct error error = {0};
    char *path = argv_seed_path(world->data);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool ok = seed_make(spec, "id", path, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_false(ok);
    if (!strstr(error.text, "File too large"))
        fail_msg("%s", error.text);
    assert_int_equal(count_files(world->data), 0);
    free(path);
    spec_free(spec);
}

static void
a_mistake_in_user_data_leaves_the_old_seed(void **state)
{
    struct world *world = *state;
    assert_true(prepare(world, "{\"cloud-init\":{}}"));
    assert_false(prepare(
        world, "{\"cloud-init\":{\"user-data\":\"#cloud-config\\na: b: c\"}}"));
    assert_non_null(strstr(world->error.text, "2:5: mapping values"));
    assert_int_equal(count_files(world->data), 2);
}

/* Headers ------------------------------------------------------------------ */

static void
broken_headers_are_refused(void **state)
{
    struct world *world = *state;
    assert_true(prepare(world, "{\"disks\":[{\"size\":\"1M\"}]}"));
    char *path = scratch_path(world->data, "disk0.qcow2");
    unsigned char good[65536];
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, good, sizeof(good), 0), sizeof(good));
    /* Every field of the header as each of these; nothing may crash. */
    static const unsigned char values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    for (size_t at = 0; at < 112; at++) {
        for (size_t i = 0; i < sizeof(values); i++) {
            struct qcow2_header header = {0};
            assert_int_equal(pwrite(fd, &values[i], 1, (off_t)at), 1);
            if (qcow2_read_header(path, &header, NULL))
                qcow2_header_finish(&header);
        }
        assert_int_equal(pwrite(fd, good + at, 1, (off_t)at), 1);
    }
    for (off_t len = 0; len < 120; len++) {
        struct qcow2_header header = {0};
        assert_int_equal(ftruncate(fd, len), 0);
        if (qcow2_read_header(path, &header, NULL))
            qcow2_header_finish(&header);
    }
    (void)close(fd);
    assert_false(prepare(world, "{\"disks\":[{\"size\":\"1M\"}]}"));
    free(path);
}

static void
names_of_backing_files_are_paths_or_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *path; /* NULL: none */
    } rows[] = {
        {"/a/b.img", "/a/b.img"},
        {"b.img", "/d/b.img"},
        {"../b.img", "/d/../b.img"},
        {"file:b.img", "/d/b.img"},
        {"file:/x", "/x"},
        {"json:{\"driver\":\"raw\"}", NULL},
        {"nbd://host/x", NULL},
        {"nbd:unix:/s", NULL},
        {"./a:b.img", "/d/./a:b.img"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *name = xstrdup(rows[i].name);
        struct qcow2_header header = {.backing = name};
        char *path = qcow2_backing_path("/d/top.qcow2", &header);
        if (rows[i].path)
            assert_string_equal(path, rows[i].path);
        else
            assert_null(path);
        free(path);
        free(name);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(overlays_and_empty_disks_are_made_once),
        TEST(a_raw_base_is_found_out),
        TEST(what_cannot_be_made_is_told),
        TEST(what_is_there_is_never_taken_for_what_it_is_not),
        TEST(another_size_is_told_and_left),
        TEST(half_an_image_is_never_found),
        TEST(without_qemu_img_it_is_told),
        TEST(seed_is_a_private_iso_image_called_cidata),
        TEST(seed_replaces_a_link_and_not_what_it_points_to),
        TEST(a_seed_without_room_leaves_nothing_and_says_why),
        TEST(a_mistake_in_user_data_leaves_the_old_seed),
        TEST(broken_headers_are_refused),
        cmocka_unit_test(names_of_backing_files_are_paths_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
