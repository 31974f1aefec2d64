// SPDX-License-Identifier: GPL-2.0
/* Replacements for older kernels that need more than a header. */
#include <linux/atomic.h>
#include <linux/version.h>
#include <linux/netlink.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
char *pvsvpn_compat_extack_buf(void)
{
	static char ring[64][NETLINK_MAX_FMTMSG_LEN];
	static atomic_t next;

	return ring[(unsigned int)atomic_inc_return(&next) % ARRAY_SIZE(ring)];
}
#endif
