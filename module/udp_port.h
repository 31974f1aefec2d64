/* SPDX-License-Identifier: GPL-2.0 */
/* Inbound ESP in UDP: the ports, without binding them. */
#ifndef _PVSVPN_UDP_PORT_H
#define _PVSVPN_UDP_PORT_H

#include <linux/types.h>

struct net;
struct pvsvpn_udp_port;
struct pvsvpn_udp_room;
struct sk_buff;
struct sock;

/**
 * struct pvsvpn_udp_receiver - where the packets of the ports go
 * @packet: gets ESP in UDP, as struct udp_sock.encap_rcv does
 * @error4: gets ICMP errors for this host; returns NF_ACCEPT or NF_DROP
 * @error6: the same for ICMPv6
 */
struct pvsvpn_udp_receiver {
	int (*packet)(struct sock *sk, struct sk_buff *skb);
	unsigned int (*error4)(struct pvsvpn_udp_room *room, struct net *net,
			       struct sk_buff *skb, unsigned int offset);
	unsigned int (*error6)(struct pvsvpn_udp_room *room, struct net *net,
			       struct sk_buff *skb, unsigned int offset);
};

struct pvsvpn_udp_port *pvsvpn_udp_port_get(struct net *net, u16 family, __be16 port);
void pvsvpn_udp_port_put(struct pvsvpn_udp_port *port);
bool pvsvpn_udp_port_is_used(struct pvsvpn_udp_room *room, __be16 port);
void pvsvpn_udp_port_init(const struct pvsvpn_udp_receiver *given);

#endif /* _PVSVPN_UDP_PORT_H */
