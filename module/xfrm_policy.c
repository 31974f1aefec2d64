// SPDX-License-Identifier: GPL-2.0
/*
 * The mirror of XFRM's policies: those with a device's if_id, for all three directions,
 * whether or not there is a peer that they lead to. See Documentation/ike.rst.
 *
 * XFRM tells of each policy that comes, changes or goes, in atomic context, and the mirror
 * has it when the request returns: it has a lock of its own, not RTNL. So no policy waits
 * for anybody, and no packet is faster than its policies.
 *
 * A look at all policies is for a device that gets its if_id, and for what XFRM does not
 * tell: a migration, or a policy for which there was no memory. It goes by chunks, and
 * nobody waits for it either.
 */
#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <linux/slab.h>

#include "device.h"
#include "event.h"
#include "peer.h"
#include "sa.h"
#include "stats.h"
#include "xfrm_adopt.h"
#include "xfrm_child.h"
#include "xfrm_notify.h"
#include "xfrm_policy.h"
#include "xfrm_spd.h"

/* Policies in one hold of a lock. */
#define CHUNK		128
/* When memory has run out, in jiffies. */
#define RETRY_DELAY	(HZ / 5)

/* ---- policies by (namespace, index) ---- */

struct index_key {
	const struct pvsvpn_policies *in;
	u32 index;
};

static u32 index_hash(const struct pvsvpn_policies *in, u32 index, u32 seed)
{
	return jhash_2words(index, (u32)((unsigned long)in >> 6), seed);
}

static u32 index_key_hashfn(const void *data, u32 len, u32 seed)
{
	const struct index_key *key = data;

	return index_hash(key->in, key->index, seed);
}

static u32 index_obj_hashfn(const void *data, u32 len, u32 seed)
{
	const struct pvsvpn_policy *policy = data;

	return index_hash(policy->in, policy->index, seed);
}

static int index_cmpfn(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct pvsvpn_policy *policy = obj;
	const struct index_key *key = arg->key;

	return policy->in != key->in || policy->index != key->index;
}

static const struct rhashtable_params index_params = {
	.head_offset = offsetof(struct pvsvpn_policy, by_index),
	.hashfn = index_key_hashfn,
	.obj_hashfn = index_obj_hashfn,
	.obj_cmpfn = index_cmpfn,
	.automatic_shrinking = true,
};

static struct rhashtable policies_by_index;

static struct pvsvpn_policy *policy_find(const struct pvsvpn_policies *policies,
					 const struct xfrm_policy *xp)
{
	struct index_key key = { policies, xp->index };

	return rhashtable_lookup_fast(&policies_by_index, &key, index_params);
}

/* ---- what XFRM says ---- */

static u8 policy_dir(int dir)
{
	return dir == XFRM_POLICY_OUT ? PVSVPN_DIRECTION_OUT :
					PVSVPN_DIRECTION_IN;
}

/* Whose policy is it? */
static struct pvsvpn_device *policy_device(struct pvsvpn_adopt *adopt,
					   const struct xfrm_policy *xp,
					   int dir)
{
	if (!xp->if_id || xp->type != XFRM_POLICY_TYPE_MAIN ||
	    dir >= XFRM_POLICY_MAX)
		return NULL;
	return xa_load(&adopt->devices[policy_dir(dir)], xp->if_id);
}

/*
 * A device carries ESP in tunnel mode. A packet that is to have something else, or nothing, has
 * no business in it, in either direction.
 */
static u8 policy_kind(const struct xfrm_policy *xp)
{
	const struct xfrm_tmpl *tmpl = &xp->xfrm_vec[0];

	return xp->action == XFRM_POLICY_ALLOW && xp->xfrm_nr == 1 &&
	       tmpl->id.proto == IPPROTO_ESP &&
	       tmpl->mode == XFRM_MODE_TUNNEL ? PVSVPN_POLICY_PROTECT :
						PVSVPN_POLICY_BLOCK;
}

