#include "base/buffer.h"
#include "base/text.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "client/expand.h"
#include "tui/broadcast.h"
#include "tui/deck-internal.h"
#include "tui/menu.h"
#include "tui/pane.h"
#include "tui/pasting-internal.h"
#include "tui/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The question before a paste: what it is, and how fast it shall go. */

/* Columns of what is shown of a line. */
#define LINE_SHOWN_COLS 56
/* A prompt is looked for in so many of the last characters before the cursor.
 */
#define PROMPT_MAX_BYTES 64
/* What is offered first: half of what 9600 baud carry. */
#define SLOW_CPS "480"
#define SLOW_LPS "5"
/* The server's limits. */
#define MAX_CPS 1000000
#define MAX_LPS 10000

struct facts {
    size_t lines;
    size_t longest;
    size_t controls; /* other than line ends and tabs */
};

enum entry {
    ENTRY_PASTE,
    ENTRY_FULL,
    ENTRY_EXPAND,
    ENTRY_PROMPT,
    ENTRY_ECHO,
    ENTRY_LPS,
    ENTRY_CPS,
    ENTRY_COUNT
};

/* One question. */
struct paste_offer {
    struct buffer bytes; /* owned */
    char **targets;      /* owned array of owned names */
    size_t count;
    char *prompt; /* owned: the pattern; NULL: there is none */
};

static void
look(const char *bytes, size_t len, struct facts *facts)
{
    size_t line = 0;
    *facts = (struct facts){0};
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        bool is_end = byte == '\n' ||
                      (byte == '\r' && (i + 1 == len || bytes[i + 1] != '\n'));
        facts->controls += byte == 0x7F || (byte < 0x20 && byte != '\t' &&
                                            byte != '\n' && byte != '\r');
        facts->lines += is_end;
        line = is_end ? 0 : line + 1;
        facts->longest = line > facts->longest ? line : facts->longest;
    }
    facts->lines += line > 0;
}

bool
pasting_is_small(const char *bytes, size_t len)
{
    struct facts facts;
    look(bytes, len, &facts);
    return facts.lines <= 1 && len <= PASTING_SMALL_BYTES &&
           facts.longest <= PASTING_TTY_LINE_MAX;
}

static void
on_end(void *data)
{
    struct paste_offer *offer = data;
    for (size_t i = 0; i < offer->count; i++)
        free(offer->targets[i]);
    free(offer->targets);
    free(offer->prompt);
    buffer_finish(&offer->bytes);
    free(offer);
}

/* options: borrowed. */
static void
send_offer(struct deck *deck, const struct paste_offer *offer, json_t *options,
           bool is_expanded)
{
    struct pasting_job job = {
        .bytes = offer->bytes.data,
        .len = offer->bytes.len,
        .targets = (const char *const *)offer->targets,
        .count = offer->count,
        .options = options,
        .is_expanded = is_expanded,
    };
    if (deck->connection)
        pasting_send(deck, &job);
    else
        status_message(deck, DECK_ERROR,
                       "not pasted: there is no server at present");
}

void
pasting_offer_finish(struct deck *deck)
{
    if (deck->paste_offer)
        on_end(deck->paste_offer);
    deck->paste_offer = NULL;
}

static void ask_pace(struct deck *deck, enum entry entry, const char *text);

/* A number was typed: so many lines or characters a second. */
static void
take_pace(struct deck *deck, enum entry entry, const char *text)
{
    char *end = NULL;
    long max = entry == ENTRY_LPS ? MAX_LPS : MAX_CPS;
    long number = strtol(text, &end, 10);
    if (!deck->paste_offer)
        return;
    if (end == text || *end || number < 1 || number > max) {
        status_message(deck, DECK_WARNING, "a number from 1 to %ld, please",
                       max);
        ask_pace(deck, entry, text);
        return;
    }
    json_t *options =
        json_pack("{s:i}", entry == ENTRY_LPS ? "lps" : "cps", (int)number);
    send_offer(deck, deck->paste_offer, options, false);
    json_decref(options);
    pasting_offer_finish(deck);
}

