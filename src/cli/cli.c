#include "cli/cli.h"

#include "base/text.h"
#include "base/xalloc.h"
#include "cli/guests.h"
#include "cli/help.h"
#include "cli/host.h"
#include "cli/labels.h"
#include "cli/output.h"
#include "cli/session.h"
#include "tui/deck.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
print_error(const char *text)
{
    char *printable = text_printable(text, strlen(text), 0, TEXT_KEEP_LINES);
    (void)fflush(stdout);
    (void)fprintf(stderr, "guestmux: %s\n", printable);
    free(printable);
}

int
cli_fail(const struct error *error)
{
    print_error(error->text);
    return error->code == ERROR_CODE_TIMEOUT ? COMMAND_TIMEOUT : COMMAND_FAILED;
}

int
cli_fail_usage(const struct cli *cli, const struct error *error)
{
    print_error(error->text);
    if (cli->command)
        (void)fprintf(stderr, "usage: guestmux %s %s\n", cli->command->name,
                      cli->command->usage);
    (void)fprintf(stderr, "try: guestmux %s%s--help\n",
                  cli->command ? cli->command->name : "",
                  cli->command ? " " : "");
    return COMMAND_USAGE;
}

void
cli_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    print_error(text);
    free(text);
}

int
cli_connect(const struct cli *cli, enum connection_start start,
            struct error *error)
{
    const char *host = options_text(&cli->options, "host");
    if (host)
        return host_connect(host, cli->paths.server, error);
    return connection_open(&cli->paths, start, cli->executable, error);
}

bool
cli_check_terminal(struct error *error)
{
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        return true;
    return error_set(error, ERROR_CODE_STATE,
                     "the deck needs a terminal on standard input and output "
                     "(`up -d`, `run -d` and `console --plain` need none)");
}

/* Whether the console that the deck is to begin with is there. */
static bool
check_focus(const struct cli *cli, const char *focus, struct error *error)
{
    if (!focus)
        return true;
    struct session *session = session_open(cli, CONNECTION_START_SERVER, error);
    bool ok = session && guests_check_console(session, focus, error);
    session_close(session);
    return ok;
}

/* Gives the terminal to `guestmux ssh GUEST` until that ends. What it said last
 * stays to be read when it failed. */
