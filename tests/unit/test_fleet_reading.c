#include "server-world.h"
#include "server/fleet-reading.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* A fleet file on a file system that does not answer: opening a file of this
 * name waits until the test opens the named pipe beside it. */
#define HUNG "/hung.json"

int
open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
    va_end(arguments);
    size_t len = strlen(path);
    if (len > strlen(HUNG) && !strcmp(path + len - strlen(HUNG), HUNG)) {
        char *gate = xasprintf("%.*s/gate", (int)(len - strlen(HUNG)), path);
        long fd = syscall(SYS_openat, AT_FDCWD, gate, O_RDONLY | O_CLOEXEC);
        free(gate);
        if (fd >= 0)
            (void)close((int)fd);
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

struct fixture {
    struct world world;
    struct client client;
    char *gate; /* owned */
};

static void
write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static char *
path_of(const struct fixture *f, const char *name)
{
    return xasprintf("%s/%s", f->world.directory, name);
}

static int
set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    world_init(&f->world);
    client_open(&f->client, &f->world);
    f->gate = path_of(f, "gate");
    assert_int_equal(mkfifo(f->gate, 0600), 0);
    char *hung = path_of(f, "hung.json");
    write_text(hung, "{\"version\": 1, \"guests\": {\"slow\": {\"exec\": "
                     "[\"cat\"]}}}");
    free(hung);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    client_close(&f->client);
    world_finish(&f->world);
    free(f->gate);
    free(f);
    return 0;
}

static int
apply(const struct fixture *f, struct client *client, const char *own)
{
    char *path = path_of(f, "over.json");
    char *text = xasprintf("{\"version\": 1, \"include\": \"hung.json\", "
                           "\"guests\": {\"%s\": {\"exec\": [\"cat\"]}}}",
                           own);
    int id = client_send(client, "fleet-apply",
                         json_pack("{s:s,s:s}", "file", path, "text", text));
    free(text);
    free(path);
    return id;
}

/* Lets all through who wait at the gate or come to it, until it is closed. */
static int
open_gate(const struct fixture *f)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, f->gate, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static size_t
count_guests(struct fixture *f)
{
    json_t *value = client_call(&f->client, "guest-list", NULL);
    return json_array_size(json_object_get(value, "guests"));
}

static void
nobody_else_waits_for_a_file_that_hangs(void **state)
{
    struct fixture *f = *state;
    struct client others[FLEET_READING_MAX + 1];
    int ids[FLEET_READING_MAX + 1];
    for (int i = 0; i <= FLEET_READING_MAX; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "g%d", i);
        client_open(&others[i], &f->world);
        ids[i] = apply(f, &others[i], name);
    }
    /* The loop answers, and so do threads that read other files. */
    assert_int_equal(count_guests(f), 0);
    (void)client_call(&f->client, "disk-list", NULL);
    (void)client_call(&f->client, "timeline", NULL);
    int gate = open_gate(f);
    for (int i = 0; i <= FLEET_READING_MAX; i++) {
        json_t *reply = client_reply(&others[i], ids[i]);
        assert_non_null(json_object_get(reply, "return"));
        client_close(&others[i]);
    }
    close(gate);
    assert_int_equal(count_guests(f), FLEET_READING_MAX + 2);
}

static void
who_gave_up_gets_no_guests(void **state)
{
    struct fixture *f = *state;
    struct client other;
    client_open(&other, &f->world);
    (void)apply(f, &other, "unwanted");
    (void)client_call(&other, "query-version", NULL);
    client_close(&other);
    json_t *value = NULL;
    do /* until the server has noticed */
        value = client_call(&f->client, "query-server", NULL);
    while (json_integer_value(json_object_get(value, "peers")) > 1);
    int gate = open_gate(f);
    (void)client_reply(&f->client, apply(f, &f->client, "wanted"));
    close(gate);
    assert_int_equal(count_guests(f), 2); /* wanted, slow */
}

static void
a_server_that_leaves_does_not_start_what_was_read_late(void **state)
{
    struct fixture *f = *state;
    (void)apply(f, &f->client, "late");
    (void)client_call(&f->client, "query-version", NULL);
    kill(f->world.pid, SIGTERM);
    json_t *message = NULL;
    while ((message = client_receive(&f->client))) /* until it closes */
        json_decref(message);
    int gate = open_gate(f);
    assert_int_equal(world_wait(&f->world), 0);
    close(gate);
    world_start(&f->world);
    client_close(&f->client);
    client_open(&f->client, &f->world);
    assert_int_equal(count_guests(f), 0);
}

#define READ(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        READ(nobody_else_waits_for_a_file_that_hangs),
        READ(who_gave_up_gets_no_guests),
        READ(a_server_that_leaves_does_not_start_what_was_read_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
