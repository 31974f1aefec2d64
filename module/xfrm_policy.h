/* SPDX-License-Identifier: GPL-2.0 */
/* Outbound policies of XFRM, where a peer's child SAs differ by them. */
#ifndef _PVSVPN_XFRM_POLICY_H
#define _PVSVPN_XFRM_POLICY_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <net/xfrm.h>

struct pvsvpn_peer;
struct pvsvpn_sa;
struct sk_buff;

/**
 * struct pvsvpn_policy - what an outbound policy says about a peer
 * @list: in the peer's list, the most urgent first; written under RTNL, read under RCU
 * @rcu: lookups may still see it when it is freed
 * @selector: which inner packets; with the device the key of the policy
 * @priority: the lower, the more urgent
 * @reqid: of the states that they may leave by
 * @spi: of the one state that they are to leave by, 0 for the newest of @reqid
 * @stale: not seen since the last look at all policies began; RTNL
 * @sa: the outbound SA that follows from these, NULL if there is none; written under
 *	RTNL. Goes before the SA does
 */
struct pvsvpn_policy {
	struct list_head list;
	struct rcu_head rcu;
	struct xfrm_selector selector;
	u32 priority;
	u32 reqid;
	__be32 spi;
	bool stale;
	struct pvsvpn_sa __rcu *sa;
};

bool pvsvpn_policy_matters(const struct xfrm_policy *xp, int dir);
struct pvsvpn_policy *pvsvpn_policy_read(const struct xfrm_policy *xp);
void pvsvpn_policy_set(struct pvsvpn_peer *peer, struct pvsvpn_policy *policy);
void pvsvpn_policy_del(struct pvsvpn_peer *peer,
		       const struct pvsvpn_policy *policy);
void pvsvpn_policy_del_all(struct pvsvpn_peer *peer);
void pvsvpn_policy_doubt(struct pvsvpn_peer *peer);
void pvsvpn_policy_settle(struct pvsvpn_peer *peer);
struct pvsvpn_sa *pvsvpn_policy_select(struct pvsvpn_peer *peer,
				       enum pvsvpn_policies what,
				       struct pvsvpn_sa *sa);
bool pvsvpn_policy_uses(const struct pvsvpn_peer *peer,
			const struct pvsvpn_sa *sa);
bool pvsvpn_policy_matches(const struct xfrm_selector *selector,
			   const struct sk_buff *skb);
struct pvsvpn_sa *pvsvpn_policy_sa(const struct pvsvpn_peer *peer,
				   const struct sk_buff *skb, bool *covered);

#endif /* _PVSVPN_XFRM_POLICY_H */
