// SPDX-License-Identifier: GPL-2.0
/*
 * The inbound packet path, in the order of the code: lengths, replay check, decryption,
 * replay commit, trailer, inner header, source, ECN, delivery (RFC 4303 section 3.4).
 */
#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/gro_cells.h>
#include <net/inet_ecn.h>
#include <net/ipv6.h>

#include "destination.h"
#include "device.h"
#include "esp.h"
#include "mss.h"
#include "peer.h"
#include "receive.h"
#include "replay.h"
#include "request.h"
#include "sa.h"
#include "secpath.h"
#include "selector.h"
#include "stats.h"
#include "transform.h"
#include "xfrm_check.h"
#include "xfrm_seq.h"
#include "xfrm_state.h"
#include "xfrm_traffic.h"

static void receive_drop(struct pvsvpn_sa *sa, struct sk_buff *skb, int why)
{
	if ((why == PVSVPN_DROP_RX_REPLAYED || why == PVSVPN_DROP_RX_TOO_OLD) &&
	    pvsvpn_replay_burst(&sa->replay, why)) {
		set_bit(PVSVPN_SA_REPLAY_BURST, &sa->flags);
		pvsvpn_peer_add_news(sa);
	}
	if (unlikely(sa->x))
		pvsvpn_state_dropped(sa, why);
	pvsvpn_drop(sa->peer->pvs, sa->peer, sa, skb, why);
}

/**
 * struct receive_cb - packet data needed after decryption, in skb->cb
 * @seq: sequence number; with ESN all 64 bits
 * @before: return value of pvsvpn_esp_open(), for pvsvpn_esp_opened()
 * @in_udp: the packet arrived in UDP
 */
struct receive_cb {
	u64 seq;
	__be32 before;
	bool in_udp;
};

static struct receive_cb *receive_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct receive_cb) > sizeof(skb->cb));
	return (struct receive_cb *)skb->cb;
}

/* The replay window of an adopted SA is in XFRM's state. */
static int receive_check_seq(struct pvsvpn_sa *sa, struct sk_buff *skb)
{
	u32 low = ntohl(((const struct ip_esp_hdr *)skb->data)->seq_no);
	const struct pvsvpn_replay *replay = &sa->replay;
	struct receive_cb *cb = receive_cb(skb);

	if (unlikely(sa->x))
		return pvsvpn_state_check(sa, low, &cb->seq);
	cb->seq = sa->esn ? pvsvpn_replay_extend(READ_ONCE(replay->top), replay->window, low) : low;
	return pvsvpn_replay_check(replay, cb->seq);
}

/* Decryption is in place, so the packet's memory must not be shared. */
static int receive_make_writable(struct sk_buff *skb)
{
	if (likely(!skb_cloned(skb) && !skb_has_frag_list(skb) && !skb_has_shared_frag(skb)))
		return 0;
	return skb_linearize_cow(skb);
}

static u8 receive_encap(const struct pvsvpn_sa *sa)
{
	return unlikely(sa->x) ? pvsvpn_state_encap(sa->x) :
				 pvsvpn_peer_endpoint(sa->peer)->encap;
}

/* The checks before authentication. */
static int receive_check(struct pvsvpn_sa *sa, struct sk_buff *skb, bool in_udp)
{
	int why;

	if (unlikely(!(sa->peer->pvs->dev->flags & IFF_UP)))
		return PVSVPN_DROP_RX_DOWN;
	if (unlikely(in_udp != (receive_encap(sa) == PVSVPN_ENCAP_UDP)))
		return PVSVPN_DROP_RX_ENCAP;
	if (unlikely(test_bit(PVSVPN_SA_EXPIRED, &sa->flags)))
		return PVSVPN_DROP_RX_EXPIRED;
	if (unlikely(!pvsvpn_esp_len_ok(sa->transform, skb->len)))
		return PVSVPN_DROP_RX_TRUNCATED;
	if (unlikely(!pskb_may_pull(skb, pvsvpn_esp_head_len(sa->transform))))
		return PVSVPN_DROP_RX_NOMEM;
	receive_cb(skb)->in_udp = in_udp;
	why = receive_check_seq(sa, skb);
	if (unlikely(why != PVSVPN_PASS))
		return why;
	if (unlikely(receive_make_writable(skb)))
		return PVSVPN_DROP_RX_NOMEM;
	return PVSVPN_PASS;
}