static void
on_lines(struct deck *deck, const char *text, void *data)
{
    (void)data;
    take_pace(deck, ENTRY_LPS, text);
}

static void
on_characters(struct deck *deck, const char *text, void *data)
{
    (void)data;
    take_pace(deck, ENTRY_CPS, text);
}

static void
on_pace_cancelled(struct deck *deck, void *data)
{
    (void)data;
    pasting_offer_finish(deck);
}

static void
ask_pace(struct deck *deck, enum entry entry, const char *text)
{
    bool is_lines = entry == ENTRY_LPS;
    struct prompt_request request = {
        .label = is_lines ? "lines a second" : "characters a second",
        .history = is_lines ? "paste-lps" : "paste-cps",
        .text = text,
        .on_accept = is_lines ? on_lines : on_characters,
        .on_cancel = on_pace_cancelled,
    };
    prompt_open(deck, &request);
}

/* Keeps what was offered until the number is there. */
static void
keep_for_pace(struct deck *deck, struct paste_offer *offer, enum entry entry)
{
    prompt_cancel(deck); /* which may be one for an earlier paste */
    pasting_offer_finish(deck);
    deck->paste_offer = xcalloc(1, sizeof(*offer));
    *deck->paste_offer = *offer;
    *offer = (struct paste_offer){0};
    ask_pace(deck, entry, entry == ENTRY_LPS ? SLOW_LPS : SLOW_CPS);
}

static void
on_choose(struct deck *deck, size_t index, void *data)
{
    struct paste_offer *offer = data;
    json_t *options = json_object();
    if (index == ENTRY_LPS || index == ENTRY_CPS)
        keep_for_pace(deck, offer, (enum entry)index);
    if (index == ENTRY_FULL)
        json_object_update_new(options,
                               json_pack("{s:i,s:i,s:b,s:s}", "cps", 0, "lps",
                                         0, "wait-echo", 0, "wait-prompt", ""));
    else if (index == ENTRY_PROMPT)
        json_object_set_new(options, "wait-prompt", json_string(offer->prompt));
    else if (index == ENTRY_ECHO)
        json_object_set_new(options, "wait-echo", json_true());
    if (offer->count > 0)
        send_offer(deck, offer, options, index == ENTRY_EXPAND);
    json_decref(options);
}

/* The text before the cursor. The caller frees it; NULL: there is none. */
static char *
text_before_cursor(const struct pane *pane)
{
    const struct mirror_view *view = &pane->view;
    struct buffer text = {0};
    if (!pane->has_frame || view->scroll != 0 || view->cursor_row < 0 ||
        view->cursor_row >= view->rows)
        return NULL;
    const struct mirror_row *row = &view->lines[view->cursor_row];
    int col = 0;
    for (size_t i = 0; i < row->run_count; i++) {
        const struct mirror_run *run = &row->runs[i];
        if (run->col + run->cols > view->cursor_col)
            break;
        for (; col < run->col; col++)
            buffer_append_byte(&text, ' ');
        buffer_append_text(&text, run->text);
        col = run->col + run->cols;
    }
    for (; col < view->cursor_col; col++)
        buffer_append_byte(&text, ' ');
    return buffer_steal(&text);
}

/* The line's end as it stands before the cursor, to be waited for again; shown:
 * the same to be read. A prompt that is only blanks is none. */
static char *
find_prompt(const struct pane *pane, char **ret_shown)
{
    char *text = pane ? text_before_cursor(pane) : NULL;
    *ret_shown = NULL;
    if (!text || strspn(text, " ") == strlen(text) || strstr(text, "\\E")) {
        free(text);
        return NULL;
    }
    size_t len = strlen(text);
    const char *tail = text;
    while (len > PROMPT_MAX_BYTES || (*tail & 0xC0) == 0x80) {
        tail++;
        len--;
    }
    char *pattern = xasprintf("\\Q%s\\E$", tail);
    *ret_shown = xasprintf("\"%s\" before each line", tail);
    free(text);
    return pattern;
}

