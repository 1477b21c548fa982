#pragma once

#include <jansson.h>

struct deck;

/* A question before something is destroyed. The answer that changes nothing is
 * chosen until the operator moves away from it. */
struct dialog;

/* method: an API method that takes the guest's name; sent on "yes". question:
 * paragraphs, each of them a line that is wrapped. */
struct dialog_request {
    const char *title;
    const char *question;
    const char *accept; /* the button's text, "Force off" */
    const char *method;
    const char *guest;
    const char *doing; /* said on "yes", before the guest's name; or NULL */
    const json_t *arguments; /* more of them, copied; or NULL */
};

void dialog_open(struct deck *deck, const struct dialog_request *request);
void dialog_close(struct deck *deck);
void dialog_move(struct deck *deck, int steps);
/* Does what the chosen button says. */
void dialog_choose(struct deck *deck);
void dialog_accept(struct deck *deck);
/* A click does what the button under it says. line, col: on the screen. */
void dialog_click(struct deck *deck, int line, int col);
void dialog_place(struct deck *deck);
