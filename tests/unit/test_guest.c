#include "guest-world.h"

#include <fcntl.h>
#include <sys/wait.h>

/* Guests of 16 MiB that stay in their firmware, or run a few instructions of
 * real mode from a boot sector. */

#define FIRMWARE                                                               \
    "{\"machine\": \"pc\", \"accel\": \"tcg\", \"memory\": \"16M\"}"
#define BOOTS_SECTOR                                                           \
    "{\"machine\": \"pc\", \"accel\": \"tcg\", \"memory\": \"16M\", "          \
    "\"disks\": [{\"file\": \"boot.img\", \"format\": \"raw\", "               \
    "\"interface\": \"ide\"}]}"

/* SeaBIOS puts the ACPI registers at 0x600: status, enable (0x602), control
 * (0x604), where 0x2000 is "off". */
#define SAY_A 0xba, 0xf8, 0x03, 0xb0, 'A', 0xee
#define POWER_OFF 0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xf4, 0xeb, 0xfd

static const unsigned char powers_off[] = {SAY_A, POWER_OFF};

/* Enables the power button, waits for it, powers off. */
static const unsigned char obeys_button[] = {
    0xba,      0x02, 0x06,       /* mov dx, 0x602 */
    0xb8,      0x00, 0x01,       /* mov ax, 0x100 */
    0xef,                        /* out dx, ax */
    SAY_A,     0xba, 0x00, 0x06, /* mov dx, 0x600 */
    0xed,                        /* again: in ax, dx */
    0xf6,      0xc4, 0x01,       /* test ah, 1 */
    0x74,      0xfa,             /* jz again */
    POWER_OFF,
};

/* Takes the first press for nothing, and powers off at the second. */
static const unsigned char misses_button[] = {
    0xba,      0x02, 0x06,                   /* mov dx, 0x602 */
    0xb8,      0x00, 0x01,                   /* mov ax, 0x100 */
    0xef,                                    /* out dx, ax */
    SAY_A,     0xba, 0x00, 0x06,             /* mov dx, 0x600 */
    0xed,      0xf6, 0xc4, 0x01, 0x74, 0xfa, /* until pressed */
    0xb8,      0x00, 0x01, 0xef,             /* clear the status */
    0xed,      0xf6, 0xc4, 0x01, 0x74, 0xfa, /* until pressed */
    POWER_OFF,
};

/* Says A and halts. */
static const unsigned char halts[] = {SAY_A, 0xfa, 0xf4, 0xeb, 0xfd};

/* Tells pvpanic that the kernel panicked, then says B. */
static const unsigned char panics[] = {
    SAY_A, 0xba, 0x05, 0x05, /* mov dx, 0x505 */
    0xb0,  0x01,             /* mov al, 1 */
    0xee,                    /* out dx, al */
    0xfa,  0xf4, 0xeb, 0xfd,
};

static void
write_sector(const struct world *world, const unsigned char *code, size_t len)
{
    unsigned char image[1 << 16] = {0};
    memcpy(image, code, len);
    image[510] = 0x55;
    image[511] = 0xaa;
    char *path = scratch_path(world->dir, "boot.img");
    scratch_write(path, (const char *)image, sizeof(image));
    free(path);
}

static int
set_up(void **state)
{
    *state = world_new(NULL);
    return 0;
}

static int
tear_down(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < world->count; i++) {
        struct guest *guest = world->guests[i];
        if (guest_is_active(guest) && guest_state(guest) != GUEST_STATE_LOST)
            world_kill(world, guest);
    }
    world_free(world);
    return 0;
}

static pid_t
pid_of(struct guest *guest)
{
    return (pid_t)world_number(guest, "pid");
}

static bool
has_said_a(void *data)
{
    const struct world *world = data;
    return world->output.data &&
           memchr(world->output.data, 'A', world->output.len);
}

