// SPDX-License-Identifier: GPL-2.0
/*
 * The outbound packet path, in the order of the code: header, peer, SA, route, size, segments,
 * sequence numbers, ESP, encryption, outer header (RFC 4303 section 3.3).
 */
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/dsfield.h>
#include <net/dst_metadata.h>
#include <net/gso.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/route.h>

#include "destination.h"
#include "device.h"
#include "esp.h"
#include "mss.h"
#include "output.h"
#include "peer.h"
#include "pmtu.h"
#include "request.h"
#include "sa.h"
#include "selector.h"
#include "stats.h"
#include "transform.h"
#include "xfrm_park.h"
#include "xfrm_check.h"
#include "xfrm_seq.h"
#include "xfrm_state.h"
#include "xfrm_traffic.h"
#include "xmit.h"

/*
 * Nested tunnels are allowed, loops are not. This is less than the core's own
 * limit, which only logs.
 */
#define DEPTH_MAX	4

/* Payload of a dummy packet, in bytes. Stock Linux considers one without payload damaged. */
#define DUMMY_LEN	8

/* How many of our devices the current packet on this CPU has entered; BH disabled. */
static DEFINE_PER_CPU(u8, xmit_depth);

/**
 * struct xmit_cb - packet data needed after encryption, in skb->cb
 * @outer: the outer header
 * @inner_len: length of the inner packet in bytes, 0 for a dummy packet
 * @depth: value of xmit_depth while the outer packet is sent
 */
struct xmit_cb {
	struct pvsvpn_outer outer;
	unsigned int inner_len;
	u8 depth;
};

static struct xmit_cb *xmit_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct xmit_cb) > sizeof(skb->cb));
	return (struct xmit_cb *)skb->cb;
}

/**
 * struct xmit_batch - data that all segments of one packet share
 * @pvs: the device
 * @peer: the peer
 * @sa: the SA
 * @dst: route to the peer
 * @outer: the outer header, without the fields that depend on the inner header
 * @mark: mark of the outer packets
 * @fit: how the packet fits the path
 * @tfc: as in struct pvsvpn_peer, 0 for no padding
 * @tfc_max: length up to which an inner packet may be padded, in bytes
 * @last: if @sa gives no number, drop the packet instead of looking for another SA
 */
struct xmit_batch {
	struct pvsvpn_device *pvs;
	struct pvsvpn_peer *peer;
	struct pvsvpn_sa *sa;
	struct dst_entry *dst;
	struct pvsvpn_outer outer;
	u32 mark;
	struct pvsvpn_fit fit;
	u32 tfc;
	u32 tfc_max;
	bool last;
};

static int xmit_check_header(struct sk_buff *skb)
{
	unsigned int len, version;

	if (skb->protocol == htons(ETH_P_IP)) {
		len = sizeof(struct iphdr);
		version = 4;
	} else if (skb->protocol == htons(ETH_P_IPV6)) {
		len = sizeof(struct ipv6hdr);
		version = 6;
	} else {
		return PVSVPN_DROP_TX_PROTOCOL;
	}
	if (unlikely(skb_network_offset(skb) || !pskb_may_pull(skb, len) ||
		     ip_hdr(skb)->version != version))
		return PVSVPN_DROP_TX_MALFORMED;
	return PVSVPN_PASS;
}

static bool xmit_is_multicast(const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return ipv4_is_multicast(ip_hdr(skb)->daddr) ||
		       ipv4_is_lbcast(ip_hdr(skb)->daddr);
	return ipv6_addr_is_multicast(&ipv6_hdr(skb)->daddr);
}

/* Tell the sender at once, so that it does not wait for a timeout. */
static void xmit_tell_unreachable(struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
	else
		icmpv6_ndo_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH, 0);
}

static int xmit_uncovered(const struct sk_buff *skb, int why)
{
	if (why == PVSVPN_DROP_TX_BLOCKED)
		return why;
	return xmit_is_multicast(skb) ? PVSVPN_DROP_TX_MULTICAST : why;
}

