// SPDX-License-Identifier: GPL-2.0
#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <linux/rtnetlink.h>

#include "destination.h"
#include "device.h"
#include "endpoint.h"
#include "event.h"
#include "quota.h"
#include "peer.h"
#include "pmtu.h"
#include "sa.h"
#include "stats.h"
#include "udp_encap.h"
#include "work.h"
#include "xfrm_policy.h"

/* ---- peers by (device, name) ---- */

/**
 * struct pvsvpn_peer_name - a name, in a table of its own so that it can be replaced
 * @node: in the table of (device, name)
 * @rcu: delays kfree(); a table lookup may still read the entry
 * @peer: the peer that has this name
 * @text: NUL-terminated
 */
struct pvsvpn_peer_name {
	struct rhash_head node;
	struct rcu_head rcu;
	struct pvsvpn_peer *peer;
	char text[PVSVPN_PEER_NAME_MAX + 1];
};

struct name_key {
	const struct pvsvpn_device *pvs;
	const char *name;
};

static u32 name_hash(const struct pvsvpn_device *pvs, const char *name,
		     u32 seed)
{
	return jhash(name, strlen(name),
		     seed ^ (u32)((unsigned long)pvs >> 6));
}

static u32 name_key_hashfn(const void *data, u32 len, u32 seed)
{
	const struct name_key *key = data;

	return name_hash(key->pvs, key->name, seed);
}

static u32 name_obj_hashfn(const void *data, u32 len, u32 seed)
{
	const struct pvsvpn_peer_name *entry = data;

	return name_hash(entry->peer->pvs, entry->text, seed);
}

static int name_cmpfn(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct pvsvpn_peer_name *entry = obj;
	const struct name_key *key = arg->key;

	return entry->peer->pvs != key->pvs || strcmp(entry->text, key->name);
}

static const struct rhashtable_params name_params = {
	.head_offset = offsetof(struct pvsvpn_peer_name, node),
	.hashfn = name_key_hashfn,
	.obj_hashfn = name_obj_hashfn,
	.obj_cmpfn = name_cmpfn,
	.automatic_shrinking = true,
};

static struct rhashtable peers_by_name;

/* The peer keeps its own name until name_switch(). */
static struct pvsvpn_peer_name *name_add(struct pvsvpn_peer *peer,
					 const char *name)
{
	struct pvsvpn_peer_name *entry = kzalloc(sizeof(*entry), GFP_KERNEL_ACCOUNT);
	struct name_key key = { peer->pvs, name };
	int err;

	if (!entry)
		return ERR_PTR(-ENOMEM);
	entry->peer = peer;
	strscpy(entry->text, name, sizeof(entry->text));
	err = rhashtable_lookup_insert_key(&peers_by_name, &key, &entry->node,
					   name_params);
	if (err) {
		kfree(entry);
		return ERR_PTR(err);
	}
	return entry;
}

static void name_remove(struct pvsvpn_peer_name *entry)
{
	rhashtable_remove_fast(&peers_by_name, &entry->node, name_params);
	kfree_rcu(entry, rcu);
}

static void name_switch(struct pvsvpn_peer *peer,
			struct pvsvpn_peer_name *entry)
{
	struct pvsvpn_peer_name *old = peer->name_entry;

	peer->name_entry = entry;
	peer->name = entry->text;
	if (old)
		name_remove(old);
}

/* ---- the outer addresses of a peer ---- */

static void peer_switch_endpoint(struct pvsvpn_peer *peer,
				 struct pvsvpn_endpoint *endpoint)
{
	struct pvsvpn_endpoint *old = rtnl_dereference(peer->endpoint);

	rcu_assign_pointer(peer->endpoint, endpoint);
	if (old)
		pvsvpn_endpoint_remove(old);
}

/* ---- the prefixes of a peer ---- */

static bool prefix_listed(const struct pvsvpn_prefix *prefix,
			  const struct pvsvpn_prefix *list, unsigned int count)
{
	while (count--)
		if (!memcmp(prefix, &list[count], sizeof(*prefix)))
			return true;
	return false;
}

