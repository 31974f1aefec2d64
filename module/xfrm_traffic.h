/* SPDX-License-Identifier: GPL-2.0 */
/* How a state of XFRM wants its packets to be handled. */
#ifndef _PVSVPN_XFRM_TRAFFIC_H
#define _PVSVPN_XFRM_TRAFFIC_H

#include <linux/skbuff.h>
#include <linux/types.h>

struct pvsvpn_sa;
struct xfrm_state;

/* Bits of struct pvsvpn_sa.traffic; an SA that is not adopted has none */
#define PVSVPN_TRAFFIC_SELECTOR		BIT(0)	/* does not cover all packets */
#define PVSVPN_TRAFFIC_PORTS		BIT(1)	/* ... and selects by ports */
#define PVSVPN_TRAFFIC_NO_ECN		BIT(2)	/* do not copy ECN */
#define PVSVPN_TRAFFIC_DSCP_IN		BIT(3)	/* copy outer DSCP to inner packets */
#define PVSVPN_TRAFFIC_NO_DSCP_OUT	BIT(4)	/* do not copy inner DSCP to outer packets */
#define PVSVPN_TRAFFIC_NO_DF		BIT(5)	/* routers may fragment ESP */

u8 pvsvpn_traffic_read(const struct xfrm_state *x, u8 dir);
unsigned int pvsvpn_traffic_error(struct sk_buff *skb);
unsigned int pvsvpn_traffic_quoted(const struct pvsvpn_sa *sa, struct sk_buff *skb);
bool pvsvpn_traffic_covers(const struct pvsvpn_sa *sa, struct sk_buff *skb);
u8 pvsvpn_traffic_tos(u8 traffic, bool dscp_of_inner, u8 tos);
void pvsvpn_traffic_copy_dscp(struct sk_buff *skb, u8 outer);

/**
 * pvsvpn_traffic_enter() - look at the packet that an ICMP error quotes
 * @skb: the error
 * @offset: from pvsvpn_traffic_error(), in bytes
 *
 * pvsvpn_traffic_leave() must follow.
 *
 * Context: any.
 */
static inline void pvsvpn_traffic_enter(struct sk_buff *skb, unsigned int offset)
{
	__skb_pull(skb, offset);
	skb_reset_network_header(skb);
}

static inline void pvsvpn_traffic_leave(struct sk_buff *skb, unsigned int offset)
{
	__skb_push(skb, offset);
	skb_reset_network_header(skb);
}

#endif /* _PVSVPN_XFRM_TRAFFIC_H */