static void policy_read(struct pvsvpn_policy *policy,
			const struct xfrm_policy *xp)
{
	const struct xfrm_tmpl *tmpl = &xp->xfrm_vec[0];

	policy->index = xp->index;
	policy->origin = xp;
	policy->priority = xp->priority;
	policy->selector = xp->selector;
	policy->mark = xp->mark;
	policy->kind = policy_kind(xp);
	if (policy->kind != PVSVPN_POLICY_PROTECT)
		return;
	policy->family = tmpl->encap_family;
	policy->remote = policy->dir == PVSVPN_DIRECTION_OUT ? tmpl->id.daddr :
							       tmpl->saddr;
	policy->reqid = tmpl->reqid;
	policy->spi = tmpl->id.spi;
}

static bool policy_same(const struct pvsvpn_policy *a,
			const struct pvsvpn_policy *b)
{
	return a->pvs == b->pvs && a->dir == b->dir && a->kind == b->kind &&
	       a->priority == b->priority && a->reqid == b->reqid &&
	       a->spi == b->spi && a->family == b->family &&
	       !memcmp(&a->mark, &b->mark, sizeof(a->mark)) &&
	       !memcmp(&a->remote, &b->remote, sizeof(a->remote)) &&
	       !memcmp(&a->selector, &b->selector, sizeof(a->selector));
}

/* ---- the mirror ---- */

static void half_count(struct pvsvpn_policy *policy, int by)
{
	struct pvsvpn_spd_half *half = &policy->pvs->spd.halves[policy->dir];

	WRITE_ONCE(half->count, half->count + by);
	if (policy->kind != PVSVPN_POLICY_BLOCK)
		return;
	WRITE_ONCE(half->blocks, half->blocks + by);
	if (!policy->node)
		WRITE_ONCE(half->blind, half->blind + by);
}

static void policy_touch(struct pvsvpn_policies *policies,
			 struct pvsvpn_policy *policy)
{
	policy->touched = ++policies->clock;
	list_move_tail(&policy->list, &policy->pvs->spd.policies);
}

/* Out of the packets' sight. @used: it was in sight whole. */
static void policy_end(struct pvsvpn_policy *policy, bool used)
{
	if (used)
		half_count(policy, -1);
	pvsvpn_spd_remove(policy);
	if (policy->child)
		pvsvpn_child_leave(policy, used);
	list_del(&policy->list);
	kfree_rcu(policy, rcu);
}

static void policy_remove(struct pvsvpn_policy *policy)
{
	rhashtable_remove_fast(&policies_by_index, &policy->by_index,
			       index_params);
	policy_end(policy, true);
}

/* The operator shall be told of a policy without a place. */
static void policy_refused(struct pvsvpn_policies *policies,
			   struct pvsvpn_policy *policy, int err)
{
	set_bit(err == -E2BIG ? PVSVPN_SPD_TOO_MANY_ALIKE :
				PVSVPN_SPD_TOO_MANY_SHAPES,
		&policy->pvs->spd.refused);
	mod_delayed_work(pvsvpn_wq, &policies->work, 0);
}

/* It has its SA before packets find it, and they do before the old one goes. */
static int policy_start(struct pvsvpn_policies *policies,
			struct pvsvpn_policy *policy,
			struct pvsvpn_policy *old)
{
	int err = 0;

	if (policy->kind == PVSVPN_POLICY_PROTECT &&
	    policy->dir == PVSVPN_DIRECTION_OUT)
		err = pvsvpn_child_join(policy);
	if (!err)
		err = pvsvpn_spd_place(policy, old);
	if (err == -E2BIG || err == -ENOSPC) {
		policy_refused(policies, policy, err);
		err = 0;
	}
	if (err)
		return err;
	if (old)
		return rhashtable_replace_fast(&policies_by_index,
					       &old->by_index,
					       &policy->by_index, index_params);
	return rhashtable_insert_fast(&policies_by_index, &policy->by_index,
				      index_params);
}

