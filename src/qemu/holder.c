#include "qemu/holder.h"

#include "base/text.h"
#include "base/xalloc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is read of a command line: guestmux's -name stands in front. */
#define CMDLINE_MAX_BYTES 4096
/* Columns of a program's name. */
#define PROGRAM_COLS 40
/* States in /proc/net: TCP_LISTEN, and of UDP TCP_CLOSE. */
#define STATE_LISTEN 0x0A
#define STATE_UDP 0x07
/* The flag of a listening socket in /proc/net/unix (__SO_ACCEPTCON). */
#define UNIX_LISTENS 0x10000u

/* What is looked for among the descriptors of processes. */
struct wanted {
    dev_t device;
    ino_t inode;
    bool is_socket; /* inode is a socket's */
};

/* The words of a process, zero-terminated each; how many bytes. */
static size_t
read_cmdline(pid_t pid, char text[CMDLINE_MAX_BYTES])
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, CMDLINE_MAX_BYTES - 1);
    if (fd >= 0)
        (void)close(fd);
    if (len < 0)
        len = 0;
    text[len] = '\0';
    return (size_t)len;
}

/* The guest that a command line is of (argv.c: QEMU -name guest=NAME), or
 * NULL. Borrowed from the text. */
static const char *
guest_of(const char *text, size_t len)
{
    const char *end = text + len;
    const char *option = text + strlen(text) + 1;
    const char *value = option < end ? option + strlen(option) + 1 : end;
    if (value >= end || strcmp(option, "-name") != 0 ||
        strncmp(value, "guest=", 6) != 0 || !text_is_name(value + 6))
        return NULL;
    return value + 6;
}

static void
describe(pid_t pid, struct holder *holder)
{
    char text[CMDLINE_MAX_BYTES];
    size_t len = read_cmdline(pid, text);
    const char *slash = strrchr(text, '/');
    const char *program = slash ? slash + 1 : text;
    const char *guest = guest_of(text, len);
    *holder = (struct holder){
        .pid = pid,
        .guest = xstrdup(guest),
        .program = text_printable(program, strlen(program), PROGRAM_COLS,
                                  TEXT_ONE_LINE),
    };
}

static bool
is_wanted(int folder, const char *name, const struct wanted *wanted)
{
    if (wanted->is_socket) {
        char link[64];
        char target[64];
        ssize_t len = readlinkat(folder, name, target, sizeof(target) - 1);
        (void)snprintf(link, sizeof(link), "socket:[%" PRIuMAX "]",
                       (uintmax_t)wanted->inode);
        if (len < 0)
            return false;
        target[len] = '\0';
        return !strcmp(link, target);
    }
    struct stat info;
    return fstatat(folder, name, &info, 0) == 0 &&
           info.st_dev == wanted->device && info.st_ino == wanted->inode;
}

/* Whether a process has it; other users' cannot be looked into. */
static bool
has_it(pid_t pid, const struct wanted *wanted)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    bool found = false;
    const struct dirent *entry = NULL;
    while (folder && !found && (entry = readdir(folder)))
        found = isdigit((unsigned char)entry->d_name[0]) &&
                is_wanted(dirfd(folder), entry->d_name, wanted);
    if (folder)
        (void)closedir(folder);
    return found;
}

/* The next process of a listing of /proc, or 0. */
static pid_t
next_process(DIR *processes)
{
    const struct dirent *entry = NULL;
    while ((entry = readdir(processes))) {
        if (isdigit((unsigned char)entry->d_name[0]))
            return (pid_t)strtol(entry->d_name, NULL, 10);
    }
    return 0;
}

static bool
is_guest(pid_t pid)
{
    char text[CMDLINE_MAX_BYTES];
    size_t len = read_cmdline(pid, text);
    return guest_of(text, len) != NULL;
}

static void
find(const struct wanted *wanted, struct holder *ret_holder)
{
    DIR *processes = opendir("/proc");
    pid_t found = 0;
    pid_t pid = 0;
    while (processes && (pid = next_process(processes))) {
        if (!has_it(pid, wanted))
            continue;
        found = pid;
        if (is_guest(pid))
            break;
    }
    if (processes)
        (void)closedir(processes);
    *ret_holder = (struct holder){0};
    if (found)
        describe(found, ret_holder);
}

