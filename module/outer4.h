/* SPDX-License-Identifier: GPL-2.0 */
/* IPv4 outside: header, route, protocol handlers. */
#ifndef _PVSVPN_OUTER4_H
#define _PVSVPN_OUTER4_H

#include <linux/types.h>

struct pvsvpn_endpoint;
struct pvsvpn_sa;
struct rtable;
struct sk_buff;

#define PVSVPN_OUTER4_LEN	20

struct rtable *pvsvpn_outer4_route(struct pvsvpn_endpoint *endpoint,
				   __be32 *saddr);
int pvsvpn_outer4_send(struct pvsvpn_sa *sa, struct sk_buff *skb, u8 tos,
		       __be32 saddr, __be32 daddr);
int pvsvpn_outer4_init(void);
void pvsvpn_outer4_exit(void);

#endif /* _PVSVPN_OUTER4_H */
