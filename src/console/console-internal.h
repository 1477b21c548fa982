#pragma once

#include "base/loop.h"
#include "console/console.h"
#include "console/fdsource.h"
#include "console/follower.h"
#include "console/freezer.h"
#include "console/keyboard.h"
#include "console/logwriter.h"
#include "console/loss.h"
#include "console/marks.h"
#include "console/record.h"
#include "console/stops.h"
#include "console/watchdog.h"

/* What console.c (the API), content.c (where the bytes come from) and hub.c
 * share. */

struct console_hub {
    uv_loop_t *loop; /* borrowed */
    struct follower_set *followers;
    struct watchdog *watchdog;
    unsigned taken_count; /* the watchdog's, when it was last looked at */
    uv_check_t *check;    /* runs once a turn */
    uint64_t turn;
    struct fdsource_shared fds;
    struct freezer *freezer;     /* of all consoles' histories */
    struct loop_timer *freezing; /* armed while it has something to do */
    bool is_freezing;            /* a period's work is not done yet */
    struct console *first;       /* all consoles */
};

/* Replies to the guest's queries: a burst, and then so many a second. */
#define CONSOLE_REPLY_BURST 64
#define CONSOLE_REPLIES_PER_SECOND 64
/* Replies wait at most in this company. */
#define CONSOLE_REPLY_MAX_PENDING (64u << 10)

/* A log longer than this (or than 256 bytes a history line, up to 512 MiB) is
 * replayed from a line's beginning this far from its end. */
#define CONSOLE_REPLAY_MAX_BYTES (32u << 20)

struct console {
    struct console_hub *hub; /* borrowed: lives as long */
    struct console *next;
    struct console *previous;
    const struct console_handlers *handlers;
    void *data;
    char *log_path; /* owned */

    struct terminal *terminal;
    struct marks *marks;
    struct record record;      /* the log's bound and times */
    struct loop_defer *change; /* an on_change for the next turn */
    uint64_t changed_turn;     /* the turn of the last on_change */

    struct follower *follower;   /* of QEMU's log and of a replay, or NULL */
    struct keyboard *keyboard;   /* of a QEMU console */
    struct fdsource *fdsource;   /* of an fd console, or NULL */
    struct logwriter *logwriter; /* with fdsource */
    struct loss loss;            /* of a QEMU console */
    unsigned holds;

    struct stops stops;  /* which rows the log's lines became */
    unsigned log_number; /* of logs: grows when it is cut or replaced */
    uint64_t offset;     /* behind the last byte interpreted */
    uint64_t replay_end; /* what lies before it is replayed */
    int wanted_rows;     /* a resize that waits; 0: none */
    int wanted_cols;
    int64_t last_output_ms;

    double reply_credit;
    uint64_t reply_ms; /* when the credit was last topped up */

    bool is_replaying;
    bool is_writing; /* inside terminal_write */
    bool is_dead;    /* freed while busy */
    bool has_marks_trouble;
    unsigned busy; /* handlers that run */
};

/* Every entry from the loop is between these two: handlers may free the
 * console. */
void console_enter(struct console *console);
void console_leave(struct console *console);

/* console_type for an answer to the guest's query. */
void console_reply(struct console *console, const char *bytes, size_t len);

void console_tell_trouble(struct console *console, const struct error *error);

/* The screen changed: on_change now, or in the next turn if there was one in
 * this turn already. */
void console_tell_change(struct console *console);

/* Tells that the guest took the input that waited. */
void console_tell_taken(struct console *console);

/* content.c ---------------------------------------------------------------- */

extern const struct terminal_handlers content_terminal_handlers;

/* Opens the log and begins to replay it. */
bool content_start(struct console *console, size_t history_lines,
                   struct error *error);
void content_finish(struct console *console);

/* Follows the log at its path (again). */
bool content_follow(struct console *console, struct error *error);

/* Closes the descriptor that the content came from, if any. */
void content_close_fd(struct console *console);

/* Takes the content from a descriptor instead. */
bool content_set_fd(struct console *console, int fd, struct error *error);

/* Adds a mark and applies it when the content has come so far. */
void content_mark(struct console *console, const struct mark *mark);

/* The log's present end. */
uint64_t content_end(const struct console *console);

/* Reads at once, or in larger pieces: as somebody looks or nobody does. */
void content_set_pace(struct console *console);

/* Applies a resize that waited, if nothing holds it up now. */
void content_try_resize(struct console *console);

/* Interprets live bytes that the log does not have. */
void content_unlogged(struct console *console, const char *bytes, size_t len);

/* The log has grown to end again, which was shown already; of what was shown
 * since its former end it lacks missing bytes. */
void content_end_gap(struct console *console, uint64_t missing, uint64_t end);