void
holder_of_file(dev_t device, ino_t inode, struct holder *ret_holder)
{
    struct wanted wanted = {.device = device, .inode = inode};
    find(&wanted, ret_holder);
}

/* What is looked for in one of /proc/net's tables. */
struct sought {
    unsigned port;
    unsigned state;
    const char *path;
};

/* The socket that the first line of a table tells which is the one, or 0. */
static ino_t
find_in(const char *table,
        ino_t (*read_line)(const char *, const struct sought *),
        const struct sought *sought)
{
    FILE *file = fopen(table, "re");
    char line[512];
    ino_t found = 0;
    while (file && !found && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        found = read_line(line, sought);
    }
    if (file)
        (void)fclose(file);
    return found;
}

/* The socket of a line, when it has the port. */
static ino_t
read_port_line(const char *line, const struct sought *sought)
{
    unsigned local = 0;
    unsigned is = 0;
    uintmax_t inode = 0;
    int got = sscanf(line,
                     " %*d: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s "
                     "%" SCNuMAX,
                     &local, &is, &inode);
    return got == 3 && local == sought->port && is == sought->state
               ? (ino_t)inode
               : 0;
}

void
holder_of_port(bool is_udp, int port, struct holder *ret_holder)
{
    static const char *const tables[2][2] = {
        {"/proc/net/tcp", "/proc/net/tcp6"},
        {"/proc/net/udp", "/proc/net/udp6"},
    };
    struct sought sought = {.port = (unsigned)port,
                            .state = is_udp ? STATE_UDP : STATE_LISTEN};
    ino_t inode = find_in(tables[is_udp][0], read_port_line, &sought);
    if (!inode)
        inode = find_in(tables[is_udp][1], read_port_line, &sought);
    *ret_holder = (struct holder){0};
    struct wanted wanted = {.inode = inode, .is_socket = true};
    if (inode)
        find(&wanted, ret_holder);
}

/* Whether a bound path, relative maybe, is this one. */
static bool
is_path(const char *bound, const char *path)
{
    size_t len = strlen(path);
    size_t tail = strlen(bound);
    return !strcmp(bound, path) ||
           (bound[0] != '/' && tail && tail < len &&
            path[len - tail - 1] == '/' && !strcmp(path + len - tail, bound));
}

/* The socket of a line of /proc/net/unix, when it listens at the path. */
static ino_t
read_unix_line(const char *line, const struct sought *sought)
{
    unsigned flags = 0;
    uintmax_t inode = 0;
    int at = 0;
    int got = sscanf(line, "%*s %*s %*s %x %*s %*s %" SCNuMAX " %n", &flags,
                     &inode, &at);
    return got == 2 && at > 0 && flags & UNIX_LISTENS &&
                   is_path(line + at, sought->path)
               ? (ino_t)inode
               : 0;
}

void
holder_of_unix_socket(const char *path, struct holder *ret_holder)
{
    struct sought sought = {.path = path};
    struct wanted wanted = {
        .inode = find_in("/proc/net/unix", read_unix_line, &sought),
        .is_socket = true};
    *ret_holder = (struct holder){0};
    if (wanted.inode)
        find(&wanted, ret_holder);
}

char **
holder_guests(void)
{
    DIR *processes = opendir("/proc");
    char **names = xcalloc(1, sizeof(*names));
    size_t count = 0;
    pid_t pid = 0;
    while (processes && (pid = next_process(processes))) {
        char text[CMDLINE_MAX_BYTES];
        size_t len = read_cmdline(pid, text);
        const char *name = guest_of(text, len);
        if (!name)
            continue;
        names = xreallocarray(names, count + 2, sizeof(*names));
        names[count++] = xstrdup(name);
        names[count] = NULL;
    }
    if (processes)
        (void)closedir(processes);
    return names;
}

void
holder_finish(struct holder *holder)
{
    free(holder->guest);
    free(holder->program);
    *holder = (struct holder){0};
}

char *
holder_text(const struct holder *holder)
{
    if (!holder->pid)
        return xstrdup("another process");
    if (holder->guest)
        return xasprintf("guest %s (pid %d)", holder->guest, (int)holder->pid);
    return xasprintf("%s (pid %d)",
                     holder->program[0] ? holder->program : "a process",
                     (int)holder->pid);
}
