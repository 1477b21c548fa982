#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* What belongs to a console's log besides its bytes: the bound of its size and
 * the index of its times. Part of a console; its files are the console's. */
struct console;
struct console_config;
struct bound;
struct times;
struct loop_timer;

struct record {
    struct bound *bound;       /* owned: of the log */
    struct bound *index_bound; /* owned: of the index's file; or NULL */
    struct times *times;       /* owned; NULL: there is none */
    struct loop_timer *flush;  /* owned */
};

/* A log without an index is no reason to have no console: that is told. */
void record_init(struct console *console, const struct console_config *config);
void record_finish(struct console *console);
/* Another bound of the log; 0: it grows. */
void record_set_max(struct console *console, uint64_t max_bytes);

/* The log has its bytes up to end, and no server saw the last ones come. */
void record_resume(struct console *console, uint64_t end);

/* Live bytes were taken: the content stands at console->offset now. */
void record_took(struct console *console);

/* The log was cut or replaced. */
void record_cut(struct console *console);
