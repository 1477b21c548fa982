#include "qemu/cmdline.h"

#include "base/xalloc.h"
#include "fleet/arch.h"
#include "fleet/shellwords.h"
#include "qemu/cmdline-internal.h"
#include "qemu/keyval.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
cmdline_note(struct cmdline_rewriter *rewriter, const char *format, ...)
{
    struct cmdline *result = rewriter->result;
    result->notes = xreallocarray(result->notes, rewriter->note_count + 2,
                                  sizeof(*result->notes));
    va_list args;
    va_start(args, format);
    result->notes[rewriter->note_count++] = xvasprintf(format, args);
    va_end(args);
    result->notes[rewriter->note_count] = NULL;
}

/* The words before the program that only say how to start it. */
static const struct {
    const char *word;
    const char *why;
} wrappers[] = {
    {"exec", "it needs no shell to replace"},
    {"nohup", "QEMU gets a session of its own"},
    {"setsid", "QEMU gets a session of its own"},
    {"sudo", "QEMU runs as the user that guestmux runs as"},
};

/* Whether word is NAME=value, which sets a variable for a shell. */
static bool
is_assignment(const char *word)
{
    size_t len = 0;
    while (isalnum((unsigned char)word[len]) || word[len] == '_')
        len++;
    return len > 0 && word[len] == '=' && !isdigit((unsigned char)word[0]);
}

static bool
is_qemu_name(const char *program)
{
    return strchr(program, '/') || !strncmp(program, "qemu", 4) ||
           !strcmp(program, "kvm");
}

/* Moves *words behind the program. */
static bool
take_program(struct cmdline_rewriter *rewriter, char *const **words,
             struct error *error)
{
    char *const *at = *words;
    for (size_t i = 0; *at && i < sizeof(wrappers) / sizeof(wrappers[0]);) {
        if (strcmp(*at, wrappers[i].word) != 0) {
            i++;
            continue;
        }
        cmdline_note(rewriter, "%s: dropped, %s", *at, wrappers[i].why);
        i = 0;
        at++;
    }
    const char *program = *at;
    if (!program)
        return error_set(error, ERROR_CODE_INVALID,
                         "there is no program in the command");
    if (is_assignment(program))
        return error_set(error, ERROR_CODE_INVALID,
                         "%s sets an environment variable, which is not "
                         "passed on; take it out",
                         program);
    if (program[0] == '-')
        return error_set(error, ERROR_CODE_INVALID,
                         "%s stands where QEMU's name should; take it out",
                         program);
    if (!is_qemu_name(program))
        return error_set(error, ERROR_CODE_INVALID,
                         "\"%s\" is not a QEMU; for other programs there is "
                         "\"exec\"",
                         program);
    rewriter->result->program = xstrdup(program);
    *words = at + 1;
    return true;
}

/* Splits words into options with their values. */
static void
parse_items(struct cmdline_rewriter *rewriter, char *const *words)
{
    size_t count = shellwords_count(words);
    rewriter->items = xcalloc(count + 1, sizeof(*rewriter->items));
    for (; *words; words++) {
        struct cmdline_item *item = &rewriter->items[rewriter->item_count++];
        const char *name = cmdline_option_name(words[0]);
        item->word = words[0];
        if (!name)
            continue;
        item->option = cmdline_find_option(name);
        if (!item->option->is_flag && words[1])
            item->value = *++words;
        if (!strcmp(name, "nodefaults"))
            rewriter->has_nodefaults = true;
    }
}

static void
drop(struct cmdline_rewriter *rewriter, struct cmdline_item *item,
     const char *why)
{
    item->is_dropped = true;
    cmdline_note(rewriter, "%s%s%s: dropped, %s", item->word,
                 item->value ? " " : "", item->value ? item->value : "", why);
}

