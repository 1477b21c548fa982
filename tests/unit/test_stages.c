#include "fleet/stage.h"
#include "server-fixture.h"

/* The stages of a boot, by a real server and programs that print what guests
 * print. */

/* What a guest prints, and the stage that tells. */
static const struct line_row {
    const char *line; /* as a shell's single-quoted printf takes it */
    const char *stage;
} line_rows[] = {
    {"SeaBIOS (version 1.16.2-debian-1.16.2-1)\\r\\n", "firmware"},
    {"iPXE (https://ipxe.org) 00:02.0 CA00 PCI2.10 PnP\\r\\n", "firmware"},
    {"UEFI firmware (version 2022.11 built at 20:00)\\r\\n", "firmware"},
    {"\\033[2J\\033[01;01HBdsDxe: loading Boot0001 \"UEFI Misc\"\\r\\n",
     "firmware"},
    {"U-Boot 2023.01 (Jan 09 2023 - 16:07:33 +0000)\\r\\n", "firmware"},
    {"\\033[5;22HGNU GRUB  version 2.06-13+deb12u1\\033[7;2H", "boot-loader"},
    {"GRUB loading.\\r\\n", "boot-loader"},
    {"\\033[47mWelcome to GRUB!\\r\\n", "boot-loader"},
    {"  Booting `Debian GNU/Linux'\"'\"'\\r\\n", "boot-loader"},
    {"ISOLINUX 6.04 20200816 ETCD Copyright (C) 1994\\r\\n", "boot-loader"},
    {"Boot in 4 s.\\r\\n", "boot-loader"},
    {"[    0.000000] Linux version 6.1.0-18-amd64 (debian)\\r\\n", "kernel"},
    {"EFI stub: Booting Linux Kernel...\\r\\n", "kernel"},
    {"[    1.234567] Run /init as init process\\r\\n", "init"},
    {"[    2.1] systemd[1]: systemd 252.22-1 running\\r\\n", "init"},
    {"Welcome to \\033[1mDebian GNU/Linux 12 (bookworm)\\033[0m!\\r\\n",
     "init"},
    {"[\\033[0;32m  OK  \\033[0m] Reached target basic.target.\\r\\n", "init"},
    {"   OpenRC 0.48 is starting up Linux 6.1\\r\\n", "init"},
    {"INIT: version 3.06 booting\\r\\n", "init"},
    {"[   12.3] cloud-init[321]: Cloud-init v. 22.4.2 running\\r\\n",
     "cloud-init"},
    {"ci-info: | eth0 | True | 10.0.2.15 |\\r\\n", "cloud-init"},
    {"\\r\\ndebian login: ", "login"},
    {"\\r\\nn1 login: [    2.648372] tsc: Refined\\r\\n", "login"},
    {"root@debian:~# ", "login"},
    {"[root@fedora ~]# ", "login"},
    {"Please press Enter to activate this console. ", "login"},
};

/* Starts a guest that prints a text and stays. The text has no quotes but
 * those that close and open again. */
static void
start_printer(struct fixture *f, const char *name, const char *text)
{
    char *script = xasprintf("stty raw -echo; printf '%s'; exec cat", text);
    client_start_guest(&f->client, name, script);
    free(script);
}

static json_t *
wait_until(struct fixture *f, const char *guest, const char *stage)
{
    return client_call(&f->client, "guest-wait",
                       json_pack("{s:s,s:s,s:i}", "guest", guest, "until",
                                 stage, "timeout-ms", WORLD_DEADLINE_MS));
}

static void
each_stage_is_known_by_its_lines(void **state)
{
    struct fixture *f = *state;
    size_t count = sizeof(line_rows) / sizeof(*line_rows);
    for (size_t i = 0; i < count; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "g%zu", i);
        start_printer(f, name, line_rows[i].line);
        json_t *guest = wait_until(f, name, line_rows[i].stage);
        if (strcmp(text_of(guest, "stage"), line_rows[i].stage) != 0)
            fail_msg("%s: stage %s", line_rows[i].line,
                     text_of(guest, "stage"));
    }
}

