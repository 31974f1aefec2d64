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

/*
 * Since 6.6 an xarray holds the devices of a namespace by ifindex. Older kernels
 * need a search for the next device.
 */
#ifndef for_each_netdev_dump
static inline struct net_device *pvsvpn_compat_netdev_at(struct net *net, unsigned long *ifindex)
{
	struct net_device *dev, *next = NULL;

	for_each_netdev(net, dev)
		if (dev->ifindex >= *ifindex && (!next || dev->ifindex < next->ifindex))
			next = dev;
	if (next)
		*ifindex = next->ifindex;
	return next;
}

#define for_each_netdev_dump(net, dev, ifindex)				\
	for (; ((dev) = pvsvpn_compat_netdev_at(net, &(ifindex)));	\
	     (ifindex)++)
#endif

#endif /* _PVSVPN_COMPAT_LINUX_NETDEVICE_H */