static void
run_ssh(const struct cli *cli, const char *guest)
{
    const char *host = options_text(&cli->options, "host");
    const char *argv[] = {cli->executable,
                          "-L",
                          cli->paths.server,
                          "ssh",
                          guest,
                          NULL,
                          NULL,
                          NULL};
    if (host) {
        argv[3] = "--host";
        argv[4] = host;
        argv[5] = "ssh";
        argv[6] = guest;
    }
    /* A Ctrl-C before ssh has the terminal is ssh's. */
    void (*before)(int) = signal(SIGINT, SIG_IGN);
    pid_t pid = fork();
    if (pid == 0) {
        (void)signal(SIGINT, SIG_DFL);
        (void)execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    (void)signal(SIGINT, before);
    if (pid > 0 && status == 0)
        return;
    (void)fprintf(stderr, "Enter goes back to the deck. ");
    int c = 0;
    do
        c = getchar();
    while (c != '\n' && c != EOF);
}

/* One run of the deck, from connecting to leaving. *ret_message: what is to be
 * said after, or the guest that ssh is for. */
static enum deck_end
run_deck_once(struct cli *cli, struct deck_options *options, char **ret_message,
              struct error *error)
{
    options->fd = cli_connect(cli, CONNECTION_START_SERVER, error);
    if (options->fd < 0)
        return DECK_END_FAILED;
    return deck_run(options, ret_message, error);
}

int
cli_run_deck(struct cli *cli, const char *focus, unsigned flags)
{
    struct error error = {0};
    enum clipboard_when clipboard = CLIPBOARD_AUTO;
    if (!clipboard_parse(options_text(&cli->options, "clipboard"), &clipboard,
                         &error)) {
        (void)cli_fail(&error);
        return COMMAND_USAGE;
    }
    if (!cli_check_terminal(&error) || !check_focus(cli, focus, &error))
        return cli_fail(&error);
    struct deck_options options = {
        .paths = &cli->paths,
        .theme = options_text(&cli->options, "theme"),
        .keymap = options_text(&cli->options, "keymap"),
        .clipboard = clipboard,
        .focus = focus,
        .is_single = (flags & CLI_DECK_SINGLE) != 0,
        .is_read_only = (flags & CLI_DECK_READ_ONLY) != 0,
    };
    char *guest = NULL; /* where ssh was: focused after */
    char *message = NULL;
    enum deck_end end;
    while ((end = run_deck_once(cli, &options, &message, &error)) ==
           DECK_END_SSH) {
        run_ssh(cli, message);
        free(guest);
        guest = message;
        message = NULL;
        if (!options.is_single)
            options.focus = guest;
    }
    if (message)
        output_line(message);
    free(message);
    free(guest);
    if (end == DECK_END_FAILED)
        return cli_fail(&error);
    return end == DECK_END_DETACHED ? COMMAND_DONE : COMMAND_FAILED;
}

/* Opens what of the three standard descriptors is closed, so that no socket or
 * file of ours ever gets their numbers. */
static void
ensure_standard_descriptors(void)
{
    int fd = 0;
    do {
        fd = open("/dev/null", O_RDWR); /* inherited: stands in for stdio */
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        (void)close(fd);
}

static char *
find_executable(void)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (len <= 0)
        return xstrdup("/proc/self/exe");
    path[len] = '\0';
    return xstrdup(path);
}

static bool
check_arguments(const struct cli *cli, struct error *error)
{
    const struct command *command = cli->command;
    int count = cli->options.argument_count;
    if (count < command->min_arguments)
        return error_set(error, ERROR_CODE_INVALID, "%s: %s", command->name,
                         count ? "an argument is missing"
                               : "arguments are missing");
    if (command->max_arguments >= 0 && count > command->max_arguments)
        return error_set(error, ERROR_CODE_INVALID,
                         "%s: \"%s\" is one argument too many", command->name,
                         cli->options.arguments[command->max_arguments]);
    return true;
}

static bool
check_server(const struct cli *cli, struct error *error)
{
    const char *server = options_text(&cli->options, "server");
    if (!text_is_name(server))
        return error_set(error, ERROR_CODE_INVALID,
                         "-L: \"%s\" is no name for a server (letters, "
                         "digits, . _ - , at most 48, the first a letter or "
                         "digit)",
                         server);
    return true;
}

/* What comes before every command; COMMAND_DONE: it can run. */
static int
prepare(struct cli *cli, json_t **ret_keep)
{
    struct error error = {0};
    const char *server = options_text(&cli->options, "server");
    if (!check_server(cli, &error))
        return cli_fail_usage(cli, &error);
    bool has_paths = cli->command->flags & COMMAND_NO_PATHS ||
                     paths_init(&cli->paths, server, &error);
    if (!has_paths || !labels_select(cli, ret_keep, &error))
        return cli_fail(&error);
    if (!check_arguments(cli, &error))
        return cli_fail_usage(cli, &error);
    if (cli->paths.warning)
        cli_warn("%s", cli->paths.warning);
    return COMMAND_DONE;
}

/* Runs the command whose words are argv[0..argc): its options and arguments. */
static int
run_command(struct cli *cli, int argc, char *const *argv)
{
    const struct option_table tables[] = {
        {cli->command->options, cli->command->option_count},
        {commands_global_options, commands_global_option_count},
    };
    unsigned flags = cli->command->flags & COMMAND_RAW_ARGUMENTS
                         ? OPTIONS_STOP_AT_ARGUMENT
                         : 0;
    struct error error = {0};
    if (!options_parse(&cli->options, tables, 2, flags, argc, argv, &error)) {
        error_prefix(&error, "%s", cli->command->name);
        return cli_fail_usage(cli, &error);
    }
    int status = COMMAND_DONE;
    json_t *keep = NULL;
    if (options_has(&cli->options, "help")) {
        help_print_command(cli->command);
    } else if (options_has(&cli->options, "version")) {
        help_print_version();
    } else {
        status = prepare(cli, &keep);
        if (status == COMMAND_DONE)
            status = cli->command->run(cli);
    }
    json_decref(keep);
    options_finish(&cli->options);
    return status;
}

/* Finds the command's name among the words: behind the global options. *ret_at
 * is its place, argc when there is none (and the options tell what is meant).
 * Borrowed; NULL when the options are wrong. */
static const char *
find_command_name(int argc, char *const *argv, int *ret_at, struct error *error)
{
    const struct option_table table = {commands_global_options,
                                       commands_global_option_count};
    struct options options = {0};
    if (!options_parse(&options, &table, 1, OPTIONS_STOP_AT_ARGUMENT, argc - 1,
                       argv + 1, error))
        return NULL;
    const char *name = "attach";
    *ret_at = argc - options.argument_count;
    if (options.argument_count)
        name = options.arguments[0];
    else if (options_has(&options, "help"))
        name = "help";
    else if (options_has(&options, "version"))
        name = "version";
    options_finish(&options);
    return name;
}

/* The words without the program's and the command's names: the global options
 * in front of the command are read with its own. */
static int
collect_words(int argc, char **argv, int name_at, char **words)
{
    int count = 0;
    for (int i = 1; i < argc; i++) {
        bool asks_help = name_at == argc && (strcmp(argv[i], "--help") == 0 ||
                                             strcmp(argv[i], "-h") == 0);
        if (i != name_at && !asks_help)
            words[count++] = argv[i];
    }
    return count;
}

int
cli_main(int argc, char **argv)
{
    ensure_standard_descriptors();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)setlocale(LC_CTYPE, "");
    struct cli cli = {.executable = find_executable()};
    struct error error = {0};
    int status = COMMAND_USAGE;
    int name_at = argc;
    const char *name = find_command_name(argc, argv, &name_at, &error);
    cli.command = name ? commands_find(name, &error) : NULL;
    if (cli.command) {
        char **words = xcalloc((size_t)argc + 1, sizeof(char *));
        int count = collect_words(argc, argv, name_at, words);
        status = run_command(&cli, count, words);
        free(words);
    } else {
        status = cli_fail_usage(&cli, &error);
    }
    if (!output_flush() && status == COMMAND_DONE) {
        /* `guestmux ls | head -n 1` is no failure worth a word */
        if (output_has_reader())
            cli_warn("cannot write to standard output: %s", strerror(errno));
        status = COMMAND_FAILED;
    }
    paths_finish(&cli.paths);
    free(cli.executable);
    return status;
}
