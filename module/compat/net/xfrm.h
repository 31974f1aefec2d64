/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PVSVPN_COMPAT_NET_XFRM_H
#define _PVSVPN_COMPAT_NET_XFRM_H

#include <linux/version.h>
#include_next <net/xfrm.h>

/* XFRM_SA_DIR_IN and _OUT of 6.10 */
#define PVSVPN_COMPAT_SA_DIR_IN		1
#define PVSVPN_COMPAT_SA_DIR_OUT	2

/* Return: the direction that the daemon has set for a state, 0 if none. */
static inline u8 pvsvpn_compat_state_dir(const struct xfrm_state *x)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	return 0;
#else
	return x->dir;
#endif
}

#endif /* _PVSVPN_COMPAT_NET_XFRM_H */
