// SPDX-License-Identifier: GPL-2.0
#include <linux/rhashtable.h>
#include <linux/rtnetlink.h>

#include "destination.h"
#include "device.h"
#include "endpoint.h"
#include "peer.h"
#include "sa.h"
#include "selector.h"
#include "work.h"

/* ---- peers by (device, name) ---- */

/* Without padding, because the table hashes and compares all bytes */
struct name_key {
	const struct pvsvpn_device *pvs;
	char text[PVSVPN_PEER_NAME_MAX + 1];
};
static_assert(sizeof(struct name_key) == offsetofend(struct name_key, text));

/**
 * struct pvsvpn_peer_name - a name, in a table of its own so that it can be replaced
 * @node: in the table of (device, name)
 * @rcu: delays kfree(); a table lookup may still read the entry
 * @peer: the peer that has this name
 * @key: the device, and the name with zeros up to its end
 */
struct pvsvpn_peer_name {
	struct rhash_head node;
	struct rcu_head rcu;
	struct pvsvpn_peer *peer;
	struct name_key key;
};

static const struct rhashtable_params name_params = {
	.head_offset = offsetof(struct pvsvpn_peer_name, node),
	.key_offset = offsetof(struct pvsvpn_peer_name, key),
	.key_len = sizeof(struct name_key),
	.automatic_shrinking = true,
};

static struct rhashtable peers_by_name;

/**
 * pvsvpn_peer_name_add() - reserve a name for a peer
 * @peer: the peer; it keeps its own name until pvsvpn_peer_name_switch()
 * @name: 1 to PVSVPN_PEER_NAME_MAX bytes, NUL-terminated
 *
 * Context: process, RTNL held.
 * Return: the name; ERR_PTR(-EEXIST) if another peer of the device has it; ERR_PTR(-ENOMEM).
 */
struct pvsvpn_peer_name *pvsvpn_peer_name_add(struct pvsvpn_peer *peer, const char *name)
{
	struct pvsvpn_peer_name *entry = kzalloc(sizeof(*entry), GFP_KERNEL_ACCOUNT);
	int err;

	if (!entry)
		return ERR_PTR(-ENOMEM);
	entry->peer = peer;
	entry->key.pvs = peer->pvs;
	strscpy_pad(entry->key.text, name, sizeof(entry->key.text));
	err = rhashtable_lookup_insert_fast(&peers_by_name, &entry->node, name_params);
	if (err) {
		kfree(entry);
		return ERR_PTR(err);
	}
	return entry;
}

/**
 * pvsvpn_peer_name_remove() - release a name
 * @entry: the name
 *
 * Context: process, RTNL held.
 */
void pvsvpn_peer_name_remove(struct pvsvpn_peer_name *entry)
{
	rhashtable_remove_fast(&peers_by_name, &entry->node, name_params);
	kfree_rcu(entry, rcu);
}

/**
 * pvsvpn_peer_name_switch() - give a peer a name that was reserved for it
 * @peer: the peer; its old name is released
 * @entry: the new name
 *
 * Context: process, RTNL held.
 */
void pvsvpn_peer_name_switch(struct pvsvpn_peer *peer, struct pvsvpn_peer_name *entry)
{
	struct pvsvpn_peer_name *old = peer->name_entry;

	peer->name_entry = entry;
	peer->name = entry->key.text;
	if (old)
		pvsvpn_peer_name_remove(old);
}

/* ---- the outer addresses of a peer ---- */

/**
 * pvsvpn_peer_switch_endpoint() - replace the outer addresses of a peer
 * @peer: the peer
 * @endpoint: the new addresses, from pvsvpn_endpoint_add()
 *
 * Context: process, RTNL held.
 */
void pvsvpn_peer_switch_endpoint(struct pvsvpn_peer *peer, struct pvsvpn_endpoint *endpoint)
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

/**
 * pvsvpn_peer_del_subnets() - remove prefixes of a peer, so that no packet finds it by them
 * @peer: the peer
 * @keep: prefixes that stay, if the peer has them
 * @count: number of @keep
 *
 * Context: process, RTNL held.
 */
