/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family `pvsvpn`. */
#ifndef _PVSVPN_NETLINK_H
#define _PVSVPN_NETLINK_H

#include <net/genetlink.h>

#include "netlink-gen.h"
#include "selector.h"
#include "xfrm_adopt.h"

struct pvsvpn_counters;
struct pvsvpn_device;
struct pvsvpn_peer;
struct pvsvpn_peer_config;
struct pvsvpn_sa;

/* "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128" */
#define PVSVPN_PREFIX_STRLEN	44

/**
 * struct pvsvpn_counter_attrs - attributes for the counters of an object
 * @packets: inner packets that passed, by enum pvsvpn_flow; 0 for a direction that it lacks
 * @bytes: their bytes
 * @drops: sum of the drops
 * @drop: nest with the drops of one reason
 * @pad: for alignment
 * @reasons: number of reasons in the object's scope
 */
struct pvsvpn_counter_attrs {
	int packets[2];
	int bytes[2];
	int drops;
	int drop;
	int pad;
	unsigned int reasons;
};

/**
 * struct pvsvpn_subnet_place - place in the prefixes of a peer while they are shown
 * @prefix: the last prefix shown, NULL before the first
 * @subnet: list entry of the last subnet shown, NULL before the first
 * @locals: number of local subnets shown
 */
struct pvsvpn_subnet_place {
	const struct pvsvpn_prefix *prefix;
	const struct list_head *subnet;
	unsigned int locals;
};

/**
 * pvsvpn_netlink_wait() - where a request notes what it waits for after RTNL
 * @info: the request
 *
 * Context: any.
 * Return: for pvsvpn_adopt_hold(); zeroed before the request begins.
 */
static inline struct pvsvpn_adopt_wait *pvsvpn_netlink_wait(struct genl_info *info)
{
	BUILD_BUG_ON(sizeof(struct pvsvpn_adopt_wait) > sizeof(info->user_ptr));
	return (struct pvsvpn_adopt_wait *)info->user_ptr;
}

int __printf(4, 5)
pvsvpn_netlink_refuse(struct netlink_ext_ack *extack, const struct nlattr *attr,
		      int err, const char *format, ...);
struct pvsvpn_device *pvsvpn_netlink_device(struct net *net,
					    struct nlattr **attrs,
					    struct netlink_ext_ack *extack);
struct pvsvpn_peer *pvsvpn_netlink_peer(struct pvsvpn_device *pvs,
					struct nlattr **attrs,
					struct netlink_ext_ack *extack);
struct pvsvpn_device *pvsvpn_netlink_changed_device(struct sk_buff *skb, struct genl_info *info);
struct pvsvpn_peer *pvsvpn_netlink_changed_peer(struct sk_buff *skb, struct genl_info *info);
bool pvsvpn_netlink_may(const struct sk_buff *skb,
			const struct pvsvpn_device *pvs,
			struct netlink_ext_ack *extack);
bool pvsvpn_netlink_missing(struct nlattr **attrs, int attr,
			    struct netlink_ext_ack *extack, const char *what);
int pvsvpn_netlink_parse_liveness(struct pvsvpn_peer_config *config, struct genl_info *info);
int pvsvpn_netlink_put_liveness(struct sk_buff *msg, const struct pvsvpn_peer *peer);
int pvsvpn_netlink_addr_family(const struct nlattr *attr, struct netlink_ext_ack *extack);
int pvsvpn_netlink_parse_subnets(struct pvsvpn_peer_config *config,
				 struct pvsvpn_device *pvs,
				 const struct pvsvpn_peer *peer,
				 struct genl_info *info);
int pvsvpn_netlink_put_subnets(struct sk_buff *msg,
			       const struct pvsvpn_peer *peer,
			       struct pvsvpn_subnet_place *at);
bool pvsvpn_netlink_find_subnet(struct pvsvpn_subnet_place *at, const struct pvsvpn_peer *peer,
				const struct pvsvpn_prefix *prefix, bool local);
size_t pvsvpn_netlink_subnets_size(const struct pvsvpn_peer *peer);
int pvsvpn_netlink_put_path(struct sk_buff *msg, const struct pvsvpn_peer *peer);
int pvsvpn_netlink_parse_window(u32 *window, const struct nlattr *attr,
				struct netlink_ext_ack *extack);
int pvsvpn_netlink_spi_taken(const struct pvsvpn_sa *sa,
			     const struct nlattr *attr,
			     struct netlink_ext_ack *extack);
void *pvsvpn_netlink_begin(struct sk_buff *msg, u32 portid, u32 seq, int flags, u8 cmd);
struct sk_buff *pvsvpn_netlink_new_reply(const struct genl_info *info, size_t more);
int pvsvpn_netlink_reply(struct genl_info *info, struct sk_buff *msg, int err);
int pvsvpn_netlink_put_counters(struct sk_buff *msg, const struct pvsvpn_counter_attrs *attrs,
				const struct pvsvpn_counters __percpu *counters, bool by_name);
int pvsvpn_netlink_put_device(struct sk_buff *msg,
			      const struct pvsvpn_device *pvs,
			      const struct sk_buff *request, bool counters);
int pvsvpn_netlink_put_peer_ids(struct sk_buff *msg, const struct pvsvpn_peer *peer);
int pvsvpn_netlink_put_peer(struct sk_buff *msg, const struct pvsvpn_peer *peer, bool counters);
int pvsvpn_netlink_put_sa(struct sk_buff *msg, const struct pvsvpn_sa *sa, bool counters);
void pvsvpn_netlink_set_family(const struct genl_family *family);
int pvsvpn_netlink_init(void);
void pvsvpn_netlink_exit(void);

#endif /* _PVSVPN_NETLINK_H */
