// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family `pvsvpn`: its requests, and the group of its events. */
#include <linux/module.h>
#include <linux/rtnetlink.h>

#include "event.h"
#include "netlink.h"

/* Listeners need the same capability; the generator does not support flags of groups. */
static const struct genl_multicast_group groups[] = {
	[PVSVPN_NLGRP_EVENTS] = {
		.name = PVSVPN_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

/*
 * RTNL protects all that a handler reads and changes. Adding an SA may wait for a crypto API
 * module, so its handler takes RTNL itself, for a part of its work.
 */
static int request_begin(pvsvpn_compat_genl_op *op, struct sk_buff *skb, struct genl_info *info)
{
	if (op->cmd != PVSVPN_CMD_SA_NEW)
		rtnl_lock();
	return 0;
}

static void request_end(pvsvpn_compat_genl_op *op, struct sk_buff *skb, struct genl_info *info)
{
	if (op->cmd != PVSVPN_CMD_SA_NEW)
		rtnl_unlock();
	pvsvpn_adopt_wait(pvsvpn_netlink_wait(info));
}

/*
 * No handler needs the mutex of generic netlink. Adding an SA would block all other families
 * if it held that mutex.
 */
static struct genl_family netlink_family __ro_after_init = {
	.name = PVSVPN_FAMILY_NAME,
	.version = PVSVPN_FAMILY_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.pre_doit = request_begin,
	.post_doit = request_end,
	.ops = pvsvpn_nl_ops,
	.n_ops = ARRAY_SIZE(pvsvpn_nl_ops),
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

/**
 * pvsvpn_netlink_init() - register the family
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_netlink_init(void)
{
	pvsvpn_netlink_set_family(&netlink_family);
	pvsvpn_event_init(&netlink_family);
	return genl_register_family(&netlink_family);
}

/**
 * pvsvpn_netlink_exit() - unregister the family, and wait for requests in progress
 *
 * Context: process.
 */
void pvsvpn_netlink_exit(void)
{
	genl_unregister_family(&netlink_family);
}
