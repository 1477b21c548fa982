#include "base/xalloc.h"
#include "tui/actions-internal.h"
#include "tui/cable.h"
#include "tui/card.h"
#include "tui/countdown.h"
#include "tui/deck-internal.h"
#include "tui/dialog.h"
#include "tui/life.h"
#include "tui/state.h"
#include "tui/viewer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
command_target(struct deck *deck, const char *method, const char *doing)
{
    const struct mirror_guest *guest = arrange_target(deck);
    if (!guest)
        return;
    status_doing(deck, doing, guest->name);
    link_command(deck, method, json_pack("{s:s}", "guest", guest->name));
}

/* Whether the guest that is meant runs; says so when it does not. */
static bool
check_runs(struct deck *deck)
{
    const struct mirror_guest *guest = arrange_target(deck);
    if (!guest)
        return false;
    if (state_info(guest->state)->has_ended) {
        status_message(deck, DECK_WARNING, "%s does not run", guest->name);
        return false;
    }
    return true;
}

static void
run_start(struct deck *deck, int argument)
{
    (void)argument;
    const struct mirror_guest *guest = arrange_target(deck);
    if (!link_may_change(deck))
        return;
    if (guest && !state_info(guest->state)->has_ended)
        status_message(deck, DECK_WARNING, "%s runs already", guest->name);
    else
        command_target(deck, "guest-start", "starting");
}

/* A guest that does not run yet, or not any more, but soon: told not to. */
static bool
call_off(struct deck *deck)
{
    const struct mirror_guest *guest = arrange_target(deck);
    if (!guest || !state_info(guest->state)->has_ended ||
        !life_is_pending(guest))
        return false;
    command_target(deck, "guest-shutdown", "calling off the start of");
    return true;
}

static void
run_shutdown(struct deck *deck, int argument)
{
    (void)argument;
    if (!link_may_change(deck) || call_off(deck) || !check_runs(deck))
        return;
    countdown_begin(deck, arrange_target(deck)->name);
    command_target(deck, "guest-shutdown", "pressing the power button of");
}

static void
run_pause(struct deck *deck, int argument)
{
    (void)argument;
    const struct mirror_guest *guest = arrange_target(deck);
    if (!link_may_change(deck) || !check_runs(deck))
        return;
    if (strcmp(guest->state, "running") == 0)
        command_target(deck, "guest-pause", "pausing");
    else
        command_target(deck, "guest-resume", "resuming");
}

/* What takes something away from the guest, and is asked first. */
static const struct {
    const char *title;
    const char *question; /* with the guest's name for %s */
    const char *accept;
    const char *method;
    const char *doing;
} questions[] = {
    {"Force off",
     "Force %s off?\n\nThis is pulling the plug: what the guest "
     "has not written to its disks is lost.",
     "Force off", "guest-kill", "forcing off"},
    {"Reset",
     "Reset %s?\n\nThis is the reset button: what the guest has "
     "not written to its disks is lost.",
     "Reset", "guest-reset", "resetting"},
    {"Restart",
     "Restart %s?\n\nIts power button is pressed, and it is started "
     "again once it has shut down.",
     "Restart", "guest-restart", "restarting"},
    {"Remove",
     "Remove %s from the list?\n\nIts console log stays on disk, and"
     " so do its disks.",
     "Remove", "guest-remove", "removing"},
};

enum question {
    QUESTION_KILL,
    QUESTION_RESET,
    QUESTION_RESTART,
    QUESTION_REMOVE,
};

static void
run_question(struct deck *deck, int argument)
{
    const struct mirror_guest *guest = arrange_target(deck);
    if (!guest || !link_may_change(deck))
        return;
    if (argument == QUESTION_RESTART && state_info(guest->state)->has_ended) {
        run_start(deck, 0);
        return;
    }
    if (argument == QUESTION_KILL && call_off(deck))
        return;
    if (argument != QUESTION_REMOVE && !check_runs(deck))
        return;
    if (argument == QUESTION_REMOVE && !state_info(guest->state)->has_ended) {
        status_message(deck, DECK_WARNING,
                       "%s runs: shut it down before removing it", guest->name);
        return;
    }
    /* the table's texts have one %s each: put the name in by hand */
    const char *question = questions[argument].question;
    const char *at = strstr(question, "%s");
    char *text = xasprintf("%.*s%s%s", (int)(at - question), question,
                           guest->name, at + 2);
    struct dialog_request request = {
        .title = questions[argument].title,
        .question = text,
        .accept = questions[argument].accept,
        .method = questions[argument].method,
        .guest = guest->name,
        .doing = questions[argument].doing,
    };
    dialog_open(deck, &request);
    free(text);
}

/* For the viewer. */
static char *
make_report(struct deck *deck, const char *name)
{
    const struct mirror_guest *guest = mirror_fleet_find(&deck->fleet, name);
    return guest ? card_report(guest) : NULL;
}

static void
run_report(struct deck *deck, int argument)
{
    (void)argument;
    const struct mirror_guest *guest = arrange_target(deck);
    if (!guest)
        return;
    viewer_open_live(deck, "report", make_report, guest->name);
}

/* The terminal goes to ssh; the deck comes back after. */
static void
run_ssh(struct deck *deck, int argument)
{
    (void)argument;
    const struct mirror_guest *guest = arrange_target(deck);
    if (guest && link_may_change(deck) && check_runs(deck))
        deck_leave(deck, DECK_END_SSH, guest->name);
}

static void
run_cable(struct deck *deck, int argument)
{
    (void)argument;
    cable_open(deck);
}

static const struct action rows[] = {
    {"cable", "pull a network card's cable, or put it in", run_cable, 0},
    {"kill", "force off (asks first)", run_question, QUESTION_KILL},
    {"pause", "pause or resume", run_pause, 0},
    {"remove", "remove from the list (asks first)", run_question,
     QUESTION_REMOVE},
    {"report", "show all about the guest", run_report, 0},
    {"reset", "press the reset button (asks first)", run_question,
     QUESTION_RESET},
    {"restart", "shut down and start again (asks first)", run_question,
     QUESTION_RESTART},
    {"shutdown", "shut down: press the power button; or call a start off",
     run_shutdown, 0},
    {"ssh", "log in by ssh; the deck comes back after", run_ssh, 0},
    {"start", "start", run_start, 0},
};

const struct action_table actions_guest = {
    .rows = rows,
    .count = sizeof(rows) / sizeof(*rows),
};
