/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PVSVPN_COMPAT_LINUX_ETHTOOL_H
#define _PVSVPN_COMPAT_LINUX_ETHTOOL_H

#include <linux/version.h>
#include_next <linux/ethtool.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
static inline void ethtool_puts(u8 **data, const char *str)
{
	ethtool_sprintf(data, "%s", str);
}
#endif

#endif /* _PVSVPN_COMPAT_LINUX_ETHTOOL_H */
