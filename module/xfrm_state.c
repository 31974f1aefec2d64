// SPDX-License-Identifier: GPL-2.0
/* What a state of XFRM says, and what is told to it. */
#include <crypto/internal/geniv.h>
#include <linux/inetdevice.h>
#include <net/addrconf.h>
#include <net/xfrm.h>

#include "peer.h"
#include "sa.h"
#include "stats.h"
#include "transform.h"
#include "xfrm_state.h"

static bool addr_is_ours(struct net *net, u16 family,
			 const xfrm_address_t *addr)
{
	bool ours;

	if (family == AF_INET6)
		return ipv6_chk_addr(net, &addr->in6, NULL, 0);
	rcu_read_lock();
	ours = __ip_dev_find(net, addr->a4, false);
	rcu_read_unlock();
	return ours;
}

/**
 * pvsvpn_state_dir() - which way a state goes
 * @x: the state
 *
 * It does not say so itself.
 *
 * Context: process. Return: enum pvsvpn_direction.
 */
u8 pvsvpn_state_dir(struct xfrm_state *x)
{
	return addr_is_ours(xs_net(x), x->props.family, &x->id.daddr) ?
	       PVSVPN_DIRECTION_IN : PVSVPN_DIRECTION_OUT;
}

/**
 * pvsvpn_state_transform() - the cipher suite of a state
 * @x: the state, ESP
 *
 * Context: any. Return: the transform, or NULL when we do not have it.
 */
const struct pvsvpn_transform *
pvsvpn_state_transform(const struct xfrm_state *x)
{
	char name[sizeof("authenc(,)") + 2 * sizeof(x->aead->alg_name)];

	if (x->aead)
		return pvsvpn_transform_find_aead(x->aead->alg_name,
						  x->aead->alg_key_len,
						  x->aead->alg_icv_len);
	if (!x->aalg || !x->ealg)
		return NULL;
	snprintf(name, sizeof(name), "authenc(%s,%s)", x->aalg->alg_name,
		 x->ealg->alg_name);
	return pvsvpn_transform_find_aead(name, x->ealg->alg_key_len,
					  x->aalg->alg_trunc_len);
}

/**
 * pvsvpn_state_aead() - what encrypts and decrypts for a state
 * @x: the state, ESP
 *
 * Without the IV generator, which XFRM puts around it where there is an IV.
 *
 * Context: any. Return: the keyed AEAD, the state's.
 */
struct crypto_aead *pvsvpn_state_aead(const struct xfrm_state *x)
{
	const struct aead_geniv_ctx *geniv;

	if (!x->geniv || !*x->geniv)
		return x->data;
	geniv = crypto_aead_ctx(x->data);
	return geniv->child;
}

/**
 * pvsvpn_state_seq() - how far a state has come
 * @x: the state
 * @dir: its direction
 *
 * Context: any.
 * Return: outbound, the last number used; inbound, the highest one accepted.
 */
u64 pvsvpn_state_seq(const struct xfrm_state *x, u8 dir)
{
	const struct xfrm_replay_state_esn *esn = x->replay_esn;
	bool out = dir == PVSVPN_DIRECTION_OUT;
	u64 high = 0;

	if (!esn)
		return out ? x->replay.oseq : x->replay.seq;
	if (x->props.flags & XFRM_STATE_ESN)
		high = out ? esn->oseq_hi : esn->seq_hi;
	return high << 32 | (out ? esn->oseq : esn->seq);
}

/**
 * pvsvpn_state_window() - the anti-replay window of a state
 * @x: the state
 *
 * Context: any. Return: packets; 0 for none.
 */
u32 pvsvpn_state_window(const struct xfrm_state *x)
{
	return x->replay_esn ? x->replay_esn->replay_window :
			       x->props.replay_window;
}

static void state_set_seq(struct xfrm_state *x, u8 dir, u64 seq)
{
	struct xfrm_replay_state_esn *esn = x->replay_esn;
	bool out = dir == PVSVPN_DIRECTION_OUT;

	if (!esn) {
		*(out ? &x->replay.oseq : &x->replay.seq) = seq;
		return;
	}
	*(out ? &esn->oseq : &esn->seq) = lower_32_bits(seq);
	if (x->props.flags & XFRM_STATE_ESN)
		*(out ? &esn->oseq_hi : &esn->seq_hi) = upper_32_bits(seq);
}

