// SPDX-License-Identifier: GPL-2.0
/*
 * A state of XFRM has a selector, and flags for the handling of DSCP, ECN and DF. They
 * stay constant while the state lives: an update of an ESP state does not change them. At
 * its adoption the SA notes whether there is anything to do. So a packet takes no lock,
 * and a packet of an SA that is not adopted costs one test.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/xfrm.h>

#include <uapi/linux/pvsvpn.h>

#include "device.h"
#include "peer.h"
#include "sa.h"
#include "xfrm_spd.h"
#include "xfrm_traffic.h"

/*
 * Stock IPsec checks the selector of an outbound state only if it has a family. An
 * inbound selector without a family can still have protocol and ports.
 */
static bool selector_limits(const struct xfrm_selector *selector, u8 dir)
{
	return selector->family ||
	       (dir == PVSVPN_DIRECTION_IN &&
		(selector->prefixlen_d || selector->prefixlen_s ||
		 selector->proto || selector->dport_mask ||
		 selector->sport_mask || selector->ifindex));
}

/**
 * pvsvpn_traffic_read() - read how a state wants its packets to be handled
 * @x: the state
 * @dir: its direction
 *
 * Context: any.
 * Return: PVSVPN_TRAFFIC_... bits for struct pvsvpn_sa.traffic.
 */
u8 pvsvpn_traffic_read(const struct xfrm_state *x, u8 dir)
{
	u8 traffic = 0;

	if (selector_limits(&x->sel, dir))
		traffic |= PVSVPN_TRAFFIC_SELECTOR;
	if (x->sel.sport_mask || x->sel.dport_mask)
		traffic |= PVSVPN_TRAFFIC_PORTS;
	if (x->props.flags & XFRM_STATE_NOECN)
		traffic |= PVSVPN_TRAFFIC_NO_ECN;
	if (x->props.flags & XFRM_STATE_DECAP_DSCP)
		traffic |= PVSVPN_TRAFFIC_DSCP_IN;
	if (x->props.extra_flags & XFRM_SA_XFLAG_DONT_ENCAP_DSCP)
		traffic |= PVSVPN_TRAFFIC_NO_DSCP_OUT;
	/* IPv6 has no DF. */
	if (x->props.flags & XFRM_STATE_NOPMTUDISC && x->props.family == AF_INET)
		traffic |= PVSVPN_TRAFFIC_NO_DF;
	return traffic;
}

/* ---- the selector ---- */

static bool selector_covers(const struct xfrm_selector *selector, const struct sk_buff *skb)
{
	struct xfrm_selector both;

	if (likely(selector->family))
		return pvsvpn_spd_covers(selector, skb);
	both = *selector;
	both.family = skb->protocol == htons(ETH_P_IP) ? AF_INET : AF_INET6;
	return pvsvpn_spd_covers(&both, skb);
}

static bool is_error(bool ipv4, u8 type)
{
	if (ipv4)
		return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED;
	return type == ICMPV6_DEST_UNREACH || type == ICMPV6_PKT_TOOBIG ||
	       type == ICMPV6_TIME_EXCEED;
}

/**
 * pvsvpn_traffic_error() - find the packet that an ICMP error quotes
 * @skb: inner packet with a whole IP header, which is at @skb's data; protocol set
 *
 * Context: any.
 * Return: offset of the quoted packet from @skb's data in bytes; 0 if there is none.
 */
unsigned int pvsvpn_traffic_error(struct sk_buff *skb)
{
	bool ipv4 = skb->protocol == htons(ETH_P_IP);
	unsigned int head = ipv4 ? ip_hdrlen(skb) : sizeof(struct ipv6hdr);
	/* Both kinds of ICMP begin with the type. */
	unsigned int quoted = head + sizeof(struct icmphdr);
	unsigned int end = quoted + (ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));

	static_assert(sizeof(struct icmphdr) == sizeof(struct icmp6hdr));
	if (ipv4 ? ip_hdr(skb)->protocol != IPPROTO_ICMP : ipv6_hdr(skb)->nexthdr != IPPROTO_ICMPV6)
		return 0;
	return pskb_may_pull(skb, end) && is_error(ipv4, skb->data[head]) ? quoted : 0;
}

