// SPDX-License-Identifier: GPL-2.0
/*
 * One hash table holds the subnets of all devices; a device knows which prefix
 * lengths it uses. A lookup tries these lengths, longest first. A device with a
 * thousand /24 costs one probe; the usual single peer with all addresses costs
 * none. A trie would cost a dependent load for each branching bit instead.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>

#include "device.h"
#include "peer.h"
#include "selector.h"

/* The prefixes of a peer without configured subnets */
const struct pvsvpn_prefix pvsvpn_selector_all[2] = {
	{ .family = AF_INET },
	{ .family = AF_INET6 },
};

struct subnet_key {
	const struct pvsvpn_device *pvs;
	struct pvsvpn_prefix prefix;
};

static u32 subnet_hash(const struct pvsvpn_device *pvs,
		       const struct pvsvpn_prefix *prefix, u32 seed)
{
	return jhash2((__force const u32 *)prefix->addr.s6_addr32,
		      prefix->family == AF_INET ? 1 : 4,
		      seed ^ prefix->len ^ (u32)((unsigned long)pvs >> 6));
}

static u32 subnet_key_hashfn(const void *data, u32 len, u32 seed)
{
	const struct subnet_key *key = data;

	return subnet_hash(key->pvs, &key->prefix, seed);
}

static u32 subnet_obj_hashfn(const void *data, u32 len, u32 seed)
{
	const struct pvsvpn_subnet *subnet = data;

	return subnet_hash(subnet->pvs, &subnet->prefix, seed);
}

static int subnet_cmpfn(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct pvsvpn_subnet *subnet = obj;
	const struct subnet_key *key = arg->key;

	return subnet->pvs != key->pvs ||
	       subnet->prefix.len != key->prefix.len ||
	       subnet->prefix.family != key->prefix.family ||
	       !ipv6_addr_equal(&subnet->prefix.addr, &key->prefix.addr);
}

static const struct rhashtable_params subnet_params = {
	.head_offset = offsetof(struct pvsvpn_subnet, node),
	.hashfn = subnet_key_hashfn,
	.obj_hashfn = subnet_obj_hashfn,
	.obj_cmpfn = subnet_cmpfn,
	.automatic_shrinking = true,
};

static struct rhashtable subnets;

static int family_index(u16 family)
{
	return family == AF_INET6;
}

static int subnet_insert(struct pvsvpn_selector *selector, struct pvsvpn_subnet *subnet)
{
	const struct pvsvpn_prefix *prefix = &subnet->prefix;
	int af = family_index(prefix->family);
	struct subnet_key key = { subnet->pvs, *prefix };
	int err;

	if (!prefix->len) {
		if (rtnl_dereference(selector->any[af]))
			return -EEXIST;
		rcu_assign_pointer(selector->any[af], subnet);
		return 0;
	}
	err = rhashtable_lookup_insert_key(&subnets, &key, &subnet->node, subnet_params);
	if (!err && !selector->users[af][prefix->len]++)
		set_bit(prefix->len, selector->lengths[af]);
	return err;
}

/**
 * pvsvpn_selector_add() - give a prefix to a peer
 * @peer: the peer
 * @prefix: the prefix, without host bits
 *
 * Context: process, RTNL held.
 * Return: 0; -EEXIST if a peer of the device has exactly that prefix; -ENOMEM.
 */
int pvsvpn_selector_add(struct pvsvpn_peer *peer, const struct pvsvpn_prefix *prefix)
{
	struct pvsvpn_subnet *subnet;
	int err;

	ASSERT_RTNL();
	subnet = kzalloc(sizeof(*subnet), GFP_KERNEL_ACCOUNT);
	if (!subnet)
		return -ENOMEM;
	subnet->pvs = peer->pvs;
	subnet->peer = peer;
	subnet->prefix = *prefix;
	err = subnet_insert(&peer->pvs->selector, subnet);
	if (err)
		kfree(subnet);
	else
		list_add_tail(&subnet->list, &peer->subnets);
	return err;
}

/**
 * pvsvpn_selector_del() - take a prefix from its peer
 * @subnet: the subnet; freed after a grace period
 *
 * Context: process, RTNL held.
 */
