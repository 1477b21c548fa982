#pragma once

#include "base/error.h"

#include <stdbool.h>

/* The longest path that a unix socket can be bound to, without the
 * terminating zero (sun_path holds 108 bytes on Linux). */
#define PATHS_SOCKET_MAX_BYTES 107

/* Where one server's things lie. All owned, absolute, without a slash at the
 * end. Directories are made when they are first used, 0700. */
struct paths {
    char *server;      /* the server's name, "default" */
    char *runtime_dir; /* sockets and locks */
    char *state_dir;   /* specs, console logs, stderr, exit reports */
    char *data_dir;    /* disks and seeds that guestmux made */
    char *config_dir;  /* the user's config, themes, keymaps */
    char *warning;     /* what the operator should know, or NULL */
};

/* Works the directories out of the environment (XDG_RUNTIME_DIR,
 * XDG_STATE_HOME, XDG_DATA_HOME, XDG_CONFIG_HOME, HOME) and makes the runtime
 * directory. It must be a real directory, ours, 0700: anything else is
 * refused. Without XDG_RUNTIME_DIR it is /tmp/guestmux-UID. */
bool paths_init(struct paths *paths, const char *server_name,
                struct error *error);
void paths_finish(struct paths *paths);

/* A server's data_dir, worked out without making anything. The caller frees it.
 */
char *paths_find_data_dir(const char *server_name);

/* RUNTIME/api.sock. The caller frees it. */
char *paths_api_socket(const struct paths *paths);

/* STATE/.api.sock: where a server is found whose runtime directory is gone, or
 * is another than the client's. The caller frees it. */
char *paths_state_socket(const struct paths *paths);

/* Makes the runtime directory again, checked as by paths_init. */
bool paths_make_runtime(const struct paths *paths, struct error *error);

/* RUNTIME/GUEST.qmp; refused when too long for a socket. */
char *paths_qmp_socket(const struct paths *paths, const char *guest,
                       struct error *error);

/* RUNTIME/GUEST.SUFFIX, another socket of a guest's; refused when too long. */
char *paths_guest_socket(const struct paths *paths, const char *guest,
                         const char *suffix, struct error *error);

/* STATE/GUEST, DATA/GUEST. The caller frees them. */
char *paths_guest_state_dir(const struct paths *paths, const char *guest);
char *paths_guest_data_dir(const struct paths *paths, const char *guest);

/* Makes path and its missing parents, 0700 each. An existing last component
 * must be a directory of ours; it is made 0700 when its mode is wider. */
bool paths_make_dir(const char *path, struct error *error);

/* Whether a socket at path can be bound; error says by how much it is too
 * long. */
bool paths_check_socket(const char *path, struct error *error);