/* The selector for packets in the opposite direction */
static struct xfrm_selector selector_reversed(const struct xfrm_selector *selector)
{
	struct xfrm_selector reversed = *selector;

	swap(reversed.saddr, reversed.daddr);
	swap(reversed.prefixlen_s, reversed.prefixlen_d);
	swap(reversed.sport, reversed.dport);
	swap(reversed.sport_mask, reversed.dport_mask);
	return reversed;
}

/* An ICMP error may have any source; the packet that it quotes went the other way. */
static bool selector_covers_quoted(const struct xfrm_selector *selector, struct sk_buff *skb)
{
	struct xfrm_selector reversed = selector_reversed(selector);
	unsigned int offset = pvsvpn_traffic_error(skb);
	bool covers;

	if (!offset)
		return false;
	pvsvpn_traffic_enter(skb, offset);
	covers = selector_covers(&reversed, skb);
	pvsvpn_traffic_leave(skb, offset);
	return covers;
}

/**
 * pvsvpn_traffic_covers() - check whether the selector of a state covers a packet
 * @sa: adopted, with PVSVPN_TRAFFIC_SELECTOR
 * @skb: inner packet with a whole IP header, which is at @skb's data; protocol set
 *
 * Context: softirq, or BH disabled.
 * Return: true if it covers the packet, or the packet that an ICMP error quotes.
 */
bool pvsvpn_traffic_covers(const struct pvsvpn_sa *sa, struct sk_buff *skb)
{
	int ifindex = sa->peer->pvs->dev->ifindex;
	const struct xfrm_state *x = sa->x;

	if (x->sel.ifindex && x->sel.ifindex != ifindex)
		return false;
	if (selector_covers(&x->sel, skb))
		return true;
	/* We decide for outbound errors (RFC 4301 section 6.2), the state for inbound ones. */
	return (sa->dir == PVSVPN_DIRECTION_OUT ||
		x->props.flags & XFRM_STATE_ICMP) &&
	       selector_covers_quoted(&x->sel, skb);
}

/**
 * pvsvpn_traffic_quoted() - find the quoted packet, if the state checks ICMP errors by it
 * @sa: adopted, inbound
 * @skb: inner packet with a whole IP header, which is at @skb's data; protocol set
 *
 * Context: softirq, or BH disabled.
 * Return: offset of the quoted packet from @skb's data in bytes; 0 if the state does not, or
 * if there is none.
 */
unsigned int pvsvpn_traffic_quoted(const struct pvsvpn_sa *sa, struct sk_buff *skb)
{
	return sa->x->props.flags & XFRM_STATE_ICMP ? pvsvpn_traffic_error(skb) : 0;
}

/* ---- the header ---- */

/**
 * pvsvpn_traffic_tos() - adapt DSCP and ECN of an outer header to a state
 * @traffic: PVSVPN_TRAFFIC_... bits of the SA
 * @dscp_of_inner: true if the DSCP is the inner packet's, false if the operator has set it
 * @tos: the value without the state
 *
 * Context: any.
 * Return: the value with the state.
 */
u8 pvsvpn_traffic_tos(u8 traffic, bool dscp_of_inner, u8 tos)
{
	if (traffic & PVSVPN_TRAFFIC_NO_DSCP_OUT && dscp_of_inner)
		tos &= INET_ECN_MASK;
	if (traffic & PVSVPN_TRAFFIC_NO_ECN)
		tos &= ~INET_ECN_MASK;
	return tos;
}

/**
 * pvsvpn_traffic_copy_dscp() - copy the outer DSCP to the inner packet
 * @skb: inner packet with a whole, writable IP header; protocol set
 * @outer: DSCP and ECN of the outer header
 *
 * Context: any.
 */
void pvsvpn_traffic_copy_dscp(struct sk_buff *skb, u8 outer)
{
	if (skb->protocol == htons(ETH_P_IP))
		ipv4_copy_dscp(outer, ip_hdr(skb));
	else
		ipv6_copy_dscp(outer, ipv6_hdr(skb));
}
