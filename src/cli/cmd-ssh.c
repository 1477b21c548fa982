#include "base/address.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/session.h"
#include "fleet/shellwords.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netdb.h>

/* ms; how long an address is given to take a connection. */
#define CONNECT_TIMEOUT_MS 3000

static const struct option options[] = {
    {
        .name = "new-host-key",
        .type = OPTION_FLAG,
        .summary = "forget the host key that the guest had: it was made anew",
    },
    {
        .name = "print",
        .type = OPTION_FLAG,
        .summary = "print ssh's command line instead of running it",
    },
};

/* A list of words that grows. */
struct words {
    char **list; /* owned, NULL-terminated; and each of them */
    size_t count;
};

static void
add(struct words *words, const char *word)
{
    words->list =
        xreallocarray(words->list, words->count + 2, sizeof(*words->list));
    words->list[words->count++] = xstrdup(word);
    words->list[words->count] = NULL;
}

static void
add_option(struct words *words, const char *option)
{
    add(words, "-o");
    add(words, option);
}

/* Reaching it -------------------------------------------------------------- */

/* What became of a try, when it is no errno. */
#define TRY_ANSWERED 0
#define TRY_SILENT (-1) /* taken, but nobody speaks: yet */
#define TRY_CLOSED (-2)

/* QEMU's user network takes every connection: whether there is an sshd, its
 * first words tell. */
static int
hear(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    char byte;
    if (poll(&wait, 1, CONNECT_TIMEOUT_MS) <= 0)
        return TRY_SILENT;
    return recv(fd, &byte, 1, MSG_PEEK) > 0 ? TRY_ANSWERED : TRY_CLOSED;
}

/* Connects to a numeric address: TRY_…, or errno. */
static int
try_connect(const char *host, int port)
{
    char service[16];
    (void)snprintf(service, sizeof(service), "%d", port);
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, service, &wanted, &found) != 0)
        return EADDRNOTAVAIL;
    int fd =
        socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int errnum = fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) < 0
                     ? errno
                     : 0;
    if (errnum == EINPROGRESS) {
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        socklen_t len = sizeof(errnum);
        if (poll(&wait, 1, CONNECT_TIMEOUT_MS) <= 0)
            errnum = ETIMEDOUT;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len) < 0)
            errnum = errno;
    }
    int result = errnum ? errnum : hear(fd);
    if (fd >= 0)
        (void)close(fd);
    freeaddrinfo(found);
    return result;
}

/* "127.0.0.1 port 2222 (forward): Connection refused" */
static void
note_try(struct buffer *tried, const json_t *candidate, int result)
{
    int64_t seen_ms = guests_number(candidate, "seen-ms");
    char age[64] = "";
    if (seen_ms) {
        char duration[32];
        int64_t age_ms = clock_wall_ms() - seen_ms;
        clock_format_duration(age_ms > 0 ? age_ms / 1000 : 0, duration,
                              sizeof(duration));
        (void)snprintf(age, sizeof(age), ", seen %s ago", duration);
    }
    buffer_printf(
        tried, "\n    %s port %d (%s%s): %s", guests_text(candidate, "host"),
        (int)guests_number(candidate, "port"), guests_text(candidate, "source"),
        age, result == TRY_CLOSED ? "closed at once" : strerror(result));
}

/* Addresses that are known but cannot be reached from here. */
static void
note_unreachable(struct buffer *tried, const json_t *addresses)
{
    for (size_t i = 0; i < json_array_size(addresses); i++) {
        const json_t *row = json_array_get(addresses, i);
        const char *text = guests_text(row, "address");
        if (json_is_true(json_object_get(row, "reachable")) ||
            address_is_loopback(text))
            continue;
        buffer_printf(tried,
                      "\n    %s (%s): not tried, it is on a network that "
                      "the host is not on",
                      text, guests_text(row, "source"));
    }
}

/* The first that answers as sshd does; or else the first that is silent: guests
 * can be slow. */
static const json_t *
choose(const json_t *value, struct error *error)
{
    const json_t *candidates = json_object_get(value, "candidates");
    const json_t *silent = NULL;
    struct buffer tried = {0};
    for (size_t i = 0; i < json_array_size(candidates); i++) {
        const json_t *candidate = json_array_get(candidates, i);
        int result = try_connect(guests_text(candidate, "host"),
                                 (int)guests_number(candidate, "port"));
        if (result == TRY_ANSWERED) {
            buffer_finish(&tried);
            return candidate;
        }
        if (result == TRY_SILENT)
            silent = silent ? silent : candidate;
        else
            note_try(&tried, candidate, result);
    }
    if (silent) {
        buffer_finish(&tried);
        return silent;
    }
    note_unreachable(&tried, json_object_get(value, "addresses"));
    error_set(error, ERROR_CODE_NOT_FOUND,
              "%s cannot be reached by ssh%s%s\n%s",
              guests_text(value, "guest"),
              tried.len ? ":" : ": no address of it is known",
              tried.len ? tried.data : "",
              json_array_size(candidates)
                  ? "Is its sshd running?"
                  : "Forward a port to it: \"nics\": [{\"hostfwd\": "
                    "[\"auto:22\"]}], or `guestmux forward` while it runs.");
    buffer_finish(&tried);
    return NULL;
}

