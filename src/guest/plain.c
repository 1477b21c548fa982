#include "base/xalloc.h"
#include "guest/guest-internal.h"
#include "qemu/argv.h"
#include "wire/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* What is no QEMU: a program on a pty of ours, a serial device, a socket. */

/* The terminal that our emulator comes nearest to. */
#define TERM_NAME "xterm-256color"

/* Speeds that termios has a constant for. */
static const struct baud_row {
    int baud;
    speed_t speed;
} baud_rows[] = {
    {50, B50},           {75, B75},           {110, B110},
    {134, B134},         {150, B150},         {200, B200},
    {300, B300},         {600, B600},         {1200, B1200},
    {1800, B1800},       {2400, B2400},       {4800, B4800},
    {9600, B9600},       {19200, B19200},     {38400, B38400},
    {57600, B57600},     {115200, B115200},   {230400, B230400},
    {460800, B460800},   {500000, B500000},   {576000, B576000},
    {921600, B921600},   {1000000, B1000000}, {1152000, B1152000},
    {1500000, B1500000}, {2000000, B2000000}, {2500000, B2500000},
    {3000000, B3000000}, {3500000, B3500000}, {4000000, B4000000},
};

static bool
find_speed(int baud, speed_t *ret_speed, struct error *error)
{
    for (size_t i = 0; i < sizeof(baud_rows) / sizeof(*baud_rows); i++) {
        if (baud_rows[i].baud != baud)
            continue;
        *ret_speed = baud_rows[i].speed;
        return true;
    }
    return error_set(error, ERROR_CODE_INVALID,
                     "%d baud is no usual speed; try 9600 or 115200", baud);
}

/* 8N1, no flow control, no waiting for a carrier. */
static bool
set_line(int fd, const char *path, int baud, struct error *error)
{
    struct termios line;
    speed_t speed = B115200;
    if (!find_speed(baud ? baud : 115200, &speed, error))
        return false;
    if (tcgetattr(fd, &line) < 0)
        return error_set_errno(error, errno, "%s is no serial device", path);
    cfmakeraw(&line);
    line.c_cflag |= CLOCAL | CREAD;
    line.c_cflag &= ~(tcflag_t)(CRTSCTS | CSTOPB | HUPCL);
    if (cfsetispeed(&line, speed) < 0 || cfsetospeed(&line, speed) < 0 ||
        tcsetattr(fd, TCSANOW, &line) < 0)
        return error_set_errno(error, errno, "cannot set up %s for %d baud",
                               path, baud);
    return true;
}

static int
open_device(const struct spec *spec, struct error *error)
{
    /* Non-blocking: opening would wait for a carrier. */
    int fd = open(spec->device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        error_set_errno(error, errno, "cannot open %s%s", spec->device,
                        errno == EACCES  ? " (you may have to join the group "
                                           "dialout)"
                        : errno == EBUSY ? " (another program uses it)"
                                         : "");
        return -1;
    }
    if (ioctl(fd, TIOCEXCL) < 0 && errno == ENOTTY)
        error_set_errno(error, errno, "%s is no serial device", spec->device);
    else if (set_line(fd, spec->device, spec->baud, error))
        return fd;
    (void)close(fd);
    return -1;
}

/* Opens a pty's master; *ret_path: its slave, owned. */
static int
open_pty(char **ret_path, struct error *error)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    char path[128];
    if (fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0 &&
        ptsname_r(fd, path, sizeof(path)) == 0) {
        *ret_path = xstrdup(path);
        return fd;
    }
    error_set_errno(error, errno, "cannot make a pty");
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

/* The program's words, the first as a path. NULL with error. */
static char **
exec_argv(const struct spec *spec, struct error *error)
{
    char *program = process_find_program(spec->command[0], error);
    if (!program)
        return NULL;
    size_t count = 0;
    while (spec->command[count])
        count++;
    char **argv = xcalloc(count + 1, sizeof(*argv));
    argv[0] = program;
    for (size_t i = 1; i < count; i++)
        argv[i] = xstrdup(spec->command[i]);
    return argv;
}

static bool
spawn_exec(struct guest *guest, const char *tty_path, struct error *error)
{
    struct run *run = guest->run;
    struct process_config config = {
        .argv = run->argv,
        .directory = guest->spec->directory,
        .output_fd = -1,
        .passed_fd = -1,
        .tty_path = tty_path,
        .term = TERM_NAME,
        .file_limit = guest->context->file_limit,
        .variables = guest->spec->env,
    };
    run->process = process_spawn(guest->context->loop, &config, ending_on_exit,
                                 guest, error);
    if (!run->process)
        return false;
    run->identity = *process_identity(run->process);
    return true;
}

/* Gives a program the size of its console before it looks. */
static void
set_size(struct guest *guest, int master)
{
    struct terminal *terminal = console_terminal(guest->consoles[0].console);
    struct winsize size = {
        .ws_row = (unsigned short)terminal_rows(terminal),
        .ws_col = (unsigned short)terminal_cols(terminal),
    };
    (void)ioctl(master, TIOCSWINSZ, &size);
}

static bool
launch_exec(struct guest *guest, struct error *error)
{
    char **argv = exec_argv(guest->spec, error);
    if (!argv)
        return false;
    guest->run->argv = argv;
    char *tty_path = NULL;
    int master = open_pty(&tty_path, error);
    if (master < 0)
        return false;
    set_size(guest, master);
    bool ok = spawn_exec(guest, tty_path, error);
    free(tty_path);
    if (!ok) {
        (void)close(master);
        return false;
    }
    if (console_set_fd(guest->consoles[0].console, master, error))
        return true;
    (void)close(master);
    (void)process_signal(guest->run->process, SIGKILL, NULL);
    return false;
}

static bool
launch_descriptor(struct guest *guest, struct error *error)
{
    const struct spec *spec = guest->spec;
    int fd = spec->kind == SPEC_KIND_DEVICE
                 ? open_device(spec, error)
                 : stream_connect_unix(spec->socket, error);
    if (fd < 0)
        return false;
    if (console_set_fd(guest->consoles[0].console, fd, error))
        return true;
    (void)close(fd);
    return false;
}

static bool
launch_locked(struct guest *guest, struct error *error)
{
    struct run *run = run_new(guest);
    stages_begin(guest);
    bool ok = guest->spec->kind == SPEC_KIND_EXEC
                  ? launch_exec(guest, error)
                  : launch_descriptor(guest, error);
    if (ok) {
        struct error trouble = {0};
        if (!store_save_run(guest, &trouble))
            guest_notice(guest, "warning", "%s", trouble.text);
        return true;
    }
    guest->run = NULL;
    run_free(run);
    return false;
}

bool
launch_again(struct guest *guest, struct error *error)
{
    if (!consoles_prepare_logs(guest, error))
        return false;
    int lock = store_lock(guest, error);
    if (lock < 0)
        return false;
    bool ok = launch_locked(guest, error);
    (void)close(lock);
    return ok;
}

bool
launch_plain(struct guest *guest, struct error *error)
{
    if (!consoles_prepare_logs(guest, error))
        return false;
    consoles_mark_boot(guest);
    return launch_again(guest, error);
}
