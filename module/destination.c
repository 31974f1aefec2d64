// SPDX-License-Identifier: GPL-2.0
/*
 * The local subnets of a peer limit the destinations of packets from it (RFC 4301
 * section 5.2 step 4) and the sources of packets to it. The operator or a connection
 * file gives the list. Each peer has its own list, a sorted array, so a lookup is a
 * binary search. If a peer has no list, a packet costs one test.
 */
#include <linux/inetdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <net/ipv6.h>

#include "destination.h"

static int family_index(u16 family)
{
	return family == AF_INET6;
}

static bool prefix_holds(const struct pvsvpn_prefix *prefix, u16 family, const void *addr)
{
	if (prefix->family != family)
		return false;
	if (family == AF_INET6)
		return ipv6_prefix_equal(&prefix->addr, addr, prefix->len);
	return !((prefix->addr.s6_addr32[0] ^ *(const __be32 *)addr) & inet_make_mask(prefix->len));
}

/* Sort a prefix before the prefixes inside it. */
static int prefix_compare(const void *a, const void *b)
{
	const struct pvsvpn_prefix *first = a, *second = b;
	int differ;

	if (first->family != second->family)
		return first->family == AF_INET ? -1 : 1;
	differ = memcmp(&first->addr, &second->addr, sizeof(first->addr));
	return differ ?: (int)first->len - (int)second->len;
}

/* Drop prefixes inside another one: a search does not need them. */
static void sorted_thin_out(struct pvsvpn_destination *destination)
{
	struct pvsvpn_prefix *sorted = &destination->prefixes[destination->count];
	unsigned int i, kept = 0;

	for (i = 0; i < destination->count; i++) {
		if (kept && prefix_holds(&sorted[kept - 1], sorted[i].family, &sorted[i].addr))
			continue;
		destination->sorted[family_index(sorted[i].family)]++;
		sorted[kept++] = sorted[i];
	}
}

static bool is_everything(const struct pvsvpn_prefix *prefixes, unsigned int count)
{
	bool all[2] = {};
	unsigned int i;

	for (i = 0; i < count; i++)
		if (!prefixes[i].len)
			all[family_index(prefixes[i].family)] = true;
	return all[0] && all[1];
}

/**
 * pvsvpn_destination_new() - allocate the local subnets of a peer
 * @prefixes: prefixes without host bits, all different
 * @count: number of @prefixes; 0 for no limit
 *
 * Context: process.
 * Return: the local subnets for pvsvpn_destination_set(); NULL if @prefixes limit
 * nothing; ERR_PTR(-ENOMEM).
 */
struct pvsvpn_destination *
pvsvpn_destination_new(const struct pvsvpn_prefix *prefixes, unsigned int count)
{
	struct pvsvpn_destination *destination;

	if (!count || is_everything(prefixes, count))
		return NULL;
	destination = kvzalloc(struct_size(destination, prefixes, 2 * count), GFP_KERNEL_ACCOUNT);
	if (!destination)
		return ERR_PTR(-ENOMEM);
	destination->count = count;
	memcpy(destination->prefixes, prefixes, count * sizeof(*prefixes));
	memcpy(destination->prefixes + count, prefixes, count * sizeof(*prefixes));
	sort(destination->prefixes + count, count, sizeof(*prefixes), prefix_compare, NULL);
	sorted_thin_out(destination);
	return destination;
}

/**
 * pvsvpn_destination_free() - free local subnets after an RCU grace period
 * @destination: from pvsvpn_destination_new(), with no peer any more; or NULL
 *
 * Context: any.
 */
void pvsvpn_destination_free(struct pvsvpn_destination *destination)
{
	kvfree_rcu(destination, rcu);
}

/**
 * pvsvpn_destination_set() - replace the local subnets of a peer
 * @peer: the peer
 * @destination: from pvsvpn_destination_new(), or NULL; @peer takes ownership
 *
 * Context: process, RTNL held.
 */
void pvsvpn_destination_set(struct pvsvpn_peer *peer, struct pvsvpn_destination *destination)
{
	struct pvsvpn_destination *old = rtnl_dereference(peer->destination);

	rcu_assign_pointer(peer->destination, destination);
	pvsvpn_destination_free(old);
}

/**
 * pvsvpn_destination_find() - check whether local subnets hold an address
 * @destination: the local subnets
 * @family: AF_INET or AF_INET6
 * @addr: 4 or 16 bytes, network byte order
 *
 * The prefixes do not overlap, so only the last one that starts at or before the
 * address can hold it: at most 11 comparisons for 1024 prefixes.
 *
 * Context: RCU read-side critical section.
 * Return: true if a prefix holds @addr.
 */
bool pvsvpn_destination_find(const struct pvsvpn_destination *destination,
			     u16 family, const void *addr)
{
	const struct pvsvpn_prefix *prefix =
		&destination->prefixes[destination->count];
	unsigned int left = 0, right = destination->sorted[family_index(family)];
	size_t len = sizeof(struct in_addr);

	if (family == AF_INET6) {
		prefix += destination->sorted[0];
		len = sizeof(struct in6_addr);
	}
	while (left < right) {
		unsigned int middle = left + (right - left) / 2;

		if (memcmp(&prefix[middle].addr, addr, len) > 0)
			right = middle;
		else
			left = middle + 1;
	}
	return left && prefix_holds(&prefix[left - 1], family, addr);
}
