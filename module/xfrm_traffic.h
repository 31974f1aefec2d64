/* SPDX-License-Identifier: GPL-2.0 */
/* What a state of XFRM wants of the packets that it carries. */
#ifndef _PVSVPN_XFRM_TRAFFIC_H
#define _PVSVPN_XFRM_TRAFFIC_H

#include <linux/skbuff.h>
#include <linux/types.h>

struct pvsvpn_sa;
struct xfrm_state;

/* Bits of struct pvsvpn_sa.traffic; an SA of the operator's has none */
#define PVSVPN_TRAFFIC_SELECTOR		BIT(0)	/* covers not all packets */
#define PVSVPN_TRAFFIC_PORTS		BIT(1)	/* ... and asks for ports */
#define PVSVPN_TRAFFIC_NO_ECN		BIT(2)	/* ECN stays on its side */
#define PVSVPN_TRAFFIC_DSCP_IN		BIT(3)	/* outer DSCP for inner packets */
#define PVSVPN_TRAFFIC_NO_DSCP_OUT	BIT(4)	/* outer DSCP tells nothing */
#define PVSVPN_TRAFFIC_NO_DF		BIT(5)	/* routers may fragment ESP */

u8 pvsvpn_traffic_read(const struct xfrm_state *x, u8 dir);
unsigned int pvsvpn_traffic_error(struct sk_buff *skb);
unsigned int pvsvpn_traffic_quoted(const struct pvsvpn_sa *sa,
				   struct sk_buff *skb);
bool pvsvpn_traffic_covers(const struct pvsvpn_sa *sa, struct sk_buff *skb);
u8 pvsvpn_traffic_tos(u8 traffic, bool dscp_of_inner, u8 tos);
void pvsvpn_traffic_copy_dscp(struct sk_buff *skb, u8 outer);

/**
 * pvsvpn_traffic_enter() - look at the packet that an ICMP error quotes
 * @skb: the error
 * @offset: of pvsvpn_traffic_error()
 *
 * pvsvpn_traffic_leave() follows.
 */
static inline void pvsvpn_traffic_enter(struct sk_buff *skb,
					unsigned int offset)
{
	__skb_pull(skb, offset);
	skb_reset_network_header(skb);
}

static inline void pvsvpn_traffic_leave(struct sk_buff *skb,
					unsigned int offset)
{
	__skb_push(skb, offset);
	skb_reset_network_header(skb);
}

#endif /* _PVSVPN_XFRM_TRAFFIC_H */
