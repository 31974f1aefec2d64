// SPDX-License-Identifier: GPL-2.0
/*
 * From policy to SA. A policy's template names the remote address and the reqid. The
 * policies and outbound SAs that have both in common make a child, and the newest of its
 * SAs carries the packets. A template may also name an SPI: this makes a child of its own,
 * which falls back to the first one until its SA is there. The reqid alone is not enough:
 * two gateways may have the same one.
 *
 * A child counts the policies that lead to its SA, and the SA counts them as well. So
 * adding or removing an SA touches no policy, however many there are.
 */
#include <linux/rhashtable.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include <uapi/linux/pvsvpn.h>

#include "device.h"
#include "peer.h"
#include "sa.h"
#include "transform.h"
#include "work.h"
#include "xfrm_child.h"
#include "xfrm_policy.h"

/**
 * struct child_key - the key of a child, from a template
 * @spd: SPD of the device
 * @remote: outer address of the other end; zero after an IPv4 address
 * @family: of @remote
 * @reqid: reqid of the states
 * @spi: SPI of the only state, 0 for any
 */
struct child_key {
	struct pvsvpn_spd *spd;
	xfrm_address_t remote;
	u32 family;
	u32 reqid;
	__be32 spi;
};

/**
 * struct pvsvpn_child - the policies and SAs that have a template in common
 * @node: in the table
 * @rcu: delays kfree(); lookups may still read it
 * @key: what they have in common
 * @any: if @key has an SPI: the child without it, used while this one has no SA
 * @sa: the SA that carries packets, NULL for none; read under RCU
 * @sas: its SAs, the newest last, expired ones first
 * @refs: references by policies, SAs and children
 * @policies: number of policies with @key
 * @lead: number of policies that lead to @sa: all of @policies, or 0 while they use @any,
 *	which then counts them too
 */
struct pvsvpn_child {
	struct rhash_head node;
	struct rcu_head rcu;
	struct child_key key;
	struct pvsvpn_child *any;
	struct pvsvpn_sa __rcu *sa;
	struct list_head sas;
	u32 refs;
	u32 policies;
	u32 lead;
};

/* ---- the table ---- */

static const struct rhashtable_params child_params = {
	.key_len = offsetofend(struct child_key, spi),
	.key_offset = offsetof(struct pvsvpn_child, key),
	.head_offset = offsetof(struct pvsvpn_child, node),
	.automatic_shrinking = true,
};

static struct rhashtable children;

static struct pvsvpn_child *child_new(const struct child_key *key)
{
	struct pvsvpn_child *child = kzalloc(sizeof(*child), PVSVPN_POLICY_GFP);

	if (!child)
		return NULL;
	child->key = *key;
	INIT_LIST_HEAD(&child->sas);
	if (rhashtable_insert_fast(&children, &child->node, child_params)) {
		kfree(child);
		return NULL;
	}
	return child;
}

static void child_put(struct pvsvpn_child *child)
{
	struct pvsvpn_child *any = child->any;

	if (--child->refs)
		return;
	rhashtable_remove_fast(&children, &child->node, child_params);
	kfree_rcu(child, rcu);
	if (any)
		child_put(any);
}

static struct pvsvpn_child *child_get_plain(const struct child_key *key)
{
	struct pvsvpn_child *child;

	child = rhashtable_lookup_fast(&children, key, child_params) ?:
		child_new(key);
	if (child)
		child->refs++;
	return child;
}

/* For a child with an SPI, also get its fallback. */
static struct pvsvpn_child *child_get(struct pvsvpn_spd *spd, u16 family,
				      const xfrm_address_t *remote, u32 reqid, __be32 spi)
{
	struct child_key key = {
		.spd = spd,
		.remote.a6 = { remote->a4 },
		.family = family,
		.reqid = reqid,
		.spi = spi,
	};
	struct pvsvpn_child *child;

	if (family == AF_INET6)
		key.remote = *remote;
	child = child_get_plain(&key);
	if (!child || !spi || child->any)
		return child;
	key.spi = 0;
	child->any = child_get_plain(&key);
	if (child->any)
		return child;
	child_put(child);
	return NULL;
}

/* ---- from policies to SAs ---- */

static struct pvsvpn_sa *child_own_sa(const struct pvsvpn_child *child)
{
	return rcu_dereference_protected(child->sa, lockdep_is_held(&child->key.spd->in->lock));
}

/* Make packets ask the policies until the peer has chosen again. */
static void peer_doubt(struct pvsvpn_peer *peer)
{
	WRITE_ONCE(peer->led_anew, true);
	WRITE_ONCE(peer->by_policy, true);
}

