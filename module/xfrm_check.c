// SPDX-License-Identifier: GPL-2.0
/*
 * Checks of packets against the policies: by which SA a packet leaves, and whether it may arrive
 * by the SA that has carried it. The current SA of a peer follows from the same checks.
 */
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <net/xfrm.h>

#include "destination.h"
#include "device.h"
#include "peer.h"
#include "sa.h"
#include "stats.h"
#include "xfrm_check.h"
#include "xfrm_child.h"
#include "xfrm_spd.h"
#include "xfrm_traffic.h"

/* Routes and subnets select the peer; only policies that lead to it count. */
static bool leads_to(const struct pvsvpn_policy *policy, const void *data)
{
	const struct pvsvpn_endpoint *endpoint;
	const struct pvsvpn_peer *peer = data;
	const struct pvsvpn_sa *sa;

	if (policy->kind == PVSVPN_POLICY_BLOCK)
		return true;
	sa = pvsvpn_child_sa(policy->child);
	if (sa)
		return sa->peer == peer;
	endpoint = pvsvpn_peer_endpoint(peer);
	return policy->family == endpoint->family &&
	       xfrm_addr_equal(&policy->remote, &endpoint->remote, policy->family);
}

/* How many pairs of prefixes and policies one check may look at */
#define LOOKS_MAX	512

/**
 * struct pairs - check of all pairs of a peer's subnets and local subnets
 * @peer: the peer
 * @destination: its local subnets, or NULL
 * @looks: how many more pairs and policies may be looked at
 */
struct pairs {
	const struct pvsvpn_peer *peer;
	const struct pvsvpn_destination *destination;
	unsigned int looks;
};

/* Count only a policy with an SA, because the peer is refreshed when its SA changes. */
static bool carries_to(const struct pvsvpn_policy *policy, const void *data)
{
	/* An outbound policy that blocks has no child. */
	const struct pvsvpn_sa *sa = policy->child ? pvsvpn_child_sa(policy->child) : NULL;

	return sa && sa->peer == data;
}

static bool pair_covered(struct pairs *pairs, const struct pvsvpn_prefix *to,
			 const struct pvsvpn_prefix *from)
{
	if (!pairs->looks)
		return false;
	pairs->looks--;
	return to->family != from->family ||
	       pvsvpn_spd_has_all(pairs->peer->pvs->spd, PVSVPN_DIRECTION_OUT,
				  to, from, &pairs->looks, carries_to,
				  pairs->peer);
}

static bool subnet_covered(struct pairs *pairs, const struct pvsvpn_prefix *to)
{
	unsigned int i;

	if (!pairs->destination)
		return pair_covered(pairs, to, &pvsvpn_selector_all[to->family == AF_INET6]);
	for (i = 0; i < pairs->destination->count; i++)
		if (!pair_covered(pairs, to, &pairs->destination->prefixes[i]))
			return false;
	return true;
}

/*
 * Whether policies lead all packets of a peer to it. The other end may have agreed to fewer subnets
 * than the peer has. For each pair of a subnet and a local subnet, one policy has to cover all
 * packets between them. Return: false also if the check would take too long.
 */
static bool peer_covered(const struct pvsvpn_peer *peer)
{
	struct pairs pairs = {
		.peer = peer,
		.destination = rtnl_dereference(peer->destination),
		.looks = LOOKS_MAX,
	};
	const struct pvsvpn_subnet *subnet;
	bool covered = true;

	rcu_read_lock();
	list_for_each_entry(subnet, &peer->subnets, list) {
		covered = subnet_covered(&pairs, &subnet->prefix);
		if (!covered)
			break;
	}
	rcu_read_unlock();
	return covered;
}

