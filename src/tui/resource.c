#include "tui/resource.h"

#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "config.h"
#include "tui/embedded.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A theme or keymap is a few kilobytes; this is no limit to anyone's taste. */
#define RESOURCE_MAX_BYTES (1 << 20)

static const struct {
    const char *folder;
    const char *what;
    const char *embedded;
} kinds[] = {
    [RESOURCE_THEME] = {"themes", "theme", embedded_theme},
    [RESOURCE_KEYMAP] = {"keymaps", "keymap", embedded_keymap},
};

static char *
find_file(enum resource_kind kind, const char *name, const char *config_dir)
{
    if (strchr(name, '/'))
        return xstrdup(name);
    if (config_dir) {
        char *path =
            xasprintf("%s/%s/%s.json", config_dir, kinds[kind].folder, name);
        if (access(path, F_OK) == 0)
            return path;
        free(path);
    }
    char *path =
        xasprintf("%s/%s/%s.json", GUESTMUX_DATADIR, kinds[kind].folder, name);
    if (access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static bool
load_embedded(struct resource *resource, enum resource_kind kind,
              struct error *error)
{
    json_error_t detail;
    json_t *json =
        json_loads(kinds[kind].embedded, JSON_REJECT_DUPLICATES, &detail);
    if (!json)
        return error_set(error, ERROR_CODE_INTERNAL, "default %s:%d:%d: %s",
                         kinds[kind].what, detail.line, detail.column,
                         detail.text);
    resource->json = json;
    resource->place = xasprintf("default %s", kinds[kind].what);
    return true;
}

bool
resource_load(struct resource *resource, enum resource_kind kind,
              const char *name, const char *config_dir, struct error *error)
{
    /* the default is the program's own unless the user has one of that name:
     * an older installed one must not shadow it */
    bool is_default = !name || strcmp(name, "default") == 0;
    if (!name)
        name = "default";
    if (!strchr(name, '/') && !text_is_name(name))
        return error_set(error, ERROR_CODE_INVALID, "\"%s\" is no name of a %s",
                         name, kinds[kind].what);
    char *path = find_file(kind, name, config_dir);
    if (is_default && (!path || !config_dir ||
                       strncmp(path, config_dir, strlen(config_dir)) != 0)) {
        free(path);
        return load_embedded(resource, kind, error);
    }
    if (!path)
        return error_set(error, ERROR_CODE_NOT_FOUND,
                         "no %s \"%s\": put it into %s/%s/%s.json",
                         kinds[kind].what, name, config_dir ? config_dir : "~",
                         kinds[kind].folder, name);
    json_t *json = json_read_file(path, RESOURCE_MAX_BYTES, error);
    if (!json) {
        free(path);
        return false;
    }
    resource->json = json;
    resource->place = path;
    return true;
}

void
resource_finish(struct resource *resource)
{
    json_decref(resource->json);
    free(resource->place);
    *resource = (struct resource){0};
}

void
resource_problem(struct buffer *problems, const char *place, const char *format,
                 ...)
{
    if (!problems)
        return;
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    buffer_printf(problems, "%s%s: %s", problems->len ? "\n" : "", place, text);
    free(text);
}
