/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PVSVPN_COMPAT_CRYPTO_UTILS_H
#define _PVSVPN_COMPAT_CRYPTO_UTILS_H

/* Until 6.7 its functions were in another header. */
#if __has_include_next(<crypto/utils.h>)
#include_next <crypto/utils.h>
#else
#include <crypto/algapi.h>
#endif

#endif /* _PVSVPN_COMPAT_CRYPTO_UTILS_H */
