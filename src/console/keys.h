#pragma once

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* What a keyboard sends. A key by name, as the keymap files, the API and
 * `guestmux send --keys` write it: an optional run of modifiers "C-" "M-" "S-"
 * in that order, then a single character or a name: Enter Tab Backspace Escape
 * Space Up Down Left Right Home End PageUp PageDown Insert Delete F1 .. F20
 * KP0 .. KP9 KPEnter KPPlus KPMinus KPMult KPDiv KPDot. Names match without
 * regard to case; "C-[", "C-]", "C-\\", "C-^", "C-_", "C-@" and "C-Space" are
 * the C0 controls. */

/* Appends what the key sends in the given terminal modes (enum terminal_mode;
 * XTerm's PC-style function keys). Unknown names are refused, naming the
 * nearest. */
bool keys_encode(const char *name, unsigned modes, struct buffer *bytes,
                 struct error *error);

/* All names without modifiers, for help and completion: names 0 to
 * keys_count - 1. */
extern const size_t keys_count;
const char *keys_name(size_t index);
