/* The client's mirror with what a hostile or foreign server sends: whatever the
 * events say, the rows stay within the view and fit to show. Each line of the
 * input is an event's data. */

#include "base/utf8.h"
#include "client/mirror.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect(int is_true)
{
    if (!is_true)
        abort();
}

static void
check_text(const char *text, int cols)
{
    size_t len = strlen(text);
    size_t at = 0;
    expect(utf8_is_valid(text, len, NULL));
    while (at < len) {
        uint32_t codepoint = 0;
        at += utf8_decode(text + at, len - at, &codepoint);
        expect(utf8_width(codepoint) > 0 || utf8_is_combining(codepoint));
    }
    expect(utf8_text_cols(text, len) == (size_t)cols);
}

static void
check(const struct mirror_view *view)
{
    for (int i = 0; i < view->rows; i++) {
        int col = -1;
        for (size_t j = 0; j < view->lines[i].run_count; j++) {
            const struct mirror_run *run = &view->lines[i].runs[j];
            expect(run->col > col && run->cols > 0);
            expect(run->col + run->cols <= view->cols);
            check_text(run->text, run->cols);
            col = run->col;
        }
    }
    expect(view->cursor_row >= -1 && view->cursor_row < view->rows);
    expect(view->cursor_col >= 0 && view->cursor_col < view->cols);
    expect(view->shift_pending >= 0 && view->shift_pending <= view->rows);
    expect(view->history >= 0 && view->scroll >= 0);
    if (view->title)
        expect(utf8_is_valid(view->title, strlen(view->title), NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mirror_view view;
    mirror_view_init(&view, 6, 20);
    const char *text = (const char *)data;
    while (size) {
        const char *end = memchr(text, '\n', size);
        size_t len = end ? (size_t)(end - text) : size;
        json_t *event = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
        struct error error = {0};
        if (event) {
            bool ok = mirror_view_apply(&view, event, &error);
            expect(ok == !error.code);
            check(&view);
        }
        json_decref(event);
        text += end ? len + 1 : len;
        size -= end ? len + 1 : len;
    }
    mirror_view_finish(&view);
    return 0;
}
