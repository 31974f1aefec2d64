// SPDX-License-Identifier: GPL-2.0
/*
 * One table for all namespaces, keyed by namespace, direction and SPI. SAs that
 * differ only in the address share a key. The address is compared where it is stored,
 * in the peer or in XFRM's state, so it can change without a change of the table.
 *
 * Outbound SAs are in the table too: an ICMP error quotes them, and two SAs with the
 * same SPI must not send to the same gateway.
 */
#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <linux/rtnetlink.h>

#include "device.h"
#include "peer.h"
#include "sa.h"
#include "sad.h"
#include "xfrm_state.h"

struct sad_key {
	const struct net *net;
	__be32 spi;
	u8 dir;
};

static u32 sad_hash(const struct net *net, __be32 spi, u8 dir, u32 seed)
{
	return jhash_3words((__force u32)spi, dir,
			    (u32)((unsigned long)net / L1_CACHE_BYTES), seed);
}

static u32 sad_key_hashfn(const void *data, u32 len, u32 seed)
{
	const struct sad_key *key = data;

	return sad_hash(key->net, key->spi, key->dir, seed);
}

static u32 sad_obj_hashfn(const void *data, u32 len, u32 seed)
{
	const struct pvsvpn_sa *sa = data;

	return sad_hash(sa->peer->pvs->net, sa->spi, sa->dir, seed);
}

static int sad_cmpfn(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct pvsvpn_sa *sa = obj;
	const struct sad_key *key = arg->key;

	return sa->spi != key->spi || sa->dir != key->dir ||
	       sa->peer->pvs->net != key->net;
}

static const struct rhashtable_params sad_params = {
	.head_offset = offsetof(struct pvsvpn_sa, node),
	.hashfn = sad_key_hashfn,
	.obj_hashfn = sad_obj_hashfn,
	.obj_cmpfn = sad_cmpfn,
	.automatic_shrinking = true,
};

static struct rhltable sad;

/*
 * An unprivileged user may create many states with one SPI. Each lookup of one of them walks the
 * list with RTNL held, and a packet for the last one walks it too. Dead SAs are removed soon, and
 * give up their place to the SAs that continue them.
 */
#define SAME_SPI_MAX	256
#define SAME_SPI_DEAD	256

static const xfrm_address_t *
endpoint_daddr(u8 dir, const struct pvsvpn_endpoint *endpoint)
{
	return dir == PVSVPN_DIRECTION_OUT ? &endpoint->remote :
					     &endpoint->local;
}

/* The destination address of an SA's packets; unspecified for any. */
static const xfrm_address_t *sad_daddr(const struct pvsvpn_sa *sa, u16 *family)
{
	const struct pvsvpn_endpoint *endpoint;

	if (sa->x) {
		*family = sa->x->props.family;
		return &sa->x->id.daddr;
	}
	endpoint = pvsvpn_peer_endpoint(sa->peer);
	*family = endpoint->family;
	return endpoint_daddr(sa->dir, endpoint);
}

static bool daddr_overlaps(u16 family, const xfrm_address_t *a, const xfrm_address_t *b)
{
	return xfrm_addr_any(a, family) || xfrm_addr_any(b, family) ||
	       xfrm_addr_equal(a, b, family);
}

static bool sad_goes_to(const struct pvsvpn_sa *sa, u16 family, const xfrm_address_t *daddr)
{
	const xfrm_address_t *mine;
	u16 mine_family;

	mine = sad_daddr(sa, &mine_family);
	return mine_family == family && daddr_overlaps(family, mine, daddr);
}

/* A dead SA (by its XFRM state) is found only if it has no successor with the same SPI. */
static struct pvsvpn_sa *sad_find(struct net *net, u8 dir, __be32 spi,
				  u16 family, const xfrm_address_t *daddr,
				  const struct pvsvpn_peer *except)
{
	struct sad_key key = { .net = net, .spi = spi, .dir = dir };
	struct pvsvpn_sa *sa, *dead = NULL;
	struct rhlist_head *list, *pos;

	list = rhltable_lookup(&sad, &key, sad_params);
	rhl_for_each_entry_rcu(sa, pos, list, node) {
		if (sa->peer == except || !sad_goes_to(sa, family, daddr))
			continue;
		if (likely(!pvsvpn_state_dead(sa)))
			return sa;
		dead = sa;
	}
	return dead;
}