void pvsvpn_peer_del_subnets(struct pvsvpn_peer *peer,
			     const struct pvsvpn_prefix *keep, unsigned int count)
{
	struct pvsvpn_subnet *subnet, *next;

	list_for_each_entry_safe(subnet, next, &peer->subnets, list)
		if (!prefix_listed(&subnet->prefix, keep, count))
			pvsvpn_selector_del(subnet);
}

static void peer_del_subnets_after(struct pvsvpn_peer *peer, struct list_head *last)
{
	while (peer->subnets.prev != last)
		pvsvpn_selector_del(list_last_entry(&peer->subnets, struct pvsvpn_subnet, list));
}

/**
 * pvsvpn_peer_set_subnets() - set the prefixes of a peer
 * @peer: the peer
 * @config: only its prefixes are used
 *
 * New prefixes are added first, then old ones are removed: kept prefixes work at every moment.
 *
 * Context: process, RTNL held.
 * Return: 0 or a negative errno, and then nothing has changed.
 */
int pvsvpn_peer_set_subnets(struct pvsvpn_peer *peer, const struct pvsvpn_peer_config *config)
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
	pvsvpn_peer_del_subnets(peer, prefixes, count);
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
	pvsvpn_destination_free(rcu_dereference_protected(peer->destination, true));
	netdev_put(peer->pvs->dev, &peer->dev_tracker);
	free_percpu(peer->counters);
	kfree(peer);
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

static void peer_put_rcu(struct rcu_head *rcu)
{
	pvsvpn_peer_put(container_of(rcu, struct pvsvpn_peer, rcu));
}

/**
 * pvsvpn_peer_put_later() - drop the reference of the tables after a grace period
 * @peer: the peer, in no table; earlier lookups may still use it
 *
 * Context: any.
 */
void pvsvpn_peer_put_later(struct pvsvpn_peer *peer)
{
	call_rcu(&peer->rcu, peer_put_rcu);
}

/* ---- work that packets and timers leave for later ---- */

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
 * pvsvpn_peer_add_news() - queue an event that a packet or a timer found for an SA
 * @sa: an SA of the peer; the caller has set the flag that tells the event
 *
 * The peer's work reports it to user space and selects another SA if necessary.
 *
 * Context: any.
 */
void pvsvpn_peer_add_news(struct pvsvpn_sa *sa)
{
	if (test_and_set_bit(PVSVPN_SA_NEWS, &sa->flags))
		return;
	pvsvpn_sa_get(sa);
	llist_add(&sa->news, &sa->peer->news);
	pvsvpn_peer_refresh(sa->peer);
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
void pvsvpn_peer_follow(struct pvsvpn_peer *peer, const xfrm_address_t *remote, __be16 port)
{
	if (likely(pvsvpn_endpoint_is_at(pvsvpn_peer_endpoint(peer), remote,
					 port)) ||
	    READ_ONCE(peer->pin) || READ_ONCE(peer->deleted))
		return;
	spin_lock(&peer->moved_lock);
	peer->moved_to = *remote;
	peer->moved_port = port;
	spin_unlock(&peer->moved_lock);
	pvsvpn_peer_refresh(peer);
}

/* ---- finding peers and their routes ---- */

/**
 * pvsvpn_peer_find() - find a peer by its name
 * @pvs: the device
 * @name: at most PVSVPN_PEER_NAME_MAX bytes, NUL-terminated
 *
 * Context: process, RTNL held.
 * Return: the peer, without a reference, or NULL.
 */
struct pvsvpn_peer *pvsvpn_peer_find(struct pvsvpn_device *pvs, const char *name)
{
	struct name_key key = { .pvs = pvs };
	const struct pvsvpn_peer_name *entry;

	ASSERT_RTNL();
	strscpy_pad(key.text, name, sizeof(key.text));
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
 * pvsvpn_peer_init() - set up the table of names
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_peer_init(void)
{
	return rhashtable_init(&peers_by_name, &name_params);
}

/**
 * pvsvpn_peer_exit() - free the table; no device may be left
 */
void pvsvpn_peer_exit(void)
{
	rhashtable_destroy(&peers_by_name);
}
