/* SPDX-License-Identifier: GPL-2.0 */
/* Outer IPv6: header, route, protocol handlers. For outer.c and udp_port.c */
#ifndef _PVSVPN_OUTER6_H
#define _PVSVPN_OUTER6_H

#include <linux/types.h>

struct dst_entry;
struct pvsvpn_device;
struct pvsvpn_endpoint;
struct pvsvpn_outer;
struct pvsvpn_sa;
struct sk_buff;

struct dst_entry *pvsvpn_outer6_route(struct pvsvpn_endpoint *endpoint,
				      struct pvsvpn_outer *outer);
int pvsvpn_outer6_send(struct pvsvpn_device *pvs, struct sk_buff *skb,
		       const struct pvsvpn_outer *outer);
void pvsvpn_outer6_too_big(struct pvsvpn_sa *sa, u32 mtu);
void pvsvpn_outer6_redirect(struct pvsvpn_sa *sa, struct sk_buff *skb);
int pvsvpn_outer6_init(void);
void pvsvpn_outer6_exit(void);

#endif /* _PVSVPN_OUTER6_H */