static void peer_del_subnets(struct pvsvpn_peer *peer)
{
	struct pvsvpn_subnet *subnet, *next;

	list_for_each_entry_safe(subnet, next, &peer->subnets, list)
		pvsvpn_selector_del(subnet);
}

static void peer_del_subnets_after(struct pvsvpn_peer *peer,
				   struct list_head *last)
{
	while (peer->subnets.prev != last)
		pvsvpn_selector_del(list_last_entry(&peer->subnets,
						    struct pvsvpn_subnet, list));
}

static void peer_del_subnets_but(struct pvsvpn_peer *peer,
				 const struct pvsvpn_prefix *keep,
				 unsigned int count)
{
	struct pvsvpn_subnet *subnet, *next;

	list_for_each_entry_safe(subnet, next, &peer->subnets, list)
		if (!prefix_listed(&subnet->prefix, keep, count))
			pvsvpn_selector_del(subnet);
}

/*
 * Add new prefixes first, then remove old ones: kept prefixes work at every moment, and a
 * failure leaves everything unchanged.
 */
static int peer_set_subnets(struct pvsvpn_peer *peer,
			    const struct pvsvpn_peer_config *config)
{
	const struct pvsvpn_prefix *prefixes = config->prefixes;
	unsigned int i, count = config->prefix_count;
	struct list_head *last = peer->subnets.prev;
	int err;

	if (!count) {
		prefixes = pvsvpn_selector_all;
		count = ARRAY_SIZE(pvsvpn_selector_all);
	}
	for (i = 0; i < count; i++) {
		if (pvsvpn_selector_owner(peer->pvs, &prefixes[i]) == peer)
			continue;
		err = pvsvpn_selector_add(peer, &prefixes[i]);
		if (err) {
			peer_del_subnets_after(peer, last);
			return err;
		}
	}
	peer_del_subnets_but(peer, prefixes, count);
	peer->default_subnets = !config->prefix_count;
	return 0;
}

/* ---- the life cycle of a peer ---- */

/* The last endpoint is freed with the peer: a late request may still use it. */
static void peer_free(struct pvsvpn_peer *peer)
{
	struct pvsvpn_endpoint *endpoint =
		rcu_dereference_protected(peer->endpoint, true);

	if (endpoint)
		pvsvpn_endpoint_free(endpoint);
	pvsvpn_destination_free(rcu_dereference_protected(peer->destination,
							  true));
	netdev_put(peer->pvs->dev, &peer->dev_tracker);
	free_percpu(peer->counters);
	kfree(peer);
}

static void peer_free_rcu(struct rcu_head *rcu)
{
	peer_free(container_of(rcu, struct pvsvpn_peer, rcu));
}

static void peer_put_rcu(struct rcu_head *rcu)
{
	pvsvpn_peer_put(container_of(rcu, struct pvsvpn_peer, rcu));
}

/**
 * pvsvpn_peer_put() - drop a reference to a peer
 * @peer: the peer; the last reference frees it
 *
 * Context: any.
 */
void pvsvpn_peer_put(struct pvsvpn_peer *peer)
{
	if (refcount_dec_and_test(&peer->refs))
		peer_free(peer);
}

/* ---- a peer that moves ---- */

static bool endpoint_is(const struct pvsvpn_endpoint *endpoint,
			const xfrm_address_t *remote, __be16 port)
{
	return endpoint->dport == port &&
	       xfrm_addr_equal(&endpoint->remote, remote, endpoint->family);
}

/**
 * pvsvpn_peer_move() - give a peer new outer addresses
 * @peer: the peer
 * @config: only its endpoint fields are used
 * @reason: text for the event, which is sent if the remote address or port changes
 *
 * Context: process, RTNL held.
 * Return: 0 or a negative errno.
 */
