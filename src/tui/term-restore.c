#include "tui/term-restore.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Signals that end a process by its own fault, or that nobody sends a deck but
 * by mistake. */
static const int fatal_signals[] = {
    SIGSEGV, SIGBUS,  SIGABRT, SIGFPE,  SIGILL,    SIGTRAP, SIGSYS,
    SIGXCPU, SIGXFSZ, SIGUSR1, SIGUSR2, SIGVTALRM, SIGPROF, SIGALRM,
};
#define FATAL_SIGNALS_COUNT (sizeof(fatal_signals) / sizeof(*fatal_signals))

static struct {
    struct termios modes;
    struct sigaction previous[FATAL_SIGNALS_COUNT];
    char bytes[256]; /* what brings the screen back */
    size_t len;
    int in_fd;
    int out_fd;
    int flags; /* in_fd's; -1: none to restore */
    bool has_modes;
    bool is_armed;
} restore;

/* The event loop makes the terminal non-blocking, and whoever has it after us
 * with it: a shell's next command would fail to read. */
static void
restore_flags(void)
{
    if (restore.flags >= 0)
        (void)fcntl(restore.in_fd, F_SETFL, restore.flags);
}

/* Only what signal-safety(7) allows. */
static void
on_fatal_signal(int number)
{
    ssize_t written = write(restore.out_fd, restore.bytes, restore.len);
    (void)written;
    if (restore.has_modes)
        tcsetattr(restore.in_fd, TCSANOW, &restore.modes);
    restore_flags();
    for (size_t i = 0; i < FATAL_SIGNALS_COUNT; i++)
        sigaction(fatal_signals[i], &restore.previous[i], NULL);
    (void)raise(number);
}

void
term_restore_save(int in_fd, int out_fd)
{
    restore.in_fd = in_fd;
    restore.out_fd = out_fd;
    restore.flags = fcntl(in_fd, F_GETFL);
    restore.has_modes = tcgetattr(in_fd, &restore.modes) == 0;
}

void
term_restore_arm(const char *normal_pen, const char *show_cursor,
                 const char *leave_screen)
{
    int len = snprintf(restore.bytes, sizeof(restore.bytes), "%s%s%s%s",
                       TERM_RESTORE_MODES_OFF, normal_pen ? normal_pen : "",
                       show_cursor ? show_cursor : "",
                       leave_screen ? leave_screen : "\r\n");
    restore.len =
        len > 0 && (size_t)len < sizeof(restore.bytes) ? (size_t)len : 0;
    if (restore.is_armed)
        return;
    struct sigaction action = {
        .sa_handler = on_fatal_signal,
        .sa_flags = (int)SA_RESETHAND | SA_NODEFER,
    };
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < FATAL_SIGNALS_COUNT; i++)
        sigaction(fatal_signals[i], &action, &restore.previous[i]);
    restore.is_armed = true;
}

void
term_restore_disarm(void)
{
    if (restore.is_armed) {
        for (size_t i = 0; i < FATAL_SIGNALS_COUNT; i++)
            sigaction(fatal_signals[i], &restore.previous[i], NULL);
        restore.is_armed = false;
    }
    if (restore.has_modes)
        tcsetattr(restore.in_fd, TCSADRAIN, &restore.modes);
    if (restore.has_modes)
        restore_flags();
    restore.has_modes = false;
}
