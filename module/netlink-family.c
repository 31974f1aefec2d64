// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family `pvsvpn`: its requests, and the group of its events. */
#include <linux/module.h>

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
 * Every handler takes RTNL for the data that it reads and changes, so none needs the
 * mutex of generic netlink. Adding an SA may wait for a crypto API module, and would
 * block all other families if it held that mutex.
 */
static struct genl_family netlink_family __ro_after_init = {
	.name = PVSVPN_FAMILY_NAME,
	.version = PVSVPN_FAMILY_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
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
