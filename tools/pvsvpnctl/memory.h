/* SPDX-License-Identifier: GPL-2.0 */
/* Keeps secrets and keys from core files, other processes and swap. */
#ifndef PVSVPNCTL_MEMORY_H
#define PVSVPNCTL_MEMORY_H

#include <stddef.h>

/* Prevents core files, and keeps other processes of the same user from reading the memory. */
void memory_protect(void);

/**
 * memory_lock() - keep a secret out of the swap
 * @at: where the secret will be
 * @len: bytes
 *
 * Best effort: without CAP_IPC_LOCK the system may allow none (RLIMIT_MEMLOCK). The caller must
 * wipe the secret after use.
 */
void memory_lock(void *at, size_t len);

#endif /* PVSVPNCTL_MEMORY_H */
