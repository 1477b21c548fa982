#pragma once

#include "client/mirror.h"
#include "tui/keymap.h"
#include "tui/theme.h"

#include <stddef.h>

/* What is said about a guest that does not run: why it ended and what can be
 * done. */
#define CARD_LINES_MAX 32

struct card_line {
    char *text; /* owned */
    enum theme_role role;
};

struct card {
    struct card_line lines[CARD_LINES_MAX];
    size_t count;
    int cols;
};

/* Says as much as fits a console of rows and cols, most important first: why,
 * the last words of QEMU, what to do; always the keys. */
void card_init(struct card *card, const struct mirror_guest *guest,
               const struct keymap *keymap, int rows, int cols);
void card_finish(struct card *card);

/* The whole report as text for the viewer. The caller frees it. */
char *card_report(const struct mirror_guest *guest);
