/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PVSVPN_COMPAT_CRYPTO_AEAD_H
#define _PVSVPN_COMPAT_CRYPTO_AEAD_H

#include <linux/version.h>
#include_next <crypto/aead.h>

/*
 * Before 6.3 a completion callback received the request; since then it receives
 * the caller's data.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
typedef struct crypto_async_request pvsvpn_compat_completion_arg;

static inline void *pvsvpn_compat_completion_data(struct crypto_async_request *arg)
{
	return arg->data;
}
#else
typedef void pvsvpn_compat_completion_arg;

static inline void *pvsvpn_compat_completion_data(void *arg)
{
	return arg;
}
#endif

#endif /* _PVSVPN_COMPAT_CRYPTO_AEAD_H */
