#include "tui/card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char crashed[] =
    "{\"name\": \"db0\", \"kind\": \"qemu\", \"state\": \"crashed\", \"pid\": "
    "null, \"consoles\": [], \"exit\": {\"code\": 1, \"summary\": \"QEMU "
    "exited with status 1 before its monitor answered\", \"stderr\": [\"first "
    "line\", \"qemu: Could not open '/nope.qcow2': No such file or "
    "directory\"], \"uptime-ms\": 61000, \"command\": \"qemu-system-x86_64 -m "
    "128 -drive file=/nope.qcow2\", \"advice\": \"Check the path\"}}";

/* A fleet of the one guest in text. */
static void
load(struct mirror_fleet *fleet, const char *text)
{
    struct error error = {0};
    json_t *guests = json_pack("[o]", json_loads(text, 0, NULL));
    assert_non_null(guests);
    memset(fleet, 0, sizeof(*fleet));
    assert_true(mirror_fleet_load(fleet, guests, &error));
    json_decref(guests);
}

static bool
says(const struct card *card, const char *text)
{
    for (size_t i = 0; i < card->count; i++) {
        if (strstr(card->lines[i].text, text))
            return true;
    }
    return false;
}

static void
a_roomy_card_says_why_with_which_words_and_what_to_do(void **state)
{
    (void)state;
    struct mirror_fleet fleet;
    struct card card;
    struct keymap *keymap = keymap_load(NULL, NULL, NULL);
    load(&fleet, crashed);
    card_init(&card, &fleet.guests[0], keymap, 22, 80);
    assert_int_equal(card.lines[0].role, THEME_CARD_TITLE);
    assert_true(says(&card, "db0 crashed: QEMU exited with status 1"));
    assert_true(says(&card, "first line"));
    assert_true(says(&card, "Could not open '/nope.qcow2'"));
    assert_true(says(&card, "Check the path"));
    assert_true(says(&card, "exit status 1 · ran 1m01s"));
    assert_true(says(&card, "qemu-system-x86_64 -m 128"));
    assert_true(says(&card, "Enter restart"));
    card_finish(&card);
    mirror_fleet_finish(&fleet);
    keymap_free(keymap);
}

static void
every_size_gets_the_reason_and_the_keys_and_nothing_beyond(void **state)
{
    (void)state;
    struct mirror_fleet fleet;
    struct keymap *keymap = keymap_load(NULL, NULL, NULL);
    load(&fleet, crashed);
    for (int rows = 2; rows < 60; rows++) {
        for (int cols = 38; cols < 200; cols += 9) {
            struct card card;
            card_init(&card, &fleet.guests[0], keymap, rows, cols);
            assert_true((int)card.count <= rows);
            assert_true(card.cols <= cols);
            assert_true(says(&card, "db0 crashed"));
            assert_true(says(&card, "Enter restart"));
            card_finish(&card);
        }
    }
    mirror_fleet_finish(&fleet);
    keymap_free(keymap);
}

static void
a_guest_that_was_never_started_offers_a_start(void **state)
{
    (void)state;
    struct mirror_fleet fleet;
    struct card card;
    struct keymap *keymap = keymap_load(NULL, NULL, NULL);
    load(&fleet, "{\"name\": \"n1\", \"kind\": \"qemu\", \"state\": "
                 "\"defined\", \"consoles\": [], \"exit\": null}");
    card_init(&card, &fleet.guests[0], keymap, 10, 60);
    assert_true(says(&card, "was not started yet"));
    assert_true(says(&card, "Enter start"));
    assert_int_equal(card.lines[0].role, THEME_STATUS);
    card_finish(&card);
    mirror_fleet_finish(&fleet);
    keymap_free(keymap);
}

static void
foreign_words_are_made_printable(void **state)
{
    (void)state;
    struct mirror_fleet fleet;
    struct card card;
    struct keymap *keymap = keymap_load(NULL, NULL, NULL);
    load(&fleet,
         "{\"name\": \"n1\", \"kind\": \"qemu\", \"state\": \"crashed\", "
         "\"consoles\": [], \"exit\": {\"summary\": "
         "\"\\u001b[2Jsum\\nmary\", \"stderr\": [\"\\u001b]0;x\\u0007\", 7, "
         "null], \"advice\": 3, \"command\": {}}}");
    card_init(&card, &fleet.guests[0], keymap, 20, 60);
    for (size_t i = 0; i < card.count; i++) {
        assert_null(strchr(card.lines[i].text, 0x1B));
        assert_null(strchr(card.lines[i].text, '\a'));
        assert_null(strchr(card.lines[i].text, '\n'));
    }
    card_finish(&card);
    mirror_fleet_finish(&fleet);
    keymap_free(keymap);
}

static void
the_report_has_all_of_it(void **state)
{
    (void)state;
    struct mirror_fleet fleet;
    load(&fleet, crashed);
    char *text = card_report(&fleet.guests[0]);
    assert_non_null(strstr(text, "# db0"));
    assert_non_null(strstr(text, "first line"));
    assert_non_null(strstr(text, "-drive file=/nope.qcow2"));
    assert_non_null(strstr(text, "Check the path"));
    free(text);
    mirror_fleet_finish(&fleet);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_roomy_card_says_why_with_which_words_and_what_to_do),
        cmocka_unit_test(
            every_size_gets_the_reason_and_the_keys_and_nothing_beyond),
        cmocka_unit_test(a_guest_that_was_never_started_offers_a_start),
        cmocka_unit_test(foreign_words_are_made_printable),
        cmocka_unit_test(the_report_has_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
