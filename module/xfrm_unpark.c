// SPDX-License-Identifier: GPL-2.0
/*
 * Releases packets that have waited in xfrm_park.c. They start again at the top of the inbound or
 * outbound path, which is why this is not in the same file.
 */
#include <linux/bottom_half.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/skbuff.h>
#include <net/net_namespace.h>

#include "input.h"
#include "xfrm_adopt.h"
#include "xfrm_park.h"
#include "xfrm_unpark.h"
#include "xmit.h"

/* Drop the packet if its device has moved to another namespace. */
static void unpark_in(const struct pvsvpn_adopt *adopt, struct sk_buff *skb)
{
	const struct pvsvpn_park_cb cb = *pvsvpn_park_cb(skb);

	if (!net_eq(dev_net(skb->dev), adopt->net))
		kfree_skb(skb);
	else if (pvsvpn_input_receive(skb, cb.family, cb.in_udp))
		pvsvpn_input_pass_on(skb, cb.family, cb.in_udp);
}

static void unpark_one(const struct pvsvpn_adopt *adopt, u8 dir, struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;

	local_bh_disable();
	rcu_read_lock();
	if (dir == PVSVPN_DIRECTION_IN)
		unpark_in(adopt, skb);
	else if (netif_running(dev))
		pvsvpn_xmit(skb, dev);
	else	/* The device is down by now: do not count the packet. */
		kfree_skb(skb);
	rcu_read_unlock();
	local_bh_enable();
	dev_put(dev);
}

/**
 * pvsvpn_unpark() - release the waiting packets
 * @adopt: of the namespace
 *
 * Handles only packets that wait now: a packet that must wait again is for the next run.
 *
 * Context: process.
 */
void pvsvpn_unpark(struct pvsvpn_adopt *adopt)
{
	unsigned int count;
	struct sk_buff *skb;
	u8 dir;

	for (dir = 0; dir < ARRAY_SIZE(adopt->parked); dir++) {
		for (count = skb_queue_len(&adopt->parked[dir]); count; count--) {
			skb = skb_dequeue(&adopt->parked[dir]);
			if (skb)
				unpark_one(adopt, dir, skb);
			cond_resched();
		}
	}
}