/**
 * pvsvpn_sad_full() - check whether there are too many SAs with one SPI
 * @net: namespace in which the device was created
 * @dir: enum pvsvpn_direction
 * @spi: the SPI
 *
 * These SAs differ in the destination address of their packets.
 *
 * Context: process, RTNL held.
 * Return: true if there is no room for one more.
 */
bool pvsvpn_sad_full(struct net *net, u8 dir, __be32 spi)
{
	struct sad_key key = { .net = net, .spi = spi, .dir = dir };
	struct rhlist_head *list, *pos;
	unsigned int alive = 0, dead = 0;
	struct pvsvpn_sa *sa;

	ASSERT_RTNL();
	rcu_read_lock();
	list = rhltable_lookup(&sad, &key, sad_params);
	rhl_for_each_entry_rcu(sa, pos, list, node) {
		if (pvsvpn_state_dead(sa))
			dead++;
		else
			alive++;
	}
	rcu_read_unlock();
	return alive >= SAME_SPI_MAX || dead >= SAME_SPI_DEAD;
}

/**
 * pvsvpn_sad_add() - make an SA visible to packets
 * @sa: the SA; the caller must have ruled out conflicts with pvsvpn_sad_conflict()
 *
 * Context: process, RTNL held.
 * Return: 0 or -ENOMEM.
 */
int pvsvpn_sad_add(struct pvsvpn_sa *sa)
{
	struct sad_key key = {
		.net = sa->peer->pvs->net,
		.spi = sa->spi,
		.dir = sa->dir,
	};

	ASSERT_RTNL();
	return rhltable_insert_key(&sad, &key, &sa->node, sad_params);
}

/**
 * pvsvpn_sad_del() - hide an SA from packets
 * @sa: the SA; packets that have found it are done after a grace period
 *
 * Context: process, RTNL held.
 */
void pvsvpn_sad_del(struct pvsvpn_sa *sa)
{
	ASSERT_RTNL();
	rhltable_remove(&sad, &sa->node, sad_params);
}

/**
 * pvsvpn_sad_find_in() - find the SA of an arriving packet (RFC 4303 section 2.1)
 * @net: namespace of the packet
 * @family: of @daddr
 * @daddr: destination address of the packet
 * @spi: its SPI
 *
 * Context: RCU read-side critical section.
 * Return: the SA, valid until that ends, or NULL.
 */
struct pvsvpn_sa *pvsvpn_sad_find_in(struct net *net, u16 family,
				     const xfrm_address_t *daddr, __be32 spi)
{
	return sad_find(net, PVSVPN_DIRECTION_IN, spi, family, daddr, NULL);
}

/**
 * pvsvpn_sad_find_out() - find the SA of a packet that we have sent
 * @net: namespace of the packet
 * @family: of @daddr
 * @daddr: destination address of the packet
 * @spi: its SPI
 *
 * Context: RCU read-side critical section.
 * Return: the SA, valid until that ends, or NULL.
 */
struct pvsvpn_sa *pvsvpn_sad_find_out(struct net *net, u16 family,
				      const xfrm_address_t *daddr, __be32 spi)
{
	return sad_find(net, PVSVPN_DIRECTION_OUT, spi, family, daddr, NULL);
}

/**
 * pvsvpn_sad_find_state_of() - find the SA of one direction that was adopted from a state
 * @net: namespace of the state
 * @dir: enum pvsvpn_direction of the SA
 * @x: XFRM's state
 *
 * Context: RCU read-side critical section.
 * Return: the SA, valid until that ends, or NULL.
 */
struct pvsvpn_sa *pvsvpn_sad_find_state_of(struct net *net, u8 dir, const struct xfrm_state *x)
{
	struct sad_key key = { .net = net, .spi = x->id.spi, .dir = dir };
	struct rhlist_head *list, *pos;
	struct pvsvpn_sa *sa;

