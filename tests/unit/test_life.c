#include "tui/life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS 1000000

/* A guest's object, and what is said of it behind its state and in the list. */
static const struct {
    const char *members;
    const char *title;
    const char *label;
} rows[] = {
    {"\"state\": \"running\", \"stage\": \"login\"", "", NULL},
    {"\"state\": \"running\", \"stage\": \"kernel\"", "kernel", "kernel"},
    {"\"state\": \"running\", \"stage\": \"cloud-init\", \"cloud-init\": "
     "{\"phase\": \"modules:config\"}",
     "cloud-init modules:config", "cloud"},
    {"\"state\": \"running\", \"stage\": \"cloud-init\", \"cloud-init\": null",
     "cloud-init", "cloud"},
    /* what it did once is no stage of this boot */
    {"\"state\": \"running\", \"stage\": \"login\", \"cloud-init\": "
     "{\"phase\": \"finished\"}",
     "", NULL},
    {"\"state\": \"starting\", \"step\": \"making disk0\"", "making disk0",
     NULL},
    {"\"state\": \"defined\", \"waiting\": \"waiting for control0: login\"",
     "waiting for control0: login", "waiting"},
    {"\"state\": \"stopped\", \"restart\": {\"due-ms\": 1004000, \"count\": "
     "1, \"limit\": 0}",
     "restarts in 4s", "in 4s"},
    {"\"state\": \"shutting-down\", \"shutdown\": {\"step\": \"button\", "
     "\"until-ms\": 1042000, \"next\": null, \"forced\": false}",
     "given up in 42s", NULL},
    {"\"state\": \"shutting-down\", \"shutdown\": {\"step\": \"button\", "
     "\"until-ms\": 1042000, \"next\": \"agent\", \"forced\": false}",
     "its agent is asked in 42s", NULL},
    {"\"state\": \"shutting-down\", \"shutdown\": {\"step\": \"agent\", "
     "\"until-ms\": 1042000, \"next\": \"quit\", \"forced\": true}",
     "forced off in 42s", "off 42s"},
};

static void
life_is_told_in_few_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[512];
        char title[64];
        char label[16];
        (void)snprintf(text, sizeof(text),
                       "{\"name\": \"n1\", \"kind\": \"qemu\", %s}",
                       rows[i].members);
        struct error error = {0};
        struct mirror_fleet fleet = {0};
        json_t *guests = json_pack("[o]", json_loads(text, 0, NULL));
        assert_non_null(guests);
        assert_true(mirror_fleet_load(&fleet, guests, &error));
        json_decref(guests);
        life_title(&fleet.guests[0], NOW_MS, title, sizeof(title));
        assert_string_equal(title, rows[i].title);
        const char *said =
            life_label(&fleet.guests[0], NOW_MS, label, sizeof(label));
        if (rows[i].label)
            assert_string_equal(said, rows[i].label);
        else
            assert_null(said);
        mirror_fleet_finish(&fleet);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(life_is_told_in_few_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
