#include "guest-world.h"
#include "qemu/process.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

/* A server is gone (its memory is: nothing was told to QEMU), and another one
 * finds what it left. */

#define FIRMWARE                                                               \
    "{\"machine\": \"pc\", \"accel\": \"tcg\", \"memory\": \"16M\"}"

struct places {
    struct world *first;
    struct world *second;
};

static int
set_up(void **state)
{
    struct places *places = xcalloc(1, sizeof(*places));
    places->first = world_new(NULL);
    *state = places;
    return 0;
}

static void
kill_all(struct world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        struct guest *guest = world->guests[i];
        if (guest_is_active(guest) && guest_state(guest) != GUEST_STATE_LOST)
            world_kill(world, guest);
    }
}

static int
tear_down(void **state)
{
    struct places *places = *state;
    if (places->second) {
        kill_all(places->second);
        world_free(places->second);
    } else {
        kill_all(places->first);
    }
    world_free(places->first);
    free(places);
    return 0;
}

/* Forgets all guests as a killed server does. */
static void
forget(struct world *world)
{
    while (world->count)
        guest_free(world->guests[--world->count]);
    for (int turn = 0; turn < 3; turn++)
        uv_run(&world->loop, UV_RUN_NOWAIT);
}

/* The server dies and a new one looks around. */
static struct world *
succeed(struct places *places)
{
    forget(places->first);
    places->second = world_adopt(places->first->dir);
    return places->second;
}

static pid_t
start(struct places *places, const char *name)
{
    struct guest *guest = world_define(places->first, name, FIRMWARE);
    assert_false(world_start(places->first, guest).has_failed);
    return (pid_t)world_number(guest, "pid");
}

/* Changes one member of run.json; value: stolen. */
static void
tamper(struct places *places, const char *name, const char *member,
       json_t *value)
{
    char *path = world_file(places->first, name, "run.json");
    json_t *run = json_read_file(path, 1 << 20, NULL);
    assert_non_null(run);
    json_object_set_new(run, member, value);
    assert_true(json_write_file(run, path, NULL));
    json_decref(run);
    free(path);
}

static void
running_guest_is_adopted(void **state)
{
    struct places *places = *state;
    pid_t pid = start(places, "n1");
    int64_t started_ms = world_number(places->first->guests[0], "started-ms");
    struct world *world = succeed(places);
    assert_int_equal(world->count, 1);
    struct guest *guest = world->guests[0];
    assert_int_equal(guest_state(guest), GUEST_STATE_STARTING);
    world_await(world, guest, "running");
    assert_int_equal(world_number(guest, "pid"), pid);
    assert_int_equal(world_number(guest, "started-ms"), started_ms);
    json_t *object;
    const json_t *adopted = world_member(guest, "adopted", &object);
    assert_true(json_is_true(adopted));
    json_decref(object);
    world_kill(world, guest);
    assert_int_equal(guest_state(guest), GUEST_STATE_STOPPED);
    assert_false(world_start(world, guest).has_failed);
}

static void
paused_guest_is_adopted_as_paused(void **state)
{
    struct places *places = *state;
    start(places, "n1");
    struct outcome outcome = {0};
    assert_true(
        guest_pause(places->first->guests[0], world_on_done, &outcome, NULL));
    world_finish(places->first, &outcome);
    struct world *world = succeed(places);
    world_await(world, world->guests[0], "paused");
}

static void
order_of_definition_is_kept(void **state)
{
    struct places *places = *state;
    static const char *const names[] = {"zulu", "alpha", "n10", "n2"};
    for (size_t i = 0; i < 4; i++)
        world_define(places->first, names[i], FIRMWARE);
    struct world *world = succeed(places);
    assert_int_equal(world->count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(guest_name(world->guests[i]), names[i]);
        assert_int_equal(guest_state(world->guests[i]), GUEST_STATE_DEFINED);
    }
}

