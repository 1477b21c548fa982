/* Pastes that ended between two pieces: whoever sends the next one hears why.
 */
#include "base/xalloc.h"
#include "server/paste-internal.h"

#include <inttypes.h>

#define ENDS_COUNT 16u

struct paste_ends {
    struct {
        int64_t id; /* 0: none */
        struct error error;
    } rows[ENDS_COUNT];
    size_t next;
};

void
paste_note_end(const struct paste *paste, const struct error *error)
{
    struct server *server = paste->server;
    if (!server->paste_ends)
        server->paste_ends = xcalloc(1, sizeof(*server->paste_ends));
    struct paste_ends *ends = server->paste_ends;
    size_t row = ends->next++ % ENDS_COUNT;
    ends->rows[row].id = paste->id;
    if (error)
        ends->rows[row].error = *error;
    else
        error_set(&ends->rows[row].error, ERROR_CODE_STATE,
                  "%s: the paste was cancelled after %zu bytes",
                  guest_name(paste->guest), paste->text.given);
}

bool
paste_refuse_piece(const struct server *server, int64_t id, struct error *error)
{
    const struct paste_ends *ends = server->paste_ends;
    for (size_t i = 0; ends && i < ENDS_COUNT; i++) {
        if (id <= 0 || ends->rows[i].id != id)
            continue;
        *error = ends->rows[i].error;
        return false;
    }
    return error_set(error, ERROR_CODE_NOT_FOUND,
                     "there is no paste %" PRId64 " (any more)", id);
}