static int policy_put_in_place(struct pvsvpn_policies *policies,
			       struct pvsvpn_policy *policy,
			       struct pvsvpn_policy *old)
{
	int err = policy_start(policies, policy, old);

	if (err) {
		policy_end(policy, false);
		return -ENOMEM;
	}
	half_count(policy, 1);
	if (policy->child)
		pvsvpn_child_use(policy);
	if (old)
		policy_end(old, true);
	return 0;
}

/*
 * @order: or 0 for a policy that has come or changed just now, which is behind all others as
 * urgent; one that a look finds as it was stays in its place
 */
static int policy_set(struct pvsvpn_policies *policies,
		      struct pvsvpn_device *pvs, const struct xfrm_policy *xp,
		      int dir, u64 order)
{
	struct pvsvpn_policy *policy, *old = policy_find(policies, xp);

	policy = kzalloc(sizeof(*policy), PVSVPN_POLICY_GFP);
	if (!policy)
		return -ENOMEM;
	policy->in = policies;
	policy->pvs = pvs;
	policy->dir = policy_dir(dir);
	policy_read(policy, xp);
	if (order && old && policy_same(policy, old)) {
		kfree(policy);
		old->origin = xp;
		policy_touch(policies, old);
		return 0;
	}
	policy->order = order ?: ++policies->order;
	INIT_LIST_HEAD(&policy->list);
	policy_touch(policies, policy);
	return policy_put_in_place(policies, policy, old);
}

/* ---- a look at all policies ---- */

static void look_soon(struct pvsvpn_policies *policies, unsigned long delay)
{
	WRITE_ONCE(policies->look, true);
	queue_delayed_work(pvsvpn_wq, &policies->work, delay);
}

struct look {
	struct pvsvpn_policies *policies;
	int left;
};

/* Inside XFRM's lock: the policy is there, and whatever becomes of it will be told. */
static int look_at(struct xfrm_policy *xp, int dir, int count, void *data)
{
	struct look *look = data;
	struct pvsvpn_policies *policies = look->policies;
	struct pvsvpn_device *pvs;
	int err = 0;

	if (!look->left--)
		return -EAGAIN;
	rcu_read_lock();
	pvs = policy_device(container_of(policies, struct pvsvpn_adopt,
					 policies), xp, dir);
	if (pvs) {
		spin_lock(&policies->lock);
		if (pvs->spd.on)
			err = policy_set(policies, pvs, xp, dir,
					 policies->next_order--);
		spin_unlock(&policies->lock);
	}
	rcu_read_unlock();
	return err;
}

/* XFRM's list begins with the youngest: so does a look, at a number beyond all others. */
static void look_begin(struct pvsvpn_policies *policies)
{
	WRITE_ONCE(policies->look, false);
	spin_lock_bh(&policies->lock);
	policies->looking++;
	policies->begun = ++policies->clock;
	policies->order += U32_MAX;
	policies->next_order = policies->order;
	spin_unlock_bh(&policies->lock);
	xfrm_policy_walk_init(&policies->walk, XFRM_POLICY_TYPE_MAIN);
	policies->walking = true;
}

static void look_end(struct pvsvpn_policies *policies, bool all)
{
	xfrm_policy_walk_done(&policies->walk, policies->net);
	policies->walking = false;
	if (!all) {
		look_soon(policies, RETRY_DELAY);
		return;
	}
	spin_lock_bh(&policies->lock);
	policies->valid = max(policies->valid, policies->begun);
	policies->looked = policies->looking;
	WRITE_ONCE(policies->waiting, READ_ONCE(policies->look));
	WRITE_ONCE(policies->sweep, true);
	spin_unlock_bh(&policies->lock);
}