/**
 * pvsvpn_check_select() - choose the current outbound SA of a peer
 * @peer: the peer
 * @other: the SA to use if no policy leads to any, or NULL
 *
 * Packets ask the policies if those lead to several SAs, or to one SA but not with all
 * packets. All other users take the chosen SA.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_check_select(struct pvsvpn_peer *peer, struct pvsvpn_sa *other)
{
	spinlock_t *lock = pvsvpn_child_lock(peer->pvs);

	ASSERT_RTNL();
	spin_lock_bh(lock);
	if (peer->led_count)
		other = list_last_entry(&peer->led, struct pvsvpn_sa, child.led);
	rcu_assign_pointer(peer->tx_sa, other);
	if (peer->led_anew)
		/* A packet that reads false also sees the new tx_sa. */
		smp_store_release(&peer->by_policy, peer->led_count > 1 ||
				  (peer->led_count && !peer_covered(peer)));
	WRITE_ONCE(peer->led_anew, false);
	spin_unlock_bh(lock);
}

/**
 * pvsvpn_check_asked() - check whether policies decide which SA a packet takes
 * @peer: the peer of the packet
 *
 * If they lead all packets to one SA and block nothing, routes and subnets decide. A policy
 * without an SA also counts, because it may be more urgent than those that have one.
 *
 * Context: RCU read-side critical section.
 * Return: true if pvsvpn_check_out() must select the SA.
 */
bool pvsvpn_check_asked(const struct pvsvpn_peer *peer)
{
	const struct pvsvpn_spd_half *half =
		&peer->pvs->spd->halves[PVSVPN_DIRECTION_OUT];

	/* Pairs with the release in pvsvpn_check_select(). */
	return smp_load_acquire(&peer->by_policy) ||
	       READ_ONCE(half->blocks) || READ_ONCE(half->waiting);
}

/**
 * pvsvpn_check_asks_ports() - check whether policies select a peer's packets by ports
 * @peer: the peer
 *
 * If so, they must not get fragments: only the first one has ports.
 *
 * Context: RCU read-side critical section.
 * Return: true if they do.
 */
bool pvsvpn_check_asks_ports(const struct pvsvpn_peer *peer)
{
	return pvsvpn_check_asked(peer) &&
	       READ_ONCE(peer->pvs->spd->halves[PVSVPN_DIRECTION_OUT].ports);
}

/* The policy of the packet that an ICMP error quotes; that packet went the other way. */
static const struct pvsvpn_policy *
policy_of_quoted(const struct pvsvpn_device *pvs, u8 dir, struct sk_buff *skb,
		 unsigned int offset, pvsvpn_spd_fits fits, const void *data)
{
	struct pvsvpn_spd_packet packet = {
		.skb = skb,
		.pvs = pvs,
		.opaque = dir == PVSVPN_DIRECTION_IN,
		.reversed = true,
	};
	const struct pvsvpn_policy *policy;

	if (!offset)
		return NULL;
	pvsvpn_traffic_enter(skb, offset);
	policy = pvsvpn_spd_find(&packet, dir, fits, data);
	pvsvpn_traffic_leave(skb, offset);
	return policy;
}

/**
 * pvsvpn_check_out() - find the outbound SA of an inner packet by the policies
 * @peer: the peer of the packet; pvsvpn_check_asked() returned true for it
 * @skb: inner packet with a whole IP header, protocol set
 * @sa: set to the SA, or NULL
 *
 * RFC 4301 section 4.4.1.1: addresses, protocol and ports; the most urgent policy that
 * fits decides. An ICMP error may come from any router behind this end: if no policy
 * fits it, it leaves like a reply to the packet that it quotes (section 6.2).
 *
 * Context: RCU read-side critical section.
 * Return: PVSVPN_PASS or a drop reason.
 */
