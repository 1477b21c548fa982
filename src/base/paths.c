#include "base/paths.h"

#include "base/text.h"
#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* HOME, or what the user database says when there is none (a service). */
static const char *
home_dir(void)
{
    const char *home = getenv("HOME");
    if (home && home[0] == '/')
        return home;
    const struct passwd *user = getpwuid(geteuid());
    return user && user->pw_dir && user->pw_dir[0] == '/' ? user->pw_dir : "";
}

/* An XDG variable's value when it is absolute (the specification says to
 * ignore others), else the home directory with fallback below it. */
static char *
xdg_dir(const char *variable, const char *fallback)
{
    const char *value = getenv(variable);
    if (value && value[0] == '/')
        return xstrdup(value);
    return xasprintf("%s/%s", home_dir(), fallback);
}

/* Refuses a runtime directory that is not really and only ours. */
static bool
check_private(const char *path, struct error *error)
{
    struct stat info;
    if (lstat(path, &info) < 0)
        return error_set_errno(error, errno, "cannot look at %s", path);
    if (S_ISLNK(info.st_mode))
        return error_set(error, ERROR_CODE_DENIED,
                         "%s is a symbolic link; remove it, or set "
                         "XDG_RUNTIME_DIR to a directory of your own",
                         path);
    if (!S_ISDIR(info.st_mode))
        return error_set(error, ERROR_CODE_DENIED,
                         "%s is not a directory; remove it, or set "
                         "XDG_RUNTIME_DIR to a directory of your own",
                         path);
    if (info.st_uid != geteuid())
        return error_set(error, ERROR_CODE_DENIED,
                         "%s belongs to uid %u, not to you; set "
                         "XDG_RUNTIME_DIR to a directory of your own",
                         path, (unsigned)info.st_uid);
    if ((info.st_mode & 077) != 0)
        return error_set(error, ERROR_CODE_DENIED,
                         "%s is open to others (mode %03o); run: chmod 700 %s",
                         path, (unsigned)(info.st_mode & 0777), path);
    return true;
}

static bool
make_private(const char *path, struct error *error)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_set_errno(error, errno, "cannot make %s", path);
    return check_private(path, error);
}

/* The directory that holds all servers' runtime directories; *ret_warning is
 * set when it is not the one that XDG_RUNTIME_DIR names. */
static char *
runtime_base(char **ret_warning)
{
    const char *value = getenv("XDG_RUNTIME_DIR");
    struct stat info;
    if (value && value[0] == '/') {
        if (stat(value, &info) == 0 && S_ISDIR(info.st_mode))
            return xasprintf("%s/guestmux", value);
        *ret_warning = xasprintf(
            "XDG_RUNTIME_DIR is %s, which is not there (it vanishes at the "
            "last logout unless lingering is on: loginctl enable-linger); "
            "sockets are kept under the state directory instead",
            value);
        char *state = xdg_dir("XDG_STATE_HOME", ".local/state");
        /* no server can have this name */
        char *base = xasprintf("%s/guestmux/.run", state);
        free(state);
        return base;
    }
    return xasprintf("/tmp/guestmux-%u", (unsigned)geteuid());
}

bool
paths_make_dir(const char *path, struct error *error)
{
    char *copy = xstrdup(path);
    bool ok = true;
    for (char *slash = strchr(copy + 1, '/'); ok && slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0700) < 0 && errno != EEXIST)
            ok = error_set_errno(error, errno, "cannot make %s", copy);
        *slash = '/';
    }
    free(copy);
    if (!ok)
        return false;
    if (mkdir(path, 0700) == 0)
        return true;
    if (errno != EEXIST)
        return error_set_errno(error, errno, "cannot make %s", path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot use %s as a directory",
                               path);
    struct stat info;
    if (fstat(fd, &info) < 0)
        ok = error_set_errno(error, errno, "cannot look at %s", path);
    else if (info.st_uid != geteuid())
        ok = error_set(error, ERROR_CODE_DENIED,
                       "%s belongs to uid %u, not to you", path,
                       (unsigned)info.st_uid);
    else if ((info.st_mode & 077) != 0 && fchmod(fd, 0700) < 0)
        ok = error_set_errno(error, errno, "cannot make %s private", path);
    (void)close(fd);
    return ok;
}