/* Return: whether there is more of it, that need not wait. */
static bool look_step(struct pvsvpn_policies *policies)
{
	struct look look = { policies, CHUNK };
	int err;

	if (!policies->walking && !READ_ONCE(policies->look))
		return false;
	if (!policies->walking)
		look_begin(policies);
	err = xfrm_policy_walk(policies->net, &policies->walk, look_at, &look);
	if (err == -EAGAIN)
		return true;
	/* XFRM says so when there is no policy at all. */
	look_end(policies, !err || err == -ENOENT);
	return err != -ENOMEM && READ_ONCE(policies->look);
}

/* ---- policies that are gone ---- */

static bool device_sweep(struct pvsvpn_policies *policies,
			 struct pvsvpn_device *pvs, u64 valid)
{
	struct pvsvpn_policy *policy;
	int left = CHUNK;

	spin_lock_bh(&policies->lock);
	while (left && !list_empty(&pvs->spd.policies)) {
		policy = list_first_entry(&pvs->spd.policies,
					  struct pvsvpn_policy, list);
		if (policy->touched >= valid)
			break;
		policy_remove(policy);
		left--;
	}
	spin_unlock_bh(&policies->lock);
	return !left;
}

/* Return: whether there is more to do. */
static bool sweep_step(struct pvsvpn_policies *policies)
{
	struct pvsvpn_adopt *adopt = container_of(policies, struct pvsvpn_adopt,
						  policies);
	struct pvsvpn_device *pvs;
	unsigned long if_id;
	bool more = false;
	u64 valid;
	int dir;

	if (!READ_ONCE(policies->sweep))
		return false;
	spin_lock_bh(&policies->lock);
	WRITE_ONCE(policies->sweep, false);
	valid = policies->valid;
	spin_unlock_bh(&policies->lock);
	rcu_read_lock();
	for (dir = 0; dir < ARRAY_SIZE(adopt->devices); dir++)
		xa_for_each(&adopt->devices[dir], if_id, pvs)
			more |= device_sweep(policies, pvs, valid);
	rcu_read_unlock();
	if (more)
		WRITE_ONCE(policies->sweep, true);
	return more;
}

/* ---- the work ---- */

static const char * const refusals[] = {
	[PVSVPN_SPD_TOO_MANY_SHAPES] = "too-many-prefix-lengths",
	[PVSVPN_SPD_TOO_MANY_ALIKE] = "too-many-alike",
};

static void device_report(struct pvsvpn_device *pvs)
{
	struct pvsvpn_event event = {
		.type = PVSVPN_EVENT_TYPE_POLICY_REFUSED,
		.pvs = pvs,
	};
	unsigned int i;

	for (i = 0; i < PVSVPN_SPD_REFUSALS; i++) {
		if (!test_and_clear_bit(i, &pvs->spd.refused))
			continue;
		event.reason = refusals[i];
		pvsvpn_event_send(&event);
	}
}

static bool anything_refused(struct pvsvpn_adopt *adopt)
{
	struct pvsvpn_device *pvs;
	unsigned long if_id;
	bool any = false;
	int dir;

	rcu_read_lock();
	for (dir = 0; dir < ARRAY_SIZE(adopt->devices); dir++)
		xa_for_each(&adopt->devices[dir], if_id, pvs)
			any |= READ_ONCE(pvs->spd.refused);
	rcu_read_unlock();
	return any;
}

static void report(struct pvsvpn_adopt *adopt)
{
	struct pvsvpn_device *pvs;
	unsigned long if_id;
	int dir;

	if (!anything_refused(adopt))
		return;
	rtnl_lock();
	for (dir = 0; dir < ARRAY_SIZE(adopt->devices); dir++)
		xa_for_each(&adopt->devices[dir], if_id, pvs)
			device_report(pvs);
	rtnl_unlock();
}

/* One step of each. Return: whether there is more to do. */
static bool step(struct pvsvpn_policies *policies)
{
	bool more;

	mutex_lock(&policies->mutex);
	more = look_step(policies);
	mutex_unlock(&policies->mutex);
	return more | sweep_step(policies);
}

/**
 * pvsvpn_policy_look() - look at all policies now, if somebody wants that
 * @policies: the mirror
 *
 * Context: process, RTNL not held.
 */