static void
guest_killed_meanwhile_is_reported_as_crashed(void **state)
{
    struct places *places = *state;
    pid_t pid = start(places, "n1");
    forget(places->first);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    struct world *world = succeed(places);
    struct guest *guest = world->guests[0];
    assert_int_equal(guest_state(guest), GUEST_STATE_CRASHED);
    assert_true(world_says(guest, "exit.summary", "killed or aborted"));
    assert_false(world_start(world, guest).has_failed);
}

static void
guest_ended_meanwhile_is_reported_as_stopped(void **state)
{
    struct places *places = *state;
    pid_t pid = start(places, "n1");
    forget(places->first);
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    struct world *world = succeed(places);
    struct guest *guest = world->guests[0];
    assert_int_equal(guest_state(guest), GUEST_STATE_STOPPED);
    assert_true(world_says(guest, "exit.summary", "ended by itself"));
}

static void
exit_report_outlives_the_server(void **state)
{
    struct places *places = *state;
    pid_t pid = start(places, "n1");
    assert_int_equal(kill(pid, SIGKILL), 0);
    world_await(places->first, places->first->guests[0], "crashed");
    struct world *world = succeed(places);
    assert_int_equal(guest_state(world->guests[0]), GUEST_STATE_CRASHED);
    assert_true(world_says(world->guests[0], "exit.signal", "SIGKILL"));
    assert_true(world_number(world->guests[0], "ended-ms") > 0);
}

static void
end_of_an_adopted_guest_is_noticed(void **state)
{
    struct places *places = *state;
    pid_t pid = start(places, "n1");
    struct world *world = succeed(places);
    world_await(world, world->guests[0], "running");
    assert_int_equal(kill(pid, SIGKILL), 0);
    world_await(world, world->guests[0], "crashed");
}

static void
guest_recorded_without_a_pid_is_found_by_its_socket(void **state)
{
    struct places *places = *state;
    pid_t pid = start(places, "n1");
    tamper(places, "n1", "pid", json_integer(0));
    tamper(places, "n1", "name", json_null());
    tamper(places, "n1", "uuid", json_null());
    struct world *world = succeed(places);
    world_await(world, world->guests[0], "running");
    assert_int_equal(world_number(world->guests[0], "pid"), pid);
}

static void
unreadable_record_finds_the_guest_by_its_socket(void **state)
{
    struct places *places = *state;
    pid_t pid = start(places, "n1");
    char *path = world_file(places->first, "n1", "run.json");
    scratch_write(path, "{\"pid\":", 7);
    free(path);
    struct world *world = succeed(places);
    world_await(world, world->guests[0], "running");
    assert_int_equal(world_number(world->guests[0], "pid"), pid);
}

/* Checks that a lost guest is left alone, and lets its QEMU go. */
static void
check_lost(struct world *world, struct guest *guest, pid_t pid)
{
    struct error error = {0};
    assert_int_equal(guest_state(guest), GUEST_STATE_LOST);
    uv_run(&world->loop, UV_RUN_ONCE);
    assert_non_null(world->notices.data);
    assert_non_null(strstr(world->notices.data, "lost"));
    assert_true(guest_is_active(guest));
    assert_false(guest_start(guest, NULL, NULL, &error));
    assert_int_equal(error.code, ERROR_CODE_STATE);
    assert_non_null(strstr(error.text, "lost"));
    assert_false(guest_kill(guest, NULL, NULL, &error));
    assert_false(guest_shutdown(guest, 0, 0, NULL, NULL, &error));
    assert_false(guest_remove(guest, 0, &error));
    assert_int_equal(kill(pid, 0), 0);
}

