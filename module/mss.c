// SPDX-License-Identifier: GPL-2.0
/*
 * Clamp the MSS that TCP announces. Path MTU discovery would find the size too, but
 * only if every router and host on the path passes its ICMP, and many do not.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/unaligned.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include <uapi/linux/pvsvpn.h>

#include "device.h"
#include "mss.h"
#include "peer.h"
#include "pmtu.h"

/* Return: offset of the TCP header, or -ENOENT if the packet has none. */
static int tcp_offset(const struct sk_buff *skb)
{
	__be16 frag_off = 0;
	u8 protocol;
	int offset;

	if (skb->protocol == htons(ETH_P_IP)) {
		if (ip_hdr(skb)->protocol != IPPROTO_TCP ||
		    ip_hdr(skb)->frag_off & htons(IP_OFFSET))
			return -ENOENT;
		return skb_network_offset(skb) + ip_hdrlen(skb);
	}
	protocol = ipv6_hdr(skb)->nexthdr;
	offset = ipv6_skip_exthdr(skb, skb_network_offset(skb) +
				  sizeof(struct ipv6hdr), &protocol, &frag_off);
	if (offset < 0 || protocol != IPPROTO_TCP || frag_off & htons(IP6_OFFSET))
		return -ENOENT;
	return offset;
}

static u32 mss_wanted(const struct pvsvpn_peer *peer, const struct sk_buff *skb, u32 clamp)
{
	u32 mtu;

	if (clamp != PVSVPN_MSS_CLAMP_AUTO)
		return clamp;
	mtu = min(READ_ONCE(peer->pvs->dev->mtu), pvsvpn_pmtu_peer(peer));
	if (skb->protocol == htons(ETH_P_IP))
		return mtu - sizeof(struct iphdr) - sizeof(struct tcphdr);
	/* IPv6 requires 1280 bytes: if the path carries less, outer packets are fragmented. */
	mtu = max_t(u32, mtu, IPV6_MIN_MTU);
	return mtu - sizeof(struct ipv6hdr) - sizeof(struct tcphdr);
}

/* Return: offset of the MSS value from the TCP header, or 0 if there is none. */
static unsigned int mss_offset(const struct tcphdr *th)
{
	const u8 *options = (const u8 *)th;
	unsigned int at = sizeof(*th), end = th->doff * 4;

	while (at < end) {
		if (options[at] == TCPOPT_EOL)
			return 0;
		if (options[at] == TCPOPT_NOP) {
			at++;
			continue;
		}
		if (at + 1 >= end || options[at + 1] < 2 || at + options[at + 1] > end)
			return 0;
		if (options[at] == TCPOPT_MSS)
			return options[at + 1] == TCPOLEN_MSS ? at + 2 : 0;
		at += options[at + 1];
	}
	return 0;
}

/* The checksum adds 16-bit words, so an MSS at an odd offset is added byte-swapped. */
static __be16 mss_word(u16 mss, unsigned int offset)
{
	return offset & 1 ? (__force __be16)swab16((__force u16)htons(mss)) :
			    htons(mss);
}

static void mss_lower(struct sk_buff *skb, struct tcphdr *th, u32 wanted)
{
	unsigned int offset = mss_offset(th);
	u8 *at = (u8 *)th + offset;
	u16 mss;

	if (!offset)
		return;
	mss = get_unaligned_be16(at);
	if (mss <= wanted)
		return;
	put_unaligned_be16(wanted, at);
	inet_proto_csum_replace2(&th->check, skb, mss_word(mss, offset),
				 mss_word(wanted, offset), false);
}

/**
 * pvsvpn_mss_clamp() - lower the MSS of a SYN to a value that fits the tunnel
 * @peer: the peer that the packet goes to or comes from
 * @skb: inner packet, network header set
 *
 * On -ENOMEM the SYN passes unchanged.
 *
 * Context: softirq, RCU read-side critical section.
 */
void pvsvpn_mss_clamp(const struct pvsvpn_peer *peer, struct sk_buff *skb)
{
	u32 clamp = READ_ONCE(peer->pvs->settings.mss_clamp);
	struct tcphdr head, *th;
	int offset;

	if (clamp == PVSVPN_MSS_CLAMP_OFF || skb_is_gso(skb))
		return;
	offset = tcp_offset(skb);
	if (offset < 0)
		return;
	th = skb_header_pointer(skb, offset, sizeof(head), &head);
	if (!th || likely(!th->syn) || th->doff * 4 <= sizeof(head) ||
	    skb_ensure_writable(skb, offset + th->doff * 4))
		return;
	mss_lower(skb, (struct tcphdr *)(skb->data + offset), mss_wanted(peer, skb, clamp));
}
