#include "base/xalloc.h"
#include "fleet/size.h"
#include "fleet/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct spec *
read_spec(const char *text, struct error *error)
{
    json_error_t fault;
    json_t *entry = json_loads(text, 0, &fault);
    if (!entry)
        fail_msg("%s: %s", text, fault.text);
    struct spec *spec = spec_from_json("n1", entry, "/fleet", error);
    json_decref(entry);
    return spec;
}

static struct spec *
good_spec(const char *text)
{
    struct error error = {0};
    struct spec *spec = read_spec(text, &error);
    if (!spec)
        fail_msg("%s: %s", text, error.text);
    return spec;
}

static void
every_field_is_read(void **state)
{
    (void)state;
    struct spec *spec = good_spec(
        "{\"arch\":\"aarch64\",\"qemu\":\"./bin/qemu\",\"machine\":\"virt,"
        "gic-version=3\",\"accel\":\"tcg,thread=multi\",\"cpu\":\"max,sve=off\","
        "\"smp\":4,\"memory\":\"1.5G\",\"firmware\":\"edk2.fd\","
        "\"kernel\":\"/boot/vmlinuz\",\"initrd\":\"sub/initrd\","
        "\"append\":\"console=ttyAMA0 a=\\\"b c\\\"\","
        "\"disks\":[\"a.qcow2\",{\"file\":\"b.img\",\"format\":\"raw\","
        "\"interface\":\"nvme\",\"readonly\":true},\"c.iso\",\"d.img\"],"
        "\"nics\":[\"user\",{\"model\":\"e1000\",\"mac\":\"52:54:00:00:00:01\"},"
        "\"tap,ifname=t0\"],\"args\":[\"-S\",\"\"],\"history\":5,"
        "\"env\":{\"A\":\"1=2\",\"B\":\"\"},\"labels\":{\"role\":\"db\"}}");
    assert_int_equal(spec->kind, SPEC_KIND_QEMU);
    assert_string_equal(spec->arch, "aarch64");
    assert_string_equal(spec->qemu, "/fleet/bin/qemu");
    assert_string_equal(spec->machine, "virt,gic-version=3");
    assert_string_equal(spec->accel, "tcg,thread=multi");
    assert_string_equal(spec->cpu, "max,sve=off");
    assert_int_equal(spec->smp.cpus, 4);
    assert_true(spec->memory_bytes == UINT64_C(1536) << 20);
    assert_string_equal(spec->firmware, "edk2.fd");
    assert_string_equal(spec->kernel, "/boot/vmlinuz");
    assert_string_equal(spec->initrd, "/fleet/sub/initrd");
    assert_string_equal(spec->append, "console=ttyAMA0 a=\"b c\"");
    assert_int_equal(spec->disk_count, 4);
    assert_string_equal(spec->disks[0].file, "/fleet/a.qcow2");
    assert_string_equal(spec->disks[0].format, "qcow2");
    assert_string_equal(spec->disks[0].interface, "virtio");
    assert_false(spec->disks[0].is_readonly);
    assert_string_equal(spec->disks[1].format, "raw");
    assert_string_equal(spec->disks[1].interface, "nvme");
    assert_true(spec->disks[1].is_readonly);
    assert_string_equal(spec->disks[2].format, "raw");
    assert_null(spec->disks[3].format);
    assert_int_equal(spec->nic_count, 3);
    assert_true(spec->has_nics);
    assert_string_equal(spec->nics[0].type, "user");
    assert_string_equal(spec->nics[1].model, "e1000");
    assert_string_equal(spec->nics[1].mac, "52:54:00:00:00:01");
    assert_string_equal(spec->nics[2].text, "tap,ifname=t0");
    assert_string_equal(spec->args[0], "-S");
    assert_string_equal(spec->args[1], "");
    assert_null(spec->args[2]);
    assert_int_equal(spec->history_lines, 5);
    assert_string_equal(spec->env[0], "A=1=2");
    assert_string_equal(spec->env[1], "B=");
    assert_null(spec->env[2]);
    assert_string_equal(
        json_string_value(json_object_get(spec->labels, "role")), "db");
    spec_free(spec);
}