static int xmit_look_for_sa(struct xmit_batch *batch, struct sk_buff *skb)
{
	struct pvsvpn_peer *peer = pvsvpn_selector_find_dst(batch->pvs, skb);
	int why;

	batch->peer = peer;
	if (unlikely(!peer))
		return xmit_uncovered(skb, PVSVPN_DROP_TX_NO_PEER);
	if (likely(!pvsvpn_check_asked(peer))) {
		batch->sa = rcu_dereference(peer->tx_sa);
	} else {
		why = pvsvpn_check_out(peer, skb, &batch->sa);
		if (why != PVSVPN_PASS)
			return xmit_uncovered(skb, why);
	}
	if (batch->sa && batch->sa->x && unlikely(!pvsvpn_check_if_id(batch->sa)))
		batch->sa = NULL;
	if (likely(batch->sa && !pvsvpn_state_dead(batch->sa)))
		return PVSVPN_PASS;
	return batch->sa ? PVSVPN_DROP_TX_EXPIRED : PVSVPN_DROP_TX_NO_SA;
}

static int xmit_find_sa(struct xmit_batch *batch, struct sk_buff *skb)
{
	int why = xmit_look_for_sa(batch, skb);

	if (likely(why == PVSVPN_PASS) || why == PVSVPN_DROP_TX_MULTICAST ||
	    why == PVSVPN_DROP_TX_BLOCKED)
		return why;
	/* A device that adopts nothing has no SA coming, so do not wait. */
	if (!READ_ONCE(batch->pvs->settings.if_id[PVSVPN_DIRECTION_OUT]))
		return why;
	if (pvsvpn_park_out(batch->pvs, batch->sa, skb))
		return PVSVPN_PARKED;
	/* The SA may have come just now. */
	return xmit_look_for_sa(batch, skb);
}

/* As with policies, an ICMP error may leave like a reply to the packet that it quotes. */
static bool xmit_source_fits(const struct pvsvpn_peer *peer, struct sk_buff *skb)
{
	unsigned int offset;
	bool fits;

	if (likely(pvsvpn_destination_has_src(peer, skb)))
		return true;
	offset = pvsvpn_traffic_error(skb);
	if (!offset)
		return false;
	pvsvpn_traffic_enter(skb, offset);
	fits = pvsvpn_destination_has_dst(peer, skb);
	pvsvpn_traffic_leave(skb, offset);
	return fits;
}

/* Check whether the other end accepts such a packet by this SA. */
static int xmit_check_selectors(const struct xmit_batch *batch, struct sk_buff *skb)
{
	if (unlikely(!xmit_source_fits(batch->peer, skb)))
		return xmit_uncovered(skb, PVSVPN_DROP_TX_SOURCE);
	if (unlikely(batch->sa->traffic & PVSVPN_TRAFFIC_SELECTOR) &&
	    !pvsvpn_traffic_covers(batch->sa, skb))
		return xmit_uncovered(skb, PVSVPN_DROP_TX_SELECTOR);
	return PVSVPN_PASS;
}

static int xmit_find_route(struct xmit_batch *batch)
{
	struct pvsvpn_endpoint *endpoint = pvsvpn_sa_endpoint(batch->sa);
	struct dst_entry *dst;

	dst = pvsvpn_output_route(endpoint, &batch->outer);
	if (IS_ERR(dst))
		return PTR_ERR(dst) == -ELOOP ? PVSVPN_DROP_TX_LOOP :
						PVSVPN_DROP_TX_NO_ROUTE;
	batch->dst = dst;
	batch->mark = pvsvpn_endpoint_mark(endpoint);
	batch->tfc = READ_ONCE(batch->peer->tfc);
	if (unlikely(batch->tfc))
		batch->tfc_max = pvsvpn_pmtu_room(dst_mtu(dst), batch->outer.len,
						  batch->sa->transform);
	return PVSVPN_PASS;
}

