// SPDX-License-Identifier: GPL-2.0
/*
 * One table for all namespaces, keyed by namespace, direction and SPI. SAs that
 * differ in the address alone hang on one key: the address is compared where
 * it is, at the peer or in XFRM's state, so a peer can change it without the table.
 *
 * Outbound SAs are in it too: an ICMP error quotes them, and no gateway must
 * be sent two SAs under the same SPI.
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
 * An unprivileged user may make many states of one SPI. Each look at one of them walks the
 * list, with RTNL held, and so does a packet for the last one. Dead ones go soon, and leave
 * their place to those that continue them.
 */
#define SAME_SPI_MAX	256
#define SAME_SPI_DEAD	256

static const xfrm_address_t *
endpoint_daddr(u8 dir, const struct pvsvpn_endpoint *endpoint)
{
	return dir == PVSVPN_DIRECTION_OUT ? &endpoint->remote :
					     &endpoint->local;
}

/* The address that packets of an SA are sent to; unspecified for any. */
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

static bool daddr_overlaps(u16 family, const xfrm_address_t *a,
			   const xfrm_address_t *b)
{
	return xfrm_addr_any(a, family) || xfrm_addr_any(b, family) ||
	       xfrm_addr_equal(a, b, family);
}

static bool sad_goes_to(const struct pvsvpn_sa *sa, u16 family,
			const xfrm_address_t *daddr)
{
	const xfrm_address_t *mine;
	u16 mine_family;

	mine = sad_daddr(sa, &mine_family);
	return mine_family == family && daddr_overlaps(family, mine, daddr);
}

/* One that XFRM calls dead is found only if it has no successor of the same SPI. */
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
 * pvsvpn_sad_full() - are there too many SAs of one SPI for one more?
 * @net: birth namespace of the device
 * @dir: enum pvsvpn_direction
 * @spi: the SPI
 *
 * They differ in the address that packets are sent to.
 *
 * Context: process, RTNL held.
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
 * pvsvpn_sad_add() - let packets find an SA
 * @sa: the SA; what pvsvpn_sad_conflict() would find is the caller's to check
 *
 * Context: process, RTNL held. Return: 0 or -ENOMEM.
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
 * pvsvpn_sad_del() - let no packet find an SA
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
 * pvsvpn_sad_find_in() - the SA of a packet that arrives (RFC 4303, 2.1)
 * @net: namespace of the packet
 * @family: of @daddr
 * @daddr: where the packet was sent to
 * @spi: its SPI
 *
 * Context: RCU read side.
 * Return: the SA, valid until the read side ends, or NULL.
 */
struct pvsvpn_sa *pvsvpn_sad_find_in(struct net *net, u16 family,
				     const xfrm_address_t *daddr, __be32 spi)
{
	return sad_find(net, PVSVPN_DIRECTION_IN, spi, family, daddr, NULL);
}

/**
 * pvsvpn_sad_find_out() - the SA of a packet that we have sent
 * @net: namespace of the packet
 * @family: of @daddr
 * @daddr: where the packet was sent to
 * @spi: its SPI
 *
 * Context: RCU read side.
 * Return: the SA, valid until the read side ends, or NULL.
 */
struct pvsvpn_sa *pvsvpn_sad_find_out(struct net *net, u16 family,
				      const xfrm_address_t *daddr, __be32 spi)
{
	return sad_find(net, PVSVPN_DIRECTION_OUT, spi, family, daddr, NULL);
}

static struct pvsvpn_sa *sad_find_state(struct net *net, u8 dir,
					const struct xfrm_state *x)
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
 * pvsvpn_sad_find_state() - the SA that was adopted from a state
 * @net: namespace of the state
 * @x: XFRM's state
 *
 * Context: process.
 * Return: the SA, valid as long as RTNL is held, or NULL.
 */
struct pvsvpn_sa *pvsvpn_sad_find_state(struct net *net,
					const struct xfrm_state *x)
{
	struct pvsvpn_sa *sa;

	rcu_read_lock();
	sa = sad_find_state(net, PVSVPN_DIRECTION_IN, x) ?:
	     sad_find_state(net, PVSVPN_DIRECTION_OUT, x);
	rcu_read_unlock();
	return sa;
}

/**
 * pvsvpn_sad_find_moved() - the SA that a state continues under another address
 * @net: namespace of the state
 * @dir: enum pvsvpn_direction of the state
 * @x: XFRM's state, new
 *
 * A daemon whose peer has moved replaces a state by one that differs in the addresses
 * alone (RFC 4555), and so does XFRM's own migration. The key proves that it is the same
 * SA: SPI and reqid may be those of another gateway's.
 *
 * Context: process, RTNL held.
 * Return: an SA, a dead one if there is one, valid as long as RTNL is held; or NULL.
 */
struct pvsvpn_sa *pvsvpn_sad_find_moved(struct net *net, u8 dir,
					const struct xfrm_state *x)
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
 * pvsvpn_sad_find_state_in() - the inbound SA that was adopted from a state
 * @net: namespace of the state
 * @x: XFRM's state
 *
 * Context: RCU read side.
 * Return: the SA, valid until the read side ends, or NULL.
 */
struct pvsvpn_sa *pvsvpn_sad_find_state_in(struct net *net,
					   const struct xfrm_state *x)
{
	return sad_find_state(net, PVSVPN_DIRECTION_IN, x);
}

/**
 * pvsvpn_sad_has_spi() - may a packet that arrives be for an SA of ours?
 * @net: namespace of the packet
 * @spi: its SPI
 *
 * Context: RCU read side.
 * Return: whether an inbound SA has that SPI, whatever its address.
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
 * pvsvpn_sad_conflict() - would two SAs be one to the packets?
 * @net: birth namespace of the device
 * @dir: enum pvsvpn_direction of the SA in question
 * @spi: its SPI
 * @endpoint: the addresses it would have
 * @except: a peer whose SAs do not count, or NULL
 *
 * Context: process, RTNL held.
 * Return: an SA in the way, valid as long as RTNL is held, or NULL.
 */
struct pvsvpn_sa *pvsvpn_sad_conflict(struct net *net, u8 dir, __be32 spi,
				      const struct pvsvpn_endpoint *endpoint,
				      const struct pvsvpn_peer *except)
{
	struct pvsvpn_sa *sa;

	ASSERT_RTNL();
	rcu_read_lock();
	sa = sad_find(net, dir, spi, endpoint->family,
		      endpoint_daddr(dir, endpoint), except);
	rcu_read_unlock();
	/* A dead one makes room for another of its SPI. */
	return sa && !pvsvpn_state_dead(sa) ? sa : NULL;
}

/**
 * pvsvpn_sad_init() - set the table up
 *
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_sad_init(void)
{
	return rhltable_init(&sad, &sad_params);
}

/**
 * pvsvpn_sad_exit() - free the table; no SA is left
 */
void pvsvpn_sad_exit(void)
{
	rhltable_destroy(&sad);
}
