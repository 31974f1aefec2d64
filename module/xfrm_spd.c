// SPDX-License-Identifier: GPL-2.0
/*
 * From packet to policy. A device knows which pairs of prefix lengths its policies have,
 * and one hash table has the policies of all devices by their addresses. A packet does one
 * lookup for each pair, and the most urgent policy found decides.
 *
 * The work for a packet is limited, whoever installs the policies: there are limits for the
 * pairs, and for policies with the same addresses. A policy beyond them has no place.
 */
#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/gre.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include <uapi/linux/pvsvpn.h>

#include "device.h"
#include "xfrm_policy.h"
#include "xfrm_spd.h"

/* ---- addresses ---- */

/* A shape in use is never 0, which means a gap. */
#define SHAPE_USED	BIT(31)
#define SHAPE_IPV6	BIT(30)
#define SHAPE_OUT	BIT(29)

static u32 shape_make(u16 family, u8 dir, u8 len_d, u8 len_s)
{
	return SHAPE_USED | (family == AF_INET6 ? SHAPE_IPV6 : 0) |
	       (dir == PVSVPN_DIRECTION_OUT ? SHAPE_OUT : 0) |
	       len_d << 8 | len_s;
}

/**
 * struct spd_key - the addresses that policies have in common
 * @spd: SPD of the device
 * @shape: direction, family and prefix lengths
 * @addrs: destination, then source, without host bits: one word each and then zeros (IPv4), or
 *	four words each
 */
struct spd_key {
	const struct pvsvpn_spd *spd;
	u32 shape;
	__be32 addrs[8];
};

static void key_set(struct spd_key *key, const void *daddr, const void *saddr)
{
	u8 len_d = key->shape >> 8 & 0xff, len_s = key->shape & 0xff;

	if (key->shape & SHAPE_IPV6) {
		ipv6_addr_prefix((struct in6_addr *)&key->addrs[0], daddr, len_d);
		ipv6_addr_prefix((struct in6_addr *)&key->addrs[4], saddr, len_s);
	} else {
		key->addrs[0] = *(const __be32 *)daddr & inet_make_mask(len_d);
		key->addrs[1] = *(const __be32 *)saddr & inet_make_mask(len_s);
	}
}

/* ---- the table ---- */

/**
 * struct pvsvpn_spd_node - the policies with the same addresses
 * @node: in the table
 * @rcu: delays kfree(); lookups may still read it
 * @key: device, direction and addresses
 * @policies: the most urgent first; written under the policies' lock, read under RCU
 * @count: number of policies
 * @slot: index of its shape in the device's list
 */
struct pvsvpn_spd_node {
	struct rhash_head node;
	struct rcu_head rcu;
	struct spd_key key;
	struct list_head policies;
	unsigned int count;
	unsigned int slot;
};

static u32 key_hashfn(const void *data, u32 len, u32 seed)
{
	const struct spd_key *key = data;

	return jhash2((__force const u32 *)key->addrs, key->shape & SHAPE_IPV6 ? 8 : 2,
		      seed ^ key->shape ^ (u32)((unsigned long)key->spd >> 6));
}

/* A packet looks nodes up, so compare no more words than its family has. */
static int node_cmpfn(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct pvsvpn_spd_node *node = obj;
	const struct spd_key *key = arg->key;

	return node->key.spd != key->spd || node->key.shape != key->shape ||
	       memcmp(node->key.addrs, key->addrs, key->shape & SHAPE_IPV6 ? 32 : 8);
}

static const struct rhashtable_params node_params = {
	.key_len = offsetofend(struct spd_key, addrs),
	.key_offset = offsetof(struct pvsvpn_spd_node, key),
	.head_offset = offsetof(struct pvsvpn_spd_node, node),
	.hashfn = key_hashfn,
	.obj_cmpfn = node_cmpfn,
	.automatic_shrinking = true,
};

static struct rhashtable nodes;

/* The slot of a shape, or a free slot; negative if there is none. */
static int shape_slot(const struct pvsvpn_spd_half *half, u32 shape)
{
	int slot, gap = -1;

	for (slot = 0; slot < PVSVPN_SPD_SHAPES; slot++) {
		if (half->shapes[slot] == shape)
			return slot;
		if (gap < 0 && !half->shapes[slot])
			gap = slot;
	}
	return gap;
}

static void shape_use(struct pvsvpn_spd_half *half, unsigned int slot, u32 shape)
{
	if (half->users[slot]++)
		return;
	WRITE_ONCE(half->shapes[slot], shape);
	if (slot >= half->end)
		WRITE_ONCE(half->end, slot + 1);
}

