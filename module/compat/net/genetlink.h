/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PVSVPN_COMPAT_NET_GENETLINK_H
#define _PVSVPN_COMPAT_NET_GENETLINK_H

#include <linux/version.h>
#include_next <net/genetlink.h>

/* Since 6.7 a dump carries a whole struct genl_info. */
static inline struct nlattr **
pvsvpn_compat_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	return genl_dumpit_info(cb)->attrs;
#else
	return genl_dumpit_info(cb)->info.attrs;
#endif
}

/* Since 6.2 pre_doit and post_doit get a struct genl_split_ops. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
typedef const struct genl_ops pvsvpn_compat_genl_op;
#else
typedef const struct genl_split_ops pvsvpn_compat_genl_op;
#endif

/* Before 6.7 groups used the flag of operations for the same capability. */
#ifndef GENL_MCAST_CAP_NET_ADMIN
#define GENL_MCAST_CAP_NET_ADMIN GENL_UNS_ADMIN_PERM
#endif

#endif /* _PVSVPN_COMPAT_NET_GENETLINK_H */