static int receive_crypto_reason(int err)
{
	switch (err) {
	case -EBADMSG:
		return PVSVPN_DROP_RX_ICV;
	case -ENOMEM:
		return PVSVPN_DROP_RX_NOMEM;
	default:
		return PVSVPN_DROP_RX_CRYPTO;
	}
}

static int receive_set_protocol(struct sk_buff *skb, u8 next_header)
{
	switch (next_header) {
	case IPPROTO_IPIP:
		skb->protocol = htons(ETH_P_IP);
		return PVSVPN_PASS;
	case IPPROTO_IPV6:
		skb->protocol = htons(ETH_P_IPV6);
		return PVSVPN_PASS;
	case IPPROTO_NONE:
		return PVSVPN_DROP_RX_DUMMY;
	default:
		return PVSVPN_DROP_RX_NEXT_HEADER;
	}
}

/* Length of the inner packet from its own header; 0 if the header is invalid. */
static unsigned int receive_inner_len(struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP)) {
		const struct iphdr *iph;

		if (!pskb_may_pull(skb, sizeof(*iph)))
			return 0;
		iph = (const struct iphdr *)skb->data;
		if (iph->version != 4 || iph->ihl < 5 || ntohs(iph->tot_len) < iph->ihl * 4)
			return 0;
		return ntohs(iph->tot_len);
	}
	if (!pskb_may_pull(skb, sizeof(struct ipv6hdr)) ||
	    ((const struct ipv6hdr *)skb->data)->version != 6)
		return 0;
	return sizeof(struct ipv6hdr) +
	       ntohs(((const struct ipv6hdr *)skb->data)->payload_len);
}

/*
 * Make the inner header the packet's network header. Bytes after the inner packet are
 * traffic flow confidentiality padding (RFC 4303 section 2.7).
 */
static int receive_inner(struct sk_buff *skb)
{
	unsigned int len = receive_inner_len(skb);

	if (unlikely(!len || len > skb->len))
		return PVSVPN_DROP_RX_MALFORMED;
	if (unlikely(pskb_trim(skb, len)))
		return PVSVPN_DROP_RX_NOMEM;
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_mac_len(skb);
	return PVSVPN_PASS;
}

static bool receive_is_link_local(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IPV6) &&
	       (ipv6_addr_any(&ipv6_hdr(skb)->saddr) ||
		ipv6_addr_type(&ipv6_hdr(skb)->saddr) & IPV6_ADDR_LINKLOCAL);
}

static bool receive_is_multicast(const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return ipv4_is_multicast(ip_hdr(skb)->daddr) ||
		       ipv4_is_lbcast(ip_hdr(skb)->daddr);
	return ipv6_addr_is_multicast(&ipv6_hdr(skb)->daddr);
}

static int receive_uncovered(const struct sk_buff *skb, int why)
{
	if (receive_is_link_local(skb))
		return PVSVPN_DROP_RX_LINK_LOCAL;
	if (why != PVSVPN_DROP_RX_SOURCE && receive_is_multicast(skb))
		return PVSVPN_DROP_RX_MULTICAST;
	return why;
}

/* RFC 4301 section 5.2, step 4 */
static int receive_check_selectors(const struct pvsvpn_sa *sa, struct sk_buff *skb)
{
	int why;

	if (unlikely(pvsvpn_selector_find_src(sa->peer->pvs, skb) != sa->peer))
		return receive_uncovered(skb, PVSVPN_DROP_RX_SOURCE);
	if (unlikely(!pvsvpn_destination_has_dst(sa->peer, skb)))
		return receive_uncovered(skb, PVSVPN_DROP_RX_DESTINATION);
	if (unlikely(sa->traffic & PVSVPN_TRAFFIC_SELECTOR) && !pvsvpn_traffic_covers(sa, skb))
		return receive_uncovered(skb, PVSVPN_DROP_RX_SELECTOR);
	why = pvsvpn_check_in(sa, skb);
	if (unlikely(why == PVSVPN_DROP_RX_POLICY))
		return receive_uncovered(skb, why);
	return why;
}

/* The TOS or traffic class of the current network header. */
static u8 receive_tos(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP) ?
	       ip_hdr(skb)->tos : ipv6_get_dsfield(ipv6_hdr(skb));
}