static void
consoles_without_qemu_are_read(void **state)
{
    (void)state;
    struct spec *spec =
        good_spec("{\"exec\":[\"sh\",\"-c\",\"echo a\\necho b\"]}");
    assert_int_equal(spec->kind, SPEC_KIND_EXEC);
    assert_string_equal(spec->command[2], "echo a\necho b");
    spec_free(spec);
    spec = good_spec("{\"device\":\"/dev/ttyUSB0\"}");
    assert_int_equal(spec->kind, SPEC_KIND_DEVICE);
    assert_int_equal(spec->baud, 115200);
    spec_free(spec);
    spec = good_spec("{\"device\":\"/dev/ttyUSB0\",\"baud\":9600}");
    assert_int_equal(spec->baud, 9600);
    spec_free(spec);
    spec = good_spec("{\"socket\":\"sub/s\",\"history\":0}");
    assert_int_equal(spec->kind, SPEC_KIND_SOCKET);
    assert_string_equal(spec->socket, "/fleet/sub/s");
    assert_int_equal(spec->history_lines, 0);
    spec_free(spec);
}

static void
logs_have_a_bound(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } rows[] = {
        {"{\"exec\":[\"x\"]}", UINT64_C(16) << 20},
        {"{\"exec\":[\"x\"],\"log\":{}}", UINT64_C(16) << 20},
        {"{\"exec\":[\"x\"],\"log\":{\"max\":null}}", UINT64_C(16) << 20},
        {"{\"exec\":[\"x\"],\"log\":{\"max\":\"64K\"}}", 65536},
        {"{\"exec\":[\"x\"],\"log\":{\"max\":2}}", 2 << 20},
        {"{\"exec\":[\"x\"],\"log\":{\"max\":\"1.5G\"}}", UINT64_C(3) << 29},
        {"{\"exec\":[\"x\"],\"log\":{\"max\":0}}", 0},
        {"{\"exec\":[\"x\"],\"log\":{\"max\":\"unlimited\"}}", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct spec *spec = good_spec(rows[i].text);
        assert_int_equal(spec->log_max_bytes, rows[i].bytes);
        spec_free(spec);
    }
}

static void
consoles_have_names_and_a_size(void **state)
{
    (void)state;
    struct spec *spec =
        good_spec("{\"arch\":\"aarch64\",\"consoles\":[\"hvc0\",\"ttyAMA0\"],"
                  "\"console\":{\"rows\":30,\"cols\":132},\"read-only\":true}");
    assert_string_equal(spec->consoles[0], "hvc0");
    assert_string_equal(spec->consoles[1], "ttyAMA0");
    assert_null(spec->consoles[2]);
    assert_int_equal(spec->console_rows, 30);
    assert_int_equal(spec->console_cols, 132);
    assert_true(spec->is_readonly);
    struct spec *copy = spec_copy(spec);
    assert_true(spec_is_equal(spec, copy));
    assert_string_equal(copy->consoles[1], "ttyAMA0");
    spec_free(copy);
    spec_free(spec);
}

static void
a_spec_without_fields_has_its_defaults(void **state)
{
    (void)state;
    struct spec *spec = good_spec("{}");
    assert_int_equal(spec->kind, SPEC_KIND_QEMU);
    assert_int_equal(spec->history_lines, 10000);
    assert_false(spec->has_nics);
    assert_null(spec->machine);
    spec_free(spec);
}

static void
a_command_is_the_same_as_string_and_as_array(void **state)
{
    (void)state;
    struct spec *text =
        good_spec("{\"command\":\"qemu-system-x86_64 \\\\\\n  -m '1 G'\"}");
    struct spec *array =
        good_spec("{\"command\":[\"qemu-system-x86_64\",\"-m\",\"1 G\"]}");
    for (int i = 0; i < 3; i++)
        assert_string_equal(text->command[i], array->command[i]);
    assert_null(text->command[3]);
    assert_null(array->command[3]);
    spec_free(text);
    spec_free(array);
}

