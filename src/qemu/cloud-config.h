#pragma once

#include "base/error.h"
#include "fleet/spec.h"

#include <stdbool.h>
#include <stddef.h>

/* What cloud-init reads, made of what a spec says: its own texts, checked, and
 * the shortcuts turned into cloud-config. Reads files; for a thread. */

/* The files of a seed, by enum spec_document_kind; data NULL: not in it. They
 * can hold a password's hash. */
struct cloud_files {
    struct {
        char *data; /* owned */
        size_t len;
    } files[SPEC_DOCUMENT_COUNT];
};

/* spec: with a cloud_init. On failure error names the file or field, with line
 * and column where the mistake has one. */
bool cloud_files_build(const struct spec *spec, const char *instance_id,
                       struct cloud_files *ret_files, struct error *error);
void cloud_files_finish(struct cloud_files *files);

/* Whether the spec's own meta-data says the instance-id, so that ours does not
 * count. */
bool cloud_files_fix_instance(const struct spec *spec);
