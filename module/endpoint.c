// SPDX-License-Identifier: GPL-2.0
#include <linux/jhash.h>
#include <linux/netdevice.h>
#include <linux/rhashtable.h>
#include <linux/rtnetlink.h>

#include "device.h"
#include "endpoint.h"
#include "peer.h"
#include "udp_port.h"

/* Key of the table: namespace and remote address. */
struct remote_key {
	const struct net *net;
	const xfrm_address_t *remote;
	u16 family;
};

/* Hash the namespace too: an address used in many namespaces makes no long chain. */
static u32 remote_hash(const struct net *net, const xfrm_address_t *remote, u16 family, u32 seed)
{
	return jhash2((__force const u32 *)remote->a6,
		      family == AF_INET ? 1 : 4,
		      seed ^ (u32)((unsigned long)net / L1_CACHE_BYTES));
}

static u32 remote_key_hashfn(const void *data, u32 len, u32 seed)
{
	const struct remote_key *key = data;

	return remote_hash(key->net, key->remote, key->family, seed);
}

static u32 remote_obj_hashfn(const void *data, u32 len, u32 seed)
{
	const struct pvsvpn_endpoint *endpoint = data;

	return remote_hash(endpoint->peer->pvs->net, &endpoint->remote, endpoint->family, seed);
}

static int remote_cmpfn(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct pvsvpn_endpoint *endpoint = obj;
	const struct remote_key *key = arg->key;

	return endpoint->peer->pvs->net != key->net ||
	       endpoint->family != key->family ||
	       !xfrm_addr_equal(&endpoint->remote, key->remote, key->family);
}

static const struct rhashtable_params remote_params = {
	.head_offset = offsetof(struct pvsvpn_endpoint, node),
	.hashfn = remote_key_hashfn,
	.obj_hashfn = remote_obj_hashfn,
	.obj_cmpfn = remote_cmpfn,
	.automatic_shrinking = true,
};

static struct rhltable endpoints_by_remote;

static int endpoint_insert(struct pvsvpn_endpoint *endpoint)
{
	struct remote_key key = {
		.net = endpoint->peer->pvs->net,
		.remote = &endpoint->remote,
		.family = endpoint->family,
	};

	return rhltable_insert_key(&endpoints_by_remote, &key, &endpoint->node, remote_params);
}

/**
 * pvsvpn_endpoint_free() - free an endpoint that has no readers
 * @endpoint: the endpoint, in no table
 *
 * Context: any.
 */
void pvsvpn_endpoint_free(struct pvsvpn_endpoint *endpoint)
{
	dst_cache_destroy(&endpoint->dst_cache);
	kfree(endpoint);
}

static void endpoint_free_rcu(struct rcu_head *rcu)
{
	pvsvpn_endpoint_free(container_of(rcu, struct pvsvpn_endpoint, rcu));
}

/**
 * pvsvpn_endpoint_stop() - stop receiving at an endpoint's UDP port
 * @endpoint: the endpoint, in no table
 *
 * Context: process, RTNL held.
 */
void pvsvpn_endpoint_stop(struct pvsvpn_endpoint *endpoint)
{
	/* The packet path does not read endpoint->udp. */
	pvsvpn_udp_port_put(endpoint->udp);
}

/**
 * pvsvpn_endpoint_unlist() - remove an endpoint from the address table and stop it
 * @endpoint: the endpoint of a peer
 *
 * Context: process, RTNL held.
 */
void pvsvpn_endpoint_unlist(struct pvsvpn_endpoint *endpoint)
{
	rhltable_remove(&endpoints_by_remote, &endpoint->node, remote_params);
	pvsvpn_endpoint_stop(endpoint);
}

/**
 * pvsvpn_endpoint_replace() - stop an endpoint, and free it after a grace period
 * @endpoint: the old endpoint of an SA that has a new one
 *
 * Context: process, RTNL held.
 */
void pvsvpn_endpoint_replace(struct pvsvpn_endpoint *endpoint)
{
	pvsvpn_endpoint_stop(endpoint);
	call_rcu(&endpoint->rcu, endpoint_free_rcu);
}

/**
 * pvsvpn_endpoint_remove() - unlist an endpoint, and free it after a grace period
 * @endpoint: the endpoint of a peer
 *
 * Context: process, RTNL held.
 */
