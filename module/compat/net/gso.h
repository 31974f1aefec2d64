/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PVSVPN_COMPAT_NET_GSO_H
#define _PVSVPN_COMPAT_NET_GSO_H

#include <linux/version.h>

/* skb_gso_segment() moved here from linux/netdevice.h in 6.5. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#include <linux/netdevice.h>
#else
#include_next <net/gso.h>
#endif

#endif /* _PVSVPN_COMPAT_NET_GSO_H */
