// SPDX-License-Identifier: GPL-2.0
/*
 * ESP that stock IPsec takes before any protocol handler is asked.
 *
 * The modules esp4_offload and esp6_offload put themselves into the ESP slots of
 * inet_offloads and inet6_offloads. From then on GRO gives them each ESP packet, also
 * ESP in UDP from the socket of a daemon that has asked for UDP_GRO. They decrypt what
 * XFRM has a state for, and an adopted SA has one. Any user can have them loaded: he
 * needs a user namespace and a state with "offload".
 *
 * Two things see to it that our packets come to the device all the same:
 *
 * 1. While a slot is taken, ours is in it, a copy of the stock one with another
 *    gro_receive. A packet with the SPI of an inbound SA of ours, or of a state that is
 *    about to be one, goes to the protocol handlers, as if there were no GRO for ESP. All
 *    else is passed on to the stock one.
 *
 * 2. A packet that XFRM has decrypted nevertheless, by a state that is an SA of ours,
 *    is taken to the device when XFRM tells its protocol handlers so (cb_handler). This
 *    is for packets that were under way when the slot was not ours yet: between the
 *    init of a stock module and the notifier's call after it, and in the queue of a
 *    crypto driver while the state was adopted. An SA inside of AH or of IPComp in
 *    transport mode comes this way too.
 *
 * An empty slot stays empty. A stock module that finds it occupied fails to load, and
 * leaves a pointer to itself in XFRM behind. So we follow the modules that come and go
 * (register_module_notifier()), and hold no reference to them: they can be unloaded at
 * any time, as without us. locking.rst says why no pointer outlives its module.
 */
#include <linux/bottom_half.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <net/esp.h>
#include <net/gro.h>
#include <net/protocol.h>
#include <net/xfrm.h>

#include "device.h"
#include "offload.h"
#include "receive.h"
#include "sad.h"
#include "xfrm_adopt.h"
#include "xfrm_park.h"

/**
 * struct offload_slot - the place in the stack's table, and what we do with it
 * @place: in inet_offloads or inet6_offloads
 * @family: AF_INET or AF_INET6
 * @gro_receive: ours
 * @ours: in @place while @stock is set
 * @stock: what was there before; NULL when @place is not ours. It changes only while
 *	@ours is not in @place and nobody reads it any more
 */
struct offload_slot {
	const struct net_offload __rcu **place;
	unsigned short family;
	struct sk_buff *(*gro_receive)(struct list_head *head,
				       struct sk_buff *skb);
	struct net_offload ours;
	const struct net_offload *stock;
};

/* ---- GRO ---- */

/*
 * As stock IPsec will read it: the network header is where GRO began. In the middle of GRO
 * it may be in a fragment, from which skb_gro_header() reads.
 */
static bool offload_daddr(struct sk_buff *skb, u16 family,
			  xfrm_address_t *daddr)
{
	unsigned int offset = skb_network_offset(skb);
	const struct ipv6hdr *ip6h;
	const struct iphdr *iph;

	if (family == AF_INET) {
		iph = skb_gro_header(skb, offset + sizeof(*iph), offset);
		if (iph)
			daddr->a4 = iph->daddr;
		return iph;
	}
	ip6h = skb_gro_header(skb, offset + sizeof(*ip6h), offset);
	if (ip6h)
		daddr->in6 = ip6h->daddr;
	return ip6h;
}

static bool offload_is_ours(struct sk_buff *skb, u16 family)
{
	struct net *net = dev_net(skb->dev);
	struct pvsvpn_adopt *adopt = pvsvpn_device_adopt(net);
	unsigned int offset = skb_gro_offset(skb);
	const struct ip_esp_hdr *esph;
	xfrm_address_t daddr;
	bool adopts;

	/* One of the states that are being looked at may be about to be ours. */
	if (smp_load_acquire(&adopt->busy))
		return true;
	/* First: it has to be copied before the next look at a header. */
	adopts = pvsvpn_adopt_wanted(adopt) &&
		 offload_daddr(skb, family, &daddr);
	esph = skb_gro_header(skb, offset + sizeof(*esph), offset);
	if (!esph)
		return false;
	return pvsvpn_sad_has_spi(net, esph->spi) ||
	       (adopts && pvsvpn_park_wants(adopt, skb, family, &daddr,
					    esph->spi));
}

