// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that come before the work of xfrm_adopt.c is done: inbound ones whose state is about
 * to become an SA, outbound ones whose SA has died while another one may be coming.
 */
#include <linux/bitmap.h>
#include <linux/hash.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/esp.h>
#include <net/xfrm.h>

#include "device.h"
#include "sa.h"
#include "sad.h"
#include "xfrm_adopt.h"
#include "xfrm_note.h"
#include "xfrm_park.h"
#include "xfrm_state.h"

/* The key of pvsvpn_adopt_of(), in the lowest file that calls it. */
unsigned int pvsvpn_adopt_net_id __read_mostly;

/* Limit of waiting packets per namespace and direction. RTNL may be held for a while. */
#define PARKED_MAX	1024

/* ---- packets that come before XFRM's notification ---- */

/* Several SPIs share a bit. A packet of one of them may then fail to report its state. */
static unsigned int told_bit(__be32 spi)
{
	return hash_32((__force u32)spi, PVSVPN_TOLD_SHIFT);
}

/**
 * pvsvpn_park_heard() - let packets report a state again
 * @adopt: of the namespace
 * @x: the state, which XFRM has reported or which has become an SA; NULL for all
 *
 * Packets report a state once before the next call, so they cause no more work than XFRM.
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
 * Packets can find a state before XFRM reports it. So the first packet reports it, but
 * only once: a state that the device refuses must not keep the work busy.
 */
static void tell_of(struct pvsvpn_adopt *adopt, struct xfrm_state *x)
{
	unsigned int bit = told_bit(x->id.spi);

	if (test_bit(bit, adopt->told))
		return;
	pvsvpn_note_state(adopt, x);
	/* Pairs with test_bit_acquire(): a packet that sees the bit finds the work busy or done. */
	smp_mb__before_atomic();
	set_bit(bit, adopt->told);
}

/*
 * The same for the death of an outbound SA. Another state may have taken its place, perhaps at
 * another address. It must be adopted before the dead SA is removed, so the work looks at all
 * states.
 */
static void tell_of_death(struct pvsvpn_adopt *adopt, struct pvsvpn_sa *sa)
{
	if (test_bit(PVSVPN_SA_DEATH_TOLD, &sa->flags))
		return;
	pvsvpn_note_later(adopt, msecs_to_jiffies(PVSVPN_NOTE_DEATH_MS));
	/* A packet that sees the bit takes adopt->lock next: the look is queued then, or done. */
	set_bit(PVSVPN_SA_DEATH_TOLD, &sa->flags);
}

/* Return: the state of a packet, held, if a device will carry it; or NULL. */
static struct xfrm_state *coming_state(struct pvsvpn_adopt *adopt,
				       const struct sk_buff *skb, u16 family,
				       const xfrm_address_t *daddr, __be32 spi)
{
	struct xfrm_state *x;

	x = xfrm_state_lookup(adopt->net, skb->mark, daddr, spi, IPPROTO_ESP, family);
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
 * pvsvpn_park_wants() - check whether a packet must go where it can report its state
 * @adopt: of the namespace
 * @skb: a packet that the SAD did not know while the work was not busy
 * @family: of the outer header
 * @daddr: destination address of the packet
 * @spi: its SPI
 *
 * Context: softirq, RCU read-side critical section.
 * Return: true if it must, also if another packet has reported the state and its SA is
 * there or coming.
 */
bool pvsvpn_park_wants(struct pvsvpn_adopt *adopt, const struct sk_buff *skb,
		       u16 family, const xfrm_address_t *daddr, __be32 spi)
{
	struct xfrm_state *x;

	/* Another packet may have reported it since. If the work is not busy, the SA is visible. */
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
 * The work releases the packets at the end of each round, and there is a round while it is busy
 * or has to look at dead states. @dead: the packet has found a dead SA. @cb may be NULL. If the
 * packet is not kept, its skb->cb is unchanged.
 */
static bool park(struct pvsvpn_adopt *adopt, u8 dir, struct sk_buff *skb,
		 bool dead, const struct pvsvpn_park_cb *cb)
{
	bool kept;

	spin_lock_bh(&adopt->lock);
	kept = (adopt->busy ||
		(dead && (adopt->later || !list_empty(&adopt->deaths)))) &&
	       skb_queue_len(&adopt->parked[dir]) < PARKED_MAX;
	if (kept) {
		if (cb)
			*pvsvpn_park_cb(skb) = *cb;
		skb_dst_force(skb);
		dev_hold(skb->dev);
		skb_queue_tail(&adopt->parked[dir], skb);
	}
	spin_unlock_bh(&adopt->lock);
	return kept;
}

/**
 * pvsvpn_park_in() - keep an inbound packet until its SA is there
 * @net: namespace of the packet
 * @skb: the packet, data at the SPI; the SAD has no SA or a dead SA for it; consumed
 *	if kept
 * @family: of the outer header
 * @daddr: destination address of the packet
 * @in_udp: ESP in UDP
 *
 * Context: softirq, RCU read-side critical section.
 * Return: true if it was kept. If not, the SA may have come just now.
 */
bool pvsvpn_park_in(struct net *net, struct sk_buff *skb, u16 family,
		    const xfrm_address_t *daddr, bool in_udp)
{
	__be32 spi = ((const struct ip_esp_hdr *)skb->data)->spi;
	struct pvsvpn_adopt *adopt = pvsvpn_adopt_of(net);
	const struct pvsvpn_park_cb cb = { .family = family, .in_udp = in_udp };
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
 * pvsvpn_park_out() - keep a packet without a peer or SA until there may be one
 * @pvs: the device, which adopts outbound states
 * @sa: the dead SA that the packet has found, or NULL
 * @skb: the packet, as for pvsvpn_xmit(); consumed if kept
 *
 * Context: as for pvsvpn_xmit().
 * Return: true if it was kept. If not, the SA may have come just now.
 */
bool pvsvpn_park_out(struct pvsvpn_device *pvs, struct pvsvpn_sa *sa, struct sk_buff *skb)
{
	struct pvsvpn_adopt *adopt = pvsvpn_adopt_of(pvs->net);
	bool dead = sa && pvsvpn_state_dead(sa);

	if (dead)
		tell_of_death(adopt, sa);
	/* If the work is not busy, its results are visible. */
	else if (likely(!smp_load_acquire(&adopt->busy)))
		return false;
	return park(adopt, PVSVPN_DIRECTION_OUT, skb, dead, NULL);
}