static struct pvsvpn_spd_node *node_new(struct pvsvpn_spd_half *half, const struct spd_key *key)
{
	int slot = shape_slot(half, key->shape);
	struct pvsvpn_spd_node *node;

	if (slot < 0)
		return ERR_PTR(-ENOSPC);
	node = kzalloc(sizeof(*node), PVSVPN_POLICY_GFP);
	if (!node)
		return ERR_PTR(-ENOMEM);
	node->key = *key;
	node->slot = slot;
	INIT_LIST_HEAD(&node->policies);
	if (rhashtable_insert_fast(&nodes, &node->node, node_params)) {
		kfree(node);
		return ERR_PTR(-ENOMEM);
	}
	shape_use(half, slot, key->shape);
	return node;
}

static void node_put(struct pvsvpn_spd_half *half, struct pvsvpn_spd_node *node)
{
	if (node->count)
		return;
	rhashtable_remove_fast(&nodes, &node->node, node_params);
	if (!--half->users[node->slot])
		WRITE_ONCE(half->shapes[node->slot], 0);
	kfree_rcu(node, rcu);
}

/* XFRM's order: the lower priority value first, and the older one if they are equal. */
static bool more_urgent(const struct pvsvpn_policy *a, const struct pvsvpn_policy *b)
{
	return a->priority < b->priority ||
	       (a->priority == b->priority && a->order < b->order);
}

static void node_insert(struct pvsvpn_spd_node *node, struct pvsvpn_policy *policy)
{
	struct list_head *next = &node->policies;
	struct pvsvpn_policy *other;

	list_for_each_entry(other, &node->policies, alike) {
		if (more_urgent(policy, other)) {
			next = &other->alike;
			break;
		}
	}
	policy->node = node;
	node->count++;
	list_add_tail_rcu(&policy->alike, next);
}

static struct pvsvpn_spd_half *half_of(const struct pvsvpn_policy *policy)
{
	return &policy->spd->halves[policy->dir];
}

/**
 * pvsvpn_spd_place() - make a policy visible to packets
 * @policy: the policy
 * @old: the policy that it replaces, or NULL
 *
 * Context: any, the policies' lock held.
 * Return: 0; -ENOSPC if there are too many pairs of prefix lengths, or -E2BIG if there are
 * too many policies with the same addresses, so the policy has no place; -ENOMEM.
 */
int pvsvpn_spd_place(struct pvsvpn_policy *policy, const struct pvsvpn_policy *old)
{
	const struct xfrm_selector *selector = &policy->selector;
	struct spd_key key = {
		.spd = policy->spd,
		.shape = shape_make(selector->family, policy->dir,
				    selector->prefixlen_d,
				    selector->prefixlen_s),
	};
	struct pvsvpn_spd_node *node;

	key_set(&key, &selector->daddr, &selector->saddr);
	node = rhashtable_lookup_fast(&nodes, &key, node_params);
	if (!node)
		node = node_new(half_of(policy), &key);
	if (IS_ERR(node))
		return PTR_ERR(node);
	if (node->count - (old && old->node == node) >= PVSVPN_SPD_ALIKE)
		return -E2BIG;
	node_insert(node, policy);
	return 0;
}

/**
 * pvsvpn_spd_remove() - hide a policy from packets
 * @policy: the policy; the caller must free it after a grace period
 *
 * Context: any, the policies' lock held.
 */
void pvsvpn_spd_remove(struct pvsvpn_policy *policy)
{
	struct pvsvpn_spd_node *node = policy->node;

	if (!node)
		return;
	list_del_rcu(&policy->alike);
	node->count--;
	node_put(half_of(policy), node);
}

/* ---- upper-layer headers ---- */

static void ports_of_gre(struct pvsvpn_upper *upper, const struct sk_buff *skb, int offset)
{
	__be32 buf[3] = {};
	__be16 flags;
	u32 key;

	if (skb_copy_bits(skb, offset, buf, 4))
		return;
	flags = *(__be16 *)buf;
	if (!(flags & GRE_KEY) || skb_copy_bits(skb, offset + (flags & GRE_CSUM ? 8 : 4), buf, 4))
		return;
	key = ntohl(buf[0]);
	upper->ports[0] = htons(key >> 16);
	upper->ports[1] = htons(key & 0xffff);
}

