#include "tui/console-menu.h"

#include "base/text.h"
#include "base/xalloc.h"
#include "tui/cable.h"
#include "tui/deck-internal.h"
#include "tui/dialog.h"
#include "tui/menu.h"
#include "tui/pane.h"
#include "tui/pasting.h"
#include "tui/state.h"

#include <stdlib.h>
#include <string.h>

/* More SysRq functions than the alphabet has. */
#define SYSRQ_MAX 64
/* Longest text of an entry, columns. */
#define TEXT_MAX_COLS 60

/* What stands above the SysRq functions. Their keys are capitals: the small
 * letters are SysRq's own. */
enum fixed_entry {
    ENTRY_BREAK,
    ENTRY_CTRL_ALT_DELETE,
    ENTRY_FILE,
    ENTRY_LINE,
    ENTRY_CABLE,
    ENTRY_SYSRQ_HEADING,
    ENTRY_FIXED_COUNT
};

static const struct menu_entry fixed_entries[ENTRY_FIXED_COUNT] = {
    [ENTRY_BREAK] = {"B", "break", "on the serial line", 0},
    [ENTRY_CTRL_ALT_DELETE] = {"D", "Ctrl-Alt-Delete", "asks first", 0},
    [ENTRY_FILE] = {"F", "paste a file", "to where typing goes", 0},
    [ENTRY_LINE] = {"L", "line to marked guests", "{name}, {index} filled in",
                    0},
    [ENTRY_CABLE] = {"N", "network cable", "pull it, or put it in", 0},
    [ENTRY_SYSRQ_HEADING] = {NULL, "SysRq, by break", NULL, MENU_HEADING},
};

/* One opening of the menu. */
struct console_menu {
    char *target;   /* owned: the console meant */
    json_t *sysrqs; /* owned: query-sysrq's answer */
};

static void
on_end(void *data)
{
    struct console_menu *menu = data;
    free(menu->target);
    json_decref(menu->sysrqs);
    free(menu);
}

/* A member that is foreign text, fit to show. The caller frees it. */
static char *
member_text(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return text_printable(text ? text : "", text ? strlen(text) : 0,
                          TEXT_MAX_COLS, TEXT_ONE_LINE);
}

static void
ask(struct deck *deck, const struct console_menu *menu, const char *what,
    const char *consequence, const char *method, const json_t *arguments)
{
    char *question =
        xasprintf("Send %s to %s?\n\n%s.", what, menu->target, consequence);
    char *doing = xasprintf("sending %s to", what);
    struct dialog_request request = {
        .title = what,
        .question = question,
        .accept = "Send",
        .method = method,
        .guest = menu->target,
        .doing = doing,
        .arguments = arguments,
    };
    dialog_open(deck, &request);
    free(doing);
    free(question);
}

/* Ctrl-Alt-Delete goes to the guest, not to one of its consoles. */
static void
ask_ctrl_alt_delete(struct deck *deck, struct console_menu *menu)
{
    json_t *arguments = json_pack("{s:[s]}", "keys", "ctrl-alt-delete");
    menu->target[strcspn(menu->target, ":")] = '\0';
    ask(deck, menu, "Ctrl-Alt-Delete", "Most systems reboot on it",
        "guest-keys", arguments);
    json_decref(arguments);
}

static void
send_sysrq(struct deck *deck, const struct console_menu *menu,
           const json_t *row)
{
    char *name = member_text(row, "name");
    char *summary = member_text(row, "summary");
    json_t *arguments = json_pack("{s:s}", "key", name);
    if (json_is_true(json_object_get(row, "dangerous"))) {
        char *what = xasprintf("SysRq %s", name);
        ask(deck, menu, what, summary, "guest-sysrq", arguments);
        free(what);
    } else {
        status_message(deck, DECK_INFO, "SysRq %s to %s", name, menu->target);
        json_object_set_new(arguments, "guest", json_string(menu->target));
        link_command(deck, "guest-sysrq", json_incref(arguments));
    }
    json_decref(arguments);
    free(summary);
    free(name);
}

static void
on_choose(struct deck *deck, size_t index, void *data)
{
    struct console_menu *menu = data;
    if (index == ENTRY_BREAK) {
        status_message(deck, DECK_INFO, "break to %s", menu->target);
        link_command(deck, "console-break",
                     json_pack("{s:s}", "guest", menu->target));
    } else if (index == ENTRY_CTRL_ALT_DELETE) {
        ask_ctrl_alt_delete(deck, menu);
    } else if (index == ENTRY_FILE) {
        pasting_ask_file(deck);
    } else if (index == ENTRY_LINE) {
        pasting_ask_line(deck);
    } else if (index == ENTRY_CABLE) {
        cable_open(deck);
    } else if (index >= ENTRY_FIXED_COUNT) {
        send_sysrq(deck, menu,
                   json_array_get(menu->sysrqs, index - ENTRY_FIXED_COUNT));
    }
}

static void
show(struct deck *deck, struct console_menu *menu)
{
    struct menu_entry entries[ENTRY_FIXED_COUNT + SYSRQ_MAX];
    char *texts[SYSRQ_MAX][3];
    size_t count = json_array_size(menu->sysrqs);
    if (count > SYSRQ_MAX)
        count = SYSRQ_MAX;
    memcpy(entries, fixed_entries, sizeof(fixed_entries));
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(menu->sysrqs, i);
        bool is_dangerous = json_is_true(json_object_get(row, "dangerous"));
        texts[i][0] = member_text(row, "letter");
        texts[i][1] = member_text(row, "name");
        char *summary = member_text(row, "summary");
        texts[i][2] = is_dangerous ? xasprintf("asks first; %s", summary)
                                   : xstrdup(summary);
        free(summary);
        entries[ENTRY_FIXED_COUNT + i] = (struct menu_entry){
            .key = texts[i][0], .text = texts[i][1], .note = texts[i][2]};
    }
    char *title = xasprintf("send to %s", menu->target);
    struct menu_request request = {
        .title = title,
        .entries = entries,
        .count = ENTRY_FIXED_COUNT + count,
        .on_choose = on_choose,
        .on_end = on_end,
        .data = menu,
    };
    menu_open(deck, &request);
    free(title);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < 3; j++)
            free(texts[i][j]);
    }
}

void
console_menu_open(struct deck *deck)
{
    const struct mirror_guest *guest = arrange_target(deck);
    if (!guest || !link_may_change(deck))
        return;
    if (state_info(guest->state)->has_ended) {
        status_message(deck, DECK_WARNING, "%s does not run", guest->name);
        return;
    }
    const struct pane *pane = deck->focus;
    bool is_pane = !deck->is_sidebar_focused && pane;
    struct console_menu *menu = xcalloc(1, sizeof(*menu));
    menu->target = xstrdup(is_pane ? pane->target : guest->name);
    menu->sysrqs = json_incref(deck->sysrqs);
    show(deck, menu);
}