static void peer_led_elsewhere(struct pvsvpn_peer *peer)
{
	peer_doubt(peer);
	pvsvpn_peer_refresh(peer);
}

/* @count: how many more policies lead to the SA; not 0 */
static void sa_lead(struct pvsvpn_sa *sa, int count)
{
	u32 *same = &sa->peer->transforms[pvsvpn_transform_index(sa->transform)];
	u32 before = sa->child.users, now = before + count;

	WRITE_ONCE(sa->child.users, now);
	if (before && now) {
		/* There may be many policies, so the device only refreshes now and then. */
		peer_doubt(sa->peer);
		pvsvpn_work_refresh(sa->peer->pvs);
		return;
	}
	if (now)
		list_add_tail(&sa->child.led, &sa->peer->led);
	else
		list_del_init(&sa->child.led);
	WRITE_ONCE(sa->peer->led_count, sa->peer->led_count + (now ? 1 : -1));
	WRITE_ONCE(*same, *same + (now ? 1 : -1));
	peer_led_elsewhere(sa->peer);
}

/* Count policies that lead to no SA, so that their packets ask the policies. */
static void spd_wait(struct pvsvpn_spd *spd, int count)
{
	struct pvsvpn_spd_half *half = &spd->halves[PVSVPN_DIRECTION_OUT];

	WRITE_ONCE(half->waiting, half->waiting + count);
}

static void child_lead(struct pvsvpn_child *child, int count)
{
	struct pvsvpn_sa *sa = child_own_sa(child);

	child->lead += count;
	if (!sa)
		spd_wait(child->key.spd, count);
	else if (count)
		sa_lead(sa, count);
}

/* Policies lead to the new SA before they leave the old one. The two differ. */
static void child_set_sa(struct pvsvpn_child *child, struct pvsvpn_sa *sa)
{
	struct pvsvpn_sa *old = child_own_sa(child);
	u32 lead = child->lead;

	rcu_assign_pointer(child->sa, sa);
	if (sa && lead)
		sa_lead(sa, lead);
	if (old && lead)
		sa_lead(old, -lead);
	if (!sa || !old)
		spd_wait(child->key.spd, sa ? -lead : lead);
}

/* Choose the SA of a child. For a child with an SPI, this may start or end the use of @any. */
static void child_choose(struct pvsvpn_child *child)
{
	struct pvsvpn_sa *old = child_own_sa(child), *sa = NULL;

	if (!list_empty(&child->sas))
		sa = child->any ? list_last_entry(&child->sas, struct pvsvpn_sa,
						  child.in_named) :
				  list_last_entry(&child->sas, struct pvsvpn_sa, child.in_any);
	if (sa == old)
		return;
	if (child->any && !sa) {
		child_lead(child->any, child->policies);
		child_lead(child, -child->policies);
	}
	child_set_sa(child, sa);
	if (child->any && !old) {
		child_lead(child, child->policies);
		child_lead(child->any, -child->policies);
	}
}

/* Count a policy of @child, and let it lead to the SA that carries the child's packets. */
static void child_count(struct pvsvpn_child *child, int by)
{
	child->policies += by;
	child_lead(child->any && !child_own_sa(child) ? child->any : child, by);
}

/**
 * pvsvpn_child_join() - find or create the child of a policy
 * @policy: outbound, with its template; its child is set
 *
 * Context: any, the policies' lock held.
 * Return: 0 or -ENOMEM.
 */
int pvsvpn_child_join(struct pvsvpn_policy *policy)
{
	policy->child = child_get(policy->spd, policy->family, &policy->remote, policy->reqid,
				  policy->spi);
	return policy->child ? 0 : -ENOMEM;
}

/**
 * pvsvpn_child_use() - count a policy that packets start to follow
 * @policy: the policy, after pvsvpn_child_join()
 *
 * Context: any, the policies' lock held.
 */
void pvsvpn_child_use(struct pvsvpn_policy *policy)
{
	child_count(policy->child, 1);
}

/**
 * pvsvpn_child_leave() - release the child of a removed policy
 * @policy: the policy, after pvsvpn_child_join()
 * @used: true if pvsvpn_child_use() was called
 *
 * Context: any, the policies' lock held.
 */
void pvsvpn_child_leave(struct pvsvpn_policy *policy, bool used)
{
	if (used)
		child_count(policy->child, -1);
	child_put(policy->child);
}

/**
 * pvsvpn_child_sa() - get the SA that carries the packets of a child
 * @child: the child
 *
 * Context: RCU read-side critical section.
 * Return: the SA, valid until that ends, or NULL.
 */
struct pvsvpn_sa *pvsvpn_child_sa(const struct pvsvpn_child *child)
{
	struct pvsvpn_sa *sa = rcu_dereference(child->sa);