/* XFRM uses the type and code of ICMP, the type of MH and the key of GRE as ports. */
static void upper_read_ports(struct pvsvpn_upper *upper,
			     const struct sk_buff *skb, int offset,
			     bool reversed)
{
	u8 buf[3];

	switch (upper->proto) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (skb_copy_bits(skb, offset, buf, 2))
			return;
		upper->ports[0] = htons(buf[0]);
		upper->ports[1] = htons(buf[1]);
		break;
	case IPPROTO_MH:
		if (!skb_copy_bits(skb, offset, buf, 3))
			upper->ports[0] = htons(buf[2]);
		break;
	case IPPROTO_GRE:
		ports_of_gre(upper, skb, offset);
		break;
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		skb_copy_bits(skb, offset, upper->ports, sizeof(upper->ports));
		if (reversed)
			swap(upper->ports[0], upper->ports[1]);
		break;
	}
}

static void upper_read(struct pvsvpn_upper *upper, const struct sk_buff *skb, bool reversed)
{
	__be16 frag_off = 0;
	int offset;

	upper->known = true;
	if (skb->protocol == htons(ETH_P_IP)) {
		upper->proto = ip_hdr(skb)->protocol;
		frag_off = ip_hdr(skb)->frag_off & htons(IP_OFFSET);
		offset = ip_hdrlen(skb);
	} else {
		upper->proto = ipv6_hdr(skb)->nexthdr;
		offset = ipv6_skip_exthdr(skb, sizeof(struct ipv6hdr), &upper->proto, &frag_off);
		frag_off &= htons(IP6_OFFSET);
		/* It stops at the fragment header, which names the next protocol. */
		if (frag_off && offset > 0)
			skb_copy_bits(skb, offset, &upper->proto, 1);
	}
	upper->fragment = frag_off;
	if (!frag_off && offset > 0)
		upper_read_ports(upper, skb, offset, reversed);
}

static bool upper_fits(const struct xfrm_selector *selector, struct pvsvpn_spd_packet *packet)
{
	struct pvsvpn_upper *upper = &packet->upper;

	if (!selector->proto && !selector->sport_mask && !selector->dport_mask)
		return true;
	if (!upper->known)
		upper_read(upper, packet->skb, packet->reversed);
	if (selector->proto && selector->proto != upper->proto)
		return false;
	if (upper->fragment && packet->opaque)
		return true;
	return !((selector->sport ^ upper->ports[0]) & selector->sport_mask) &&
	       !((selector->dport ^ upper->ports[1]) & selector->dport_mask);
}

/* ---- from packet to policy ---- */

static bool policy_selects(const struct pvsvpn_policy *policy, struct pvsvpn_spd_packet *packet)
{
	const struct xfrm_selector *selector = &policy->selector;

	return (packet->skb->mark & policy->mark.m) == policy->mark.v &&
	       (!selector->ifindex ||
		selector->ifindex == packet->pvs->dev->ifindex) &&
	       upper_fits(selector, packet);
}

/* A fitting policy of the node if it is more urgent than @best, else @best. */
static const struct pvsvpn_policy *node_find(const struct pvsvpn_spd_node *node,
					     const struct pvsvpn_policy *best,
					     struct pvsvpn_spd_packet *packet,
					     pvsvpn_spd_fits fits,
					     const void *data)
{
	const struct pvsvpn_policy *policy;

	list_for_each_entry_rcu(policy, &node->policies, alike) {
		if (best && !more_urgent(policy, best))
			break;
		if (policy_selects(policy, packet) && fits(policy, data))
			return policy;
	}
	return best;
}

/**
 * pvsvpn_spd_find() - find the policy for a packet
 * @packet: the packet
 * @dir: enum pvsvpn_direction
 * @fits: returns true if a policy whose selector fits the packet counts
 * @data: passed to @fits
 *
 * Context: RCU read-side critical section.
 * Return: the most urgent policy, valid until that ends, or NULL.
 */
const struct pvsvpn_policy *pvsvpn_spd_find(struct pvsvpn_spd_packet *packet,
					    u8 dir, pvsvpn_spd_fits fits,
					    const void *data)
{
	const struct sk_buff *skb = packet->skb;
	u32 family = skb->protocol == htons(ETH_P_IP) ? 0 : SHAPE_IPV6;
	const void *daddr = family ? (void *)&ipv6_hdr(skb)->daddr :
				     (void *)&ip_hdr(skb)->daddr;
	const void *saddr = family ? (void *)&ipv6_hdr(skb)->saddr :
				     (void *)&ip_hdr(skb)->saddr;
	const struct pvsvpn_spd_half *half = &packet->pvs->spd->halves[dir];
	unsigned int slot, end = READ_ONCE(half->end);
	struct spd_key key = { .spd = packet->pvs->spd };
	const struct pvsvpn_policy *best = NULL;
	const struct pvsvpn_spd_node *node;

	if (packet->reversed)
		swap(daddr, saddr);
	for (slot = 0; slot < end; slot++) {
		key.shape = READ_ONCE(half->shapes[slot]);
		if (!key.shape || (key.shape & SHAPE_IPV6) != family)
			continue;
		key_set(&key, daddr, saddr);
		node = rhashtable_lookup(&nodes, &key, node_params);
		if (node)
			best = node_find(node, best, packet, fits, data);
	}
	return best;
}

