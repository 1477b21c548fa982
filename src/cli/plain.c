#include "cli/plain.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/guests.h"
#include "cli/strip.h"
#include "client/connection.h"
#include "client/identity.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <uv.h>

/* How long the server may hold a question for more of the log, ms. */
#define LOG_WAIT_MS 600000
#define LOG_PIECE_BYTES 65536
/* One read of the keyboard. */
#define READ_BYTES 4096
/* Ctrl and the closing bracket, as in the deck. */
#define PREFIX 0x1D

static const int plain_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
#define SIGNAL_COUNT (sizeof(plain_signals) / sizeof(plain_signals[0]))

struct plain {
    struct cli *cli;     /* borrowed */
    const char *console; /* borrowed: its name */
    char *guest;         /* owned: the name in front of the colon */
    uv_loop_t loop;
    struct connection *connection; /* owned */
    struct loop_poll *input;       /* owned; NULL: it is read by turns */
    struct loop_defer *turn;       /* owned: of standard input that is a file,
                                    * which nothing can wait for; or NULL */
    uv_signal_t signals[SIGNAL_COUNT];
    struct termios before; /* the terminal's settings, to be given back */
    struct strip strip;
    int64_t offset; /* of the log: where what was not printed yet begins */
    int status;
    char *end_state;   /* owned: the guest's, once it ended; or NULL */
    bool has_screen;   /* what stands there was printed */
    bool has_terminal; /* standard input is one, and set to single keys */
    bool is_prefix;    /* the prefix key was typed */
    bool is_readonly;
    bool is_ending;
    bool ends_quietly; /* leaves once what was typed is on its way */
};

static void
leave(struct plain *plain, int status)
{
    if (plain->is_ending)
        return;
    plain->is_ending = true;
    plain->status = status;
    uv_stop(&plain->loop);
}

/* A remark of ours, on a line of its own. */
static void __attribute__((format(printf, 1, 2)))
remark(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    cli_warn("%s", text);
    free(text);
}

/* Output ------------------------------------------------------------------- */

static void
print_bytes(struct plain *plain, const char *bytes, size_t len)
{
    struct buffer out = {0};
    strip_feed(&plain->strip, bytes, len, &out);
    if (out.len)
        (void)fwrite(out.data, 1, out.len, stdout);
    buffer_finish(&out);
    if (fflush(stdout) != 0)
        leave(plain, COMMAND_FAILED);
}

static void
ask_log(struct plain *plain, connection_reply_fn on_reply, int wait_ms)
{
    connection_execute(plain->connection, "console-log",
                       json_pack("{s:o,s:I,s:i,s:i}", "guest",
                                 json_from_text(plain->console), "offset",
                                 (json_int_t)plain->offset, "max-bytes",
                                 LOG_PIECE_BYTES, "wait-ms", wait_ms),
                       on_reply, plain);
}

/* Prints what of a piece of the log was not printed yet; whether there was any.
 * Two answers may have the same. */
static bool
take_log(struct plain *plain, const json_t *value)
{
    struct buffer bytes = {0};
    const char *data = json_string_value(json_object_get(value, "data"));
    int64_t offset = json_integer_value(json_object_get(value, "offset"));
    int64_t next = json_integer_value(json_object_get(value, "next-offset"));
    size_t known =
        plain->offset > offset ? (size_t)(plain->offset - offset) : 0;
    bool is_new =
        data && base64_decode(data, strlen(data), &bytes) && bytes.len > known;
    if (is_new)
        print_bytes(plain, bytes.data + known, bytes.len - known);
    buffer_finish(&bytes);
    if (next > plain->offset)
        plain->offset = next;
    return is_new;
}

static void
on_log(void *user, json_t *value, const struct error *error)
{
    struct plain *plain = user;
    if (plain->end_state && error)
        return; /* the rest is read by itself */
    if (error) {
        cli_warn("%s", error->text);
        leave(plain, COMMAND_FAILED);
        return;
    }
    (void)take_log(plain, value);
    if (!plain->is_ending && !plain->end_state)
        ask_log(plain, on_log, LOG_WAIT_MS);
}

/* What the guest printed last comes before that it ended. */
static void
on_rest(void *user, json_t *value, const struct error *error)
{
    struct plain *plain = user;
    if (!error && take_log(plain, value)) {
        ask_log(plain, on_rest, 0);
        return;
    }
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
    remark("%s: %s", plain->guest, plain->end_state);
    leave(plain, strcmp(plain->end_state, "stopped") == 0 ? COMMAND_DONE
                                                          : COMMAND_FAILED);
}

