#include "base/xalloc.h"
#include "server/alerts.h"
#include "until.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct told {
    uv_loop_t loop;
    struct alerts *alerts;
    int new_count;
    int grown_count;
    uint64_t last_count;
};

static void
on_alert(void *data, const struct alert *alert, enum alerts_news news)
{
    struct told *told = data;
    told->new_count += news == ALERTS_NEW;
    told->grown_count += news != ALERTS_NEW;
    told->last_count = alert->count;
}

static const struct alerts_handlers handlers = {.on_alert = on_alert};

static void
begin(struct told *told)
{
    *told = (struct told){0};
    uv_loop_init(&told->loop);
    told->alerts = alerts_new(&told->loop, &handlers, told);
}

static void
end(struct told *told)
{
    alerts_free(told->alerts);
    assert_true(until_closed(&told->loop));
}

static const struct alert *
raise_one(struct told *told, const char *guest, const char *rule, int severity)
{
    struct alert_report report = {
        .guest = guest,
        .console = "ttyS0",
        .rule = rule,
        .message = "me\033ssage",
        .line = "a\tline\a",
        .offset = 7,
        .severity = severity,
    };
    return alerts_raise(told->alerts, &report);
}

static size_t
count(const struct told *told, const struct alerts_choice *choice)
{
    json_t *list = alerts_list(told->alerts, choice);
    size_t size = json_array_size(list);
    json_decref(list);
    return size;
}

static const struct alerts_choice all = {.severity = ALERT_UNSET};

static bool
has_grown(void *data)
{
    return ((struct told *)data)->grown_count > 0;
}

static void
same_thing_is_counted_and_told_once_a_second(void **state)
{
    (void)state;
    struct told told;
    begin(&told);
    for (int i = 0; i < 1000; i++)
        raise_one(&told, "n1", "a", ALERT_WARNING);
    raise_one(&told, "n2", "a", ALERT_WARNING);
    raise_one(&told, "n1", "b", ALERT_WARNING);
    assert_int_equal(told.new_count, 3);
    assert_int_equal(told.grown_count, 0);
    assert_true(run_until(&told.loop, has_grown, &told));
    assert_int_equal(told.grown_count, 1);
    assert_int_equal(told.last_count, 1000);
    assert_int_equal(count(&told, &all), 3);
    end(&told);
}

static void
texts_are_made_fit_to_show(void **state)
{
    (void)state;
    struct told told;
    begin(&told);
    const struct alert *alert = raise_one(&told, "n1", "a", ALERT_INFO);
    assert_null(strchr(alert->message, '\033'));
    assert_null(strchr(alert->line, '\a'));
    assert_null(strchr(alert->line, '\t'));
    end(&told);
}

static void
list_is_bounded_per_guest_and_in_all(void **state)
{
    (void)state;
    struct told told;
    begin(&told);
    for (int i = 0; i < 150; i++) {
        char *rule = xasprintf("rule-%d", i);
        raise_one(&told, "n1", rule, ALERT_INFO);
        free(rule);
    }
    struct alerts_choice own = {.guest = "n1", .severity = ALERT_UNSET};
    assert_int_equal(count(&told, &own), ALERTS_MAX_PER_GUEST);
    for (int i = 0; i < 1200; i++) {
        char *guest = xasprintf("guest-%d", i);
        raise_one(&told, guest, "a", ALERT_INFO);
        free(guest);
    }
    assert_int_equal(count(&told, &all), ALERTS_MAX);
    end(&told);
}

static void
alerts_are_chosen_seen_and_cleared(void **state)
{
    (void)state;
    struct told told;
    begin(&told);
    raise_one(&told, "n1", "a", ALERT_INFO);
    raise_one(&told, "n1", "b", ALERT_CRITICAL);
    raise_one(&told, "n2", "a", ALERT_WARNING);
    struct alerts_choice bad = {.severity = ALERT_WARNING};
    struct alerts_choice second = {.id = 2, .severity = ALERT_UNSET};
    assert_int_equal(count(&told, &bad), 2);
    json_t *ids = alerts_see(told.alerts, &second);
    assert_int_equal(json_array_size(ids), 1);
    json_decref(ids);
    ids = alerts_see(told.alerts, &all);
    assert_int_equal(json_array_size(ids), 2); /* not the one again */
    json_decref(ids);
    ids = alerts_clear(told.alerts, &second);
    assert_int_equal(json_integer_value(json_array_get(ids, 0)), 2);
    json_decref(ids);
    assert_int_equal(count(&told, &all), 2);
    end(&told);
}

static void
alerts_of_an_earlier_server_come_back(void **state)
{
    (void)state;
    struct told told;
    begin(&told);
    json_t *object = alert_to_json(raise_one(&told, "n1", "a", ALERT_CRITICAL));
    end(&told);
    begin(&told);
    json_object_set_new(object, "count", json_integer(5));
    alerts_restore(told.alerts, object);
    alerts_restore(told.alerts, object); /* told twice, there once */
    json_object_set_new(object, "severity", json_string("dreadful"));
    alerts_restore(told.alerts, object);
    json_object_set_new(object, "id", json_integer(-3));
    alerts_restore(told.alerts, object);
    alerts_restore(told.alerts, json_null());
    json_decref(object);
    assert_int_equal(told.new_count, 0);
    json_t *list = alerts_list(told.alerts, &all);
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(list, 0), "count")),
        5);
    json_decref(list);
    /* and new ones have other numbers */
    assert_int_equal(raise_one(&told, "n9", "z", ALERT_INFO)->id, 2);
    end(&told);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_thing_is_counted_and_told_once_a_second),
        cmocka_unit_test(texts_are_made_fit_to_show),
        cmocka_unit_test(list_is_bounded_per_guest_and_in_all),
        cmocka_unit_test(alerts_are_chosen_seen_and_cleared),
        cmocka_unit_test(alerts_of_an_earlier_server_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
