/* QEMU's name in a command, behind what only says how to start it. */
#include "base/xalloc.h"
#include "fleet/spec.h"
#include "qemu/argv.h"
#include "qemu/import-internal.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Words before QEMU that only say how to start it. with_value: options of
 * theirs that take one; positional: further words. */
static const struct {
    const char *word;
    const char *with_value;
    int positional;
    const char *why;
} wrappers[] = {
    {"chrt", "TPD", 1, "guestmux sets no priorities"},
    {"command", "", 0, "it needs no shell"},
    {"doas", "uC", 0, "QEMU runs as the user that guestmux runs as"},
    {"env", "uCS", 0, "what it sets is in \"env\""},
    {"exec", "a", 0, "it needs no shell to replace"},
    {"ionice", "cnpPu", 0, "guestmux sets no priorities"},
    {"nice", "n", 0, "guestmux sets no priorities"},
    {"nohup", "", 0, "QEMU gets a session of its own"},
    {"numactl", "CmNpi", 0, "guestmux binds nothing to processors"},
    {"screen", "cehpsStT", 0, "its console is guestmux's"},
    {"setsid", "", 0, "QEMU gets a session of its own"},
    {"stdbuf", "ioe", 0, "QEMU buffers nothing"},
    {"sudo", "ugCDhpRTrt", 0, "QEMU runs as the user that guestmux runs as"},
    {"systemd-run", "EHMpu", 0, "guestmux keeps QEMU running"},
    {"taskset", "", 1, "guestmux binds nothing to processors"},
    {"time", "fo", 0, "guestmux tells how long a guest runs"},
    {"timeout", "ks", 1, "guestmux ends no guest by itself"},
};

bool
import_is_assignment(const char *word)
{
    size_t len = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
                              "abcdefghijklmnopqrstuvwxyz0123456789");
    return len > 0 && word[len] == '=' && !strchr("0123456789", word[0]);
}

static bool
is_qemu(const char *program)
{
    const char *slash = strrchr(program, '/');
    const char *name = slash ? slash + 1 : program;
    if (strpbrk(name, " \t\n"))
        return false; /* a whole command in one word */
    return !strncmp(name, "qemu-system-", 12) || !strcmp(name, "qemu-kvm") ||
           !strcmp(name, "kvm") || !strcmp(name, "qemu");
}

/* Steps over one wrapper with its options; *words is at its name. */
static void
skip_wrapper(char *const **words, size_t which)
{
    char *const *at = *words + 1;
    while (*at && (*at)[0] == '-' && (*at)[1]) {
        const char *option = *at++;
        if (!strcmp(option, "--"))
            break;
        /* "-dmS NAME": the last letter takes it, "-uNAME" has it. */
        const char *with_value = wrappers[which].with_value;
        const char *taker = option + strcspn(option + 1, with_value) + 1;
        bool takes_value = option[1] != '-' && taker[0] && !taker[1];
        if (takes_value && *at)
            at++;
    }
    for (int i = 0; i < wrappers[which].positional && *at; i++)
        at++;
    *words = at;
}

bool
import_is_entry_good(const json_t *entry, struct error *error)
{
    struct spec *spec = spec_from_json("n", entry, "/", error);
    const char **names = spec ? argv_console_names(spec, error) : NULL;
    free(names);
    spec_free(spec);
    return names != NULL;
}

void
import_take_variable(struct importer *importer, const char *word)
{
    size_t len = strcspn(word, "=");
    char *name = xstrndup(word, len);
    json_t *entry =
        json_pack("{s:{s:o}}", "env", name, import_text(word + len + 1));
    struct error error = {0};
    if (import_is_entry_good(entry, &error))
        json_object_set(importer->env, name,
                        json_object_get(json_object_get(entry, "env"), name));
    else
        import_note(importer, "%s: dropped: %s", word, error.text);
    json_decref(entry);
    free(name);
}

char *const *
import_skip_wrappers(struct importer *importer, char *const *words)
{
    while (*words) {
        size_t which = 0;
        if (import_is_assignment(*words)) {
            if (importer)
                import_take_variable(importer, *words);
            words++;
            continue;
        }
        while (which < COUNT(wrappers) &&
               strcmp(wrappers[which].word, *words) != 0)
            which++;
        if (which == COUNT(wrappers))
            break;
        if (importer)
            import_note(importer, "%s: dropped, %s", *words,
                        wrappers[which].why);
        skip_wrapper(&words, which);
    }
    return words;
}

char *const *
import_find_program(struct importer *importer, char *const *words)
{
    words = import_skip_wrappers(importer, words);
    return *words && is_qemu(*words) ? words : NULL;
}

bool
import_is_command(char *const *words)
{
    return import_find_program(NULL, words) != NULL;
}
