// SPDX-License-Identifier: GPL-2.0
#include <linux/rtnetlink.h>

#include "device.h"
#include "event.h"
#include "netlink.h"
#include "peer.h"
#include "sa.h"
#include "trace.h"

static int event_put_remote(struct sk_buff *msg, const struct pvsvpn_peer *peer)
{
	const struct pvsvpn_endpoint *endpoint = pvsvpn_peer_endpoint(peer);

	if (endpoint->encap == PVSVPN_ENCAP_UDP &&
	    nla_put_u16(msg, PVSVPN_A_EVENT_PORT, ntohs(endpoint->dport)))
		return -EMSGSIZE;
	return nla_put(msg, PVSVPN_A_EVENT_REMOTE,
		       endpoint->family == AF_INET ? sizeof(struct in_addr) :
						     sizeof(struct in6_addr),
		       &endpoint->remote);
}

static int event_put(struct sk_buff *msg, const struct pvsvpn_peer *peer,
		     const struct pvsvpn_sa *sa, enum pvsvpn_event_type type,
		     const char *reason)
{
	const struct net_device *dev = peer->pvs->dev;

	if (nla_put_u8(msg, PVSVPN_A_EVENT_TYPE, type) ||
	    nla_put_u32(msg, PVSVPN_A_EVENT_IFINDEX, dev->ifindex) ||
	    nla_put_string(msg, PVSVPN_A_EVENT_IFNAME, dev->name) ||
	    nla_put_string(msg, PVSVPN_A_EVENT_PEER, peer->name) ||
	    event_put_remote(msg, peer) ||
	    nla_put_string(msg, PVSVPN_A_EVENT_REASON, reason))
		return -EMSGSIZE;
	if (sa && (nla_put_u8(msg, PVSVPN_A_EVENT_DIR, sa->dir) ||
		   nla_put_u32(msg, PVSVPN_A_EVENT_SPI, be32_to_cpu(sa->spi))))
		return -EMSGSIZE;
	return 0;
}

/*
 * To the namespace where the operator sees the device now. Whoever misses an
 * event, for want of memory too, finds the state in a dump.
 */
static void event_send(const struct pvsvpn_peer *peer,
		       const struct pvsvpn_sa *sa, enum pvsvpn_event_type type,
		       const char *reason)
{
	struct net *net = dev_net(peer->pvs->dev);
	struct sk_buff *msg;
	void *hdr;

	ASSERT_RTNL();
	trace_pvsvpn_event(peer, sa, type, reason);
	if (!genl_has_listeners(&pvsvpn_nl_family, net, PVSVPN_NLGRP_EVENTS))
		return;
	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return;
	hdr = genlmsg_put(msg, 0, 0, &pvsvpn_nl_family, 0, PVSVPN_CMD_EVENT);
	if (!hdr || event_put(msg, peer, sa, type, reason)) {
		nlmsg_free(msg);
		return;
	}
	genlmsg_end(msg, hdr);
	genlmsg_multicast_netns(&pvsvpn_nl_family, net, msg, 0,
				PVSVPN_NLGRP_EVENTS, GFP_KERNEL);
}

/**
 * pvsvpn_event_peer() - tell user space what happened to a peer
 * @peer: the peer, still with its endpoint
 * @type: what happened
 * @reason: why; a word or two joined by hyphens
 *
 * Context: process, RTNL held.
 */
void pvsvpn_event_peer(const struct pvsvpn_peer *peer,
		       enum pvsvpn_event_type type, const char *reason)
{
	event_send(peer, NULL, type, reason);
}

/**
 * pvsvpn_event_sa() - tell user space what happened to an SA
 * @sa: the SA; its peer still has its endpoint
 * @type: what happened
 * @reason: why; a word or two joined by hyphens
 *
 * Context: process, RTNL held.
 */
void pvsvpn_event_sa(const struct pvsvpn_sa *sa, enum pvsvpn_event_type type,
		     const char *reason)
{
	event_send(sa->peer, sa, type, reason);
}