/* Displays that need no window or terminal here stay. */
static void
visit_display(struct cmdline_rewriter *rewriter, struct cmdline_item *item)
{
    static const char *const kept[] = {"vnc", "egl-headless", "dbus"};
    size_t len = strcspn(item->value, ",=");
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (strlen(kept[i]) == len && !strncmp(item->value, kept[i], len)) {
            rewriter->result->has_display = true;
            return;
        }
    }
    if (!strcmp(item->value, "none"))
        item->is_dropped = true;
    else
        drop(rewriter, item, "there is no window");
}

static void
visit_parallel(struct cmdline_rewriter *rewriter, struct cmdline_item *item)
{
    if (!cmdline_is_interactive(item->value))
        return;
    item->new_value = xstrdup("null");
    cmdline_note(rewriter, "%s %s: nobody could see it, it goes nowhere",
                 item->word, item->value);
}

bool
cmdline_net_spawns(const char *value)
{
    struct keyval keyval;
    keyval_parse(&keyval, value);
    const char *type = keyval_get(&keyval, "type", true);
    const char *script = keyval_get(&keyval, "script", false);
    const char *down = keyval_get(&keyval, "downscript", false);
    bool has_fd =
        keyval_get(&keyval, "fd", false) || keyval_get(&keyval, "fds", false);
    bool is_tap = type && !strcmp(type, "tap");
    bool has_no_script = script && down && !strcmp(script, "no") &&
                         !strcmp(down, "no") &&
                         !keyval_get(&keyval, "helper", false);
    bool spawns = (type && !strcmp(type, "bridge")) ||
                  (is_tap && !has_fd && !has_no_script) ||
                  strstr(value, "cmd:") || strstr(value, "smb=");
    keyval_finish(&keyval);
    return spawns;
}

static void
visit_uuid(struct cmdline_rewriter *rewriter, const struct cmdline_item *item)
{
    free(rewriter->result->uuid);
    rewriter->result->uuid = xstrdup(item->value);
    for (char *c = rewriter->result->uuid; *c; c++)
        *c = (char)tolower((unsigned char)*c);
}

/* Everything but consoles and monitors. */
static void
visit_item(struct cmdline_rewriter *rewriter, struct cmdline_item *item)
{
    struct cmdline *result = rewriter->result;
    if (!item->option || (!item->option->is_flag && !item->value))
        return;
    switch (item->option->action) {
    case CMDLINE_ACTION_DROP:
        drop(rewriter, item, item->option->why);
        break;
    case CMDLINE_ACTION_PARALLEL:
        visit_parallel(rewriter, item);
        break;
    case CMDLINE_ACTION_DISPLAY:
        visit_display(rewriter, item);
        break;
    case CMDLINE_ACTION_REMOTE:
        result->has_display |= strcmp(item->value, "none") != 0;
        break;
    case CMDLINE_ACTION_UUID:
        visit_uuid(rewriter, item);
        break;
    case CMDLINE_ACTION_SANDBOX:
        result->has_sandbox = true;
        break;
    case CMDLINE_ACTION_NET:
        result->spawns |= cmdline_net_spawns(item->value);
        break;
    case CMDLINE_ACTION_SPAWN:
        result->spawns = true;
        break;
    default:
        break;
    }
}

/* Our own -nographic is enough; with a display the user's stays as it is. */
static bool
settle_nographic(struct cmdline_rewriter *rewriter)
{
    bool is_given = false;
    for (size_t i = 0; i < rewriter->item_count; i++) {
        struct cmdline_item *item = &rewriter->items[i];
        if (!item->option || item->option->action != CMDLINE_ACTION_NOGRAPHIC)
            continue;
        is_given = true;
        item->is_dropped =
            is_given && (rewriter->flags & CMDLINE_ARGUMENTS) != 0;
    }
    return !is_given && !rewriter->result->has_display &&
           !(rewriter->flags & CMDLINE_ARGUMENTS);
}