static void
what_is_saved_comes_back_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "{\"memory\":\"1G\",\"disks\":[\"x\"],\"kernel\":null}",
        "{\"command\":\"qemu-system-x86_64 -m 1\",\"history\":7}",
        "{\"exec\":[\"a\"]}",
        "{\"device\":\"d\",\"baud\":300}",
        "{\"socket\":\"s\"}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct spec *spec = good_spec(texts[i]);
        json_t *saved = spec_save(spec);
        char *text = json_dumps(saved, 0);
        json_t *read = json_loads(text, 0, NULL);
        struct error error = {0};
        struct spec *loaded = spec_load(read, &error);
        assert_non_null(loaded);
        assert_true(spec_is_equal(spec, loaded));
        struct spec *copy = spec_copy(loaded);
        assert_true(spec_is_equal(spec, copy));
        assert_int_equal(copy->kind, spec->kind);
        spec_free(copy);
        spec_free(loaded);
        json_decref(read);
        free(text);
        json_decref(saved);
        spec_free(spec);
    }
}

static void
specs_differ_by_name_directory_or_field(void **state)
{
    (void)state;
    json_t *entry = json_pack("{s:i}", "smp", 1);
    json_t *other = json_pack("{s:i}", "smp", 2);
    struct spec *spec = spec_from_json("a", entry, "/x", NULL);
    struct spec *specs[] = {spec_from_json("b", entry, "/x", NULL),
                            spec_from_json("a", entry, "/y", NULL),
                            spec_from_json("a", other, "/x", NULL)};
    for (int i = 0; i < 3; i++) {
        assert_false(spec_is_equal(spec, specs[i]));
        spec_free(specs[i]);
    }
    spec_free(spec);
    json_decref(entry);
    json_decref(other);
}

static void
broken_saved_specs_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } rows[] = {
        {"{}", "argument 'name' is missing"},
        {"{\"name\":1}", "argument 'name' is an integer, not a string"},
        {"{\"name\":\"a\",\"directory\":\"/\"}", "argument 'entry' is missing"},
        {"{\"name\":\"a\",\"directory\":\"x\",\"entry\":{}}",
         "the directory of a is not an absolute path"},
        {"{\"name\":\"../a\",\"directory\":\"/\",\"entry\":{}}",
         "guests.../a: \"../a\" is not a name (letters, digits, '.', '_' and "
         "'-', a letter or digit first, at most 48)"},
        {"{\"name\":\"a\",\"directory\":\"/\",\"entry\":{\"x\":1,\"smp\":0}}",
         "guests.a.x: unknown field \"x\"\n"
         "guests.a.smp: 0 is not within 1 and 1024"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *saved = json_loads(rows[i].text, 0, NULL);
        struct error error = {0};
        assert_null(spec_load(saved, &error));
        assert_string_equal(error.text, rows[i].message);
        json_decref(saved);
    }
}

static void
hostile_values_are_kept_as_they_are_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool is_path; /* taken as a path below the directory */
    } rows[] = {
        {"a,b", true},         {"a=b", true},
        {",,", true},          {"json:{\\\"driver\\\":\\\"raw\\\"}", true},
        {"fat:rw:/etc", true}, {"nbd:localhost:10809", true},
        {"a;b", true},         {"$(id)", true},
        {"%s%n", true},        {"-x", true},
        {"a\\\\b", true},      {"a\\nb", false},
        {"a\\u001bb", false},  {"a\\u0085b", false},
        {"a\\u2028b", false},  {"a\\u007fb", false},
        {"nbd://h/x", false},  {"", false},
        {"a\\tb", false},      {"~root/x", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *text = xasprintf("{\"kernel\":\"%s\"}", rows[i].value);
        struct error error = {0};
        struct spec *spec = read_spec(text, &error);
        if (rows[i].is_path) {
            assert_non_null(spec);
            const char *value =
                json_string_value(json_object_get(spec->source, "kernel"));
            assert_int_equal(strncmp(spec->kernel, "/fleet/", 7), 0);
            assert_string_equal(spec->kernel + 7, value);
        } else if (spec) {
            fail_msg("%s was taken", rows[i].value);
        }
        spec_free(spec);
        free(text);
    }
}

static void
an_over_long_value_is_refused(void **state)
{
    (void)state;
    char *text = xmalloc(9001);
    memset(text, 'x', 9000);
    text[9000] = '\0';
    static const char *const fields[] = {"kernel", "append", "machine"};
    for (size_t i = 0; i < 3; i++) {
        json_t *entry = json_pack("{s:s}", fields[i], text);
        struct error error = {0};
        assert_null(spec_from_json("a", entry, "/", &error));
        assert_non_null(strstr(error.text, "this is 9000 bytes long, "));
        json_decref(entry);
    }
    free(text);
}

