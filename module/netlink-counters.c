// SPDX-License-Identifier: GPL-2.0
/* The counters of devices, peers and SAs in messages: totals, and drops by reason. */
#include "device.h"
#include "netlink.h"
#include "peer.h"
#include "sa.h"
#include "stats.h"

static int drop_put(struct sk_buff *msg, int attr, unsigned int reason,
		    u64 value)
{
	struct nlattr *nest = nla_nest_start(msg, attr);

	if (!nest ||
	    nla_put_string(msg, PVSVPN_A_COUNTER_NAME,
			   pvsvpn_stats_reason_name(reason)) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_COUNTER_VALUE, value,
			      PVSVPN_A_COUNTER_PAD))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

/* Put every reason of the object's scope, also with a count of 0. */
static int drops_put(struct sk_buff *msg, int attr,
		     const struct pvsvpn_totals *sum, unsigned int reasons)
{
	unsigned int i;

	for (i = 0; i < reasons; i++)
		if (drop_put(msg, attr, i, sum->drops[i]))
			return -EMSGSIZE;
	return 0;
}

/**
 * pvsvpn_netlink_put_device_counters() - put the counters of a device
 * @msg: the message
 * @pvs: the device
 * @by_name: also the drops by reason
 *
 * Context: process, RTNL held.
 * Return: 0, or -EMSGSIZE if there is no room.
 */
int pvsvpn_netlink_put_device_counters(struct sk_buff *msg,
				       const struct pvsvpn_device *pvs, bool by_name)
{
	const int pad = PVSVPN_A_DEVICE_PAD;
	struct pvsvpn_totals sum;

	pvsvpn_stats_sum(&sum, pvs->counters, PVSVPN_DROP_MAX);
	if (nla_put_u64_64bit(msg, PVSVPN_A_DEVICE_RX_PACKETS,
			      sum.packets[PVSVPN_RX], pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_DEVICE_RX_BYTES,
			      sum.bytes[PVSVPN_RX], pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_DEVICE_TX_PACKETS,
			      sum.packets[PVSVPN_TX], pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_DEVICE_TX_BYTES,
			      sum.bytes[PVSVPN_TX], pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_DEVICE_DROPS,
			      pvsvpn_stats_drops(&sum), pad))
		return -EMSGSIZE;
	if (!by_name)
		return 0;
	return drops_put(msg, PVSVPN_A_DEVICE_DROP, &sum, PVSVPN_DROP_MAX);
}

/**
 * pvsvpn_netlink_put_peer_counters() - put the counters of a peer
 * @msg: the message
 * @peer: the peer
 * @by_name: also the drops by reason
 *
 * Context: process, RTNL held.
 * Return: 0, or -EMSGSIZE if there is no room.
 */
int pvsvpn_netlink_put_peer_counters(struct sk_buff *msg,
				     const struct pvsvpn_peer *peer, bool by_name)
{
	const int pad = PVSVPN_A_PEER_PAD;
	struct pvsvpn_totals sum;

	pvsvpn_stats_sum(&sum, peer->counters, PVSVPN_DROP_PEER_MAX);
	if (nla_put_u64_64bit(msg, PVSVPN_A_PEER_RX_PACKETS,
			      sum.packets[PVSVPN_RX], pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_PEER_RX_BYTES,
			      sum.bytes[PVSVPN_RX], pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_PEER_TX_PACKETS,
			      sum.packets[PVSVPN_TX], pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_PEER_TX_BYTES,
			      sum.bytes[PVSVPN_TX], pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_PEER_DROPS,
			      pvsvpn_stats_drops(&sum), pad))
		return -EMSGSIZE;
	if (!by_name)
		return 0;
	return drops_put(msg, PVSVPN_A_PEER_DROP, &sum, PVSVPN_DROP_PEER_MAX);
}

/**
 * pvsvpn_netlink_put_sa_counters() - put the counters of an SA
 * @msg: the message
 * @sa: the SA
 * @by_name: also the drops by reason
 *
 * Context: process, RTNL held.
 * Return: 0, or -EMSGSIZE if there is no room.
 */
int pvsvpn_netlink_put_sa_counters(struct sk_buff *msg, const struct pvsvpn_sa *sa,
				   bool by_name)
{
	const int pad = PVSVPN_A_SA_PAD;
	struct pvsvpn_totals sum;

	pvsvpn_stats_sum(&sum, sa->counters, PVSVPN_DROP_SA_MAX);
	if (nla_put_u64_64bit(msg, PVSVPN_A_SA_PACKETS, sum.packets[sa->dir],
			      pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_SA_BYTES, sum.bytes[sa->dir],
			      pad) ||
	    nla_put_u64_64bit(msg, PVSVPN_A_SA_DROPS, pvsvpn_stats_drops(&sum),
			      pad))
		return -EMSGSIZE;
	if (!by_name)
		return 0;
	return drops_put(msg, PVSVPN_A_SA_DROP, &sum, PVSVPN_DROP_SA_MAX);
}
