// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that are faster than the work of xfrm_adopt.c: inbound ones of a state that is
 * about to be an SA, outbound ones whose SA has died while another may be coming.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/esp.h>
#include <net/xfrm.h>

#include "device.h"
#include "outer.h"
#include "xfrm_adopt.h"
#include "xfrm_notify.h"
#include "xfrm_park.h"
#include "xfrm_state.h"
#include "xmit.h"

/* Packets of a namespace and a direction that may wait. RTNL may be held for a while. */
#define PARKED_MAX	1024

/* Seconds. XFRM counts whole ones, so a state is new for at least one. */
#define STATE_NEW	1

/**
 * struct park_cb - what a packet that waits has to remember, in skb->cb
 * @family: of the outer header
 * @in_udp: ESP in UDP
 */
struct park_cb {
	u16 family;
	bool in_udp;
};

static struct park_cb *park_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct park_cb) > sizeof(skb->cb));
	return (struct park_cb *)skb->cb;
}

static void unpark_in(struct sk_buff *skb)
{
	const struct park_cb cb = *park_cb(skb);
	struct net_device *dev = skb->dev;
	const xfrm_address_t *saddr, *daddr;

	if (cb.family == AF_INET) {
		saddr = (const xfrm_address_t *)&ip_hdr(skb)->saddr;
		daddr = (const xfrm_address_t *)&ip_hdr(skb)->daddr;
	} else {
		saddr = (const xfrm_address_t *)&ipv6_hdr(skb)->saddr;
		daddr = (const xfrm_address_t *)&ipv6_hdr(skb)->daddr;
	}
	local_bh_disable();
	rcu_read_lock();
	if (pvsvpn_outer_receive(skb, cb.family, saddr, daddr, cb.in_udp))
		pvsvpn_outer_pass_on(skb, cb.family, cb.in_udp);
	rcu_read_unlock();
	local_bh_enable();
	dev_put(dev);
}

/* One that a device would not take any more is not the device's to count. */
static void unpark_out(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;

	local_bh_disable();
	rcu_read_lock();
	if (netif_running(dev))
		pvsvpn_xmit(skb, dev);
	else
		kfree_skb(skb);
	rcu_read_unlock();
	local_bh_enable();
	dev_put(dev);
}

/**
 * pvsvpn_park_end() - the packets that wait need wait no longer
 * @adopt: of the namespace
 *
 * Those that are there now: what has to wait again is for the next run.
 *
 * Context: process.
 */
void pvsvpn_park_end(struct pvsvpn_adopt *adopt)
{
	struct sk_buff_head *in = &adopt->parked[PVSVPN_DIRECTION_IN];
	struct sk_buff_head *out = &adopt->parked[PVSVPN_DIRECTION_OUT];
	unsigned int count;
	struct sk_buff *skb;

	for (count = skb_queue_len(in); count; count--) {
		skb = skb_dequeue(in);
		if (skb)
			unpark_in(skb);
	}
	for (count = skb_queue_len(out); count; count--) {
		skb = skb_dequeue(out);
		if (skb)
			unpark_out(skb);
	}
}

/* Return: the state that a packet is for and that a device will carry, held, or NULL. */
static struct xfrm_state *coming_state(struct pvsvpn_adopt *adopt,
				       struct net *net,
				       const struct sk_buff *skb, u16 family,
				       const xfrm_address_t *daddr)
{
	__be32 spi = ((const struct ip_esp_hdr *)skb->data)->spi;
	struct xfrm_state *x;

	x = xfrm_state_lookup(net, skb->mark, daddr, spi, IPPROTO_ESP, family);
	if (!x)
		return NULL;
	if (x->if_id && READ_ONCE(x->km.state) == XFRM_STATE_VALID &&
	    xa_load(&adopt->devices[PVSVPN_DIRECTION_IN], x->if_id) &&
	    !pvsvpn_state_why_not(x))
		return x;
	xfrm_state_put(x);
	return NULL;
}

/*
 * XFRM tells of a state when packets can find it already. The first packet tells of it
 * instead. It does so once for each state, and only of a new one: a state that the device
 * refuses must not keep the work busy. A clock that was set back makes no state new.
 */
static void tell_of(struct pvsvpn_adopt *adopt, struct xfrm_state *x)
{
	u64 now = ktime_get_real_seconds();

	if (READ_ONCE(adopt->told) == x->id.spi ||
	    now - x->curlft.add_time > STATE_NEW)
		return;
	pvsvpn_notify_state(adopt, x);
	WRITE_ONCE(adopt->told, x->id.spi);
}

/* The work takes what is there when it is no longer busy. */
static bool park(struct pvsvpn_adopt *adopt, u8 dir, struct sk_buff *skb)
{
	bool kept;

	spin_lock_bh(&adopt->lock);
	kept = adopt->busy && skb_queue_len(&adopt->parked[dir]) < PARKED_MAX;
	if (kept) {
		skb_dst_force(skb);
		dev_hold(skb->dev);
		skb_queue_tail(&adopt->parked[dir], skb);
	}
	spin_unlock_bh(&adopt->lock);
	return kept;
}

/**
 * pvsvpn_park_in() - keep a packet until its SA is there
 * @net: namespace of the packet
 * @skb: the packet, from the SPI on, which the SAD does not know; consumed when
 *	kept
 * @family: of the outer header
 * @daddr: where it was sent to
 * @in_udp: ESP in UDP
 *
 * Context: softirq, RCU read side.
 * Return: whether it was kept. If not, the SA may have come just now.
 */
bool pvsvpn_park_in(struct net *net, struct sk_buff *skb, u16 family,
		       const xfrm_address_t *daddr, bool in_udp)
{
	struct pvsvpn_adopt *adopt = pvsvpn_device_adopt(net);
	struct xfrm_state *x = coming_state(adopt, net, skb, family, daddr);

	if (!x)
		return false;
	if (!READ_ONCE(adopt->busy))
		tell_of(adopt, x);
	xfrm_state_put(x);
	*park_cb(skb) = (struct park_cb){ .family = family, .in_udp = in_udp };
	return park(adopt, PVSVPN_DIRECTION_IN, skb);
}

/**
 * pvsvpn_park_out() - keep a packet that has no peer or SA until there may be one
 * @pvs: the device, which adopts outbound states
 * @skb: the packet, as pvsvpn_xmit() gets it; consumed when kept
 *
 * Context: as pvsvpn_xmit().
 * Return: whether it was kept. If not, the SA may have come just now.
 */
bool pvsvpn_park_out(struct pvsvpn_device *pvs, struct sk_buff *skb)
{
	struct pvsvpn_adopt *adopt = pvsvpn_device_adopt(pvs->net);

	/* Not busy: whatever the work has done can be seen. */
	if (likely(!smp_load_acquire(&adopt->busy)))
		return false;
	return park(adopt, PVSVPN_DIRECTION_OUT, skb);
}
