#include "console/prompt.h"
#include "terminal-world.h"

/* What stands on a screen of 6 rows by 40 columns, and what is in the way of
 * typing a command there; NULL: nothing, a shell waits. */
static const struct {
    const char *bytes;
    const char *why;
} rows[] = {
    /* shells */
    {"# ", NULL},
    {"$ ", NULL},
    {"% ", NULL},
    {"~ # ", NULL},
    {"/ # ", NULL},
    {"tiny:~# ", NULL},
    {"root@tiny:~# ", NULL},
    {"\033[01;32muser@host\033[0m:\033[34m~/src\033[0m$ ", NULL},
    {"[root@host ~]# ", NULL},
    {"sh-5.2# ", NULL},
    {"bash-5.2$ ", NULL},
    {"host% ", NULL},
    {"host:/etc% ", NULL},
    {"user@host ~> ", NULL},
    {"user@host /etc/init.d> ", NULL},
    {"(venv) user@host:~$ ", NULL},
    {"login: root\r\nPassword: \r\nLast login: now\r\nhost:~# ", NULL},
    {"\033[?1049hvi\033[?1049l\033[Hhost:~# \033[J", NULL},
    {"0123456789012345678901234567890123456789 ~$ ", NULL},
    {"old line\r\033[Khost:~# ", NULL},
    {"host:~# ls\r\nfile\r\nhost:~# ", NULL},
    {"host:~# l\b \b", NULL},
    /* questions */
    {"host login: ", "the guest asks for a login"},
    {"Password: ", "the guest asks for a password"},
    {"[sudo] password: ", "the guest asks for a password"},
    {"Enter passphrase: ", "the guest asks for a passphrase"},
    {"New password:", "the guest asks for a password"},
    /* something is there already */
    {"host:~# ls", "the cursor stands at no shell prompt"},
    {"host:~# ls ", "something is typed at the prompt"},
    {"host:~# echo 5 > ", "something is typed at the prompt"},
    {"host:~$ echo $ ", "something is typed at the prompt"},
    {"host:~# ls\033[2D", "something stands behind the cursor"},
    {"host:~# rm -rf /\033[12D", "something stands behind the cursor"},
    /* programs */
    {"\033[?1049h# ", "a full-screen program runs"},
    {"\033[?25l# ", "the cursor is hidden: a program runs"},
    {"", "the cursor stands at no shell prompt"},
    {" ", "the cursor stands at no shell prompt"},
    {"host:~#", "the cursor stands at no shell prompt"},
    {"host:~# \r\n", "the cursor stands at no shell prompt"},
    {"host:~# \033[5;1H", "the cursor stands at no shell prompt"},
    {"> ", "the cursor stands at no shell prompt"},
    {"quote> ", "the cursor stands at no shell prompt"},
    {"grub> ", "the cursor stands at no shell prompt"},
    {"grub rescue> ", "the cursor stands at no shell prompt"},
    {"mysql> ", "the cursor stands at no shell prompt"},
    {"=> ", "the cursor stands at no shell prompt"},
    {">>> ", "the cursor stands at no shell prompt"},
    {"FS0:\\> ", "the cursor stands at no shell prompt"},
    {"Shell> ", "the cursor stands at no shell prompt"},
    {"iPXE> ", "the cursor stands at no shell prompt"},
    {"(qemu) ", "the cursor stands at no shell prompt"},
    {"(initramfs) ", "the cursor stands at no shell prompt"},
    {"Continue [y/N]> ", "the cursor stands at no shell prompt"},
    {"Overwrite /etc/fstab?> ", "the cursor stands at no shell prompt"},
    {"switch(config)# ", "the cursor stands at no shell prompt"},
    {"## ", "the cursor stands at no shell prompt"},
    {"copied 50% ", "the cursor stands at no shell prompt"},
    {"copied 50 % ", "the cursor stands at no shell prompt"},
};

static void
shells_are_told_from_all_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world world;
        const char *why = NULL;
        world_init(&world, 6, 40, 10);
        world_write(&world, rows[i].bytes);
        bool is_shell = prompt_is_shell(world.terminal, &why);
        if (is_shell != !rows[i].why ||
            (!is_shell && strcmp(why, rows[i].why) != 0))
            fail_msg("\"%s\": %s instead of %s", rows[i].bytes,
                     is_shell ? "a shell" : why,
                     rows[i].why ? rows[i].why : "a shell");
        world_finish(&world);
    }
}

static void
any_screen_can_be_looked_at(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 2}, {2, 2}, {3, 7}, {24, 80}};
    static const char alphabet[] = "$#%> \xe4\xbd\xa0\r\033[3D~";
    uint32_t seed = 4711;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (int round = 0; round < 200; round++) {
            struct world world;
            char bytes[64];
            const char *why = NULL;
            world_init(&world, sizes[i][0], sizes[i][1], 10);
            for (size_t j = 0; j < sizeof(bytes); j++) {
                seed = seed * 1103515245u + 12345u;
                bytes[j] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
            }
            world_write_bytes(&world, bytes, sizeof(bytes));
            (void)prompt_is_shell(world.terminal, &why);
            world_finish(&world);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shells_are_told_from_all_else),
        cmocka_unit_test(any_screen_can_be_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
