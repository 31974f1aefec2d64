// SPDX-License-Identifier: GPL-2.0
/*
 * The local subnets of a peer limit what its packets may reach (RFC 4301 section 5.2
 * step 4) and with which source packets go to it. The operator gives the list, or a
 * connection file does. The list belongs to one peer, so it is a sorted array of its
 * own: a lookup is a binary search. A peer without a list costs a packet one test.
 */
#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mm.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <net/ipv6.h>

#include "destination.h"

static int family_index(u16 family)
{
	return family == AF_INET6;
}

static size_t family_bytes(u16 family)
{
	return family == AF_INET6 ? sizeof(struct in6_addr) :
				    sizeof(struct in_addr);
}

static bool prefix_holds(const struct pvsvpn_prefix *prefix, u16 family,
			 const void *addr)
{
	if (prefix->family != family)
		return false;
	if (family == AF_INET6)
		return ipv6_prefix_equal(&prefix->addr, addr, prefix->len);
	return !((prefix->addr.s6_addr32[0] ^ *(const __be32 *)addr) &
		 inet_make_mask(prefix->len));
}

/* A prefix comes before those that are inside of it. */
static int prefix_compare(const void *a, const void *b)
{
	const struct pvsvpn_prefix *first = a, *second = b;
	int differ;

	if (first->family != second->family)
		return first->family == AF_INET ? -1 : 1;
	differ = memcmp(&first->addr, &second->addr, sizeof(first->addr));
	return differ ?: (int)first->len - (int)second->len;
}

/* Those inside of another one are not needed. */
static void sorted_thin_out(struct pvsvpn_destination *destination)
{
	struct pvsvpn_prefix *sorted = &destination->prefixes[destination->count];
	unsigned int i, kept = 0;

	for (i = 0; i < destination->count; i++) {
		if (kept && prefix_holds(&sorted[kept - 1], sorted[i].family,
					 &sorted[i].addr))
			continue;
		destination->sorted[family_index(sorted[i].family)]++;
		sorted[kept++] = sorted[i];
	}
}

static bool is_everything(const struct pvsvpn_prefix *prefixes,
			  unsigned int count)
{
	bool all[2] = {};
	unsigned int i;

	for (i = 0; i < count; i++)
		if (!prefixes[i].len)
			all[family_index(prefixes[i].family)] = true;
	return all[0] && all[1];
}

/**
 * pvsvpn_destination_new() - make the local subnets of a peer
 * @prefixes: without host bits, no two the same
 * @count: how many; 0 for no limit
 *
 * Context: process.
 * Return: what pvsvpn_destination_set() takes; NULL when it would limit nothing;
 * ERR_PTR(-ENOMEM).
 */
struct pvsvpn_destination *
pvsvpn_destination_new(const struct pvsvpn_prefix *prefixes,
		       unsigned int count)
{
	struct pvsvpn_destination *destination;

	if (!count || is_everything(prefixes, count))
		return NULL;
	destination = kvzalloc(struct_size(destination, prefixes, 2 * count),
			       GFP_KERNEL_ACCOUNT);
	if (!destination)
		return ERR_PTR(-ENOMEM);
	destination->count = count;
	memcpy(destination->prefixes, prefixes, count * sizeof(*prefixes));
	memcpy(destination->prefixes + count, prefixes,
	       count * sizeof(*prefixes));
	sort(destination->prefixes + count, count, sizeof(*prefixes),
	     prefix_compare, NULL);
	sorted_thin_out(destination);
	return destination;
}

/**
 * pvsvpn_destination_free() - free local subnets that no packet can find
 * @destination: from pvsvpn_destination_new(), or NULL
 *
 * Context: any.
 */
void pvsvpn_destination_free(struct pvsvpn_destination *destination)
{
	if (destination)
		kvfree_rcu(destination, rcu);
}

/**
 * pvsvpn_destination_set() - replace the local subnets of a peer
 * @peer: the peer
 * @destination: from pvsvpn_destination_new(); the peer's from now on
 *
 * Context: process, RTNL held.
 */
void pvsvpn_destination_set(struct pvsvpn_peer *peer,
			    struct pvsvpn_destination *destination)
{
	struct pvsvpn_destination *old = rtnl_dereference(peer->destination);

	rcu_assign_pointer(peer->destination, destination);
	pvsvpn_destination_free(old);
}

/**
 * pvsvpn_destination_find() - do local subnets hold an address?
 * @destination: the local subnets
 * @family: AF_INET or AF_INET6
 * @addr: 4 or 16 bytes, network byte order
 *
 * Prefixes that do not overlap: only the last one that does not begin behind the
 * address can hold it. At most 11 comparisons for 1024 prefixes.
 *
 * Context: RCU read side.
 */
bool pvsvpn_destination_find(const struct pvsvpn_destination *destination,
			     u16 family, const void *addr)
{
	const struct pvsvpn_prefix *prefix =
		&destination->prefixes[destination->count];
	unsigned int left = 0, right = destination->sorted[family_index(family)];

	if (family == AF_INET6)
		prefix += destination->sorted[0];
	while (left < right) {
		unsigned int middle = left + (right - left) / 2;

		if (memcmp(&prefix[middle].addr, addr, family_bytes(family)) > 0)
			right = middle;
		else
			left = middle + 1;
	}
	return left && prefix_holds(&prefix[left - 1], family, addr);
}

/**
 * pvsvpn_destination_find_dst() - do local subnets hold a packet's destination?
 * @destination: the local subnets
 * @skb: inner packet with a whole IP header, protocol set
 *
 * Context: RCU read side.
 */
bool pvsvpn_destination_find_dst(const struct pvsvpn_destination *destination,
				 const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return pvsvpn_destination_find(destination, AF_INET,
					       &ip_hdr(skb)->daddr);
	return pvsvpn_destination_find(destination, AF_INET6,
				       &ipv6_hdr(skb)->daddr);
}

/**
 * pvsvpn_destination_find_src() - do local subnets hold a packet's source?
 * @destination: the local subnets
 * @skb: inner packet with a whole IP header, protocol set
 *
 * Context: RCU read side.
 */
bool pvsvpn_destination_find_src(const struct pvsvpn_destination *destination,
				 const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return pvsvpn_destination_find(destination, AF_INET,
					       &ip_hdr(skb)->saddr);
	return pvsvpn_destination_find(destination, AF_INET6,
				       &ipv6_hdr(skb)->saddr);
}
