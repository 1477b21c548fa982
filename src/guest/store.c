#include "base/json.h"
#include "base/xalloc.h"
#include "guest/guest-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is kept of what QEMU says in one run. */
#define STDERR_MAX_BYTES (UINT64_C(1) << 20)
/* Files of ours are far smaller. */
#define FILE_MAX_BYTES (8u << 20)

char *
store_path(const struct guest *guest, const char *file)
{
    return xasprintf("%s/%s", guest->dir, file);
}

void
store_forget(const struct guest *guest, const char *file)
{
    char *path = store_path(guest, file);
    (void)unlink(path);
    free(path);
}

/* Gives the present file of a name a number, in place of the one that had it.
 */
static void
keep_previous(const struct guest *guest, const char *file, const char *previous)
{
    char *from = store_path(guest, file);
    char *to = store_path(guest, previous);
    if (rename(from, to) < 0 && errno != ENOENT)
        (void)unlink(from);
    free(to);
    free(from);
}

static void
on_synced(uv_fs_t *request)
{
    (void)close((int)request->file);
    uv_fs_req_cleanup(request);
    free(request);
}

/* Brings a file to the disk without waiting: an fsync takes some ms, and a
 * fleet is defined at once. Should the machine go down before, the definition
 * is missing or told to be unreadable. */
static void
sync_later(const struct guest *guest, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    uv_fs_t *request = xcalloc(1, sizeof(*request));
    if (uv_fs_fsync(guest->context->loop, request, fd, on_synced) == 0)
        return;
    (void)close(fd);
    free(request);
}

bool
store_save(const struct guest *guest, json_t *value, const char *file,
           struct error *error)
{
    char *path = store_path(guest, file);
    bool ok = json_write_file_volatile(value, path, error);
    if (ok && !strcmp(file, "spec.json"))
        sync_later(guest, path);
    free(path);
    json_decref(value);
    return ok;
}

json_t *
store_read(const struct guest *guest, const char *file, struct error *error)
{
    char *path = store_path(guest, file);
    json_t *value = NULL;
    if (access(path, F_OK) == 0)
        value = json_read_file(path, FILE_MAX_BYTES, error);
    free(path);
    return value;
}

bool
store_save_spec(const struct guest *guest, bool is_new, struct error *error)
{
    char *path = store_path(guest, "spec.json");
    bool is_taken = is_new && access(path, F_OK) == 0;
    if (is_taken)
        error_set(error, ERROR_CODE_EXISTS,
                  "there is a definition of %s in %s that could not be read; "
                  "move it away",
                  guest->spec->name, path);
    free(path);
    if (is_taken)
        return false;
    json_t *value = spec_save(guest->spec);
    json_object_set_new(value, "order", json_integer(guest->order));
    json_object_set_new(value, "uuid", json_string(guest->uuid));
    if (guest->fleet)
        json_object_set_new(value, "fleet", json_from_text(guest->fleet));
    return store_save(guest, value, "spec.json", error);
}

bool
store_save_plan(const struct guest *guest, struct error *error)
{
    if (guest->plan)
        return store_save(guest, spec_save(guest->plan), "next.json", error);
    store_forget(guest, "next.json");
    return true;
}

/* NULL stays null. */
static json_t *
text_or_null(const char *text)
{
    return text ? json_from_text(text) : json_null();
}