int pvsvpn_peer_move(struct pvsvpn_peer *peer,
		     const struct pvsvpn_peer_config *config,
		     const char *reason)
{
	bool elsewhere = !endpoint_is(pvsvpn_peer_endpoint(peer),
				      &config->remote, config->dport);
	struct pvsvpn_endpoint *endpoint = pvsvpn_endpoint_add(peer, config);

	if (IS_ERR(endpoint))
		return PTR_ERR(endpoint);
	peer_switch_endpoint(peer, endpoint);
	pvsvpn_udp_keepalive_start(peer);
	if (elsewhere)
		pvsvpn_event_peer(peer, PVSVPN_EVENT_TYPE_ENDPOINT_CHANGED,
				  reason);
	pvsvpn_pmtu_changed(peer);
	return 0;
}

/* Meanwhile an operator may have changed or pinned the endpoint. */
static void peer_moved(struct pvsvpn_peer *peer)
{
	const struct pvsvpn_endpoint *old = pvsvpn_peer_endpoint(peer);
	struct pvsvpn_peer_config config = {
		.family = old->family,
		.encap = old->encap,
		.local = old->local,
		.sport = old->sport,
		.mark = old->mark,
	};

	strscpy(config.link, old->link, sizeof(config.link));
	spin_lock_bh(&peer->moved_lock);
	config.remote = peer->moved_to;
	config.dport = peer->moved_port;
	peer->moved_port = 0;
	spin_unlock_bh(&peer->moved_lock);
	if (config.dport && !peer->pin && old->encap == PVSVPN_ENCAP_UDP &&
	    !endpoint_is(old, &config.remote, config.dport))
		/* On -ENOMEM the next packet retries. */
		pvsvpn_peer_move(peer, &config, "authentic-packet");
}

static void peer_refresh_work(struct work_struct *work)
{
	struct pvsvpn_peer *peer = container_of(work, struct pvsvpn_peer,
						refresh);

	rtnl_lock();
	pvsvpn_peer_tell_news(peer);
	if (!peer->deleted) {
		pvsvpn_peer_select_sa(peer);
		pvsvpn_pmtu_changed(peer);
		peer_moved(peer);
	}
	rtnl_unlock();
	pvsvpn_peer_put(peer);
}

/**
 * pvsvpn_peer_refresh() - queue a new look at a peer's SAs and endpoint
 * @peer: the peer; the caller must keep it alive during the call
 *
 * Context: any.
 */
void pvsvpn_peer_refresh(struct pvsvpn_peer *peer)
{
	refcount_inc(&peer->refs);
	if (!queue_work(pvsvpn_wq, &peer->refresh))
		pvsvpn_peer_put(peer);
}

/**
 * pvsvpn_peer_follow() - handle the source address of an authentic packet
 * @peer: the peer, with ESP in UDP
 * @remote: source address, of the family of the peer's endpoint
 * @port: source port
 *
 * See RFC 3948 section 4. Packets go to a new address as soon as the work has run.
 *
 * Context: softirq, RCU read-side critical section in which an SA of the peer was found.
 */
void pvsvpn_peer_follow(struct pvsvpn_peer *peer, const xfrm_address_t *remote,
			__be16 port)
{
	if (likely(endpoint_is(pvsvpn_peer_endpoint(peer), remote, port)) ||
	    READ_ONCE(peer->pin) || READ_ONCE(peer->deleted))
		return;
	spin_lock(&peer->moved_lock);
	peer->moved_to = *remote;
	peer->moved_port = port;
	spin_unlock(&peer->moved_lock);
	pvsvpn_peer_refresh(peer);
}

/* The owner: whoever created the peer also deletes it. */
static const char *peer_origin(const struct pvsvpn_peer *peer)
{
	return peer->origin == PVSVPN_ORIGIN_XFRM ? "xfrm" : "request";
}

static int peer_set_destination(struct pvsvpn_peer *peer,
				const struct pvsvpn_peer_config *config)
{
	struct pvsvpn_destination *destination;

	destination = pvsvpn_destination_new(config->locals,
					     config->local_count);
	if (IS_ERR(destination))
		return PTR_ERR(destination);
	pvsvpn_destination_set(peer, destination);
	return 0;
}