static void
emit(struct cmdline_rewriter *rewriter)
{
    struct cmdline *result = rewriter->result;
    bool adds_nographic = settle_nographic(rewriter);
    char **words = xcalloc(rewriter->item_count * 2 + 4, sizeof(*words));
    size_t count = 0;
    if (adds_nographic)
        words[count++] = xstrdup("-nographic");
    for (size_t i = 0; i < rewriter->item_count; i++) {
        const struct cmdline_item *item = &rewriter->items[i];
        if (item->is_dropped)
            continue;
        words[count++] = xstrdup(item->word);
        if (item->value)
            words[count++] =
                xstrdup(item->new_value ? item->new_value : item->value);
    }
    if (rewriter->adds_serial) {
        words[count++] = xstrdup("-serial");
        words[count++] = xstrdup("chardev:gmcon0");
    }
    result->words = words;
}

static bool
rewrite(struct cmdline_rewriter *rewriter, char *const *words,
        struct error *error)
{
    if (!(rewriter->flags & CMDLINE_ARGUMENTS) &&
        !take_program(rewriter, &words, error))
        return false;
    if (!rewriter->arch)
        rewriter->arch = arch_of_program(rewriter->result->program);
    parse_items(rewriter, words);
    cmdline_collect_chardevs(rewriter);
    for (size_t i = 0; i < rewriter->item_count; i++)
        visit_item(rewriter, &rewriter->items[i]);
    if (!cmdline_take_consoles(rewriter, error))
        return false;
    cmdline_take_monitors(rewriter);
    emit(rewriter);
    return true;
}

/* Takes in the consoles that are there before the words say anything. */
static void
take_given(struct cmdline_rewriter *rewriter, const char *const *given)
{
    struct cmdline *result = rewriter->result;
    const char *serial = arch_serial_prefix(rewriter->arch);
    size_t count = 0;
    while (given[count])
        count++;
    result->consoles = xcalloc(count + 1, sizeof(*result->consoles));
    result->console_count = count;
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(result->consoles[i].name,
                       sizeof(result->consoles[i].name), "%s", given[i]);
        size_t letters = strcspn(given[i], "0123456789");
        rewriter->serial_ports +=
            letters == strlen(serial) && !strncmp(given[i], serial, letters);
    }
}

/* given: NULL for a command. */
static struct cmdline *
rewrite_words(char *const *words, const char *arch, const char *const *given,
              struct error *error)
{
    struct cmdline_rewriter rewriter = {
        .arch = arch, .flags = given ? CMDLINE_ARGUMENTS : CMDLINE_COMMAND};
    rewriter.result = xcalloc(1, sizeof(*rewriter.result));
    rewriter.result->notes = xcalloc(1, sizeof(*rewriter.result->notes));
    if (given)
        take_given(&rewriter, given);
    bool ok = rewrite(&rewriter, words, error);
    for (size_t i = 0; i < rewriter.item_count; i++)
        free(rewriter.items[i].new_value);
    free(rewriter.items);
    for (size_t i = 0; i < rewriter.chardev_count; i++)
        free(rewriter.chardevs[i].id);
    free(rewriter.chardevs);
    if (ok)
        return rewriter.result;
    cmdline_free(rewriter.result);
    return NULL;
}

struct cmdline *
cmdline_rewrite(char *const *words, const char *arch, unsigned flags,
                struct error *error)
{
    if (!(flags & CMDLINE_ARGUMENTS))
        return rewrite_words(words, arch, NULL, error);
    char name[CMDLINE_CONSOLE_NAME_BYTES];
    const char *const first[] = {name, NULL};
    cmdline_serial_name(arch, 0, name);
    return rewrite_words(words, arch, first, error);
}

struct cmdline *
cmdline_rewrite_after(char *const *words, const char *arch,
                      const char *const *given, struct error *error)
{
    return rewrite_words(words, arch, given, error);
}

void
cmdline_free(struct cmdline *cmdline)
{
    if (!cmdline)
        return;
    free(cmdline->program);
    shellwords_free(cmdline->words);
    free(cmdline->consoles);
    free(cmdline->uuid);
    shellwords_free(cmdline->notes);
    free(cmdline);
}