/* True if the prefixes of a shape are at most as long as @to and @from. */
static bool shape_holds(u32 shape, u8 dir, const struct pvsvpn_prefix *to,
			const struct pvsvpn_prefix *from)
{
	return shape && (shape & ~0xffff) == shape_make(to->family, dir, 0, 0) &&
	       (shape >> 8 & 0xff) <= to->len && (shape & 0xff) <= from->len;
}

/* True if a policy selects only by addresses */
static bool is_plain(const struct pvsvpn_policy *policy)
{
	const struct xfrm_selector *selector = &policy->selector;

	return !selector->proto && !selector->sport_mask &&
	       !selector->dport_mask && !selector->ifindex && !policy->mark.m;
}

/* Each policy counts as one look. */
static bool node_has_all(const struct pvsvpn_spd_node *node,
			 unsigned int *looks, pvsvpn_spd_fits fits,
			 const void *data)
{
	const struct pvsvpn_policy *policy;

	list_for_each_entry_rcu(policy, &node->policies, alike) {
		if (!*looks)
			return false;
		(*looks)--;
		if (is_plain(policy) && fits(policy, data))
			return true;
	}
	return false;
}

/**
 * pvsvpn_spd_has_all() - check whether one policy covers all packets between two prefixes
 * @spd: SPD of the device
 * @dir: enum pvsvpn_direction
 * @to: prefix of the destinations
 * @from: prefix of the sources, of the same family
 * @looks: how many policies, and how many pairs of prefix lengths, may be looked at; counts down
 * @fits: returns true if a policy counts
 * @data: passed to @fits
 *
 * Several policies that cover them only together do not count.
 *
 * Context: RCU read-side critical section.
 * Return: true if there is one; false if not, or if @looks has reached 0.
 */
bool pvsvpn_spd_has_all(const struct pvsvpn_spd *spd, u8 dir,
			const struct pvsvpn_prefix *to,
			const struct pvsvpn_prefix *from, unsigned int *looks,
			pvsvpn_spd_fits fits, const void *data)
{
	const struct pvsvpn_spd_half *half = &spd->halves[dir];
	unsigned int slot, end = READ_ONCE(half->end);
	const struct pvsvpn_spd_node *node;
	struct spd_key key = { .spd = spd };

	for (slot = 0; slot < end && *looks; slot++) {
		key.shape = READ_ONCE(half->shapes[slot]);
		if (!shape_holds(key.shape, dir, to, from))
			continue;
		(*looks)--;
		key_set(&key, &to->addr, &from->addr);
		node = rhashtable_lookup(&nodes, &key, node_params);
		if (node && node_has_all(node, looks, fits, data))
			return true;
	}
	return false;
}

static bool addresses_fit(const struct xfrm_selector *selector, const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);

	if (skb->protocol == htons(ETH_P_IP))
		return selector->family == AF_INET &&
		       addr4_match(ip_hdr(skb)->daddr, selector->daddr.a4,
				   selector->prefixlen_d) &&
		       addr4_match(ip_hdr(skb)->saddr, selector->saddr.a4, selector->prefixlen_s);
	return selector->family == AF_INET6 &&
	       addr_match(&ip6h->daddr, &selector->daddr,
			  selector->prefixlen_d) &&
	       addr_match(&ip6h->saddr, &selector->saddr, selector->prefixlen_s);
}

/**
 * pvsvpn_spd_covers() - check whether a selector covers a packet
 * @selector: the selector, with a family
 * @skb: inner packet with a whole IP header, protocol set
 *
 * Context: any.
 * Return: true if it does.
 */
bool pvsvpn_spd_covers(const struct xfrm_selector *selector, const struct sk_buff *skb)
{
	struct pvsvpn_spd_packet packet = { .skb = skb };

	return addresses_fit(selector, skb) && upper_fits(selector, &packet);
}

/**
 * pvsvpn_spd_init() - set up the table of policies by address
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_spd_init(void)
{
	return rhashtable_init(&nodes, &node_params);
}

/**
 * pvsvpn_spd_exit() - free the table; no device may be left
 */
void pvsvpn_spd_exit(void)
{
	rhashtable_destroy(&nodes);
}
