#include "base/buffer.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/input.h"
#include "fleet/shellscript.h"
#include "fleet/shellwords.h"
#include "qemu/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct option options[] = {
    {
        .name = "name",
        .letter = 'n',
        .type = OPTION_TEXT,
        .value = "NAME",
        .summary = "the guest's name, with a number behind it for those after "
                   "the first (otherwise that of -name, or vm0, vm1 …)",
    },
    {
        .name = "output",
        .letter = 'o',
        .type = OPTION_TEXT,
        .value = "FILE",
        .summary = "write the fleet file there; one that exists is left alone",
    },
    {
        .name = "quiet",
        .letter = 'q',
        .type = OPTION_FLAG,
        .summary = "do not print what was rewritten",
    },
};

/* Reads a script. What is no regular file is read as far as a script may go. */
static bool
read_file(const char *path, struct buffer *content, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot open %s", path);
    struct stat info;
    bool ok = fstat(fd, &info) == 0 && !S_ISDIR(info.st_mode);
    if (!ok)
        error_set(error, ERROR_CODE_INVALID, "%s is a directory", path);
    while (ok && content->len <= SHELLSCRIPT_MAX_BYTES) {
        char bytes[65536];
        ssize_t got = read(fd, bytes, sizeof(bytes));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            ok = error_set_errno(error, errno, "cannot read %s", path);
        if (got <= 0)
            break;
        buffer_append(content, bytes, (size_t)got);
    }
    (void)close(fd);
    return ok;
}

static bool
import_file(struct import *import, const char *path, const char *name,
            struct error *error)
{
    struct buffer content = {0};
    bool is_stdin = !strcmp(path, "-");
    bool ok = is_stdin ? input_read_all(SHELLSCRIPT_MAX_BYTES, &content, error)
                       : read_file(path, &content, error);
    ok = ok && import_script(import, content.data ? content.data : "",
                             content.len, is_stdin ? NULL : path, name, error);
    buffer_finish(&content);
    return ok;
}

/* What the words are: a command, a command's text in one word, or files. */
static bool
import_arguments(const struct cli *cli, struct import *import,
                 struct error *error)
{
    char *const *words = cli->options.arguments;
    const char *name = options_text(&cli->options, "name");
    struct stat info;
    if (import_is_command(words))
        return import_words(import, words, name, error);
    if (import_is_shell(words)) {
        char *text = shellwords_join(words);
        bool ok = import_script(import, text, strlen(text), NULL, name, error);
        free(text);
        return ok;
    }
    bool is_text = cli->options.argument_count == 1 &&
                   strpbrk(words[0], " \t\n") && stat(words[0], &info) < 0;
    if (is_text)
        return import_script(import, words[0], strlen(words[0]), NULL, name,
                             error);
    for (char *const *word = words; *word; word++) {
        if (word[0][0] == '-' && word[0][1])
            return error_set(error, ERROR_CODE_INVALID,
                             "%s stands behind a file; options go before it",
                             *word);
    }
    for (; *words; words++) {
        if (!import_file(import, *words, name, error))
            return false;
    }
    return true;
}

/* Writes a new file; never one that is there. */
static bool
write_new(const char *path, const char *text, struct error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 && errno == EEXIST)
        return error_set(error, ERROR_CODE_EXISTS,
                         "%s is there already, and is left as it is; give "
                         "another name",
                         path);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot make %s", path);
    size_t len = strlen(text);
    size_t done = 0;
    bool ok = true;
    while (ok && done < len) {
        ssize_t count = write(fd, text + done, len - done);
        if (count < 0 && errno != EINTR)
            ok = error_set_errno(error, errno, "cannot write %s", path);
        done += count > 0 ? (size_t)count : 0;
    }
    if (close(fd) < 0 && ok)
        ok = error_set_errno(error, errno, "cannot write %s", path);
    if (!ok)
        (void)unlink(path);
    return ok;
}

static bool
put_out(const struct cli *cli, const struct import *import, struct error *error)
{
    const char *path = options_text(&cli->options, "output");
    json_t *fleet = import_to_fleet(import);
    size_t flags = JSON_INDENT(2) | JSON_PRESERVE_ORDER |
                   (!path && isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0);
    char *json = json_dumps(fleet, flags);
    char *text = xasprintf("%s\n", json);
    bool ok = path ? write_new(path, text, error)
                   : fputs(text, stdout) >= 0 ||
                         error_set_errno(error, errno, "cannot write");
    free(text);
    free(json);
    json_decref(fleet);
    return ok;
}

/* Relative paths mean the same only where the command would have run. */
static void
warn_elsewhere(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (!slash)
        return;
    char *directory = xstrndup(path, (size_t)(slash - path) + 1);
    char *there = realpath(directory, NULL);
    char *here = getcwd(NULL, 0);
    if (there && here && strcmp(there, here) != 0)
        cli_warn("relative paths in %s start at %s", path, there);
    free(here);
    free(there);
    free(directory);
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    struct import import;
    import_init(&import);
    bool ok =
        import_arguments(cli, &import, &error) && put_out(cli, &import, &error);
    for (size_t i = 0; ok && i < import.note_count; i++) {
        if (!options_has(&cli->options, "quiet"))
            cli_warn("%s", import.notes[i]);
    }
    import_finish(&import);
    if (!ok)
        return cli_fail(&error);
    warn_elsewhere(options_text(&cli->options, "output"));
    return COMMAND_DONE;
}

const struct command cmd_import = {
    .name = "import",
    .usage = "[-n NAME] [-o FILE] SCRIPT…|QEMU-COMMAND…",
    .summary = "Make a fleet file of QEMU command lines",
    .text = "Takes shell scripts (\"-\" is standard input), or a QEMU command, "
            "as words or as one text. Each QEMU command becomes a guest: "
            "fields where there are some, args for the rest; a command whose "
            "meaning fields cannot keep stays a command. Variables that a "
            "script sets are put in place, nothing is run. What was rewritten, "
            "and why, is printed on standard error and kept as the guest's "
            "comment. See IMPORT in guestmux-fleet(5).",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .flags = COMMAND_NO_PATHS | COMMAND_RAW_ARGUMENTS,
    .argument = COMMAND_ARGUMENT_FILE,
    .run = run,
};
