/* SPDX-License-Identifier: GPL-2.0 */
/* Packets that wait until XFRM's states have become SAs. */
#ifndef _PVSVPN_XFRM_PARK_H
#define _PVSVPN_XFRM_PARK_H

#include <net/xfrm.h>

struct pvsvpn_adopt;
struct pvsvpn_device;
struct pvsvpn_sa;
struct sk_buff;

bool pvsvpn_park_in(struct net *net, struct sk_buff *skb, u16 family,
		    const xfrm_address_t *daddr, bool in_udp);
bool pvsvpn_park_wants(struct pvsvpn_adopt *adopt, const struct sk_buff *skb,
		       u16 family, const xfrm_address_t *daddr, __be32 spi);
bool pvsvpn_park_out(struct pvsvpn_device *pvs, struct pvsvpn_sa *sa,
		     struct sk_buff *skb);
void pvsvpn_park_heard(struct pvsvpn_adopt *adopt, const struct xfrm_state *x);
void pvsvpn_park_end(struct pvsvpn_adopt *adopt);

#endif /* _PVSVPN_XFRM_PARK_H */