/**
 * pvsvpn_state_why_not() - can a state be carried?
 * @x: the state
 *
 * Context: any. Return: NULL, or why not, as an event puts it.
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
	if (!pvsvpn_state_transform(x))
		return "transform";
	return NULL;
}

/**
 * pvsvpn_state_endpoint() - the peer's addresses as a state has them
 * @x: the state
 * @dir: its direction
 * @config: where to put them; the mark only of an outbound one
 *
 * Context: any.
 */
void pvsvpn_state_endpoint(const struct xfrm_state *x, u8 dir,
			   struct pvsvpn_peer_config *config)
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
 * pvsvpn_state_dead() - does XFRM say that an SA is dead?
 * @sa: any SA
 *
 * Context: any.
 */
bool pvsvpn_state_dead(const struct pvsvpn_sa *sa)
{
	return sa->x && READ_ONCE(sa->x->km.state) != XFRM_STATE_VALID;
}

/**
 * pvsvpn_state_use() - a packet is about to use an adopted SA
 * @sa: the SA
 * @len: bytes of the inner packet
 *
 * XFRM's own state counts, so that ip -s xfrm state and the daemon see it, and so
 * that its lifetimes end as they would in stock IPsec.
 *
 * Context: softirq, or BH disabled. Return: whether it may.
 */
bool pvsvpn_state_use(struct pvsvpn_sa *sa, unsigned int len)
{
	struct xfrm_state *x = sa->x;
	bool may;

	spin_lock(&x->lock);
	may = x->km.state == XFRM_STATE_VALID && !xfrm_state_check_expire(x);
	if (likely(may)) {
		x->curlft.bytes += len;
		x->curlft.packets++;
		WRITE_ONCE(x->lastused, ktime_get_real_seconds());
		state_set_seq(x, sa->dir, pvsvpn_sa_seq(sa));
	}
	spin_unlock(&x->lock);
	return may;
}

/**
 * pvsvpn_state_dropped() - a packet of an adopted SA was dropped
 * @sa: the SA
 * @why: enum pvsvpn_drop
 *
 * Context: softirq, or BH disabled.
 */
void pvsvpn_state_dropped(struct pvsvpn_sa *sa, int why)
{
	struct xfrm_state *x = sa->x;

	spin_lock(&x->lock);
	switch (why) {
	case PVSVPN_DROP_RX_ICV:
		x->stats.integrity_failed++;
		break;
	case PVSVPN_DROP_RX_REPLAYED:
		x->stats.replay++;
		break;
	case PVSVPN_DROP_RX_TOO_OLD:
		x->stats.replay_window++;
		break;
	}
	spin_unlock(&x->lock);
}

/**
 * pvsvpn_state_moved() - where an authentic packet in UDP has come from
 * @sa: inbound SA
 * @remote: from where
 * @port: from which port
 *
 * Whether the peer has moved is the daemon's to say: it updates the states.
 *
 * Context: softirq, RCU read side.
 */
void pvsvpn_state_moved(struct pvsvpn_sa *sa, xfrm_address_t *remote,
			__be16 port)
{
	struct xfrm_state *x = sa->x;

	if (likely(x->encap && x->encap->encap_sport == port &&
		   xfrm_addr_equal(remote, &x->props.saddr, x->props.family)))
		return;
	km_new_mapping(x, remote, port);
}

/**
 * pvsvpn_state_hand_back() - a state is carried no longer
 * @sa: the SA that was adopted from it
 *
 * Whoever carries the state next must not accept what we have accepted.
 *
 * Context: process.
 */
void pvsvpn_state_hand_back(struct pvsvpn_sa *sa)
{
	struct xfrm_state *x = sa->x;

	if (sa->dir != PVSVPN_DIRECTION_IN)
		return;
	spin_lock_bh(&x->lock);
	x->replay.bitmap = U32_MAX;
	if (x->replay_esn)
		memset(x->replay_esn->bmp, 0xff,
		       x->replay_esn->bmp_len * sizeof(*x->replay_esn->bmp));
	spin_unlock_bh(&x->lock);
}
