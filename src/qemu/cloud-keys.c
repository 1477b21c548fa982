#include "qemu/cloud-keys.h"

#include "base/file.h"
#include "base/json.h"
#include "base/xalloc.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A file of keys, such as an authorized_keys. */
#define FILE_MAX_BYTES (256u << 10)
#define MAX_KEYS 1024u

static void
add_key(json_t *keys, const char *text, size_t len)
{
    json_t *key = json_from_bytes(text, len);
    size_t index;
    json_t *known;
    json_array_foreach(keys, index, known)
    {
        if (json_equal(known, key)) {
            json_decref(key);
            return;
        }
    }
    if (json_array_size(keys) < MAX_KEYS)
        json_array_append_new(keys, key);
    else
        json_decref(key);
}

/* Every key of a file; other lines are left out. */
static bool
add_file(json_t *keys, const char *path, struct error *error)
{
    size_t len = 0;
    char *text = file_read(path, FILE_MAX_BYTES, &len, error);
    if (!text)
        return false;
    size_t before = json_array_size(keys);
    bool has_key = false;
    for (char *line = text; *line;) {
        size_t width = strcspn(line, "\r\n");
        char end = line[width];
        line[width] = '\0';
        if (spec_is_ssh_key(line)) {
            add_key(keys, line, width);
            has_key = true;
        }
        line += width + (end ? 1 : 0);
    }
    bool is_private = strstr(text, "PRIVATE KEY");
    free(text);
    if (has_key || json_array_size(keys) > before)
        return true;
    return error_set(error, ERROR_CODE_INVALID,
                     is_private ? "%s is a private key; guests get the public "
                                  "one (.pub)"
                                : "%s has no public key in it",
                     path);
}

static bool
add_operator_keys(json_t *keys, struct error *error)
{
    const char *home = getenv("HOME");
    char *dir = xasprintf("%s/.ssh", home ? home : "");
    size_t before = json_array_size(keys);
    struct dirent **entries = NULL;
    int count = scandir(dir, &entries, NULL, alphasort);
    bool ok = true;
    for (int i = 0; i < count; i++) {
        const char *dot = strrchr(entries[i]->d_name, '.');
        if (ok && dot && !strcmp(dot, ".pub")) {
            char *path = xasprintf("%s/%s", dir, entries[i]->d_name);
            ok = add_file(keys, path, error);
            free(path);
        }
        free(entries[i]);
    }
    free(entries);
    if (ok && json_array_size(keys) == before)
        ok = error_set(error, ERROR_CODE_NOT_FOUND,
                       "there is no public key in %s; make one with "
                       "`ssh-keygen -t ed25519`, or name the keys instead of "
                       "\"auto\"",
                       dir);
    free(dir);
    return ok;
}

json_t *
cloud_keys_read(const struct spec_cloud_init *cloud, struct error *error)
{
    json_t *keys = json_array();
    bool ok = true;
    for (char **key = cloud->ssh_keys; ok && key && *key; key++) {
        if (!strcmp(*key, "auto"))
            ok = add_operator_keys(keys, error);
        else if ((*key)[0] == '/')
            ok = add_file(keys, *key, error);
        else
            add_key(keys, *key, strlen(*key));
    }
    if (ok)
        return keys;
    error_prefix(error, "cloud-init.ssh-keys");
    json_decref(keys);
    return NULL;
}