static void
sizes_are_read_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes; /* 0: none */
    } rows[] = {
        {"128", UINT64_C(128) << 20},
        {"128M", UINT64_C(128) << 20},
        {"128m", UINT64_C(128) << 20},
        {"128 MiB", UINT64_C(128) << 20},
        {"128MB", UINT64_C(128) << 20},
        {"2G", UINT64_C(2) << 30},
        {"1.5G", UINT64_C(1536) << 20},
        {"0.25T", UINT64_C(256) << 30},
        {"1P", UINT64_C(1) << 50},
        {"4096k", UINT64_C(4096) << 10},
        {"512b", 512},
        {"9007199254740993b", UINT64_C(9007199254740993)},
        {"", 0},
        {"G", 0},
        {"-1", 0},
        {"+1", 0},
        {" 1", 0},
        {"1 ", UINT64_C(1) << 20},
        {"1  G", 0},
        {"1.G", 0},
        {".5G", 0},
        {"1e3", 0},
        {"0x10", 0},
        {"1,5G", 0},
        {"2Q", 0},
        {"1G5", 0},
        {"99999999999999999999", 0},
        {"999999999999999999T", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t bytes = 0;
        bool is_size = size_parse(rows[i].text, &bytes);
        if (is_size != (rows[i].bytes != 0) || bytes != rows[i].bytes)
            fail_msg("\"%s\" is %llu", rows[i].text, (unsigned long long)bytes);
    }
}

static void
the_table_of_fields_is_complete_and_unique(void **state)
{
    (void)state;
    assert_true(spec_fields_count > 10);
    for (size_t i = 0; i < spec_fields_count; i++) {
        const struct spec_field *field = &spec_fields[i];
        assert_true(field->name && field->type && field->summary);
        assert_non_null(field->read);
        assert_true(field->kinds != 0);
        assert_true(field->offset < sizeof(struct spec));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(field->name, spec_fields[k].name);
    }
}

