/* SPDX-License-Identifier: GPL-2.0 */
/* The SPD of a device (RFC 4301 section 4.4.1): finds XFRM's policies for packets. */
#ifndef _PVSVPN_XFRM_SPD_H
#define _PVSVPN_XFRM_SPD_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <net/xfrm.h>

struct pvsvpn_child;
struct pvsvpn_device;
struct pvsvpn_policies;
struct pvsvpn_prefix;
struct pvsvpn_sa;
struct pvsvpn_spd_node;
struct sk_buff;

/* Limit of pairs of prefix lengths: a packet does one lookup for each. */
#define PVSVPN_SPD_SHAPES	64
/* Limit of policies with the same addresses: a packet compares its ports with each. */
#define PVSVPN_SPD_ALIKE	128

/**
 * struct pvsvpn_spd_half - the policies of one direction
 * @shapes: pairs of prefix lengths in use, 0 for a gap; read without lock
 * @users: number of address pairs with each shape
 * @end: index after the last shape; never decreases
 * @count: number of policies, including those without a place; read without lock
 * @ports: number of policies that select by ports; read without lock
 * @blocks: number of policies that block packets; read without lock
 * @waiting: number of policies that lead to no SA; read without lock
 * @blind: number of @blocks without a place; read without lock
 * @unplaced: number of all policies without a place
 *
 * Everything is written under the lock of struct pvsvpn_policies.
 */
struct pvsvpn_spd_half {
	u32 shapes[PVSVPN_SPD_SHAPES];
	u32 users[PVSVPN_SPD_SHAPES];
	unsigned int end;
	u32 count;
	u32 ports;
	u32 blocks;
	u32 waiting;
	u32 blind;
	u32 unplaced;
};

/**
 * struct pvsvpn_spd - XFRM's policies with the if_id of a device
 * @refs: one for the device, and one for the namespace until the policies are removed
 * @rcu: delays kfree(); packets may still use it
 * @in: the mirror of the namespace
 * @all: in the namespace's lists of SPDs
 * @halves: by enum pvsvpn_direction; "in" has those of XFRM's directions in and fwd
 * @policies: all of them, the one that was seen longest ago first
 * @wanted: number of the look after which the device has all of its policies
 * @on: the device has an if_id
 * @dying: the device is gone
 * @refused: bits of enum pvsvpn_spd_refusal to report to the operator
 *
 * The lock of struct pvsvpn_policies protects all fields but @halves.
 */
struct pvsvpn_spd {
	refcount_t refs;
	struct rcu_head rcu;
	struct pvsvpn_policies *in;
	struct list_head all;
	struct pvsvpn_spd_half halves[2];
	struct list_head policies;
	u32 wanted;
	bool on;
	bool dying;
	unsigned long refused;
};

/* Reasons why a policy has no place. */
enum pvsvpn_spd_refusal {
	PVSVPN_SPD_TOO_MANY_SHAPES,
	PVSVPN_SPD_TOO_MANY_ALIKE,
	PVSVPN_SPD_REFUSALS,
};

/* Two kinds: a packet is protected, or blocked. */
enum pvsvpn_policy_kind {
	PVSVPN_POLICY_PROTECT,	/* one template, ESP in tunnel mode */
	PVSVPN_POLICY_BLOCK,	/* anything that a device cannot carry */
};

/**
 * struct pvsvpn_policy - our copy of a policy of XFRM
 * @rcu: delays kfree(); lookups may still read it
 * @by_index: in the table of the namespace's mirror
 * @list: in struct pvsvpn_spd
 * @alike: in @node, the most urgent first; read under RCU
 * @node: its place, where packets find it; NULL for none
 * @spd: SPD of the device
 * @index: XFRM's own number of the policy; an update keeps it
 * @origin: XFRM's policy; only compared, because it may be freed
 * @touched: when it was seen last, by the clock of the namespace's mirror
 * @order: lower for an older policy
 * @priority: lower for a more urgent policy
 * @dir: enum pvsvpn_direction
 * @kind: enum pvsvpn_policy_kind
 * @selector: selects inner packets
 * @mark: mark of these packets
 * @family: of @remote
 * @remote: outer address of the other end, from the template; zero for any
 * @reqid: reqid of the states, from the template
 * @spi: SPI of the only state, from the template; 0 for any
 * @child: outbound: the SAs that it leads to; NULL for PVSVPN_POLICY_BLOCK
 */
struct pvsvpn_policy {
	struct rcu_head rcu;
	struct rhash_head by_index;
	struct list_head list;
	struct list_head alike;
	struct pvsvpn_spd_node *node;
	struct pvsvpn_spd *spd;
	u32 index;
	const void *origin;
	u64 touched;
	u64 order;
	u32 priority;
	u8 dir;
	u8 kind;
	struct xfrm_selector selector;
	struct xfrm_mark mark;
	u16 family;
	xfrm_address_t remote;
	u32 reqid;
	__be32 spi;
	struct pvsvpn_child *child;
};

/**
 * struct pvsvpn_upper - protocol and ports of an inner packet
 * @known: the packet was parsed
 * @fragment: not the first fragment, so without ports
 * @proto: protocol
 * @ports: source and destination port, or the values that XFRM uses instead; 0 if none
 */
struct pvsvpn_upper {
	bool known;
	bool fragment;
	u8 proto;
	__be16 ports[2];
};

/**
 * struct pvsvpn_spd_packet - an inner packet, as policies see it
 * @skb: the packet, with a whole IP header, protocol set
 * @pvs: the device
 * @opaque: a fragment without ports fits any ports
 * @reversed: handle it as if it went the other way
 * @upper: filled in when a policy needs it
 */
struct pvsvpn_spd_packet {
	const struct sk_buff *skb;
	const struct pvsvpn_device *pvs;
	bool opaque;
	bool reversed;
	struct pvsvpn_upper upper;
};

typedef bool (*pvsvpn_spd_fits)(const struct pvsvpn_policy *policy, const void *data);

int pvsvpn_spd_place(struct pvsvpn_policy *policy, const struct pvsvpn_policy *old);
void pvsvpn_spd_remove(struct pvsvpn_policy *policy);
const struct pvsvpn_policy *pvsvpn_spd_find(struct pvsvpn_spd_packet *packet,
					    u8 dir, pvsvpn_spd_fits fits,
					    const void *data);
bool pvsvpn_spd_has_all(const struct pvsvpn_spd *spd, u8 dir,
			const struct pvsvpn_prefix *to,
			const struct pvsvpn_prefix *from, unsigned int *looks,
			pvsvpn_spd_fits fits, const void *data);
bool pvsvpn_spd_covers(const struct xfrm_selector *selector, const struct sk_buff *skb);
int pvsvpn_spd_init(void);
void pvsvpn_spd_exit(void);

#endif /* _PVSVPN_XFRM_SPD_H */
