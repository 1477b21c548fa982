#pragma once

struct deck;

/* The menu of what is sent to a guest in other ways than by typing: a break,
 * SysRq functions, keys of its own keyboard. */
void console_menu_open(struct deck *deck);
