#pragma once

#include "base/error.h"
#include "base/paths.h"
#include "console/console.h"
#include "fleet/spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <jansson.h>
#include <uv.h>

/* One guest: its definition, its process and monitor, its state, its consoles,
 * and why it ended. All on the loop's thread. */
struct guest;

enum guest_state {
    GUEST_STATE_DEFINED,  /* known, not started */
    GUEST_STATE_STARTING, /* spawned, monitor not answered yet */
    GUEST_STATE_RUNNING,
    GUEST_STATE_PAUSED,
    GUEST_STATE_SHUTTING_DOWN, /* the power button was pressed */
    GUEST_STATE_STOPPED,       /* ended as asked */
    GUEST_STATE_CRASHED,       /* ended otherwise */
    GUEST_STATE_LOST,          /* pid, monitor and name do not agree */
    GUEST_STATE_OTHER,         /* QEMU's further run states, by their names */
    GUEST_STATE_COUNT
};

/* An address as text, with its interface where it needs one. */
#define GUEST_ADDRESS_BYTES 64

struct guest_handlers {
    /* State, exit report, problem or the list of consoles changed. */
    void (*on_change)(void *data, struct guest *guest);
    /* console: index. See console/console.h. */
    void (*on_screen)(void *data, struct guest *guest, size_t console);
    void (*on_output)(void *data, struct guest *guest, size_t console,
                      const char *bytes, size_t len, uint64_t offset);
    void (*on_bell)(void *data, struct guest *guest, size_t console);
    /* The screen may only be read. May be NULL. */
    void (*on_frame)(void *data, struct guest *guest, size_t console);
    /* Its machine was reset: what it had been typed to is gone. May be NULL. */
    void (*on_reset)(void *data, struct guest *guest);
    /* The guest took the last byte of input that waited. May be NULL. */
    void (*on_input_taken)(void *data, struct guest *guest, size_t console);
    /* An address where the host can reach it, link-local ones with their
     * interface ("fe80::1%tap7"); false: none is known yet. May be NULL. */
    bool (*on_find_address)(void *data, struct guest *guest,
                            char ret_address[GUEST_ADDRESS_BYTES]);
    /* level: "info", "warning", "error". text: fit to show. */
    void (*on_notice)(void *data, struct guest *guest, const char *level,
                      const char *text);
};

/* What all guests of a server share; borrowed, lives as long as they do. */
struct guest_context {
    uv_loop_t *loop;
    const struct paths *paths;
    struct console_hub *hub;
    struct ports *ports; /* the host's ports that guests have; may be NULL */
    const struct guest_handlers *handlers;
    void *data;
    rlim_t file_limit; /* the programs' RLIMIT_NOFILE; 0: this process's */
    uint64_t start_timeout_ms; /* for the monitor's answer; 0: 2 min */
};

/* Defines a guest: makes its state directory, writes spec.json there. The spec
 * becomes the guest's; it is freed on failure. */
struct guest *guest_new(const struct guest_context *context, struct spec *spec,
                        struct error *error);

/* Finds the guests that an earlier server left in the state directory, in the
 * order of their definition, and calls found for each; running ones are
 * adopted (their state is STARTING until the monitor answered), ended ones are
 * reported as such. Unreadable ones are told through on_unreadable. */
bool guest_adopt_all(const struct guest_context *context,
                     void (*found)(void *data, struct guest *guest),
                     void (*on_unreadable)(void *data, const char *name,
                                           const struct error *error),
                     struct error *error);

/* Forgets the guest in memory; a running QEMU goes on. What waits for it (each
 * on_done and on_reply) is called with ERROR_CODE_STATE before this returns,
 * and must not touch the guest. Safe in every callback; the memory stays to the
 * end of the loop turn. NULL is fine. */
void guest_free(struct guest *guest);

enum guest_remove_flags {
    GUEST_REMOVE_PURGE = 1 << 0, /* its logs and reports, too */
    GUEST_REMOVE_DISKS = 1 << 1, /* the images that guestmux made for it, too */
};

/* Takes the guest's definition away from disk (spec.json and what goes with
 * it), and its seed. flags: enum guest_remove_flags. Refused while it runs. The
 * guest must be freed after. */
bool guest_remove(struct guest *guest, unsigned flags, struct error *error);

/* Replaces the definition (spec becomes the guest's; it is freed on failure).
 * Refused while running. */
bool guest_update(struct guest *guest, struct spec *spec, struct error *error);

/* Keeps a definition (spec becomes the guest's) for the time when it runs no
 * more, on disk too; guest_take_plan then gives it to guest_update. spec NULL:
 * the present definition stays. */
bool guest_plan(struct guest *guest, struct spec *spec, struct error *error);
/* Replaces the definition of a guest that may run by one that differs in fields
 * that need no restart (spec_with_live_fields). The spec becomes the guest's;
 * it is freed on failure. */
bool guest_take_live(struct guest *guest, struct spec *spec,
                     struct error *error);