static struct pvsvpn_peer *peer_alloc(struct pvsvpn_device *pvs,
				      const struct pvsvpn_peer_config *config)
{
	struct pvsvpn_peer *peer;

	peer = kzalloc(sizeof(*peer), GFP_KERNEL_ACCOUNT);
	if (!peer)
		return ERR_PTR(-ENOMEM);
	peer->counters = pvsvpn_stats_alloc(PVSVPN_DROP_PEER_MAX);
	if (!peer->counters) {
		kfree(peer);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&peer->refs, 1);
	INIT_LIST_HEAD(&peer->sas);
	INIT_LIST_HEAD(&peer->outbound);
	init_llist_head(&peer->news);
	INIT_LIST_HEAD(&peer->subnets);
	INIT_LIST_HEAD(&peer->led);
	peer->replay_window = config->replay_window;
	peer->nat_keepalive = config->nat_keepalive;
	peer->last_tx = jiffies;
	peer->pin = config->pin;
	peer->origin = config->origin;
	peer->tfc = config->tfc;
	spin_lock_init(&peer->moved_lock);
	INIT_WORK(&peer->refresh, peer_refresh_work);
	pvsvpn_udp_keepalive_init(peer);
	pvsvpn_liveness_init(peer, config->keepalive, config->dead_after);
	peer->next_sa_id = 1;
	peer->pvs = pvs;
	netdev_hold(pvs->dev, &peer->dev_tracker, GFP_KERNEL);
	return peer;
}

/* Add the subnets last: they make the peer visible to packets. */
static int peer_publish(struct pvsvpn_peer *peer,
			const struct pvsvpn_peer_config *config)
{
	struct pvsvpn_device *pvs = peer->pvs;
	struct pvsvpn_endpoint *endpoint;
	struct pvsvpn_peer_name *name;
	int err;

	err = peer_set_destination(peer, config);
	if (err)
		return err;
	err = xa_alloc_cyclic(&pvs->peers, &peer->id, peer, xa_limit_31b,
			      &pvs->next_id, GFP_KERNEL);
	if (err < 0)
		return err;
	name = name_add(peer, config->name);
	err = PTR_ERR_OR_ZERO(name);
	if (err)
		goto err_id;
	name_switch(peer, name);
	endpoint = pvsvpn_endpoint_add(peer, config);
	err = PTR_ERR_OR_ZERO(endpoint);
	if (err)
		goto err_name;
	peer_switch_endpoint(peer, endpoint);
	err = peer_set_subnets(peer, config);
	if (err)
		goto err_endpoint;
	return 0;

err_endpoint:
	pvsvpn_endpoint_unlist(endpoint);
err_name:
	name_remove(name);
err_id:
	xa_erase(&pvs->peers, peer->id);
	return err;
}

/**
 * pvsvpn_peer_new() - add a peer to a device
 * @pvs: the device
 * @config: the properties of the new peer
 * @extack: receives the error message
 *
 * Context: process, RTNL held.
 * Return: 0; -EEXIST if the name or a prefix is taken; -ENOSPC at the limit of
 * the namespace; -ENOMEM. On failure nothing has changed.
 */
int pvsvpn_peer_new(struct pvsvpn_device *pvs,
		    const struct pvsvpn_peer_config *config,
		    struct netlink_ext_ack *extack)
{
	struct pvsvpn_peer *peer;
	int err;

	ASSERT_RTNL();
	err = pvsvpn_quota_take(pvs->net, PVSVPN_LIMIT_PEERS, extack);
	if (err)
		return err;
	peer = peer_alloc(pvs, config);
	if (IS_ERR(peer)) {
		pvsvpn_quota_put(pvs->net, PVSVPN_LIMIT_PEERS);
		return PTR_ERR(peer);
	}
	err = peer_publish(peer, config);
	if (err) {
		pvsvpn_quota_put(pvs->net, PVSVPN_LIMIT_PEERS);
		NL_SET_ERR_MSG_FMT(extack, "cannot add peer %.24s",
				   config->name);
		/* Lookups may have seen it. */
		call_rcu(&peer->rcu, peer_free_rcu);
		return err;
	}
	WRITE_ONCE(pvs->peer_count, pvs->peer_count + 1);
	pvsvpn_udp_keepalive_start(peer);
	pvsvpn_event_peer(peer, PVSVPN_EVENT_TYPE_PEER_NEW, peer_origin(peer));
	pvsvpn_pmtu_changed(peer);
	return 0;
}

