#pragma once

#include "qemu/preflight.h"

/* Shared by preflight*.c: one guest being looked at. */
struct preflight_check {
    struct preflight *preflight;
    const struct spec *spec;
};

void preflight_add(const struct preflight_check *check,
                   enum preflight_severity severity, const char *field,
                   int index, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Files that a guest names. */
void preflight_check_files(const struct preflight_check *check);

/* What several guests want at once. */
void preflight_check_shared(struct preflight *preflight,
                            const struct fleet *fleet);
