/* What only one guest can have, once more: paths, ports, displays. */
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/forward.h"
#include "guest/clone-internal.h"
#include "qemu/argv.h"
#include "qemu/keyval.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often another port is asked for. */
#define TRIES 16
/* The last display that is tried; their ports are in nobody's other use. */
#define LAST_DISPLAY 99

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Paths -------------------------------------------------------------------- */

/* Where name stands in text as a word of its own, or NULL. */
static const char *
find_name(const char *text, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = text; (at = strstr(at, name)); at++) {
        bool begins = at == text || !isalnum((unsigned char)at[-1]);
        if (begins && !isalnum((unsigned char)at[len]))
            return at;
    }
    return NULL;
}

/* The path with the new guest's name instead of the old one's, or before the
 * ending. */
static char *
rename_path(const struct clone_entry *clone, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *old = clone->spec->name;
    const char *at = find_name(base, old);
    if (at)
        return xasprintf("%.*s%s%s", (int)(at - path), path, clone->name,
                         at + strlen(old));
    const char *dot = strrchr(base, '.');
    size_t len = dot && dot > base ? (size_t)(dot - path) : strlen(path);
    return xasprintf("%.*s-%s%s", (int)len, path, clone->name, path + len);
}

char *
clone_own_path(struct clone_entry *clone, const char *place, const char *path)
{
    char *own = rename_path(clone, path);
    char *full = own[0] == '/'
                     ? xstrdup(own)
                     : xasprintf("%s/%s", clone->spec->directory, own);
    bool is_there = access(full, F_OK) == 0;
    free(full);
    if (is_there) {
        clone_refuse(clone, place,
                     "it would have %s instead of %s, but that is there "
                     "already",
                     own, path);
        free(own);
        return NULL;
    }
    clone_changed(clone, place, "%s instead of %s", own, path);
    return own;
}

/* Ports -------------------------------------------------------------------- */

/* Whether a text has the number, with no digit beside it. */
static bool
has_number(const char *text, int number)
{
    char digits[16];
    (void)snprintf(digits, sizeof(digits), "%d", number);
    return find_name(text, digits) != NULL;
}

static bool
is_wanted_by_words(char *const *words, int port)
{
    for (; words && *words; words++) {
        if (has_number(*words, port))
            return true;
    }
    return false;
}

/* Whether another guest's definition seems to want the port. */
static bool
is_wanted(const struct clone_entry *clone, int port)
{
    for (size_t i = 0; i < clone->chosen_count; i++) {
        if (clone->chosen[i] == port)
            return true;
    }
    for (size_t i = 0; i < clone->other_count; i++) {
        const struct spec *spec = clone->others[i];
        if (is_wanted_by_words(spec->args, port) ||
            is_wanted_by_words(spec->command, port))
            return true;
        for (size_t n = 0; n < spec->nic_count; n++) {
            const struct spec_nic *nic = &spec->nics[n];
            if (nic->text && has_number(nic->text, port))
                return true;
            for (size_t f = 0; f < nic->forward_count; f++) {
                if (nic->forwards[f].host_port == port)
                    return true;
            }
        }
    }
    return false;
}

/* The address where a port is looked at: a name could be any. */
static const char *
tried_address(const char *host)
{
    bool is_number = host[0] && strspn(host, "0123456789.") == strlen(host);
    return is_number ? host : "0.0.0.0";
}

/* A port that nobody has or wants; 0: none, which is refused. */
static int
choose_port(struct clone_entry *clone, const char *place, const char *address,
            bool is_udp)
{
    struct error error = {0};
    for (int i = 0; i < TRIES && clone->chosen_count < COUNT(clone->chosen);
         i++) {
        char *seed = xasprintf("%s %s %s %d", clone->spec->directory,
                               clone->name, place, i);
        int port = ports_choose(clone->ports, clone, tried_address(address),
                                is_udp, seed, &error);
        free(seed);
        if (!port)
            break;
        if (is_wanted(clone, port))
            continue;
        clone->chosen[clone->chosen_count++] = port;
        return port;
    }
    clone_refuse(clone, place, "%s",
                 error.text[0] ? error.text : "no port is free for it");
    return 0;
}

