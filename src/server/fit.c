#include "server/fit.h"

#include "base/buffer.h"
#include "console/keys.h"
#include "console/prompt.h"
#include "server/api.h"
#include "server/clients.h"
#include "server/paste.h"
#include "server/server-internal.h"
#include "server/view.h"

#include <stdio.h>

/* Whether a shell waits for a command there; *ret_why: why not. */
static bool
waits_for_command(struct server *server, struct guest *guest, size_t index,
                  const char **ret_why)
{
    struct console *console = guest_console(guest, index);
    if (paste_is_active(server, guest, index)) {
        *ret_why = "a paste is under way";
        return false;
    }
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
    struct server *server = request_server(request);
    struct peer *peer = request_peer(request);
    bool is_dry = argument_boolean(arguments, "dry-run");
    struct guest *guest = argument_console(request, arguments, &index, error);
    if (!guest ||
        (!is_dry && !clients_may_type(server, peer, guest, index, error)))
        return false;
    if (!guest_is_active(guest))
        return error_set(error, ERROR_CODE_STATE, "%s does not run",
                         guest_name(guest));
    /* the size to tell is that of the view from which it is asked for */
    if (!is_dry)
        view_on_typing(server, peer, guest, index);
    struct terminal *terminal = console_terminal(guest_console(guest, index));
    int rows = terminal_rows(terminal);
    int cols = terminal_cols(terminal);
    (void)snprintf(text, sizeof(text), "stty rows %d cols %d", rows, cols);
    bool waits = waits_for_command(server, guest, index, &why);
    bool forces = argument_boolean(arguments, "force") &&
                  !paste_is_active(server, guest, index);
    bool types = !is_dry && (waits || forces);
    if (types && !type_line(request, guest, index, text, error))
        return false;
    request_return(request, json_pack("{s:s,s:i,s:i,s:b,s:s?}", "text", text,
                                      "rows", rows, "cols", cols, "typed",
                                      types, "reason", waits ? NULL : why));
    return true;
}
