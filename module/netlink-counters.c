// SPDX-License-Identifier: GPL-2.0
/* The counters of devices, peers and SAs in messages: totals, and drops by reason. */
#include "netlink.h"
#include "stats.h"

static int drop_put(struct sk_buff *msg, int attr, unsigned int reason, u64 value)
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

/**
 * pvsvpn_netlink_put_counters() - put the counters of an object
 * @msg: the message
 * @attrs: their attributes
 * @counters: the counters
 * @by_name: also the drops by reason: every one of the object's scope, also with a count of 0
 *
 * Context: process, RTNL held.
 * Return: 0, or -EMSGSIZE if there is no room.
 */
int pvsvpn_netlink_put_counters(struct sk_buff *msg, const struct pvsvpn_counter_attrs *attrs,
				const struct pvsvpn_counters __percpu *counters, bool by_name)
{
	struct pvsvpn_totals sum;
	unsigned int i;

	pvsvpn_stats_sum(&sum, counters, attrs->reasons);
	for (i = 0; i < ARRAY_SIZE(sum.packets); i++) {
		if (!attrs->packets[i])
			continue;
		if (nla_put_u64_64bit(msg, attrs->packets[i], sum.packets[i], attrs->pad) ||
		    nla_put_u64_64bit(msg, attrs->bytes[i], sum.bytes[i], attrs->pad))
			return -EMSGSIZE;
	}
	if (nla_put_u64_64bit(msg, attrs->drops, pvsvpn_stats_drops(&sum), attrs->pad))
		return -EMSGSIZE;
	for (i = 0; by_name && i < attrs->reasons; i++)
		if (drop_put(msg, attrs->drop, i, sum.drops[i]))
			return -EMSGSIZE;
	return 0;
}
