// SPDX-License-Identifier: GPL-2.0
#include <crypto/aead.h>
#include <linux/random.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/xfrm.h>

#include "quota.h"
#include "peer.h"
#include "sa.h"
#include "stats.h"
#include "transform.h"
#include "work.h"
#include "xfrm_seq.h"
#include "xfrm_traffic.h"

/**
 * pvsvpn_sa_destroy() - free an SA that is not in use
 * @sa: from pvsvpn_sa_new(); pvsvpn_tunnel_add_sa() was not called, or has failed, or the last
 *	reference is gone
 *
 * Context: process.
 */
void pvsvpn_sa_destroy(struct pvsvpn_sa *sa)
{
	del_timer_sync(&sa->lifetime.timer);
	if (sa->x)
		xfrm_state_put(sa->x);
	if (rcu_access_pointer(sa->endpoint))
		pvsvpn_endpoint_free(rcu_dereference_protected(sa->endpoint, true));
	crypto_free_aead(sa->aead);
	if (sa->dir == PVSVPN_DIRECTION_IN)
		kfree(sa->replay.bitmap);
	free_percpu(sa->counters);
	kfree(sa);
}

static void sa_destroy_work(struct work_struct *work)
{
	struct pvsvpn_sa *sa = container_of(work, struct pvsvpn_sa, destroy);
	struct pvsvpn_peer *peer = sa->peer;

	pvsvpn_sa_destroy(sa);
	pvsvpn_peer_put(peer);
}

static void sa_unhashed_work(struct work_struct *work)
{
	pvsvpn_sa_put(container_of(to_rcu_work(work), struct pvsvpn_sa, unhashed));
}

/**
 * pvsvpn_sa_put() - drop a reference to an SA
 * @sa: the SA; after the last reference it is freed in process context
 *
 * Context: any.
 */
void pvsvpn_sa_put(struct pvsvpn_sa *sa)
{
	if (refcount_dec_and_test(&sa->refs))
		queue_work(pvsvpn_wq, &sa->destroy);
}

/**
 * pvsvpn_sa_set_dir() - set the direction of an SA
 * @sa: from pvsvpn_sa_new(), not in use yet
 * @dir: enum pvsvpn_direction
 *
 * Context: process.
 */
void pvsvpn_sa_set_dir(struct pvsvpn_sa *sa, u8 dir)
{
	sa->dir = dir;
	if (sa->x)
		sa->traffic = pvsvpn_traffic_read(sa->x, dir);
	/* Each direction has its own member of the union. */
	memset(&sa->replay, 0, sizeof(sa->replay));
}

/**
 * pvsvpn_sa_new() - allocate an SA that is not in use yet
 * @config: its parameters
 * @extack: receives the error message, or NULL
 *
 * Context: process, RTNL not held: the crypto driver may be a module to load.
 * Return: the SA, for pvsvpn_tunnel_add_sa() or pvsvpn_sa_destroy(); or an ERR_PTR.
 */
struct pvsvpn_sa *pvsvpn_sa_new(const struct pvsvpn_sa_config *config,
				struct netlink_ext_ack *extack)
{
	struct pvsvpn_sa *sa;
	int err = -ENOMEM;

	sa = kzalloc(sizeof(*sa), GFP_KERNEL_ACCOUNT);
	if (!sa)
		return ERR_PTR(-ENOMEM);
	sa->counters = pvsvpn_stats_alloc(PVSVPN_DROP_SA_MAX);
	if (!sa->counters)
		goto err_sa;
	sa->aead = pvsvpn_transform_alloc(config->transform, config->esn, config->key, extack);
	if (IS_ERR(sa->aead)) {
		err = PTR_ERR(sa->aead);
		goto err_counters;
	}
	sa->spi = config->spi;
	sa->esn = config->esn;
	sa->transform = config->transform;
	pvsvpn_sa_set_dir(sa, config->dir);
	if (sa->dir == PVSVPN_DIRECTION_OUT)
		atomic64_set(&sa->tx_seq, config->seq);
	else
		sa->replay.top = config->seq;
	sa->iv = get_random_u64();
	pvsvpn_lifetime_init(sa, config->soft, config->hard);
	if (config->x) {
		xfrm_state_hold(config->x);
		sa->x = config->x;
	}
	refcount_set(&sa->refs, 1);
	INIT_LIST_HEAD(&sa->outbound);
	INIT_LIST_HEAD(&sa->adopted);
	INIT_RCU_WORK(&sa->unhashed, sa_unhashed_work);
	INIT_WORK(&sa->destroy, sa_destroy_work);
	return sa;

err_counters:
	free_percpu(sa->counters);
err_sa:
	kfree(sa);
	return ERR_PTR(err);
}

/**
 * pvsvpn_sa_reserve() - reserve a place for an SA within the limit of the namespace
 * @sa: from pvsvpn_sa_new(), not in use yet
 * @net: namespace in which the device was created
 * @instead: an SA of the namespace that gives up its place if there is no other, or NULL
 *
 * Context: process, RTNL held.
 * Return: 0, then call pvsvpn_tunnel_add_sa() or pvsvpn_sa_cancel(); or -ENOSPC.
 */
