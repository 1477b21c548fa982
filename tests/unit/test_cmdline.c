#include "base/buffer.h"
#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "qemu/cmdline.h"
#include "qemu/keyval.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define Q "qemu-system-x86_64 "

/* Commands, the arguments they become, and their consoles. */
static const struct {
    const char *command;
    const char *words;
    const char *consoles;
} rewritings[] = {
    /* No serial port is said: QEMU's own default becomes a console. */
    {Q "-m 128", "-nographic -m 128 -serial chardev:gmcon0", "ttyS0"},
    {Q "-nographic -m 128", "-nographic -m 128 -serial chardev:gmcon0",
     "ttyS0"},
    {Q "-nodefaults", "-nographic -nodefaults -serial chardev:gmcon0", "ttyS0"},
    {Q "disk.img", "-nographic disk.img -serial chardev:gmcon0", "ttyS0"},
    {Q "--nographic --m 5", "--nographic --m 5 -serial chardev:gmcon0",
     "ttyS0"},
    /* The tutorial's. */
    {Q "-nodefaults -chardev vc,id=monitor -mon monitor -serial vc",
     "-nographic -nodefaults -serial chardev:gmcon0", "ttyS0"},
    {Q "-serial mon:stdio -display none", "-nographic -serial chardev:gmcon0",
     "ttyS0"},
    {Q "-serial stdio -monitor telnet:127.0.0.1:5555,server,nowait",
     "-nographic -serial chardev:gmcon0", "ttyS0"},
    {Q "-serial telnet:localhost:4321,server,nowait -qmp unix:q,server",
     "-nographic -serial chardev:gmcon0", "ttyS0"},
    {Q "-chardev stdio,id=c,mux=on,signal=off -mon chardev=c,mode=readline "
       "-serial chardev:c",
     "-nographic -serial chardev:gmcon0", "ttyS0"},
    /* Ports that go elsewhere stay, as long as there is a console. */
    {Q "-serial pty -serial file:log",
     "-nographic -serial chardev:gmcon0 "
     "-serial file:log",
     "ttyS0"},
    {Q "-serial file:log -serial pty",
     "-nographic -serial file:log -serial chardev:gmcon0", "ttyS1"},
    {Q "-serial null -serial mon:stdio",
     "-nographic -serial null -serial chardev:gmcon0", "ttyS1"},
    {Q "-serial none -serial stdio",
     "-nographic -serial none -serial chardev:gmcon0", "ttyS0"},
    {Q "-serial null -serial file:log",
     "-nographic -serial null -serial chardev:gmcon0", "ttyS1"},
    {Q "-serial tcp::4444,server,nowait", "-nographic -serial chardev:gmcon0",
     "ttyS0"},
    {Q "-chardev file,id=f,path=log -serial chardev:f -serial vc",
     "-nographic -chardev file,id=f,path=log -serial chardev:f -serial "
     "chardev:gmcon0",
     "ttyS1"},
    {Q "-serial chardev:unknown -serial vc:80Cx24C",
     "-nographic -serial chardev:unknown -serial chardev:gmcon0", "ttyS1"},
    {Q "-serial stdio -serial pty",
     "-nographic -serial chardev:gmcon0 -serial chardev:gmcon1", "ttyS0 ttyS1"},
    /* Consoles that are devices. */
    {Q "-device virtio-serial -chardev pty,id=v -device virtconsole,chardev=v "
       "-serial none",
     "-nographic -device virtio-serial -device virtconsole,chardev=gmcon0 "
     "-serial none",
     "hvc0"},
    {Q "-device virtio-serial -chardev pty,id=v -device virtconsole,chardev=v "
       "-serial stdio",
     "-nographic -device virtio-serial -device virtconsole,chardev=gmcon1 "
     "-serial chardev:gmcon0",
     "ttyS0 hvc0"},
    {Q "-nodefaults -chardev stdio,id=s -device isa-serial,chardev=s",
     "-nographic -nodefaults -device isa-serial,chardev=gmcon0", "ttyS0"},
    {Q "-nodefaults -chardev stdio,id=s -device "
       "'{\"driver\":\"isa-serial\",\"chardev\":\"s\",\"index\":1}'",
     "-nographic -nodefaults -device "
     "'{\"driver\":\"isa-serial\",\"chardev\":\"gmcon0\",\"index\":1}'",
     "ttyS0"},
    /* The guest agent's port is no console. */
    {Q "-chardev socket,path=qga,server=on,wait=off,id=a -device "
       "virtserialport,chardev=a,name=org.qemu.guest_agent.0",
     "-nographic -chardev socket,path=qga,server=on,wait=off,id=a -device "
     "virtserialport,chardev=a,name=org.qemu.guest_agent.0 -serial "
     "chardev:gmcon0",
     "ttyS0"},
    /* A chardev that somebody else uses stays. */
    {Q "-chardev socket,id=m,path=x -mon m -debugcon chardev:m",
     "-nographic -chardev socket,id=m,path=x -debugcon chardev:m -serial "
     "chardev:gmcon0",
     "ttyS0"},
    {Q "-chardev stdio,id=d -device isa-debugcon,iobase=0x402,chardev=d",
     "-nographic -chardev stdio,id=d -device "
     "isa-debugcon,iobase=0x402,chardev=d -serial chardev:gmcon0",
     "ttyS0"},
    /* Displays. */
    {Q "-vnc :1", "-vnc :1 -serial chardev:gmcon0", "ttyS0"},
    {Q "-vnc none", "-nographic -vnc none -serial chardev:gmcon0", "ttyS0"},
    {Q "-display vnc=:1", "-display vnc=:1 -serial chardev:gmcon0", "ttyS0"},
    {Q "-display gtk,gl=on -full-screen -sdl",
     "-nographic -serial chardev:gmcon0", "ttyS0"},
    {Q "-curses", "-nographic -serial chardev:gmcon0", "ttyS0"},
    {Q "-nographic -vnc :1", "-nographic -vnc :1 -serial chardev:gmcon0",
     "ttyS0"},
    /* What would take QEMU away from us. */
    {Q "-daemonize -pidfile p -name x,process=y -S",
     "-nographic -S -serial chardev:gmcon0", "ttyS0"},
    {Q "-parallel stdio -debugcon stdio",
     "-nographic -parallel null -debugcon stdio -serial chardev:gmcon0",
     "ttyS0"},
    /* What stands before the program. */
    {"sudo nohup " Q "-m 1 &", "-nographic -m 1 -serial chardev:gmcon0",
     "ttyS0"},
    {"/opt/qemu/bin/qemu-system-aarch64 -M virt",
     "-nographic -M virt -serial chardev:gmcon0", "ttyAMA0"},
    {"qemu-system-s390x", "-nographic -serial chardev:gmcon0", "ttysclp0"},
    {"qemu-system-ppc64", "-nographic -serial chardev:gmcon0", "hvc0"},
    {"kvm -m 1", "-nographic -m 1 -serial chardev:gmcon0", "ttyS0"},
    /* Hostile and broken. */
    {Q "-append '-serial stdio' -fw_cfg name=opt/x,string=-monitor",
     "-nographic -append '-serial stdio' -fw_cfg name=opt/x,string=-monitor "
     "-serial chardev:gmcon0",
     "ttyS0"},
    {Q "-append -nographic",
     "-nographic -append -nographic -serial chardev:gmcon0", "ttyS0"},
    {Q "-serial", "-nographic -serial -serial chardev:gmcon0", "ttyS0"},
    {Q "-chardev id=x -mon '' -device '{' -serial ''",
     "-nographic -chardev id=x -device '{' -serial chardev:gmcon0", "ttyS0"},
    {Q "-", "-nographic - -serial chardev:gmcon0", "ttyS0"},
};

