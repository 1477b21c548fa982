#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* What Linux does on its magic SysRq key (Linux's
 * Documentation/admin-guide/sysrq.rst), by names. */
struct sysrq {
    const char *name;
    const char *summary;
    char letter;
    bool is_dangerous; /* ends programs or the guest */
};

extern const struct sysrq sysrqs[];
extern const size_t sysrqs_count;

/* By name or letter; NULL with the nearest name in error. */
const struct sysrq *sysrq_find(const char *name, struct error *error);