/* Notes which fleet file defined it last; "" when none is known. */
bool guest_set_fleet(struct guest *guest, const char *file,
                     struct error *error);
const char *guest_fleet(const struct guest *guest);
/* Its place among all guests: a lower number comes first. Kept on disk. */
int64_t guest_order(const struct guest *guest);
bool guest_set_order(struct guest *guest, int64_t order, struct error *error);
/* The planned definition once the guest has ended, now the caller's; or NULL.
 */
struct spec *guest_take_plan(struct guest *guest);

/* Actions. Each begins what it names and returns at once; what comes of it is
 * told by on_change and, if on_done is given, by one call of on_done (error is
 * NULL when all went well), which comes in a later loop turn. When the function
 * itself returns false, on_done is not called. */
typedef void (*guest_done_fn)(void *data, const struct error *error);

bool guest_start(struct guest *guest, guest_done_fn on_done, void *data,
                 struct error *error); /* done: monitor answered, it died, or
                                          after 2 min without either */
/* Presses the power button, and again every some seconds while it is waited
 * for, since firmware and a booting kernel miss it; done when QEMU is gone, or
 * after timeout_ms (0: what the definition says) with ERROR_CODE_TIMEOUT; the
 * guest is left running then. With GUEST_SHUTDOWN_FORCE, or when the definition
 * says so, QEMU is told to quit then, sent SIGTERM, and killed in the end. A
 * program gets SIGTERM for a button (SIGHUP when it ignores that), a descriptor
 * is closed. */
enum guest_shutdown_flags {
    GUEST_SHUTDOWN_FORCE = 1 << 0,
};
bool guest_shutdown(struct guest *guest, uint64_t timeout_ms, unsigned flags,
                    guest_done_fn on_done, void *data, struct error *error);
/* Stops what guest_shutdown began, as long as QEMU was not told to quit; who
 * waits for it is told how the guest is left. */
bool guest_shutdown_stop(struct guest *guest, struct error *error);
bool guest_kill(struct guest *guest, guest_done_fn on_done, void *data,
                struct error *error); /* quit, then SIGKILL; done: gone */
bool guest_pause(struct guest *guest, guest_done_fn on_done, void *data,
                 struct error *error);
bool guest_resume(struct guest *guest, guest_done_fn on_done, void *data,
                  struct error *error);
bool guest_reset(struct guest *guest, guest_done_fn on_done, void *data,
                 struct error *error);

/* Sends a break on a console's serial line, once what was typed before has
 * reached the guest (a second after a pty's opening). Done: it is on its way.
 * Refused while typing waits there, and for what has no serial line: a program,
 * a socket. */
bool guest_send_break(struct guest *guest, size_t console,
                      guest_done_fn on_done, void *data, struct error *error);

enum guest_sysrq_way {
    GUEST_SYSRQ_AUTO,     /* the serial line where the console is one */
    GUEST_SYSRQ_SERIAL,   /* a break, then the letter */
    GUEST_SYSRQ_KEYBOARD, /* Alt-SysRq-letter on its keyboard */
};

/* Asks the guest's kernel for a magic SysRq function (guest/sysrq.h). Done: it
 * is on its way; what the kernel makes of it stands on the console. */
struct sysrq;
bool guest_send_sysrq(struct guest *guest, size_t console,
                      const struct sysrq *sysrq, enum guest_sysrq_way way,
                      guest_done_fn on_done, void *data, struct error *error);

/* Presses keys of the guest's keyboard, one combination after the other:
 * "ctrl-alt-delete", "a", in QEMU's names for keys (QKeyCode) and the usual
 * ones. combinations: borrowed, an array of strings. */
bool guest_press(struct guest *guest, const json_t *combinations,
                 guest_done_fn on_done, void *data, struct error *error);

/* Forwards a port of the host to the guest while it runs. card: whose user
 * network, or -1: the first. on_reply gets the list of forwards as
 * guest_to_json tells it. */
typedef void (*guest_qmp_fn)(void *data, const json_t *value,
                             const struct error *error);
bool guest_forward_add(struct guest *guest, int card,
                       const struct forward *forward, guest_qmp_fn on_reply,
                       void *data, struct error *error);
/* Asks QEMU which ports lead to a guest that was just adopted; false: that is
 * known, or nobody can be asked. */
bool guest_learn_forwards(struct guest *guest, guest_qmp_fn on_reply,
                          void *data);
/* Takes the host's port away from it. host: the host's address of it; NULL:
 * the only one. */
bool guest_forward_remove(struct guest *guest, bool is_udp, const char *host,
                          int port, guest_qmp_fn on_reply, void *data,
                          struct error *error);

/* Asks the guest agent; see qemu/agent.h. arguments: stolen, may be NULL. */
bool guest_agent(struct guest *guest, const char *command, json_t *arguments,
                 uint64_t timeout_ms, guest_qmp_fn on_answer, void *data,
                 struct error *error);