int pvsvpn_sa_reserve(struct pvsvpn_sa *sa, struct net *net, struct pvsvpn_sa *instead)
{
	int err;

	ASSERT_RTNL();
	if (test_bit(PVSVPN_SA_COUNTED, &sa->flags))
		return 0;
	err = pvsvpn_quota_take(net, PVSVPN_LIMIT_SAS, NULL);
	if (err && instead && test_and_clear_bit(PVSVPN_SA_COUNTED, &instead->flags))
		err = 0;
	if (!err)
		set_bit(PVSVPN_SA_COUNTED, &sa->flags);
	return err;
}

/**
 * pvsvpn_sa_unreserve() - give up the place of an SA within the limit of the namespace
 * @sa: the SA; nothing happens if it has none
 * @net: namespace in which the device was created
 *
 * Context: process, RTNL held.
 */
void pvsvpn_sa_unreserve(struct pvsvpn_sa *sa, struct net *net)
{
	if (test_and_clear_bit(PVSVPN_SA_COUNTED, &sa->flags))
		pvsvpn_quota_put(net, PVSVPN_LIMIT_SAS);
}

/**
 * pvsvpn_sa_cancel() - undo pvsvpn_sa_reserve() and pvsvpn_sa_move()
 * @sa: the SA, not in use
 * @net: namespace in which the device was created
 *
 * Context: process, RTNL held.
 */
void pvsvpn_sa_cancel(struct pvsvpn_sa *sa, struct net *net)
{
	struct pvsvpn_endpoint *endpoint = rtnl_dereference(sa->endpoint);

	pvsvpn_sa_unreserve(sa, net);
	if (!endpoint)
		return;
	RCU_INIT_POINTER(sa->endpoint, NULL);
	pvsvpn_endpoint_stop(endpoint);
	pvsvpn_endpoint_free(endpoint);
}

/**
 * pvsvpn_sa_move() - give an adopted SA its own outer addresses
 * @sa: outbound SA, its peer set
 * @config: only its endpoint fields are used
 *
 * Context: process, RTNL held.
 * Return: 0 or a negative errno.
 */
int pvsvpn_sa_move(struct pvsvpn_sa *sa, const struct pvsvpn_peer_config *config)
{
	struct pvsvpn_endpoint *old = rtnl_dereference(sa->endpoint);
	struct pvsvpn_endpoint *endpoint;

	if (old && !pvsvpn_endpoint_differs(old, config))
		return 0;
	endpoint = pvsvpn_endpoint_new(sa->peer, config);
	if (IS_ERR(endpoint))
		return PTR_ERR(endpoint);
	rcu_assign_pointer(sa->endpoint, endpoint);
	if (old)
		pvsvpn_endpoint_replace(old);
	return 0;
}

/**
 * pvsvpn_sa_seq_take() - take sequence numbers for a batch of packets
 * @sa: outbound SA, not adopted
 * @count: how many packets, at least 1
 * @first: set to the first number; the others follow
 *
 * Numbers never wrap (RFC 4303 section 3.3.3): a batch gets what is left, and
 * the last number taken expires the SA.
 *
 * Context: softirq, or BH disabled.
 * Return: how many numbers were taken, 0 to @count.
 */
unsigned int pvsvpn_sa_seq_take(struct pvsvpn_sa *sa, unsigned int count, u64 *first)
{
	u64 max = pvsvpn_sa_seq_max(sa->dir, sa->esn);
	u64 last, before;

	if (unlikely(test_bit(PVSVPN_SA_EXPIRED, &sa->flags)))
		return 0;
	last = atomic64_add_return(count, &sa->tx_seq);
	before = last - count;
	*first = before + 1;
	if (likely(last < max))
		return count;
	pvsvpn_lifetime_end(sa, PVSVPN_LIFETIME_SEQUENCE);
	return before < max ? min_t(u64, count, max - before) : 0;
}

/**
 * pvsvpn_sa_seq() - get the latest sequence number of an SA
 * @sa: the SA
 *
 * Context: any but hard interrupts.
 * Return: outbound, the last number used; inbound, the highest one accepted.
 */
u64 pvsvpn_sa_seq(const struct pvsvpn_sa *sa)
{
	if (sa->x)
		return pvsvpn_state_seq(sa);
	if (sa->dir == PVSVPN_DIRECTION_IN)
		return READ_ONCE(sa->replay.top);
	return min_t(u64, atomic64_read(&sa->tx_seq), pvsvpn_sa_seq_max(sa->dir, sa->esn));
}

/**
 * pvsvpn_sa_window() - get the anti-replay window of an SA
 * @sa: inbound SA
 *
 * Context: any.
 * Return: size in packets; 0 for none.
 */
u32 pvsvpn_sa_window(const struct pvsvpn_sa *sa)
{
	return sa->x ? pvsvpn_state_window(sa) : sa->replay.window;
}