bool
paths_init(struct paths *paths, const char *server_name, struct error *error)
{
    if (!text_is_name(server_name))
        return error_set(error, ERROR_CODE_INVALID,
                         "a server's name has letters, digits, '.', '_' and "
                         "'-' only, starts with a letter or digit, and is at "
                         "most 48 long");
    char *warning = NULL;
    char *base = runtime_base(&warning);
    char *runtime = xasprintf("%s/%s", base, server_name);
    char *socket = xasprintf("%s/api.sock", runtime);
    bool ok = paths_check_socket(socket, error);
    if (ok && warning) {
        char *parent = xstrndup(base, (size_t)(strrchr(base, '/') - base));
        ok = paths_make_dir(parent, error);
        free(parent);
    }
    ok = ok && make_private(base, error) && make_private(runtime, error);
    free(socket);
    free(base);
    if (!ok) {
        free(runtime);
        free(warning);
        return false;
    }
    char *state = xdg_dir("XDG_STATE_HOME", ".local/state");
    char *config = xdg_dir("XDG_CONFIG_HOME", ".config");
    *paths = (struct paths){
        .server = xstrdup(server_name),
        .runtime_dir = runtime,
        .state_dir = xasprintf("%s/guestmux/%s", state, server_name),
        .data_dir = paths_find_data_dir(server_name),
        .config_dir = xasprintf("%s/guestmux", config),
        .warning = warning,
    };
    free(state);
    free(config);
    return true;
}

char *
paths_find_data_dir(const char *server_name)
{
    char *data = xdg_dir("XDG_DATA_HOME", ".local/share");
    char *path = xasprintf("%s/guestmux/%s", data, server_name);
    free(data);
    return path;
}

void
paths_finish(struct paths *paths)
{
    if (!paths)
        return;
    free(paths->server);
    free(paths->runtime_dir);
    free(paths->state_dir);
    free(paths->data_dir);
    free(paths->config_dir);
    free(paths->warning);
    *paths = (struct paths){0};
}

char *
paths_api_socket(const struct paths *paths)
{
    return xasprintf("%s/api.sock", paths->runtime_dir);
}

char *
paths_state_socket(const struct paths *paths)
{
    /* no guest can have this name */
    return xasprintf("%s/.api.sock", paths->state_dir);
}

bool
paths_make_runtime(const struct paths *paths, struct error *error)
{
    const char *runtime = paths->runtime_dir;
    char *base = xstrndup(runtime, (size_t)(strrchr(runtime, '/') - runtime));
    bool ok = make_private(base, error) && make_private(runtime, error);
    free(base);
    return ok;
}

char *
paths_guest_socket(const struct paths *paths, const char *guest,
                   const char *suffix, struct error *error)
{
    char *path = xasprintf("%s/%s.%s", paths->runtime_dir, guest, suffix);
    if (paths_check_socket(path, error))
        return path;
    free(path);
    return NULL;
}

char *
paths_qmp_socket(const struct paths *paths, const char *guest,
                 struct error *error)
{
    return paths_guest_socket(paths, guest, "qmp", error);
}

char *
paths_guest_state_dir(const struct paths *paths, const char *guest)
{
    return xasprintf("%s/%s", paths->state_dir, guest);
}

char *
paths_guest_data_dir(const struct paths *paths, const char *guest)
{
    return xasprintf("%s/%s", paths->data_dir, guest);
}

bool
paths_check_socket(const char *path, struct error *error)
{
    size_t len = strlen(path);
    if (len <= PATHS_SOCKET_MAX_BYTES)
        return true;
    return error_set(error, ERROR_CODE_LIMIT,
                     "the socket path %s is %zu bytes long, %zu too many; "
                     "set XDG_RUNTIME_DIR to a shorter directory, or use a "
                     "shorter name",
                     path, len, len - PATHS_SOCKET_MAX_BYTES);
}
