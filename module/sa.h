/* SPDX-License-Identifier: GPL-2.0 */
/* A security association (RFC 4301 section 4.4.2). */
#ifndef _PVSVPN_SA_H
#define _PVSVPN_SA_H

#include <linux/llist.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/workqueue.h>

#include <uapi/linux/pvsvpn.h>

#include "endpoint.h"
#include "lifetime.h"
#include "peer.h"
#include "replay.h"
#include "xfrm_policy.h"

struct crypto_aead;
struct netlink_ext_ack;
struct pvsvpn_counters;
struct pvsvpn_peer;
struct pvsvpn_transform;
struct xfrm_state;

/* Bits of struct pvsvpn_sa.flags */
enum pvsvpn_sa_flag {
	PVSVPN_SA_EXPIRED,		/* no packet uses the SA any more, ... */
	PVSVPN_SA_REPORTED,		/* ... and user space has received the event */
	PVSVPN_SA_SOFT_EXPIRED,		/* a soft lifetime has ended, ... */
	PVSVPN_SA_SOFT_REPORTED,	/* ... and user space has received the event */
	PVSVPN_SA_REPLAY_BURST,		/* to be reported to user space */
	PVSVPN_SA_DEATH_TOLD,		/* the death of the XFRM state was reported */
	PVSVPN_SA_ENDED,		/* XFRM itself has reported the end */
	PVSVPN_SA_COUNTED,		/* within the limit of the namespace; RTNL */
	PVSVPN_SA_SWEPT,		/* XFRM's state is dead, and one more sweep was requested */
	PVSVPN_SA_NEWS,			/* in the peer's list of SAs with news */
	PVSVPN_SA_GONE,			/* taken out of use */
};

/**
 * struct pvsvpn_sa - a security association
 * @node: in the SAD
 * @spi: Security Parameters Index
 * @dir: enum pvsvpn_direction
 * @peer: its peer; a reference is held until the SA is freed
 * @transform: its cipher suite
 * @aead: with its key set; crypto_free_aead() may sleep, so @destroy frees it
 * @x: XFRM's state, held; NULL if the SA is not adopted from there
 * @turn: value of the device's if_id_turn at adoption (struct pvsvpn_device); RTNL
 * @sweep: adopted: the last sweep that has looked at the SA (struct pvsvpn_adopt)
 * @child: outbound and adopted: which policies lead here
 * @endpoint: outer addresses of an adopted outbound SA; NULL for those of the peer.
 *	Written under RTNL, read under RCU
 * @traffic: how @x changes packet handling, PVSVPN_TRAFFIC_... bits; constant
 * @esn: sequence numbers of 64 bits (RFC 4303 section 2.2.1)
 * @flags: enum pvsvpn_sa_flag; atomic
 * @iv: outbound: base of the explicit IV, which is @iv plus the sequence number. It is
 *	random, so that a key which is loaded twice does not repeat a nonce
 * @counters: per CPU, PVSVPN_DROP_SA_MAX reasons
 * @lifetime: soft and hard limits
 * @created: ktime_get_boottime() when it was added, in ns
 * @refs: one for the SAD, one for each asynchronous request. In an RCU read-side
 *	critical section, an SA that was found has at least one
 * @list: in the peer's list of SAs; RTNL
 * @outbound: outbound: in the peer's list of outbound SAs; RTNL
 * @retired: it was found expired; RTNL
 * @adopted: adopted: in the namespace's list of adopted SAs; RTNL
 * @news: in the peer's list of SAs with news, while PVSVPN_SA_NEWS is set
 * @id: number on the peer, increases with each new SA; RTNL
 * @unhashed: drops the SAD's reference after a grace period
 * @destroy: frees the SA in process context
 * @tx_seq: outbound: last sequence number handed out; exceeds pvsvpn_sa_seq_max()
 *	after exhaustion. An adopted SA uses the numbers of @x
 * @replay: inbound: the replay window; an adopted SA uses the window of @x
 */
struct pvsvpn_sa {
	struct rhlist_head node;
	__be32 spi;
	u8 dir;
	struct pvsvpn_peer *peer;
	const struct pvsvpn_transform *transform;
	struct crypto_aead *aead;
	struct xfrm_state *x;
	u32 turn;
	u32 sweep;
	struct pvsvpn_sa_child child;
	struct pvsvpn_endpoint __rcu *endpoint;
	u8 traffic;
	bool esn;
	unsigned long flags;
	u64 iv;
	struct pvsvpn_counters __percpu *counters;
	struct pvsvpn_lifetime lifetime;
	u64 created;
	refcount_t refs;
	struct list_head list;
	struct list_head outbound;
	bool retired;
	struct list_head adopted;
	struct llist_node news;
	u32 id;
	struct rcu_work unhashed;
	struct work_struct destroy;
	union {
		atomic64_t tx_seq;
		struct pvsvpn_replay replay;
	} ____cacheline_aligned_in_smp;
};

