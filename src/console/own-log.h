#pragma once

#include <stdint.h>

/* Keeps server.log, what the server and the commands of alert rules say on
 * stderr, within a size while the server runs: a file that became too long is
 * put aside as server.log.old, in place of an older one, and a new one begun.
 */
struct own_log;
struct console_hub;

/* Bytes of one of the two files. */
#define OWN_LOG_MAX_BYTES (1u << 20)

/* NULL when stderr is not the file of that path (a server in the foreground
 * writes where its caller wants it), or cannot be watched. path: copied. */
struct own_log *own_log_new(struct console_hub *hub, const char *path,
                            uint64_t max_bytes);
/* NULL is fine. */
void own_log_free(struct own_log *log);
