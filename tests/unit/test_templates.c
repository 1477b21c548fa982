/* What fleet files are merged of: templates, counts, includes, variables. */
#include "base/xalloc.h"
#include "fleet/fleet.h"
#include "fleet/placeholders.h"
#include "fleet/variables.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct fleet *
parse(const char *text)
{
    struct error error = {0};
    struct fleet *fleet =
        fleet_parse("/fleets/one/guestmux.json", text, strlen(text), &error);
    if (!fleet) {
        fail_msg("%s", error.text);
        abort(); /* for the analyser: it does not come here */
    }
    return fleet;
}

static const struct spec *
find(const struct fleet *fleet, const char *name)
{
    for (size_t i = 0; i < fleet->guest_count; i++) {
        if (!strcmp(fleet->guests[i]->name, name))
            return fleet->guests[i];
    }
    fail_msg("there is no guest %s", name);
    return NULL;
}

/* The merged entry is this JSON. */
static void
assert_source(const struct fleet *fleet, const char *name, const char *wanted)
{
    json_t *value = json_loads(wanted, 0, NULL);
    assert_non_null(value);
    const struct spec *spec = find(fleet, name);
    if (!json_equal(spec->source, value)) {
        char *got = json_dumps(spec->source, JSON_COMPACT);
        fail_msg("%s: wanted %s, got %s", name, wanted, got);
    }
    json_decref(value);
    /* What is saved is read back as the same. */
    json_t *saved = spec_save(spec);
    struct error error = {0};
    struct spec *loaded = spec_load(saved, &error);
    if (!loaded)
        fail_msg("%s", error.text);
    assert_true(spec_is_equal(spec, loaded));
    spec_free(loaded);
    json_decref(saved);
}

static void
later_templates_win_over_earlier_ones_and_defaults(void **state)
{
    (void)state;
    struct fleet *fleet = parse(
        "{\"version\":1,"
        "\"defaults\":{\"cpu\":\"max\",\"smp\":1,\"machine\":\"q35\"},"
        "\"templates\":{\"base\":{\"smp\":2,\"memory\":64,\"accel\":\"tcg\"},"
        " \"big\":{\"template\":\"base\",\"memory\":512},"
        " \"slow\":{\"template\":[\"base\"],\"smp\":1}},"
        "\"guests\":{\"a\":{\"template\":\"big\"},"
        " \"b\":{\"template\":[\"big\",\"slow\"],\"machine\":\"pc\"},"
        " \"c\":{\"template\":[\"slow\",\"big\"],\"memory\":null,"
        "  \"cpu\":null}}}");
    assert_source(fleet, "a",
                  "{\"cpu\":\"max\",\"smp\":2,\"machine\":\"q35\","
                  "\"memory\":512,\"accel\":\"tcg\"}");
    /* base counts once, below both: it does not undo what big says. */
    assert_source(fleet, "b",
                  "{\"cpu\":\"max\",\"smp\":1,\"machine\":\"pc\","
                  "\"memory\":512,\"accel\":\"tcg\"}");
    assert_source(fleet, "c",
                  "{\"smp\":1,\"machine\":\"q35\","
                  "\"accel\":\"tcg\"}");
    fleet_free(fleet);
}

static void
objects_are_merged_and_arrays_replaced(void **state)
{
    (void)state;
    struct fleet *fleet =
        parse("{\"version\":1,"
              "\"defaults\":{\"console\":{\"rows\":24,\"cols\":80},"
              " \"disks\":[\"a.qcow2\",\"b.qcow2\"]},"
              "\"guests\":{\"a\":{\"console\":{\"cols\":132}},"
              " \"b\":{\"console\":null,\"disks\":[\"c.qcow2\"]}}}");
    assert_source(fleet, "a",
                  "{\"console\":{\"rows\":24,\"cols\":132},"
                  "\"disks\":[\"a.qcow2\",\"b.qcow2\"]}");
    assert_int_equal(find(fleet, "a")->console_rows, 24);
    assert_int_equal(find(fleet, "a")->console_cols, 132);
    assert_source(fleet, "b", "{\"disks\":[\"c.qcow2\"]}");
    assert_int_equal(find(fleet, "b")->console_rows, 0);
    fleet_free(fleet);
}

