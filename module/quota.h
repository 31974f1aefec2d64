/* SPDX-License-Identifier: GPL-2.0 */
/* How many peers and SAs a namespace may have. */
#ifndef _PVSVPN_QUOTA_H
#define _PVSVPN_QUOTA_H

struct net;
struct netlink_ext_ack;
struct pernet_operations;

/* A subsystem, so that a namespace that ends loses its devices before its limits */
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