static char *
join_consoles(const struct cmdline *cmdline)
{
    struct buffer out = {0};
    for (size_t i = 0; i < cmdline->console_count; i++)
        buffer_printf(&out, "%s%s", i ? " " : "", cmdline->consoles[i].name);
    return buffer_steal(&out);
}

static void
commands_keep_everything_but_consoles_and_monitors(void **state)
{
    (void)state;
    bool ok = true;
    for (size_t i = 0; i < sizeof(rewritings) / sizeof(rewritings[0]); i++) {
        char **words = shellwords_split(rewritings[i].command, NULL, NULL);
        struct error error = {0};
        struct cmdline *cmdline =
            cmdline_rewrite(words, NULL, CMDLINE_COMMAND, &error);
        char *got =
            cmdline ? shellwords_join(cmdline->words) : xstrdup(error.text);
        char *consoles = cmdline ? join_consoles(cmdline) : xstrdup("");
        if (strcmp(got, rewritings[i].words) != 0 ||
            strcmp(consoles, rewritings[i].consoles) != 0) {
            ok = false;
            (void)fprintf(stderr,
                          "# %s\n#  wanted %s (%s)\n#  got    %s (%s)\n",
                          rewritings[i].command, rewritings[i].words,
                          rewritings[i].consoles, got, consoles);
        }
        free(consoles);
        free(got);
        cmdline_free(cmdline);
        shellwords_free(words);
    }
    assert_true(ok);
}

static const struct {
    const char *command;
    const char *message;
} refusals[] = {
    {Q "-serial none", "the guest would have no console: take \"-serial "
                       "none\" (or null) out of its command line"},
    {Q "-serial null -serial none",
     "the guest would have no console: take \"-serial none\" (or null) out of "
     "its command line"},
    {"sudo", "there is no program in the command"},
    {"sudo -u root " Q, "-u stands where QEMU's name should; take it out"},
    {"LC_ALL=C " Q, "LC_ALL=C sets an environment variable, which is not "
                    "passed on; take it out"},
    {"ls -l", "\"ls\" is not a QEMU; for other programs there is \"exec\""},
};

static void
commands_that_cannot_be_taken_over_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        char **words = shellwords_split(refusals[i].command, NULL, NULL);
        struct error error = {0};
        assert_null(cmdline_rewrite(words, NULL, CMDLINE_COMMAND, &error));
        assert_string_equal(error.text, refusals[i].message);
        shellwords_free(words);
    }
}

