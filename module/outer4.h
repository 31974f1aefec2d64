/* SPDX-License-Identifier: GPL-2.0 */
/* IPv4 outside: header, route, protocol handlers. For outer.c */
#ifndef _PVSVPN_OUTER4_H
#define _PVSVPN_OUTER4_H

struct dst_entry;
struct pvsvpn_device;
struct pvsvpn_endpoint;
struct pvsvpn_outer;
struct sk_buff;

struct dst_entry *pvsvpn_outer4_route(struct pvsvpn_endpoint *endpoint,
				      struct pvsvpn_outer *outer);
int pvsvpn_outer4_send(struct pvsvpn_device *pvs, struct sk_buff *skb,
		       const struct pvsvpn_outer *outer);
int pvsvpn_outer4_init(void);
void pvsvpn_outer4_exit(void);

#endif /* _PVSVPN_OUTER4_H */