	list = rhltable_lookup(&sad, &key, sad_params);
	rhl_for_each_entry_rcu(sa, pos, list, node)
		if (sa->x == x)
			return sa;
	return NULL;
}

/**
 * pvsvpn_sad_find_state() - find the SA that was adopted from a state
 * @net: namespace of the state
 * @x: XFRM's state
 *
 * Context: process.
 * Return: the SA, valid as long as RTNL is held, or NULL.
 */
struct pvsvpn_sa *pvsvpn_sad_find_state(struct net *net, const struct xfrm_state *x)
{
	struct pvsvpn_sa *sa;

	rcu_read_lock();
	sa = pvsvpn_sad_find_state_of(net, PVSVPN_DIRECTION_IN, x) ?:
	     pvsvpn_sad_find_state_of(net, PVSVPN_DIRECTION_OUT, x);
	rcu_read_unlock();
	return sa;
}

/**
 * pvsvpn_sad_find_moved() - find the SA that a state continues under another address
 * @net: namespace of the state
 * @dir: enum pvsvpn_direction of the state
 * @x: XFRM's state, new
 *
 * When a peer moves, its daemon replaces the state by one that differs only in the addresses
 * (RFC 4555), and XFRM's own migration does the same. Equal keys prove that it is the same
 * SA: another gateway's SA may have the same SPI and reqid.
 *
 * Context: process, RTNL held.
 * Return: the SA, valid as long as RTNL is held, or NULL. A dead SA is preferred.
 */
struct pvsvpn_sa *pvsvpn_sad_find_moved(struct net *net, u8 dir, const struct xfrm_state *x)
{
	struct sad_key key = { .net = net, .spi = x->id.spi, .dir = dir };
	struct pvsvpn_sa *sa, *found = NULL;
	struct rhlist_head *list, *pos;

	ASSERT_RTNL();
	rcu_read_lock();
	list = rhltable_lookup(&sad, &key, sad_params);
	rhl_for_each_entry_rcu(sa, pos, list, node)
		if (sa->x && sa->x != x && pvsvpn_state_same(sa->x, x) &&
		    (!found || pvsvpn_state_dead(sa)))
			found = sa;
	rcu_read_unlock();
	return found;
}

/**
 * pvsvpn_sad_has_spi() - check whether an arriving packet may be for an SA of ours
 * @net: namespace of the packet
 * @spi: its SPI
 *
 * Context: RCU read-side critical section.
 * Return: true if an inbound SA has that SPI, with any address.
 */
bool pvsvpn_sad_has_spi(struct net *net, __be32 spi)
{
	struct sad_key key = {
		.net = net,
		.spi = spi,
		.dir = PVSVPN_DIRECTION_IN,
	};

	return rhltable_lookup(&sad, &key, sad_params);
}

/**
 * pvsvpn_sad_conflict() - find an SA that a new one would conflict with
 * @net: namespace in which the device was created
 * @dir: enum pvsvpn_direction of the new SA
 * @spi: its SPI
 * @endpoint: its addresses
 * @except: a peer whose SAs do not count, or NULL
 *
 * Context: process, RTNL held.
 * Return: the conflicting SA, valid as long as RTNL is held, or NULL.
 */
struct pvsvpn_sa *pvsvpn_sad_conflict(struct net *net, u8 dir, __be32 spi,
				      const struct pvsvpn_endpoint *endpoint,
				      const struct pvsvpn_peer *except)
{
	struct pvsvpn_sa *sa;

	ASSERT_RTNL();
	rcu_read_lock();
	sa = sad_find(net, dir, spi, endpoint->family, endpoint_daddr(dir, endpoint), except);
	rcu_read_unlock();
	/* A dead SA does not block another one with its SPI. */
	return sa && !pvsvpn_state_dead(sa) ? sa : NULL;
}

/**
 * pvsvpn_sad_init() - set up the table of SAs
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_sad_init(void)
{
	return rhltable_init(&sad, &sad_params);
}

/**
 * pvsvpn_sad_exit() - free the table; no SA may be left
 */
void pvsvpn_sad_exit(void)
{
	rhltable_destroy(&sad);
}
