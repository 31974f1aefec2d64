/* SPDX-License-Identifier: GPL-2.0 */
/* The inner addresses at this end that a peer may reach. */
#ifndef _PVSVPN_DESTINATION_H
#define _PVSVPN_DESTINATION_H

#include <linux/skbuff.h>

#include "peer.h"

/**
 * struct pvsvpn_destination - the local subnets of a peer; replaced as a whole
 * @rcu: lookups may still see it when it is freed
 * @count: how many prefixes the operator has given
 * @sorted: how many are searched, IPv4 and IPv6
 * @prefixes: @count prefixes as given; then those to search, IPv4 before IPv6, each
 *	family by address, none inside another
 */
struct pvsvpn_destination {
	struct rcu_head rcu;
	unsigned int count;
	unsigned int sorted[2];
	struct pvsvpn_prefix prefixes[];
};

struct pvsvpn_destination *
pvsvpn_destination_new(const struct pvsvpn_prefix *prefixes,
		       unsigned int count);
void pvsvpn_destination_free(struct pvsvpn_destination *destination);
void pvsvpn_destination_set(struct pvsvpn_peer *peer,
			    struct pvsvpn_destination *destination);
bool pvsvpn_destination_find(const struct pvsvpn_destination *destination,
			     u16 family, const void *addr);
bool pvsvpn_destination_find_dst(const struct pvsvpn_destination *destination,
				 const struct sk_buff *skb);
bool pvsvpn_destination_find_src(const struct pvsvpn_destination *destination,
				 const struct sk_buff *skb);

/**
 * pvsvpn_destination_has_dst() - may a packet of a peer reach its destination?
 * @peer: the peer that it came from
 * @skb: inner packet with a whole IP header, protocol set
 *
 * Context: RCU read side.
 */
static inline bool pvsvpn_destination_has_dst(const struct pvsvpn_peer *peer,
					      const struct sk_buff *skb)
{
	const struct pvsvpn_destination *destination =
		rcu_dereference(peer->destination);

	return likely(!destination) ||
	       pvsvpn_destination_find_dst(destination, skb);
}

/**
 * pvsvpn_destination_has_src() - may a packet with this source go to a peer?
 * @peer: the peer that it goes to
 * @skb: inner packet with a whole IP header, protocol set
 *
 * Context: RCU read side.
 */
static inline bool pvsvpn_destination_has_src(const struct pvsvpn_peer *peer,
					      const struct sk_buff *skb)
{
	const struct pvsvpn_destination *destination =
		rcu_dereference(peer->destination);

	return likely(!destination) ||
	       pvsvpn_destination_find_src(destination, skb);
}

#endif /* _PVSVPN_DESTINATION_H */