static void
stages_are_timed_and_kept_in_order(void **state)
{
    struct fixture *f = *state;
    start_printer(f, "a",
                  "SeaBIOS (version 1)\\r\\nLinux version 6.1\\r\\n"
                  "\\r\\na login: ");
    json_t *guest = wait_until(f, "a", "login");
    json_t *stages = json_object_get(guest, "stages");
    const char *const wanted[] = {"firmware", "kernel", "login"};
    assert_int_equal(json_array_size(stages), 3);
    json_int_t before = 0;
    for (size_t i = 0; i < 3; i++) {
        const json_t *one = json_array_get(stages, i);
        json_int_t at = json_integer_value(json_object_get(one, "at-ms"));
        assert_string_equal(text_of(one, "stage"), wanted[i]);
        assert_true(at >= before && at > 0);
        assert_true(json_integer_value(json_object_get(one, "after-ms")) >= 0);
        before = at;
    }
    /* what was passed counts as reached */
    (void)wait_until(f, "a", "init");
    /* the journal has what came after the firmware */
    json_t *records =
        json_object_get(client_call(&f->client, "event-list",
                                    json_pack("{s:s}", "kind", "stage")),
                        "events");
    assert_true(json_array_size(records) >= 1);
    const json_t *last = json_array_get(records, json_array_size(records) - 1);
    assert_string_equal(text_of(last, "stage"), "login");
    assert_string_equal(text_of(last, "guest"), "a");
}

static void
kernel_log_shown_later_is_no_new_boot(void **state)
{
    struct fixture *f = *state;
    client_start_guest(&f->client, "a",
                       "stty raw -echo; printf '\\r\\na login: '; read x; "
                       "printf 'Linux version 6.1\\r\\nshown\\r\\n'; read x; "
                       "printf 'SeaBIOS (version 1)\\r\\n'; exec cat");
    (void)wait_until(f, "a", "login");
    client_call(&f->client, "console-send",
                json_pack("{s:s,s:s}", "guest", "a", "text", "\n"));
    (void)client_expect(&f->client, "a", "^shown");
    json_t *guest = client_call(&f->client, "guest-query",
                                json_pack("{s:s}", "guest", "a"));
    assert_string_equal(text_of(guest, "stage"), "login");
    /* a firmware's banner is one, where no monitor tells of resets */
    client_call(&f->client, "events-subscribe", NULL);
    client_call(&f->client, "console-send",
                json_pack("{s:s,s:s}", "guest", "a", "text", "\n"));
    for (bool is_reset = false; !is_reset;) {
        json_t *event = client_event(&f->client, "GUEST_CHANGED");
        const char *stage = text_of(json_object_get(event, "data"), "stage");
        is_reset = stage && !strcmp(stage, "firmware");
        json_decref(event);
    }
}

static void
wait_for_a_stage_ends_with_the_guest(void **state)
{
    struct fixture *f = *state;
    client_start_guest(&f->client, "a",
                       "printf 'Linux version 6\\r\\n'; read x");
    (void)wait_until(f, "a", "kernel");
    int id =
        client_send(&f->client, "guest-wait",
                    json_pack("{s:s,s:s}", "guest", "a", "until", "login"));
    client_call(&f->client, "console-send",
                json_pack("{s:s,s:s}", "guest", "a", "text", "\r"));
    json_t *reply = client_reply(&f->client, id);
    assert_non_null(strstr(text_of(json_object_get(reply, "error"), "desc"),
                           "did not reach login"));
}

static void
running_is_waited_for_as_in_a_fleet_file(void **state)
{
    struct fixture *f = *state;
    start_printer(f, "a", "x");
    assert_string_equal(text_of(wait_until(f, "a", "running"), "state"),
                        "running");
}

static void
wrong_stages_are_told(void **state)
{
    struct fixture *f = *state;
    start_printer(f, "a", "x");
    assert_string_equal(
        client_fail(&f->client, "guest-wait",
                    json_pack("{s:s,s:s}", "guest", "a", "until", "logn"),
                    "Invalid"),
        "argument 'until': \"logn\" is no stage; did you mean \"login\"?");
    assert_string_equal(client_fail(&f->client, "guest-wait",
                                    json_pack("{s:s}", "guest", "a"),
                                    "Invalid"),
                        "say either 'states' or 'until'");
    assert_non_null(
        strstr(client_fail(&f->client, "guest-wait",
                           json_pack("{s:s,s:s,s:i}", "guest", "a", "until",
                                     "login", "timeout-ms", 1),
                           "Timeout"),
               "has not reached login within 1 ms"));
}

