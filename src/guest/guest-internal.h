#pragma once

#include "base/loop.h"
#include "console/keeper.h"
#include "guest/guest.h"
#include "qemu/prepare.h"
#include "qemu/process.h"
#include "qemu/qmp.h"

/* What the files of this folder share.
 *
 * Nothing in here calls out while it works on a guest: changes and finished
 * actions are noted, and told in the next loop turn by one function
 * (guest_deliver), so that handlers may do anything, freeing the guest too.
 * Only what consoles tell is passed on at once. */

/* ms; from a polite quit to SIGKILL, and from SIGHUP to SIGKILL. */
#define GUEST_QUIT_TIMEOUT_MS 2000u
/* ms; after the end, for the monitor's and the consoles' last words. */
#define GUEST_FINISH_TIMEOUT_MS 500u
/* ms; how long who waits for a start waits for the monitor. Far more than a
 * QEMU takes that fills a lot of memory first. */
#define GUEST_START_TIMEOUT_MS 120000u
/* ms; until a reset that QEMU said it would do is overdue. */
#define GUEST_RESET_WAIT_MS 30000

struct guest_console {
    struct guest *guest; /* borrowed: the owner */
    size_t index;
    char *name;
    char *log_path;
    char *title; /* fit to show; NULL: none */
    struct console *console;
    bool has_ended; /* a descriptor's content is over */
    int end_errnum;
};

/* Something that somebody waits for. */
enum op_kind {
    OP_KIND_START, /* the monitor answered, or it ended */
    OP_KIND_GONE,  /* it ended */
    OP_KIND_REPLY, /* the monitor's answers */
    OP_KIND_RESET, /* the monitor's answer, then RESET, or it ended */
};

struct op {
    struct op *next;
    struct guest *guest; /* borrowed: the owner */
    enum op_kind kind;
    guest_done_fn on_done;
    guest_qmp_fn on_reply; /* or this one */
    void *data;
    struct loop_timer *limit; /* owned; NULL: none */
    void *details;            /* owned: what its callbacks need, or NULL */
    json_t *value;            /* owned; the outcome */
    struct error *error;      /* owned; NULL: success */
    bool is_shutdown;         /* it waits for a shutdown, not for a kill */
    bool is_promised;         /* the monitor took the reset */
    bool is_met;              /* the reset was, before that answer */
    bool is_done;
};

/* One life of the guest, from its start or adoption to its end. */
struct ladder;
struct run {
    struct process *process; /* owned; NULL: a device, a socket, or lost */
    struct qmp *qmp;         /* owned; NULL: has no monitor */
    char **argv;             /* owned; NULL: a device or socket */
    char *qmp_path;          /* the monitor's socket; NULL: has none */
    char *agent_path;        /* the agent's socket; NULL: has none */
    struct agent *agent;     /* owned; NULL: has none */
    struct loop_timer *agent_timer; /* owned: the next question */
    unsigned agent_asks;
    json_t *addresses;  /* owned: what the agent told; NULL: nothing yet */
    char **nic_sockets; /* owned: nic_count; NULL for other networks */
    size_t nic_count;
    struct process_identity identity;
    int64_t started_ms;
    char *qmp_name;      /* what the monitor said first, to know it again */
    char *qmp_uuid;      /* the same */
    char *executable;    /* what /proc says it runs */
    char *reason;        /* SHUTDOWN's, or NULL */
    int64_t reset_ms;    /* when its last reset was, wall clock; 0: had none */
    bool is_reset_again; /* … and that it was one of the boot before it */
    struct process_exit exit;
    struct keeper *keeper;       /* owned: of stderr.log; NULL: has none */
    struct ssh_probe *ssh_probe; /* owned; NULL: nothing leads to it */
    struct ladder *ladder;    /* owned: its shutdown; NULL: none is under way */
    struct loop_timer *timer; /* owned: until SIGKILL, then until finished */
    bool is_adopted;
    bool is_unwatched;     /* it ended while no server was there */
    bool is_host_rebooted; /* the same, with the whole machine */
    bool is_ready;         /* the monitor answered at least once */
    bool is_shutting_down; /* the power button was pressed */
    bool is_kill_asked;
    bool is_stop_asked;   /* somebody wants its end, one way or another */
    bool is_stop_ignored; /* somebody did, and it went on in this boot */
    bool is_let_go;       /* a descriptor that was closed as asked */
    bool is_finishing;    /* it ended; last words are awaited */
};

