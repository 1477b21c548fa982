#include "server/cloud-progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* As a console has it: kernel times, the first words of a login prompt. */
static const char *const boot[] = {
    "[    1.0] Linux version 6.1",
    "[   93.8] cloud-init[241]: Cloud-init v. 22.4.2 running 'init-local' at "
    "Thu, 26 Nov 2026 03:13:56 +0000. Up 92.94 seconds.",
    "[  125.2] cloud-init[300]: Cloud-init v. 22.4.2 running 'init' at Thu",
    "ci-info: | eth0 | True |",
    "web0 login: [  174.6] cloud-init[352]: Cloud-init v. 22.4.2 running "
    "'modules:config' at Thu",
    "[  180.0] cloud-init[352]: 2026-11-26 03:56:58,570 - util.py[WARNING]: "
    "Running module locale (<module 'x' from '/y'>) failed",
    "[  195.3] cloud-init[388]: Cloud-init v. 22.4.2 running 'modules:final' "
    "at Thu",
};
static const char end[] =
    "[  203.5] cloud-init[388]: Cloud-init v. 22.4.2 finished at Thu, 26 Nov "
    "2026 03:15:46 +0000. Datasource DataSourceNoCloud. Up 203.15 seconds";

static void
phases_and_failures_are_found(void **state)
{
    (void)state;
    static const bool are_news[] = {false, true, true, false, true, true, true};
    struct cloud_progress progress = {0};
    for (size_t i = 0; i < sizeof(boot) / sizeof(boot[0]); i++)
        assert_int_equal(cloud_progress_line(&progress, boot[i], 7),
                         are_news[i]);
    assert_string_equal(progress.phase, "modules:final");
    assert_false(cloud_progress_has_finished(&progress));
    assert_int_equal(progress.failure_count, 1);
    assert_string_equal(progress.failures[0],
                        "WARNING]: Running module locale (<module 'x' from "
                        "'/y'>) failed");
    assert_true(cloud_progress_line(&progress, end, 8));
    assert_true(cloud_progress_has_finished(&progress));
    json_t *object = cloud_progress_to_json(&progress);
    assert_int_equal(json_integer_value(json_object_get(object, "since-ms")),
                     8);
    assert_int_equal(json_array_size(json_object_get(object, "failures")), 1);
    json_decref(object);
    /* The next boot begins anew. */
    assert_true(cloud_progress_line(&progress, boot[1], 9));
    assert_string_equal(progress.phase, "init-local");
    assert_int_equal(progress.failure_count, 0);
    cloud_progress_finish(&progress);
}

static void
what_a_guest_makes_up_is_bounded(void **state)
{
    (void)state;
    struct cloud_progress progress = {0};
    static const char *const lines[] = {
        "",
        "Cloud-init v. ",
        "Cloud-init v. 1 running '",
        "Cloud-init v. 1 running 'modules:everything-that-there-is-and-more'",
        "Cloud-init v. 1 running 'init",
        "[WARNING]: Running module x", /* before anything runs */
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_false(cloud_progress_line(&progress, lines[i], 1));
    json_t *nothing = cloud_progress_to_json(&progress);
    assert_true(json_is_null(nothing));
    json_decref(nothing);
    assert_true(
        cloud_progress_line(&progress, "Cloud-init v. 1 running 'init' at", 1));
    static const char bad[] = "util.py[WARNING]: Failed \x1b]0;\xff\x1b[31m";
    for (int i = 0; i < 1000; i++)
        (void)cloud_progress_line(&progress, bad, 1);
    assert_int_equal(progress.failure_count, 1000);
    assert_null(strchr(progress.failures[0], '\x1b'));
    json_t *object = cloud_progress_to_json(&progress);
    assert_int_equal(json_array_size(json_object_get(object, "failures")),
                     CLOUD_PROGRESS_MAX_FAILURES);
    json_decref(object);
    cloud_progress_finish(&progress);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(phases_and_failures_are_found),
        cmocka_unit_test(what_a_guest_makes_up_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
