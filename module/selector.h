/* SPDX-License-Identifier: GPL-2.0 */
/* Inner address -> peer, by longest prefix. */
#ifndef _PVSVPN_SELECTOR_H
#define _PVSVPN_SELECTOR_H

#include <linux/in6.h>
#include <linux/rhashtable-types.h>
#include <linux/types.h>

struct pvsvpn_device;
struct pvsvpn_peer;
struct sk_buff;

/**
 * struct pvsvpn_prefix - an inner prefix; the bits after its length are 0
 * @addr: network byte order; IPv4 in the first four bytes, the rest 0
 * @family: AF_INET or AF_INET6
 * @len: prefix length, 0 to 32 or 0 to 128
 */
struct pvsvpn_prefix {
	struct in6_addr addr;
	u16 family;
	u16 len;
};

/**
 * struct pvsvpn_subnet - a prefix that belongs to a peer
 * @node: in the table of all subnets, unless the length is 0
 * @pvs: the device; the table key is @pvs and @prefix
 * @prefix: the prefix
 * @peer: its peer; valid as long as the subnet can be found
 * @list: in the peer's list; RTNL
 * @rcu: delays kfree(); lookups may still read the subnet
 */
struct pvsvpn_subnet {
	struct rhash_head node;
	const struct pvsvpn_device *pvs;
	struct pvsvpn_prefix prefix;
	struct pvsvpn_peer *peer;
	struct list_head list;
	struct rcu_head rcu;
};

/**
 * struct pvsvpn_selector - which prefix lengths a device uses
 * @any: the subnets of length 0, IPv4 and IPv6
 * @lengths: one bit for each length > 0 in use, IPv4 and IPv6
 * @users: subnets of each length; RTNL
 */
struct pvsvpn_selector {
	struct pvsvpn_subnet __rcu *any[2];
	DECLARE_BITMAP(lengths[2], 129);
	u32 users[2][129];
};

extern const struct pvsvpn_prefix pvsvpn_selector_all[2];

int pvsvpn_selector_add(struct pvsvpn_peer *peer, const struct pvsvpn_prefix *prefix);
void pvsvpn_selector_del(struct pvsvpn_subnet *subnet);
struct pvsvpn_peer *pvsvpn_selector_owner(struct pvsvpn_device *pvs,
					  const struct pvsvpn_prefix *prefix);
struct pvsvpn_peer *pvsvpn_selector_find_dst(struct pvsvpn_device *pvs, const struct sk_buff *skb);
struct pvsvpn_peer *pvsvpn_selector_find_src(struct pvsvpn_device *pvs, const struct sk_buff *skb);
int pvsvpn_selector_init(void);
void pvsvpn_selector_exit(void);

#endif /* _PVSVPN_SELECTOR_H */
