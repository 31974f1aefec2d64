// SPDX-License-Identifier: GPL-2.0
/*
 * Settings of a peer for dummy packets and padding (RFC 4303 sections 2.6 and 2.7)
 * and for dead peer detection.
 */
#include <linux/jiffies.h>

#include "netlink.h"
#include "peer.h"

static int seconds_parse(u32 *seconds, int which, const char *name, u32 max, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[which];

	if (!attr)
		return 0;
	*seconds = nla_get_u32(attr);
	if (*seconds <= max)
		return 0;
	return pvsvpn_netlink_refuse(info->extack, attr, -EINVAL,
				     "%s %u is out of range; use 0 (off) to %u",
				     name, *seconds, max);
}

static int tfc_parse(u32 *tfc, const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	if (!attr)
		return 0;
	*tfc = nla_get_u32(attr);
	if (*tfc != 1 && (*tfc <= PVSVPN_TFC_MAX || *tfc == PVSVPN_TFC_MTU))
		return 0;
	return pvsvpn_netlink_refuse(extack, attr, -EINVAL,
				     "tfc %u is out of range; use 2 to %u, mtu or off",
				     *tfc, PVSVPN_TFC_MAX);
}

/* The other end usually has the same settings: it would seem dead between keepalives. */
static int dead_after_check(const struct pvsvpn_peer_config *config, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[PVSVPN_A_PEER_DEAD_AFTER] ?:
				    info->attrs[PVSVPN_A_PEER_KEEPALIVE];

	if (!attr || !config->keepalive || !config->dead_after ||
	    config->dead_after > config->keepalive)
		return 0;
	return pvsvpn_netlink_refuse(info->extack, attr, -EINVAL,
			"dead-after %u is not longer than keepalive %u; raise it or lower that",
			config->dead_after, config->keepalive);
}

/**
 * pvsvpn_netlink_parse_liveness() - parse keepalive, dead-after and tfc of a request
 * @config: filled in; has the values that the request omits
 * @info: the request
 *
 * Context: process, RTNL held.
 * Return: 0, or -EINVAL with its text in extack.
 */
int pvsvpn_netlink_parse_liveness(struct pvsvpn_peer_config *config, struct genl_info *info)
{
	int err;

	err = seconds_parse(&config->keepalive, PVSVPN_A_PEER_KEEPALIVE, "keepalive",
			    PVSVPN_KEEPALIVE_MAX, info);
	if (!err)
		err = seconds_parse(&config->dead_after, PVSVPN_A_PEER_DEAD_AFTER, "dead-after",
				    PVSVPN_DEAD_AFTER_MAX, info);
	if (!err)
		err = tfc_parse(&config->tfc, info->attrs[PVSVPN_A_PEER_TFC], info->extack);
	return err ?: dead_after_check(config, info);
}

/**
 * pvsvpn_netlink_put_liveness() - put keepalive, dead-after, tfc and dead into a message
 * @msg: the message
 * @peer: the peer
 *
 * Context: process, RTNL held.
 * Return: 0 or -EMSGSIZE.
 */
int pvsvpn_netlink_put_liveness(struct sk_buff *msg, const struct pvsvpn_peer *peer)
{
	const struct pvsvpn_liveness *live = &peer->liveness;

	if (nla_put_u32(msg, PVSVPN_A_PEER_KEEPALIVE, live->keepalive) ||
	    nla_put_u32(msg, PVSVPN_A_PEER_DEAD_AFTER, live->dead_after) ||
	    nla_put_u32(msg, PVSVPN_A_PEER_TFC, peer->tfc))
		return -EMSGSIZE;
	if (!live->dead)
		return 0;
	return nla_put_u64_64bit(msg, PVSVPN_A_PEER_DEAD,
				 jiffies64_to_msecs(jiffies - live->dead_at),
				 PVSVPN_A_PEER_PAD);
}
