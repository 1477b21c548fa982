#pragma once

#include "base/error.h"
#include "fleet/spec.h"

#include <stdbool.h>

/* The images that guestmux made, for any guest of any server of the user's, and
 * what they lie over: who writes to that makes garbage of them. */

/* Whether a guest writes to images of the user's own. */
bool overlays_concern(const struct spec *spec);

/* Refuses a guest that writes to what lies below such an image. home: the
 * directory of its server's guests' images; those of other servers lie beside
 * it. Reads headers: for a thread. */
bool overlays_check(const struct spec *spec, const char *home,
                    struct error *error);

/* Whether a file is one of these images, by whatever name. */
bool overlays_have(const char *home, const char *path);