static void
guest_starts_and_is_forced_off(void **state)
{
    struct world *world = *state;
    struct guest *guest = world_define(world, "n1", FIRMWARE);
    assert_int_equal(guest_state(guest), GUEST_STATE_DEFINED);
    assert_false(guest_is_active(guest));
    assert_true(world_has_file(world, "n1", "spec.json"));
    struct outcome outcome = {0};
    struct error error = {0};
    assert_true(guest_start(guest, world_on_done, &outcome, &error));
    assert_int_equal(guest_state(guest), GUEST_STATE_STARTING);
    assert_false(outcome.is_done);
    assert_false(guest_start(guest, world_on_done, &outcome, &error));
    assert_int_equal(error.code, ERROR_CODE_STATE);
    world_finish(world, &outcome);
    assert_false(outcome.has_failed);
    assert_int_equal(guest_state(guest), GUEST_STATE_RUNNING);
    assert_true(world_says(guest, "run-state", "running"));
    assert_true(world_has_file(world, "n1", "run.json"));
    pid_t pid = pid_of(guest);
    assert_int_equal(kill(pid, 0), 0);
    world_kill(world, guest);
    assert_int_equal(guest_state(guest), GUEST_STATE_STOPPED);
    assert_true(world_says(guest, "exit.summary", "forced off"));
    assert_true(world_says(guest, "exit.reason", "host-qmp-quit"));
    assert_true(world_says(guest, "exit.command", "qemu-system-x86_64"));
    assert_int_equal(kill(pid, 0), -1);
    assert_false(world_has_file(world, "n1", "run.json"));
    assert_true(world_has_file(world, "n1", "exit.json"));
    assert_int_equal(access(world->paths.runtime_dir, F_OK), 0);
    assert_int_equal(rmdir(world->paths.runtime_dir), 0); /* no stale socket */
    assert_true(paths_make_dir(world->paths.runtime_dir, NULL));
}

static void
guest_pauses_resumes_and_resets(void **state)
{
    struct world *world = *state;
    write_sector(world, halts, sizeof(halts));
    struct guest *guest = world_define(world, "n1", BOOTS_SECTOR);
    assert_false(world_start(world, guest).has_failed);
    assert_true(run_until(&world->loop, has_said_a, world));
    struct error error = {0};
    struct outcome outcome = {0};
    assert_true(guest_pause(guest, world_on_done, &outcome, &error));
    world_finish(world, &outcome);
    assert_false(outcome.has_failed);
    assert_int_equal(guest_state(guest), GUEST_STATE_PAUSED);
    assert_false(guest_shutdown(guest, 0, 0, world_on_done, &outcome, &error));
    assert_non_null(strstr(error.text, "resume"));
    outcome = (struct outcome){0};
    assert_true(guest_resume(guest, world_on_done, &outcome, &error));
    world_finish(world, &outcome);
    assert_int_equal(guest_state(guest), GUEST_STATE_RUNNING);
    uint64_t boot = console_boot_offset(guest_console(guest, 0));
    buffer_reset(&world->output);
    outcome = (struct outcome){0};
    assert_true(guest_reset(guest, world_on_done, &outcome, &error));
    world_finish(world, &outcome);
    assert_false(outcome.has_failed);
    assert_true(run_until(&world->loop, has_said_a, world));
    assert_true(console_boot_offset(guest_console(guest, 0)) > boot);
}

static void
guest_that_powers_off_is_stopped(void **state)
{
    struct world *world = *state;
    write_sector(world, powers_off, sizeof(powers_off));
    struct guest *guest = world_define(world, "n1", BOOTS_SECTOR);
    assert_false(world_start(world, guest).has_failed);
    world_await(world, guest, "stopped");
    assert_true(world_says(guest, "exit.reason", "guest-shutdown"));
    assert_true(world_says(guest, "exit.summary", "the guest shut down"));
    assert_int_equal(world_number(guest, "exit.code"), 0);
    /* What it printed last is in when the state says so. */
    assert_true(has_said_a(world));
}

/* BOOTS_SECTOR with more arguments. */
static struct guest *
define_with(struct world *world, const char *args)
{
    char *entry = xasprintf("{\"machine\": \"pc\", \"accel\": \"tcg\", "
                            "\"memory\": \"16M\", \"disks\": [{\"file\": "
                            "\"boot.img\", \"format\": \"raw\", "
                            "\"interface\": \"ide\"}], \"args\": [%s]}",
                            args);
    struct guest *guest = world_define(world, "n1", entry);
    free(entry);
    return guest;
}

static void
guest_that_panics_has_crashed(void **state)
{
    struct world *world = *state;
    write_sector(world, panics, sizeof(panics));
    struct guest *guest = define_with(world, "\"-device\", \"pvpanic\"");
    assert_false(world_start(world, guest).has_failed);
    world_await(world, guest, "crashed");
    assert_true(world_says(guest, "exit.reason", "guest-panic"));
    assert_true(world_says(guest, "exit.summary", "panicked"));
    assert_non_null(strstr(world->notices.data, "panicked"));
}

