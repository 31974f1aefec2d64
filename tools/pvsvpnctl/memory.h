/* SPDX-License-Identifier: GPL-2.0 */
/* Secrets and keys stay off the disks: no core file, no other process, no swap. */
#ifndef PVSVPNCTL_MEMORY_H
#define PVSVPNCTL_MEMORY_H

#include <stddef.h>

/* Leaves no core file, and lets no other process of the same user look in. */
void memory_protect(void);

/**
 * memory_lock() - keep a secret out of the swap
 * @at: where it will be
 * @len: bytes
 *
 * Best effort: without CAP_IPC_LOCK the system may allow none (RLIMIT_MEMLOCK). Whoever puts a
 * secret there wipes it afterwards.
 */
void memory_lock(void *at, size_t len);

#endif /* PVSVPNCTL_MEMORY_H */