/* Decide everything that is the same for all segments, before the packet is split. */
static int xmit_decide(struct xmit_batch *batch, struct sk_buff *skb)
{
	int why;

	if (unlikely(__this_cpu_read(xmit_depth) >= DEPTH_MAX))
		return PVSVPN_DROP_TX_LOOP;
	why = xmit_check_header(skb);
	if (unlikely(why != PVSVPN_PASS))
		return why;
	why = xmit_find_sa(batch, skb);
	if (unlikely(why == PVSVPN_PARKED))
		return why;
	if (likely(why == PVSVPN_PASS))
		why = xmit_check_selectors(batch, skb);
	if (likely(why == PVSVPN_PASS))
		why = xmit_find_route(batch);
	if (unlikely(why != PVSVPN_PASS)) {
		/* Policies come one by one: the next one may cover such packets. */
		if (why != PVSVPN_DROP_TX_NO_POLICY || !READ_ONCE(batch->peer->led_anew))
			xmit_tell_unreachable(skb);
		return why;
	}
	why = pvsvpn_pmtu_check(batch->sa, skb, batch->dst, &batch->outer, &batch->fit);
	if (likely(why == PVSVPN_PASS))
		pvsvpn_mss_clamp(batch->peer, skb);
	return why;
}

/* A dummy packet has no protocol. */
static u8 xmit_next_header(const struct sk_buff *skb)
{
	switch (skb->protocol) {
	case htons(ETH_P_IP):
		return IPPROTO_IPIP;
	case htons(ETH_P_IPV6):
		return IPPROTO_IPV6;
	default:
		return IPPROTO_NONE;
	}
}

/* Bytes of padding after the inner packet (RFC 4303 section 2.7). */
static unsigned int xmit_tfc_len(const struct xmit_batch *batch, unsigned int len)
{
	u32 want = batch->tfc_max;

	if (likely(!batch->tfc))
		return 0;
	if (batch->tfc != PVSVPN_TFC_MTU)
		want = min_t(u32, want, roundup(len, batch->tfc));
	return want > len ? want - len : 0;
}

static unsigned int xmit_headroom(const struct net_device *lower)
{
	return LL_RESERVED_SPACE(lower) + PVSVPN_OUTER_LEN_MAX +
	       PVSVPN_ESP_HEAD_MAX;
}

/*
 * Make a packet linear and unshared, with room at both ends, including @tfc bytes at the
 * tail, with at most one copy. The segments of a split packet need no copy.
 */
static int xmit_make_room(struct sk_buff *skb, const struct net_device *lower, unsigned int tfc)
{
	int head = (int)xmit_headroom(lower) - (int)skb_headroom(skb);
	int tail = PVSVPN_ESP_TAIL_MAX + (int)tfc + (int)skb->data_len -
		   (int)(skb_end_pointer(skb) - skb_tail_pointer(skb));

	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb))
		return PVSVPN_DROP_TX_GSO;
	if ((skb_cloned(skb) || head > 0 || tail > 0) &&
	    pskb_expand_head(skb, SKB_DATA_ALIGN(max(head, 0)), max(tail, 0),
			     GFP_ATOMIC))
		return PVSVPN_DROP_TX_NOMEM;
	if (skb_linearize(skb))
		return PVSVPN_DROP_TX_NOMEM;
	return PVSVPN_PASS;
}

static void xmit_drop(struct pvsvpn_sa *sa, struct sk_buff *skb, int why)
{
	pvsvpn_drop(sa->peer->pvs, sa->peer, sa, skb, why);
}

static void xmit_passed(struct pvsvpn_sa *sa, unsigned int inner_len)
{
	unsigned long now = jiffies;

	if (likely(inner_len))
		pvsvpn_stats_passed(sa, PVSVPN_TX, inner_len);
	if (READ_ONCE(sa->peer->last_tx) != now)
		WRITE_ONCE(sa->peer->last_tx, now);
}

