#include "base/buffer.h"
#include "base/xalloc.h"
#include "fleet/shellscript.h"
#include "fleet/shellwords.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a script's commands come out as: "LINE: words" each, with its
 * assignments in front, "! problem" and "# note" after. */
static char *
show(const char *text)
{
    struct buffer out = {0};
    struct error error = {0};
    struct shellscript *script = shellscript_read(text, strlen(text), &error);
    if (!script)
        return xasprintf("error: %s", error.text);
    for (size_t i = 0; i < script->count; i++) {
        const struct shellscript_command *command = &script->commands[i];
        buffer_printf(&out, "%u:", command->line);
        for (char **a = command->assignments; a && *a; a++)
            buffer_printf(&out, " {%s}", *a);
        char *words = shellwords_join(command->words);
        buffer_printf(&out, " %s", words);
        free(words);
        if (command->problem)
            buffer_printf(&out, " ! %s", command->problem);
        for (char **note = command->notes; note && *note; note++)
            buffer_printf(&out, " # %s", *note);
        buffer_append_text(&out, "\n");
    }
    shellscript_free(script);
    return buffer_steal(&out);
}

static const struct {
    const char *script;
    const char *commands;
} rows[] = {
    {"", ""},
    {"#!/bin/sh\n# nothing\n\n", ""},
    {"a b\nc", "1: a b\n2: c\n"},
    {"a \\\n  b \\\r\n c # d\ne", "1: a b c\n4: e\n"},
    {"a 'b c' \"d\\\"e\" f\\ g ''", "1: a 'b c' 'd\"e' 'f g' ''\n"},
    {"a; b && c || d & e", "1: a\n1: b\n1: c\n1: d\n1: e\n"},
    {"X=1 Y='2 3'\na $X \"$Y\" $Y ${X}z", "2: a 1 '2 3' 2 3 1z\n"},
    {"X=\nO=\"-m 2G -S\"\na $O $X \"$X\" '$O' \\$O",
     "3: a -m 2G -S '' '$O' '$O'\n"},
    {"O=-a\nO+=\" -b\"\nx $O", "3: x -a -b\n"},
    {"A=(q -m '2 G'\n  # why\n -S)\nA+=( -x )\n\"${A[@]}\" ${A[0]} $A",
     "5: q -m '2 G' -S -x q q\n"},
    {"export X=5\nlocal Y=6\na $X$Y", "3: a 56\n"},
    {"FOO=1 BAR=\"x y\" a b", "1: {FOO=1} {BAR=x y} a b\n"},
    {"a ${M:-2G} ${N:-$M} ${1:-one}\nM=4\nb ${M:-2G} ${Q-x${M}y}",
     "1: a 2G one ! $M is not set in the script # ${M:-2G}: it is not set in "
     "the script, \"2G\" is taken # ${N:-$M}: it is not set in the script, "
     "\"\" is taken # ${1:-one}: it is not set in the script, \"one\" is "
     "taken\n3: b 4 x4y # ${Q-x${M}y}: it is not set in the script, \"x4y\" is "
     "taken\n"},
    {"a $NOPE b", "1: a b ! $NOPE is not set in the script\n"},
    {"a ${NOPE}", "1: a ! $NOPE is not set in the script\n"},
    {"D=$(dirname \"$0\")\na $D/x\nb",
     "2: a /x ! $D: $(dirname \"$0\") needs a shell to tell its value\n3: b\n"},
    {"a $(nproc (x) y) `z` b", "1: a '' '' b ! $(nproc (x) y) needs a shell to "
                               "tell its value\n"},
    {"a ${X%.img} ${Y${Z}} b",
     "1: a b ! ${X%.img} needs a shell to tell its value\n"},
    {"a \"$@\" $1",
     "1: a ! $1 needs a shell to tell its value # $@: left out, a script "
     "that is imported has no arguments\n"},
    {"a *.img", "1: a '*.img' ! * is a file name pattern, which needs a "
                "shell\n"},
    {"a >log 2>&1 b </dev/null",
     "1: a b # >log: left out, guestmux keeps what QEMU says # 2>&1: left out, "
     "guestmux keeps what QEMU says # </dev/null: left out, guestmux keeps "
     "what QEMU says\n"},
    {"a &>x", "1: a # >x: left out, guestmux keeps what QEMU says\n"},
    {"a | tee log", "1: a # its pipe was left out: guestmux keeps what the "
                    "consoles print\n1: tee log\n"},
    {"cat <<EOF\nqemu $X '\nEOF\na <<-'X Y'\n\tq\n\tX Y\nb",
     "1: cat\n4: a\n7: b\n"},
    {"if [ x ]; then\n  a\nfi\nb",
     "1: '[' x ']' # it stands in a condition, a loop or a function: it is "
     "taken as if it ran once\n2: a # it stands in a condition, a loop or a "
     "function: it is taken as if it ran once\n4: b\n"},
    /* Loops over known words are read for each of them. */
    {"for i in 1 2; do\na $i\ndone\nb", "2: a 1\n2: a 2\n4: b\n"},
    {"for i in {0..1}\ndo for j in x y; do a $j$i; done; done; b $i$j",
     "2: a x0\n2: a y0\n2: a x1\n2: a y1\n2: b 1y\n"},
    {"L='p q'\nfor i in $L \"r s\"; do a \"$i\"; done",
     "2: a p\n2: a q\n2: a 'r s'\n"},
    {"for i in $(seq 2); do a $i $((2200+i)); done; b $(seq 7 9)",
     "1: a 1 2201\n1: a 2 2202\n1: b 7 8 9\n"},
    {"for i in {3..1}; do if x; then a $i; fi; done",
     "1: x # it stands in a condition, a loop or a function: it is taken as "
     "if it ran once\n1: a 3 # it stands in a condition, a loop or a function: "
     "it is taken as if it ran once\n1: x # it stands in a condition, a loop "
     "or a function: it is taken as if it ran once\n1: a 2 # it stands in a "
     "condition, a loop or a function: it is taken as if it ran once\n1: x # "
     "it stands in a condition, a loop or a function: it is taken as if it ran "
     "once\n1: a 1 # it stands in a condition, a loop or a function: it is "
     "taken as if it ran once\n"},
    {"for i in $(ls); do\na $i\ndone",
     "1: for i in '' ! $(ls) needs a shell to tell its value # it stands in a "
     "condition, a loop or a function: it is taken as if it ran once\n2: a ! "
     "$i: it is the variable of a loop (line 1) that only a shell can run # it "
     "stands in a condition, a loop or a function: it is taken as if it ran "
     "once\n"},
    {"done\ndo a; done", "2: a\n"},
    {"for ((i=0; i<3; i++)); do a $i; done\nfor (( k = 1 ; k <= 2 ; k+=1 ))\n"
     "do b$k; done",
     "1: a 0\n1: a 1\n1: a 2\n3: b1\n3: b2\n"},
    {"for ((i=0; i<$N; i++)); do a $i; done; b",
     "1: for i # it stands in a condition, a loop or a function: it is taken as "
     "if it ran once\n1: a ! $i: it is the variable of a loop (line 1) that "
     "only a shell can run # it stands in a condition, a loop or a function: it "
     "is taken as if it ran once\n1: b\n"},
    {"for ((;;)); do a; done",
     "1: for '' # it stands in a condition, a loop or a function: it is taken "
     "as if it ran once\n1: a # it stands in a condition, a loop or a function: "
     "it is taken as if it ran once\n"},
    /* What only may be. */
    {"x && A=1\na $A\nA=2; b $A; x || A=3 && c $A",
     "1: x\n2: a 1 # $A: what line 1 says is taken, in a condition, a loop or a "
     "function\n3: b 2\n3: x\n3: c 3 # $A: what line 3 says is taken, in a "
     "condition, a loop or a function\n"},
    {"a \\\n  -b \\ \n  -c",
     "1: a -b ' ' ! the \\ at the end of line 2 has a blank behind it, so that "
     "it joins nothing: take the blank away\n3: -c\n"},
    /* Numbers. */
    {"B=1024\na $((B*2)) $(( $B / (1+1) - 2 )) \"x$((-${B}%1000))\" $((7))",
     "2: a 2048 510 x-24 7\n"},
    {"a $((1/0)) b", "1: a '' b ! $((1/0)) needs a shell to tell its value\n"},
    {"a $((0x10)) $((08)) $((99999999999))",
     "1: a '' '' '' ! $((0x10)) needs a shell to tell its value\n"},
    {"a $((N))", "1: a '' ! $((N)) needs a shell to tell its value\n"},
    /* Words that are none. */
    {"a \"$@\" \"${E[@]}\" \"$@x\"\nE=()\na \"${E[@]}\" b",
     "1: a '' x ! $E is not set in the script # $@: left out, a script that is "
     "imported has no arguments # $@: left out, a script that is imported has "
     "no arguments\n3: a b\n"},
    {"a \\\n -b `# why` \\\n -c", "1: a -b -c\n"},
    {"$ a b\n$ c", "1: a b\n2: c\n"},
    /* What is taken of several. */
    {"if x; then\nA=1\nelse\nA=2\nfi\na $A $A",
     "1: x # it stands in a condition, a loop or a function: it is taken as if "
     "it ran once\n6: a 2 2 # $A: what line 4 says is taken, in a condition, a "
     "loop or a function\n"},
    {"f() {\nlocal n=5\na $n\n}\nM=${M:-7}\nb $M\nM=8\nc $M",
     "1: f\n3: a 5 # it stands in a condition, a loop or a function: it is "
     "taken as if it ran once\n6: b 7 # ${M:-7}: it is not set in the script, "
     "\"7\" is taken\n8: c 8\n"},
    {"a ~/x b~ $ c$", "1: a /home/me/x 'b~' '$' 'c$'\n"},
    {"a $HOME ${USER:-you}", "1: a /home/me me\n"},
    {"a 'b", "error: line 1: the ' has no closing '"},
    {"\na \"b\n\n", "error: line 2: the \" has no closing \""},
    {"a \"x\ny\" b\nc", "1: a 'x\ny' b\n3: c\n"},
    {"a \\", "1: a\n"},
};

