// SPDX-License-Identifier: GPL-2.0
/* Reads states of XFRM, and reports to them. */
#include <crypto/algapi.h>
#include <linux/inetdevice.h>
#include <net/addrconf.h>
#include <net/xfrm.h>

#include "peer.h"
#include "sa.h"
#include "stats.h"
#include "transform.h"
#include "xfrm_state.h"

/* A tentative IPv6 address also counts, because it will be ours in a second. */
static bool addr_is_ours(struct net *net, u16 family, const xfrm_address_t *addr)
{
	bool ours;

	rcu_read_lock();
	ours = family == AF_INET6 ?
	       ipv6_chk_addr_and_flags(net, &addr->in6, NULL, true, 0, 0) :
	       !!__ip_dev_find(net, addr->a4, false);
	rcu_read_unlock();
	return ours;
}

/**
 * pvsvpn_state_dir() - get the direction of a state, as far as it is known
 * @x: the state
 *
 * Newer daemons set it (XFRMA_SA_DIR). For others the addresses decide: one end of a
 * tunnel is ours. On a standby gateway that does not have the address yet, neither is.
 *
 * Context: process.
 * Return: enum pvsvpn_direction, or -ENOENT if it is not known yet.
 */
int pvsvpn_state_dir(struct xfrm_state *x)
{
	struct net *net = xs_net(x);

	switch (pvsvpn_compat_state_dir(x)) {
	case PVSVPN_COMPAT_SA_DIR_IN:
		return PVSVPN_DIRECTION_IN;
	case PVSVPN_COMPAT_SA_DIR_OUT:
		return PVSVPN_DIRECTION_OUT;
	}
	if (addr_is_ours(net, x->props.family, &x->id.daddr))
		return PVSVPN_DIRECTION_IN;
	if (addr_is_ours(net, x->props.family, &x->props.saddr))
		return PVSVPN_DIRECTION_OUT;
	return -ENOENT;
}

/**
 * pvsvpn_state_transform() - get the cipher suite of a state
 * @x: the state, ESP
 *
 * Context: any.
 * Return: the transform, or NULL if it is not supported.
 */
const struct pvsvpn_transform *
pvsvpn_state_transform(const struct xfrm_state *x)
{
	char name[sizeof("authenc(,)") + 2 * sizeof(x->aead->alg_name)];
	const struct pvsvpn_transform *transform;

	if (x->aead)
		return pvsvpn_transform_find_aead(x->aead->alg_name,
						  x->aead->alg_key_len,
						  x->aead->alg_icv_len);
	if (!x->aalg || !x->ealg)
		return NULL;
	snprintf(name, sizeof(name), "authenc(%s,%s)", x->aalg->alg_name, x->ealg->alg_name);
	transform = pvsvpn_transform_find_aead(name, x->ealg->alg_key_len, x->aalg->alg_trunc_len);
	/* XFRM allows integrity keys of another length, but IKE does not. */
	if (transform && x->aalg->alg_key_len != transform->extra_len * 8)
		return NULL;
	return transform;
}

/**
 * pvsvpn_state_key() - copy the key material of a state
 * @x: the state, with a supported transform
 * @key: PVSVPN_KEY_MAX bytes, filled in as for pvsvpn_transform_alloc(); the caller
 *	must zero it after use
 *
 * Context: any.
 */
void pvsvpn_state_key(const struct xfrm_state *x, u8 *key)
{
	unsigned int len;

	if (x->aead) {
		memcpy(key, x->aead->alg_key, x->aead->alg_key_len / 8);
		return;
	}
	len = x->ealg->alg_key_len / 8;
	memcpy(key, x->ealg->alg_key, len);
	memcpy(key + len, x->aalg->alg_key, x->aalg->alg_key_len / 8);
}

/**
 * pvsvpn_state_same() - check whether two states are one SA under different addresses
 * @a: a state
 * @b: another one with the same SPI
 *
 * Context: any.
 * Return: true if reqid, transform and keys are the same.
 */
