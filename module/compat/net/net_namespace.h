/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PVSVPN_COMPAT_NET_NET_NAMESPACE_H
#define _PVSVPN_COMPAT_NET_NET_NAMESPACE_H

#include <linux/version.h>
#include_next <net/net_namespace.h>

/* Before 6.6 an empty entry marked the end of the table. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define register_net_sysctl_sz(net, path, table, size)	\
	register_net_sysctl(net, path, table)
#endif

#endif /* _PVSVPN_COMPAT_NET_NET_NAMESPACE_H */