/* Consoles of which is noted how far they were looked at for stages. */
#define STAGES_MAX_CONSOLES 16

/* The stages of the last boot. Times: wall clock, ms; 0: not reached. */
struct guest_stages {
    enum stage now;  /* the furthest; STAGE_OFF: not known */
    int64_t boot_ms; /* when this boot began */
    int64_t at_ms[STAGE_COUNT];
    uint64_t offsets[STAGES_MAX_CONSOLES]; /* of the consoles' logs */
};

/* Something to tell the operator. */
struct notice {
    struct notice *next;
    const char *level; /* constant */
    char *text;        /* fit to show */
};

struct guest {
    const struct guest_context *context; /* borrowed */
    struct spec *spec;
    struct spec *plan; /* owned: the next run's definition, or NULL: spec */
    char *fleet;       /* the file that defined it, or NULL */
    char *dir;         /* STATE/NAME */
    char *qmp_path;    /* RUNTIME/NAME.qmp */
    char uuid[37];     /* lower case */
    int64_t order;     /* its place among all: ns, when it was defined */
    enum guest_state state;
    char *run_state;                /* QEMU's own; NULL: none */
    char *problem;                  /* NULL: none */
    struct guest_console *consoles; /* owned */
    size_t console_count;
    struct prepare *prepare; /* owned; NULL: nothing is being made for it */
    char *step;              /* what is; NULL: nothing */
    struct image_job *image; /* owned; NULL: its disks are left alone */
    enum guest_state state_before; /* … it was */
    struct run *run;               /* owned; NULL: it is not running */
    json_t *exit;                  /* owned; the last exit report, or NULL */
    json_t *ports;      /* owned: the host's ports that were chosen for it */
    json_t *links_down; /* owned: numbers of cards without their cable */
    json_t *forwards;   /* owned: what QEMU says, or NULL: not known */
    char usernet[64];   /* its first user network, or "" */
    int64_t started_ms;
    int64_t ended_ms;
    struct guest_stages stages;
    bool was_stopped;        /* somebody ended the last run */
    bool was_stopped_lately; /* since this machine's boot */
    bool has_ended_unwatched;
    struct op *ops;         /* owned list, oldest first */
    struct notice *notices; /* owned list, oldest first */
    char *last_notice;      /* told at last_notice_ms, or NULL */
    uint64_t last_notice_ms;
    struct loop_defer *defer; /* owned */
    bool has_changed;
    bool is_dead; /* let go; the memory stays to the end of the loop turn */
};

/* guest.c ------------------------------------------------------------------ */

/* Builds a guest without touching its directory. The spec becomes its. */
struct guest *guest_build(const struct guest_context *context,
                          struct spec *spec, struct error *error);

/* Notes that on_change is due. */
void guest_changed(struct guest *guest);
void guest_set_state(struct guest *guest, enum guest_state state);
/* text: copied; NULL: none. */
void guest_set_problem(struct guest *guest, const char *text);
void guest_set_run_state(struct guest *guest, const char *run_state);
/* Works the state out of the run and QEMU's run state. */
void guest_derive_state(struct guest *guest);

/* notices.c ---------------------------------------------------------------- */

/* Notes a notice, to be told in the next turn; the same text at most once in
 * 10 s, and at most 16 at once. */
void guest_notice(struct guest *guest, const char *level, const char *format,
                  ...) __attribute__((format(printf, 3, 4)));

void notices_deliver(struct guest *guest);
void notices_free(struct guest *guest);

/* ops.c -------------------------------------------------------------------- */

struct op *op_new(struct guest *guest, enum op_kind kind, guest_done_fn on_done,
                  void *data);
/* Notes the outcome; it is told in the next turn. value: borrowed. */
void op_finish(struct op *op, const json_t *value, const struct error *error);
/* Finishes all of a kind. */
void op_finish_all(struct guest *guest, enum op_kind kind,
                   const struct error *error);
/* Takes a finished one out of the list; NULL: none. */
struct op *op_take_done(struct guest *guest);
/* Calls its callback and frees it. */
void op_deliver(struct op *op);

/* consoles.c --------------------------------------------------------------- */

/* Makes the consoles that the spec says. */
bool consoles_open(struct guest *guest, struct error *error);
void consoles_close(struct guest *guest);
/* The definition is another one, whose consoles are the same: their size and
 * bounds may be others. */