/* ESP inside ours, from one peer to another: stock GRO would take its secpath away. */
static bool offload_has_secpath(const struct sk_buff *skb)
{
	return skb_sec_path(skb) && !xfrm_offload((struct sk_buff *)skb);
}

/*
 * Packets that may be ours go their normal way, on which addresses and marks are looked
 * at too. A stock state that has its SPI in common with an SA of ours only loses GRO.
 */
static struct sk_buff *offload_receive(const struct offload_slot *slot,
				       struct list_head *head,
				       struct sk_buff *skb)
{
	if (slot->stock->callbacks.gro_receive && !offload_has_secpath(skb) &&
	    !offload_is_ours(skb, slot->family))
		return slot->stock->callbacks.gro_receive(head, skb);
	NAPI_GRO_CB(skb)->same_flow = 0;
	NAPI_GRO_CB(skb)->flush = 1;
	return NULL;
}

static struct sk_buff *offload4_receive(struct list_head *head,
					struct sk_buff *skb);
static struct sk_buff *offload6_receive(struct list_head *head,
					struct sk_buff *skb);

static struct offload_slot offload4 = {
	.place = &inet_offloads[IPPROTO_ESP],
	.family = AF_INET,
	.gro_receive = offload4_receive,
};

static struct offload_slot offload6 = {
	.place = &inet6_offloads[IPPROTO_ESP],
	.family = AF_INET6,
	.gro_receive = offload6_receive,
};

static struct sk_buff *offload4_receive(struct list_head *head,
					struct sk_buff *skb)
{
	return offload_receive(&offload4, head, skb);
}

static struct sk_buff *offload6_receive(struct list_head *head,
					struct sk_buff *skb)
{
	return offload_receive(&offload6, head, skb);
}

/* ---- packets that XFRM has decrypted ---- */

static bool offload_take(struct sk_buff *skb, struct xfrm_state *x,
			 bool decrypted)
{
	struct pvsvpn_sa *sa;

	sa = pvsvpn_sad_find_state_in(xs_net(x), x);
	if (!sa)
		return false;
	if (decrypted)
		pvsvpn_receive_decrypted(sa, skb);
	return true;
}

/**
 * pvsvpn_offload_rcv_cb() - XFRM has been through with a packet
 * @skb: the packet, its inner IP header in front when @err is 0
 * @err: 0, or XFRM drops the packet
 *
 * The device gets a clone. XFRM would queue the packet itself with the device in it,
 * and nobody who removes the device would know of that queue. XFRM has counted what it
 * drops; other handlers need not count it.
 *
 * Context: softirq.
 * Return: 1 when it was not ours; 0 when ours was dropped; -EINPROGRESS when ours is on
 * its way, and XFRM has to free the packet.
 */
int pvsvpn_offload_rcv_cb(struct sk_buff *skb, int err)
{
	struct xfrm_state *x;
	bool ours;

	/* XFRM had no state for it, or had too many. */
	if (!secpath_exists(skb))
		return 1;
	x = xfrm_input_state(skb);
	if (likely(!x->if_id))
		return 1;
	local_bh_disable();
	rcu_read_lock();
	ours = offload_take(skb, x, !err);
	rcu_read_unlock();
	local_bh_enable();
	if (!ours)
		return 1;
	return err ? 0 : -EINPROGRESS;
}

/* ---- slots ---- */

/* Protects the slots, but not from stock modules. */
static DEFINE_MUTEX(offload_mutex);
static bool offload_on;

