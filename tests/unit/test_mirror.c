#include "client/mirror.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *
parse(const char *text)
{
    json_error_t fault;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &fault);
    if (!value)
        fail_msg("%s: %s", text, fault.text);
    return value;
}

static bool
apply(struct mirror_view *view, const char *text)
{
    json_t *data = parse(text);
    struct error error = {0};
    bool ok = mirror_view_apply(view, data, &error);
    assert_int_equal(!ok, error.code != ERROR_CODE_NONE);
    json_decref(data);
    return ok;
}

static void
assert_row(const struct mirror_view *view, int row, const char *text)
{
    char joined[512] = "";
    for (size_t i = 0; i < view->lines[row].run_count; i++) {
        const struct mirror_run *run = &view->lines[row].runs[i];
        (void)snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined),
                       "%s%d:%s", i ? " " : "", run->col, run->text);
    }
    assert_string_equal(joined, text);
}

static void
clear_dirty(struct mirror_view *view)
{
    for (int i = 0; i < view->rows; i++)
        view->lines[i].is_dirty = false;
    view->shift_pending = 0;
}

static void
a_frame_replaces_rows_and_marks_them_dirty(void **state)
{
    (void)state;
    struct mirror_view view;
    mirror_view_init(&view, 3, 10);
    clear_dirty(&view);
    assert_true(apply(&view, "{\"view\": 1, \"frame\": 7, \"size\": [24, 80],"
                             "\"rows\": [[0, [0, \"ab\"], [4, \"cd\", 16777217,"
                             "33554432, 9, 16777218]], [2, [1, \"x\"]]],"
                             "\"cursor\": [2, 3, true, 1], \"history\": 12,"
                             "\"scroll\": 4, \"title\": \"t\","
                             "\"modes\": [\"alternate-screen\", \"new-one\","
                             "\"mouse-sgr\"]}"));
    assert_row(&view, 0, "0:ab 4:cd");
    assert_row(&view, 1, "");
    assert_row(&view, 2, "1:x");
    assert_true(view.lines[0].is_dirty);
    assert_false(view.lines[1].is_dirty);
    assert_int_equal(view.lines[0].runs[1].foreground,
                     MIRROR_COLOUR_INDEXED | 1);
    assert_int_equal(view.lines[0].runs[1].background, MIRROR_COLOUR_RGB);
    assert_int_equal(view.lines[0].runs[1].attributes,
                     MIRROR_BOLD | MIRROR_UNDERLINE);
    assert_int_equal(view.lines[0].runs[1].underline_colour,
                     MIRROR_COLOUR_INDEXED | 2);
    assert_int_equal(view.lines[0].runs[1].cols, 2);
    assert_int_equal(view.frame, 7);
    assert_int_equal(view.console_rows, 24);
    assert_int_equal(view.console_cols, 80);
    assert_int_equal(view.cursor_row, 2);
    assert_int_equal(view.cursor_col, 3);
    assert_true(view.is_cursor_visible);
    assert_int_equal(view.history, 12);
    assert_int_equal(view.scroll, 4);
    assert_string_equal(view.title, "t");
    assert_int_equal(view.modes,
                     MIRROR_MODE_ALTERNATE_SCREEN | MIRROR_MODE_MOUSE_SGR);
    mirror_view_finish(&view);
}

static void
what_an_event_leaves_out_stays(void **state)
{
    (void)state;
    struct mirror_view view;
    mirror_view_init(&view, 2, 10);
    assert_true(apply(&view, "{\"frame\": 1, \"history\": 5, \"title\": \"a\","
                             "\"cursor\": [1, 1, true, 0],"
                             "\"modes\": [\"mouse-click\"],"
                             "\"rows\": [[0, [0, \"a\"]]]}"));
    assert_true(apply(&view, "{\"frame\": 2}"));
    assert_row(&view, 0, "0:a");
    assert_int_equal(view.history, 5);
    assert_string_equal(view.title, "a");
    assert_int_equal(view.modes, MIRROR_MODE_MOUSE_CLICK);
    assert_int_equal(view.cursor_row, 1);
    assert_int_equal(view.frame, 2);
    assert_true(apply(&view, "{\"frame\": 3, \"modes\": [],"
                             "\"rows\": [[0]]}"));
    assert_int_equal(view.modes, 0);
    assert_row(&view, 0, "");
    mirror_view_finish(&view);
}

