#include "server-world.h"

/* Several clients of one server: who looks, who types, who may. */

struct fixture {
    struct world world;
    struct client one;
    struct client two;
};

static int64_t
name_client(struct client *client, const char *name, bool is_readonly)
{
    json_t *arguments = json_pack("{s:s,s:s}", "name", name, "program", "deck");
    if (is_readonly)
        json_object_set_new(arguments, "read-only", json_true());
    return json_integer_value(json_object_get(
        client_call(client, "client-set", arguments), "client"));
}

static int
set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    world_init(&f->world);
    client_open(&f->one, &f->world);
    client_open(&f->two, &f->world);
    name_client(&f->one, "one@pts/1", false);
    name_client(&f->two, "two@pts/2", false);
    client_start_guest(&f->one, "g", "stty raw -echo; echo ready; exec cat");
    client_expect(&f->one, "g", "ready");
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    client_close(&f->one);
    client_close(&f->two);
    world_finish(&f->world);
    free(f);
    return 0;
}

static void
open_view(struct client *client, int rows, int cols)
{
    client_call(client, "view-open",
                json_pack("{s:s,s:i,s:i,s:b,s:b}", "guest", "g", "rows", rows,
                          "cols", cols, "focus", 1, "resize", 1));
}

static void
type(struct client *client, const char *text)
{
    client_call(client, "console-send",
                json_pack("{s:s,s:s}", "guest", "g", "text", text));
}

/* The console's size, as rows * 1000 + columns. */
static int64_t
console_size(struct client *client)
{
    json_t *value = client_call(client, "console-capture",
                                json_pack("{s:s}", "guest", "g"));
    return json_integer_value(json_object_get(value, "rows")) * 1000 +
           json_integer_value(json_object_get(value, "cols"));
}

static const char *
name_in(const json_t *data, const char *member)
{
    const char *name = json_string_value(
        json_object_get(json_object_get(data, member), "name"));
    return name ? name : "";
}

/* Waits for a CONSOLE_CLIENTS that says so. */
static void
await_clients(struct client *client, int64_t watchers, const char *typist,
              const char *holder)
{
    for (;;) {
        json_t *event = client_event(client, "CONSOLE_CLIENTS");
        json_t *data = json_object_get(event, "data");
        bool is_it =
            json_integer_value(json_object_get(data, "watchers")) == watchers &&
            !strcmp(name_in(data, "typist"), typist) &&
            !strcmp(name_in(data, "holder"), holder);
        json_decref(event);
        if (is_it)
            return;
    }
}

/* Waits for one that tells who has the keyboard; "": nobody. */
static void
await_holder(struct client *client, const char *holder)
{
    for (;;) {
        json_t *event = client_event(client, "CONSOLE_CLIENTS");
        bool is_it =
            !strcmp(name_in(json_object_get(event, "data"), "holder"), holder);
        json_decref(event);
        if (is_it)
            return;
    }
}

static void
others_are_told_who_looks_and_types(void **state)
{
    struct fixture *f = *state;
    client_call(&f->one, "events-subscribe", NULL);
    client_call(&f->two, "events-subscribe", NULL);
    open_view(&f->one, 20, 60);
    await_clients(&f->two, 1, "", "");
    open_view(&f->two, 20, 60);
    await_clients(&f->one, 2, "", "");
    type(&f->two, "x");
    await_clients(&f->one, 2, "two@pts/2", "");
    /* some seconds later nobody types any more */
    await_clients(&f->one, 2, "", "");
    client_close(&f->two);
    await_clients(&f->one, 1, "", "");
    client_open(&f->two, &f->world);
    client_call(&f->two, "events-subscribe", NULL);
    await_clients(&f->two, 1, "", "");
}