void pvsvpn_policy_look(struct pvsvpn_policies *policies)
{
	while (step(policies))
		cond_resched();
}

static void policies_work(struct work_struct *work)
{
	struct pvsvpn_policies *policies =
		container_of(to_delayed_work(work), struct pvsvpn_policies,
			     work);
	struct pvsvpn_adopt *adopt = container_of(policies, struct pvsvpn_adopt,
						  policies);

	if (READ_ONCE(policies->waiting))
		/* Its work looks at the policies first. */
		pvsvpn_notify_all(adopt);
	else
		pvsvpn_policy_look(policies);
	report(adopt);
}

/* ---- what XFRM tells ---- */

/* XFRM's policy is alive, so whoever has its address is it. */
static void policy_gone(struct pvsvpn_policies *policies,
			const struct xfrm_policy *xp)
{
	struct pvsvpn_policy *policy;

	spin_lock_bh(&policies->lock);
	policy = policy_find(policies, xp);
	if (policy && policy->origin == xp)
		policy_remove(policy);
	spin_unlock_bh(&policies->lock);
}

static void policy_came(struct pvsvpn_adopt *adopt,
			const struct xfrm_policy *xp, int dir)
{
	struct pvsvpn_policies *policies = &adopt->policies;
	struct pvsvpn_device *pvs = policy_device(adopt, xp, dir);
	int err = 0;

	if (!pvs)
		return;
	spin_lock_bh(&policies->lock);
	if (pvs->spd.on)
		err = policy_set(policies, pvs, xp, dir, 0);
	spin_unlock_bh(&policies->lock);
	if (err)
		look_soon(policies, RETRY_DELAY);
}

/* Requests are one after the other: what was there before is gone. */
static void all_gone(struct pvsvpn_policies *policies)
{
	spin_lock_bh(&policies->lock);
	policies->valid = ++policies->clock;
	WRITE_ONCE(policies->sweep, true);
	spin_unlock_bh(&policies->lock);
	mod_delayed_work(pvsvpn_wq, &policies->work, 0);
}

/**
 * pvsvpn_policy_notify() - XFRM tells of a policy
 * @adopt: of the namespace
 * @xp: the policy, or NULL for all of them
 * @dir: its direction
 * @c: what happened
 *
 * Context: RCU read side.
 */
void pvsvpn_policy_notify(struct pvsvpn_adopt *adopt, struct xfrm_policy *xp,
			  int dir, const struct km_event *c)
{
	switch (c->event) {
	case XFRM_MSG_NEWPOLICY:
	case XFRM_MSG_UPDPOLICY:
		policy_came(adopt, xp, dir);
		break;
	case XFRM_MSG_DELPOLICY:
		policy_gone(&adopt->policies, xp);
		break;
	case XFRM_MSG_POLEXPIRE:
		if (c->data.hard)
			policy_gone(&adopt->policies, xp);
		break;
	case XFRM_MSG_FLUSHPOLICY:
		if (c->data.type == XFRM_POLICY_TYPE_MAIN)
			all_gone(&adopt->policies);
		break;
	}
}

/**
 * pvsvpn_policy_doubt() - policies may have changed without a word
 * @adopt: of the namespace
 *
 * Context: any.
 */
void pvsvpn_policy_doubt(struct pvsvpn_adopt *adopt)
{
	look_soon(&adopt->policies, 0);
}

/* ---- devices ---- */

/**
 * pvsvpn_policy_whole() - does a device have all of its policies?
 * @pvs: the device
 *
 * It adopts no state before.
 *
 * Context: process, RTNL held.
 */
bool pvsvpn_policy_whole(const struct pvsvpn_device *pvs)
{
	struct pvsvpn_policies *policies = &pvsvpn_device_adopt(pvs->net)->policies;
	bool whole;

	ASSERT_RTNL();
	spin_lock_bh(&policies->lock);
	whole = pvs->spd.on && (s32)(policies->looked - pvs->spd.wanted) >= 0;
	spin_unlock_bh(&policies->lock);
	return whole;
}

