#include "base/buffer.h"
#include "base/xalloc.h"
#include "fleet/shellwords.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Texts and their words, each in [ ]. */
static const struct {
    const char *text;
    const char *words;
} splits[] = {
    {"", ""},
    {" \t\n", ""},
    {"a b", "[a][b]"},
    {"  a\tb\n c ", "[a][b][c]"},
    {"'a b' \"c d\"", "[a b][c d]"},
    {"a'b'\"c\"d", "[abcd]"},
    {"'' \"\"", "[][]"},
    {"a\\ b", "[a b]"},
    {"a \\\n  b", "[a][b]"},
    {"a \\\r\n  b", "[a][b]"},
    {"a\\\nb", "[ab]"},
    {"\"a\\\nb\"", "[ab]"},
    {"'a\\\nb'", "[a\\\nb]"},
    {"\"a\nb\"", "[a\nb]"},
    {"\"\\\\n\"", "[\\n]"},
    {"\"a\\\\\nb\"", "[a\\\nb]"},
    {"\"\\$\\`\\\"\\x\"", "[$`\"\\x]"},
    {"'$x `y` ; |'", "[$x `y` ; |]"},
    {"\\$x \\; \\|", "[$x][;][|]"},
    {"$ a$ \"$\"", "[$][a$][$]"},
    {"a #b c\n d", "[a][d]"},
    {"a#b", "[a#b]"},
    {"a~b x=~", "[a~b][x=~]"},
    {"qemu -m 1 &", "[qemu][-m][1]"},
    {"qemu -m 1;\n", "[qemu][-m][1]"},
    {"qemu & # in the background", "[qemu]"},
    {"user,hostfwd=tcp::2222-:22", "[user,hostfwd=tcp::2222-:22]"},
    {"{a,b} [x] !", "[{a,b}][[x]][!]"},
    {"-append \"console=ttyS0 root=/dev/vda1\"",
     "[-append][console=ttyS0 root=/dev/vda1]"},
};

static void
texts_are_split_as_a_shell_splits_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
        struct error error = {0};
        char **words = shellwords_split(splits[i].text, NULL, &error);
        if (!words)
            fail_msg("%s: %s", splits[i].text, error.text);
        struct buffer shown = {0};
        buffer_append_text(&shown, "");
        for (size_t k = 0; words[k]; k++)
            buffer_printf(&shown, "[%s]", words[k]);
        assert_string_equal(shown.data, splits[i].words);
        buffer_finish(&shown);
        shellwords_free(words);
    }
}

static const struct {
    const char *text;
    const char *message;
    size_t offset;
} refusals[] = {
    {"a $X", "$X is a variable", 2},
    {"a \"b${X}\"", "${X} is a variable", 4},
    {"a $(id)", "$( is a command substitution", 2},
    {"a `id`", "` is a command substitution", 2},
    {"a \"`id`\"", "` is a command substitution", 3},
    {"a $1", "$1 is a variable", 2},
    {"a $'x'", "$ before a quote is a shell's extension", 2},
    {"a && b", "&& is a list of commands", 2},
    {"a || b", "|| is a list of commands", 2},
    {"a; b", "; is a list of commands", 1},
    {"a & b", "& is a command in the background followed by another", 2},
    {"a | b", "| is a pipe", 2},
    {"a > b", "> is a redirection", 2},
    {"a 2>&1", "> is a redirection", 3},
    {"a < b", "< is a redirection", 2},
    {"(a)", "( is a subshell", 0},
    {"a *.img", "* is a file name pattern", 2},
    {"a ?", "? is a file name pattern", 2},
    {"a ~/x", "~ is a home directory", 2},
    {"a 'b", "the ' has no closing '", 2},
    {"a \"b", "the \" has no closing \"", 2},
    {"a \"b\\\"", "the \" has no closing \"", 2},
    {"a \\", "there is nothing after the last \\", 2},
};

static void
what_needs_a_shell_is_refused_and_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct error error = {0};
        size_t offset = 999;
        char **words = shellwords_split(refusals[i].text, &offset, &error);
        if (words)
            fail_msg("%s was split", refusals[i].text);
        if (strncmp(error.text, refusals[i].message,
                    strlen(refusals[i].message)) != 0)
            fail_msg("%s: %s", refusals[i].text, error.text);
        assert_int_equal(offset, refusals[i].offset);
    }
}

static void
a_command_of_too_many_words_or_bytes_is_refused(void **state)
{
    (void)state;
    size_t len = 2 * (SHELLWORDS_MAX_WORDS + 1);
    char *text = xmalloc(len + 1);
    for (size_t i = 0; i < len; i++)
        text[i] = i % 2 ? ' ' : 'x';
    text[len] = '\0';
    struct error error = {0};
    assert_null(shellwords_split(text, NULL, &error));
    assert_string_equal(error.text, "the command has more than 4096 words");
    free(text);
    len = SHELLWORDS_MAX_BYTES + 1;
    text = xmalloc(len + 1);
    memset(text, 'x', len);
    text[len] = '\0';
    assert_null(shellwords_split(text, NULL, &error));
    assert_string_equal(error.text, "the command is longer than 1048576 bytes");
    free(text);
}

/* What a real shell makes of a text, each word in [ ]. */
static char *
ask_shell(const char *text)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    char *script = xasprintf(
        "set -f; set -- %s\nfor w; do printf '[%%s]' \"$w\"; done", text);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(ends[1], 1);
        (void)close(ends[0]);
        execl("/bin/sh", "sh", "-c", script, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    struct buffer out = {0};
    ssize_t got = 0;
    do {
        char bytes[4096];
        got = read(ends[0], bytes, sizeof(bytes));
        buffer_append(&out, bytes, got > 0 ? (size_t)got : 0);
    } while (got > 0);
    (void)close(ends[0]);
    (void)waitpid(pid, NULL, 0);
    free(script);
    return buffer_steal(&out);
}

static void
joined_words_come_back_from_a_real_shell(void **state)
{
    (void)state;
    static const char *const words[] = {
        "plain",   "two words", "it's",    "",    "$HOME", "$(id)",
        "`id`",    "a\\b",      "\"q\"",   "*",   "~",     "a\nb",
        "ü中",     "-x",        ";|&<>()", "#no", "%s %n", "{a,b}",
        "json:{}", "a,,b=c",    "'",       "''",  "\\'",   NULL};
    char *text = shellwords_join((char *const *)words);
    struct buffer wanted = {0};
    for (size_t i = 0; words[i]; i++)
        buffer_printf(&wanted, "[%s]", words[i]);
    char *got = ask_shell(text);
    assert_string_equal(got, wanted.data);
    char **back = shellwords_split(text, NULL, NULL);
    assert_non_null(back);
    for (size_t i = 0; words[i]; i++)
        assert_string_equal(back[i], words[i]);
    shellwords_free(back);
    free(got);
    buffer_finish(&wanted);
    free(text);
}

static void
splitting_agrees_with_a_real_shell(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
        /* A comment, an & or a line end would end the script's "set". */
        if (strpbrk(splits[i].text, "#&;\r") || !*splits[i].words ||
            strchr(splits[i].text, '\n') || strchr(splits[i].text, '~'))
            continue;
        char *got = ask_shell(splits[i].text);
        assert_string_equal(got, splits[i].words);
        free(got);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_split_as_a_shell_splits_them),
        cmocka_unit_test(what_needs_a_shell_is_refused_and_named),
        cmocka_unit_test(a_command_of_too_many_words_or_bytes_is_refused),
        cmocka_unit_test(joined_words_come_back_from_a_real_shell),
        cmocka_unit_test(splitting_agrees_with_a_real_shell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
