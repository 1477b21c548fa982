#include "fleet/shared.h"

#include "base/xalloc.h"
#include "fleet/document.h"
#include "fleet/spec-internal.h"

#include <stdlib.h>
#include <string.h>

/* The next part of a path that says something: no "." and no empty one. */
static const char *
next_part(const char *path, size_t *ret_len)
{
    for (;;) {
        path += strspn(path, "/");
        *ret_len = strcspn(path, "/");
        if (*ret_len != 1 || path[0] != '.')
            return path;
        path++;
    }
}

/* Whether two absolute paths are one, as far as their words say. */
static bool
is_same_path(const char *a, const char *b)
{
    for (;;) {
        size_t a_len = 0;
        size_t b_len = 0;
        a = next_part(a, &a_len);
        b = next_part(b, &b_len);
        if (a_len != b_len || memcmp(a, b, a_len) != 0)
            return false;
        if (!a_len)
            return true;
        a += a_len;
        b += b_len;
    }
}

static void
tell(const struct fleet *fleet, const struct spec *spec,
     const struct spec *owner, struct mistakes *mistakes)
{
    char *shown = spec_show(spec->vnc_socket);
    char *text = xasprintf("%s and %s both want the socket \"%s\" for their "
                           "display",
                           owner->name, spec->name, shown);
    fleet_add_mistake(fleet, mistakes, spec->name, "vnc", -1, text);
    free(text);
    free(shown);
}

void
shared_check(const struct fleet *fleet, struct mistakes *mistakes)
{
    for (size_t i = 0; i < fleet->guest_count; i++) {
        const struct spec *spec = fleet->guests[i];
        for (size_t k = 0; spec->vnc_socket && k < i; k++) {
            const struct spec *other = fleet->guests[k];
            if (!other->vnc_socket ||
                !is_same_path(spec->vnc_socket, other->vnc_socket))
                continue;
            tell(fleet, spec, other, mistakes);
            break;
        }
    }
}