static void
a_shift_moves_rows_up_before_the_rows_are_set(void **state)
{
    (void)state;
    struct mirror_view view;
    mirror_view_init(&view, 3, 10);
    assert_true(apply(&view, "{\"frame\": 1, \"rows\": [[0, [0, \"a\"]],"
                             "[1, [0, \"b\"]], [2, [0, \"c\"]]]}"));
    clear_dirty(&view);
    assert_true(apply(&view, "{\"frame\": 2, \"shift\": 1,"
                             "\"rows\": [[2, [0, \"d\"]]]}"));
    assert_row(&view, 0, "0:b");
    assert_row(&view, 1, "0:c");
    assert_row(&view, 2, "0:d");
    assert_int_equal(view.shift_pending, 1);
    assert_true(view.lines[0].is_dirty && view.lines[1].is_dirty);
    assert_true(apply(&view, "{\"frame\": 3, \"shift\": 2147483647}"));
    assert_row(&view, 0, "");
    assert_row(&view, 2, "");
    assert_int_equal(view.shift_pending, 3);
    mirror_view_finish(&view);
}

static void
malformed_events_change_nothing(void **state)
{
    (void)state;
    static const char *const events[] = {
        "null",
        "[]",
        "{}",
        "{\"frame\": \"1\"}",
        "{\"frame\": -1}",
        "{\"frame\": 2, \"rows\": {}}",
        "{\"frame\": 2, \"rows\": [0]}",
        "{\"frame\": 2, \"rows\": [[]]}",
        "{\"frame\": 2, \"rows\": [[-1]]}",
        "{\"frame\": 2, \"rows\": [[\"0\"]]}",
        "{\"frame\": 2, \"rows\": [[0, [0, \"z\"]], [1, \"x\"]]}",
        "{\"frame\": 2, \"rows\": [[0, []]]}",
        "{\"frame\": 2, \"rows\": [[0, [0]]]}",
        "{\"frame\": 2, \"rows\": [[0, [-1, \"x\"]]]}",
        "{\"frame\": 2, \"rows\": [[0, [4294967296, \"x\"]]]}",
        "{\"frame\": 2, \"rows\": [[0, [0, 7]]]}",
        "{\"frame\": 2, \"rows\": [[0, [0, \"x\", \"red\"]]]}",
        "{\"frame\": 2, \"rows\": [[0, [0, \"x\", 4294967296]]]}",
        "{\"frame\": 2, \"rows\": [[0, [0, \"x\", 0, 0, -1]]]}",
        "{\"frame\": 2, \"rows\": [[0, [3, \"x\"], [3, \"y\"]]]}",
        "{\"frame\": 2, \"rows\": [[0, [3, \"x\"], [1, \"y\"]]]}",
        "{\"frame\": 2, \"shift\": -1}",
        "{\"frame\": 2, \"shift\": 1.5}",
        "{\"frame\": 2, \"cursor\": [1]}",
        "{\"frame\": 2, \"cursor\": {}}",
        "{\"frame\": 2, \"size\": [0, 80]}",
        "{\"frame\": 2, \"size\": [24, 100000]}",
        "{\"frame\": 2, \"size\": []}",
        "{\"frame\": 2, \"modes\": \"mouse\"}",
        "{\"frame\": 2, \"title\": 1}",
        "{\"frame\": 2, \"history\": -5}",
    };
    struct mirror_view view;
    mirror_view_init(&view, 2, 10);
    assert_true(apply(&view, "{\"frame\": 1, \"rows\": [[0, [0, \"a\"]],"
                             "[1, [0, \"b\"]]]}"));
    clear_dirty(&view);
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (apply(&view, events[i]))
            fail_msg("taken: %s", events[i]);
        assert_row(&view, 0, "0:a");
        assert_row(&view, 1, "0:b");
        assert_int_equal(view.frame, 1);
        assert_false(view.lines[0].is_dirty || view.lines[1].is_dirty);
    }
    /* and the next good one is not confused by what was thrown away */
    assert_true(apply(&view, "{\"frame\": 2, \"rows\": [[1, [0, \"c\"]]]}"));
    assert_row(&view, 0, "0:a");
    assert_row(&view, 1, "0:c");
    mirror_view_finish(&view);
}

static void
what_lies_outside_the_view_is_cut(void **state)
{
    (void)state;
    struct mirror_view view;
    mirror_view_init(&view, 2, 4);
    assert_true(apply(&view, "{\"frame\": 1, \"rows\": ["
                             "[0, [2, \"abcdef\"], [9, \"x\"]],"
                             "[1, [3, \"\\u4e2d\"]], [7, [0, \"far\"]],"
                             "[99999999999, [0, \"far\"]]],"
                             "\"cursor\": [5, 9, true, 99]}"));
    assert_row(&view, 0, "2:ab");
    assert_row(&view, 1, "");
    assert_int_equal(view.cursor_row, -1);
    assert_int_equal(view.cursor_col, 3);
    assert_int_equal(view.cursor_shape, 0);
    mirror_view_finish(&view);
}