static bool slot_replace(const struct offload_slot *slot,
			 const struct net_offload *old,
			 const struct net_offload *new)
{
	return unrcu_pointer(cmpxchg(slot->place, RCU_INITIALIZER(old),
				     RCU_INITIALIZER(new))) == old;
}

/* A stock module that leaves before this is done has left the slot empty. */
static void slot_take(struct offload_slot *slot)
{
	const struct net_offload *stock = rcu_access_pointer(*slot->place);

	if (!stock || slot->stock)
		return;
	slot->stock = stock;
	slot->ours = *stock;
	slot->ours.callbacks.gro_receive = slot->gro_receive;
	if (!slot_replace(slot, stock, &slot->ours))
		slot->stock = NULL;
}

/* Ours is not in there any more. */
static void slot_forget(struct offload_slot *slot)
{
	synchronize_net();
	slot->stock = NULL;
}

static void slot_empty(struct offload_slot *slot)
{
	WARN_ON_ONCE(!slot_replace(slot, &slot->ours, NULL));
	slot_forget(slot);
}

static bool slot_is_of(const struct offload_slot *slot,
		       const struct module *module)
{
	return slot->stock && within_module((unsigned long)slot->stock, module);
}

/* Unless it is leaving. */
static bool slot_hold(const struct offload_slot *slot, struct module **owner)
{
	const struct xfrm_type_offload *type = NULL;
	struct xfrm_state_afinfo *afinfo;
	bool held = false;

	rcu_read_lock();
	afinfo = xfrm_state_afinfo_get_rcu(slot->family);
	if (afinfo)
		type = READ_ONCE(afinfo->type_offload_esp);
	if (type && (!type->owner || slot_is_of(slot, type->owner))) {
		*owner = type->owner;
		held = try_module_get(*owner);
	}
	rcu_read_unlock();
	return held;
}

/*
 * A stock module that is leaving may have looked at the slot already, and found ours.
 * It must not be in there again.
 */
static void slot_give_back(struct offload_slot *slot)
{
	struct module *owner;

	if (!slot->stock)
		return;
	if (!slot_hold(slot, &owner)) {
		slot_empty(slot);
		return;
	}
	WARN_ON_ONCE(!slot_replace(slot, &slot->ours, slot->stock));
	/* If it leaves now, it waits as we do for those who are in its functions. */
	module_put(owner);
	slot_forget(slot);
}

static void modules_come(void)
{
	if (!offload_on)
		return;
	slot_take(&offload4);
	slot_take(&offload6);
}

static void module_goes(const struct module *module)
{
	if (slot_is_of(&offload4, module))
		slot_empty(&offload4);
	if (slot_is_of(&offload6, module))
		slot_empty(&offload6);
}

static int module_notify(struct notifier_block *block, unsigned long event,
			 void *data)
{
	mutex_lock(&offload_mutex);
	switch (event) {
	case MODULE_STATE_LIVE:
		/* After its init. */
		modules_come();
		break;
	case MODULE_STATE_GOING:
		/* After its exit, before its memory is freed. */
		module_goes(data);
		break;
	}
	mutex_unlock(&offload_mutex);
	return NOTIFY_DONE;
}

/* The first: until then a stock module that comes is on its own. */
static struct notifier_block module_notifier = {
	.notifier_call = module_notify,
	.priority = INT_MAX,
};

static void offload_switch(bool on)
{
	mutex_lock(&offload_mutex);
	offload_on = on;
	if (on) {
		modules_come();
	} else {
		slot_give_back(&offload4);
		slot_give_back(&offload6);
	}
	mutex_unlock(&offload_mutex);
}

/**
 * pvsvpn_offload_init() - no ESP of ours is taken by GRO from now on
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_offload_init(void)
{
	int err = register_module_notifier(&module_notifier);

	if (!err)
		offload_switch(true);
	return err;
}

/**
 * pvsvpn_offload_exit() - hand the slots back; nobody is in here on return
 *
 * Context: process.
 */
void pvsvpn_offload_exit(void)
{
	offload_switch(false);
	unregister_module_notifier(&module_notifier);
}