static void xmit_send(struct pvsvpn_sa *sa, struct sk_buff *skb)
{
	struct xmit_cb cb = *xmit_cb(skb);
	unsigned int len = skb->len;
	u8 depth;

	/* Use the depth of the packet: after an asynchronous driver, that of the CPU is wrong. */
	depth = __this_cpu_read(xmit_depth);
	__this_cpu_write(xmit_depth, cb.depth);
	if (likely(!pvsvpn_output_send(sa->peer->pvs, skb, &cb.outer)))
		xmit_passed(sa, cb.inner_len);
	else
		pvsvpn_stats_dropped(sa->peer->pvs, sa->peer, sa, len, PVSVPN_DROP_TX_OUTPUT);
	__this_cpu_write(xmit_depth, depth);
}

/* Encryption has ended. */
static void xmit_done(struct pvsvpn_sa *sa, struct sk_buff *skb, int err)
{
	pvsvpn_esp_built(sa, skb);
	if (unlikely(err))
		xmit_drop(sa, skb, err == -ENOMEM ? PVSVPN_DROP_TX_NOMEM : PVSVPN_DROP_TX_CRYPTO);
	else if (unlikely(!skb_dst(skb)))
		/* The route was removed while an asynchronous driver had the packet. */
		xmit_drop(sa, skb, PVSVPN_DROP_TX_NO_ROUTE);
	else
		xmit_send(sa, skb);
}

/*
 * By default, DSCP follows RFC 2983's uniform model, and ECN follows RFC 6040's
 * normal mode.
 */
static u8 xmit_tos(const struct xmit_batch *batch, u8 inner)
{
	const struct pvsvpn_settings *settings = &batch->pvs->settings;
	u8 traffic = batch->sa->traffic;
	u32 dscp = READ_ONCE(settings->dscp);
	u8 tos = inner;

	if (dscp != PVSVPN_DSCP_INHERIT)
		tos = dscp << 2 | (inner & INET_ECN_MASK);
	if (!READ_ONCE(settings->ecn))
		tos &= ~INET_ECN_MASK;
	if (unlikely(traffic))
		tos = pvsvpn_traffic_tos(traffic, dscp == PVSVPN_DSCP_INHERIT, tos);
	return tos;
}

static u8 xmit_ttl(const struct pvsvpn_settings *settings, u8 inner)
{
	u32 ttl = READ_ONCE(settings->ttl);

	return ttl == PVSVPN_TTL_INHERIT ? inner : ttl;
}

static void xmit_fill_cb(const struct xmit_batch *batch, struct sk_buff *skb,
			 unsigned int inner_len)
{
	const struct pvsvpn_settings *settings = &batch->pvs->settings;
	struct xmit_cb *cb = xmit_cb(skb);

	cb->outer = batch->outer;
	cb->inner_len = inner_len;
	cb->depth = __this_cpu_read(xmit_depth) + 1;
	if (unlikely(!inner_len))
		return;
	if (skb->protocol == htons(ETH_P_IP)) {
		cb->outer.tos = xmit_tos(batch, ip_hdr(skb)->tos);
		cb->outer.ttl = xmit_ttl(settings, ip_hdr(skb)->ttl);
	} else {
		cb->outer.tos = xmit_tos(batch, ipv6_get_dsfield(ipv6_hdr(skb)));
		cb->outer.ttl = xmit_ttl(settings, ipv6_hdr(skb)->hop_limit);
	}
	/* Compute the hash for the flow label while the inner flow is visible. */
	if (cb->outer.family == AF_INET6)
		skb_get_hash(skb);
}

static void xmit_scrub(const struct xmit_batch *batch, struct sk_buff *skb)
{
	const struct pvsvpn_device *pvs = batch->pvs;
	u32 priority = READ_ONCE(pvs->settings.priority);

	skb_scrub_packet(skb, !net_eq(pvs->net, dev_net(pvs->dev)));
	if (priority != PVSVPN_PRIORITY_INHERIT)
		skb->priority = priority;
	skb->mark = batch->mark;
	skb->ip_summed = CHECKSUM_NONE;
	skb->encapsulation = 0;
}