/* Has the agent shut the guest down. Done: it was told to; it answers nothing
 * then. */
bool guest_agent_shutdown(struct guest *guest, guest_done_fn on_done,
                          void *data, struct error *error);
/* Whether it runs with a port for the agent, be it there or not. */
bool guest_has_agent(const struct guest *guest);
/* Asks the agent for addresses. Done: guest_append_addresses has them. */
bool guest_refresh_addresses(struct guest *guest, guest_done_fn on_done,
                             void *data, struct error *error);
/* Appends what the agent told to an array of the API's addresses. */
void guest_append_addresses(const struct guest *guest, json_t *addresses);

/* One network card of a guest described by fields. Texts: borrowed. */
struct guest_card {
    const char *type;    /* "user", "lan", "tap" …; "qemu": a -nic value */
    const char *network; /* the fleet's own network, or NULL */
    const char *socket;  /* where its QEMU listens for the switch, while the
                          * guest runs and its monitor has answered; or NULL */
    char mac[18];        /* "": not known */
    bool is_beside_host; /* they are on one network */
    bool is_down;        /* its cable was pulled */
};
size_t guest_card_count(const struct guest *guest);
/* False: there is no such card. */
bool guest_card(const struct guest *guest, size_t card,
                struct guest_card *ret_card);
/* Pulls a card's cable, or puts it in again. */
bool guest_set_link(struct guest *guest, size_t card, bool is_up,
                    guest_done_fn on_done, void *data, struct error *error);

/* Any QMP command. arguments: stolen, may be NULL. value: borrowed; NULL on
 * error. */
bool guest_qmp(struct guest *guest, const char *command, json_t *arguments,
               uint64_t timeout_ms, guest_qmp_fn on_reply, void *data,
               struct error *error);

/* What it is. Borrowed. */
const char *guest_name(const struct guest *guest);
const struct spec *guest_spec(const struct guest *guest);
enum guest_state guest_state(const struct guest *guest);
/* The state's name for the API: for GUEST_STATE_OTHER QEMU's own. */
const char *guest_state_name(const struct guest *guest);
/* Whether its process (or descriptor) is there. */
bool guest_is_active(const struct guest *guest);

/* Whether an earlier server left it running and its monitor has not answered
 * this one yet; false once the monitor is known to be silent. A matter of ms.
 */
bool guest_is_being_adopted(const struct guest *guest);
/* Waits until the monitor of a guest that is being adopted answers; false: it
 * is not being adopted. Done: it does, or the guest ended, or with an error
 * after GUEST_MONITOR_WAIT_MS. */
#define GUEST_MONITOR_WAIT_MS 10000
bool guest_await_monitor(struct guest *guest, guest_done_fn on_done,
                         void *data);

/* Whether somebody ended its last run on purpose: by this program, by its
 * monitor, by a signal to QEMU. */
bool guest_was_stopped(const struct guest *guest);
/* Whether that was since this machine's boot. */
bool guest_was_stopped_lately(const struct guest *guest);
/* Whether its last run ended while no server was there, other than with the
 * machine. */
bool guest_ended_unwatched(const struct guest *guest);
/* How long that run was, ms; 0: not known. */
int64_t guest_last_uptime_ms(const struct guest *guest);

/* What the server wants with the guest, kept in its directory for the next
 * server. value: stolen; NULL: nothing any more. */
bool guest_keep_intent(struct guest *guest, json_t *value, struct error *error);
/* New reference, or NULL. */
json_t *guest_intent(const struct guest *guest);

/* How far its boot has come; STAGE_OFF too when that is not known yet. */
enum stage guest_stage(const struct guest *guest);
/* Whether it reached a stage in this boot, or one after it. The agent and ssh
 * come by themselves: only init and what is before it is behind them. */
bool guest_has_reached(const struct guest *guest, enum stage stage);
/* Wall clock, ms: when it came to a stage in its last boot; 0: it did not. */
int64_t guest_stage_ms(const struct guest *guest, enum stage stage);
/* Notes that it has come to a stage, told by on_change; whether that was new.
 * at_ms: wall clock. */
bool guest_note_stage(struct guest *guest, enum stage stage, int64_t at_ms);
/* How far a console's output had been looked at when it reached its stage. */
uint64_t guest_stage_offset(const struct guest *guest, size_t console);

/* The guest object of the API. New reference. */
json_t *guest_to_json(struct guest *guest);

/* The command line it was or would be started with; NULL-terminated, owned
 * (argv_free). */
char **guest_command(struct guest *guest, struct error *error);

/* The command line with which a person starts it without guestmux (qemu/argv.h:
 * argv_export); NULL-terminated, owned (argv_free). */
char **guest_export(struct guest *guest, struct error *error);

size_t guest_console_count(const struct guest *guest);
struct console *guest_console(struct guest *guest, size_t index);
const char *guest_console_name(const struct guest *guest, size_t index);
/* Index of a console by name, or -1. NULL: the first. */
int guest_find_console(const struct guest *guest, const char *name);
