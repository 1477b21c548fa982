#include "fleet/fleet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What a fleet file says about guests' lives: who comes after whom, restarts,
 * shutting down, stages; right and wrong. */

#define GUESTS(text) "{\"version\": 1, \"guests\": {\n" text "\n}}"

static const struct wrong_row {
    const char *text;
    const char *message;
} wrong_rows[] = {
    {GUESTS("\"a\": {\"after\": [\"b\"]}, \"b\": {\"after\": [\"a\"]}"),
     "f.json:2:40: guests.b.after[0]: guests wait for each other: a after b "
     "after a"},
    {GUESTS("\"a\": {\"after\": [\"a\"]}"),
     "f.json:2:17: guests.a.after[0]: it waits for itself"},
    {GUESTS("\"a\": {\"after\": \"contrl0\"}, \"control0\": {}"),
     "f.json:2:16: guests.a.after: there is no guest \"contrl0\" in this fleet "
     "(did you mean \"control0\"?)"},
    {GUESTS("\"a\": {\"after\": [\"b\"]}, \"b\": {\"after\": [\"c\"]},\n"
            "\"c\": {\"after\": [\"d\", \"b\"]}, \"d\": {}"),
     "f.json:3:22: guests.c.after[1]: guests wait for each other: b after c "
     "after b"},
    {GUESTS("\"a\": {\"after\": [\"-x\"]}"),
     "f.json:2:17: guests.a.after[0]: \"-x\" is not a guest's name"},
    {GUESTS("\"a\": {\"after\": 7}"),
     "f.json:2:16: guests.a.after: this is an integer, not an array of guests' "
     "names"},
    {GUESTS("\"a\": {\"until\": \"logn\"}"),
     "f.json:2:16: guests.a.until: \"logn\" is not a stage to wait for (try "
     "login)"},
    {GUESTS("\"a\": {\"until\": \"off\"}"),
     "f.json:2:16: guests.a.until: \"off\" is not a stage to wait for (try "
     "login)"},
    {GUESTS("\"a\": {\"until\": {\"stage\": \"ssh\", \"timout\": 3}}"),
     "f.json:2:33: guests.a.until.timout: unknown field \"timout\" (did you "
     "mean \"timeout\"?)"},
    {GUESTS("\"a\": {\"until\": {\"stage\": \"ssh\", \"timeout\": 0}}"),
     "f.json:2:44: guests.a.until.timeout: 0 is not within 1 and 604800"},
    {GUESTS("\"a\": {\"restart\": \"on-failur\"}"),
     "f.json:2:18: guests.a.restart: \"on-failur\" is not a policy (did you "
     "mean on-failure)"},
    {GUESTS("\"a\": {\"restart\": {\"delay\": 3}}"),
     "f.json:2:18: guests.a.restart: \"policy\" is missing (never, on-failure "
     "or always)"},
    {GUESTS("\"a\": {\"restart\": {\"policy\": \"always\", \"delay\": \"3\"}}"),
     "f.json:2:48: guests.a.restart.delay: this is a string, not an integer "
     "(write 3)"},
    {GUESTS("\"a\": {\"restart\": true}"),
     "f.json:2:18: guests.a.restart: this is a boolean, not a policy (never, "
     "on-failure or always)"},
    {GUESTS("\"a\": {\"restart\": {\"policy\": \"always\", \"delay\": 60, "
            "\"max-delay\": 5}}"),
     "f.json:2:18: guests.a.restart: \"delay\" (60) is more than \"max-delay\" "
     "(5)"},
    {GUESTS("\"a\": {\"stall\": {\"kernel\": \"1m\"}}"),
     "f.json:2:27: guests.a.stall.kernel: this is a string, not an integer"},
    {GUESTS("\"a\": {\"stall\": {\"kernel\": \"90s\"}}"),
     "f.json:2:27: guests.a.stall.kernel: this is a string, not an integer "
     "(write 90)"},
    {GUESTS("\"a\": {\"after\": \"w\"}, \"w\": {\"count\": 3}"),
     "f.json:2:16: guests.a.after: \"w\" is an entry of 3 guests; name those "
     "that are meant, such as \"w0\""},
    {GUESTS("\"a\": {\"after\": \"w\"}, \"w\": {\"count\": 0}"),
     "f.json:2:16: guests.a.after: \"w\" is an entry whose \"count\" is 0"},
    {GUESTS("\"a\": {\"autostart\": 1}"),
     "f.json:2:20: guests.a.autostart: this is an integer, not true or false"},
    {GUESTS("\"a\": {\"stall\": {\"kernal\": 3}}"),
     "f.json:2:17: guests.a.stall.kernal: unknown field \"kernal\" (did you "
     "mean \"kernel\"?)"},
    {GUESTS("\"a\": {\"shutdown\": {\"button\": 0}}"),
     "f.json:2:30: guests.a.shutdown.button: 0 is not within 1 and 604800"},
    {GUESTS("\"a\": {\"shutdown\": {\"force\": 1}}"),
     "f.json:2:29: guests.a.shutdown.force: this is an integer, not true or "
     "false"},
    {GUESTS("\"a\": {\"shutdown\": true}"),
     "f.json:2:19: guests.a.shutdown: this is a boolean, not an object, such "
     "as {\"button\": 30, \"force\": true}"},
    {GUESTS("\"a\": {\"stall\": 3}"),
     "f.json:2:16: guests.a.stall: this is an integer, not an object, such as "
     "{\"kernel\": 60}"},
};