static void
a_keyboard_that_was_taken_is_for_one_client(void **state)
{
    struct fixture *f = *state;
    json_t *guest = json_pack("{s:s}", "guest", "g");
    client_call(&f->two, "events-subscribe", NULL);
    client_call(&f->one, "keyboard-take", json_incref(guest));
    await_holder(&f->two, "one@pts/1");
    type(&f->one, "mine");
    const char *text = client_fail(
        &f->two, "console-send",
        json_pack("{s:s,s:s}", "guest", "g", "text", "x"), "Denied");
    assert_non_null(strstr(text, "one@pts/1"));
    client_fail(&f->two, "console-fit",
                json_pack("{s:s,s:b}", "guest", "g", "force", 1), "Denied");
    client_fail(&f->two, "keyboard-release", json_incref(guest), "State");
    /* what is no typing stays everybody's */
    client_call(&f->two, "guest-query", json_incref(guest));
    client_call(&f->two, "keyboard-take", json_incref(guest));
    await_holder(&f->two, "two@pts/2");
    type(&f->two, "yours");
    client_fail(&f->one, "console-send",
                json_pack("{s:s,s:s}", "guest", "g", "text", "x"), "Denied");
    client_call(&f->two, "keyboard-release", json_incref(guest));
    type(&f->one, "everybody's");
    /* whoever leaves lets go of it */
    client_call(&f->one, "keyboard-take", json_incref(guest));
    await_holder(&f->two, "one@pts/1");
    client_close(&f->one);
    await_holder(&f->two, "");
    type(&f->two, "mine again");
    json_decref(guest);
}