/* RFC 6040 section 4.2 */
static int receive_ecn(const struct pvsvpn_sa *sa, struct sk_buff *skb, u8 outer)
{
	u8 inner;

	if (unlikely(sa->traffic & PVSVPN_TRAFFIC_DSCP_IN))
		pvsvpn_traffic_copy_dscp(skb, outer);
	if (unlikely(sa->traffic & PVSVPN_TRAFFIC_NO_ECN))
		return PVSVPN_PASS;
	inner = receive_tos(skb);

	if (unlikely(INET_ECN_decapsulate(skb, outer, inner) > 1))
		return PVSVPN_DROP_RX_ECN;
	return PVSVPN_PASS;
}

/*
 * Behind a NAT, the source of authentic packets is the peer's address. Only the newest
 * packet counts: a reordered one may have an old address.
 */
static void receive_follow(struct pvsvpn_sa *sa, const struct sk_buff *skb)
{
	const struct udphdr *uh = (const struct udphdr *)
		(skb_transport_header(skb) - sizeof(*uh));
	xfrm_address_t saddr = {};

	if (skb->protocol == htons(ETH_P_IP))
		saddr.a4 = ip_hdr(skb)->saddr;
	else
		saddr.in6 = ipv6_hdr(skb)->saddr;
	if (unlikely(sa->x))
		pvsvpn_state_moved(sa, &saddr, uh->source);
	else
		pvsvpn_peer_follow(sa->peer, &saddr, uh->source);
}

/* The sequence number is used up even if a later check drops the packet. */
static int receive_commit(struct pvsvpn_sa *sa, struct sk_buff *skb)
{
	const struct receive_cb cb = *receive_cb(skb);
	bool newest;
	int why;

	if (unlikely(sa->x))
		why = pvsvpn_state_commit(sa, cb.seq, skb->len, &newest);
	else
		why = pvsvpn_replay_commit(&sa->replay, cb.seq, &newest);
	if (unlikely(why != PVSVPN_PASS))
		return why;
	pvsvpn_liveness_seen(sa->peer);
	if (cb.in_udp && newest)
		receive_follow(sa, skb);
	return PVSVPN_PASS;
}

/* Commit the sequence number: the packet is authentic. Then check its content. */
static int receive_open(struct pvsvpn_sa *sa, struct sk_buff *skb)
{
	/* Read the outer header now: the inner one replaces it below. */
	u8 outer_tos = receive_tos(skb);
	int why, strip;
	u8 next_header;

	strip = pvsvpn_esp_strip(sa, skb, &next_header);
	why = receive_commit(sa, skb);
	if (unlikely(why != PVSVPN_PASS))
		return why;
	if (unlikely(strip != PVSVPN_PASS))
		return strip;
	why = receive_set_protocol(skb, next_header);
	if (unlikely(why != PVSVPN_PASS))
		return why;
	why = receive_inner(skb);
	if (unlikely(why != PVSVPN_PASS))
		return why;
	why = receive_check_selectors(sa, skb);
	if (unlikely(why != PVSVPN_PASS))
		return why;
	if (unlikely(!pvsvpn_lifetime_use(sa, skb->len)))
		return PVSVPN_DROP_RX_EXPIRED;
	why = receive_ecn(sa, skb, outer_tos);
	if (likely(why == PVSVPN_PASS))
		pvsvpn_mss_clamp(sa->peer, skb);
	return why;
}

/*
 * A mark tells how the outer packet was routed. Rules that match it could route the
 * inner packet the same way, in plain text.
 */
static u32 receive_mark(const struct pvsvpn_sa *sa, u32 outer)
{
	u32 mark = READ_ONCE(sa->peer->pvs->settings.inner_mark);

	if (mark == PVSVPN_INNER_MARK_INHERIT)
		mark = outer;
	return unlikely(sa->x) ? xfrm_smark_get(mark, sa->x) : mark;
}

/*
 * May a packet leave through the device it came from, from one peer to another? The subnets of
 * its source and destination decide; the route is looked up later. Default subnets do not count.
 */
static bool receive_goes_on(const struct pvsvpn_peer *peer, const struct sk_buff *skb)
{
	const struct pvsvpn_peer *to;

	if (likely(READ_ONCE(peer->pvs->peer_count) == 1) || READ_ONCE(peer->default_subnets))
		return false;
	to = pvsvpn_selector_find_dst(peer->pvs, skb);
	return to && to != peer && !READ_ONCE(to->default_subnets);
}

/*
 * Would the kernel send a redirect to the sender? A secpath prevents this, but it also turns off
 * the reverse path filter. If the operator has set that to strict, keep it: set no secpath.
 */
