// SPDX-License-Identifier: GPL-2.0
/*
 * The mirror of XFRM's policies: those with a device's if_id, for all three directions,
 * with or without a peer that they lead to. See Documentation/ike.rst.
 *
 * XFRM reports each policy that is added, changed or removed, in atomic context. The mirror
 * has its own lock, not RTNL, so it is up to date when the request returns. No policy has
 * to wait, and no packet passes before its policies are there.
 *
 * A look at all policies is for a device that gets its if_id, and for changes that XFRM
 * does not report: a migration, or a policy for which there was no memory. The look runs in
 * chunks, and policies and packets do not wait for it either.
 */
#include <linux/rhashtable.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <linux/slab.h>

#include "device.h"
#include "event.h"
#include "work.h"
#include "xfrm_adopt.h"
#include "xfrm_child.h"
#include "xfrm_note.h"
#include "xfrm_policy.h"
#include "xfrm_spd.h"

/* How many policies to handle in one hold of a lock. */
#define CHUNK		128
/* Delay before a retry, for instance on -ENOMEM, in jiffies. */
#define RETRY_DELAY	(HZ / 5)

static const struct rhashtable_params index_params = {
	.key_len = sizeof_field(struct pvsvpn_policy, index),
	.key_offset = offsetof(struct pvsvpn_policy, index),
	.head_offset = offsetof(struct pvsvpn_policy, by_index),
	.automatic_shrinking = true,
};

static struct pvsvpn_policy *policy_find(struct pvsvpn_policies *policies,
					 const struct xfrm_policy *xp)
{
	return rhashtable_lookup_fast(&policies->by_index, &xp->index, index_params);
}

/* ---- reading XFRM's policies ---- */

static u8 policy_dir(int dir)
{
	return dir == XFRM_POLICY_OUT ? PVSVPN_DIRECTION_OUT :
					PVSVPN_DIRECTION_IN;
}

/* The device with the if_id of a policy. */
static struct pvsvpn_device *policy_device(struct pvsvpn_adopt *adopt,
					   const struct xfrm_policy *xp,
					   int dir)
{
	if (!xp->if_id || xp->type != XFRM_POLICY_TYPE_MAIN || dir >= XFRM_POLICY_MAX)
		return NULL;
	return xa_load(&adopt->devices[policy_dir(dir)], xp->if_id);
}

/* Check again under the lock: a device that has lost its if_id must get no more policies. */
static bool device_has(const struct pvsvpn_device *pvs, const struct xfrm_policy *xp, int dir)
{
	return pvs->spd->on && READ_ONCE(pvs->settings.if_id[policy_dir(dir)]) == xp->if_id;
}

/*
 * A device carries ESP in tunnel mode. If a policy of any direction asks for something else, or
 * for nothing, block its packets.
 */
static u8 policy_kind(const struct xfrm_policy *xp)
{
	const struct xfrm_tmpl *tmpl = &xp->xfrm_vec[0];

	return xp->action == XFRM_POLICY_ALLOW && xp->xfrm_nr == 1 &&
	       tmpl->id.proto == IPPROTO_ESP &&
	       tmpl->mode == XFRM_MODE_TUNNEL ? PVSVPN_POLICY_PROTECT :
						PVSVPN_POLICY_BLOCK;
}

static void policy_read(struct pvsvpn_policy *policy, const struct xfrm_policy *xp)
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

static bool policy_same(const struct pvsvpn_policy *a, const struct pvsvpn_policy *b)
{
	return a->spd == b->spd && a->dir == b->dir && a->kind == b->kind &&
	       a->priority == b->priority && a->reqid == b->reqid &&
	       a->spi == b->spi && a->family == b->family &&
	       !memcmp(&a->mark, &b->mark, sizeof(a->mark)) &&
	       !memcmp(&a->remote, &b->remote, sizeof(a->remote)) &&
	       !memcmp(&a->selector, &b->selector, sizeof(a->selector));
}

/* ---- the mirror ---- */

