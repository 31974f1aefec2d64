/* SPDX-License-Identifier: GPL-2.0 */
/* SAs that an IKE daemon, or ip xfrm state, has installed in XFRM. */
#ifndef _PVSVPN_XFRM_ADOPT_H
#define _PVSVPN_XFRM_ADOPT_H

#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/netns/generic.h>
#include <net/xfrm.h>

#include <uapi/linux/pvsvpn.h>

#include "xfrm_policy.h"

/* Number of bits in @told, as a power of two. The SPI selects the bit of a state. */
#define PVSVPN_TOLD_SHIFT	10

struct netlink_ext_ack;
struct pvsvpn_device;
struct pvsvpn_peer;

extern unsigned int pvsvpn_adopt_net_id;

/**
 * struct pvsvpn_adopt - adoption of XFRM's states in a network namespace
 * @net: the namespace
 * @devices: if_id -> device that was created here, by enum pvsvpn_direction; written
 *	under RTNL, read under RCU
 * @policies: the mirror of the namespace's policies
 * @sas: adopted SAs of all those devices; RTNL
 * @sweep: number of the current or last sweep over @sas; RTNL
 * @refused: a state was refused for a reason that may end, such as another SA; RTNL
 * @lock: protects the fields below, up to @gone
 * @noted: states to look at
 * @deaths: dead states, to look at when they are due; the oldest first
 * @all: look at every state
 * @later: look at every state at @later_at
 * @later_at: in jiffies
 * @later_looks: that look is under way
 * @later_last: when the last such look ended, in jiffies
 * @busy: @work has not yet looked at all of @noted and @all
 * @begun: number of rounds of @work that have begun
 * @done: number of rounds that are done
 * @waiters: wait for @done
 * @gone: the namespace is being removed, and nothing is queued any more
 * @told: one bit for several SPIs: a packet has reported the state since XFRM last did. A
 *	shared bit only loses packets that arrive before XFRM's notification
 * @parked: packets that wait for @work, by enum pvsvpn_direction; each queue has its own
 *	lock
 * @work: one round: looks at the noted states, then releases the packets
 * @late: moves due deaths and looks to @work
 */
struct pvsvpn_adopt {
	struct net *net;
	struct xarray devices[2];
	struct pvsvpn_policies policies;
	struct list_head sas;
	u32 sweep;
	bool refused;
	spinlock_t lock;
	struct list_head noted;
	struct list_head deaths;
	bool all;
	bool later;
	unsigned long later_at;
	bool later_looks;
	unsigned long later_last;
	bool busy;
	unsigned long begun;
	unsigned long done;
	wait_queue_head_t waiters;
	bool gone;
	DECLARE_BITMAP(told, 1 << PVSVPN_TOLD_SHIFT);
	struct sk_buff_head parked[2];
	struct work_struct work;
	struct delayed_work late;
};

/**
 * struct pvsvpn_adopt_wait - for pvsvpn_adopt_wait()
 * @net: the namespace, held together with the module; NULL if there is nothing to wait for
 * @round: number of the round to wait for
 */
struct pvsvpn_adopt_wait {
	struct net *net;
	unsigned long round;
};

/**
 * pvsvpn_adopt_of() - get the state of adoption in a namespace
 * @net: the namespace
 *
 * Context: any; the namespace must be alive.
 * Return: the state, valid as long as the namespace.
 */
static inline struct pvsvpn_adopt *pvsvpn_adopt_of(struct net *net)
{
	return net_generic(net, pvsvpn_adopt_net_id);
}

/**
 * pvsvpn_adopt_wanted() - check whether any device of a namespace carries XFRM's states
 * @adopt: of the namespace
 *
 * Context: any.
 * Return: true if at least one device has an if_id.
 */
static inline bool pvsvpn_adopt_wanted(const struct pvsvpn_adopt *adopt)
{
	return !xa_empty(&adopt->devices[PVSVPN_DIRECTION_IN]) ||
	       !xa_empty(&adopt->devices[PVSVPN_DIRECTION_OUT]);
}

int pvsvpn_adopt_set(struct pvsvpn_device *pvs, const u32 *if_id, struct netlink_ext_ack *extack);
void pvsvpn_adopt_forget(struct pvsvpn_device *pvs);
void pvsvpn_adopt_again(struct pvsvpn_device *pvs);
void pvsvpn_adopt_made_room(struct net *net);
bool pvsvpn_adopt_keep(struct pvsvpn_peer *peer);
void pvsvpn_adopt_hold(struct pvsvpn_device *pvs, struct pvsvpn_adopt_wait *wait);
void pvsvpn_adopt_wait(const struct pvsvpn_adopt_wait *wait);
int pvsvpn_adopt_init(void);
void pvsvpn_adopt_exit(void);

#endif /* _PVSVPN_XFRM_ADOPT_H */