static void
a_read_only_client_looks_and_does_nothing(void **state)
{
    struct fixture *f = *state;
    name_client(&f->two, "guest", true);
    open_view(&f->two, 5, 30);
    assert_int_equal(console_size(&f->two), 24080);
    client_call(&f->two, "console-log", json_pack("{s:s}", "guest", "g"));
    static const char *const methods[] = {"guest-kill", "guest-shutdown",
                                          "guest-restart", "keyboard-take",
                                          "console-fit"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        client_fail(&f->two, methods[i], json_pack("{s:s}", "guest", "g"),
                    "Denied");
    client_fail(&f->two, "console-send",
                json_pack("{s:s,s:s}", "guest", "g", "text", "x"), "Denied");
    client_fail(&f->two, "server-quit", NULL, "Denied");
    /* a mouse that moves over its view is no fault, and nothing is typed */
    client_call(
        &f->one, "console-send",
        json_pack("{s:s,s:s}", "guest", "g", "text", "\033[?1000h\033[?1006h"));
    client_expect(&f->one, "g", "ready");
    client_call(&f->two, "view-mouse",
                json_pack("{s:i,s:s,s:i,s:i}", "view", 1, "event", "press",
                          "row", 1, "col", 1));
    client_fail(&f->two, "client-set", json_pack("{s:b}", "read-only", 0),
                "Denied");
    client_fail(&f->two, "console-send",
                json_pack("{s:s,s:s}", "guest", "g", "text", "x"), "Denied");
    json_t *value =
        client_call(&f->one, "guest-query", json_pack("{s:s}", "guest", "g"));
    assert_string_equal(json_string_value(json_object_get(value, "state")),
                        "running");
}

static void
a_read_only_guest_takes_no_typing(void **state)
{
    struct fixture *f = *state;
    client_call(&f->one, "guest-define",
                json_pack("{s:s,s:{s:[s],s:b},s:s,s:b,s:b}", "name", "r",
                          "spec", "exec", "cat", "read-only", 1, "directory",
                          "/", "start", 1, "wait", 1));
    const char *text = client_fail(
        &f->one, "console-send",
        json_pack("{s:s,s:s}", "guest", "r", "text", "x"), "Denied");
    assert_non_null(strstr(text, "fleet file"));
    client_fail(&f->one, "keyboard-take", json_pack("{s:s}", "guest", "r"),
                "Denied");
    json_t *value = client_call(
        &f->one, "guest-kill", json_pack("{s:s,s:b}", "guest", "r", "wait", 1));
    assert_true(json_is_true(json_object_get(value, "read-only")));
}

static void
the_view_used_last_decides_about_the_size(void **state)
{
    struct fixture *f = *state;
    open_view(&f->one, 30, 100);
    assert_int_equal(console_size(&f->one), 30100);
    open_view(&f->two, 10, 40);
    assert_int_equal(console_size(&f->one), 10040);
    type(&f->one, "x");
    assert_int_equal(console_size(&f->one), 30100);
    type(&f->two, "x");
    assert_int_equal(console_size(&f->one), 10040);
    /* and when its client leaves, that of the one before */
    client_close(&f->two);
    client_open(&f->two, &f->world);
    while (console_size(&f->two) != 30100)
        client_call(&f->two, "query-version", NULL);
}

static void
a_fixed_size_stays(void **state)
{
    struct fixture *f = *state;
    client_call(&f->one, "guest-define",
                json_pack("{s:s,s:{s:[s,s,s],s:{s:i,s:i}},s:s,s:b,s:b}", "name",
                          "s", "spec", "exec", "/bin/sh", "-c",
                          "stty size; exec cat", "console", "rows", 13, "cols",
                          41, "directory", "/", "start", 1, "wait", 1));
    client_expect(&f->one, "s", "^13 41");
    client_call(&f->one, "view-open",
                json_pack("{s:s,s:i,s:i,s:b,s:b}", "guest", "s", "rows", 40,
                          "cols", 150, "focus", 1, "resize", 1));
    client_call(&f->one, "console-send",
                json_pack("{s:s,s:s}", "guest", "s", "text", "x\n"));
    client_fail(&f->one, "console-resize",
                json_pack("{s:s,s:i,s:i}", "guest", "s", "rows", 9, "cols", 9),
                "State");
    json_t *value = client_call(&f->one, "console-capture",
                                json_pack("{s:s}", "guest", "s"));
    assert_int_equal(json_integer_value(json_object_get(value, "rows")), 13);
    assert_int_equal(json_integer_value(json_object_get(value, "cols")), 41);
}

static void
a_size_is_typed_at_a_prompt_only(void **state)
{
    struct fixture *f = *state;
    client_start_guest(&f->one, "p",
                       "stty -echo; printf 'login: '; read x; "
                       "printf '~ # '; read y; echo \"got $y\"; exec cat");
    client_expect(&f->one, "p", "login: $");
    json_t *value =
        client_call(&f->one, "console-fit", json_pack("{s:s}", "guest", "p"));
    assert_true(json_is_false(json_object_get(value, "typed")));
    assert_string_equal(json_string_value(json_object_get(value, "reason")),
                        "the guest asks for a login");
    assert_string_equal(json_string_value(json_object_get(value, "text")),
                        "stty rows 24 cols 80");
    client_call(&f->one, "console-send",
                json_pack("{s:s,s:b}", "guest", "p", "enter", 1));
    client_expect(&f->one, "p", "~ # $");
    value = client_call(&f->one, "console-fit",
                        json_pack("{s:s,s:b}", "guest", "p", "dry-run", 1));
    assert_true(json_is_false(json_object_get(value, "typed")));
    assert_true(json_is_null(json_object_get(value, "reason")));
    value =
        client_call(&f->one, "console-fit", json_pack("{s:s}", "guest", "p"));
    assert_true(json_is_true(json_object_get(value, "typed")));
    client_expect(&f->one, "p", "got stty rows 24 cols 80$");
    /* behind it there is no prompt */
    value =
        client_call(&f->one, "console-fit", json_pack("{s:s}", "guest", "p"));
    assert_true(json_is_false(json_object_get(value, "typed")));
    value = client_call(&f->one, "console-fit",
                        json_pack("{s:s,s:b}", "guest", "p", "force", 1));
    assert_true(json_is_true(json_object_get(value, "typed")));
}

static void
clients_are_listed_with_what_they_do(void **state)
{
    struct fixture *f = *state;
    name_client(&f->two, "\033]0;x\a two \xC2\x9B\xE2\x80\xAE", true);
    open_view(&f->two, 5, 30);
    type(&f->one, "x");
    client_call(&f->one, "keyboard-take", json_pack("{s:s}", "guest", "g"));
    json_t *list = client_call(&f->one, "query-clients", NULL);
    assert_int_equal(json_array_size(list), 2);
    const json_t *one = json_array_get(list, 0);
    const json_t *two = json_array_get(list, 1);
    assert_string_equal(json_string_value(json_object_get(one, "name")),
                        "one@pts/1");
    assert_true(json_is_true(json_object_get(one, "self")));
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(one, "holds"), 0)),
        "g:console");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(one, "types"), 0)),
        "g:console");
    const char *name = json_string_value(json_object_get(two, "name"));
    assert_null(strchr(name, '\033'));
    assert_null(strstr(name, "\xE2\x80\xAE"));
    assert_true(json_is_true(json_object_get(two, "read-only")));
    const json_t *view = json_array_get(json_object_get(two, "views"), 0);
    assert_string_equal(json_string_value(json_object_get(view, "guest")), "g");
    assert_true(json_is_false(json_object_get(view, "focus")));
}

