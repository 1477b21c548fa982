#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct deck;
struct pane;

/* Columns of a client's name, as the server has them. */
#define COMPANY_NAME_BYTES 256

/* Who else has to do with a pane's console, as the server told last. "" where
 * there is nobody, or only this deck. */
struct company {
    int64_t watchers;                 /* this deck among them */
    char watcher[COMPANY_NAME_BYTES]; /* the first other one that looks */
    char typist[COMPANY_NAME_BYTES];  /* who else typed a moment ago */
    char holder[COMPANY_NAME_BYTES];  /* who else has the keyboard alone */
    bool is_watching;                 /* this deck is one of the watchers */
    bool holds_keyboard;              /* this deck has it */
};

/* Tells the server who this deck is, and learns its number. */
void company_introduce(struct deck *deck);

/* A CONSOLE_CLIENTS event. */
void company_event(struct deck *deck, const json_t *data);

/* What others do at a pane's console; the worst for who types there. */
enum company_presence {
    COMPANY_NOBODY,
    COMPANY_WATCHES,
    COMPANY_TYPES, /* or has the keyboard alone */
};
enum company_presence company_presence(const struct pane *pane);

/* What a pane's title says of the others: "2 watch", "anna@pts/3 types". False
 * when there is nothing to say; *ret_is_loud: it should be seen. */
bool company_title(const struct pane *pane, char *text, int size,
                   bool *ret_is_loud);

/* Whether the pane's console takes what is typed here; says why not. */
bool company_may_type(struct deck *deck, const struct pane *pane);

/* Whether nobody here can type to the pane's console: its guest is read-only,
 * or somebody else has the keyboard. */
bool company_is_mute(const struct pane *pane);

/* Shows the list of all clients. */
void company_show(struct deck *deck);

/* Takes the focused console's keyboard, or gives it back. */
void company_toggle_keyboard(struct deck *deck);