/* Events report a rename as one peer deleted and another one added. */
static void peer_rename(struct pvsvpn_peer *peer, struct pvsvpn_peer_name *name)
{
	pvsvpn_event_peer(peer, PVSVPN_EVENT_TYPE_PEER_DEL, "renamed");
	name_switch(peer, name);
	pvsvpn_event_peer(peer, PVSVPN_EVENT_TYPE_PEER_NEW, peer_origin(peer));
	if (peer->up)
		pvsvpn_event_peer(peer, PVSVPN_EVENT_TYPE_PEER_UP, "renamed");
}

/**
 * pvsvpn_peer_set() - change a peer
 * @peer: the peer
 * @config: the new properties, including the name
 * @extack: receives the error message
 *
 * Its SAs stay. No packet sees the SAs with one peer and the subnets with another: this is
 * how an operator takes over a peer that was made from XFRM's states. The caller must have
 * checked that no SA conflicts under the new addresses.
 *
 * Context: process, RTNL held.
 * Return: 0; -EEXIST if the name or a prefix is taken; -ENOMEM. On failure nothing has
 * changed.
 */
int pvsvpn_peer_set(struct pvsvpn_peer *peer,
		    const struct pvsvpn_peer_config *config,
		    struct netlink_ext_ack *extack)
{
	struct pvsvpn_peer_name *name = NULL;
	struct pvsvpn_destination *destination;
	struct pvsvpn_endpoint *endpoint;
	int err;

	ASSERT_RTNL();
	destination = pvsvpn_destination_new(config->locals,
					     config->local_count);
	err = PTR_ERR_OR_ZERO(destination);
	if (err)
		goto refused;
	endpoint = pvsvpn_endpoint_add(peer, config);
	err = PTR_ERR_OR_ZERO(endpoint);
	if (err)
		goto err_destination;
	if (strcmp(config->name, peer->name))
		name = name_add(peer, config->name);
	err = PTR_ERR_OR_ZERO(name);
	if (err)
		goto err_endpoint;
	pvsvpn_policy_ask(peer);
	if (!config->keep_prefixes)
		err = peer_set_subnets(peer, config);
	if (err)
		goto err_name;
	if (!config->keep_locals)
		pvsvpn_destination_set(peer, destination);
	peer_switch_endpoint(peer, endpoint);
	/* If an operator changes a peer that XFRM's states created, the peer stays without them. */
	peer->origin = config->origin;
	if (name)
		peer_rename(peer, name);
	peer->replay_window = config->replay_window;
	WRITE_ONCE(peer->nat_keepalive, config->nat_keepalive);
	WRITE_ONCE(peer->pin, config->pin);
	WRITE_ONCE(peer->tfc, config->tfc);
	pvsvpn_udp_keepalive_start(peer);
	pvsvpn_liveness_set(peer, config->keepalive, config->dead_after);
	pvsvpn_peer_select_sa(peer);
	pvsvpn_pmtu_changed(peer);
	return 0;

err_name:
	if (name)
		name_remove(name);
err_endpoint:
	pvsvpn_endpoint_remove(endpoint);
err_destination:
	pvsvpn_destination_free(destination);
refused:
	NL_SET_ERR_MSG_FMT(extack, "cannot change peer %.24s", peer->name);
	return err;
}

static void peer_set_up(struct pvsvpn_peer *peer, bool up, const char *why)
{
	struct pvsvpn_device *pvs = peer->pvs;

	if (peer->up == up)
		return;
	peer->up = up;
	if (up) {
		pvs->up_count++;
		pvsvpn_event_peer(peer, PVSVPN_EVENT_TYPE_PEER_UP, why);
	} else {
		pvs->up_count--;
		pvsvpn_event_peer(peer, PVSVPN_EVENT_TYPE_PEER_DOWN, why);
	}
	pvsvpn_device_carrier(pvs);
}