void pvsvpn_endpoint_remove(struct pvsvpn_endpoint *endpoint)
{
	pvsvpn_endpoint_unlist(endpoint);
	call_rcu(&endpoint->rcu, endpoint_free_rcu);
}

/* ESP in UDP needs a receiver on our port. */
static int endpoint_get_udp(struct pvsvpn_endpoint *endpoint)
{
	struct pvsvpn_udp_port *udp;

	if (endpoint->encap != PVSVPN_ENCAP_UDP)
		return 0;
	udp = pvsvpn_udp_port_get(endpoint->peer->pvs->net, endpoint->family, endpoint->sport);
	if (IS_ERR(udp))
		return PTR_ERR(udp);
	endpoint->udp = udp;
	return 0;
}

/**
 * pvsvpn_endpoint_new() - allocate an endpoint in no table, for an adopted SA
 * @peer: the peer of the SA
 * @config: the addresses, ports, encapsulation, link and mark
 *
 * Context: process, RTNL held.
 * Return: the endpoint, which pvsvpn_endpoint_stop() and pvsvpn_endpoint_free() release;
 * or an ERR_PTR.
 */
struct pvsvpn_endpoint *
pvsvpn_endpoint_new(struct pvsvpn_peer *peer, const struct pvsvpn_peer_config *config)
{
	struct pvsvpn_endpoint *endpoint;
	int err;

	endpoint = kzalloc(sizeof(*endpoint), GFP_KERNEL_ACCOUNT);
	if (!endpoint)
		return ERR_PTR(-ENOMEM);
	endpoint->peer = peer;
	endpoint->family = config->family;
	endpoint->encap = config->encap;
	strscpy(endpoint->link, config->link, sizeof(endpoint->link));
	endpoint->sport = config->sport;
	endpoint->dport = config->dport;
	endpoint->local = config->local;
	endpoint->remote = config->remote;
	endpoint->mark = config->mark;
	err = dst_cache_init(&endpoint->dst_cache, GFP_KERNEL_ACCOUNT);
	if (!err)
		err = endpoint_get_udp(endpoint);
	if (err) {
		pvsvpn_endpoint_free(endpoint);
		return ERR_PTR(err);
	}
	return endpoint;
}

/**
 * pvsvpn_endpoint_add() - allocate an endpoint and list it by its address
 * @peer: the peer that will own the endpoint
 * @config: the addresses, ports, encapsulation, link and mark
 *
 * Context: process, RTNL held.
 * Return: the endpoint, or an ERR_PTR.
 */
struct pvsvpn_endpoint *
pvsvpn_endpoint_add(struct pvsvpn_peer *peer, const struct pvsvpn_peer_config *config)
{
	struct pvsvpn_endpoint *endpoint = pvsvpn_endpoint_new(peer, config);
	int err;

	if (IS_ERR(endpoint))
		return endpoint;
	err = endpoint_insert(endpoint);
	if (err) {
		pvsvpn_endpoint_stop(endpoint);
		pvsvpn_endpoint_free(endpoint);
		return ERR_PTR(err);
	}
	return endpoint;
}

/**
 * pvsvpn_endpoint_differs() - check whether an endpoint differs from a configuration
 * @endpoint: the endpoint
 * @config: the addresses, ports, encapsulation, link and mark
 *
 * Context: any; the caller must keep the endpoint alive.
 * Return: true if any of them differs.
 */
bool pvsvpn_endpoint_differs(const struct pvsvpn_endpoint *endpoint,
			     const struct pvsvpn_peer_config *config)
{
	return endpoint->family != config->family ||
	       endpoint->encap != config->encap ||
	       endpoint->sport != config->sport ||
	       endpoint->mark != config->mark ||
	       strcmp(endpoint->link, config->link) ||
	       !xfrm_addr_equal(&endpoint->local, &config->local,
				config->family) ||
	       !pvsvpn_endpoint_is_at(endpoint, &config->remote, config->dport);
}

static struct pvsvpn_peer *first_peer(struct rhlist_head *list, const struct pvsvpn_device *pvs)
{
	struct pvsvpn_endpoint *endpoint;
	struct rhlist_head *pos;

