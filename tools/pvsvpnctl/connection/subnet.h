/* SPDX-License-Identifier: GPL-2.0 */
/* Comparison of prefixes. */
#ifndef PVSVPNCTL_SUBNET_H
#define PVSVPNCTL_SUBNET_H

#include <stdbool.h>

#include "parse.h"

bool subnet_holds(const struct subnet *subnet, const struct addr *addr);
bool subnets_equal(const struct subnet *a, const struct subnet *b);
bool subnets_overlap(const struct subnet *a, const struct subnet *b);
/* The prefix of an address with a prefix length */
struct subnet subnet_masked(const struct subnet *subnet);

/* Whether an interface can have it: no multicast or broadcast, unspecified or IPv4-mapped address */
bool addr_is_of_host(const struct addr *addr);

/* Whether a tunnel can carry packets with such addresses: also multicast, not loopback */
bool subnet_fits_tunnel(const struct subnet *subnet);

/* Whether it can be an outer address: of a host, neither loopback nor IPv6 link-local */
bool addr_is_of_gateway(const struct addr *addr);

/* Whether the list has that very prefix */
bool subnet_list_has(const struct subnet_list *list, const struct subnet *subnet);

/* Whether the list has a prefix of addresses of @addr_len bytes */
bool subnet_list_has_family(const struct subnet_list *list, uint8_t addr_len);

/* The first prefix of a list that holds @addr, or NULL. */
const struct subnet *subnet_list_find(const struct subnet_list *list, const struct addr *addr);

#endif /* PVSVPNCTL_SUBNET_H */
