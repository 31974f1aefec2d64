/* SPDX-License-Identifier: GPL-2.0 */
/* ICMP errors about the packets that we have sent. */
#ifndef _PVSVPN_ICMP_H
#define _PVSVPN_ICMP_H

#include <linux/types.h>

struct inet6_skb_parm;
struct net;
struct pernet_operations;
struct pvsvpn_udp_room;
struct sk_buff;

/* The state of namespaces; register it before the first device is created. */
extern struct pernet_operations pvsvpn_icmp_net_ops;

int pvsvpn_icmp_err4(struct sk_buff *skb, u32 info);
int pvsvpn_icmp_err6(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type,
		     u8 code, int offset, __be32 info);
unsigned int pvsvpn_icmp_udp4(struct pvsvpn_udp_room *room, struct net *net,
			      struct sk_buff *skb, unsigned int offset);
unsigned int pvsvpn_icmp_udp6(struct pvsvpn_udp_room *room, struct net *net,
			      struct sk_buff *skb, unsigned int offset);

#endif /* _PVSVPN_ICMP_H */
