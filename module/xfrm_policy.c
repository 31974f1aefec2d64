// SPDX-License-Identifier: GPL-2.0
/*
 * The SPD of an adopted peer (RFC 4301 section 4.4.1), as far as it has a say: an IKE daemon
 * names the outbound SA by the policy, and where two child SAs go to one peer, the policies'
 * selectors tell their packets apart. As long as all policies lead to one SA, no packet
 * looks at them: routes and subnets have said enough.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "peer.h"
#include "pmtu.h"
#include "sa.h"
#include "xfrm_policy.h"

/* ---- what XFRM has ---- */

/**
 * pvsvpn_policy_matters() - is a policy one that a device could follow?
 * @xp: the policy
 * @dir: XFRM_POLICY_IN, _OUT or _FWD
 *
 * Outbound, with an if_id, and of a tunnel by ESP, so that it has an address.
 *
 * Context: any.
 */
bool pvsvpn_policy_matters(const struct xfrm_policy *xp, int dir)
{
	return dir == XFRM_POLICY_OUT && xp->if_id && xp->xfrm_nr &&
	       xp->xfrm_vec[0].id.proto == IPPROTO_ESP &&
	       xp->xfrm_vec[0].mode == XFRM_MODE_TUNNEL;
}

/**
 * pvsvpn_policy_read() - note what a policy says
 * @xp: one that matters
 *
 * Context: any. Return: the note, to be given to pvsvpn_policy_set() or freed, or NULL.
 */
struct pvsvpn_policy *pvsvpn_policy_read(const struct xfrm_policy *xp)
{
	struct pvsvpn_policy *policy = kzalloc(sizeof(*policy),
						GFP_ATOMIC | __GFP_ACCOUNT);

	if (!policy)
		return NULL;
	policy->selector = xp->selector;
	policy->priority = xp->priority;
	policy->reqid = xp->xfrm_vec[0].reqid;
	policy->spi = xp->xfrm_vec[0].id.spi;
	return policy;
}

/* ---- what a peer has of it ---- */

static struct pvsvpn_policy *policy_find(struct pvsvpn_peer *peer,
					 const struct xfrm_selector *selector)
{
	struct pvsvpn_policy *policy;

	list_for_each_entry(policy, &peer->policies, list)
		if (!memcmp(&policy->selector, selector, sizeof(*selector)))
			return policy;
	return NULL;
}

/* Behind those that are as urgent. */
static void policy_insert(struct pvsvpn_peer *peer, struct pvsvpn_policy *policy)
{
	struct list_head *next = &peer->policies;
	struct pvsvpn_policy *other;

	list_for_each_entry(other, &peer->policies, list) {
		if (other->priority > policy->priority) {
			next = &other->list;
			break;
		}
	}
	list_add_tail_rcu(&policy->list, next);
}

static void policy_remove(struct pvsvpn_policy *policy)
{
	list_del_rcu(&policy->list);
	kfree_rcu(policy, rcu);
}

/* All policies have the SAs that they lead to, or are not asked any more. */
static void peer_follow_policies(struct pvsvpn_peer *peer)
{
	pvsvpn_peer_select_again(peer, PVSVPN_POLICIES_KEEP, NULL);
	pvsvpn_pmtu_changed(peer);
}

/* The one that it names, or the newest that a template of stock IPsec would take. */
static struct pvsvpn_sa *policy_choose(struct pvsvpn_peer *peer,
				       const struct pvsvpn_policy *policy)
{
	struct pvsvpn_sa *sa, *newest = NULL;

	list_for_each_entry(sa, &peer->outbound, outbound) {
		if (!sa->x || test_bit(PVSVPN_SA_EXPIRED, &sa->flags))
			continue;
		if (policy->spi && sa->spi == policy->spi)
			return sa;
		if (sa->x->props.reqid == policy->reqid)
			newest = sa;
	}
	return newest;
}

/**
 * pvsvpn_policy_set() - a policy is there, or has changed
 * @peer: whom it leads to
 * @policy: from pvsvpn_policy_read(); the peer's from now on
 *
 * Context: process, RTNL held.
 */
void pvsvpn_policy_set(struct pvsvpn_peer *peer, struct pvsvpn_policy *policy)
{
	struct pvsvpn_policy *old = policy_find(peer, &policy->selector);

	ASSERT_RTNL();
	if (old && old->priority == policy->priority &&
	    old->reqid == policy->reqid && old->spi == policy->spi) {
		old->stale = false;
		kfree(policy);
		return;
	}
	/* It has its SA before packets find it, and they do before the old one goes. */
	RCU_INIT_POINTER(policy->sa, policy_choose(peer, policy));
	policy_insert(peer, policy);
	if (old)
		policy_remove(old);
	peer_follow_policies(peer);
}