	return sa || !child->any ? sa : rcu_dereference(child->any->sa);
}

/* ---- SAs ---- */

static bool sa_has_child(const struct pvsvpn_sa *sa)
{
	return sa->x && sa->dir == PVSVPN_DIRECTION_OUT && sa->child.any;
}

/* Choose again after an SA was added to the lists, removed, or moved. */
static void sa_children_choose(const struct pvsvpn_sa_child *child)
{
	child_choose(child->any);
	child_choose(child->named);
}

/**
 * pvsvpn_child_sa_prepare() - do all steps that may fail before policies lead to an SA
 * @sa: the SA, its peer set; nothing happens unless it is adopted and outbound
 *
 * Context: process, RTNL held.
 * Return: 0, then call pvsvpn_child_sa_place() or pvsvpn_child_sa_del(); or -ENOMEM.
 */
int pvsvpn_child_sa_prepare(struct pvsvpn_sa *sa)
{
	spinlock_t *lock = pvsvpn_child_lock(sa->peer->pvs);
	const struct xfrm_state *x = sa->x;

	ASSERT_RTNL();
	if (!x || sa->dir != PVSVPN_DIRECTION_OUT)
		return 0;
	INIT_LIST_HEAD(&sa->child.in_any);
	INIT_LIST_HEAD(&sa->child.in_named);
	spin_lock_bh(lock);
	sa->child.named = child_get(sa->peer->pvs->spd, x->props.family, &x->id.daddr,
				    x->props.reqid, x->id.spi);
	if (sa->child.named)
		sa->child.any = sa->child.named->any;
	spin_unlock_bh(lock);
	return sa->child.named ? 0 : -ENOMEM;
}

/**
 * pvsvpn_child_sa_place() - let policies lead to an SA, or move it among those of its child
 * @sa: after pvsvpn_child_sa_prepare(); nothing happens if it has no child
 * @newest: prefer it to all other SAs of the child; false for an expired one: prefer any other
 *
 * The caller must let the peer choose again.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_child_sa_place(struct pvsvpn_sa *sa, bool newest)
{
	spinlock_t *lock = pvsvpn_child_lock(sa->peer->pvs);
	struct pvsvpn_sa_child *child = &sa->child;

	ASSERT_RTNL();
	if (!sa_has_child(sa))
		return;
	spin_lock_bh(lock);
	if (newest) {
		list_move_tail(&child->in_any, &child->any->sas);
		list_move_tail(&child->in_named, &child->named->sas);
	} else {
		list_move(&child->in_any, &child->any->sas);
		list_move(&child->in_named, &child->named->sas);
	}
	sa_children_choose(child);
	spin_unlock_bh(lock);
}

/**
 * pvsvpn_child_sa_del() - let policies no longer lead to an SA
 * @sa: any SA
 *
 * The caller must let the peer choose again.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_child_sa_del(struct pvsvpn_sa *sa)
{
	spinlock_t *lock = pvsvpn_child_lock(sa->peer->pvs);
	struct pvsvpn_sa_child *child = &sa->child;

	ASSERT_RTNL();
	if (!sa_has_child(sa))
		return;
	spin_lock_bh(lock);
	list_del(&child->in_any);
	list_del(&child->in_named);
	sa_children_choose(child);
	child_put(child->named);
	child->any = NULL;
	child->named = NULL;
	spin_unlock_bh(lock);
}

/**
 * pvsvpn_child_uses() - check whether packets leave by an SA because of a policy
 * @sa: any SA
 *
 * Context: process, RTNL held.
 * Return: true if policies lead to this SA and to at least one other SA of the peer.
 */
bool pvsvpn_child_uses(const struct pvsvpn_sa *sa)
{
	return READ_ONCE(sa->child.users) && READ_ONCE(sa->peer->led_count) > 1;
}

/**
 * pvsvpn_child_ask() - let packets ask the policies while a peer gets other subnets
 * @peer: the peer, before the change; pvsvpn_check_select() must follow
 *
 * Context: process, RTNL held.
 */
void pvsvpn_child_ask(struct pvsvpn_peer *peer)
{
	spinlock_t *lock = pvsvpn_child_lock(peer->pvs);

	ASSERT_RTNL();
	spin_lock_bh(lock);
	if (peer->led_count)
		peer_led_elsewhere(peer);
	spin_unlock_bh(lock);
}

/**
 * pvsvpn_child_init() - set up the table of children
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_child_init(void)
{
	return rhashtable_init(&children, &child_params);
}

/**
 * pvsvpn_child_exit() - free the table; no device may be left
 */
void pvsvpn_child_exit(void)
{
	rhashtable_destroy(&children);
}
