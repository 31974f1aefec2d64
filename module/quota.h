/* SPDX-License-Identifier: GPL-2.0 */
/* How many peers and SAs a namespace may have. */
#ifndef _PVSVPN_QUOTA_H
#define _PVSVPN_QUOTA_H

struct net;
struct netlink_ext_ack;
struct pernet_operations;

/* The limits of namespaces; register it before the first device, which is removed before. */
extern struct pernet_operations pvsvpn_quota_net_ops;

/* The objects that are limited, counted in the namespace in which their device was created */
enum pvsvpn_limit {
	PVSVPN_LIMIT_PEERS,
	PVSVPN_LIMIT_SAS,

	PVSVPN_LIMITS,
};

int pvsvpn_quota_check(struct net *net, enum pvsvpn_limit what, struct netlink_ext_ack *extack);
int pvsvpn_quota_take(struct net *net, enum pvsvpn_limit what, struct netlink_ext_ack *extack);
void pvsvpn_quota_put(struct net *net, enum pvsvpn_limit what);

#endif /* _PVSVPN_QUOTA_H */
