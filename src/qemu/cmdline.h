#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* QEMU command lines of the user's, rewritten so that guestmux has the consoles
 * and the monitor. Everything that is not named here is kept, in its order:
 *
 *   -serial stdio, mon:…, vc, pty, telnet:…  our console
 *   -serial chardev:ID, -device …serial…,chardev=ID, virtconsole
 *                      our console, when the chardev is stdio, vc or pty
 *   -serial null, none, file:…, tcp:…, unix:…, /dev/…  kept; but when no
 *                      console is left, the first one that is not null or none
 *                      becomes ours
 *   no -serial         a console, even with -nodefaults
 *   -monitor, -mon, -qmp, -qmp-pretty and chardevs only they use  dropped
 *   -display, -curses, -sdl …  dropped, unless it is one to be looked at from
 *                      elsewhere (-vnc, -spice, -display vnc, egl-headless,
 *                      dbus); without one, -nographic is put in front
 *   -parallel stdio, vc, pty  becomes null
 *   -daemonize, -pidfile, -name  dropped
 *   -uuid              kept: it is the guest's identity then
 */

/* Longest console name, with its terminating zero. */
#define CMDLINE_CONSOLE_NAME_BYTES 16

struct cmdline_console {
    char name[CMDLINE_CONSOLE_NAME_BYTES]; /* "ttyS0", "hvc0" … */
};

struct cmdline {
    char *program; /* NULL when the words were only arguments */
    char **words;  /* the arguments; console N is the chardev gmconN */
    struct cmdline_console *consoles;
    size_t console_count;
    char *uuid;       /* of -uuid, in lower case, or NULL */
    char **notes;     /* what was rewritten and why; NULL-terminated */
    bool has_display; /* looked at from elsewhere, by VNC for example */
    bool has_sandbox; /* -sandbox is given */
    bool spawns;      /* it makes QEMU run programs (tap scripts, helpers) */
};

enum cmdline_flags {
    /* words begin with the program; sudo, exec, nohup, setsid before it are
     * dropped. */
    CMDLINE_COMMAND = 0,
    /* words are arguments that follow ours: console 0 exists already and
     * nothing is put in front. */
    CMDLINE_ARGUMENTS = 1 << 0,
};

/* The name in an option's word, "m" of "-m" and "--m"; NULL: it is no option.
 * Borrowed. */
const char *cmdline_option_name(const char *word);

/* Rewrites words. arch: whose names the serial ports get; NULL: by the
 * program's name. NULL on failure. */
struct cmdline *cmdline_rewrite(char *const *words, const char *arch,
                                unsigned flags, struct error *error);
/* The same for arguments that follow ours when other consoles than the first
 * serial port are there already: given, NULL-terminated names. */
struct cmdline *cmdline_rewrite_after(char *const *words, const char *arch,
                                      const char *const *given,
                                      struct error *error);
void cmdline_free(struct cmdline *cmdline);

/* Whether a -nic, -netdev or -net value makes QEMU run a program: a bridge's
 * helper, a tap's script, guestfwd=…-cmd:, smb=. */
bool cmdline_net_spawns(const char *value);

/* What Linux calls serial port index of an architecture. */
void cmdline_serial_name(const char *arch, size_t index,
                         char name[CMDLINE_CONSOLE_NAME_BYTES]);
