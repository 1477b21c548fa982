#pragma once

#include <stdbool.h>
#include <stddef.h>

struct deck;

/* A list over the deck to choose from: with an entry's own key at once, or with
 * the arrows and Enter. One at a time. */
struct menu;

enum menu_flags {
    MENU_HEADING = 1 << 0, /* separates; cannot be chosen */
    MENU_OFF = 1 << 1,     /* shown, but of no use at present: note says why */
};

struct menu_entry {
    const char *key;  /* as keymaps write it ("s", "C-d"); not shown and of no
                       * effect where the keymap's menus have the key; NULL:
                       * none */
    const char *text; /* what it does, or a heading */
    const char *note; /* stands muted behind it; NULL: none */
    unsigned flags;   /* enum menu_flags */
};

/* What is to be shown: all of it is copied. */
struct menu_request {
    const char *title;
    const char *text; /* lines above the entries; NULL: none */
    const struct menu_entry *entries;
    size_t count;
    /* The entry of that index was chosen; the menu is closed already, and the
     * function may open another. */
    void (*on_choose)(struct deck *deck, size_t index, void *data);
    void (*on_end)(void *data); /* called once, last; frees data; or NULL */
    void *data;
};

/* Opens it in place of one that is open. */
void menu_open(struct deck *deck, const struct menu_request *request);
void menu_close(struct deck *deck);
/* Follows the screen's size. */
void menu_place(struct deck *deck);
const char *menu_title(const struct menu *menu);

/* Moves the choice by entries; past an end it stays there. */
void menu_move(struct deck *deck, long steps);
int menu_page_rows(const struct deck *deck);
/* Runs the entry that is chosen. */
void menu_choose(struct deck *deck);
/* Runs the entry that has this key; false when none has. */
bool menu_key(struct deck *deck, const char *key);
/* A click into the menu chooses an entry, and runs what is chosen already; one
 * beside it leaves. line, col: on the screen. */
void menu_click(struct deck *deck, int line, int col);