static void
guest_paused_by_a_panic_runs_again_after_a_reset(void **state)
{
    struct world *world = *state;
    write_sector(world, panics, sizeof(panics));
    struct guest *guest = define_with(
        world, "\"-device\", \"pvpanic\", \"-action\", \"panic=pause\"");
    assert_false(world_start(world, guest).has_failed);
    world_await(world, guest, "guest-panicked");
    write_sector(world, halts, sizeof(halts));
    struct outcome outcome = {0};
    struct error error = {0};
    assert_true(guest_reset(guest, world_on_done, &outcome, &error));
    world_finish(world, &outcome);
    assert_false(outcome.has_failed);
    assert_int_equal(guest_state(guest), GUEST_STATE_RUNNING);
}

static void
qemu_told_to_stay_after_power_off_says_shutdown(void **state)
{
    struct world *world = *state;
    write_sector(world, powers_off, sizeof(powers_off));
    struct guest *guest = define_with(world, "\"-no-shutdown\"");
    assert_false(world_start(world, guest).has_failed);
    world_await(world, guest, "shutdown");
    world_kill(world, guest);
    assert_true(world_says(guest, "exit.reason", "host-qmp-quit"));
}

static void
second_demand_to_force_it_off_kills_at_once(void **state)
{
    struct world *world = *state;
    struct guest *guest = world_define(world, "n1", FIRMWARE);
    assert_false(world_start(world, guest).has_failed);
    assert_int_equal(kill(pid_of(guest), SIGSTOP), 0);
    struct outcome first = {0};
    struct outcome second = {0};
    assert_true(guest_kill(guest, world_on_done, &first, NULL));
    assert_true(guest_kill(guest, world_on_done, &second, NULL));
    /* It ends before any timer could have run out: the loop does not turn. */
    siginfo_t info = {0};
    assert_int_equal(
        waitid(P_PID, (id_t)pid_of(guest), &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(info.si_code, CLD_KILLED);
    world_finish(world, &second);
    assert_true(first.is_done);
}

static void
power_button_shuts_an_obedient_guest_down(void **state)
{
    struct world *world = *state;
    write_sector(world, obeys_button, sizeof(obeys_button));
    struct guest *guest = world_define(world, "n1", BOOTS_SECTOR);
    assert_false(world_start(world, guest).has_failed);
    assert_true(run_until(&world->loop, has_said_a, world));
    struct outcome outcome = {0};
    struct error error = {0};
    assert_true(guest_shutdown(guest, 0, 0, world_on_done, &outcome, &error));
    assert_int_equal(guest_state(guest), GUEST_STATE_SHUTTING_DOWN);
    world_finish(world, &outcome);
    assert_false(outcome.has_failed);
    assert_int_equal(guest_state(guest), GUEST_STATE_STOPPED);
}

static void
power_button_is_pressed_again_for_who_missed_it(void **state)
{
    struct world *world = *state;
    write_sector(world, misses_button, sizeof(misses_button));
    struct guest *guest = world_define(world, "n1", BOOTS_SECTOR);
    assert_false(world_start(world, guest).has_failed);
    assert_true(run_until(&world->loop, has_said_a, world));
    struct outcome outcome = {0};
    assert_true(guest_shutdown(guest, 0, 0, world_on_done, &outcome, NULL));
    world_finish(world, &outcome);
    assert_false(outcome.has_failed);
    assert_int_equal(guest_state(guest), GUEST_STATE_STOPPED);
}

static void
monitor_that_never_answers_ends_the_wait_for_the_start(void **state)
{
    struct world *world = *state;
    char *path = scratch_path(world->dir, "mute");
    scratch_write(path, "#!/bin/sh\nexec sleep 1000\n", 26);
    assert_int_equal(chmod(path, 0700), 0);
    free(path);
    world->context.start_timeout_ms = 50;
    struct guest *guest = world_define(world, "a", "{\"qemu\": \"./mute\"}");
    struct outcome outcome = world_start(world, guest);
    assert_true(outcome.has_failed);
    assert_int_equal(outcome.error.code, ERROR_CODE_TIMEOUT);
    assert_non_null(strstr(outcome.error.text, "not answered within 0.05 s"));
    assert_string_equal(guest_state_name(guest), "starting");
    world_kill(world, guest);
}

static void
ignored_power_button_times_out_and_leaves_it_running(void **state)
{
    struct world *world = *state;
    write_sector(world, halts, sizeof(halts));
    struct guest *guest = world_define(world, "n1", BOOTS_SECTOR);
    assert_false(world_start(world, guest).has_failed);
    struct outcome outcome = {0};
    struct error error = {0};
    assert_true(guest_shutdown(guest, 50, 0, world_on_done, &outcome, &error));
    world_finish(world, &outcome);
    assert_int_equal(outcome.error.code, ERROR_CODE_TIMEOUT);
    assert_int_equal(guest_state(guest), GUEST_STATE_RUNNING);
}

static void
killed_qemu_is_a_crash_with_its_signal(void **state)
{
    struct world *world = *state;
    struct guest *guest = world_define(world, "n1", FIRMWARE);
    assert_false(world_start(world, guest).has_failed);
    assert_int_equal(kill(pid_of(guest), SIGKILL), 0);
    world_await(world, guest, "crashed");
    assert_true(world_says(guest, "exit.signal", "SIGKILL"));
    assert_true(world_says(guest, "exit.summary", "killed by SIGKILL"));
    /* And it can be started again. */
    assert_false(world_start(world, guest).has_failed);
    assert_int_equal(guest_state(guest), GUEST_STATE_RUNNING);
    assert_true(world_has_file(world, "n1", "stderr.1.log"));
}

static void
terminated_qemu_is_a_clean_end(void **state)
{
    struct world *world = *state;
    struct guest *guest = world_define(world, "n1", FIRMWARE);
    assert_false(world_start(world, guest).has_failed);
    assert_int_equal(kill(pid_of(guest), SIGTERM), 0);
    world_await(world, guest, "stopped");
    assert_true(world_says(guest, "exit.reason", "host-signal"));
}

static void
bad_option_is_told_in_qemus_words(void **state)
{
    struct world *world = *state;
    struct guest *guest =
        world_define(world, "n1",
                     "{\"accel\": \"tcg\", \"memory\": \"16M\", "
                     "\"args\": [\"-device\", \"no-such-device\"]}");
    struct outcome outcome = world_start(world, guest);
    assert_true(outcome.has_failed);
    assert_int_equal(outcome.error.code, ERROR_CODE_GUEST);
    assert_non_null(strstr(outcome.error.text, "no-such-device"));
    assert_non_null(strstr(outcome.error.text, "status 1"));
    assert_int_equal(guest_state(guest), GUEST_STATE_CRASHED);
    assert_true(world_says(guest, "exit.summary", "before its monitor"));
    assert_true(world_says(guest, "exit.advice", "-device help"));
    assert_int_equal(world_number(guest, "exit.code"), 1);
}

static void
image_in_use_is_explained_by_who_has_it(void **state)
{
    struct world *world = *state;
    write_sector(world, halts, sizeof(halts));
    struct guest *one = world_define(world, "n1", BOOTS_SECTOR);
    struct guest *two = world_define(world, "n2", BOOTS_SECTOR);
    assert_false(world_start(world, one).has_failed);
    struct outcome outcome = world_start(world, two);
    assert_true(outcome.has_failed);
    char *holder = xasprintf("Process %d", (int)pid_of(one));
    assert_true(world_says(two, "exit.advice", holder));
    free(holder);
}

static void
stopped_qemu_is_killed_all_the_same(void **state)
{
    struct world *world = *state;
    struct guest *guest = world_define(world, "n1", FIRMWARE);
    assert_false(world_start(world, guest).has_failed);
    assert_int_equal(kill(pid_of(guest), SIGSTOP), 0);
    world_kill(world, guest);
    assert_int_equal(guest_state(guest), GUEST_STATE_STOPPED);
    assert_true(world_says(guest, "exit.signal", "SIGKILL"));
}

static void
starting_guest_can_be_killed(void **state)
{
    struct world *world = *state;
    struct guest *guest = world_define(world, "n1", FIRMWARE);
    struct outcome started = {0};
    struct error error = {0};
    assert_true(guest_start(guest, world_on_done, &started, &error));
    world_kill(world, guest);
    assert_true(started.is_done);
    assert_true(started.has_failed);
    assert_int_equal(guest_state(guest), GUEST_STATE_STOPPED);
}

static void
guest_at_a_breakpoint_before_boot_says_prelaunch(void **state)
{
    struct world *world = *state;
    struct guest *guest = world_define(
        world, "n1",
        "{\"accel\": \"tcg\", \"memory\": \"16M\", \"args\": [\"-S\"]}");
    assert_false(world_start(world, guest).has_failed);
    assert_int_equal(guest_state(guest), GUEST_STATE_OTHER);
    assert_string_equal(guest_state_name(guest), "prelaunch");
    struct outcome outcome = {0};
    struct error error = {0};
    assert_true(guest_resume(guest, world_on_done, &outcome, &error));
    world_finish(world, &outcome);
    assert_int_equal(guest_state(guest), GUEST_STATE_RUNNING);
}

struct reply {
    bool is_done;
    json_t *value;
    struct error error;
};

static void
on_reply(void *data, const json_t *value, const struct error *error)
{
    struct reply *reply = data;
    reply->is_done = true;
    reply->value = value ? json_deep_copy(value) : NULL;
    if (error)
        reply->error = *error;
}

static bool
has_reply(void *data)
{
    return ((struct reply *)data)->is_done;
}

static void
any_monitor_command_is_answered(void **state)
{
    struct world *world = *state;
    struct guest *guest = world_define(world, "n1", FIRMWARE);
    struct error error = {0};
    struct reply reply = {0};
    assert_false(
        guest_qmp(guest, "query-name", NULL, 0, on_reply, &reply, &error));
    assert_int_equal(error.code, ERROR_CODE_STATE);
    assert_false(world_start(world, guest).has_failed);
    assert_true(
        guest_qmp(guest, "query-name", NULL, 0, on_reply, &reply, &error));
    assert_true(run_until(&world->loop, has_reply, &reply));
    assert_string_equal(json_string_value(json_object_get(reply.value, "name")),
                        "n1");
    json_decref(reply.value);
    reply = (struct reply){0};
    assert_true(guest_qmp(guest, "no-such-command", json_object(), 0, on_reply,
                          &reply, &error));
    assert_true(run_until(&world->loop, has_reply, &reply));
    assert_null(reply.value);
    assert_int_equal(reply.error.code, ERROR_CODE_GUEST);
}

static void
running_guest_is_neither_removed_nor_redefined(void **state)
{
    struct world *world = *state;
    struct guest *guest = world_define(world, "n1", FIRMWARE);
    assert_false(world_start(world, guest).has_failed);
    struct error error = {0};
    assert_false(guest_remove(guest, GUEST_REMOVE_PURGE, &error));
    assert_int_equal(error.code, ERROR_CODE_STATE);
    assert_false(
        guest_update(guest, world_spec(world, "n1", FIRMWARE), &error));
    world_kill(world, guest);
    assert_true(guest_update(
        guest,
        world_spec(world, "n1", "{\"accel\": \"tcg\", \"memory\": \"24M\"}"),
        &error));
    assert_false(world_start(world, guest).has_failed);
    world_kill(world, guest);
    assert_true(guest_remove(guest, GUEST_REMOVE_PURGE, &error));
    char *dir = paths_guest_state_dir(&world->paths, "n1");
    assert_int_equal(access(dir, F_OK), -1);
    free(dir);
}

static void
removal_without_purge_keeps_the_logs(void **state)
{
    struct world *world = *state;
    struct guest *guest = world_define(world, "n1", FIRMWARE);
    assert_false(world_start(world, guest).has_failed);
    world_kill(world, guest);
    assert_true(guest_remove(guest, 0, NULL));
    assert_false(world_has_file(world, "n1", "spec.json"));
    assert_true(world_has_file(world, "n1", "ttyS0.log"));
    assert_true(world_has_file(world, "n1", "stderr.log"));
    guest_free(guest);
    world_forget(world, guest);
    assert_non_null(world_define(world, "n1", FIRMWARE));
}

static void
link_in_place_of_the_log_is_refused(void **state)
{
    struct world *world = *state;
    struct guest *guest = world_define(world, "n1", FIRMWARE);
    char *log = world_file(world, "n1", "ttyS0.log");
    char *victim = scratch_path(world->dir, "victim");
    scratch_write(victim, "precious", 8);
    assert_int_equal(unlink(log), 0);
    assert_int_equal(symlink(victim, log), 0);
    struct error error = {0};
    assert_false(guest_start(guest, NULL, NULL, &error));
    assert_non_null(strstr(error.text, "ttyS0.log"));
    assert_false(guest_is_active(guest));
    char *content = scratch_read(victim);
    assert_string_equal(content, "precious");
    free(content);
    free(victim);
    free(log);
}

static void
files_are_private(void **state)
{
    struct world *world = *state;
    struct guest *guest = world_define(world, "n1", FIRMWARE);
    assert_false(world_start(world, guest).has_failed);
    static const char *const files[] = {"spec.json", "run.json", "stderr.log",
                                        "ttyS0.log", "qemu.pid"};
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        char *path = world_file(world, "n1", files[i]);
        assert_int_equal(scratch_mode(path) & 077, 0);
        free(path);
    }
    char *socket = scratch_path(world->paths.runtime_dir, "n1.qmp");
    assert_int_equal(scratch_mode(socket), 0600);
    free(socket);
}

static void
on_done_then_free(void *data, const struct error *error)
{
    struct guest **guest = data;
    (void)error;
    guest_free(*guest);
    *guest = NULL;
}

static bool
is_gone(void *data)
{
    return *(struct guest **)data == NULL;
}

static void
guest_may_be_freed_when_it_is_done(void **state)
{
    struct world *world = *state;
    struct guest *guest = world_define(world, "n1", FIRMWARE);
    assert_false(world_start(world, guest).has_failed);
    world_forget(world, guest);
    assert_true(guest_kill(guest, on_done_then_free, &guest, NULL));
    assert_true(run_until(&world->loop, is_gone, &guest));
}

static void
what_waits_is_told_when_the_guest_is_let_go(void **state)
{
    struct world *world = *state;
    struct guest *guest = world_define(world, "n1", FIRMWARE);
    assert_false(world_start(world, guest).has_failed);
    pid_t pid = pid_of(guest);
    struct outcome outcome = {0};
    assert_true(guest_shutdown(guest, 0, 0, world_on_done, &outcome, NULL));
    guest_free(guest);
    world_forget(world, guest);
    assert_true(outcome.is_done);
    assert_int_equal(outcome.error.code, ERROR_CODE_STATE);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
sixteen_guests_start_at_once(void **state)
{
    struct world *world = *state;
    struct outcome outcomes[16] = {0};
    struct error error = {0};
    for (int i = 0; i < 16; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "n%d", i);
        struct guest *guest = world_define(
            world, name,
            "{\"accel\": \"tcg\", \"memory\": \"16M\", \"args\": [\"-S\"]}");
        assert_true(guest_start(guest, world_on_done, &outcomes[i], &error));
    }
    for (int i = 0; i < 16; i++) {
        world_finish(world, &outcomes[i]);
        assert_false(outcomes[i].has_failed);
    }
}

#define WITH_QEMU(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_QEMU(guest_starts_and_is_forced_off),
        WITH_QEMU(guest_pauses_resumes_and_resets),
        WITH_QEMU(guest_that_powers_off_is_stopped),
        WITH_QEMU(guest_that_panics_has_crashed),
        WITH_QEMU(guest_paused_by_a_panic_runs_again_after_a_reset),
        WITH_QEMU(qemu_told_to_stay_after_power_off_says_shutdown),
        WITH_QEMU(second_demand_to_force_it_off_kills_at_once),
        WITH_QEMU(power_button_shuts_an_obedient_guest_down),
        WITH_QEMU(power_button_is_pressed_again_for_who_missed_it),
        WITH_QEMU(monitor_that_never_answers_ends_the_wait_for_the_start),
        WITH_QEMU(ignored_power_button_times_out_and_leaves_it_running),
        WITH_QEMU(killed_qemu_is_a_crash_with_its_signal),
        WITH_QEMU(terminated_qemu_is_a_clean_end),
        WITH_QEMU(bad_option_is_told_in_qemus_words),
        WITH_QEMU(image_in_use_is_explained_by_who_has_it),
        WITH_QEMU(stopped_qemu_is_killed_all_the_same),
        WITH_QEMU(starting_guest_can_be_killed),
        WITH_QEMU(guest_at_a_breakpoint_before_boot_says_prelaunch),
        WITH_QEMU(any_monitor_command_is_answered),
        WITH_QEMU(running_guest_is_neither_removed_nor_redefined),
        WITH_QEMU(removal_without_purge_keeps_the_logs),
        WITH_QEMU(link_in_place_of_the_log_is_refused),
        WITH_QEMU(files_are_private),
        WITH_QEMU(guest_may_be_freed_when_it_is_done),
        WITH_QEMU(what_waits_is_told_when_the_guest_is_let_go),
        WITH_QEMU(sixteen_guests_start_at_once),
    };
    if (!world_has_qemu())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
