#pragma once

/* The default files, as src/base/embed.py wrote them into the program. */
extern const char embedded_theme[];  /* themes/default.json */
extern const char embedded_keymap[]; /* keymaps/default.json */
