#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Which process has a file or a port, as far as /proc tells it to this user. */

struct holder {
    pid_t pid;     /* 0: nobody was found */
    char *guest;   /* owned: the name of the guest that it is, if it is one of
                    * guestmux's; or NULL */
    char *program; /* owned: what it runs, for people */
};

/* Finds a process that has the file open: a guest, if there is one. */
void holder_of_file(dev_t device, ino_t inode, struct holder *ret_holder);

/* Finds the process that listens on a TCP port (or has a UDP port) of this
 * machine, on an IPv4 address or all. */
void holder_of_port(bool is_udp, int port, struct holder *ret_holder);

/* Finds the process that listens on the unix socket of an absolute path; one
 * that knows it by a relative path counts when that ends the path. */
void holder_of_unix_socket(const char *path, struct holder *ret_holder);

/* The names of the guests that run, whichever server started them:
 * NULL-terminated; the caller frees each and the array. */
char **holder_guests(void);

void holder_finish(struct holder *holder);

/* "guest worker1 (pid 77)", "nc (pid 77)", "another process". The caller frees
 * it. */
char *holder_text(const struct holder *holder);