/* Queue the work at once, or after a delay in jiffies unless it is queued already. */
static void work_soon(struct pvsvpn_policies *policies, unsigned long delay)
{
	if (READ_ONCE(policies->gone))
		return;
	if (delay)
		queue_delayed_work(pvsvpn_adopt_wq, &policies->work, delay);
	else
		mod_delayed_work(pvsvpn_adopt_wq, &policies->work, 0);
}

/**
 * pvsvpn_policy_look_soon() - look for policy changes that XFRM has not reported
 * @policies: the mirror
 * @delay: delay of the look, in jiffies
 *
 * Context: any.
 */
void pvsvpn_policy_look_soon(struct pvsvpn_policies *policies, unsigned long delay)
{
	WRITE_ONCE(policies->look, true);
	work_soon(policies, delay);
}

static void half_count(struct pvsvpn_policy *policy, int by)
{
	struct pvsvpn_spd_half *half = &policy->spd->halves[policy->dir];

	WRITE_ONCE(half->count, half->count + by);
	if (policy->selector.sport_mask || policy->selector.dport_mask)
		WRITE_ONCE(half->ports, half->ports + by);
	if (!policy->node)
		half->unplaced += by;
	if (policy->kind != PVSVPN_POLICY_BLOCK)
		return;
	WRITE_ONCE(half->blocks, half->blocks + by);
	if (!policy->node)
		WRITE_ONCE(half->blind, half->blind + by);
}

static void policy_touch(struct pvsvpn_policies *policies, struct pvsvpn_policy *policy)
{
	policy->touched = ++policies->clock;
	list_move_tail(&policy->list, &policy->spd->policies);
}

/* Hide a policy from packets and free it. @used: it was counted and in use. */
static void policy_end(struct pvsvpn_policy *policy, bool used)
{
	if (used)
		half_count(policy, -1);
	/* A policy without a place may take the place of this one. */
	if (policy->node && policy->spd->halves[policy->dir].unplaced)
		pvsvpn_policy_look_soon(policy->spd->in, RETRY_DELAY);
	pvsvpn_spd_remove(policy);
	if (policy->child)
		pvsvpn_child_leave(policy, used);
	list_del(&policy->list);
	kfree_rcu(policy, rcu);
}

static void policy_remove(struct pvsvpn_policy *policy)
{
	rhashtable_remove_fast(&policy->spd->in->by_index, &policy->by_index, index_params);
	policy_end(policy, true);
}

/* Report to the operator that a policy has no place. */
static void policy_refused(struct pvsvpn_policies *policies, struct pvsvpn_policy *policy, int err)
{
	set_bit(err == -E2BIG ? PVSVPN_SPD_TOO_MANY_ALIKE :
				PVSVPN_SPD_TOO_MANY_SHAPES,
		&policy->spd->refused);
	WRITE_ONCE(policies->refused, true);
	work_soon(policies, 0);
}

/* The policy gets its child first, then packets find it, and then @old is removed. */
static int policy_start(struct pvsvpn_policies *policies,
			struct pvsvpn_policy *policy,
			struct pvsvpn_policy *old)
{
	int err = 0;

