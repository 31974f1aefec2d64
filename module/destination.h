/* SPDX-License-Identifier: GPL-2.0 */
/* The inner addresses at this end that a peer may reach. */
#ifndef _PVSVPN_DESTINATION_H
#define _PVSVPN_DESTINATION_H

#include <linux/ip.h>
#include <linux/ipv6.h>

#include "peer.h"

/**
 * struct pvsvpn_destination - the local subnets of a peer; replaced as a whole
 * @rcu: frees it after a grace period, because lookups may still see it
 * @count: number of prefixes that the operator has given
 * @sorted: number of prefixes to search, IPv4 and IPv6
 * @prefixes: @count prefixes as given; then the prefixes to search, IPv4 before IPv6,
 *	each family sorted by address, none inside another
 */
struct pvsvpn_destination {
	struct rcu_head rcu;
	unsigned int count;
	unsigned int sorted[2];
	struct pvsvpn_prefix prefixes[];
};

struct pvsvpn_destination *
pvsvpn_destination_new(const struct pvsvpn_prefix *prefixes, unsigned int count);
void pvsvpn_destination_free(struct pvsvpn_destination *destination);
void pvsvpn_destination_set(struct pvsvpn_peer *peer, struct pvsvpn_destination *destination);
bool pvsvpn_destination_find(const struct pvsvpn_destination *destination,
			     u16 family, const void *addr);

/**
 * pvsvpn_destination_has_dst() - check whether a peer's packet may reach its destination
 * @peer: the peer that sent the packet
 * @skb: inner packet with a complete IP header and skb->protocol set
 *
 * Context: RCU read-side critical section.
 * Return: true if the local subnets allow the destination, or if there are none.
 */
static inline bool pvsvpn_destination_has_dst(const struct pvsvpn_peer *peer,
					      const struct sk_buff *skb)
{
	const struct pvsvpn_destination *destination =
		rcu_dereference(peer->destination);

	if (likely(!destination))
		return true;
	return skb->protocol == htons(ETH_P_IP) ?
	       pvsvpn_destination_find(destination, AF_INET, &ip_hdr(skb)->daddr) :
	       pvsvpn_destination_find(destination, AF_INET6, &ipv6_hdr(skb)->daddr);
}

/**
 * pvsvpn_destination_has_src() - check whether a packet with its source may go to a peer
 * @peer: the peer that the packet goes to
 * @skb: inner packet with a complete IP header and skb->protocol set
 *
 * Context: RCU read-side critical section.
 * Return: true if the local subnets allow the source, or if there are none.
 */
static inline bool pvsvpn_destination_has_src(const struct pvsvpn_peer *peer,
					      const struct sk_buff *skb)
{
	const struct pvsvpn_destination *destination =
		rcu_dereference(peer->destination);

	if (likely(!destination))
		return true;
	return skb->protocol == htons(ETH_P_IP) ?
	       pvsvpn_destination_find(destination, AF_INET, &ip_hdr(skb)->saddr) :
	       pvsvpn_destination_find(destination, AF_INET6, &ipv6_hdr(skb)->saddr);
}

#endif /* _PVSVPN_DESTINATION_H */