/**
 * struct pvsvpn_sa_config - validated parameters of a new SA
 * @dir: enum pvsvpn_direction
 * @spi: PVSVPN_SPI_MIN or higher
 * @transform: its cipher suite
 * @key: key material: the key, then the salt
 * @key_len: pvsvpn_transform_key_len(@transform), in bytes
 * @replay_window: inbound: in packets; 0 takes the peer's
 * @esn: sequence numbers of 64 bits
 * @soft: soft limits by enum pvsvpn_lifetime_kind, 0 for none
 * @hard: hard limits, likewise
 * @seq: last number used or highest number accepted, 0 to
 *	pvsvpn_sa_seq_max(@dir, @esn)
 * @x: XFRM's state to adopt, or NULL. Its direction may be set later
 */
struct pvsvpn_sa_config {
	u8 dir;
	__be32 spi;
	const struct pvsvpn_transform *transform;
	const u8 *key;
	unsigned int key_len;
	u32 replay_window;
	bool esn;
	u64 soft[PVSVPN_LIFETIME_KINDS];
	u64 hard[PVSVPN_LIFETIME_KINDS];
	u64 seq;
	struct xfrm_state *x;
};

struct pvsvpn_sa *pvsvpn_sa_new(const struct pvsvpn_sa_config *config,
				struct netlink_ext_ack *extack);
void pvsvpn_sa_set_dir(struct pvsvpn_sa *sa, u8 dir);
int pvsvpn_sa_reserve(struct pvsvpn_sa *sa, struct net *net, struct pvsvpn_sa *instead);
void pvsvpn_sa_unreserve(struct pvsvpn_sa *sa, struct net *net);
void pvsvpn_sa_cancel(struct pvsvpn_sa *sa, struct net *net);
int pvsvpn_sa_move(struct pvsvpn_sa *sa, const struct pvsvpn_peer_config *config);
void pvsvpn_sa_destroy(struct pvsvpn_sa *sa);
void pvsvpn_sa_put(struct pvsvpn_sa *sa);
unsigned int pvsvpn_sa_seq_take(struct pvsvpn_sa *sa, unsigned int count, u64 *first);
u64 pvsvpn_sa_seq(const struct pvsvpn_sa *sa);
u32 pvsvpn_sa_window(const struct pvsvpn_sa *sa);

/**
 * pvsvpn_sa_get() - keep an SA beyond the RCU read-side critical section that found it
 * @sa: the SA; the SAD's reference protects it until then
 *
 * Context: any.
 */
static inline void pvsvpn_sa_get(struct pvsvpn_sa *sa)
{
	refcount_inc(&sa->refs);
}

/**
 * pvsvpn_sa_seq_max() - get the highest sequence number
 * @dir: enum pvsvpn_direction
 * @esn: true for 64-bit numbers, false for 32-bit numbers
 *
 * An outbound ESN stops at half of the range, so that CPUs which see the end late
 * do not wrap the counter. A peer may use the full range.
 *
 * Context: any.
 * Return: the last number that may be used.
 */
static inline u64 pvsvpn_sa_seq_max(u8 dir, bool esn)
{
	if (!esn)
		return U32_MAX;
	return dir == PVSVPN_DIRECTION_OUT ? S64_MAX : U64_MAX;
}

/**
 * pvsvpn_sa_endpoint() - get the outer addresses of an SA
 * @sa: the SA
 *
 * Context: RCU read-side critical section, or RTNL held.
 * Return: the endpoint, valid until that ends.
 */
static inline struct pvsvpn_endpoint *
pvsvpn_sa_endpoint(const struct pvsvpn_sa *sa)
{
	return rcu_dereference_rtnl(sa->endpoint) ?:
	       pvsvpn_peer_endpoint(sa->peer);
}

/**
 * pvsvpn_peer_path() - get the outer addresses that packets to a peer now use
 * @peer: the peer
 *
 * Context: RCU read-side critical section, or RTNL held.
 * Return: the endpoint of the current outbound SA, or else the peer's; valid until that ends.
 */
static inline struct pvsvpn_endpoint *
pvsvpn_peer_path(const struct pvsvpn_peer *peer)
{
	const struct pvsvpn_sa *sa = rcu_dereference_rtnl(peer->tx_sa);

	return sa ? pvsvpn_sa_endpoint(sa) : pvsvpn_peer_endpoint(peer);
}

#endif /* _PVSVPN_SA_H */