static void
a_view_is_panned_until_somebody_types(void **state)
{
    struct fixture *f = *state;
    client_call(
        &f->one, "view-open",
        json_pack("{s:s,s:i,s:i}", "guest", "g", "rows", 5, "cols", 20));
    client_call(&f->one, "view-change",
                json_pack("{s:i,s:i,s:i}", "view", 1, "row", 10, "column", 30));
    for (int frame = 1;; frame++) {
        json_t *event = client_event(&f->one, "SCREEN");
        json_t *origin =
            json_object_get(json_object_get(event, "data"), "origin");
        int64_t row = json_integer_value(json_array_get(origin, 0));
        int64_t col = json_integer_value(json_array_get(origin, 1));
        bool origin_told = origin != NULL;
        json_decref(event);
        client_call(&f->one, "view-ack",
                    json_pack("{s:i,s:i}", "view", 1, "frame", frame));
        if (row == 10 && col == 30)
            type(&f->one, "x");
        else if (frame > 2 && origin_told && row <= 1 && col == 0)
            break;
    }
}

static int64_t
open_focused(struct client *client, const char *guest)
{
    json_t *value = client_call(client, "view-open",
                                json_pack("{s:s,s:i,s:i,s:b}", "guest", guest,
                                          "rows", 5, "cols", 60, "focus", 1));
    return json_integer_value(json_object_get(value, "view"));
}

static void
change_view(struct client *client, int64_t view, const char *what, bool is_so)
{
    client_call(client, "view-change",
                json_pack("{s:I,s:b}", "view", (json_int_t)view, what, is_so));
}

static void
focus_is_told_to_a_guest_that_asked(void **state)
{
    struct fixture *f = *state;
    /* one that did not ask hears nothing */
    open_focused(&f->one, "g");
    type(&f->one, "a");
    client_expect(&f->one, "g", "^a$");
    client_start_guest(&f->one, "f",
                       "stty raw -echo; printf '\\033[?1004hready'; "
                       "exec cat -v");
    client_expect(&f->one, "f", "ready");

    int64_t one = open_focused(&f->one, "f");
    int64_t two = open_focused(&f->two, "f");  /* it has the focus already */
    change_view(&f->one, one, "focus", false); /* … and keeps it */
    change_view(&f->two, two, "away", true);
    change_view(&f->two, two, "away", true);
    change_view(&f->two, two, "away", false);
    client_call(&f->two, "view-close",
                json_pack("{s:I}", "view", (json_int_t)two));
    client_call(&f->one, "console-send",
                json_pack("{s:s,s:s}", "guest", "f", "text", "|"));
    client_expect(&f->one, "f",
                  "ready\\^\\[\\[I\\^\\[\\[O\\^\\[\\[I\\^\\[\\[O\\|$");
    /* one who may not type makes no input either */
    name_client(&f->two, "two@pts/2", true);
    open_focused(&f->two, "f");
    client_call(&f->one, "console-send",
                json_pack("{s:s,s:s}", "guest", "f", "text", "!"));
    client_expect(&f->one, "f", "\\[O\\|!$");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(others_are_told_who_looks_and_types),
        TEST(a_keyboard_that_was_taken_is_for_one_client),
        TEST(a_read_only_client_looks_and_does_nothing),
        TEST(a_read_only_guest_takes_no_typing),
        TEST(the_view_used_last_decides_about_the_size),
        TEST(a_fixed_size_stays),
        TEST(a_size_is_typed_at_a_prompt_only),
        TEST(clients_are_listed_with_what_they_do),
        TEST(a_view_is_panned_until_somebody_types),
        TEST(focus_is_told_to_a_guest_that_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
