// SPDX-License-Identifier: GPL-2.0
/* The path to a peer in replies: route, MTU and overhead. */
#include <linux/jiffies.h>
#include <linux/rtnetlink.h>

#include "netlink.h"
#include "output.h"
#include "peer.h"
#include "pmtu.h"
#include "sa.h"

static int overhead_put(struct sk_buff *msg, const struct pvsvpn_peer *peer)
{
	struct pvsvpn_overhead overhead;
	struct nlattr *nest;

	if (!pvsvpn_pmtu_overhead(peer, &overhead))
		return 0;
	nest = nla_nest_start(msg, PVSVPN_A_PEER_OVERHEAD);
	if (!nest ||
	    nla_put_u32(msg, PVSVPN_A_OVERHEAD_IP, overhead.ip) ||
	    nla_put_u32(msg, PVSVPN_A_OVERHEAD_UDP, overhead.udp) ||
	    nla_put_u32(msg, PVSVPN_A_OVERHEAD_ESP, overhead.esp) ||
	    nla_put_u32(msg, PVSVPN_A_OVERHEAD_ICV, overhead.icv) ||
	    nla_put_u32(msg, PVSVPN_A_OVERHEAD_TRAILER, overhead.trailer))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int mtu_put(struct sk_buff *msg, const struct pvsvpn_peer *peer)
{
	u32 path_mtu = READ_ONCE(peer->path_mtu);

	if (path_mtu && nla_put_u32(msg, PVSVPN_A_PEER_PATH_MTU, path_mtu))
		return -EMSGSIZE;
	if (nla_put_u32(msg, PVSVPN_A_PEER_INNER_MTU, pvsvpn_pmtu_peer(peer)))
		return -EMSGSIZE;
	return overhead_put(msg, peer);
}

/**
 * pvsvpn_netlink_put_path() - put the path to a peer into a message
 * @msg: the message
 * @peer: the peer
 *
 * Some attributes exist only after the first packet or the first SA.
 *
 * Context: process, RTNL held.
 * Return: 0 or -EMSGSIZE.
 */
int pvsvpn_netlink_put_path(struct sk_buff *msg, const struct pvsvpn_peer *peer)
{
	const struct pvsvpn_sa *sa = rtnl_dereference(peer->tx_sa);
	unsigned long last_rx = READ_ONCE(peer->last_rx);
	u32 path_mtu;

	if (sa && !test_bit(PVSVPN_SA_EXPIRED, &sa->flags) &&
	    nla_put_u32(msg, PVSVPN_A_PEER_TX_SPI, be32_to_cpu(sa->spi)))
		return -EMSGSIZE;
	if (last_rx &&
	    nla_put_u64_64bit(msg, PVSVPN_A_PEER_LAST_RX,
			      jiffies64_to_msecs(jiffies - last_rx),
			      PVSVPN_A_PEER_PAD))
		return -EMSGSIZE;
	if (nla_put_u8(msg, PVSVPN_A_PEER_ROUTE,
		       pvsvpn_output_look(pvsvpn_peer_path(peer),
					  &path_mtu)))
		return -EMSGSIZE;
	return mtu_put(msg, peer);
}