bool pvsvpn_state_same(const struct xfrm_state *a, const struct xfrm_state *b)
{
	const struct pvsvpn_transform *transform;
	u8 key_a[PVSVPN_KEY_MAX], key_b[PVSVPN_KEY_MAX];
	bool same;

	if (a->props.reqid != b->props.reqid)
		return false;
	transform = pvsvpn_state_transform(a);
	if (!transform || pvsvpn_state_transform(b) != transform)
		return false;
	pvsvpn_state_key(a, key_a);
	pvsvpn_state_key(b, key_b);
	same = !crypto_memneq(key_a, key_b, pvsvpn_transform_key_len(transform));
	memzero_explicit(key_a, sizeof(key_a));
	memzero_explicit(key_b, sizeof(key_b));
	return same;
}

/**
 * pvsvpn_state_encap() - get the encapsulation of a state's packets
 * @x: the state
 *
 * Context: any.
 * Return: enum pvsvpn_encap.
 */
u8 pvsvpn_state_encap(const struct xfrm_state *x)
{
	return x->encap ? PVSVPN_ENCAP_UDP : PVSVPN_ENCAP_NONE;
}

/**
 * pvsvpn_state_why_not() - check whether a state can be carried
 * @x: the state
 *
 * Context: any.
 * Return: NULL if it can, or else the reason for the event.
 */
const char *pvsvpn_state_why_not(const struct xfrm_state *x)
{
	if (x->id.proto != IPPROTO_ESP)
		return x->id.proto == IPPROTO_AH ? "ah" : "ipcomp";
	if (x->props.mode != XFRM_MODE_TUNNEL)
		return x->props.mode == XFRM_MODE_TRANSPORT ?
		       "transport-mode" : "not-tunnel-mode";
	if (x->xso.dev)
		return "offloaded";
	if (x->encap && x->encap->encap_type != UDP_ENCAP_ESPINUDP)
		return "encapsulation";
	/* Used by Mobile IPv6; stock IPsec checks its routing headers */
	if (x->props.flags & XFRM_STATE_WILDRECV)
		return "wildrecv";
	if (!pvsvpn_state_transform(x))
		return "transform";
	return NULL;
}

/**
 * pvsvpn_state_endpoint() - get the peer's addresses from a state
 * @x: the state
 * @dir: its direction
 * @config: receives them, and the mark if the state is outbound
 *
 * Context: any.
 */
void pvsvpn_state_endpoint(const struct xfrm_state *x, u8 dir, struct pvsvpn_peer_config *config)
{
	bool out = dir == PVSVPN_DIRECTION_OUT;

	config->family = x->props.family;
	config->local = out ? x->props.saddr : x->id.daddr;
	config->remote = out ? x->id.daddr : x->props.saddr;
	config->encap = PVSVPN_ENCAP_NONE;
	config->sport = 0;
	config->dport = 0;
	if (out)
		config->mark = x->props.smark.v & x->props.smark.m;
	if (!x->encap)
		return;
	config->encap = PVSVPN_ENCAP_UDP;
	config->sport = out ? x->encap->encap_sport : x->encap->encap_dport;
	config->dport = out ? x->encap->encap_dport : x->encap->encap_sport;
}

/**
 * pvsvpn_state_dead() - check whether the state of an SA is dead
 * @sa: any SA
 *
 * Context: any.
 * Return: true if it is; false also for an SA that is not adopted.
 */
bool pvsvpn_state_dead(const struct pvsvpn_sa *sa)
{
	return sa->x && READ_ONCE(sa->x->km.state) != XFRM_STATE_VALID;
}

/**
 * pvsvpn_state_coming() - check whether a state is valid, or will be at once
 * @x: the state
 *
 * XFRM of 6.12 inserts a state before it marks the state valid.
 *
 * Context: any.
 * Return: true if it is or will be.
 */
bool pvsvpn_state_coming(const struct xfrm_state *x)
{
	u8 state = READ_ONCE(x->km.state);

	return state == XFRM_STATE_VALID || state == XFRM_STATE_VOID;
}

/**
 * pvsvpn_state_moved() - tell XFRM the source of an authentic packet in UDP
 * @sa: inbound SA
 * @remote: source address
 * @port: source port
 *
 * The daemon decides whether the peer has moved, and then updates the states.
 *
 * Context: softirq, RCU read-side critical section.
 */
void pvsvpn_state_moved(struct pvsvpn_sa *sa, xfrm_address_t *remote, __be16 port)
{
	struct xfrm_state *x = sa->x;

	if (likely(x->encap && x->encap->encap_sport == port &&
		   xfrm_addr_equal(remote, &x->props.saddr, x->props.family)))
		return;
	km_new_mapping(x, remote, port);
}