/* Report once what packets and timers have found out. */
static void sa_tell_news(struct pvsvpn_sa *sa)
{
	if (test_bit(PVSVPN_SA_SOFT_EXPIRED, &sa->flags) &&
	    !test_and_set_bit(PVSVPN_SA_SOFT_REPORTED, &sa->flags))
		pvsvpn_event_sa(sa, PVSVPN_EVENT_TYPE_SA_SOFT_EXPIRED,
				pvsvpn_lifetime_name(READ_ONCE(sa->lifetime.soft_why)));
	if (test_bit(PVSVPN_SA_EXPIRED, &sa->flags) &&
	    !test_and_set_bit(PVSVPN_SA_REPORTED, &sa->flags))
		pvsvpn_event_sa(sa, PVSVPN_EVENT_TYPE_SA_EXPIRED,
				pvsvpn_lifetime_name(READ_ONCE(sa->lifetime.hard_why)));
	if (test_and_clear_bit(PVSVPN_SA_REPLAY_BURST, &sa->flags))
		pvsvpn_event_sa(sa, PVSVPN_EVENT_TYPE_SA_REPLAY_BURST,
				READ_ONCE(sa->replay.burst_why) ==
				PVSVPN_DROP_RX_REPLAYED ? "replayed" : "too-old");
}

/**
 * pvsvpn_peer_tell_news() - report the state changes of SAs to user space
 * @peer: the peer
 *
 * Context: process, RTNL held.
 */
void pvsvpn_peer_tell_news(struct pvsvpn_peer *peer)
{
	struct llist_node *list = llist_del_all(&peer->news);
	struct pvsvpn_sa *sa, *next;

	ASSERT_RTNL();
	llist_for_each_entry_safe(sa, next, list, news) {
		/* Clear the flag first, so that later news queue the SA again. */
		test_and_clear_bit(PVSVPN_SA_NEWS, &sa->flags);
		if (!test_bit(PVSVPN_SA_GONE, &sa->flags))
			sa_tell_news(sa);
		pvsvpn_sa_put(sa);
	}
}

/* Skip expired SAs. Each one reaches the end of the list once and is then moved to the front. */
static struct pvsvpn_sa *peer_newest(struct pvsvpn_peer *peer)
{
	struct pvsvpn_sa *sa;

	while (!list_empty(&peer->outbound)) {
		sa = list_last_entry(&peer->outbound, struct pvsvpn_sa,
				     outbound);
		if (sa->retired || !test_bit(PVSVPN_SA_EXPIRED, &sa->flags))
			return sa;
		sa->retired = true;
		list_move(&sa->outbound, &peer->outbound);
		pvsvpn_policy_sa_expired(sa);
	}
	return NULL;
}

/**
 * pvsvpn_peer_select_sa() - choose the outbound SA again
 * @peer: the peer
 *
 * The newest usable SA carries the traffic, or the SA that the policies of an IKE daemon
 * select. If no SA is usable, the newest one stays, so that drops have its reason. A dead
 * peer keeps its SA for keepalives, but is not up.
 *
 * Context: process, RTNL held.
 */
void pvsvpn_peer_select_sa(struct pvsvpn_peer *peer)
{
	struct pvsvpn_sa *newest;
	const char *why;
	bool usable;

	ASSERT_RTNL();
	newest = peer_newest(peer);
	usable = newest && !newest->retired;
	pvsvpn_policy_select(peer, newest);
	pvsvpn_pmtu_tighten(peer);
	why = pvsvpn_liveness_look(peer, usable);
	peer_set_up(peer, usable && !peer->liveness.dead,
		    why ?: usable ? "outbound-sa" : "no-outbound-sa");
}

/**
 * pvsvpn_peer_del() - remove a peer with its SAs
 * @peer: the peer; the tables drop their reference after a grace period
 *
 * Context: process, RTNL held.
 */
