#include "guest/sysrq.h"

#include "base/nearest.h"

#include <string.h>

/* In the order in which a sick guest is asked: first what only tells, then what
 * saves, then what ends. */
const struct sysrq sysrqs[] = {
    {"help", 'h', "list what the guest's kernel knows", false},
    {"show-blocked-tasks", 'w', "tasks that wait without end", false},
    {"show-tasks", 't', "all tasks and their stacks", false},
    {"show-memory", 'm', "memory in use and free", false},
    {"show-cpus", 'l', "what each processor does", false},
    {"show-registers", 'p', "registers of one processor", false},
    {"show-timers", 'q', "timers and clock devices", false},
    {"show-locks", 'd', "locks that are held", false},
    {"sync", 's', "write what is not on the disks yet", false},
    {"remount-read-only", 'u', "make file systems read-only", false},
    {"nice-realtime", 'n', "take real-time priority away", false},
    {"thaw", 'j', "thaw frozen file systems", false},
    {"oom-kill", 'f', "end the largest program", true},
    {"secure-access", 'k', "end the programs on the console", true},
    {"terminate", 'e', "SIGTERM to every program but init", true},
    {"kill", 'i', "SIGKILL to every program but init", true},
    {"reboot", 'b', "reboot at once, without sync", true},
    {"poweroff", 'o', "power off at once", true},
    {"crash", 'c', "crash the kernel, for a dump", true},
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
                  "there is no SysRq '%.64s'; query-sysrq lists them", name);
    return NULL;
}