void pvsvpn_selector_del(struct pvsvpn_subnet *subnet)
{
	struct pvsvpn_selector *selector = &subnet->peer->pvs->selector;
	int af = family_index(subnet->prefix.family);
	u16 len = subnet->prefix.len;

	ASSERT_RTNL();
	list_del(&subnet->list);
	if (!len) {
		RCU_INIT_POINTER(selector->any[af], NULL);
	} else {
		rhashtable_remove_fast(&subnets, &subnet->node, subnet_params);
		if (!--selector->users[af][len])
			clear_bit(len, selector->lengths[af]);
	}
	kfree_rcu(subnet, rcu);
}

static struct pvsvpn_subnet *subnet_find(struct pvsvpn_device *pvs,
					 const struct pvsvpn_prefix *prefix)
{
	struct subnet_key key = { pvs, *prefix };

	if (!prefix->len)
		return rcu_dereference_rtnl(pvs->selector.any[family_index(prefix->family)]);
	return rhashtable_lookup_fast(&subnets, &key, subnet_params);
}

/**
 * pvsvpn_selector_owner() - find the peer that has exactly this prefix
 * @pvs: the device
 * @prefix: the prefix
 *
 * Context: process, RTNL held.
 * Return: the peer, without a reference, or NULL.
 */
struct pvsvpn_peer *pvsvpn_selector_owner(struct pvsvpn_device *pvs,
					  const struct pvsvpn_prefix *prefix)
{
	struct pvsvpn_subnet *subnet;

	ASSERT_RTNL();
	subnet = subnet_find(pvs, prefix);
	return subnet ? subnet->peer : NULL;
}

static void prefix_set(struct pvsvpn_prefix *prefix, u16 family, const void *addr, u16 len)
{
	prefix->len = len;
	if (family == AF_INET6) {
		ipv6_addr_prefix(&prefix->addr, addr, len);
	} else {
		__be32 mask = htonl(~0U << (32 - len));

		prefix->addr.s6_addr32[0] = *(const __be32 *)addr & mask;
	}
}

/* Find the peer whose subnets contain an address of @family. The longest prefix wins. */
static struct pvsvpn_peer *selector_find(struct pvsvpn_device *pvs, u16 family, const void *addr)
{
	struct pvsvpn_selector *selector = &pvs->selector;
	struct pvsvpn_prefix prefix = { .family = family };
	int af = family_index(family);
	struct pvsvpn_subnet *subnet;
	unsigned long len = af ? 129 : 33;
	unsigned long end = len;

	while ((len = find_last_bit(selector->lengths[af], end)) < end) {
		prefix_set(&prefix, family, addr, len);
		subnet = subnet_find(pvs, &prefix);
		if (subnet)
			return subnet->peer;
		end = len;
	}
	subnet = rcu_dereference(selector->any[af]);
	return subnet ? subnet->peer : NULL;
}

/**
 * pvsvpn_selector_find_dst() - find the peer that a packet goes to
 * @pvs: the device
 * @skb: inner packet with a whole IP header, protocol set
 *
 * Context: RCU read-side critical section.
 * Return: the peer, valid until that ends, or NULL.
 */
struct pvsvpn_peer *pvsvpn_selector_find_dst(struct pvsvpn_device *pvs, const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return selector_find(pvs, AF_INET, &ip_hdr(skb)->daddr);
	return selector_find(pvs, AF_INET6, &ipv6_hdr(skb)->daddr);
}

/**
 * pvsvpn_selector_find_src() - find the peer that a packet may come from
 * @pvs: the device
 * @skb: inner packet with a whole IP header, protocol set
 *
 * Context: RCU read-side critical section.
 * Return: the peer, valid until that ends, or NULL.
 */
struct pvsvpn_peer *pvsvpn_selector_find_src(struct pvsvpn_device *pvs, const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return selector_find(pvs, AF_INET, &ip_hdr(skb)->saddr);
	return selector_find(pvs, AF_INET6, &ipv6_hdr(skb)->saddr);
}

/**
 * pvsvpn_selector_init() - set up the table of all subnets
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_selector_init(void)
{
	return rhashtable_init(&subnets, &subnet_params);
}

/**
 * pvsvpn_selector_exit() - free the table; no device may be left
 */
void pvsvpn_selector_exit(void)
{
	rhashtable_destroy(&subnets);
}