/**
 * pvsvpn_policy_follow() - a device has another if_id
 * @pvs: the device, which XFRM's policies find by it already
 *
 * It has all of its policies after the next pvsvpn_policy_look().
 *
 * Context: process, RTNL held.
 */
void pvsvpn_policy_follow(struct pvsvpn_device *pvs)
{
	struct pvsvpn_policies *policies = &pvsvpn_device_adopt(pvs->net)->policies;

	ASSERT_RTNL();
	spin_lock_bh(&policies->lock);
	pvs->spd.on = true;
	pvs->spd.wanted = policies->looking + 1;
	WRITE_ONCE(policies->waiting, true);
	WRITE_ONCE(policies->look, true);
	spin_unlock_bh(&policies->lock);
}

/**
 * pvsvpn_policy_forget() - a device has no if_id any more
 * @pvs: the device; XFRM's policies do not find it any more
 *
 * Context: process, RTNL held.
 */
void pvsvpn_policy_forget(struct pvsvpn_device *pvs)
{
	struct pvsvpn_policies *policies = &pvsvpn_device_adopt(pvs->net)->policies;

	ASSERT_RTNL();
	spin_lock_bh(&policies->lock);
	pvs->spd.on = false;
	spin_unlock_bh(&policies->lock);
	while (device_sweep(policies, pvs, U64_MAX))
		cond_resched();
}

/* ---- from packet to policy ---- */

static bool remote_is(const struct pvsvpn_policy *policy,
		      const struct pvsvpn_endpoint *endpoint)
{
	return policy->family == endpoint->family &&
	       xfrm_addr_equal(&policy->remote, &endpoint->remote,
			       policy->family);
}

/* Routes and subnets say which peer; of the policies, those that lead to it count. */
static bool leads_to(const struct pvsvpn_policy *policy, const void *data)
{
	const struct pvsvpn_peer *peer = data;
	const struct pvsvpn_sa *sa;

	if (policy->kind == PVSVPN_POLICY_BLOCK)
		return true;
	sa = pvsvpn_child_sa(policy->child);
	return sa ? sa->peer == peer :
		    remote_is(policy, pvsvpn_peer_endpoint(peer));
}

/**
 * pvsvpn_policy_asked() - have the policies a say in which SA a packet takes?
 * @peer: the packet's
 *
 * As long as they lead to one SA and block nothing, routes and subnets have said enough.
 *
 * Context: RCU read side.
 */
bool pvsvpn_policy_asked(const struct pvsvpn_peer *peer)
{
	/* Pairs with the release in pvsvpn_policy_select(). */
	return smp_load_acquire(&peer->by_policy) ||
	       READ_ONCE(peer->pvs->spd.halves[PVSVPN_DIRECTION_OUT].blocks);
}

/**
 * pvsvpn_policy_sa() - the outbound SA of an inner packet, by the policies
 * @peer: the packet's, of which pvsvpn_policy_asked() says so
 * @skb: inner packet with a whole IP header, protocol set
 * @sa: the SA, or NULL
 *
 * RFC 4301 section 4.4.1.1: addresses, protocol and ports; the most urgent policy that
 * fits has the packet.
 *
 * Context: RCU read side. Return: PVSVPN_PASS, or why the packet does not leave.
 */
int pvsvpn_policy_sa(const struct pvsvpn_peer *peer, const struct sk_buff *skb,
		     struct pvsvpn_sa **sa)
{
	struct pvsvpn_spd_packet packet = { .skb = skb, .pvs = peer->pvs };
	bool several = READ_ONCE(peer->led_count) > 1;
	const struct pvsvpn_policy *policy;