/* The guest ended. */
static void
begin_end(struct plain *plain, const json_t *guest)
{
    if (plain->end_state)
        return;
    plain->end_state = xstrdup(guests_text(guest, "state"));
    if (plain->has_screen)
        ask_log(plain, on_rest, 0);
}

static void
on_capture(void *user, json_t *value, const struct error *error)
{
    struct plain *plain = user;
    if (error) {
        cli_warn("%s", error->text);
        leave(plain, COMMAND_FAILED);
        return;
    }
    const json_t *text = json_object_get(value, "text");
    size_t len = json_string_length(text);
    const char *bytes = json_string_value(text);
    while (bytes && len && bytes[len - 1] == '\n')
        len--;
    if (len) {
        /* the last line goes on where the cursor is: behind a prompt's blank,
         * which the text lacks, or in a line of its own */
        bool is_begun = json_integer_value(json_array_get(
                            json_object_get(value, "cursor"), 1)) > 0;
        print_bytes(plain, bytes, len);
        print_bytes(plain, is_begun ? " " : "\n", 1);
    }
    plain->offset = json_integer_value(json_object_get(value, "offset"));
    plain->has_screen = true;
    if (plain->end_state)
        ask_log(plain, on_rest, 0);
    else
        ask_log(plain, on_log, LOG_WAIT_MS);
}

static void
on_guest(void *user, json_t *value, const struct error *error)
{
    struct plain *plain = user;
    if (error) {
        cli_warn("%s", error->text);
        leave(plain, COMMAND_FAILED);
    } else if (!guests_is_active(value)) {
        remark("%s does not run (%s); `guestmux start %s` starts it",
               plain->guest, guests_text(value, "state"), plain->guest);
        leave(plain, COMMAND_FAILED);
    }
}

static void
on_event(void *user, const char *name, json_t *data)
{
    struct plain *plain = user;
    const char *guest = guests_text(data, "name");
    if (strcmp(name, "GUEST_CHANGED") == 0 &&
        strcmp(guest, plain->guest) == 0 && !guests_is_active(data))
        begin_end(plain, data);
    else if (strcmp(name, "GUEST_REMOVED") == 0 &&
             strcmp(guest, plain->guest) == 0)
        leave(plain, COMMAND_FAILED);
    else if (strcmp(name, "COMMAND_FAILED") == 0)
        remark("%s", guests_text(data, "desc"));
}

static void
on_close(void *user, const struct error *error)
{
    struct plain *plain = user;
    if (!plain->is_ending)
        remark("the server is gone (%s); the guests go on", error->text);
    leave(plain, COMMAND_FAILED);
}

static const struct connection_handlers handlers = {
    .on_event = on_event,
    .on_close = on_close,
};

/* Input -------------------------------------------------------------------- */

static void
on_sent(void *user, json_t *value, const struct error *error)
{
    struct plain *plain = user;
    (void)value;
    if (error)
        remark("%s", error->text);
    if (plain->ends_quietly)
        leave(plain, error ? COMMAND_FAILED : COMMAND_DONE);
    else if (plain->turn)
        loop_defer_request(plain->turn);
}

static void
send_bytes(struct plain *plain, const char *bytes, size_t len)
{
    struct buffer text = {0};
    if (!len && !plain->ends_quietly)
        return;
    base64_encode(bytes, len, &text);
    connection_execute(plain->connection, "console-send",
                       json_pack("{s:o,s:s}", "guest",
                                 json_from_text(plain->console), "data",
                                 text.data ? text.data : ""),
                       on_sent, plain);
    buffer_finish(&text);
}

/* Sends what was typed; the prefix key is ours. */
static void
take_typed(struct plain *plain, const char *bytes, size_t len)
{
    struct buffer out = {0};
    for (size_t i = 0; i < len && !plain->is_ending; i++) {
        if (!plain->has_terminal || (!plain->is_prefix && bytes[i] != PREFIX)) {
            buffer_append_byte(&out, bytes[i]);
        } else if (!plain->is_prefix) {
            plain->is_prefix = true;
        } else {
            plain->is_prefix = false;
            if (bytes[i] == PREFIX) {
                buffer_append_byte(&out, PREFIX);
            } else if (bytes[i] == 'd') {
                (void)fputc('\n', stdout);
                leave(plain, COMMAND_DONE);
            } else {
                remark("C-] d leaves, C-] C-] sends C-]");
            }
        }
    }
    if (out.len && plain->is_readonly) {
        remark("read-only: typing is off");
        if (plain->turn)
            loop_defer_request(plain->turn);
    } else if (out.len)
        send_bytes(plain, out.data, out.len);
    buffer_finish(&out);
}

