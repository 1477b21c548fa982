#include "qemu/unix-sockets.h"

#include "base/paths.h"
#include "base/xalloc.h"
#include "qemu/argv.h"
#include "qemu/cmdline.h"
#include "qemu/holder.h"
#include "qemu/keyval.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* One guest's sockets being looked for. */
struct look {
    const struct spec *spec;
    unix_sockets_fn on_path;
    void *data;
};

/* Finding ------------------------------------------------------------------ */

/* Tells a path, its directory as it really is. */
static void
tell(const struct look *look, const char *path, const char *field, int index)
{
    char real[PATH_MAX];
    if (!path || !path[0])
        return;
    char *whole = path[0] == '/'
                      ? xstrdup(path)
                      : xasprintf("%s/%s", look->spec->directory, path);
    char *slash = strrchr(whole, '/');
    char *directory = xstrndup(whole, (size_t)(slash - whole) + 1);
    if (realpath(directory, real)) {
        char *found =
            xasprintf("%s/%s", strcmp(real, "/") ? real : "", slash + 1);
        look->on_path(look->data, found, field, index);
        free(found);
    } else {
        look->on_path(look->data, whole, field, index);
    }
    free(directory);
    free(whole);
}

/* The value of -chardev, -netdev and their kin; what comes in by -incoming is
 * listened for. */
static void
look_at_value(const struct look *look, const char *option, const char *value,
              const char *field, int index)
{
    struct keyval keyval;
    keyval_parse(&keyval, value);
    const char *backend = keyval_get(&keyval, "backend", true);
    const char *local = keyval_get(&keyval, "local.path", false);
    const char *path = keyval_get(&keyval, "path", false);
    bool listens =
        keyval_is_on(&keyval, "server") || !strcmp(option, "incoming");
    if (!strcmp(option, "spice") && keyval_is_on(&keyval, "unix"))
        local = keyval_get(&keyval, "addr", false);
    if (!path)
        path = keyval_get(&keyval, "addr.path", false);
    if (local)
        tell(look, local, field, index);
    else if (backend && listens && path)
        tell(look, path, field, index);
    else if (backend && listens && !strncmp(backend, "unix:", 5))
        tell(look, backend + 5, field, index);
    keyval_finish(&keyval);
}

static void
look_at_words(const struct look *look)
{
    static const char *const options[] = {
        "chardev", "serial", "parallel", "netdev",   "nic",
        "gdb",     "qtest",  "debugcon", "incoming", "spice"};
    bool is_command = look->spec->kind == SPEC_KIND_COMMAND;
    char *const *words = is_command ? look->spec->command : look->spec->args;
    for (; words && words[0] && words[1]; words++) {
        const char *name = cmdline_option_name(words[0]);
        for (size_t i = 0; name && i < sizeof(options) / sizeof(options[0]);
             i++) {
            if (!strcmp(name, options[i]))
                look_at_value(look, name, words[1],
                              is_command ? "command" : "args", -1);
        }
    }
}

/* Cards by fields: their options as QEMU has them. */
static void
look_at_cards(const struct look *look)
{
    for (size_t i = 0; i < look->spec->nic_count; i++) {
        const struct spec_nic *nic = &look->spec->nics[i];
        const char *path = NULL;
        const char *local = NULL;
        bool listens = false;
        if (nic->text)
            look_at_value(look, "nic", nic->text, "nics", (int)i);
        for (size_t k = 0; k + 1 < nic->option_count; k += 2) {
            const char *value = nic->options[k + 1];
            if (!strcmp(nic->options[k], "addr.path"))
                path = value;
            else if (!strcmp(nic->options[k], "local.path"))
                local = value;
            else if (!strcmp(nic->options[k], "server"))
                listens = !strcmp(value, "on") || !strcmp(value, "yes") ||
                          !strcmp(value, "true");
        }
        tell(look, local ? local : listens ? path : NULL, "nics", (int)i);
    }
}

void
unix_sockets_each(const struct spec *spec, unix_sockets_fn on_path, void *data)
{
    struct look look = {spec, on_path, data};
    struct argv_vnc vnc;
    if (spec->kind != SPEC_KIND_QEMU && spec->kind != SPEC_KIND_COMMAND)
        return;
    for (size_t at = 0; argv_find_vnc(spec, &at, &vnc);) {
        tell(&look, vnc.socket, vnc.field, -1);
        argv_vnc_finish(&vnc);
    }
    look_at_cards(&look);
    look_at_words(&look);
}

static void
on_any(void *data, const char *path, const char *field, int index)
{
    (void)path;
    (void)field;
    (void)index;
    *(bool *)data = true;
}

bool
unix_sockets_concern(const struct spec *spec)
{
    bool has_any = false;
    unix_sockets_each(spec, on_any, &has_any);
    return has_any;
}

/* Checking ----------------------------------------------------------------- */

/* That the directory of what is not there is. */
static bool
check_directory(const char *path, struct error *error)
{
    const char *slash = strrchr(path, '/');
    char *directory = xstrndup(path, (size_t)(slash - path) + 1);
    struct stat info;
    bool ok = stat(directory, &info) == 0 ||
              error_set_errno(error, errno, "cannot listen on %s", path);
    free(directory);
    return ok;
}

bool
unix_sockets_check_path(const char *path, const char *guest,
                        struct error *error)
{
    struct stat info;
    struct holder holder = {0};
    if (!paths_check_socket(path, error))
        return false;
    if (lstat(path, &info) < 0 && errno == ENOENT)
        return check_directory(path, error);
    if (lstat(path, &info) < 0)
        return error_set_errno(error, errno, "cannot listen on %s", path);
    if (!S_ISSOCK(info.st_mode))
        return error_set(error, ERROR_CODE_DENIED,
                         "%s is no socket but %s, which QEMU would delete to "
                         "listen there: take another path",
                         path,
                         S_ISDIR(info.st_mode)   ? "a directory"
                         : S_ISLNK(info.st_mode) ? "a link"
                                                 : "a file");
    holder_of_unix_socket(path, &holder);
    bool ok = !holder.pid || (holder.guest && !strcmp(holder.guest, guest));
    if (!ok) {
        char *who = holder_text(&holder);
        error_set(error, ERROR_CODE_STATE,
                  "%s listens on the socket %s already: take another path", who,
                  path);
        free(who);
    }
    holder_finish(&holder);
    return ok;
}

struct check {
    const char *guest;
    struct error *error;
    bool is_ok;
};

static void
on_checked(void *data, const char *path, const char *field, int index)
{
    struct check *check = data;
    (void)field;
    (void)index;
    if (check->is_ok)
        check->is_ok =
            unix_sockets_check_path(path, check->guest, check->error);
}

bool
unix_sockets_check(const struct spec *spec, struct error *error)
{
    struct check check = {spec->name, error, true};
    unix_sockets_each(spec, on_checked, &check);
    return check.is_ok;
}