/**
 * pvsvpn_policy_del() - a policy is gone
 * @peer: whom it led to
 * @policy: what it said
 *
 * Context: process, RTNL held.
 */
void pvsvpn_policy_del(struct pvsvpn_peer *peer,
		       const struct pvsvpn_policy *policy)
{
	struct pvsvpn_policy *old = policy_find(peer, &policy->selector);

	ASSERT_RTNL();
	if (!old)
		return;
	policy_remove(old);
	peer_follow_policies(peer);
}

/**
 * pvsvpn_policy_del_all() - a peer goes
 * @peer: the peer; no packet finds it any more
 *
 * Context: process, RTNL held.
 */
void pvsvpn_policy_del_all(struct pvsvpn_peer *peer)
{
	struct pvsvpn_policy *policy, *next;

	ASSERT_RTNL();
	list_for_each_entry_safe(policy, next, &peer->policies, list)
		policy_remove(policy);
}

/**
 * pvsvpn_policy_doubt() - a look at all policies begins
 * @peer: which may have some that are gone
 *
 * Context: process, RTNL held.
 */
void pvsvpn_policy_doubt(struct pvsvpn_peer *peer)
{
	struct pvsvpn_policy *policy;

	ASSERT_RTNL();
	list_for_each_entry(policy, &peer->policies, list)
		policy->stale = true;
}

/**
 * pvsvpn_policy_settle() - all that are there have been set
 * @peer: which loses the others
 *
 * Context: process, RTNL held.
 */
void pvsvpn_policy_settle(struct pvsvpn_peer *peer)
{
	struct pvsvpn_policy *policy, *next;
	bool lost = false;

	ASSERT_RTNL();
	list_for_each_entry_safe(policy, next, &peer->policies, list) {
		if (!policy->stale)
			continue;
		policy_remove(policy);
		lost = true;
	}
	if (lost)
		peer_follow_policies(peer);
}

/* ---- from policy to SA ---- */

/* An SA that has come is the newest. One that a policy names goes before it. */
static struct pvsvpn_sa *policy_with(const struct pvsvpn_policy *policy,
				     struct pvsvpn_sa *sa)
{
	struct pvsvpn_sa *now = rtnl_dereference(policy->sa);

	if (policy->spi && policy->spi == sa->spi)
		return sa;
	if (sa->x->props.reqid != policy->reqid ||
	    (now && policy->spi && now->spi == policy->spi))
		return now;
	return sa;
}

/*
 * With many SAs and policies, a walk over all SAs for each policy would keep RTNL for
 * long. So an SA that comes is compared, and one that goes concerns its own policies.
 */
static struct pvsvpn_sa *policy_again(struct pvsvpn_peer *peer,
				      const struct pvsvpn_policy *policy,
				      enum pvsvpn_policies what,
				      struct pvsvpn_sa *sa)
{
	struct pvsvpn_sa *now = rtnl_dereference(policy->sa);

	switch (what) {
	case PVSVPN_POLICIES_WITH:
		return policy_with(policy, sa);
	case PVSVPN_POLICIES_WITHOUT:
		return now == sa ? policy_choose(peer, policy) : now;
	case PVSVPN_POLICIES_KEEP:
		return now;
	default:
		return policy_choose(peer, policy);
	}
}

/**
 * pvsvpn_policy_select() - choose the outbound SA of each policy again
 * @peer: the peer
 * @what: what has changed
 * @sa: the adopted SA that has come or gone, in the peer's lists or no longer
 *
 * Context: process, RTNL held.
 * Return: the SA of the most urgent policy that has one; NULL without.
 */
struct pvsvpn_sa *pvsvpn_policy_select(struct pvsvpn_peer *peer,
				       enum pvsvpn_policies what,
				       struct pvsvpn_sa *sa)
{
	struct pvsvpn_sa *now, *first = NULL;
	struct pvsvpn_policy *policy;
	bool differ = false;

	ASSERT_RTNL();
	list_for_each_entry(policy, &peer->policies, list) {
		now = policy_again(peer, policy, what, sa);
		rcu_assign_pointer(policy->sa, now);
		differ |= first && now && now != first;
		first = first ?: now;
	}
	WRITE_ONCE(peer->by_policy, differ);
	return first;
}

/**
 * pvsvpn_policy_uses() - do packets leave by an SA because a policy says so?
 * @peer: the peer
 * @sa: an SA of it
 *
 * Context: process, RTNL held.
 */
