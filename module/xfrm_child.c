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
#include <linux/jhash.h>
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
 * @remote: outer address of the other end
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

static u32 key_hash(const struct child_key *key, u32 seed)
{
	return jhash_3words(key->reqid, (__force u32)key->spi,
			    jhash2((__force const u32 *)key->remote.a6,
				   key->family == AF_INET ? 1 : 4, seed),
			    (u32)((unsigned long)key->spd >> 6));
}

static u32 key_hashfn(const void *data, u32 len, u32 seed)
{
	return key_hash(data, seed);
}

static u32 child_hashfn(const void *data, u32 len, u32 seed)
{
	const struct pvsvpn_child *child = data;

	return key_hash(&child->key, seed);
}

static int child_cmpfn(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct pvsvpn_child *child = obj;
	const struct child_key *key = arg->key;

	return child->key.spd != key->spd || child->key.reqid != key->reqid ||
	       child->key.spi != key->spi ||
	       child->key.family != key->family ||
	       !xfrm_addr_equal(&child->key.remote, &key->remote, key->family);
}

static const struct rhashtable_params child_params = {
	.head_offset = offsetof(struct pvsvpn_child, node),
	.hashfn = key_hashfn,
	.obj_hashfn = child_hashfn,
	.obj_cmpfn = child_cmpfn,
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
static struct pvsvpn_child *child_get(const struct child_key *key)
{
	struct pvsvpn_child *child = child_get_plain(key);
	struct child_key plain = *key;

	if (!child || !key->spi || child->any)
		return child;
	plain.spi = 0;
	child->any = child_get_plain(&plain);
	if (child->any)
		return child;
	child_put(child);
	return NULL;
}

/* ---- from policies to SAs ---- */

static struct pvsvpn_sa *child_own_sa(const struct pvsvpn_child *child)
{
	return rcu_dereference_protected(child->sa,
		lockdep_is_held(&child->key.spd->in->lock));
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

static void sa_lead(struct pvsvpn_sa *sa, int count)
{
	u32 *same = &sa->peer->transforms[pvsvpn_transform_index(sa->transform)];
	u32 before = sa->child.users, now = before + count;

	WRITE_ONCE(sa->child.users, now);
	if (!before) {
		list_add_tail(&sa->child.led, &sa->peer->led);
		WRITE_ONCE(sa->peer->led_count, sa->peer->led_count + 1);
		WRITE_ONCE(*same, *same + 1);
	} else if (!now) {
		list_del_init(&sa->child.led);
		WRITE_ONCE(sa->peer->led_count, sa->peer->led_count - 1);
		WRITE_ONCE(*same, *same - 1);
	} else {
		/* There may be many policies, so the device only refreshes now and then. */
		peer_doubt(sa->peer);
		pvsvpn_work_refresh(sa->peer->pvs);
		return;
	}
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

/* Policies lead to the new SA before they leave the old one. */
static void child_set_sa(struct pvsvpn_child *child, struct pvsvpn_sa *sa)
{
	struct pvsvpn_sa *old = child_own_sa(child);
	u32 lead = child->lead;

	rcu_assign_pointer(child->sa, sa);
	if (sa && lead)
		sa_lead(sa, lead);
	if (old && lead)
		sa_lead(old, -lead);
	spd_wait(child->key.spd, sa ? (old ? 0 : -lead) : lead);
}

/* Choose the SA of a child. For a child with an SPI, this may start or end the use of @any. */
static void child_choose(struct pvsvpn_child *child)
{
	struct pvsvpn_sa *old = child_own_sa(child), *sa = NULL;

	if (!list_empty(&child->sas))
		sa = child->any ? list_last_entry(&child->sas, struct pvsvpn_sa,
						  child.in_named) :
				  list_last_entry(&child->sas, struct pvsvpn_sa,
						  child.in_any);
	if (sa == old)
		return;
	if (!child->any || (sa && old)) {
		child_set_sa(child, sa);
	} else if (sa) {
		child_set_sa(child, sa);
		child_lead(child, child->policies);
		child_lead(child->any, -child->policies);
	} else {
		child_lead(child->any, child->policies);
		child_lead(child, -child->policies);
		child_set_sa(child, NULL);
	}
}

/* The child whose SA the policies of @child lead to. */
static struct pvsvpn_child *child_leader(struct pvsvpn_child *child)
{
	return child->any && !child_own_sa(child) ? child->any : child;
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
	struct child_key key = {
		.spd = policy->spd,
		.remote = policy->remote,
		.family = policy->family,
		.reqid = policy->reqid,
		.spi = policy->spi,
	};

	policy->child = child_get(&key);
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
	policy->child->policies++;
	child_lead(child_leader(policy->child), 1);
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
	if (used) {
		policy->child->policies--;
		child_lead(child_leader(policy->child), -1);
	}
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

	if (sa || !child->any)
		return sa;
	return rcu_dereference(child->any->sa);
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
 * Return: 0, then call pvsvpn_child_sa_add() or pvsvpn_child_sa_del(); or -ENOMEM.
 */
int pvsvpn_child_sa_prepare(struct pvsvpn_sa *sa)
{
	spinlock_t *lock = pvsvpn_child_lock(sa->peer->pvs);
	struct child_key key = { .spd = sa->peer->pvs->spd };

	ASSERT_RTNL();
	if (!sa->x || sa->dir != PVSVPN_DIRECTION_OUT)
		return 0;
	key.remote = sa->x->id.daddr;
	key.family = sa->x->props.family;
	key.reqid = sa->x->props.reqid;
	key.spi = sa->x->id.spi;
	INIT_LIST_HEAD(&sa->child.in_any);
	INIT_LIST_HEAD(&sa->child.in_named);
	spin_lock_bh(lock);
	sa->child.named = child_get(&key);
	if (sa->child.named)
		sa->child.any = sa->child.named->any;
	spin_unlock_bh(lock);
	return sa->child.named ? 0 : -ENOMEM;
}

/**
 * pvsvpn_child_sa_add() - let policies lead to an SA
 * @sa: after pvsvpn_child_sa_prepare()
 *
 * The caller must let the peer choose again.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_child_sa_add(struct pvsvpn_sa *sa)
{
	spinlock_t *lock = pvsvpn_child_lock(sa->peer->pvs);
	struct pvsvpn_sa_child *child = &sa->child;

	ASSERT_RTNL();
	if (!sa_has_child(sa))
		return;
	spin_lock_bh(lock);
	list_add_tail(&child->in_any, &child->any->sas);
	list_add_tail(&child->in_named, &child->named->sas);
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
 * pvsvpn_child_sa_expired() - prefer any other SA of the child to an expired one
 * @sa: the expired SA; nothing happens if it has no child
 *
 * Context: process, RTNL held.
 */
void pvsvpn_child_sa_expired(struct pvsvpn_sa *sa)
{
	spinlock_t *lock = pvsvpn_child_lock(sa->peer->pvs);
	struct pvsvpn_sa_child *child = &sa->child;

	ASSERT_RTNL();
	if (!sa_has_child(sa))
		return;
	spin_lock_bh(lock);
	list_move(&child->in_any, &child->any->sas);
	list_move(&child->in_named, &child->named->sas);
	sa_children_choose(child);
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
