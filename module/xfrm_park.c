// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that are faster than the work of xfrm_adopt.c: inbound ones of a state that is
 * about to be an SA, outbound ones whose SA has died while another may be coming.
 */
#include <linux/bitmap.h>
#include <linux/hash.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/esp.h>
#include <net/xfrm.h>

#include "device.h"
#include "outer.h"
#include "sa.h"
#include "sad.h"
#include "xfrm_adopt.h"
#include "xfrm_notify.h"
#include "xfrm_park.h"
#include "xfrm_state.h"
#include "xmit.h"

/* Packets of a namespace and a direction that may wait. RTNL may be held for a while. */
#define PARKED_MAX	1024

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

/* A device that has moved to another namespace has taken its packets nowhere. */
static void unpark_in(const struct pvsvpn_adopt *adopt, struct sk_buff *skb)
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
	if (!net_eq(dev_net(dev), adopt->net))
		kfree_skb(skb);
	else if (pvsvpn_outer_receive(skb, cb.family, saddr, daddr, cb.in_udp))
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
			unpark_in(adopt, skb);
		cond_resched();
	}
	for (count = skb_queue_len(out); count; count--) {
		skb = skb_dequeue(out);
		if (skb)
			unpark_out(skb);
		cond_resched();
	}
}

/* ---- packets that are faster than XFRM's word ---- */

/* Some SPIs share a bit. A packet of one of them may then not tell of its state. */
static unsigned int told_bit(__be32 spi)
{
	return hash_32((__force u32)spi, PVSVPN_TOLD_SHIFT);
}

/**
 * pvsvpn_park_heard() - XFRM has told of a state itself, or the state has become an SA
 * @adopt: of the namespace
 * @x: the state, or NULL for all
 *
 * From now on a packet may tell of it again. So packets make no more work than XFRM does.
 *
 * Context: any.
 */
void pvsvpn_park_heard(struct pvsvpn_adopt *adopt, const struct xfrm_state *x)
{
	if (x)
		clear_bit(told_bit(x->id.spi), adopt->told);
	else
		bitmap_zero(adopt->told, 1 << PVSVPN_TOLD_SHIFT);
}

/*
 * XFRM tells of a state when packets can find it already. The first packet tells of it
 * instead, once: a state that the device refuses must not keep the work busy.
 */
static void tell_of(struct pvsvpn_adopt *adopt, struct xfrm_state *x)
{
	unsigned int bit = told_bit(x->id.spi);

	if (test_bit(bit, adopt->told))
		return;
	pvsvpn_notify_state(adopt, x);
	/* Pairs with test_bit_acquire(): whoever sees the bit finds the work busy, or done. */
	smp_mb__before_atomic();
	set_bit(bit, adopt->told);
}

/* The same for the end of an outbound SA. */
static void tell_of_death(struct pvsvpn_adopt *adopt, struct pvsvpn_sa *sa)
{
	if (test_bit(PVSVPN_SA_DEATH_TOLD, &sa->flags))
		return;
	pvsvpn_notify_death(adopt);
	/* A packet that sees the bit takes adopt->lock next: it finds what was noted, or that done. */
	set_bit(PVSVPN_SA_DEATH_TOLD, &sa->flags);
}

/* Return: the state that a packet is for and that a device will carry, held, or NULL. */
static struct xfrm_state *coming_state(struct pvsvpn_adopt *adopt,
				       const struct sk_buff *skb, u16 family,
				       const xfrm_address_t *daddr, __be32 spi)
{
	struct xfrm_state *x;

	x = xfrm_state_lookup(adopt->net, skb->mark, daddr, spi, IPPROTO_ESP,
			      family);
	if (!x)
		return NULL;
	if (x->if_id && pvsvpn_state_coming(x) &&
	    xa_load(&adopt->devices[PVSVPN_DIRECTION_IN], x->if_id) &&
	    !pvsvpn_state_why_not(x))
		return x;
	xfrm_state_put(x);
	return NULL;
}

/**
 * pvsvpn_park_wants() - has a packet to go where it can tell of its state?
 * @adopt: of the namespace
 * @skb: a packet that the SAD did not know, when the work was not busy
 * @family: of the outer header
 * @daddr: where it was sent to
 * @spi: its SPI
 *
 * Context: softirq, RCU read side.
 */
bool pvsvpn_park_wants(struct pvsvpn_adopt *adopt, const struct sk_buff *skb,
		       u16 family, const xfrm_address_t *daddr, __be32 spi)
{
	struct xfrm_state *x;

	/* Another packet may have told of the state since. Not busy: the SA can be seen. */
	if (test_bit_acquire(told_bit(spi), adopt->told))
		/* Pairs with the unlock after which the work is no longer busy */
		return smp_load_acquire(&adopt->busy) ||
		       pvsvpn_sad_has_spi(adopt->net, spi);
	x = coming_state(adopt, skb, family, daddr, spi);
	if (!x)
		return false;
	xfrm_state_put(x);
	return true;
}

/* ---- packets that wait ---- */

/*
 * The work takes what is there at the end of each round, and there is one as long as it is busy
 * or has to look at dead states. @dead: the packet has found a dead SA. @cb may be NULL. A packet
 * that is not kept goes on with its skb->cb as it was.
 */
static bool park(struct pvsvpn_adopt *adopt, u8 dir, struct sk_buff *skb,
		 bool dead, const struct park_cb *cb)
{
	bool kept;

	spin_lock_bh(&adopt->lock);
	kept = (adopt->busy || (dead && pvsvpn_notify_deaths(adopt))) &&
	       skb_queue_len(&adopt->parked[dir]) < PARKED_MAX;
	if (kept) {
		if (cb)
			*park_cb(skb) = *cb;
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
 * @skb: the packet, from the SPI on, for which the SAD has nothing or a dead SA; consumed
 *	when kept
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
	__be32 spi = ((const struct ip_esp_hdr *)skb->data)->spi;
	struct pvsvpn_adopt *adopt = pvsvpn_device_adopt(net);
	const struct park_cb cb = { .family = family, .in_udp = in_udp };
	struct xfrm_state *x;
	bool kept;

	x = coming_state(adopt, skb, family, daddr, spi);
	if (!x)
		return false;
	kept = park(adopt, PVSVPN_DIRECTION_IN, skb, false, &cb);
	if (!kept) {
		tell_of(adopt, x);
		kept = park(adopt, PVSVPN_DIRECTION_IN, skb, false, &cb);
	}
	xfrm_state_put(x);
	return kept;
}

/**
 * pvsvpn_park_out() - keep a packet that has no peer or SA until there may be one
 * @pvs: the device, which adopts outbound states
 * @sa: the dead SA that it has found, or NULL
 * @skb: the packet, as pvsvpn_xmit() gets it; consumed when kept
 *
 * Context: as pvsvpn_xmit().
 * Return: whether it was kept. If not, the SA may have come just now.
 */
bool pvsvpn_park_out(struct pvsvpn_device *pvs, struct pvsvpn_sa *sa,
		     struct sk_buff *skb)
{
	struct pvsvpn_adopt *adopt = pvsvpn_device_adopt(pvs->net);

	bool dead = sa && pvsvpn_state_dead(sa);

	if (dead)
		tell_of_death(adopt, sa);
	/* Not busy: whatever the work has done can be seen. */
	else if (likely(!smp_load_acquire(&adopt->busy)))
		return false;
	return park(adopt, PVSVPN_DIRECTION_OUT, skb, dead, NULL);
}