static struct fleet *
parse(const char *text, struct error *error)
{
    return fleet_parse("f.json", text, strlen(text), error);
}

static void
mistakes_are_told_with_their_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong_rows) / sizeof(*wrong_rows); i++) {
        struct error error = {0};
        struct fleet *fleet = parse(wrong_rows[i].text, &error);
        if (fleet)
            fail_msg("%s was taken", wrong_rows[i].text);
        assert_string_equal(error.text, wrong_rows[i].message);
    }
}

static const struct lifecycle *
read_one(const char *entry, struct fleet **ret_fleet)
{
    char text[512];
    struct error error = {0};
    (void)snprintf(text, sizeof(text),
                   "{\"version\": 1, \"guests\": {\"a\": {%s}, \"b\": {}, "
                   "\"c\": {}}}",
                   entry);
    *ret_fleet = parse(text, &error);
    if (!*ret_fleet)
        fail_msg("%s", error.text);
    return &(*ret_fleet)->guests[0]->lifecycle;
}

static void
what_is_not_said_has_its_default(void **state)
{
    (void)state;
    struct fleet *fleet = NULL;
    const struct lifecycle *life = read_one("", &fleet);
    assert_null(life->after);
    assert_int_equal(life->until, STAGE_OFF);
    assert_int_equal(life->until_timeout_s, 600);
    assert_int_equal(life->restart.policy, LIFECYCLE_NEVER);
    assert_false(life->is_autostart);
    assert_int_equal(life->shutdown.button_s, 60);
    assert_false(life->shutdown.is_forced);
    assert_int_equal(life->stall_s[STAGE_KERNEL], 180);
    assert_int_equal(life->stall_s[STAGE_LOGIN], 0);
    fleet_free(fleet);
}

static void
fields_are_read(void **state)
{
    (void)state;
    struct fleet *fleet = NULL;
    const struct lifecycle *life = read_one(
        "\"after\": [\"b\", \"c\"], \"until\": {\"stage\": \"ssh\", "
        "\"timeout\": 30}, \"restart\": {\"policy\": \"always\", \"delay\": 2, "
        "\"max-delay\": 9, \"limit\": 0, \"window\": 60}, \"autostart\": true, "
        "\"stall\": {\"kernel\": 0, \"cloud-init\": 5}",
        &fleet);
    assert_string_equal(life->after[0], "b");
    assert_string_equal(life->after[1], "c");
    assert_null(life->after[2]);
    assert_int_equal(life->until, STAGE_SSH);
    assert_int_equal(life->until_timeout_s, 30);
    assert_int_equal(life->restart.policy, LIFECYCLE_ALWAYS);
    assert_int_equal(life->restart.delay_s, 2);
    assert_int_equal(life->restart.max_delay_s, 9);
    assert_int_equal(life->restart.limit, 0);
    assert_int_equal(life->restart.window_s, 60);
    assert_true(life->is_autostart);
    assert_int_equal(life->stall_s[STAGE_KERNEL], 0);
    assert_int_equal(life->stall_s[STAGE_CLOUD_INIT], 5);
    fleet_free(fleet);
    life = read_one("\"restart\": {\"policy\": \"always\", \"delay\": 90}",
                    &fleet);
    assert_int_equal(life->restart.max_delay_s, 90);
    fleet_free(fleet);
    life = read_one("\"after\": \"b\", \"until\": \"running\", \"restart\": "
                    "\"on-failure\"",
                    &fleet);
    assert_string_equal(life->after[0], "b");
    assert_int_equal(life->until, STAGE_OFF);
    assert_int_equal(life->restart.policy, LIFECYCLE_ON_FAILURE);
    fleet_free(fleet);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(what_is_not_said_has_its_default),
        cmocka_unit_test(fields_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