/* "3 lines, 57 bytes to n1". */
static char *
describe(const struct paste_offer *offer)
{
    struct facts facts;
    struct buffer text = {0};
    const char *bytes = offer->bytes.data;
    look(bytes, offer->bytes.len, &facts);
    size_t first = strcspn(bytes, "\r\n");
    char *line = text_printable(bytes, first, LINE_SHOWN_COLS, TEXT_ONE_LINE);
    buffer_printf(&text, "%zu line%s, %zu bytes to %s", facts.lines,
                  facts.lines == 1 ? "" : "s", offer->bytes.len,
                  offer->targets[0]);
    if (offer->count > 1)
        buffer_printf(&text, " and %zu more guest%s", offer->count - 1,
                      offer->count > 2 ? "s" : "");
    buffer_printf(&text, "\nfirst: %s", line);
    if (facts.longest > PASTING_TTY_LINE_MAX)
        buffer_printf(&text,
                      "\nlongest line: %zu characters; a guest's shell drops\n"
                      "what lies beyond %d",
                      facts.longest, PASTING_TTY_LINE_MAX);
    if (facts.controls)
        buffer_printf(&text, "\ncontrol characters: %zu", facts.controls);
    free(line);
    return buffer_steal(&text);
}

/* What the fleet file says of pastes to the first guest: "5 lines a second",
 * or NULL. The caller frees it. */
static char *
describe_pace(struct deck *deck, const struct paste_offer *offer)
{
    char *name = xstrndup(offer->targets[0], strcspn(offer->targets[0], ":"));
    const struct mirror_guest *guest = mirror_fleet_find(&deck->fleet, name);
    const json_t *paste =
        guest ? json_object_get(guest->object, "paste") : NULL;
    json_int_t lps = json_integer_value(json_object_get(paste, "lps"));
    json_int_t cps = json_integer_value(json_object_get(paste, "cps"));
    struct buffer text = {0};
    if (lps)
        buffer_printf(&text, ", %lld lines a second", (long long)lps);
    if (cps)
        buffer_printf(&text, ", %lld characters a second", (long long)cps);
    if (json_is_true(json_object_get(paste, "wait-echo")))
        buffer_append_text(&text, ", after each line's echo");
    if (json_is_string(json_object_get(paste, "wait-prompt")))
        buffer_append_text(&text, ", at each prompt");
    char *shown = text.len ? xstrdup(text.data + 2) : NULL;
    buffer_finish(&text);
    free(name);
    return shown;
}

static void
ask(struct deck *deck, struct paste_offer *offer, const char *prompt)
{
    char *pace = describe_pace(deck, offer);
    bool has_words = expand_is_needed(offer->bytes.data, offer->bytes.len);
    bool has_brackets = offer->count == 1 && deck->focus &&
                        deck->focus->view.modes & MIRROR_MODE_BRACKETED_PASTE;
    struct menu_entry entries[ENTRY_COUNT] = {
        [ENTRY_PASTE] = {"p", "paste",
                         pace           ? pace
                         : has_brackets ? "in brackets, as the guest asked"
                                        : "as fast as the guest takes it",
                         0},
        [ENTRY_FULL] = {"a", "at full speed",
                        pace ? "as fast as the guest takes it"
                             : "that is what it does anyway",
                        pace ? 0 : MENU_OFF},
        [ENTRY_EXPAND] = {"f", "fill in",
                          has_words ? "{name} and {index} for each guest"
                                    : "the text has no {name} or {index}",
                          has_words ? 0 : MENU_OFF},
        [ENTRY_PROMPT] = {"w", "wait for prompt",
                          prompt ? prompt
                          : deck->is_broadcasting
                              ? "each guest has one of its own"
                              : "there is none at the cursor",
                          prompt ? 0 : MENU_OFF},
        [ENTRY_ECHO] = {"e", "wait for echo", "of each line", 0},
        [ENTRY_LPS] = {"l", "line by line", "so many a second", 0},
        [ENTRY_CPS] = {"s", "slowly", "so many characters a second", 0},
    };
    char *text = describe(offer);
    struct menu_request request = {
        .title = "paste",
        .text = text,
        .entries = entries,
        .count = ENTRY_COUNT,
        .on_choose = on_choose,
        .on_end = on_end,
        .data = offer,
    };
    menu_open(deck, &request);
    free(text);
    free(pace);
}