static void
pastes_have_a_pace(void **state)
{
    (void)state;
    struct spec *spec = good_spec(
        "{\"exec\":[\"cat\"],\"paste\":{\"cps\":480,\"lps\":5,\"timeout\":7,"
        "\"wait-echo\":true,\"wait-prompt\":\"> $\",\"bracketed\":\"off\"}}");
    assert_int_equal(spec->paste.cps, 480);
    assert_int_equal(spec->paste.lps, 5);
    assert_int_equal(spec->paste.timeout_ms, 7000);
    assert_true(spec->paste.waits_for_echo);
    assert_string_equal(spec->paste.prompt, "> $");
    assert_string_equal(spec->paste.bracketed, "off");
    spec_free(spec);
    spec = good_spec("{\"exec\":[\"cat\"]}");
    assert_int_equal(spec->paste.cps, 0);
    assert_int_equal(spec->paste.timeout_ms, SPEC_DEFAULT_PASTE_TIMEOUT_MS);
    assert_null(spec->paste.prompt);
    spec_free(spec);
    static const char *const bad[][2] = {
        {"5", "guests.n1.paste: this is an integer, not an object, such as "
              "{\"lps\": 5}"},
        {"{\"cps\":-1}", "guests.n1.paste.cps: -1 is not within 0 and 1000000"},
        {"{\"lps\":1.5}", "guests.n1.paste.lps: this is a fraction, not an "
                          "integer"},
        {"{\"wait-echo\":1}", "guests.n1.paste.wait-echo: this is an integer, "
                              "not true or false"},
        {"{\"wait-prompt\":\"(\"}", "guests.n1.paste.wait-prompt: this is no "
                                    "regular expression: missing closing "
                                    "parenthesis, at character 2"},
        {"{\"bracketed\":\"onn\"}", "guests.n1.paste.bracketed: \"onn\" is not "
                                    "a way to paste in brackets (try on)"},
        {"{\"lsp\":5}",
         "guests.n1.paste.lsp: unknown field \"lsp\" (did you mean "
         "\"lps\"?)"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct error error = {0};
        char *text = xasprintf("{\"exec\":[\"cat\"],\"paste\":%s}", bad[i][0]);
        assert_null(read_spec(text, &error));
        assert_string_equal(error.text, bad[i][1]);
        free(text);
    }
}

static void
what_needs_no_restart_is_taken_from_another_spec(void **state)
{
    (void)state;
    struct spec *running = good_spec(
        "{\"exec\":[\"cat\"],\"history\":5,\"silence\":9,\"read-only\":true,"
        "\"restart\":\"always\"}");
    struct spec *wanted =
        good_spec("{\"exec\":[\"dog\"],\"history\":7,\"paste\":{\"lps\":2},"
                  "\"alerts\":[{\"name\":\"x\",\"pattern\":\"y\"}],"
                  "\"labels\":{\"a\":\"b\"},\"after\":\"c\",\"until\":\"ssh\","
                  "\"shutdown\":{\"button\":7},\"stall\":{\"init\":8},"
                  "\"log\":{\"max\":\"1M\"},\"autostart\":true,"
                  "\"console\":{\"rows\":30,\"cols\":90}}");
    struct spec *live = spec_with_live_fields(running, wanted);
    assert_string_equal(live->command[0], "cat");
    assert_int_equal(live->history_lines, 7);
    assert_int_equal(live->silence_s, 0);
    assert_int_equal(live->lifecycle.restart.policy, LIFECYCLE_NEVER);
    assert_int_equal(live->lifecycle.until, STAGE_SSH);
    assert_int_equal(live->lifecycle.shutdown.button_s, 7);
    assert_true(live->lifecycle.is_autostart);
    assert_int_equal(live->console_rows, 30);
    assert_false(live->is_readonly);
    assert_int_equal(live->paste.lps, 2);
    assert_int_equal(live->alerts.count, 1);
    assert_false(spec_is_equal(live, wanted));
    struct spec *same = spec_with_live_fields(wanted, live);
    assert_true(spec_is_equal(same, wanted));
    spec_free(same);
    spec_free(live);
    spec_free(wanted);
    spec_free(running);
}

static void
the_including_file_matters_for_its_networks_alone(void **state)
{
    (void)state;
    static const char *const nics[] = {"[\"user\"]", "[{\"network\":\"l\"}]"};
    for (size_t i = 0; i < 2; i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "{\"nics\":%s}", nics[i]);
        struct spec *one = good_spec(text);
        struct spec *other = spec_copy(one);
        other->fleet_directory = xstrdup("/over");
        assert_int_equal(spec_is_equal(one, other), i == 0);
        json_t *changes = spec_changes(one, other);
        assert_int_equal(json_array_size(changes), i);
        json_decref(changes);
        spec_free(other);
        spec_free(one);
    }
}

static void
a_size_on_the_kernels_command_line_needs_a_restart(void **state)
{
    (void)state;
    struct spec *running = good_spec("{\"kernel\":\"k\"}");
    struct spec *wanted =
        good_spec("{\"kernel\":\"k\",\"console\":{\"rows\":30,\"cols\":90}}");
    struct spec *live = spec_with_live_fields(running, wanted);
    assert_true(spec_is_equal(live, running));
    spec_free(live);
    spec_free(wanted);
    spec_free(running);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_read),
        cmocka_unit_test(consoles_without_qemu_are_read),
        cmocka_unit_test(logs_have_a_bound),
        cmocka_unit_test(consoles_have_names_and_a_size),
        cmocka_unit_test(a_spec_without_fields_has_its_defaults),
        cmocka_unit_test(a_command_is_the_same_as_string_and_as_array),
        cmocka_unit_test(what_is_saved_comes_back_the_same),
        cmocka_unit_test(specs_differ_by_name_directory_or_field),
        cmocka_unit_test(broken_saved_specs_are_refused),
        cmocka_unit_test(hostile_values_are_kept_as_they_are_or_refused),
        cmocka_unit_test(an_over_long_value_is_refused),
        cmocka_unit_test(sizes_are_read_as_people_write_them),
        cmocka_unit_test(pastes_have_a_pace),
        cmocka_unit_test(what_needs_no_restart_is_taken_from_another_spec),
        cmocka_unit_test(the_including_file_matters_for_its_networks_alone),
        cmocka_unit_test(a_size_on_the_kernels_command_line_needs_a_restart),
        cmocka_unit_test(the_table_of_fields_is_complete_and_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