static void
other_process_on_the_socket_makes_it_lost(void **state)
{
    struct places *places = *state;
    pid_t stranger = fork(); /* before there is a connection to inherit */
    if (stranger == 0)
        for (;;)
            pause();
    pid_t pid = start(places, "n1");
    struct process_identity identity = {0};
    assert_true(process_identify(stranger, &identity, NULL));
    tamper(places, "n1", "pid", json_integer(stranger));
    tamper(places, "n1", "start-ticks",
           json_integer((json_int_t)identity.start_ticks));
    tamper(places, "n1", "executable", json_null());
    struct world *world = succeed(places);
    struct guest *guest = world->guests[0];
    world_await(world, guest, "lost");
    check_lost(world, guest, pid);
    assert_int_equal(kill(stranger, 0), 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(kill(stranger, SIGKILL), 0);
    world_await(world, guest, "crashed");
}

static void
other_program_under_the_pid_makes_it_lost(void **state)
{
    struct places *places = *state;
    pid_t pid = start(places, "n1");
    tamper(places, "n1", "executable", json_string("/usr/bin/other"));
    struct world *world = succeed(places);
    check_lost(world, world->guests[0], pid);
    assert_true(world_says(world->guests[0], "problem", "/usr/bin/other"));
    /* Its end is noticed all the same, and then it is free again. */
    assert_int_equal(kill(pid, SIGKILL), 0);
    world_await(world, world->guests[0], "crashed");
    assert_false(world_start(world, world->guests[0]).has_failed);
}

static void
other_uuid_on_the_monitor_makes_it_lost(void **state)
{
    struct places *places = *state;
    pid_t pid = start(places, "n1");
    tamper(places, "n1", "uuid",
           json_string("00000000-1111-4222-8333-444444444444"));
    struct world *world = succeed(places);
    world_await(world, world->guests[0], "lost");
    check_lost(world, world->guests[0], pid);
    assert_true(world_says(world->guests[0], "problem", "UUID"));
    assert_int_equal(kill(pid, SIGKILL), 0);
    world_await(world, world->guests[0], "crashed");
}

static void
dead_pid_with_a_live_socket_is_lost_until_that_ends(void **state)
{
    struct places *places = *state;
    pid_t pid = start(places, "n1");
    tamper(places, "n1", "start-ticks", json_integer(1));
    struct world *world = succeed(places);
    struct guest *guest = world->guests[0];
    check_lost(world, guest, pid);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_false(world_start(world, guest).has_failed);
}

static bool
has_problem(void *data)
{
    json_t *object;
    const json_t *problem = world_member(data, "problem", &object);
    bool has = json_is_string(problem);
    json_decref(object);
    return has;
}

static void
frozen_qemu_is_told_and_taken_when_it_thaws(void **state)
{
    struct places *places = *state;
    pid_t pid = start(places, "n1");
    forget(places->first);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    struct world *world = succeed(places);
    struct guest *guest = world->guests[0];
    assert_true(run_until(&world->loop, has_problem, guest));
    assert_int_equal(guest_state(guest), GUEST_STATE_STARTING);
    assert_true(world_says(guest, "problem", "says nothing"));
    assert_int_equal(kill(pid, SIGCONT), 0);
    world_await(world, guest, "running");
    assert_false(has_problem(guest));
}

static void
live_guest_of_another_definition_is_not_started_twice(void **state)
{
    struct places *places = *state;
    start(places, "n1");
    forget(places->first);
    /* Even when all records are gone, the socket says that it runs. */
    char *spec = world_file(places->first, "n1", "spec.json");
    char *run = world_file(places->first, "n1", "run.json");
    char *kept = scratch_path(places->first->dir, "kept.json");
    assert_int_equal(unlink(spec), 0);
    assert_int_equal(rename(run, kept), 0);
    struct guest *guest = world_define(places->first, "n1", FIRMWARE);
    struct error error = {0};
    assert_false(guest_start(guest, NULL, NULL, &error));
    assert_int_equal(error.code, ERROR_CODE_EXISTS);
    assert_non_null(strstr(error.text, "runs already"));
    assert_int_equal(rename(kept, run), 0);
    free(kept);
    free(run);
    free(spec);
    /* The record's QEMU has another UUID than the new definition, but it is
     * the recorded one. */
    struct world *world = succeed(places);
    world_await(world, world->guests[0], "running");
}

static void
guest_that_another_server_is_starting_is_left_to_it(void **state)
{
    struct places *places = *state;
    struct guest *guest = world_define(places->first, "n1", FIRMWARE);
    char *dir = paths_guest_state_dir(&places->first->paths, "n1");
    int lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
    struct error error = {0};
    assert_false(guest_start(guest, NULL, NULL, &error));
    assert_non_null(strstr(error.text, "another server"));
    assert_int_equal(guest_state(guest), GUEST_STATE_DEFINED);
    close(lock);
    free(dir);
    assert_false(world_start(places->first, guest).has_failed);
}

static void
bad_definitions_are_told_and_the_others_found(void **state)
{
    struct places *places = *state;
    world_define(places->first, "good", FIRMWARE);
    static const char *const contents[] = {"{", "[]", "{\"name\": 7}", ""};
    for (size_t i = 0; i < 4; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "bad%zu", i);
        char *dir = paths_guest_state_dir(&places->first->paths, name);
        assert_true(paths_make_dir(dir, NULL));
        char *path = scratch_path(dir, "spec.json");
        scratch_write(path, contents[i], strlen(contents[i]));
        free(path);
        free(dir);
    }
    struct world *world = succeed(places);
    assert_int_equal(world->count, 1);
    for (size_t i = 0; i < 4; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "bad%zu unreadable", i);
        assert_non_null(strstr(world->notices.data, name));
    }
}