void
pasting_offer(struct deck *deck, const char *bytes, size_t len)
{
    const char **names;
    struct paste_offer *offer = xcalloc(1, sizeof(*offer));
    buffer_append(&offer->bytes, bytes, len);
    offer->count = broadcast_targets(deck, &names);
    offer->targets = xcalloc(offer->count + 1, sizeof(char *));
    for (size_t i = 0; i < offer->count; i++)
        offer->targets[i] = xstrdup(names[i]);
    free(names);
    if (offer->count == 0) {
        on_end(offer);
        return;
    }
    char *shown = NULL;
    /* each guest has a prompt of its own */
    if (offer->count == 1 && !deck->is_broadcasting)
        offer->prompt = find_prompt(deck->focus, &shown);
    ask(deck, offer, shown);
    free(shown);
}

/* Asking for what is pasted ------------------------------------------------ */

/* Reads a file of a paste's size at most. */
static bool
read_file(const char *path, struct buffer *content, struct error *error)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot open %s", path);
    bool ok = true;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        ok = error_set(error, ERROR_CODE_INVALID, "%s is no file", path);
    else if (info.st_size > INPUT_PASTE_MAX_BYTES)
        ok = error_set(error, ERROR_CODE_LIMIT,
                       "%s is larger than %u MiB; `guestmux paste` takes it",
                       path, INPUT_PASTE_MAX_BYTES >> 20);
    while (ok && content->len < INPUT_PASTE_MAX_BYTES) {
        buffer_reserve(content, 65536);
        ssize_t got = read(fd, content->data + content->len, 65536);
        if (got < 0)
            ok = error_set_errno(error, errno, "cannot read %s", path);
        if (got <= 0)
            break;
        content->len += (size_t)got;
    }
    (void)close(fd);
    if (ok && content->len == 0)
        ok = error_set(error, ERROR_CODE_INVALID, "%s is empty", path);
    return ok;
}

static void
on_file(struct deck *deck, const char *path, void *data)
{
    (void)data;
    struct buffer content = {0};
    struct error error = {0};
    if (!path[0])
        return;
    if (read_file(path, &content, &error))
        pasting_offer(deck, content.data, content.len);
    else
        status_message(deck, DECK_ERROR, "%s", error.text);
    buffer_finish(&content);
}

void
pasting_ask_file(struct deck *deck)
{
    struct prompt_request request = {
        .label = "paste file",
        .history = "paste-file",
        .on_accept = on_file,
    };
    prompt_open(deck, &request);
}

static void
on_line(struct deck *deck, const char *line, void *data)
{
    (void)data;
    const char **names;
    size_t count = broadcast_marked(deck, &names);
    struct buffer text = {0};
    buffer_printf(&text, "%s\n", line);
    struct pasting_job job = {
        .bytes = text.data,
        .len = text.len,
        .targets = names,
        .count = count,
        .is_expanded = true,
    };
    if (count > 0)
        pasting_send(deck, &job);
    buffer_finish(&text);
    free(names);
}

void
pasting_ask_line(struct deck *deck)
{
    const char **names;
    size_t count = broadcast_marked(deck, &names);
    free(names);
    if (count == 0) {
        status_message(deck, DECK_WARNING,
                       "no running guest is marked: mark some in the list");
        return;
    }
    char *label = xasprintf("line to %zu marked", count);
    struct prompt_request request = {
        .label = label,
        .history = "marked-line",
        .on_accept = on_line,
    };
    prompt_open(deck, &request);
    free(label);
}