int pvsvpn_check_out(const struct pvsvpn_peer *peer, struct sk_buff *skb, struct pvsvpn_sa **sa)
{
	struct pvsvpn_spd_packet packet = { .skb = skb, .pvs = peer->pvs };
	bool led = READ_ONCE(peer->led_count);
	const struct pvsvpn_policy *policy;

	*sa = NULL;
	if (READ_ONCE(peer->pvs->spd->halves[PVSVPN_DIRECTION_OUT].blind))
		return PVSVPN_DROP_TX_BLOCKED;
	policy = pvsvpn_spd_find(&packet, PVSVPN_DIRECTION_OUT, leads_to, peer);
	if (!policy && led)
		policy = policy_of_quoted(peer->pvs, PVSVPN_DIRECTION_OUT, skb,
					  pvsvpn_traffic_error(skb), leads_to,
					  peer);
	if (policy && policy->kind == PVSVPN_POLICY_BLOCK)
		return PVSVPN_DROP_TX_BLOCKED;
	if (policy)
		*sa = pvsvpn_child_sa(policy->child);
	else if (led)
		return PVSVPN_DROP_TX_NO_POLICY;
	/* Before policies lead to any SA, use the current one. Later it is another policy's. */
	if (!*sa && !led)
		*sa = rcu_dereference(peer->tx_sa);
	return PVSVPN_PASS;
}

/* Compare as XFRM compares a template with a state. */
static bool template_is(const struct pvsvpn_policy *policy, const void *data)
{
	const struct xfrm_state *x = data;

	if (policy->kind == PVSVPN_POLICY_BLOCK)
		return true;
	return (!policy->reqid || policy->reqid == x->props.reqid) &&
	       (!policy->spi || policy->spi == x->id.spi) &&
	       policy->family == x->props.family &&
	       (xfrm_addr_any(&policy->remote, policy->family) ||
		xfrm_addr_equal(&policy->remote, &x->props.saddr,
				policy->family));
}

/**
 * pvsvpn_check_if_id() - check that an SA was adopted after its device got its if_id
 * @sa: adopted
 *
 * If not, its policies may be gone, or gone and back, and their answer does not count. The
 * caller must therefore ask the policies first.
 *
 * Context: RCU read-side critical section.
 * Return: true if it was; false if no packet may use the SA.
 */
bool pvsvpn_check_if_id(const struct pvsvpn_sa *sa)
{
	/* Pairs with the locks between the change of an if_id and the removal of a policy. */
	smp_rmb();
	return sa->turn == READ_ONCE(sa->peer->pvs->if_id_turn[sa->dir]);
}

static int check_if_id_in(const struct pvsvpn_sa *sa)
{
	return likely(pvsvpn_check_if_id(sa)) ? PVSVPN_PASS :
						PVSVPN_DROP_RX_POLICY;
}

/**
 * pvsvpn_check_in() - check whether a packet may arrive by the SA that has carried it
 * @sa: inbound SA
 * @skb: the inner packet, decrypted, protocol set, network header at its data
 *
 * RFC 4301 section 5.2 step 4: the selectors of the child SA are those of the policies, in or
 * fwd, whose template matches the state. The direction, in or fwd, is unknown before routing, so
 * a policy of either direction may allow or block the packet. If XFRM has no policy with the
 * device's if_id, every packet passes.
 *
 * Context: RCU read-side critical section.
 * Return: PVSVPN_PASS or a drop reason.
 */
int pvsvpn_check_in(const struct pvsvpn_sa *sa, struct sk_buff *skb)
{
	struct pvsvpn_spd_packet packet = {
		.skb = skb,
		.pvs = sa->peer->pvs,
		.opaque = true,
	};
	const struct pvsvpn_spd_half *half =
		&packet.pvs->spd->halves[PVSVPN_DIRECTION_IN];
	const struct pvsvpn_policy *policy;

	if (!sa->x)
		return PVSVPN_PASS;
	if (!READ_ONCE(half->count))
		return check_if_id_in(sa);
	if (unlikely(READ_ONCE(half->blind)))
		return PVSVPN_DROP_RX_BLOCKED;
	policy = pvsvpn_spd_find(&packet, PVSVPN_DIRECTION_IN, template_is, sa->x);
	if (unlikely(!policy))
		policy = policy_of_quoted(packet.pvs, PVSVPN_DIRECTION_IN, skb,
					  pvsvpn_traffic_quoted(sa, skb),
					  template_is, sa->x);
	if (unlikely(!policy))
		return PVSVPN_DROP_RX_POLICY;
	return likely(policy->kind == PVSVPN_POLICY_PROTECT) ?
	       check_if_id_in(sa) : PVSVPN_DROP_RX_BLOCKED;
}