	if (policy->kind == PVSVPN_POLICY_PROTECT && policy->dir == PVSVPN_DIRECTION_OUT)
		err = pvsvpn_child_join(policy);
	if (!err)
		err = pvsvpn_spd_place(policy, old);
	if (err == -E2BIG || err == -ENOSPC) {
		if (!old || old->node)
			policy_refused(policies, policy, err);
		err = 0;
	}
	if (err)
		return err;
	if (old)
		return rhashtable_replace_fast(&policies->by_index, &old->by_index,
					       &policy->by_index, index_params);
	return rhashtable_insert_fast(&policies->by_index, &policy->by_index, index_params);
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
 * @order: 0 for a policy that was added or changed just now, which comes after all others of
 * its priority. A policy that a look finds unchanged keeps its place.
 */
static int policy_set(struct pvsvpn_policies *policies,
		      struct pvsvpn_spd *spd, const struct xfrm_policy *xp,
		      int dir, u64 order)
{
	struct pvsvpn_policy *policy, *old = policy_find(policies, xp);

	policy = kzalloc(sizeof(*policy), PVSVPN_POLICY_GFP);
	if (!policy)
		return -ENOMEM;
	policy->spd = spd;
	policy->dir = policy_dir(dir);
	policy_read(policy, xp);
	if (order && old && old->node && policy_same(policy, old)) {
		kfree(policy);
		old->origin = xp;
		policy_touch(policies, old);
		return 0;
	}
	/* A migration changes a policy in place, so keep its order. */
	if (order && old && old->origin == xp)
		order = old->order;
	policy->order = order ?: ++policies->order;
	INIT_LIST_HEAD(&policy->list);
	policy_touch(policies, policy);
	return policy_put_in_place(policies, policy, old);
}

/* @order: as for policy_set(). The caller is in an RCU read-side critical section. */
static int policy_seen(struct pvsvpn_adopt *adopt, const struct xfrm_policy *xp, int dir, u64 order)
{
	struct pvsvpn_policies *policies = &adopt->policies;
	struct pvsvpn_device *pvs = policy_device(adopt, xp, dir);
	int err = 0;

	if (!pvs)
		return 0;
	spin_lock_bh(&policies->lock);
	if (device_has(pvs, xp, dir))
		err = policy_set(policies, pvs->spd, xp, dir, order);
	spin_unlock_bh(&policies->lock);
	return err;
}

/* ---- a look at all policies ---- */

struct look {
	struct pvsvpn_policies *policies;
	int left;
};

/* XFRM's lock is held: the policy exists, and XFRM will report any later change. */
static int look_at(struct xfrm_policy *xp, int dir, int count, void *data)
{
	struct look *look = data;
	struct pvsvpn_policies *policies = look->policies;
	int err;

	if (!look->left--)
		return -EAGAIN;
	rcu_read_lock();
	err = policy_seen(container_of(policies, struct pvsvpn_adopt, policies), xp, dir,
			  policies->next_order--);
	rcu_read_unlock();
	return err;
}

/* True if another look must begin. */
static bool look_wanted(const struct pvsvpn_policies *policies)
{
	return policies->left || READ_ONCE(policies->look);
}

/* XFRM's list begins with the youngest policy, so the look counts down from a new highest order. */
static void look_begin(struct pvsvpn_policies *policies)
{
	if (READ_ONCE(policies->look)) {
		WRITE_ONCE(policies->look, false);
		policies->left = 2;
	}
	spin_lock_bh(&policies->lock);
	policies->looking++;
	policies->begun = ++policies->clock;
	policies->order += U32_MAX;
	policies->next_order = policies->order;
	spin_unlock_bh(&policies->lock);
	xfrm_policy_walk_init(&policies->walk, XFRM_POLICY_TYPE_MAIN);
	policies->walking = true;
}

/*
 * An update adds the new policy at the head of XFRM's list, which the look has passed already,
 * then removes the old one, and reports it afterwards. So a policy is gone only if two
 * consecutive looks have not seen it: the second one sees the new policy. Both looks must
 * begin after the request for them.
 */
static void look_end(struct pvsvpn_policies *policies, bool all)
{
	xfrm_policy_walk_done(&policies->walk, policies->net);
	policies->walking = false;
	if (!all) {
		pvsvpn_policy_look_soon(policies, RETRY_DELAY);
		return;
	}
	spin_lock_bh(&policies->lock);
	policies->valid = max(policies->valid, policies->before);
	policies->before = policies->begun;
	policies->looked = policies->looking;
	list_splice_tail_init(&policies->swept, &policies->unswept);
	policies->left--;
	if (!policies->left)
		WRITE_ONCE(policies->waiting, READ_ONCE(policies->look));
	spin_unlock_bh(&policies->lock);
}

/* Return: true if there is more to do without a delay. */
static bool look_step(struct pvsvpn_policies *policies)
{
	struct look look = { policies, CHUNK };
	int err;

	if (READ_ONCE(policies->gone) || (!policies->walking && !look_wanted(policies)))
		return false;
	if (!policies->walking)
		look_begin(policies);
	err = xfrm_policy_walk(policies->net, &policies->walk, look_at, &look);
	if (err == -EAGAIN)
		return true;
	/* XFRM returns -ENOENT if there is no policy at all. */
	look_end(policies, !err || err == -ENOENT);
	return err != -ENOMEM && look_wanted(policies);
}

/* ---- policies that are gone ---- */

static bool spd_whole(const struct pvsvpn_spd *spd)
{
	return spd->on && (s32)(spd->in->looked - spd->wanted) >= 0;
}

/*
 * The policy that was seen longest ago, if it is gone. After a change of the if_id this is
 * unknown until the look that the device waits for is complete.
 */
static struct pvsvpn_policy *spd_stale(struct pvsvpn_spd *spd)
{
	struct pvsvpn_policy *policy;