static void
boot_that_hangs_names_itself(void **state)
{
    struct fixture *f = *state;
    client_call(&f->client, "events-subscribe", NULL);
    client_call(
        &f->client, "guest-define",
        json_pack("{s:s,s:{s:[s,s,s],s:{s:i}},s:s,s:b}", "name", "a", "spec",
                  "exec", "/bin/sh", "-c",
                  "stty raw -echo; printf 'Linux version 6.1\\r\\nWaiting for "
                  "root device /dev/vda1...\\r\\n'; exec cat",
                  "stall", "kernel", 1, "directory", "/", "start", 1));
    json_t *event = client_event(&f->client, "ALERT");
    const json_t *alert = json_object_get(event, "data");
    assert_string_equal(text_of(alert, "rule"), "stalled");
    assert_string_equal(text_of(alert, "text"),
                        "the boot hangs: for 1s it has not come further than "
                        "kernel; its last line: Waiting for root device "
                        "/dev/vda1...");
    assert_string_equal(text_of(alert, "line"),
                        "Waiting for root device /dev/vda1...");
    json_decref(event);
    json_t *guest = client_call(&f->client, "guest-query",
                                json_pack("{s:s}", "guest", "a"));
    assert_true(json_is_true(json_object_get(guest, "stalled")));
}

/* What a guest says of cloud-init, once its phase is the wanted one. */
static json_t *
wait_cloud(struct fixture *f, const char *phase)
{
    for (;;) {
        json_t *event = client_event(&f->client, "GUEST_CHANGED");
        json_t *cloud = json_incref(
            json_object_get(json_object_get(event, "data"), "cloud-init"));
        json_decref(event);
        const char *is = text_of(cloud, "phase");
        if (is && !strcmp(is, phase))
            return cloud;
        json_decref(cloud);
    }
}

static void
cloud_init_is_followed_to_its_end(void **state)
{
    struct fixture *f = *state;
    client_call(&f->client, "events-subscribe", NULL);
    start_printer(
        f, "a",
        "[   93.8] cloud-init[241]: Cloud-init v. 22.4.2 running "
        "'\"'\"'init-local'\"'\"' at Thu\\r\\n"
        "ci-info: |  ens3  | True | 10.0.2.15 | 255.255.255.0 | global | "
        "52:54:00:12:34:56 |\\r\\n"
        "\\r\\na login: [\\033[1m9\\033[0m] cloud-init[3]: Cloud-init "
        "\\033[1mv. 22\\033[0m running '\"'\"'modules:final'\"'\"' at "
        "Thu\\r\\n"
        "2026-11-26 - util.py[WARNING]: Running module locale failed\\r\\n"
        "a login: ");
    json_decref(wait_cloud(f, "modules:final"));
    (void)wait_until(f, "a", "login");
    json_t *guest = client_call(&f->client, "guest-query",
                                json_pack("{s:s}", "guest", "a"));
    const json_t *cloud = json_object_get(guest, "cloud-init");
    assert_int_equal(
        json_integer_value(json_object_get(cloud, "failure-count")), 1);
    assert_string_equal(json_string_value(json_array_get(
                            json_object_get(cloud, "failures"), 0)),
                        "WARNING]: Running module locale failed");
    const json_t *addresses = json_object_get(guest, "addresses");
    assert_string_equal(text_of(json_array_get(addresses, 0), "address"),
                        "10.0.2.15");
    /* Another boot knows nothing of it. */
    client_call(
        &f->client, "console-send",
        json_pack("{s:s,s:s}", "guest", "a", "text", "SeaBIOS (version 1)\n"));
    for (bool is_gone = false; !is_gone;) {
        json_t *event = client_event(&f->client, "GUEST_CHANGED");
        const json_t *data = json_object_get(event, "data");
        is_gone = !strcmp(text_of(data, "stage"), "firmware") &&
                  json_is_null(json_object_get(data, "cloud-init"));
        json_decref(event);
    }
}

static void
names_are_parsed_and_the_nearest_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < STAGE_COUNT; i++) {
        enum stage stage = STAGE_COUNT;
        assert_true(stage_parse(stage_name((enum stage)i), &stage, NULL));
        assert_int_equal(stage, i);
    }
    enum stage stage = STAGE_COUNT;
    const char *near = NULL;
    assert_false(stage_parse("cloudinit", &stage, &near));
    assert_string_equal(near, "cloud-init");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_parsed_and_the_nearest_is_told),
        SERVED(each_stage_is_known_by_its_lines),
        SERVED(stages_are_timed_and_kept_in_order),
        SERVED(kernel_log_shown_later_is_no_new_boot),
        SERVED(wait_for_a_stage_ends_with_the_guest),
        SERVED(running_is_waited_for_as_in_a_fleet_file),
        SERVED(wrong_stages_are_told),
        SERVED(boot_that_hangs_names_itself),
        SERVED(cloud_init_is_followed_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