char *
clone_own_port(struct clone_entry *clone, const char *place, const char *text)
{
    const char *colon = strrchr(text, ':');
    const char *digits = colon ? colon + 1 : text;
    int old = atoi(digits);
    size_t host_len = colon ? (size_t)(colon - text) : 0;
    if (old <= 0 || digits[strspn(digits, "0123456789")]) {
        clone_refuse(clone, place, "\"%s\" is a port that both would have",
                     text);
        return NULL;
    }
    char *host = xstrndup(text, host_len);
    int port = choose_port(clone, place, host, false);
    char *own =
        port ? xasprintf("%.*s%d", (int)(digits - text), text, port) : NULL;
    if (own)
        clone_changed(clone, place, "port %d instead of %d", port, old);
    free(host);
    return own;
}

char *
clone_own_forward(struct clone_entry *clone, const char *place,
                  const char *text)
{
    struct forward forward = {0};
    char own[FORWARD_TEXT_BYTES];
    if (!forward_parse(text, &forward, NULL)) {
        clone_refuse(clone, place, "both would forward %s", text);
        return NULL;
    }
    int port = choose_port(clone, place, forward.host_address, forward.is_udp);
    if (port) {
        forward_to_qemu(&forward, port, own);
        clone_changed(clone, place, "port %d of %s leads to its port %d", port,
                      forward.host_address, forward.guest_port);
    }
    forward_finish(&forward);
    return port ? xstrdup(own) : NULL;
}

/* Displays ----------------------------------------------------------------- */

static bool
is_display_wanted(const struct clone_entry *clone, int port)
{
    for (size_t i = 0; i < clone->other_count; i++) {
        struct argv_vnc vnc;
        for (size_t at = 0; argv_find_vnc(clone->others[i], &at, &vnc);) {
            bool is_same = vnc.host && vnc.port == port;
            argv_vnc_finish(&vnc);
            if (is_same)
                return true;
        }
    }
    return false;
}

int
clone_free_display(struct clone_entry *clone, const char *host, int after)
{
    for (int i = after + 1; i <= LAST_DISPLAY; i++) {
        int port = ARGV_VNC_BASE_PORT + i;
        if (is_display_wanted(clone, port) || is_wanted(clone, port) ||
            !ports_check(tried_address(host), port, false, NULL))
            continue;
        if (clone->chosen_count < COUNT(clone->chosen))
            clone->chosen[clone->chosen_count++] = port;
        return i;
    }
    return 0;
}

/* The first value of -vnc: "HOST:N", "unix:PATH", "none". */
static char *
own_address(struct clone_entry *clone, const char *place, const char *text)
{
    if (!strncmp(text, "unix:", 5)) {
        char *path = clone_own_path(clone, place, text + 5);
        char *own = path ? xasprintf("unix:%s", path) : NULL;
        free(path);
        return own;
    }
    const char *colon = strrchr(text, ':');
    if (!colon)
        return xstrdup(text);
    char *host = xstrndup(text, (size_t)(colon - text));
    int old = atoi(colon + 1);
    int display = clone_free_display(clone, host, old);
    char *own = display ? xasprintf("%s:%d", host, display) : NULL;
    if (!display)
        clone_refuse(clone, place, "no VNC display is free, up to %d",
                     LAST_DISPLAY);
    else
        clone_changed(clone, place, "VNC display %d instead of %d", display,
                      old);
    free(host);
    return own;
}

char *
clone_own_display(struct clone_entry *clone, const char *place,
                  const char *text)
{
    struct keyval keyval;
    keyval_parse(&keyval, text);
    char *own = NULL;
    for (size_t i = 0; i < keyval.count && !own; i++) {
        struct keyval_pair *pair = &keyval.pairs[i];
        if (pair->key && strcmp(pair->key, "vnc") != 0)
            continue;
        char *address = own_address(clone, place, pair->value);
        if (!address)
            break;
        free(pair->value);
        pair->value = address;
        own = keyval_to_text(&keyval);
    }
    keyval_finish(&keyval);
    return own;
}