bool pvsvpn_policy_uses(const struct pvsvpn_peer *peer,
			const struct pvsvpn_sa *sa)
{
	const struct pvsvpn_policy *policy;

	if (!peer->by_policy)
		return false;
	list_for_each_entry(policy, &peer->policies, list)
		if (rtnl_dereference(policy->sa) == sa)
			return true;
	return false;
}

/* ---- from packet to policy ---- */

/**
 * struct upper - what of an inner packet is above IP
 * @proto: protocol, 0 as long as nobody has looked
 * @ports: source and destination, or type and code of ICMP; 0 where there are none
 */
struct upper {
	u8 proto;
	__be16 ports[2];
};

static void upper_read_ports(struct upper *upper, const struct sk_buff *skb,
			     int offset)
{
	const u8 *icmp;
	u8 buf[2];

	switch (upper->proto) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		icmp = skb_header_pointer(skb, offset, sizeof(buf), buf);
		if (icmp) {
			upper->ports[0] = htons(icmp[0]);
			upper->ports[1] = htons(icmp[1]);
		}
		break;
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		skb_copy_bits(skb, offset, upper->ports, sizeof(upper->ports));
		break;
	}
}

/* A fragment that is not the first has no ports, as in stock IPsec. */
static void upper_read(struct upper *upper, const struct sk_buff *skb)
{
	__be16 frag_off = 0;
	int offset;

	if (skb->protocol == htons(ETH_P_IP)) {
		upper->proto = ip_hdr(skb)->protocol;
		frag_off = ip_hdr(skb)->frag_off & htons(IP_OFFSET);
		offset = ip_hdrlen(skb);
	} else {
		upper->proto = ipv6_hdr(skb)->nexthdr;
		offset = ipv6_skip_exthdr(skb, sizeof(struct ipv6hdr),
					  &upper->proto, &frag_off);
		frag_off &= htons(IP6_OFFSET);
	}
	if (!frag_off && offset > 0)
		upper_read_ports(upper, skb, offset);
}

static bool addresses_match(const struct xfrm_selector *selector,
			    const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return selector->family == AF_INET &&
		       addr4_match(ip_hdr(skb)->daddr, selector->daddr.a4,
				   selector->prefixlen_d) &&
		       addr4_match(ip_hdr(skb)->saddr, selector->saddr.a4,
				   selector->prefixlen_s);
	return selector->family == AF_INET6 &&
	       addr_match(&ipv6_hdr(skb)->daddr, &selector->daddr,
			  selector->prefixlen_d) &&
	       addr_match(&ipv6_hdr(skb)->saddr, &selector->saddr,
			  selector->prefixlen_s);
}

static bool upper_matches(const struct xfrm_selector *selector,
			  const struct upper *upper)
{
	return (!selector->proto || selector->proto == upper->proto) &&
	       !((selector->sport ^ upper->ports[0]) & selector->sport_mask) &&
	       !((selector->dport ^ upper->ports[1]) & selector->dport_mask);
}

/**
 * pvsvpn_policy_matches() - does a selector cover a packet?
 * @selector: the selector, of a family
 * @skb: inner packet with a whole IP header, protocol set
 *
 * Context: any.
 */
bool pvsvpn_policy_matches(const struct xfrm_selector *selector,
			   const struct sk_buff *skb)
{
	struct upper upper = {};

	if (!addresses_match(selector, skb))
		return false;
	if (!selector->proto && !selector->sport_mask && !selector->dport_mask)
		return true;
	upper_read(&upper, skb);
	return upper_matches(selector, &upper);
}

/**
 * pvsvpn_policy_sa() - the outbound SA of an inner packet, by the policies
 * @peer: the packet's, with @by_policy
 * @skb: inner packet with a whole IP header, protocol set
 * @covered: set to whether any policy has the packet
 *
 * RFC 4301 section 4.4.1.1: addresses, protocol and ports; the first policy that fits
 * has the packet.
 *
 * Context: RCU read side. Return: the SA, or NULL.
 */
struct pvsvpn_sa *pvsvpn_policy_sa(const struct pvsvpn_peer *peer,
				   const struct sk_buff *skb, bool *covered)
{
	const struct pvsvpn_policy *policy;
	struct upper upper = {};

	*covered = true;
	list_for_each_entry_rcu(policy, &peer->policies, list) {
		if (!addresses_match(&policy->selector, skb))
			continue;
		if (policy->selector.proto) {
			if (!upper.proto)
				upper_read(&upper, skb);
			if (!upper_matches(&policy->selector, &upper))
				continue;
		}
		return rcu_dereference(policy->sa);
	}
	*covered = false;
	return NULL;
}