static void xmit_one(const struct xmit_batch *batch, struct sk_buff *skb, u64 seq)
{
	u8 next_header = xmit_next_header(skb);
	unsigned int len = next_header == IPPROTO_NONE ? 0 : skb->len;
	unsigned int tfc = xmit_tfc_len(batch, skb->len);
	int why = xmit_make_room(skb, batch->dst->dev, tfc);

	if (likely(why == PVSVPN_PASS) && unlikely(!pvsvpn_lifetime_use(batch->sa, len)))
		why = PVSVPN_DROP_TX_EXPIRED;
	if (unlikely(why != PVSVPN_PASS)) {
		xmit_drop(batch->sa, skb, why);
		return;
	}
	xmit_fill_cb(batch, skb, len);
	__skb_put_zero(skb, tfc);
	pvsvpn_esp_build(batch->sa, skb, seq, next_header);
	xmit_scrub(batch, skb);
	skb->ignore_df = batch->fit.how != PVSVPN_FITS ||
			 batch->sa->traffic & PVSVPN_TRAFFIC_NO_DF;
	skb_dst_set_noref(skb, batch->dst);
	pvsvpn_request_crypt(batch->sa, skb, xmit_done, true);
}

/* @list: set to the packet, or to the segments that replace it. */
static int xmit_split(struct sk_buff *skb, struct sk_buff **list)
{
	struct sk_buff *segments;

	if (!skb_is_gso(skb)) {
		skb_mark_not_on_list(skb);
		*list = skb;
		return PVSVPN_PASS;
	}
	segments = skb_gso_segment(skb, 0);
	if (IS_ERR_OR_NULL(segments))
		return PTR_ERR(segments) == -ENOMEM ? PVSVPN_DROP_TX_NOMEM :
						      PVSVPN_DROP_TX_GSO;
	consume_skb(skb);
	*list = segments;
	return PVSVPN_PASS;
}

/* The reason why an SA gives no number: it has none left, or its lifetime is over. */
static int xmit_expired(const struct pvsvpn_sa *sa)
{
	return READ_ONCE(sa->lifetime.hard_why) == PVSVPN_LIFETIME_SEQUENCE ?
	       PVSVPN_DROP_TX_SEQ_EXHAUSTED : PVSVPN_DROP_TX_EXPIRED;
}

static void xmit_packet(struct xmit_batch *batch, struct sk_buff *skb);

/*
 * The SA may have ended since it was found. Look up the SA again: another one may have taken
 * its place before that, so that make before break loses no packet.
 */
static void xmit_again(const struct xmit_batch *batch, struct sk_buff *skb)
{
	struct xmit_batch again = { .pvs = batch->pvs, .last = true };

	xmit_packet(&again, skb);
}

static void xmit_segments(const struct xmit_batch *batch, struct sk_buff *list)
{
	struct sk_buff *skb, *next;
	unsigned int count = 0, given;
	u64 seq;

	skb_list_walk_safe(list, skb, next)
		count++;
	given = batch->sa->x ? pvsvpn_state_take(batch->sa, list, &seq) :
			       pvsvpn_sa_seq_take(batch->sa, count, &seq);
	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		if (likely(given)) {
			given--;
			xmit_one(batch, skb, seq++);
		} else if (!batch->last) {
			xmit_again(batch, skb);
		} else {
			xmit_drop(batch->sa, skb, xmit_expired(batch->sa));
		}
	}
}

static int xmit_fragment(struct net *net, struct sock *sk, struct sk_buff *skb);

/*
 * Fragment before encryption (RFC 4301 section 8.2.1 leaves it to us): no gateway on the
 * way has to reassemble, and no middlebox sees a fragment of ESP. The outer packet is
 * fragmented instead if the inner one has no route of its own, or if a selector or policy
 * needs ports, which only the first fragment would have.
 */
