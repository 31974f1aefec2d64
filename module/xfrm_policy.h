/* SPDX-License-Identifier: GPL-2.0 */
/* XFRM's policies with the if_id of a device, and the SAs that they lead to. */
#ifndef _PVSVPN_XFRM_POLICY_H
#define _PVSVPN_XFRM_POLICY_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/xfrm.h>

#include "xfrm_spd.h"

struct pvsvpn_child;
struct pvsvpn_device;

/* Charge the memory of our copy to whoever installs the policy. */
#define PVSVPN_POLICY_GFP	(GFP_ATOMIC | __GFP_NOWARN | __GFP_ACCOUNT)

/**
 * struct pvsvpn_policies - the mirror of a namespace's policies
 * @net: the namespace
 * @by_index: XFRM's own number -> policy; used only under @lock
 * @lock: protects the mirror, the SPDs of the namespace's devices, the children and the
 *	lists of SAs they lead to; taken inside XFRM's own lock, takes none of XFRM's
 * @clock: increases whenever a policy is seen
 * @valid: a policy that was last seen before this @clock is gone
 * @order: increases with each new policy
 * @looking: number of the current or last look
 * @looked: number of the last look that saw everything
 * @look: another look is wanted
 * @waiting: a device waits for that look before it adopts any state
 * @swept: SPDs in which every policy was seen at @valid or later
 * @unswept: other SPDs
 * @refused: there are policies without a place to report to the operator
 * @gone: the namespace is being removed, and @work is not queued any more
 * @mutex: allows one look at a time; protects the fields below
 * @walk: position of the look
 * @walking: a look is under way
 * @begun: @clock when it began
 * @before: @clock when the previous complete look began
 * @left: how many more complete looks must follow
 * @next_order: order of the next policy that the look finds; decreases
 * @work: looks, sweeps and reports to the operator
 */
struct pvsvpn_policies {
	struct net *net;
	struct rhashtable by_index;
	spinlock_t lock;
	u64 clock;
	u64 valid;
	u64 order;
	u32 looking;
	u32 looked;
	bool look;
	bool waiting;
	struct list_head swept;
	struct list_head unswept;
	bool refused;
	bool gone;
	struct mutex mutex;
	struct xfrm_policy_walk walk;
	bool walking;
	u64 begun;
	u64 before;
	unsigned int left;
	u64 next_order;
	struct delayed_work work;
};

/**
 * struct pvsvpn_sa_child - which policies lead to an outbound SA
 * @any: the child of its remote address and reqid; NULL if the SA has none
 * @named: the child that also has its SPI
 * @in_any: in the list of @any
 * @in_named: in the list of @named
 * @users: number of policies that lead to the SA
 * @led: in the peer's list while @users is not 0
 */
struct pvsvpn_sa_child {
	struct pvsvpn_child *any;
	struct pvsvpn_child *named;
	struct list_head in_any;
	struct list_head in_named;
	u32 users;
	struct list_head led;
};

int pvsvpn_policy_notify(struct xfrm_policy *xp, int dir, const struct km_event *c);
void pvsvpn_policy_look_soon(struct pvsvpn_policies *policies, unsigned long delay);
void pvsvpn_policy_look(struct pvsvpn_policies *policies);
void pvsvpn_policy_sweep(struct pvsvpn_policies *policies);
int pvsvpn_policy_device_init(struct pvsvpn_device *pvs);
void pvsvpn_policy_device_exit(struct pvsvpn_device *pvs);
void pvsvpn_policy_device_free(struct pvsvpn_device *pvs);
void pvsvpn_policy_follow(struct pvsvpn_device *pvs);
bool pvsvpn_policy_whole(const struct pvsvpn_device *pvs);
int pvsvpn_policy_net_init(struct pvsvpn_policies *policies, struct net *net);
void pvsvpn_policy_net_stop(struct pvsvpn_policies *policies);
void pvsvpn_policy_net_exit(struct pvsvpn_policies *policies);

#endif /* _PVSVPN_XFRM_POLICY_H */