	policy = list_first_entry_or_null(&spd->policies, struct pvsvpn_policy, list);
	if (!policy || spd->dying)
		return policy;
	if (policy->touched >= spd->in->valid || (spd->on && !spd_whole(spd)))
		return NULL;
	return policy;
}

static void spd_put(struct pvsvpn_spd *spd)
{
	if (refcount_dec_and_test(&spd->refs))
		kfree_rcu(spd, rcu);
}

/* Return: true if there is more to do. */
static bool sweep_step(struct pvsvpn_policies *policies)
{
	struct pvsvpn_policy *policy;
	struct pvsvpn_spd *spd;
	int left = CHUNK;

	spin_lock_bh(&policies->lock);
	while (left-- && !list_empty(&policies->unswept)) {
		spd = list_first_entry(&policies->unswept, struct pvsvpn_spd, all);
		policy = spd_stale(spd);
		if (policy) {
			policy_remove(policy);
		} else if (!spd->dying) {
			list_move(&spd->all, &policies->swept);
		} else {
			list_del(&spd->all);
			spd_put(spd);
		}
	}
	spin_unlock_bh(&policies->lock);
	return left < 0;
}

/**
 * pvsvpn_policy_sweep() - remove the policies that are gone
 * @policies: the mirror
 *
 * If a device gets another if_id, its old SAs must go before its old policies: no packet may
 * use these SAs without their policies.
 *
 * Context: process.
 */
void pvsvpn_policy_sweep(struct pvsvpn_policies *policies)
{
	while (sweep_step(policies))
		cond_resched();
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
		if (!test_and_clear_bit(i, &pvs->spd->refused))
			continue;
		event.reason = refusals[i];
		pvsvpn_event_send(&event);
	}
}

static void report(struct pvsvpn_adopt *adopt)
{
	struct pvsvpn_device *pvs;
	unsigned long if_id;
	int dir;

	if (!READ_ONCE(adopt->policies.refused))
		return;
	rtnl_lock();
	WRITE_ONCE(adopt->policies.refused, false);
	for (dir = 0; dir < ARRAY_SIZE(adopt->devices); dir++)
		xa_for_each(&adopt->devices[dir], if_id, pvs)
			device_report(pvs);
	rtnl_unlock();
}

/**
 * pvsvpn_policy_look() - look at all policies now, if a look is wanted
 * @policies: the mirror
 *
 * Finishes a look under way and runs two complete ones; the work handles further requests
 * later. pvsvpn_policy_sweep() must follow.
 *
 * Context: process, RTNL not held.
 */
void pvsvpn_policy_look(struct pvsvpn_policies *policies)
{
	u32 last = READ_ONCE(policies->looking) + 2;
	bool more, enough;

	do {
		mutex_lock(&policies->mutex);
		enough = !policies->walking &&
			 (s32)(policies->looking - last) >= 0;
		more = enough ? look_wanted(policies) : look_step(policies);
		mutex_unlock(&policies->mutex);
		cond_resched();
	} while (more && !enough);
	if (more)
		work_soon(policies, RETRY_DELAY);
}

