#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Reads a size as people write it: "128M", "2G", "1.5G", "512 MiB"; a number
 * without a unit counts MiB, as QEMU's -m does. Units are powers of 1024. False
 * when it is none, or does not fit. */
bool size_parse(const char *text, uint64_t *ret_bytes);

/* A size near what text seems to mean, to suggest ("2Q" -> "2G"). */
void size_suggest(const char *text, char suggestion[16]);
