#include "client/mirror-alerts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static json_t *
make(int id, const char *guest, const char *console, const char *severity)
{
    return json_pack("{s:i,s:s?,s:s?,s:s,s:s,s:i}", "id", id, "guest", guest,
                     "console", console, "severity", severity, "text", severity,
                     "count", 1);
}

static bool
tell(struct mirror_alerts *alerts, const char *event, json_t *data)
{
    bool has_changed = mirror_alerts_event(alerts, event, data);
    json_decref(data);
    return has_changed;
}

static void
worst_unseen_alert_is_told(void **state)
{
    (void)state;
    struct mirror_alerts alerts = {0};
    assert_null(mirror_alerts_worst(&alerts, "n1", NULL));
    assert_true(tell(&alerts, "ALERT", make(1, "n1", "ttyS0", "critical")));
    assert_true(tell(&alerts, "ALERT", make(2, "n1", "hvc0", "warning")));
    assert_true(tell(&alerts, "ALERT", make(3, "n2", NULL, "info")));
    assert_true(tell(&alerts, "ALERT", make(4, NULL, NULL, "critical")));
    assert_int_equal(mirror_alerts_worst(&alerts, "n1", NULL)->id, 1);
    assert_int_equal(mirror_alerts_worst(&alerts, "n1", "hvc0")->id, 2);
    assert_int_equal(mirror_alerts_worst(&alerts, "n2", "any")->id, 3);
    assert_true(
        tell(&alerts, "ALERTS_SEEN", json_pack("{s:[i,i]}", "ids", 1, 9)));
    assert_int_equal(mirror_alerts_worst(&alerts, "n1", NULL)->id, 2);
    assert_true(
        tell(&alerts, "ALERTS_CLEARED", json_pack("{s:[i]}", "ids", 2)));
    assert_null(mirror_alerts_worst(&alerts, "n1", NULL));
    assert_non_null(mirror_alerts_find(&alerts, 1));
    assert_null(mirror_alerts_find(&alerts, 2));
    mirror_alerts_finish(&alerts);
}

static void
alert_that_grew_takes_its_own_place(void **state)
{
    (void)state;
    struct mirror_alerts alerts = {0};
    tell(&alerts, "ALERT", make(1, "n1", NULL, "info"));
    json_t *again = make(1, "n1", NULL, "info");
    json_object_set_new(again, "count", json_integer(7));
    tell(&alerts, "ALERT", again);
    assert_int_equal(alerts.count, 1);
    assert_int_equal(alerts.items[0].count, 7);
    mirror_alerts_finish(&alerts);
}

static void
what_is_no_alert_is_passed_over(void **state)
{
    (void)state;
    struct mirror_alerts alerts = {0};
    assert_false(tell(&alerts, "ALERT", json_object()));
    assert_false(tell(&alerts, "ALERT", json_array()));
    assert_false(tell(&alerts, "ALERT", make(1, "n1", NULL, "terrible")));
    assert_false(tell(&alerts, "ALERT", make(-1, "n1", NULL, "info")));
    assert_false(tell(&alerts, "ALERTS_SEEN", json_object()));
    assert_false(tell(&alerts, "GUEST_CHANGED", make(1, "n", NULL, "info")));
    json_t *list = json_pack("[n,i,o,s,o]", 5, make(1, "n1", NULL, "info"), "x",
                             make(2, "n1", NULL, "nothing"));
    mirror_alerts_load(&alerts, list);
    json_decref(list);
    assert_int_equal(alerts.count, 1);
    mirror_alerts_load(&alerts, NULL);
    assert_int_equal(alerts.count, 0);
}

static void
number_of_alerts_is_bounded(void **state)
{
    (void)state;
    struct mirror_alerts alerts = {0};
    for (int i = 1; i <= MIRROR_ALERTS_MAX + 10; i++)
        tell(&alerts, "ALERT", make(i, "n1", NULL, "info"));
    assert_int_equal(alerts.count, MIRROR_ALERTS_MAX);
    assert_null(mirror_alerts_find(&alerts, 10));
    assert_non_null(mirror_alerts_find(&alerts, 11));
    mirror_alerts_finish(&alerts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worst_unseen_alert_is_told),
        cmocka_unit_test(alert_that_grew_takes_its_own_place),
        cmocka_unit_test(what_is_no_alert_is_passed_over),
        cmocka_unit_test(number_of_alerts_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