static bool receive_redirects(const struct sk_buff *skb)
{
	struct in_device *in_dev;

	if (skb->protocol != htons(ETH_P_IP))
		return true;
	in_dev = __in_dev_get_rcu(skb->dev);
	return in_dev && IN_DEV_TX_REDIRECTS(in_dev) &&
	       IN_DEV_RPFILTER(in_dev) != 1;
}

static void receive_deliver(struct pvsvpn_sa *sa, struct sk_buff *skb)
{
	struct pvsvpn_device *pvs = sa->peer->pvs;
	unsigned int len = skb->len;

	skb->dev = pvs->dev;
	skb->encapsulation = 0;
	skb_clear_hash(skb);
	skb_set_queue_mapping(skb, 0);
	skb_scrub_packet(skb, !net_eq(pvs->net, dev_net(pvs->dev)));
	skb->mark = receive_mark(sa, skb->mark);
	if (unlikely(receive_goes_on(sa->peer, skb)) && receive_redirects(skb))
		pvsvpn_secpath_set(skb);
	/* This drops only if the queue is full, and counts the drop for the core. */
	if (unlikely(gro_cells_receive(&pvs->gro_cells, skb) == NET_RX_DROP))
		pvsvpn_stats_dropped(pvs, sa->peer, sa, len, PVSVPN_DROP_RX_BACKLOG);
	else
		pvsvpn_stats_passed(sa, PVSVPN_RX, len);
}

/* Decryption has ended. */
static void receive_done(struct pvsvpn_sa *sa, struct sk_buff *skb, int err)
{
	int why;

	pvsvpn_esp_opened(sa, skb, receive_cb(skb)->before);
	if (unlikely(err)) {
		receive_drop(sa, skb, receive_crypto_reason(err));
		return;
	}
	/* The device may have gone down while an asynchronous driver had the packet. */
	if (unlikely(!(sa->peer->pvs->dev->flags & IFF_UP))) {
		receive_drop(sa, skb, PVSVPN_DROP_RX_DOWN);
		return;
	}
	why = receive_open(sa, skb);
	if (likely(why == PVSVPN_PASS))
		receive_deliver(sa, skb);
	else
		receive_drop(sa, skb, why);
}

/**
 * pvsvpn_receive() - process an ESP packet that has arrived
 * @sa: its SA
 * @skb: the packet, data at the SPI, network header at the outer IP header; consumed
 * @in_udp: ESP in UDP; the UDP header is still in front of @skb's data
 *
 * Context: softirq, RCU read-side critical section.
 */
void pvsvpn_receive(struct pvsvpn_sa *sa, struct sk_buff *skb, bool in_udp)
{
	int why = receive_check(sa, skb, in_udp);

	if (unlikely(why != PVSVPN_PASS)) {
		receive_drop(sa, skb, why);
		return;
	}
	receive_cb(skb)->before = pvsvpn_esp_open(sa, skb, receive_cb(skb)->seq);
	pvsvpn_request_crypt(sa, skb, receive_done, false);
}

/* The steps of receive_open() that XFRM has not done. */
static int receive_open_decrypted(struct pvsvpn_sa *sa, struct sk_buff *skb)
{
	int why;

	if (unlikely(!(sa->peer->pvs->dev->flags & IFF_UP)))
		return PVSVPN_DROP_RX_DOWN;
	pvsvpn_liveness_seen(sa->peer);
	why = receive_inner(skb);
	if (unlikely(why != PVSVPN_PASS))
		return why;
	why = receive_check_selectors(sa, skb);
	if (likely(why == PVSVPN_PASS))
		pvsvpn_mss_clamp(sa->peer, skb);
	return why;
}

/**
 * pvsvpn_receive_decrypted() - process an adopted SA's packet that XFRM has decrypted
 * @sa: the SA
 * @skb: the inner packet; the caller still frees it
 *
 * XFRM has checked its sequence number, lifetimes and ECN, and has counted it.
 *
 * Context: softirq, RCU read-side critical section.
 */
void pvsvpn_receive_decrypted(struct pvsvpn_sa *sa, struct sk_buff *skb)
{
	struct sk_buff *clone = skb_clone(skb, GFP_ATOMIC);
	int why;

	if (unlikely(!clone)) {
		pvsvpn_stats_dropped(sa->peer->pvs, sa->peer, sa, skb->len, PVSVPN_DROP_RX_NOMEM);
		return;
	}
	why = receive_open_decrypted(sa, clone);
	if (likely(why == PVSVPN_PASS))
		receive_deliver(sa, clone);
	else
		receive_drop(sa, clone, why);
}