static void
scripts_come_out_as_their_commands(void **state)
{
    (void)state;
    bool ok = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *got = show(rows[i].script);
        if (strcmp(got, rows[i].commands) != 0) {
            ok = false;
            (void)fprintf(stderr, "# %s\n# wanted\n%s# got\n%s", rows[i].script,
                          rows[i].commands, got);
        }
        free(got);
    }
    assert_true(ok);
}

static void
variables_that_double_come_to_an_end(void **state)
{
    (void)state;
    struct buffer text = {0};
    buffer_append_text(&text, "A=xxxxxxxx\n");
    for (int i = 0; i < 64; i++)
        buffer_append_text(&text, "A=$A$A\n");
    struct error error = {0};
    assert_null(shellscript_read(text.data, text.len, &error));
    assert_int_equal(error.code, ERROR_CODE_LIMIT);
    assert_non_null(strstr(error.text, ": the words of the script are more"));
    buffer_finish(&text);
}

static void
what_is_no_text_is_refused(void **state)
{
    (void)state;
    struct error error = {0};
    assert_null(shellscript_read("a\0b", 3, &error));
    assert_int_equal(error.code, ERROR_CODE_INVALID);
    char *large = xcalloc(1, SHELLSCRIPT_MAX_BYTES + 1);
    memset(large, ' ', SHELLSCRIPT_MAX_BYTES + 1);
    assert_null(shellscript_read(large, SHELLSCRIPT_MAX_BYTES + 1, &error));
    free(large);
}

int
main(void)
{
    (void)setenv("HOME", "/home/me", 1);
    (void)setenv("USER", "me", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_come_out_as_their_commands),
        cmocka_unit_test(variables_that_double_come_to_an_end),
        cmocka_unit_test(what_is_no_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
