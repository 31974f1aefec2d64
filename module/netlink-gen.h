/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/pvsvpn.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_PVSVPN_GEN_H
#define _LINUX_PVSVPN_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/pvsvpn.h>

/* Common nested types */
extern const struct nla_policy pvsvpn_subnet_nl_policy[PVSVPN_A_SUBNET_PREFIX_LENGTH + 1];
extern const struct nla_policy pvsvpn_transform_nl_policy[PVSVPN_A_TRANSFORM_INTEGRITY + 1];

extern const struct nla_policy pvsvpn_device_get_nl_policy[PVSVPN_A_DEVICE_COUNTERS + 1];

extern const struct nla_policy pvsvpn_device_set_nl_policy[PVSVPN_A_DEVICE_INNER_MARK + 1];

extern const struct nla_policy pvsvpn_peer_get_nl_policy[PVSVPN_A_PEER_COUNTERS + 1];

extern const struct nla_policy pvsvpn_peer_new_nl_policy[PVSVPN_A_PEER_LOCAL_SUBNET + 1];

extern const struct nla_policy pvsvpn_peer_set_nl_policy[PVSVPN_A_PEER_LOCAL_SUBNET + 1];

extern const struct nla_policy pvsvpn_peer_del_nl_policy[PVSVPN_A_PEER_NAME + 1];

extern const struct nla_policy pvsvpn_sa_get_nl_policy[PVSVPN_A_SA_COUNTERS + 1];

extern const struct nla_policy pvsvpn_sa_new_nl_policy[PVSVPN_A_SA_HARD_USE_SECONDS + 1];

extern const struct nla_policy pvsvpn_sa_del_nl_policy[PVSVPN_A_SA_SPI + 1];

/* Ops table for pvsvpn */
extern const struct genl_ops pvsvpn_nl_ops[9];

int pvsvpn_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info);
int pvsvpn_nl_device_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int pvsvpn_nl_device_set_doit(struct sk_buff *skb, struct genl_info *info);
int pvsvpn_nl_peer_get_doit(struct sk_buff *skb, struct genl_info *info);
int pvsvpn_nl_peer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int pvsvpn_nl_peer_new_doit(struct sk_buff *skb, struct genl_info *info);
int pvsvpn_nl_peer_set_doit(struct sk_buff *skb, struct genl_info *info);
int pvsvpn_nl_peer_del_doit(struct sk_buff *skb, struct genl_info *info);
int pvsvpn_nl_sa_get_doit(struct sk_buff *skb, struct genl_info *info);
int pvsvpn_nl_sa_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int pvsvpn_nl_sa_new_doit(struct sk_buff *skb, struct genl_info *info);
int pvsvpn_nl_sa_del_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	PVSVPN_NLGRP_EVENTS,
};

#endif /* _LINUX_PVSVPN_GEN_H */