void pvsvpn_peer_del(struct pvsvpn_peer *peer)
{
	struct pvsvpn_device *pvs = peer->pvs;
	struct pvsvpn_sa *sa, *next;

	ASSERT_RTNL();
	/* 0. Stop timers, and no longer follow the peer's address. */
	WRITE_ONCE(peer->deleted, true);
	pvsvpn_udp_keepalive_stop(peer);
	pvsvpn_liveness_stop(peer);
	/* 1. No packet finds the peer by its inner addresses. */
	peer_del_subnets(peer);
	/* 2. No packet finds the peer by an SPI. */
	list_for_each_entry_safe(sa, next, &peer->sas, list)
		pvsvpn_sa_del(sa);
	/* 3. No request finds it by name or id, and no unknown SPI finds it by address. */
	pvsvpn_event_peer(peer, PVSVPN_EVENT_TYPE_PEER_DEL, peer_origin(peer));
	name_remove(peer->name_entry);
	pvsvpn_endpoint_unlist(rtnl_dereference(peer->endpoint));
	xa_erase(&pvs->peers, peer->id);
	WRITE_ONCE(pvs->peer_count, pvs->peer_count - 1);
	pvsvpn_quota_put(pvs->net, PVSVPN_LIMIT_PEERS);
	/* 4. Earlier lookups are done after a grace period. */
	call_rcu(&peer->rcu, peer_put_rcu);
}

/**
 * pvsvpn_peer_del_all() - remove every peer of a device
 * @pvs: the device
 *
 * Context: process, RTNL held.
 */
void pvsvpn_peer_del_all(struct pvsvpn_device *pvs)
{
	struct pvsvpn_peer *peer;
	unsigned long id;

	xa_for_each(&pvs->peers, id, peer)
		pvsvpn_peer_del(peer);
}

/**
 * pvsvpn_peer_find() - find a peer by its name
 * @pvs: the device
 * @name: name of the peer, NUL-terminated
 *
 * Context: process, RTNL held.
 * Return: the peer, without a reference, or NULL.
 */
struct pvsvpn_peer *pvsvpn_peer_find(struct pvsvpn_device *pvs,
				     const char *name)
{
	struct name_key key = { pvs, name };
	const struct pvsvpn_peer_name *entry;

	ASSERT_RTNL();
	entry = rhashtable_lookup_fast(&peers_by_name, &key, name_params);
	return entry ? entry->peer : NULL;
}

static void peer_reset_routes(struct pvsvpn_peer *peer)
{
	struct pvsvpn_endpoint *endpoint;
	struct pvsvpn_sa *sa;

	dst_cache_reset(&rtnl_dereference(peer->endpoint)->dst_cache);
	list_for_each_entry(sa, &peer->outbound, outbound) {
		endpoint = rtnl_dereference(sa->endpoint);
		if (endpoint)
			dst_cache_reset(&endpoint->dst_cache);
	}
}

/**
 * pvsvpn_peer_reset_link() - resolve a peer's outgoing interface again
 * @peer: the peer; nothing happens if its endpoint names no interface
 *
 * Context: process, RTNL held.
 */
void pvsvpn_peer_reset_link(struct pvsvpn_peer *peer)
{
	if (*pvsvpn_peer_endpoint(peer)->link)
		peer_reset_routes(peer);
}

/**
 * pvsvpn_peer_reset_routes() - drop the cached routes to all peers of a device
 * @pvs: the device; something that its routes depend on has changed
 *
 * Context: process, RTNL held.
 */
void pvsvpn_peer_reset_routes(struct pvsvpn_device *pvs)
{
	struct pvsvpn_peer *peer;
	unsigned long id;

	ASSERT_RTNL();
	/* Wait until lookups by the old rules have stored their result in the caches. */
	synchronize_net();
	xa_for_each(&pvs->peers, id, peer)
		peer_reset_routes(peer);
	pvsvpn_work_refresh(pvs);
}

/**
 * pvsvpn_peer_init() - set up the tables of peers
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_peer_init(void)
{
	int err;

	err = rhashtable_init(&peers_by_name, &name_params);
	if (err)
		return err;
	err = pvsvpn_endpoint_init();
	if (err)
		rhashtable_destroy(&peers_by_name);
	return err;
}

/**
 * pvsvpn_peer_exit() - free the tables; no device may be left
 */
void pvsvpn_peer_exit(void)
{
	pvsvpn_endpoint_exit();
	rhashtable_destroy(&peers_by_name);
}
