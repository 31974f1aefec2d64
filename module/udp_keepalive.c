// SPDX-License-Identifier: GPL-2.0
/* Keepalives of ESP in UDP for a NAT on the way (RFC 3948 section 4). */
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <linux/timer.h>

#include "device.h"
#include "output.h"
#include "peer.h"
#include "udp_keepalive.h"

static struct sk_buff *keepalive_new(const struct dst_entry *dst)
{
	unsigned int head = LL_RESERVED_SPACE(dst->dev) + PVSVPN_OUTER_LEN_MAX;
	struct sk_buff *skb = alloc_skb(head + 1, GFP_ATOMIC);

	if (!skb)
		return NULL;
	skb_reserve(skb, head);
	skb_put_u8(skb, 0xff);
	return skb;
}

static void keepalive_send(struct pvsvpn_peer *peer, struct pvsvpn_endpoint *endpoint)
{
	struct pvsvpn_outer outer = {};
	struct dst_entry *dst;
	struct sk_buff *skb;

	dst = pvsvpn_output_route(endpoint, &outer);
	if (IS_ERR(dst))
		return;
	skb = keepalive_new(dst);
	if (!skb) {
		dst_release(dst);
		return;
	}
	skb_dst_set(skb, dst);
	skb->mark = pvsvpn_endpoint_mark(endpoint);
	pvsvpn_output_send(peer->pvs, skb, &outer);
}

/*
 * Send only if no other packet has kept the NAT mapping (RFC 3948 section 4). If the
 * packet had no UDP header, the byte would look like ESP, so check and use the same endpoint.
 * Return: true to look again at @next.
 */
static bool keepalive_look(struct pvsvpn_peer *peer, unsigned long *next)
{
	unsigned long interval = READ_ONCE(peer->nat_keepalive) * HZ;
	struct pvsvpn_endpoint *endpoint = pvsvpn_peer_endpoint(peer);

	if (!interval || READ_ONCE(peer->deleted) || endpoint->encap != PVSVPN_ENCAP_UDP)
		return false;
	*next = READ_ONCE(peer->last_tx) + interval;
	if (time_before(jiffies, *next))
		return true;
	keepalive_send(peer, endpoint);
	*next = jiffies + interval;
	return true;
}

static void keepalive_timer(struct timer_list *timer)
{
	struct pvsvpn_peer *peer = from_timer(peer, timer, nat_keepalive_timer);
	unsigned long next;
	bool again;

	rcu_read_lock();
	again = keepalive_look(peer, &next);
	rcu_read_unlock();
	if (again)
		mod_timer(timer, next);
}

/**
 * pvsvpn_udp_keepalive_init() - initialize the keepalive timer of a new peer
 * @peer: the peer
 *
 * Context: any.
 */
void pvsvpn_udp_keepalive_init(struct pvsvpn_peer *peer)
{
	timer_setup(&peer->nat_keepalive_timer, keepalive_timer, 0);
}

/**
 * pvsvpn_udp_keepalive_start() - start or stop keepalives after a change of a peer
 * @peer: the peer, with its endpoint
 *
 * A timer that is running now may arm itself once more. It then sees the change and stops.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_udp_keepalive_start(struct pvsvpn_peer *peer)
{
	ASSERT_RTNL();
	if (pvsvpn_peer_endpoint(peer)->encap != PVSVPN_ENCAP_UDP || !peer->nat_keepalive)
		del_timer(&peer->nat_keepalive_timer);
	else
		mod_timer(&peer->nat_keepalive_timer, jiffies + peer->nat_keepalive * HZ);
}
