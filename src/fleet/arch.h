#pragma once

#include <stddef.h>

/* What depends on the architecture that a QEMU emulates. */

/* "x86_64" for qemu-system-x86_64, by name or path; x86_64 where the name does
 * not tell, or is NULL. Borrowed from program. */
const char *arch_of_program(const char *program);

/* What Linux calls the serial ports of QEMU's machines, without the number:
 * "ttyS", "ttyAMA" … */
const char *arch_serial_prefix(const char *arch);

/* How many serial ports QEMU's usual machine of an architecture has at most. */
size_t arch_serial_ports(const char *arch);
