#include "client/identity.h"

#include "base/buffer.h"
#include "base/json.h"
#include "client/connection.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEVICES "/dev/"

/* The terminal of one of the standard descriptors: "pts/3"; NULL: none. */
static const char *
terminal_name(char *path, size_t size)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (ttyname_r(fd, path, size) != 0)
            continue;
        bool is_device = strncmp(path, DEVICES, strlen(DEVICES)) == 0;
        return is_device ? path + strlen(DEVICES) : path;
    }
    return NULL;
}

char *
identity_name(void)
{
    char path[128];
    struct buffer text = {0};
    const char *own = getenv("GUESTMUX_NAME");
    const char *terminal = terminal_name(path, sizeof(path));
    const char *ssh = getenv("SSH_CONNECTION");
    const struct passwd *user = getpwuid(getuid());
    if (own && own[0]) {
        buffer_append_text(&text, own);
        return buffer_steal(&text);
    }
    if (user && user->pw_name[0])
        buffer_append_text(&text, user->pw_name);
    else
        buffer_printf(&text, "%u", (unsigned)getuid());
    if (terminal)
        buffer_printf(&text, "@%s", terminal);
    size_t len = ssh ? strcspn(ssh, " ") : 0;
    if (len)
        buffer_printf(&text, " from %.*s", (int)(len < 64 ? len : 64), ssh);
    return buffer_steal(&text);
}

json_t *
identity_arguments(const char *program, bool is_readonly)
{
    char *name = identity_name();
    json_t *arguments = json_pack("{s:o,s:s}", "name", json_from_text(name),
                                  "program", program);
    if (is_readonly)
        json_object_set_new(arguments, "read-only", json_true());
    free(name);
    return arguments;
}

void
identity_tell(struct connection *connection, const char *program,
              bool is_readonly)
{
    connection_execute(connection, "client-set",
                       identity_arguments(program, is_readonly), NULL, NULL);
}