static void
everything_that_is_rewritten_has_its_note(void **state)
{
    (void)state;
    static const char *const notes[] = {
        "sudo: dropped, QEMU runs as the user that guestmux runs as",
        ("-daemonize: dropped, QEMU stays alive without it, in a session of "
         "its own"),
        "-name x: dropped, the guest has its name here",
        "-display gtk: dropped, there is no window",
        "-parallel vc: nobody could see it, it goes nowhere",
        "-serial stdio: this serial port is the console ttyS0",
        "-monitor vc: dropped, the monitor is guestmux's",
        "-mon chardev=m: dropped, the monitor is guestmux's",
        "-chardev socket,id=m,path=p: dropped, only the monitor used it",
    };
    char **words = shellwords_split(
        "sudo " Q "-daemonize -name x -display gtk -parallel vc -serial stdio "
        "-monitor vc -chardev socket,id=m,path=p -mon chardev=m",
        NULL, NULL);
    struct cmdline *cmdline =
        cmdline_rewrite((char *const *)words, NULL, CMDLINE_COMMAND, NULL);
    assert_non_null(cmdline);
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
        assert_non_null(cmdline->notes[i]);
        assert_string_equal(cmdline->notes[i], notes[i]);
    }
    assert_null(cmdline->notes[sizeof(notes) / sizeof(notes[0])]);
    cmdline_free(cmdline);
    shellwords_free(words);
}

static void
arguments_after_ours_add_consoles_to_the_first(void **state)
{
    (void)state;
    static const char *const words[] = {"-nographic", "-serial", "mon:stdio",
                                        "-serial",    "none",    NULL};
    struct cmdline *cmdline = cmdline_rewrite((char *const *)words, "aarch64",
                                              CMDLINE_ARGUMENTS, NULL);
    assert_non_null(cmdline);
    char *consoles = join_consoles(cmdline);
    assert_string_equal(consoles, "ttyAMA0 ttyAMA1");
    char *text = shellwords_join(cmdline->words);
    assert_string_equal(text, "-serial chardev:gmcon1 -serial none");
    free(text);
    free(consoles);
    cmdline_free(cmdline);
}

static void
a_uuid_of_the_users_is_kept_and_told(void **state)
{
    (void)state;
    static const char *const words[] = {"qemu-system-x86_64", "-uuid",
                                        "ABCDEF12-2f0b-4d6b-8c0e-0d2d1f7f5a11",
                                        NULL};
    struct cmdline *cmdline =
        cmdline_rewrite((char *const *)words, NULL, CMDLINE_COMMAND, NULL);
    assert_string_equal(cmdline->uuid, "abcdef12-2f0b-4d6b-8c0e-0d2d1f7f5a11");
    cmdline_free(cmdline);
}

static void
networks_that_run_programs_are_known(void **state)
{
    (void)state;
    static const char *const spawning[] = {
        "tap",
        "tap,id=x,ifname=tap0",
        "bridge,br=br0",
        "tap,script=no,downscript=no,helper=/x",
        "user,guestfwd=tcp:10.0.2.100:1234-cmd:netcat",
        "user,smb=/srv",
        "type=tap"};
    static const char *const quiet[] = {
        "user", "tap,fd=3",         "tap,script=no,downscript=no",
        "none", "socket,listen=:1", "user,hostfwd=tcp::1-:2",
        ""};
    for (size_t i = 0; i < sizeof(spawning) / sizeof(spawning[0]); i++)
        assert_true(cmdline_net_spawns(spawning[i]));
    for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++)
        assert_false(cmdline_net_spawns(quiet[i]));
}

static void
option_syntax_goes_there_and_back(void **state)
{
    (void)state;
    struct keyval keyval;
    keyval_parse(&keyval, "pty,id=a,,b,logfile=x=y,mux=on,nowait,server");
    assert_string_equal(keyval_get(&keyval, "backend", true), "pty");
    assert_null(keyval_get(&keyval, "backend", false));
    assert_string_equal(keyval_get(&keyval, "id", false), "a,b");
    assert_string_equal(keyval_get(&keyval, "logfile", false), "x=y");
    assert_string_equal(keyval_get(&keyval, "wait", false), "off");
    assert_string_equal(keyval_get(&keyval, "server", false), "on");
    char *text = keyval_to_text(&keyval);
    assert_string_equal(text,
                        "pty,id=a,,b,logfile=x=y,mux=on,wait=off,server=on");
    free(text);
    keyval_finish(&keyval);
    keyval_parse(&keyval, ",,,=,,=,");
    keyval_finish(&keyval);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_keep_everything_but_consoles_and_monitors),
        cmocka_unit_test(commands_that_cannot_be_taken_over_are_refused),
        cmocka_unit_test(everything_that_is_rewritten_has_its_note),
        cmocka_unit_test(arguments_after_ours_add_consoles_to_the_first),
        cmocka_unit_test(a_uuid_of_the_users_is_kept_and_told),
        cmocka_unit_test(networks_that_run_programs_are_known),
        cmocka_unit_test(option_syntax_goes_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
