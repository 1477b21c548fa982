#pragma once

/* The accelerator of this machine for guests of an architecture ("kvm",
 * "hvf"), or NULL when there is none to be used: another architecture, no such
 * device, no right to open it. */
const char *accel_native(const char *arch);

/* Why /dev/kvm cannot be used and what to do, for people; NULL when it can, or
 * when the architecture is not this machine's. The caller frees it. */
char *accel_kvm_problem(const char *arch);

/* The same for a device at another path, so that tests need not touch the
 * machine's own. */
char *accel_device_problem(const char *arch, const char *device);

/* Why KVM runs no guests of an architecture on this machine, whatever its
 * device; NULL: it may. The caller frees it. */
char *accel_kvm_misfit(const char *arch);
