/* SPDX-License-Identifier: GPL-2.0 */
/* Outer IPv4: header, route, protocol handlers. For outer.c, udp_port.c and main.c */
#ifndef _PVSVPN_OUTER4_H
#define _PVSVPN_OUTER4_H

#include <linux/types.h>

struct dst_entry;
struct icmphdr;
struct pvsvpn_device;
struct pvsvpn_endpoint;
struct pvsvpn_outer;
struct pvsvpn_sa;
struct sk_buff;

struct dst_entry *pvsvpn_outer4_route(struct pvsvpn_endpoint *endpoint,
				      struct pvsvpn_outer *outer);
int pvsvpn_outer4_send(struct pvsvpn_device *pvs, struct sk_buff *skb,
		       const struct pvsvpn_outer *outer);
void pvsvpn_outer4_too_big(struct pvsvpn_sa *sa, const struct sk_buff *skb,
			   const struct icmphdr *icmph, u32 mtu);
void pvsvpn_outer4_redirect(struct pvsvpn_sa *sa, const struct sk_buff *skb,
			    const struct icmphdr *icmph);
int pvsvpn_outer4_net_register(void);
void pvsvpn_outer4_net_unregister(void);
int pvsvpn_outer4_init(void);
void pvsvpn_outer4_exit(void);

#endif /* _PVSVPN_OUTER4_H */
