#include "guest/sysrq.h"

#include "base/nearest.h"

#include <string.h>

/* In the order in which a sick guest is asked: first what only tells, then what
 * saves, then what ends. */
const struct sysrq sysrqs[] = {
    {"help", "list what the guest's kernel knows", 'h', false},
    {"show-blocked-tasks", "tasks that wait without end", 'w', false},
    {"show-tasks", "all tasks and their stacks", 't', false},
    {"show-memory", "memory in use and free", 'm', false},
    {"show-cpus", "what each processor does", 'l', false},
    {"show-registers", "registers of one processor", 'p', false},
    {"show-timers", "timers and clock devices", 'q', false},
    {"show-locks", "locks that are held", 'd', false},
    {"sync", "write what is not on the disks yet", 's', false},
    {"remount-read-only", "make file systems read-only", 'u', false},
    {"nice-realtime", "take real-time priority away", 'n', false},
    {"thaw", "thaw frozen file systems", 'j', false},
    {"oom-kill", "end the largest program", 'f', true},
    {"secure-access", "end the programs on the console", 'k', true},
    {"terminate", "SIGTERM to every program but init", 'e', true},
    {"kill", "SIGKILL to every program but init", 'i', true},
    {"reboot", "reboot at once, without sync", 'b', true},
    {"poweroff", "power off at once", 'o', true},
    {"crash", "crash the kernel, for a dump", 'c', true},
};
const size_t sysrqs_count = sizeof(sysrqs) / sizeof(sysrqs[0]);

const struct sysrq *
sysrq_find(const char *name, struct error *error)
{
    const char *names[sizeof(sysrqs) / sizeof(sysrqs[0])];
    for (size_t i = 0; i < sysrqs_count; i++) {
        names[i] = sysrqs[i].name;
        if (strcmp(name, sysrqs[i].name) == 0 ||
            (name[0] == sysrqs[i].letter && !name[1]))
            return &sysrqs[i];
    }
    const char *near = nearest_name(name, names, sysrqs_count);
    if (near)
        error_set(error, ERROR_CODE_NOT_FOUND,
                  "there is no SysRq '%.64s' (did you mean '%s'?)", name, near);
    else
        error_set(error, ERROR_CODE_NOT_FOUND,
                  "there is no SysRq '%.64s'; `guestmux sysrq` lists them",
                  name);
    return NULL;
}