static void xmit_fragments(struct xmit_batch *batch, struct sk_buff *list)
{
	struct sk_buff *skb, *next;
	unsigned int len;

	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		len = skb->len;
		if (len <= batch->fit.mtu || !skb_valid_dst(skb)) {
			xmit_segments(batch, skb);
			continue;
		}
		memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
		IPCB(skb)->frag_max_size = batch->fit.mtu;
		if (ip_do_fragment(dev_net(skb->dev), NULL, skb, xmit_fragment))
			pvsvpn_stats_dropped(batch->pvs, batch->peer, batch->sa,
					     len, PVSVPN_DROP_TX_NOMEM);
	}
}

static void xmit_packet(struct xmit_batch *batch, struct sk_buff *skb)
{
	struct sk_buff *list;
	int why;

	rcu_read_lock();
	why = xmit_decide(batch, skb);
	if (likely(why == PVSVPN_PASS))
		why = xmit_split(skb, &list);
	if (unlikely(why == PVSVPN_PARKED))
		goto out;
	if (unlikely(why != PVSVPN_PASS))
		pvsvpn_drop(batch->pvs, batch->peer, batch->sa, skb, why);
	else if (unlikely(batch->fit.how == PVSVPN_FITS_IN_FRAGMENTS) &&
		 !(batch->sa->traffic & PVSVPN_TRAFFIC_PORTS) &&
		 !pvsvpn_check_asks_ports(batch->peer))
		xmit_fragments(batch, list);
	else
		xmit_segments(batch, list);
out:
	dst_release(batch->dst);
	rcu_read_unlock();
}

/* Send a fragment of an inner packet like any other packet. */
static int xmit_fragment(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct xmit_batch batch = { .pvs = netdev_priv(skb->dev) };

	xmit_packet(&batch, skb);
	return 0;
}

/**
 * pvsvpn_xmit() - send a packet that was routed into the device (ndo_start_xmit)
 * @skb: inner packet, or a GSO packet with many segments; consumed
 * @dev: the device
 *
 * Context: softirq, or process with BH disabled.
 * Return: NETDEV_TX_OK, even if the packet was dropped.
 */
netdev_tx_t pvsvpn_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct xmit_batch batch = { .pvs = netdev_priv(dev) };

	xmit_packet(&batch, skb);
	return NETDEV_TX_OK;
}

static struct sk_buff *xmit_dummy_new(const struct xmit_batch *batch)
{
	unsigned int head = xmit_headroom(batch->dst->dev);
	struct sk_buff *skb;

	skb = alloc_skb(head + DUMMY_LEN + PVSVPN_ESP_TAIL_MAX, GFP_ATOMIC);
	if (!skb)
		return NULL;
	skb_reserve(skb, head);
	__skb_put_zero(skb, DUMMY_LEN);
	skb->dev = batch->pvs->dev;
	return skb;
}

/**
 * pvsvpn_xmit_dummy() - send a dummy packet without content
 * @peer: the peer to send it to
 *
 * RFC 4303 section 2.6: next header 59. It uses a sequence number, counts as a packet
 * for the SA's lifetimes and is padded like others, but does not count as an inner
 * packet. If there is no usable SA, nothing is sent; all other failures are counted.
 *
 * Context: softirq, RCU read-side critical section.
 */
void pvsvpn_xmit_dummy(struct pvsvpn_peer *peer)
{
	struct xmit_batch batch = {
		.pvs = peer->pvs,
		.peer = peer,
		.sa = rcu_dereference(peer->tx_sa),
		.last = true,
	};
	struct sk_buff *skb;
	int why;

	if (!batch.sa || test_bit(PVSVPN_SA_EXPIRED, &batch.sa->flags))
		return;
	why = xmit_find_route(&batch);
	if (likely(why == PVSVPN_PASS)) {
		skb = xmit_dummy_new(&batch);
		if (likely(skb))
			xmit_segments(&batch, skb);
		else
			why = PVSVPN_DROP_TX_NOMEM;
	}
	if (unlikely(why != PVSVPN_PASS))
		pvsvpn_stats_dropped(batch.pvs, peer, batch.sa, DUMMY_LEN, why);
	dst_release(batch.dst);
}