static void policies_work(struct work_struct *work)
{
	struct pvsvpn_policies *policies =
		container_of(to_delayed_work(work), struct pvsvpn_policies, work);
	struct pvsvpn_adopt *adopt = container_of(policies, struct pvsvpn_adopt, policies);

	if (READ_ONCE(policies->gone))
		return;
	if (READ_ONCE(policies->waiting)) {
		/* The work of xfrm_adopt.c looks at the policies first, and sweeps last. */
		pvsvpn_note_all(adopt);
	} else {
		pvsvpn_policy_look(policies);
		pvsvpn_policy_sweep(policies);
	}
	report(adopt);
}

/* ---- notifications from XFRM ---- */

/* XFRM's policy still exists, so an entry with the same address is for this policy. */
static void policy_gone(struct pvsvpn_policies *policies, const struct xfrm_policy *xp)
{
	struct pvsvpn_policy *policy;

	spin_lock_bh(&policies->lock);
	policy = policy_find(policies, xp);
	if (policy && policy->origin == xp)
		policy_remove(policy);
	spin_unlock_bh(&policies->lock);
}

/* XFRM handles requests one after the other, so all policies that were there before are gone. */
static void all_gone(struct pvsvpn_policies *policies)
{
	spin_lock_bh(&policies->lock);
	policies->valid = ++policies->clock;
	list_splice_tail_init(&policies->swept, &policies->unswept);
	spin_unlock_bh(&policies->lock);
	work_soon(policies, 0);
}

/**
 * pvsvpn_policy_notify() - handle XFRM's notification of a policy
 * @xp: the policy, or NULL for all policies
 * @dir: its direction, XFRM_POLICY_...
 * @c: the event
 *
 * Context: RCU read-side critical section.
 * Return: 0.
 */
int pvsvpn_policy_notify(struct xfrm_policy *xp, int dir, const struct km_event *c)
{
	struct pvsvpn_adopt *adopt = pvsvpn_adopt_of(xp ? xp_net(xp) : c->net);
	struct pvsvpn_policies *policies = &adopt->policies;

	if (!pvsvpn_adopt_wanted(adopt))
		return 0;
	switch (c->event) {
	case XFRM_MSG_NEWPOLICY:
	case XFRM_MSG_UPDPOLICY:
		if (policy_seen(adopt, xp, dir, 0))
			pvsvpn_policy_look_soon(policies, RETRY_DELAY);
		break;
	case XFRM_MSG_DELPOLICY:
		policy_gone(policies, xp);
		break;
	case XFRM_MSG_POLEXPIRE:
		if (c->data.hard)
			policy_gone(policies, xp);
		break;
	case XFRM_MSG_FLUSHPOLICY:
		if (c->data.type == XFRM_POLICY_TYPE_MAIN)
			all_gone(policies);
		break;
	}
	return 0;
}

/* ---- devices ---- */

/**
 * pvsvpn_policy_whole() - check whether a device has all of its policies
 * @pvs: the device
 *
 * The device adopts no state before that.
 *
 * Context: process, RTNL held.
 * Return: true if it has them all.
 */
bool pvsvpn_policy_whole(const struct pvsvpn_device *pvs)
{
	struct pvsvpn_policies *policies = pvs->spd->in;
	bool whole;

	ASSERT_RTNL();
	spin_lock_bh(&policies->lock);
	whole = spd_whole(pvs->spd);
	spin_unlock_bh(&policies->lock);
	return whole;
}

/**
 * pvsvpn_policy_follow() - follow a change of a device's if_ids
 * @pvs: the device; XFRM's policies already find it by the new ones
 *
 * The device has all of its policies after the next pvsvpn_policy_look(), and no others after
 * pvsvpn_policy_sweep().
 *
 * Context: process, RTNL held.
 */
void pvsvpn_policy_follow(struct pvsvpn_device *pvs)
{
	struct pvsvpn_policies *policies = pvs->spd->in;

	ASSERT_RTNL();
	spin_lock_bh(&policies->lock);
	pvs->spd->on = pvs->settings.if_id[PVSVPN_DIRECTION_IN] ||
		       pvs->settings.if_id[PVSVPN_DIRECTION_OUT];
	pvs->spd->wanted = policies->looking + 1;
	WRITE_ONCE(policies->waiting, true);
	WRITE_ONCE(policies->look, true);
	spin_unlock_bh(&policies->lock);
}