static void
a_template_may_say_what_kind_of_guest_it_is(void **state)
{
    (void)state;
    struct fleet *fleet =
        parse("{\"version\":1,\"defaults\":{\"memory\":64,\"history\":5},"
              "\"templates\":{\"shell\":{\"exec\":[\"ssh\",\"{name}\"]}},"
              "\"guests\":{\"n1\":{\"template\":\"shell\"}}}");
    assert_int_equal(fleet->guests[0]->kind, SPEC_KIND_EXEC);
    assert_source(fleet, "n1", "{\"exec\":[\"ssh\",\"n1\"],\"history\":5}");
    fleet_free(fleet);
}

static void
one_entry_is_several_guests(void **state)
{
    (void)state;
    struct fleet *fleet = parse(
        "{\"version\":1,\"guests\":{"
        "\"w{index}-x\":{\"count\":2,\"kernel\":\"k\",\"append\":\"n={index} "
        "p={index+2200} {name} {{name}} ${name} { {x} {index\"},"
        "\"node\":{\"count\":2},\"{index+1}n\":{\"count\":1},"
        "\"none\":{\"count\":0}}}");
    static const char *const names[] = {"w0-x", "w1-x", "node0", "node1", "1n"};
    assert_int_equal(fleet->guest_count, 5);
    for (size_t i = 0; i < fleet->guest_count; i++)
        assert_string_equal(fleet->guests[i]->name, names[i]);
    assert_string_equal(fleet->guests[1]->append,
                        "n=1 p=2201 w1-x {name} ${name} { {x} {index");
    assert_source(fleet, "node1", "{}");
    fleet_free(fleet);
}

static void
patterns_of_alerts_keep_their_braces(void **state)
{
    (void)state;
    struct fleet *fleet =
        parse("{\"version\":1,\"guests\":{\"a\":{\"alerts\":[{\"name\":\"x\","
              "\"pattern\":\"\\\\k{name}(?<name>y){2}\"}]}}}");
    assert_string_equal(fleet->guests[0]->alerts.items[0].pattern,
                        "\\k{name}(?<name>y){2}");
    fleet_free(fleet);
}