static void
read_typed(struct plain *plain)
{
    char bytes[READ_BYTES];
    ssize_t len = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len > 0) {
        take_typed(plain, bytes, (size_t)len);
        return;
    }
    /* the end of a script's input, or a terminal that hung up */
    if (plain->input)
        loop_poll_set(plain->input, 0);
    if (plain->has_terminal || plain->is_readonly) {
        leave(plain, plain->has_terminal ? COMMAND_FAILED : COMMAND_DONE);
        return;
    }
    plain->ends_quietly = true;
    send_bytes(plain, "", 0);
}

static void
on_readable(void *data, int status, int events)
{
    (void)status; /* what is wrong the read tells, too */
    (void)events;
    read_typed(data);
}

static void
on_turn(void *data)
{
    read_typed(data);
}

static void
on_signal(uv_signal_t *handle, int number)
{
    leave(handle->data,
          number == SIGINT ? COMMAND_INTERRUPTED : COMMAND_FAILED);
}

/* Single keys, none of them ours but the prefix: Ctrl-C is the guest's. Lines
 * still end as they do, so that our output needs nothing special. */
static void
take_terminal(struct plain *plain)
{
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &plain->before) < 0)
        return;
    struct termios raw = plain->before;
    raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_iflag &= (tcflag_t) ~(ICRNL | INLCR | IXON | ISTRIP);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    plain->has_terminal = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

/* Beginning and end -------------------------------------------------------- */

static bool
start(struct plain *plain, struct error *error)
{
    int fd = cli_connect(plain->cli, CONNECTION_START_SERVER, error);
    if (fd < 0)
        return false;
    plain->connection = connection_new(&plain->loop, fd, &handlers, plain);
    plain->input =
        loop_poll_new(&plain->loop, STDIN_FILENO, on_readable, plain);
    if (plain->input)
        loop_poll_set(plain->input, UV_READABLE);
    else
        plain->turn = loop_defer_new(&plain->loop, on_turn, plain);
    take_terminal(plain);
    if (plain->has_terminal)
        (void)fprintf(stderr, "guestmux: %s%s; C-] d leaves\n", plain->console,
                      plain->is_readonly ? ", read-only" : "");
    identity_tell(plain->connection, "console", plain->is_readonly);
    connection_execute(plain->connection, "events-subscribe", NULL, NULL, NULL);
    connection_execute(
        plain->connection, "guest-query",
        json_pack("{s:o}", "guest", json_from_text(plain->guest)), on_guest,
        plain);
    connection_execute(
        plain->connection, "console-capture",
        json_pack("{s:o}", "guest", json_from_text(plain->console)), on_capture,
        plain);
    if (plain->turn)
        loop_defer_request(plain->turn);
    return true;
}

static void
stop(struct plain *plain)
{
    if (plain->has_terminal)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &plain->before);
    connection_free(plain->connection);
    loop_poll_free(plain->input);
    loop_defer_free(plain->turn);
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        uv_close((uv_handle_t *)&plain->signals[i], NULL);
    uv_run(&plain->loop, UV_RUN_DEFAULT);
    uv_loop_close(&plain->loop);
    strip_finish(&plain->strip);
    free(plain->end_state);
    free(plain->guest);
}

int
plain_run(struct cli *cli, const char *console, bool is_readonly)
{
    struct error error = {0};
    struct plain plain = {
        .cli = cli,
        .console = console,
        .guest = xstrndup(console, strcspn(console, ":")),
        .strip = {.flags = STRIP_EDITING},
        .is_readonly = is_readonly,
    };
    uv_loop_init(&plain.loop);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&plain.loop, &plain.signals[i]);
        plain.signals[i].data = &plain;
        uv_signal_start(&plain.signals[i], on_signal, plain_signals[i]);
    }
    if (start(&plain, &error))
        uv_run(&plain.loop, UV_RUN_DEFAULT);
    else
        plain.status = cli_fail(&error);
    stop(&plain);
    return plain.status;
}