void consoles_take_live(struct guest *guest);
/* Makes sure that each log is a private regular file of ours. */
bool consoles_prepare_logs(struct guest *guest, struct error *error);
void consoles_mark_boot(struct guest *guest);
void consoles_mark_reset(struct guest *guest, int64_t at_ms);
/* The most that any of its consoles printed since the last boot began; at_ms:
 * until then (wall clock), as far as that was seen; 0: until now. */
uint64_t consoles_boot_bytes(const struct guest *guest, int64_t at_ms);
/* Forgets ptys and descriptors. */
void consoles_detach(struct guest *guest);
/* What is typed waits until the monitor told the ptys. */
void consoles_expect(struct guest *guest);
/* Whether everything that was printed has been taken in. */
bool consoles_are_drained(const struct guest *guest);

/* actions.c ---------------------------------------------------------------- */

/* Whether it runs, as far as we may act on it; what: "reset". */
bool guest_check_active(const struct guest *guest, const char *what,
                        struct error *error);
/* Whether its monitor takes commands. */
bool guest_check_monitor(const struct guest *guest, const char *what,
                         struct error *error);

/* The start's record, once QEMU is spawned: who waits for it is told of its
 * time limit. */
void actions_note_start(struct guest *guest);

/* preparing.c -------------------------------------------------------------- */

bool preparing_is_needed(const struct guest *guest);
/* Makes what is missing, then launches it; who waits for its start
 * (OP_KIND_START) is told when that fails. */
void preparing_begin(struct guest *guest);
/* Ends that; false: nothing was being made. */
bool preparing_call_off(struct guest *guest);

/* The monitor told of a reset: who asked for one is answered. */
void actions_note_reset(struct guest *guest);
/* Its end is wanted: a later server has to know too. */
void actions_note_stop(struct guest *guest);
/* Closes the descriptor of a device or socket. */
void actions_let_go(struct guest *guest);
/* Nothing runs yet: whatever is being made for it is called off, and who waits
 * is told. False: nothing was. */
bool actions_end_preparing(struct guest *guest, guest_done_fn on_done,
                           void *data);

/* ladder.c ----------------------------------------------------------------- */

void ladder_free(struct ladder *ladder);
/* What run.json keeps of a shutdown under way, and the way back: it goes on
 * where the server before this one was. New reference. */
json_t *ladder_save(const struct guest *guest);
void ladder_restore(struct guest *guest, const json_t *saved);
/* The monitor answered this server for the first time. */
void ladder_on_ready(struct guest *guest);
/* The guest is lost: nothing more is done to it. */
void ladder_lose(struct guest *guest, const struct error *why);
/* Adds "shutdown" to the API's guest object. */
void ladder_describe(const struct guest *guest, json_t *object);

/* store.c: files in the guest's state directory ---------------------------- */

char *store_path(const struct guest *guest, const char *file);
bool store_save_spec(const struct guest *guest, bool is_new,
                     struct error *error);
/* The planned definition; NULL: there is none any more. */
bool store_save_plan(const struct guest *guest, struct error *error);
/* Writes what a later server needs to find the run again. */
bool store_save_run(const struct guest *guest, struct error *error);
bool store_save_exit(const struct guest *guest, struct error *error);
/* The report is no longer the last run's: exit.json becomes exit.1.json. */
void store_retire_exit(const struct guest *guest);
void store_forget(const struct guest *guest, const char *file);
/* A file of ours in the directory: written (value: stolen), and read: NULL when
 * there is none or it is unreadable (error is set then). */
bool store_save(const struct guest *guest, json_t *value, const char *file,
                struct error *error);
json_t *store_read(const struct guest *guest, const char *file,
                   struct error *error);
/* Opens a new stderr.log, the old one becomes stderr.1.log. */
int store_open_stderr(const struct guest *guest, struct error *error);
/* Keeps stderr.log within a size, from now to the run's end. */
void store_keep_stderr(struct guest *guest);
/* Takes the directory's lock for a moment: two servers cannot both start the
 * guest. -1: somebody else holds it. */
int store_lock(const struct guest *guest, struct error *error);
/* Deletes spec.json and what goes with it. */
bool store_remove(const struct guest *guest, bool purge, struct error *error);

/* launch.c, plain.c -------------------------------------------------------- */

/* A QEMU, and what is none. They make guest->run or fail without a trace. */
bool launch_qemu(struct guest *guest, struct error *error);
bool launch_plain(struct guest *guest, struct error *error);
/* Opens a device or socket that a dead server had open: no new boot. */
bool launch_again(struct guest *guest, struct error *error);
bool guest_has_qemu(const struct guest *guest);
/* QEMU's command line. sockets: network_sockets'; ports: network_ports'. */
char **launch_argv(const struct guest *guest, char *const *sockets,
                   const int *ports, const char *agent_path,
                   struct error *error);