static void
places_are_told_where_they_come_from(void **state)
{
    (void)state;
    struct fleet *fleet =
        parse("{\"version\":1,\n\"defaults\":{\"kernel\":\"k\"},\n"
              "\"templates\":{\"t\":{\n\"disks\":[\"x\",\n \"y\"]}},\n"
              "\"guests\":{\"a{index}\":{\"count\":2,\"template\":\"t\"}}}");
    static const struct {
        const char *guest;
        const char *field;
        int index;
        const char *where;
    } rows[] = {
        {"a0", NULL, -1, ":6:11: guests.a{index} (a0)"},
        {"a0", "kernel", -1, ":2:22: defaults.kernel"},
        {"a1", "disks", 1, ":5:2: templates.t.disks[1] (a1)"},
        {"a1", "initrd", -1, ":6:11: guests.a{index}.initrd (a1)"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *where =
            fleet_where(fleet, rows[i].guest, rows[i].field, rows[i].index);
        char *wanted = xasprintf("/fleets/one/guestmux.json%s", rows[i].where);
        assert_string_equal(where, wanted);
        free(wanted);
        free(where);
    }
    fleet_free(fleet);
}

/* Files ------------------------------------------------------------------- */

static int
set_up(void **state)
{
    char *path = scratch_new();
    *state = path;
    return chdir(path) || mkdir("lib", 0700) || mkdir("lib/deep", 0700);
}

static int
tear_down(void **state)
{
    int failed = chdir("/");
    scratch_remove(*state);
    return failed;
}

static void
put(const char *name, const char *text)
{
    scratch_write(name, text, strlen(text));
}

static struct fleet *
read_file(const char *name)
{
    struct error error = {0};
    struct fleet *fleet = fleet_read(name, &error);
    if (!fleet) {
        fail_msg("%s", error.text);
        abort(); /* for the analyser: it does not come here */
    }
    return fleet;
}

static void
paths_start_at_the_file_they_stand_in(void **state)
{
    const char *here = *state;
    put("f.json",
        "{\"version\":1,\"include\":[\"lib/t.json\",\"lib/deep/g.json\"],"
        "\"guests\":{\"a\":{\"template\":\"t\",\"initrd\":\"./i\"}}}");
    put("lib/t.json", "{\"version\":1,\"templates\":{\"t\":{\"kernel\":\"k\","
                      "\"disks\":[{\"file\":\"../d.qcow2\"}],\"vnc\":"
                      "\"unix:{name}\"}}}");
    put("lib/deep/g.json",
        "{\"version\":1,\"include\":\"../t.json\","
        "\"guests\":{\"b\":{\"template\":\"t\",\"initrd\":\"i\"}}}");
    struct fleet *fleet = read_file("f.json");
    /* What is included comes first. */
    assert_string_equal(fleet->guests[0]->name, "b");
    assert_string_equal(fleet->guests[1]->name, "a");
    char *deep = xasprintf("%s/lib/deep", here);
    assert_string_equal(fleet->guests[0]->directory, deep);
    assert_string_equal(fleet->guests[1]->directory, here);
    char *wanted = xasprintf("{\"kernel\":\"%s/lib/k\",\"disks\":[{\"file\":"
                             "\"%s/lib/../d.qcow2\"}],\"vnc\":\"unix:%s/lib/b\""
                             ",\"initrd\":\"i\"}",
                             here, here, here);
    assert_source(fleet, "b", wanted);
    char *where = fleet_where(fleet, "a", "disks", 0);
    assert_string_equal(where, "lib/t.json:1:54: templates.t.disks[0] (a)");
    free(where);
    free(wanted);
    free(deep);
    fleet_free(fleet);
}

static void
a_file_means_the_same_wherever_it_is_included(void **state)
{
    (void)state;
    put("f.json", "{\"version\":1,\"include\":[\"lib/a.json\","
                  "\"lib/b.json\"],\"defaults\":{\"smp\":4},"
                  "\"guests\":{\"f\":{}}}");
    put("lib/common.json", "{\"version\":1,\"defaults\":{\"smp\":1,"
                           "\"cpu\":\"max\"},\"guests\":{\"shared\":{}}}");
    put("lib/a.json",
        "{\"version\":1,\"include\":\"common.json\","
        "\"defaults\":{\"smp\":2,\"memory\":64},\"guests\":{\"a\":{}}}");
    put("lib/b.json", "{\"version\":1,\"include\":\"common.json\","
                      "\"guests\":{\"b\":{}}}");
    struct fleet *fleet = read_file("f.json");
    static const char *const names[] = {"shared", "a", "b", "f"};
    assert_int_equal(fleet->guest_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(fleet->guests[i]->name, names[i]);
    assert_source(fleet, "shared", "{\"smp\":1,\"cpu\":\"max\"}");
    assert_source(fleet, "a", "{\"smp\":2,\"memory\":64,\"cpu\":\"max\"}");
    assert_source(fleet, "b", "{\"smp\":1,\"cpu\":\"max\"}");
    assert_source(fleet, "f", "{\"smp\":4,\"memory\":64,\"cpu\":\"max\"}");
    fleet_free(fleet);
}

static void
a_fleets_files_have_a_limit_together(void **state)
{
    (void)state;
    /* Four of nearly 4 MiB, with what includes them, are too much. */
    size_t len = FLEET_FILE_MAX_BYTES;
    char *text = xmalloc(len);
    memset(text, ' ', len);
    int head = snprintf(text, len, "{\"version\":1,\"templates\":{}}");
    text[head] = ' ';
    for (int i = 0; i < 4; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "%d.json", i);
        scratch_write(name, text, len);
    }
    free(text);
    put("f.json", "{\"version\":1,\"include\":[\"0.json\",\"1.json\","
                  "\"2.json\",\"3.json\"],\"guests\":{\"a\":{}}}");
    struct error error = {0};
    assert_null(fleet_read("f.json", &error));
    assert_string_equal(error.text, "f.json:1:52: include[3]: with 3.json the "
                                    "fleet's files have more than 16777216 "
                                    "bytes");
}

static void
variables_are_expanded_in_paths_alone(void **state)
{
    const char *here = *state;
    static const char text[] =
        "{\"version\":1,\"guests\":{\"a\":{\"kernel\":\"${DIR}/k\","
        "\"initrd\":\"${NONE:-sub}/${EMPTY:-x}$y\",\"append\":\"${DIR}\","
        "\"disks\":[\"$${DIR}.qcow2\"]}}}";
    json_t *values = json_pack("{s:s,s:s,s:s}", "DIR", "/images", "EMPTY", "",
                               "OTHER", "secret");
    json_t *used = json_object();
    struct variables variables = {values, used};
    char *file = xasprintf("%s/f.json", here);
    struct fleet_source source = {file, text, strlen(text), &variables};
    struct error error = {0};
    struct fleet *fleet = fleet_load(&source, &error);
    if (!fleet) {
        fail_msg("%s", error.text);
        abort(); /* for the analyser: it does not come here */
    }
    char *wanted =
        xasprintf("{\"kernel\":\"/images/k\",\"initrd\":\"%s/sub/x$y\","
                  "\"append\":\"${DIR}\",\"disks\":[\"%s/${DIR}.qcow2\"]}",
                  here, here);
    assert_source(fleet, "a", wanted);
    /* Who sends them on sends no others. */
    json_t *asked = json_pack("{s:s,s:s}", "DIR", "/images", "EMPTY", "");
    assert_true(json_equal(used, asked));
    json_decref(asked);
    free(wanted);
    free(file);
    fleet_free(fleet);
    json_decref(used);
    json_decref(values);
}

static void
a_hostile_variable_is_no_path(void **state)
{
    (void)state;
    static const char text[] =
        "{\"version\":1,\"guests\":{\"a\":{\"kernel\":\"${X}\"}}}";
    static const struct {
        const char *value;
        const char *message;
    } rows[] = {
        {"a\nb", "there are control characters in it"},
        {"~/x", "~ is not expanded here"},
        {"http://x/y", "this is a URL, not a file"},
        {"", "this is empty with its variables expanded"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *values = json_pack("{s:s}", "X", rows[i].value);
        struct variables variables = {values, NULL};
        struct fleet_source source = {"/f", text, strlen(text), &variables};
        struct error error = {0};
        assert_null(fleet_load(&source, &error));
        assert_non_null(strstr(error.text, rows[i].message));
        json_decref(values);
    }
}

static void
what_a_short_file_expands_to_is_bounded(void **state)
{
    (void)state;
    size_t len = 200000;
    char *filler = xmalloc(len + 1);
    memset(filler, 'x', len);
    filler[len] = '\0';
    char *text = xasprintf("{\"version\":1,\"templates\":{\"t\":{\"args\":["
                           "\"%.100000s\"]}},\"guests\":{\"a\":{\"count\":"
                           "1000,\"template\":\"t\"}}}",
                           filler);
    struct error error = {0};
    assert_null(fleet_parse("/f", text, strlen(text), &error));
    assert_non_null(strstr(error.text, "the fleet is too large with its "
                                       "templates merged in"));
    free(text);
    free(filler);
    assert_null(placeholders_expand("{index}", "a", PLACEHOLDERS_NO_INDEX));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_templates_win_over_earlier_ones_and_defaults),
        cmocka_unit_test(objects_are_merged_and_arrays_replaced),
        cmocka_unit_test(a_template_may_say_what_kind_of_guest_it_is),
        cmocka_unit_test(one_entry_is_several_guests),
        cmocka_unit_test(patterns_of_alerts_keep_their_braces),
        cmocka_unit_test(places_are_told_where_they_come_from),
        cmocka_unit_test_setup_teardown(paths_start_at_the_file_they_stand_in,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_file_means_the_same_wherever_it_is_included, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fleets_files_have_a_limit_together,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(variables_are_expanded_in_paths_alone,
                                        set_up, tear_down),
        cmocka_unit_test(a_hostile_variable_is_no_path),
        cmocka_unit_test(what_a_short_file_expands_to_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
