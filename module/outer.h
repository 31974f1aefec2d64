/* SPDX-License-Identifier: GPL-2.0 */
/* The outer IP header of either family: route, send, receive. */
#ifndef _PVSVPN_OUTER_H
#define _PVSVPN_OUTER_H

#include <net/xfrm.h>

struct dst_entry;
struct pvsvpn_endpoint;
struct pvsvpn_sa;
struct sk_buff;

#define PVSVPN_OUTER4_LEN	20
#define PVSVPN_OUTER6_LEN	40
#define PVSVPN_OUTER_LEN_MAX	PVSVPN_OUTER6_LEN

/**
 * struct pvsvpn_outer - what is in the outer header of a packet that leaves
 * @saddr: from
 * @daddr: to
 * @family: AF_INET or AF_INET6
 * @tos: DSCP and ECN
 */
struct pvsvpn_outer {
	xfrm_address_t saddr;
	xfrm_address_t daddr;
	u16 family;
	u8 tos;
};

unsigned int pvsvpn_outer_len(u16 family);
struct dst_entry *pvsvpn_outer_route(struct pvsvpn_endpoint *endpoint,
				     struct pvsvpn_outer *outer);
int pvsvpn_outer_send(struct pvsvpn_sa *sa, struct sk_buff *skb,
		      const struct pvsvpn_outer *outer);
int pvsvpn_outer_receive(struct sk_buff *skb, u16 family,
			 const xfrm_address_t *saddr,
			 const xfrm_address_t *daddr);
int pvsvpn_outer_init(void);
void pvsvpn_outer_exit(void);

#endif /* _PVSVPN_OUTER_H */
