/* SPDX-License-Identifier: GPL-2.0 */
/* Packets that wait until XFRM's states have become SAs. */
#ifndef _PVSVPN_XFRM_PARK_H
#define _PVSVPN_XFRM_PARK_H

#include <linux/skbuff.h>
#include <net/xfrm.h>

struct pvsvpn_adopt;
struct pvsvpn_device;
struct pvsvpn_sa;

/**
 * struct pvsvpn_park_cb - data of a waiting inbound packet, in skb->cb
 * @family: family of the outer header
 * @in_udp: ESP in UDP
 */
struct pvsvpn_park_cb {
	u16 family;
	bool in_udp;
};

/**
 * pvsvpn_park_cb() - get the data of a waiting inbound packet
 * @skb: the packet
 *
 * Context: any.
 * Return: its data, in skb->cb.
 */
static inline struct pvsvpn_park_cb *pvsvpn_park_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct pvsvpn_park_cb) > sizeof(skb->cb));
	return (struct pvsvpn_park_cb *)skb->cb;
}

bool pvsvpn_park_in(struct net *net, struct sk_buff *skb, u16 family,
		    const xfrm_address_t *daddr, bool in_udp);
bool pvsvpn_park_wants(struct pvsvpn_adopt *adopt, const struct sk_buff *skb,
		       u16 family, const xfrm_address_t *daddr, __be32 spi);
bool pvsvpn_park_out(struct pvsvpn_device *pvs, struct pvsvpn_sa *sa, struct sk_buff *skb);
void pvsvpn_park_heard(struct pvsvpn_adopt *adopt, const struct xfrm_state *x);

#endif /* _PVSVPN_XFRM_PARK_H */
