/* SPDX-License-Identifier: GPL-2.0 */
/* SAs that an IKE daemon, or ip xfrm state, has installed in XFRM. */
#ifndef _PVSVPN_XFRM_ADOPT_H
#define _PVSVPN_XFRM_ADOPT_H

#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/xfrm.h>

#include "xfrm_policy.h"

/* A state's place in @told follows from its SPI. */
#define PVSVPN_TOLD_SHIFT	10

struct netlink_ext_ack;
struct pvsvpn_device;
struct pvsvpn_peer;

/**
 * struct pvsvpn_adopt - what a network namespace has to do with XFRM's states
 * @net: the namespace
 * @devices: if_id -> device that was born here, by enum pvsvpn_direction; written
 *	under RTNL, read under RCU
 * @policies: the mirror of the namespace's policies
 * @sas: adopted SAs of all those devices; RTNL
 * @sweep: number of the sweep over @sas that goes on, or was the last; RTNL
 * @refused: a state was refused for what another SA, peer or address did; RTNL
 * @lock: protects what follows, up to @gone
 * @noted: states to look at
 * @deaths: states that are dead, to look at when they are due; the oldest first
 * @all: look at every state
 * @later: look at every state at @later_at
 * @later_at: in jiffies
 * @later_looks: that look goes on
 * @later_last: when it ended for the last time
 * @busy: @work has not yet looked at all of @noted and @all
 * @begun: how many rounds of @work have begun
 * @done: how many of them are done
 * @waiters: for @done
 * @gone: the namespace goes, and nothing is queued any more
 * @told: a bit for each state that a packet has told of since XFRM did; a wrong one
 *	loses packets of the moment before XFRM's word, no more
 * @parked: packets that were faster than @work, by enum pvsvpn_direction; each has
 *	its own lock
 * @work: looks at states, then lets the packets go; one round of all that there is
 * @late: hands @work what is due
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
 * @net: the namespace, held, as is the module; NULL where there is nothing to wait for
 * @round: of the work
 */
struct pvsvpn_adopt_wait {
	struct net *net;
	unsigned long round;
};

void pvsvpn_adopt_net_init(struct pvsvpn_adopt *adopt, struct net *net);
void pvsvpn_adopt_net_exit(struct pvsvpn_adopt *adopt);
int pvsvpn_adopt_set(struct pvsvpn_device *pvs, u32 in, u32 out,
		     struct netlink_ext_ack *extack);
void pvsvpn_adopt_forget(struct pvsvpn_device *pvs);
bool pvsvpn_adopt_wanted(const struct pvsvpn_adopt *adopt);
void pvsvpn_adopt_again(struct pvsvpn_device *pvs);
void pvsvpn_adopt_made_room(struct net *net);
bool pvsvpn_adopt_keep(struct pvsvpn_peer *peer);
void pvsvpn_adopt_hold(struct pvsvpn_device *pvs,
		       struct pvsvpn_adopt_wait *wait);
void pvsvpn_adopt_wait(const struct pvsvpn_adopt_wait *wait);

#endif /* _PVSVPN_XFRM_ADOPT_H */