struct run *run_new(struct guest *guest);
void run_free(struct run *run);

/* network.c ---------------------------------------------------------------- */

/* Reads what was remembered; once, when the guest is made. */
void network_load(struct guest *guest);
void network_free(struct guest *guest);

enum network_ports_flags {
    NETWORK_PORTS_CHECKED,
    NETWORK_PORTS_UNCHECKED, /* those in use are no failure */
};
/* The host's port of each forward of the spec, for argv_runtime; the caller
 * frees it. */
int *network_ports(struct guest *guest, enum network_ports_flags flags,
                   struct error *error);
/* Where each card's QEMU is to listen for the switch: one for each card, NULL
 * for those on other networks. */
char **network_sockets(const struct guest *guest, struct error *error);
/* Where the agent's port is to be; NULL with error, or without: it has none. */
char *network_agent_path(const struct guest *guest, struct error *error);
void network_free_sockets(char **sockets, size_t count);
/* What a run that is over left of them on disk. */
void network_remove_sockets(const struct run *run);

/* A new run begins; the monitor answered. */
void network_on_start(struct guest *guest);
void network_on_ready(struct guest *guest);
bool network_is_down(const struct guest *guest, size_t card);
/* The API's array of cards. New reference. */
json_t *network_cards_json(const struct guest *guest);

/* agent.c ------------------------------------------------------------------ */

/* The run's agent is behind a socket; path NULL: it has none. */
void agent_start(struct guest *guest, const char *path);
/* The agent came in the guest: it is asked for addresses soon. */
void agent_opened(struct guest *guest);
/* The same when query-chardev says so. */
void agent_take_chardevs(struct guest *guest, const json_t *chardevs);

/* adopt.c ------------------------------------------------------------------ */

/* Whether a lost guest is found to be gone, so that it can be started. */
bool adopt_recheck(struct guest *guest);

/* monitor.c ---------------------------------------------------------------- */

extern const struct qmp_handlers monitor_handlers;
/* Asks for QEMU's run state; op (may be NULL) is finished with the answer. */
void monitor_refresh(struct guest *guest, struct op *op);
void monitor_refresh_ptys(struct guest *guest);
/* Calls it lost: why is told and kept. */
void guest_lose(struct guest *guest, const struct error *why);

/* ending.c ----------------------------------------------------------------- */

/* A process_exit_fn; data: the guest. */
void ending_on_exit(void *data, const struct process_exit *exit);
/* A descriptor's content ended. */
void ending_on_console(struct guest *guest);
/* Finishes the run when nothing is awaited any more. */
void ending_check(struct guest *guest);
/* Fills error with why the guest did not come up: what guest->exit says. */
void ending_explain(const struct guest *guest, struct error *error);
/* Finishes a run that is known to be over. */
void ending_finish(struct guest *guest);

/* stages.c ----------------------------------------------------------------- */

/* A boot begins: at a start. */
void stages_begin(struct guest *guest);
/* … by a reset: saved and told. */
void stages_boot_again(struct guest *guest);
/* The furthest of the stages that follow each other, up to login. */
enum stage stages_console_stage(const struct guest *guest);
/* What run.json keeps, and the way back. New reference. */
json_t *stages_save(const struct guest *guest);
void stages_restore(struct guest *guest, const json_t *saved);
/* Adds "stage" and "stages" to the API's guest object. */
void stages_describe(const struct guest *guest, json_t *object);

/* ssh-probe.c -------------------------------------------------------------- */

/* Looks for an ssh banner from now on, when a port of the host leads to the
 * guest's port for ssh; to be called when the forwards or that port are others.
 */
struct ssh_probe;
void ssh_probe_update(struct guest *guest);
/* After a new boot. */
void ssh_probe_again(struct guest *guest);
void ssh_probe_free(struct ssh_probe *probe);

/* report.c ----------------------------------------------------------------- */

/* Works out why the run ended. New reference: the API's exit object.
 * *ret_state: STOPPED or CRASHED. */
json_t *report_build(const struct guest *guest, enum guest_state *ret_state);
/* The last lines of its stderr, fit to show, as an array. */
json_t *report_stderr(const struct guest *guest);

/* advice.c ----------------------------------------------------------------- */

/* What to do about a QEMU that said lines (an array of texts), or NULL. The
 * caller frees it. */
char *advice_find(const json_t *lines);
