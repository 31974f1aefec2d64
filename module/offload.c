// SPDX-License-Identifier: GPL-2.0
/*
 * Keep our ESP packets out of stock ESP GRO, which runs before the protocol handlers.
 *
 * The modules esp4_offload and esp6_offload register in the ESP slots of inet_offloads
 * and inet6_offloads. GRO then gives them each ESP packet, also ESP in UDP from the
 * socket of a daemon that has set UDP_GRO. They decrypt packets that have an XFRM
 * state, and an adopted SA has one. Any user can load them with a user namespace and a
 * state with "offload".
 *
 * Two mechanisms bring our packets to the device nevertheless:
 *
 * 1. While a stock module occupies a slot, we replace its entry by a copy with our own
 *    gro_receive. A packet with the SPI of one of our inbound SAs, or of a state that is
 *    about to be adopted, goes to the protocol handlers, as if there were no GRO for ESP.
 *    All other packets go to the stock gro_receive.
 *
 * 2. If XFRM has decrypted a packet with a state that is one of our SAs in spite of 1,
 *    its callback to the protocol handlers (cb_handler) takes the packet to the device.
 *    This is for packets in progress before the slot was ours: between the init of a
 *    stock module and the notifier call after it, and in the queue of a crypto driver
 *    while the state was adopted. An SA inside AH, or inside IPComp in transport mode,
 *    comes this way too.
 *
 * We leave an empty slot empty. If a stock module finds its slot occupied, it fails to
 * load and leaves a pointer to itself in XFRM. Instead, register_module_notifier()
 * reports when modules are loaded and unloaded. We hold no reference to them, so they
 * can be unloaded at any time. locking.rst says why no pointer outlives its module.
 */
#include <linux/bottom_half.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <net/gro.h>
#include <net/protocol.h>
#include <net/xfrm.h>

#include "offload.h"
#include "receive.h"
#include "sad.h"
#include "xfrm_adopt.h"
#include "xfrm_park.h"

/**
 * struct offload_slot - an ESP slot of the stack, and the entry that we put there
 * @place: the slot in inet_offloads or inet6_offloads
 * @family: AF_INET or AF_INET6
 * @gro_receive: our handler
 * @ours: our entry, in @place while @stock is set
 * @stock: the stock entry that @ours replaces; NULL if @place is not ours. It changes
 *	only while @ours is not in @place and has no readers
 */
struct offload_slot {
	const struct net_offload __rcu **place;
	unsigned short family;
	struct sk_buff *(*gro_receive)(struct list_head *head, struct sk_buff *skb);
	struct net_offload ours;
	const struct net_offload *stock;
};

/* ---- GRO ---- */

/*
 * Read the address as stock IPsec does: the network header is where GRO began. During GRO
 * it may be in a fragment, which skb_gro_header() can read.
 */
static bool offload_daddr(struct sk_buff *skb, u16 family, xfrm_address_t *daddr)
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
	struct pvsvpn_adopt *adopt = pvsvpn_adopt_of(net);
	unsigned int offset = skb_gro_offset(skb);
	const struct ip_esp_hdr *esph;
	xfrm_address_t daddr;
	bool adopts;

	/* Any state that is being checked may be adopted next. */
	if (smp_load_acquire(&adopt->busy))
		return true;
	/* Copy the address first: the next skb_gro_header() may move the header. */
	adopts = pvsvpn_adopt_wanted(adopt) &&
		 offload_daddr(skb, family, &daddr);
	esph = skb_gro_header(skb, offset + sizeof(*esph), offset);
	if (!esph)
		return false;
	return pvsvpn_sad_has_spi(net, esph->spi) ||
	       (adopts && pvsvpn_park_wants(adopt, skb, family, &daddr, esph->spi));
}

/* ESP inside our ESP, from one peer to another: stock GRO would remove its secpath. */
static bool offload_has_secpath(const struct sk_buff *skb)
{
	return skb_sec_path(skb) && !xfrm_offload((struct sk_buff *)skb);
}

/*
 * Packets that may be ours take the normal path, which checks addresses and marks too.
 * A stock state that shares its SPI with one of our SAs only loses GRO.
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

static struct offload_slot offload4, offload6;

static struct sk_buff *offload4_receive(struct list_head *head, struct sk_buff *skb)
{
	return offload_receive(&offload4, head, skb);
}

static struct sk_buff *offload6_receive(struct list_head *head, struct sk_buff *skb)
{
	return offload_receive(&offload6, head, skb);
}

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

/* ---- packets that XFRM has decrypted ---- */

/**
 * pvsvpn_offload_rcv_cb() - take a packet that XFRM has decrypted to its device
 * @skb: the packet, starting with its inner IP header if @err is 0
 * @err: 0, or not 0 if XFRM drops the packet
 *
 * The device gets a clone. XFRM would queue the packet itself with skb->dev set to the
 * device, and removal of the device would miss that queue. XFRM has counted the
 * packets that it drops, so other handlers need not count them.
 *
 * Context: softirq.
 * Return: 1 if the packet is not ours; 0 if it is ours and XFRM drops it; -EINPROGRESS
 * if it is ours and the device has a clone, so XFRM must free the packet.
 */
int pvsvpn_offload_rcv_cb(struct sk_buff *skb, int err)
{
	struct xfrm_state *x;
	struct pvsvpn_sa *sa;

	/* XFRM has found no state for it, or too many. */
	if (!secpath_exists(skb))
		return 1;
	x = xfrm_input_state(skb);
	if (likely(!x->if_id))
		return 1;
	local_bh_disable();
	rcu_read_lock();
	sa = pvsvpn_sad_find_state_of(xs_net(x), PVSVPN_DIRECTION_IN, x);
	if (sa && !err)
		pvsvpn_receive_decrypted(sa, skb);
	rcu_read_unlock();
	local_bh_enable();
	if (!sa)
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

/* If a stock module is unloaded meanwhile, the slot is empty and slot_replace() fails. */
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

/* Our entry is no longer in the slot. Wait for its readers. */
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

static bool slot_is_of(const struct offload_slot *slot, const struct module *module)
{
	return slot->stock && within_module((unsigned long)slot->stock, module);
}

/* Get a reference to the stock module, unless it is being unloaded. */
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
 * A stock module that is being unloaded may have checked the slot already, and found
 * our entry. Its own entry must not return to the slot then.
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
	/* If it is unloaded now, it waits, as we do, for callers of its functions. */
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

static int module_notify(struct notifier_block *block, unsigned long event, void *data)
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

/* Highest priority: until this call a new stock module takes our packets too. */
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
 * pvsvpn_offload_init() - keep our ESP packets out of stock GRO from now on
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
 * pvsvpn_offload_exit() - give the slots back, and wait for callers of our handlers
 *
 * Context: process.
 */
void pvsvpn_offload_exit(void)
{
	offload_switch(false);
	unregister_module_notifier(&module_notifier);
}
