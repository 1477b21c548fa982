#pragma once

#include <stdint.h>

/* Keeps a log that is no console's within a size while its run goes on: what a
 * program says on stderr. Wakes up only when it says something. */
struct keeper;
struct console_hub;

/* NULL when the file cannot be watched: then it grows, which for such a log is
 * no reason to complain. path: copied. */
struct keeper *keeper_new(struct console_hub *hub, const char *path,
                          uint64_t max_bytes);
/* NULL is fine. */
void keeper_free(struct keeper *keeper);