/* ssh's command line ------------------------------------------------------- */

/* A path as ssh's configuration wants it: quoted, without tokens. */
static void
add_path_option(struct words *words, const char *name, const char *path)
{
    struct buffer text = {0};
    buffer_printf(&text, "%s=\"", name);
    for (; *path; path++) {
        if (*path == '%' || *path == '"' || *path == '\\')
            buffer_append_byte(&text, *path == '%' ? '%' : '\\');
        buffer_append_byte(&text, *path);
    }
    buffer_append_byte(&text, '"');
    add_option(words, text.data);
    buffer_finish(&text);
}

/* ssh takes the first value of an option: the user's come before ours. */
static void
add_options(struct words *words, const json_t *value)
{
    const json_t *list = json_object_get(value, "options");
    const char *key = guests_text(value, "key");
    for (size_t i = 0; i < json_array_size(list); i++)
        add_option(words, json_string_value(json_array_get(list, i)));
    if (*guests_text(value, "user")) {
        add(words, "-l");
        add(words, guests_text(value, "user"));
    }
    if (*key) {
        add(words, "-i");
        add(words, key);
        add_option(words, "IdentitiesOnly=yes");
    }
    add_option(words, "StrictHostKeyChecking=accept-new");
    add_path_option(words, "UserKnownHostsFile",
                    guests_text(value, "known-hosts"));
    /* By its name: ports and addresses change hands. */
    char *alias = xasprintf("HostKeyAlias=%s", guests_text(value, "guest"));
    add_option(words, alias);
    free(alias);
}

static void
build(struct words *words, const struct cli *cli, const json_t *value,
      const json_t *where)
{
    char port[16];
    (void)snprintf(port, sizeof(port), "%d", (int)guests_number(where, "port"));
    add(words, "ssh");
    add_options(words, value);
    add(words, "-p");
    add(words, port);
    add(words, "--");
    add(words, guests_text(where, "host"));
    for (int i = 1; i < cli->options.argument_count; i++)
        add(words, cli->options.arguments[i]);
}

/* On the other machine, where the ports and the keys are. */
static void
build_remote(struct words *words, const struct cli *cli)
{
    struct words there = {0};
    add(&there, "guestmux");
    add(&there, "-L");
    add(&there, cli->paths.server);
    add(&there, "ssh");
    if (options_has(&cli->options, "new-host-key"))
        add(&there, "--new-host-key");
    for (int i = 0; i < cli->options.argument_count; i++)
        add(&there, cli->options.arguments[i]);
    char *line = shellwords_join(there.list);
    add(words, "ssh");
    add(words, isatty(STDIN_FILENO) ? "-t" : "-T");
    add(words, "--");
    add(words, options_text(&cli->options, "host"));
    add(words, line);
    free(line);
    shellwords_free(there.list);
}

/* Running it --------------------------------------------------------------- */

/* Becomes ssh; comes back with a failure only. */
static int
become(const struct cli *cli, const struct words *words)
{
    struct error error = {0};
    if (options_has(&cli->options, "print")) {
        char *line = shellwords_join(words->list);
        (void)puts(line);
        free(line);
        return COMMAND_DONE;
    }
    (void)fflush(NULL);
    (void)execvp(words->list[0], words->list);
    error_set_errno(&error, errno, "cannot run ssh (OpenSSH's client)");
    return cli_fail(&error);
}

static json_t *
ask(struct cli *cli, struct error *error)
{
    struct session *session = session_open(cli, CONNECTION_START_SERVER, error);
    json_t *value = NULL;
    json_t *arguments = json_object();
    json_object_set_new(arguments, "guest",
                        json_from_text(cli->options.arguments[0]));
    if (session)
        session_call(session, "query-ssh", arguments, SESSION_REPLY_TIMEOUT_MS,
                     &value, error);
    else
        json_decref(arguments);
    session_close(session);
    return value;
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    struct words words = {0};
    const char *host = options_text(&cli->options, "host");
    int status = COMMAND_FAILED;
    json_t *value = NULL;
    const json_t *where = NULL;
    if (host && host[0] != '-' && host[0] != '\0') {
        build_remote(&words, cli);
        status = become(cli, &words);
    } else if ((value = ask(cli, &error)) && (where = choose(value, &error))) {
        if (options_has(&cli->options, "new-host-key"))
            (void)unlink(guests_text(value, "known-hosts"));
        build(&words, cli, value, where);
        status = become(cli, &words);
    } else {
        status = cli_fail(&error);
    }
    json_decref(value);
    shellwords_free(words.list);
    return status;
}

const struct command cmd_ssh = {
    .name = "ssh",
    .usage = "GUEST [COMMAND…]",
    .summary = "Log in to a guest by ssh, or run a command in it",
    .text =
        "Takes the port of the host that leads to the guest's sshd, or the "
        "first of its addresses where sshd answers, and the user (or "
        "cloud-init's), key and options that the fleet file says; then "
        "OpenSSH's ssh does the rest. The guest's host key is remembered in a file of its own, when "
        "it is seen first. Exits as ssh does. With --host, it runs on the "
        "other machine.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .flags = COMMAND_RAW_ARGUMENTS,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