static void
text_that_could_steer_the_terminal_is_made_harmless(void **state)
{
    (void)state;
    struct mirror_view view;
    mirror_view_init(&view, 4, 20);
    assert_true(apply(
        &view, "{\"frame\": 1, \"title\": \"a\\u001b]0;b\\u0007\","
               "\"rows\": ["
               "[0, [0, \"a\\u001b[2J\\u009b\"]],"
               "[1, [0, \"e\\u0301\\u202ex\\u200b\"]],"
               "[2, [0, \"\\u0301\\u0301\"], [1, \"\"], [2, \"\\u4e2dz\"]],"
               "[3, [0, \"a\\u0301\\u0301\\u0301\\u0301\\u0301\\u0301\\u0301"
               "\\u0301\\u0301\\u0301\\u0301\\u0301b\\n\\u007f\"]]]}"));
    assert_row(&view, 0, "0:a?[2J?");
    assert_row(&view, 1, "0:e\xcc\x81x");
    assert_int_equal(view.lines[1].runs[0].cols, 2);
    assert_row(&view, 2, "2:\xe4\xb8\xadz");
    assert_int_equal(view.lines[2].runs[0].cols, 3);
    assert_row(&view, 3,
               "0:a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81"
               "\xcc\x81"
               "b??");
    assert_null(strchr(view.title, '\033'));
    mirror_view_finish(&view);
}

static void
unknown_colours_and_attributes_are_dropped(void **state)
{
    (void)state;
    struct mirror_view view;
    mirror_view_init(&view, 1, 20);
    assert_true(apply(&view, "{\"frame\": 1, \"rows\": [[0, [0, \"a\","
                             "16777472, 4278190081, 4294967295, 5]]]}"));
    const struct mirror_run *run = &view.lines[0].runs[0];
    assert_int_equal(run->foreground, MIRROR_COLOUR_DEFAULT);
    assert_int_equal(run->background, MIRROR_COLOUR_DEFAULT);
    assert_int_equal(run->underline_colour, MIRROR_COLOUR_DEFAULT);
    assert_int_equal(run->attributes, 0x71FF);
    mirror_view_finish(&view);
}

static void
resizing_keeps_what_fits(void **state)
{
    (void)state;
    struct mirror_view view;
    mirror_view_init(&view, 3, 10);
    assert_true(apply(&view, "{\"frame\": 1, \"rows\": ["
                             "[0, [0, \"ab\"], [6, \"cd\"]],"
                             "[2, [0, \"x\"]]], \"cursor\": [2, 9, true, 0]}"));
    mirror_view_resize(&view, 2, 4);
    assert_row(&view, 0, "0:ab");
    assert_int_equal(view.cursor_row, -1);
    mirror_view_resize(&view, 5, 80);
    assert_row(&view, 0, "0:ab");
    assert_row(&view, 4, "");
    mirror_view_resize(&view, 0, -3);
    assert_int_equal(view.rows, 1);
    assert_int_equal(view.cols, 1);
    mirror_view_resize(&view, 100000, 100000);
    assert_true(view.rows <= 4096 && view.cols <= 4096);
    mirror_view_finish(&view);
    mirror_view_finish(&view);
}

#define GUEST(name, state)                                                     \
    "{\"name\": \"" name "\", \"kind\": \"qemu\", \"state\": \"" state         \
    "\", \"started-ms\": 5, \"consoles\": [{\"name\": \"ttyS0\","              \
    "\"activity-ms\": 10}, {\"name\": \"hvc0\", \"activity-ms\": 30}]}"

static void
load(struct mirror_fleet *fleet, const char *text)
{
    json_t *guests = parse(text);
    struct error error = {0};
    assert_true(mirror_fleet_load(fleet, guests, &error));
    json_decref(guests);
}

static bool
event(struct mirror_fleet *fleet, const char *name, const char *text)
{
    json_t *data = parse(text);
    bool changed = mirror_fleet_event(fleet, name, data);
    json_decref(data);
    return changed;
}

