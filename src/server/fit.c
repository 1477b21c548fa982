#include "server/fit.h"

#include "base/buffer.h"
#include "console/keys.h"
#include "console/prompt.h"
#include "server/api.h"
#include "server/clients.h"
#include "server/server-internal.h"

#include <stdio.h>

/* Whether a shell waits for a command there; *ret_why: why not. */
static bool
waits_for_command(struct console *console, const char **ret_why)
{
    if (console_is_replaying(console)) {
        *ret_why = "its log is still being read";
        return false;
    }
    if (console_input_pending(console)) {
        *ret_why = "it has not taken what was typed before";
        return false;
    }
    return prompt_is_shell(console_terminal(console), ret_why);
}

static bool
type_line(struct request *request, struct guest *guest, size_t index,
          const char *text, struct error *error)
{
    struct server *server = request_server(request);
    struct console *console = guest_console(guest, index);
    struct buffer bytes = {0};
    buffer_append_text(&bytes, text);
    bool ok = keys_encode("Enter", terminal_modes(console_terminal(console)),
                          &bytes, error) &&
              (console_type(console, bytes.data, bytes.len, error) ||
               error_prefix(error, "%s", guest_name(guest)));
    buffer_finish(&bytes);
    if (ok)
        clients_typed(server, request_peer(request), guest, index);
    return ok;
}

bool
fit_run(struct request *request, const json_t *arguments, struct error *error)
{
    size_t index = 0;
    const char *why = NULL;
    char text[64];
    struct guest *guest = registry_find_console(
        request_server(request), argument_string(arguments, "guest"), &index,
        error);
    if (!guest)
        return false;
    if (!guest_is_active(guest))
        return error_set(error, ERROR_CODE_STATE, "%s does not run",
                         guest_name(guest));
    struct console *console = guest_console(guest, index);
    const struct terminal *terminal = console_terminal(console);
    int rows = terminal_rows(terminal);
    int cols = terminal_cols(terminal);
    (void)snprintf(text, sizeof(text), "stty rows %d cols %d", rows, cols);
    bool waits = waits_for_command(console, &why);
    bool types = !argument_boolean(arguments, "dry-run") &&
                 (waits || argument_boolean(arguments, "force"));
    if (types &&
        (!clients_may_type(request_server(request), request_peer(request),
                           guest, index, error) ||
         !type_line(request, guest, index, text, error)))
        return false;
    request_return(request, json_pack("{s:s,s:i,s:i,s:b,s:s?}", "text", text,
                                      "rows", rows, "cols", cols, "typed",
                                      types, "reason", waits ? NULL : why));
    return true;
}
