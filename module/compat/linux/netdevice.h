/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PVSVPN_COMPAT_LINUX_NETDEVICE_H
#define _PVSVPN_COMPAT_LINUX_NETDEVICE_H

#include <linux/version.h>
#include_next <linux/netdevice.h>

/* Lockless transmit was a feature bit until 6.12 made it a field. */
static inline void pvsvpn_compat_set_lltx(struct net_device *dev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	dev->features |= NETIF_F_LLTX;
#else
	dev->lltx = true;
#endif
}

#endif /* _PVSVPN_COMPAT_LINUX_NETDEVICE_H */