/**
 * pvsvpn_policy_device_init() - set up the SPD of a new device
 * @pvs: the device
 *
 * Context: process, RTNL held.
 * Return: 0 or -ENOMEM.
 */
int pvsvpn_policy_device_init(struct pvsvpn_device *pvs)
{
	struct pvsvpn_policies *policies = &pvsvpn_adopt_of(pvs->net)->policies;
	struct pvsvpn_spd *spd = kzalloc(sizeof(*spd), GFP_KERNEL_ACCOUNT);

	if (!spd)
		return -ENOMEM;
	refcount_set(&spd->refs, 2);
	spd->in = policies;
	INIT_LIST_HEAD(&spd->policies);
	pvs->spd = spd;
	spin_lock_bh(&policies->lock);
	list_add(&spd->all, &policies->swept);
	spin_unlock_bh(&policies->lock);
	return 0;
}

/**
 * pvsvpn_policy_device_exit() - remove the policies of a removed device
 * @pvs: the device, without peers; XFRM's policies do not find it any more
 *
 * The work does this later, because there may be many policies.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_policy_device_exit(struct pvsvpn_device *pvs)
{
	struct pvsvpn_policies *policies = pvs->spd->in;

	ASSERT_RTNL();
	spin_lock_bh(&policies->lock);
	pvs->spd->on = false;
	pvs->spd->dying = true;
	list_move(&pvs->spd->all, &policies->unswept);
	spin_unlock_bh(&policies->lock);
	work_soon(policies, 0);
}

/**
 * pvsvpn_policy_device_free() - drop the device's reference to its SPD
 * @pvs: the device, after pvsvpn_policy_device_exit(); not in use any more
 *
 * Context: process.
 */
void pvsvpn_policy_device_free(struct pvsvpn_device *pvs)
{
	spd_put(pvs->spd);
}

/* ---- namespaces ---- */

/**
 * pvsvpn_policy_net_init() - set up the mirror of a new namespace
 * @policies: the mirror
 * @net: the namespace
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int pvsvpn_policy_net_init(struct pvsvpn_policies *policies, struct net *net)
{
	policies->net = net;
	spin_lock_init(&policies->lock);
	INIT_LIST_HEAD(&policies->swept);
	INIT_LIST_HEAD(&policies->unswept);
	mutex_init(&policies->mutex);
	INIT_DELAYED_WORK(&policies->work, policies_work);
	/* The last step, because it is the only one that may fail */
	return rhashtable_init(&policies->by_index, &index_params);
}

/**
 * pvsvpn_policy_net_stop() - stop the mirror's work in a removed namespace
 * @policies: the mirror; no device is left
 *
 * The work of xfrm_adopt.c may still have a look under way.
 *
 * Context: process, RTNL not held; a grace period after the last device was removed.
 */
void pvsvpn_policy_net_stop(struct pvsvpn_policies *policies)
{
	WRITE_ONCE(policies->gone, true);
	cancel_delayed_work_sync(&policies->work);
}

/**
 * pvsvpn_policy_net_exit() - free the mirror of a removed namespace
 * @policies: the mirror, after pvsvpn_policy_net_stop(); no work uses it any more
 *
 * Context: process, RTNL not held.
 */
void pvsvpn_policy_net_exit(struct pvsvpn_policies *policies)
{
	/* The work of xfrm_adopt.c may have queued it at the last moment. */
	cancel_delayed_work_sync(&policies->work);
	if (policies->walking)
		xfrm_policy_walk_done(&policies->walk, policies->net);
	pvsvpn_policy_sweep(policies);
	/* No notification can come: each asks under RCU whether a device of the namespace adopts. */
	rhashtable_destroy(&policies->by_index);
	mutex_destroy(&policies->mutex);
}
