#pragma once

#include <jansson.h>

struct deck;

/* A question before something is destroyed. The answer that changes nothing is
 * chosen until the operator moves away from it. */
struct dialog;

/* method: an API method that takes the guest's name; sent on "yes". question:
 * lines of text. */
struct dialog_request {
    const char *title;
    const char *question;
    const char *accept; /* the button's text, "Force off" */
    const char *method;
    const char *guest;
    const char *flag;        /* a boolean argument to set, or NULL */
    const json_t *arguments; /* more of them, copied; or NULL */
};

void dialog_open(struct deck *deck, const struct dialog_request *request);
void dialog_close(struct deck *deck);
void dialog_move(struct deck *deck, int steps);
/* Does what the chosen button says. */
void dialog_choose(struct deck *deck);
void dialog_accept(struct deck *deck);
void dialog_place(struct deck *deck);