	*sa = NULL;
	if (READ_ONCE(peer->pvs->spd.halves[PVSVPN_DIRECTION_OUT].blind))
		return PVSVPN_DROP_TX_BLOCKED;
	policy = pvsvpn_spd_find(&packet, PVSVPN_DIRECTION_OUT, leads_to, peer);
	if (policy && policy->kind == PVSVPN_POLICY_BLOCK)
		return PVSVPN_DROP_TX_BLOCKED;
	if (policy)
		*sa = pvsvpn_child_sa(policy->child);
	else if (several)
		return PVSVPN_DROP_TX_NO_POLICY;
	if (!*sa && !several)
		*sa = rcu_dereference(peer->tx_sa);
	return PVSVPN_PASS;
}

/* As XFRM compares a template with a state. */
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
 * pvsvpn_policy_check() - may a packet come by the SA that it has come by?
 * @sa: inbound SA
 * @skb: the inner packet, decrypted, protocol set, network header at its data
 *
 * RFC 4301 section 5.2 step 4: the selectors of the child SA are those of the policies, in or
 * fwd, whose template is the state's. Before routing nobody knows which of the two directions
 * it will be, so either will do, and either may block. Where XFRM has no policy of the device's
 * if_id at all, none is asked.
 *
 * Context: RCU read side. Return: PVSVPN_PASS, or why the packet is dropped.
 */
int pvsvpn_policy_check(const struct pvsvpn_sa *sa, const struct sk_buff *skb)
{
	struct pvsvpn_spd_packet packet = {
		.skb = skb,
		.pvs = sa->peer->pvs,
		.opaque = true,
	};
	const struct pvsvpn_spd_half *half =
		&packet.pvs->spd.halves[PVSVPN_DIRECTION_IN];
	const struct pvsvpn_policy *policy;

	if (!sa->x || !READ_ONCE(half->count))
		return PVSVPN_PASS;
	if (unlikely(READ_ONCE(half->blind)))
		return PVSVPN_DROP_RX_BLOCKED;
	policy = pvsvpn_spd_find(&packet, PVSVPN_DIRECTION_IN, template_is,
				 sa->x);
	if (unlikely(!policy))
		return PVSVPN_DROP_RX_POLICY;
	return likely(policy->kind == PVSVPN_POLICY_PROTECT) ?
	       PVSVPN_PASS : PVSVPN_DROP_RX_BLOCKED;
}

/* ---- namespaces and module ---- */

/**
 * pvsvpn_policy_net_init() - a namespace comes
 * @policies: its mirror
 * @net: the namespace
 *
 * Context: process.
 */
void pvsvpn_policy_net_init(struct pvsvpn_policies *policies, struct net *net)
{
	policies->net = net;
	spin_lock_init(&policies->lock);
	mutex_init(&policies->mutex);
	INIT_DELAYED_WORK(&policies->work, policies_work);
}

/**
 * pvsvpn_policy_net_exit() - a namespace goes
 * @policies: its mirror; no device is left
 *
 * Context: process, RTNL not held; a grace period after the last device went.
 */
void pvsvpn_policy_net_exit(struct pvsvpn_policies *policies)
{
	cancel_delayed_work_sync(&policies->work);
	if (policies->walking)
		xfrm_policy_walk_done(&policies->walk, policies->net);
	mutex_destroy(&policies->mutex);
}

/**
 * pvsvpn_policy_init() - set the tables up
 *
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_policy_init(void)
{
	int err;

	err = rhashtable_init(&policies_by_index, &index_params);
	if (err)
		return err;
	err = pvsvpn_spd_init();
	if (err)
		goto err_index;
	err = pvsvpn_child_init();
	if (err)
		goto err_spd;
	return 0;

err_spd:
	pvsvpn_spd_exit();
err_index:
	rhashtable_destroy(&policies_by_index);
	return err;
}

/**
 * pvsvpn_policy_exit() - free the tables; no device is left
 */
void pvsvpn_policy_exit(void)
{
	pvsvpn_child_exit();
	pvsvpn_spd_exit();
	rhashtable_destroy(&policies_by_index);
}
