#include "tui/state.h"

#include <string.h>

/* QEMU's further run states (qapi/run-state.json, RunState) come as they are;
 * what has no row here wants attention. */
static const struct state_info states[] = {
    {"defined", "defined", "○", "o", THEME_STATE_STOPPED, true},
    {"starting", "starting", "◌", ".", THEME_STATE_BUSY, false},
    {"running", "running", "●", "*", THEME_STATE_RUNNING, false},
    {"paused", "paused", "◐", "=", THEME_STATE_PAUSED, false},
    {"prelaunch", "prelaun.", "◐", "=", THEME_STATE_PAUSED, false},
    {"suspended", "suspend.", "◐", "=", THEME_STATE_PAUSED, false},
    {"shutting-down", "stopping", "◍", "~", THEME_STATE_BUSY, false},
    {"shutdown", "shutdown", "◍", "~", THEME_STATE_BUSY, false},
    {"stopped", "stopped", "○", "o", THEME_STATE_STOPPED, true},
    {"crashed", "crashed", "✗", "x", THEME_STATE_CRASHED, true},
    {"lost", "lost", "?", "?", THEME_STATE_ATTENTION, false},
    {"guest-panicked", "panicked", "!", "!", THEME_STATE_CRASHED, false},
    {"internal-error", "error", "!", "!", THEME_STATE_CRASHED, false},
    {"io-error", "io-error", "!", "!", THEME_STATE_CRASHED, false},
    {"watchdog", "watchdog", "!", "!", THEME_STATE_ATTENTION, false},
    {"inmigrate", "incoming", "◌", ".", THEME_STATE_BUSY, false},
    {"finish-migrate", "migrate", "◌", ".", THEME_STATE_BUSY, false},
    {"postmigrate", "migrated", "◐", "=", THEME_STATE_PAUSED, false},
    {"save-vm", "saving", "◌", ".", THEME_STATE_BUSY, false},
    {"restore-vm", "restore", "◌", ".", THEME_STATE_BUSY, false},
    {"debug", "debug", "◐", "=", THEME_STATE_PAUSED, false},
    {"colo", "colo", "●", "*", THEME_STATE_RUNNING, false},
};

static const struct state_info unknown = {
    "unknown", "unknown", "!", "!", THEME_STATE_ATTENTION, false,
};

const struct state_info *
state_info(const char *name)
{
    for (size_t i = 0; name && i < sizeof(states) / sizeof(*states); i++) {
        if (strcmp(states[i].name, name) == 0)
            return &states[i];
    }
    return &unknown;
}

const char *
state_glyph(const struct state_info *info, bool has_unicode)
{
    return has_unicode ? info->glyph : info->ascii;
}