	rhl_for_each_entry_rcu(endpoint, pos, list, node)
		if (!pvs || endpoint->peer->pvs == pvs)
			return endpoint->peer;
	return NULL;
}

/**
 * pvsvpn_endpoint_find() - find a peer by its outer address
 * @net: namespace where the peer's device was created
 * @pvs: the device, or NULL for any
 * @family: address family of @remote
 * @remote: outer address of the peer
 *
 * Context: RCU read-side critical section.
 * Return: one of the peers with that address, valid until the critical section ends;
 * or NULL.
 */
struct pvsvpn_peer *pvsvpn_endpoint_find(struct net *net,
					 const struct pvsvpn_device *pvs,
					 u16 family,
					 const xfrm_address_t *remote)
{
	struct remote_key key = {
		.net = net,
		.remote = remote,
		.family = family,
	};

	return first_peer(rhltable_lookup(&endpoints_by_remote, &key, remote_params), pvs);
}

/*
 * Several gateways behind one NAT share an address, and their ports distinguish them.
 * A peer without adopted SAs has no port yet to compare with.
 */
static bool is_another_gateway(const struct pvsvpn_endpoint *endpoint,
			       const struct pvsvpn_peer_config *config)
{
	return endpoint->encap == PVSVPN_ENCAP_UDP &&
	       config->encap == PVSVPN_ENCAP_UDP &&
	       endpoint->dport != config->dport &&
	       endpoint->peer->adopted_count;
}

/**
 * pvsvpn_endpoint_match() - find the peer of a device that an XFRM state belongs to
 * @pvs: the device
 * @config: the outer addresses and ports of the state
 *
 * Context: process, RTNL held.
 * Return: the peer at that address and port, else a peer at that address, else NULL.
 */
struct pvsvpn_peer *
pvsvpn_endpoint_match(const struct pvsvpn_device *pvs, const struct pvsvpn_peer_config *config)
{
	struct remote_key key = {
		.net = pvs->net,
		.remote = &config->remote,
		.family = config->family,
	};
	struct pvsvpn_endpoint *endpoint;
	struct pvsvpn_peer *peer = NULL;
	struct rhlist_head *list, *pos;

	ASSERT_RTNL();
	rcu_read_lock();
	list = rhltable_lookup(&endpoints_by_remote, &key, remote_params);
	rhl_for_each_entry_rcu(endpoint, pos, list, node) {
		if (endpoint->peer->pvs != pvs || is_another_gateway(endpoint, config))
			continue;
		if (!peer || endpoint->dport == config->dport)
			peer = endpoint->peer;
	}
	rcu_read_unlock();
	return peer;
}

/**
 * pvsvpn_endpoint_link() - get the interface through which a peer is reached
 * @endpoint: the peer's addresses
 *
 * Context: RCU read-side critical section.
 * Return: its current ifindex; 0 for any interface; -ENODEV if none has that name.
 */
int pvsvpn_endpoint_link(const struct pvsvpn_endpoint *endpoint)
{
	const struct net_device *dev;

	if (likely(!*endpoint->link))
		return 0;
	dev = dev_get_by_name_rcu(endpoint->peer->pvs->net, endpoint->link);
	/* Refuse altnames: no event reports that one is added or removed. */
	if (!dev || strcmp(dev->name, endpoint->link))
		return -ENODEV;
	return dev->ifindex;
}

/**
 * pvsvpn_endpoint_mark() - get the mark of outer packets and of their route lookup
 * @endpoint: the peer's addresses
 *
 * Context: any.
 * Return: the endpoint's mark, else the device's fwmark; 0 for none.
 */
u32 pvsvpn_endpoint_mark(const struct pvsvpn_endpoint *endpoint)
{
	return endpoint->mark ?:
	       READ_ONCE(endpoint->peer->pvs->settings.fwmark);
}

/**
 * pvsvpn_endpoint_init() - set up the address table
 *
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_endpoint_init(void)
{
	return rhltable_init(&endpoints_by_remote, &remote_params);
}

/**
 * pvsvpn_endpoint_exit() - free the address table, after the last device is gone
 */
void pvsvpn_endpoint_exit(void)
{
	rhltable_destroy(&endpoints_by_remote);
}