static void
a_fleet_follows_its_events(void **state)
{
    (void)state;
    struct mirror_fleet fleet = {0};
    load(&fleet, "[" GUEST("a", "running") "," GUEST("b", "defined") "]");
    assert_int_equal(fleet.count, 2);
    assert_string_equal(fleet.guests[1].state, "defined");
    assert_int_equal(fleet.guests[0].started_ms, 5);
    assert_int_equal(fleet.guests[0].activity_ms, 30);
    assert_true(event(&fleet, "GUEST_CHANGED", GUEST("b", "running")));
    assert_string_equal(mirror_fleet_find(&fleet, "b")->state, "running");
    assert_true(event(&fleet, "GUEST_CHANGED", GUEST("c", "starting")));
    assert_string_equal(fleet.guests[2].name, "c");
    assert_true(event(&fleet, "GUEST_ACTIVITY",
                      "{\"guest\": \"a\", \"console\": \"ttyS0\","
                      "\"offset\": 4, \"activity-ms\": 99}"));
    assert_int_equal(mirror_fleet_find(&fleet, "a")->activity_ms, 99);
    assert_true(event(&fleet, "GUEST_REMOVED", "{\"name\": \"a\"}"));
    assert_int_equal(fleet.count, 2);
    assert_null(mirror_fleet_find(&fleet, "a"));
    assert_string_equal(fleet.guests[0].name, "b");
    assert_false(event(&fleet, "GUEST_REMOVED", "{\"name\": \"a\"}"));
    assert_false(event(&fleet, "NOTICE", "{}"));
    assert_false(event(&fleet, "GUEST_LIST", "{\"guests\": [1]}"));
    assert_int_equal(fleet.count, 2);
    assert_true(event(&fleet, "GUEST_LIST",
                      "{\"guests\": [" GUEST("d", "running") "]}"));
    assert_int_equal(fleet.count, 1);
    assert_string_equal(fleet.guests[0].name, "d");
    mirror_fleet_finish(&fleet);
}

static void
bad_guests_are_refused_whole(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "{}",
        "[1]",
        "[" GUEST("a", "running") ", {}]",
        "[{\"name\": \"../x\", \"state\": \"running\"}]",
        "[{\"name\": \"x\"}]",
        "[{\"name\": 1, \"state\": \"running\"}]",
        "[{\"name\": \"x\", \"state\": []}]",
    };
    struct mirror_fleet fleet = {0};
    load(&fleet, "[" GUEST("keep", "running") "]");
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        json_t *guests = parse(lists[i]);
        struct error error = {0};
        assert_false(mirror_fleet_load(&fleet, guests, &error));
        assert_string_not_equal(error.text, "");
        assert_int_equal(fleet.count, 1);
        json_decref(guests);
    }
    assert_false(event(&fleet, "GUEST_CHANGED", "[]"));
    assert_false(event(&fleet, "GUEST_CHANGED", "{\"name\": \"\"}"));
    assert_false(event(&fleet, "GUEST_ACTIVITY", "{\"guest\": 1}"));
    mirror_fleet_finish(&fleet);
}

static void
strings_of_guests_are_made_fit_to_show(void **state)
{
    (void)state;
    struct mirror_fleet fleet = {0};
    load(&fleet, "[{\"name\": \"x\", \"state\": \"st\\u001b[0m\","
                 "\"exit\": {\"stderr\": [\"a\\u009bb\", \"ok\"]},"
                 "\"problem\": \"l1\\nl2\\u202e\"}]");
    const json_t *object = fleet.guests[0].object;
    assert_null(strchr(fleet.guests[0].state, '\033'));
    const json_t *lines =
        json_object_get(json_object_get(object, "exit"), "stderr");
    assert_string_equal(json_string_value(json_array_get(lines, 0)),
                        "a\xef\xbf\xbd"
                        "b");
    assert_string_equal(json_string_value(json_object_get(object, "problem")),
                        "l1\nl2\xef\xbf\xbd");
    mirror_fleet_finish(&fleet);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_replaces_rows_and_marks_them_dirty),
        cmocka_unit_test(what_an_event_leaves_out_stays),
        cmocka_unit_test(a_shift_moves_rows_up_before_the_rows_are_set),
        cmocka_unit_test(malformed_events_change_nothing),
        cmocka_unit_test(what_lies_outside_the_view_is_cut),
        cmocka_unit_test(text_that_could_steer_the_terminal_is_made_harmless),
        cmocka_unit_test(unknown_colours_and_attributes_are_dropped),
        cmocka_unit_test(resizing_keeps_what_fits),
        cmocka_unit_test(a_fleet_follows_its_events),
        cmocka_unit_test(bad_guests_are_refused_whole),
        cmocka_unit_test(strings_of_guests_are_made_fit_to_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