static void
no_state_directory_means_no_guests(void **state)
{
    struct places *places = *state;
    struct world *world = succeed(places);
    assert_int_equal(world->count, 0);
}

static void
content_of_the_console_is_the_same_for_the_successor(void **state)
{
    struct places *places = *state;
    start(places, "n1");
    struct guest *guest = places->first->guests[0];
    world_kill(places->first, guest);
    uint64_t offset = console_offset(guest_console(guest, 0));
    uint64_t boot = console_boot_offset(guest_console(guest, 0));
    struct world *world = succeed(places);
    struct console *console = guest_console(world->guests[0], 0);
    while (console_is_replaying(console))
        uv_run(&world->loop, UV_RUN_ONCE);
    assert_int_equal(console_offset(console), offset);
    assert_int_equal(console_boot_offset(console), boot);
}

#define LEFT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void
the_fleet_is_known_to_the_successor(void **state)
{
    struct error error = {0};
    struct world *world = ((struct places *)*state)->first;
    struct guest *guest = world_define(world, "a", FIRMWARE);
    struct spec *spec = spec_copy(guest_spec(guest));
    spec->fleet_directory = xstrdup("/of/the/fleet");
    assert_true(guest_update(guest, spec, &error));
    assert_true(guest_set_fleet(guest, "/of/the/fleet/file.json", &error));
    assert_true(guest_set_order(guest, 7, &error));
    world = succeed(*state);
    guest = world->guests[0];
    assert_string_equal(spec_network_directory(guest_spec(guest)),
                        "/of/the/fleet");
    assert_string_equal(guest_fleet(guest), "/of/the/fleet/file.json");
    assert_int_equal(guest_order(guest), 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LEFT(running_guest_is_adopted),
        LEFT(paused_guest_is_adopted_as_paused),
        LEFT(order_of_definition_is_kept),
        LEFT(guest_killed_meanwhile_is_reported_as_crashed),
        LEFT(guest_ended_meanwhile_is_reported_as_stopped),
        LEFT(exit_report_outlives_the_server),
        LEFT(end_of_an_adopted_guest_is_noticed),
        LEFT(guest_recorded_without_a_pid_is_found_by_its_socket),
        LEFT(unreadable_record_finds_the_guest_by_its_socket),
        LEFT(other_process_on_the_socket_makes_it_lost),
        LEFT(other_program_under_the_pid_makes_it_lost),
        LEFT(other_uuid_on_the_monitor_makes_it_lost),
        LEFT(dead_pid_with_a_live_socket_is_lost_until_that_ends),
        LEFT(frozen_qemu_is_told_and_taken_when_it_thaws),
        LEFT(live_guest_of_another_definition_is_not_started_twice),
        LEFT(guest_that_another_server_is_starting_is_left_to_it),
        LEFT(bad_definitions_are_told_and_the_others_found),
        LEFT(no_state_directory_means_no_guests),
        LEFT(the_fleet_is_known_to_the_successor),
        LEFT(content_of_the_console_is_the_same_for_the_successor),
    };
    if (!world_has_qemu())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
