#pragma once

#include <stdbool.h>

/* Whether a QEMU binary takes -sandbox: it was built with libseccomp. Read from
 * the ELF file itself (running it would block); false for scripts and whatever
 * cannot be told. */
bool sandbox_is_supported(const char *program);