bool
store_save_run(const struct guest *guest, struct error *error)
{
    const struct run *run = guest->run;
    json_t *argv = json_array();
    for (char **word = run->argv; word && *word; word++)
        json_array_append_new(argv, json_from_text(*word));
    json_t *value = json_object();
    json_object_set_new(value, "kind",
                        json_string(spec_kind_name(guest->spec->kind)));
    json_object_set_new(value, "pid", json_integer(run->identity.pid));
    json_object_set_new(value, "start-ticks",
                        json_integer((json_int_t)run->identity.start_ticks));
    json_object_set_new(value, "boot-id", json_string(run->identity.boot_id));
    json_object_set_new(value, "started-ms", json_integer(run->started_ms));
    json_object_set_new(value, "qmp-socket", text_or_null(run->qmp_path));
    json_object_set_new(value, "name", text_or_null(run->qmp_name));
    json_object_set_new(value, "uuid", text_or_null(run->qmp_uuid));
    json_object_set_new(value, "executable", text_or_null(run->executable));
    json_object_set_new(value, "stop-asked", json_boolean(run->is_stop_asked));
    json_object_set_new(value, "stop-ignored",
                        json_boolean(run->is_stop_ignored));
    json_object_set_new(value, "shutdown", ladder_save(guest));
    json_object_set_new(value, "stages", stages_save(guest));
    json_object_set_new(value, "argv", argv);
    json_t *sockets = json_array();
    for (size_t i = 0; i < run->nic_count; i++)
        json_array_append_new(sockets, text_or_null(run->nic_sockets[i]));
    json_object_set_new(value, "nic-sockets", sockets);
    json_object_set_new(value, "agent-socket", text_or_null(run->agent_path));
    return store_save(guest, value, "run.json", error);
}

bool
store_save_exit(const struct guest *guest, struct error *error)
{
    struct process_identity self = {0};
    (void)process_identify(getpid(), &self, NULL);
    json_t *value = json_object();
    json_object_set_new(value, "state", json_string(guest_state_name(guest)));
    json_object_set_new(value, "started-ms", json_integer(guest->started_ms));
    json_object_set_new(value, "ended-ms", json_integer(guest->ended_ms));
    json_object_set(value, "exit", guest->exit);
    json_object_set_new(value, "stopped", json_boolean(guest->was_stopped));
    json_object_set_new(value, "boot-id", json_string(self.boot_id));
    return store_save(guest, value, "exit.json", error);
}

void
store_retire_exit(const struct guest *guest)
{
    keep_previous(guest, "exit.json", "exit.1.json");
}

int
store_open_stderr(const struct guest *guest, struct error *error)
{
    keep_previous(guest, "stderr.log", "stderr.1.log");
    char *path = store_path(guest, "stderr.log");
    /* Appending: QEMU and what it starts write without overwriting. */
    int fd = open(
        path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
        0600);
    if (fd < 0)
        error_set_errno(error, errno, "cannot make %s", path);
    free(path);
    return fd;
}

void
store_keep_stderr(struct guest *guest)
{
    char *path = store_path(guest, "stderr.log");
    if (access(path, F_OK) == 0)
        guest->run->keeper =
            keeper_new(guest->context->hub, path, STDERR_MAX_BYTES);
    free(path);
}

int
store_lock(const struct guest *guest, struct error *error)
{
    int fd = open(guest->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        error_set_errno(error, errno, "cannot open %s", guest->dir);
        return -1;
    }
    /* A file system without locks is no reason to refuse. */
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return fd;
    error_set_errno(error, errno,
                    "another server is starting %s (%s is locked)",
                    guest->spec->name, guest->dir);
    (void)close(fd);
    return -1;
}

bool
store_remove(const struct guest *guest, bool purge, struct error *error)
{
    char *path = store_path(guest, "spec.json");
    bool ok = unlink(path) == 0 || errno == ENOENT;
    if (!ok)
        error_set_errno(error, errno, "cannot remove %s", path);
    free(path);
    if (!ok)
        return false;
    store_forget(guest, "next.json");
    store_forget(guest, "intent.json");
    store_forget(guest, "run.json");
    store_forget(guest, "qemu.pid");
    store_forget(guest, "net.json");
    store_forget(guest, "addresses.json"); /* the server's */
    store_retire_exit(guest);
    if (!purge)
        return true;
    store_forget(guest, "exit.1.json");
    store_forget(guest, "known_hosts");
    store_forget(guest, "stderr.log");
    store_forget(guest, "stderr.1.log");
    for (size_t i = 0; i < guest->console_count; i++) {
        const char *name = guest->consoles[i].name;
        char *marks = xasprintf("%s.marks", name);
        char *times = xasprintf("%s.times", name);
        (void)unlink(guest->consoles[i].log_path);
        store_forget(guest, marks);
        store_forget(guest, times);
        free(times);
        free(marks);
    }
    /* What somebody else put there keeps the directory. */
    (void)rmdir(guest->dir);
    return true;
}
