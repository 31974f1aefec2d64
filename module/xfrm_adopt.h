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
 * @refused: a state was refused for what another SA, peer or address did; RTNL
 * @unsettled: states have died since the work began to look at all; the work's own
 * @retry: memory has run out on the way; the work's own
 * @lock: protects @noted, @all and @busy
 * @noted: states to look at
 * @all: look at every state
 * @busy: @work has not yet looked at all of that
 * @told: a bit for each state that a packet has told of since XFRM did; a wrong one
 *	loses packets of the moment before XFRM's word, no more
 * @parked: packets that were faster than @work, by enum pvsvpn_direction; each has
 *	its own lock
 * @work: looks at states, then lets the packets go
 */
struct pvsvpn_adopt {
	struct net *net;
	struct xarray devices[2];
	struct pvsvpn_policies policies;
	struct list_head sas;
	bool refused;
	bool unsettled;
	bool retry;
	spinlock_t lock;
	struct list_head noted;
	bool all;
	bool busy;
	DECLARE_BITMAP(told, 1 << PVSVPN_TOLD_SHIFT);
	struct sk_buff_head parked[2];
	struct delayed_work work;
};

void pvsvpn_adopt_net_init(struct pvsvpn_adopt *adopt, struct net *net);
void pvsvpn_adopt_net_exit(struct pvsvpn_adopt *adopt);
int pvsvpn_adopt_set(struct pvsvpn_device *pvs, u32 in, u32 out,
		     struct netlink_ext_ack *extack);
void pvsvpn_adopt_forget(struct pvsvpn_device *pvs);
bool pvsvpn_adopt_wanted(const struct pvsvpn_adopt *adopt);
void pvsvpn_adopt_again(struct pvsvpn_device *pvs);
bool pvsvpn_adopt_keep(struct pvsvpn_peer *peer);
struct net *pvsvpn_adopt_hold(struct pvsvpn_device *pvs);
void pvsvpn_adopt_wait(struct net *net);

#endif /* _PVSVPN_XFRM_ADOPT_H */
