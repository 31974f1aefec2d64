// SPDX-License-Identifier: GPL-2.0
#include <linux/icmpv6.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/dst_cache.h>
#include <net/esp.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/ndisc.h>
#include <net/xfrm.h>

#include "device.h"
#include "offload.h"
#include "outer.h"
#include "outer6.h"
#include "peer.h"
#include "sa.h"
#include "udp_encap.h"
#include "work.h"

/*
 * If a source is given, the kernel would otherwise accept a better route through another interface.
 * Routes in a VRF's table may lead out of the VRF.
 */
static struct dst_entry *lookup_by_link(struct net *net, struct flowi6 *fl6)
{
	struct dst_entry *dst;
	int err;

	dst = ip6_route_output_flags(net, NULL, fl6, RT6_LOOKUP_F_IFACE);
	if (!dst->error)
		return dst;
	err = dst->error;
	dst_release(dst);
	return ERR_PTR(err);
}

static struct dst_entry *lookup(struct net *net, struct flowi6 *fl6)
{
	struct dst_entry *dst;
	int err;

	if (unlikely(fl6->flowi6_oif) && !ipv6_addr_any(&fl6->saddr))
		return lookup_by_link(net, fl6);
	/* Not ip6_dst_lookup_flow(), which would apply stock IPsec's policies. */
	err = ip6_dst_lookup(net, NULL, &dst, fl6);
	return err ? ERR_PTR(err) : dst;
}

static struct dst_entry *route_lookup(struct pvsvpn_endpoint *endpoint,
				      struct pvsvpn_outer *outer)
{
	struct pvsvpn_device *pvs = endpoint->peer->pvs;
	int link = pvsvpn_endpoint_link(endpoint);
	struct flowi6 fl6 = {
		.daddr = outer->daddr.in6,
		.saddr = outer->saddr.in6,
		.flowi6_oif = link,
		.flowi6_proto = outer->sport ? IPPROTO_UDP : IPPROTO_ESP,
		.fl6_sport = outer->sport,
		.fl6_dport = outer->dport,
		.flowi6_mark = pvsvpn_endpoint_mark(endpoint),
		.flowi6_uid = sock_net_uid(pvs->net, NULL),
	};
	struct dst_entry *dst;

	if (unlikely(link < 0))
		return ERR_PTR(link);
	/* Unlike the IPv4 lookup, this one accepts any source. */
	if (!ipv6_addr_any(&fl6.saddr) &&
	    !ipv6_chk_addr(pvs->net, &fl6.saddr, NULL, 0))
		return ERR_PTR(-EADDRNOTAVAIL);
	dst = lookup(pvs->net, &fl6);
	if (IS_ERR(dst))
		return dst;
	if (unlikely(dst->dev == pvs->dev)) {
		dst_release(dst);
		return ERR_PTR(-ELOOP);
	}
	dst_cache_set_ip6(&endpoint->dst_cache, dst, &fl6.saddr);
	outer->saddr.in6 = fl6.saddr;
	return dst;
}

/**
 * pvsvpn_outer6_route() - pvsvpn_outer_route() for IPv6
 * @endpoint: the peer's addresses
 * @outer: addresses; the source is filled in if it is unspecified
 *
 * Context: RCU read-side critical section with BH disabled.
 * Return: as pvsvpn_outer_route().
 */
struct dst_entry *pvsvpn_outer6_route(struct pvsvpn_endpoint *endpoint,
				      struct pvsvpn_outer *outer)
{
	struct dst_entry *dst = dst_cache_get_ip6(&endpoint->dst_cache,
						  &outer->saddr.in6);

	return likely(dst) ? dst : route_lookup(endpoint, outer);
}

/* Use the hash of the inner packet, which xmit.c has computed (RFC 6438). */
static __be32 flow_label(struct net *net, struct sk_buff *skb)
{
	struct flowi6 none = {};

	return ip6_make_flowlabel(net, skb, 0, true, &none);
}

static void outer6_push(struct sk_buff *skb, struct net *net,
			const struct pvsvpn_outer *outer)
{
	__be32 label = flow_label(net, skb);
	struct ipv6hdr *ip6h;

	skb_push(skb, sizeof(*ip6h));
	skb_reset_network_header(skb);
	ip6h = ipv6_hdr(skb);
	ip6_flow_hdr(ip6h, outer->tos, label);
	ip6h->nexthdr = outer->sport ? IPPROTO_UDP : IPPROTO_ESP;
	ip6h->hop_limit = outer->ttl ?: ip6_dst_hoplimit(skb_dst(skb));
	ip6h->saddr = outer->saddr.in6;
	ip6h->daddr = outer->daddr.in6;
}

/**
 * pvsvpn_outer6_send() - pvsvpn_outer_send() for IPv6
 * @pvs: the device
 * @skb: ESP packet or keepalive; consumed
 * @outer: content of the outer headers
 *
 * Context: RCU read-side critical section with BH disabled.
 * Return: as pvsvpn_outer_send().
 */
int pvsvpn_outer6_send(struct pvsvpn_device *pvs, struct sk_buff *skb,
		       const struct pvsvpn_outer *outer)
{
	int err;

	if (outer->sport)
		pvsvpn_udp_push(skb, outer);
	else
		skb_reset_transport_header(skb);
	outer6_push(skb, pvs->net, outer);
	skb->protocol = htons(ETH_P_IPV6);
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	err = ip6_local_out(pvs->net, NULL, skb);
	return net_xmit_eval(err);
}

static int outer6_receive(struct sk_buff *skb, bool in_udp)
{
	const struct ipv6hdr *ip6h;

	if (!pskb_may_pull(skb, sizeof(struct ip_esp_hdr)))
		return -EINVAL;
	ip6h = ipv6_hdr(skb);
	return pvsvpn_outer_receive(skb, AF_INET6,
				    (const xfrm_address_t *)&ip6h->saddr,
				    (const xfrm_address_t *)&ip6h->daddr,
				    in_udp);
}

static int outer6_rcv(struct sk_buff *skb)
{
	return outer6_receive(skb, false);
}

/* ESP in UDP from a socket that is not ours; XFRM has removed the UDP header. */
static int outer6_rcv_encap(struct sk_buff *skb, int nexthdr, __be32 spi,
			    int encap_type)
{
	if (encap_type != UDP_ENCAP_ESPINUDP)
		return -EINVAL;
	return outer6_receive(skb, true);
}

/* Build a packet for update_pmtu(), which reads only the addresses. */
static struct sk_buff *addresses_only(const struct pvsvpn_outer *outer)
{
	struct sk_buff *skb = alloc_skb(sizeof(struct ipv6hdr), GFP_ATOMIC);
	struct ipv6hdr *ip6h;

	if (!skb)
		return NULL;
	skb_reset_network_header(skb);
	ip6h = skb_put_zero(skb, sizeof(*ip6h));
	ip6h->saddr = outer->saddr.in6;
	ip6h->daddr = outer->daddr.in6;
	return skb;
}

/**
 * pvsvpn_outer6_too_big() - handle an ICMPv6 error that reports the MTU of a path
 * @sa: SA of the quoted packet; the caller has checked that the error is trusted
 * @mtu: MTU in bytes
 *
 * Context: softirq, RCU read-side critical section.
 */
void pvsvpn_outer6_too_big(struct pvsvpn_sa *sa, u32 mtu)
{
	struct pvsvpn_outer outer;
	struct dst_entry *dst;
	struct sk_buff *skb;

	dst = pvsvpn_outer_route(pvsvpn_sa_endpoint(sa), &outer);
	if (IS_ERR(dst))
		return;
	skb = addresses_only(&outer);
	if (skb) {
		dst->ops->update_pmtu(dst, NULL, skb, mtu, false);
		consume_skb(skb);
		pvsvpn_work_refresh(sa->peer->pvs);
	}
	dst_release(dst);
}

/**
 * pvsvpn_outer6_redirect() - handle an ICMPv6 redirect to another gateway
 * @sa: SA of the quoted packet; the caller has checked that the error is trusted
 * @skb: the error: network header at the router's IP header, transport header at that of
 *	ICMPv6, data at the quoted IP header
 *
 * Context: softirq, RCU read-side critical section.
 */
void pvsvpn_outer6_redirect(struct pvsvpn_sa *sa, struct sk_buff *skb)
{
	struct net *net = sa->peer->pvs->net;

	ip6_redirect(skb, net, skb->dev->ifindex,
		     pvsvpn_endpoint_mark(pvsvpn_sa_endpoint(sa)),
		     sock_net_uid(net, NULL));
}

/* An ICMPv6 error about one of our packets; data is the quoted IPv6 header. */
static int outer6_err(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type,
		      u8 code, int offset, __be32 info)
{
	const struct ipv6hdr *ip6h = (const struct ipv6hdr *)skb->data;
	const struct ip_esp_hdr *esph =
		(const struct ip_esp_hdr *)(skb->data + offset);
	struct pvsvpn_sa *sa;

	sa = pvsvpn_outer_quoted(dev_net(skb->dev), AF_INET6,
				 (const xfrm_address_t *)&ip6h->daddr, esph);
	if (IS_ERR(sa))
		return PTR_ERR(sa);
	if (type == NDISC_REDIRECT)
		pvsvpn_outer6_redirect(sa, skb);
	else if (type == ICMPV6_PKT_TOOBIG)
		pvsvpn_outer6_too_big(sa, ntohl(info));
	return 0;
}

static struct xfrm6_protocol outer6_protocol __read_mostly = {
	.handler = outer6_rcv,
	.input_handler = outer6_rcv_encap,
	.cb_handler = pvsvpn_offload_rcv_cb,
	.err_handler = outer6_err,
	.priority = PVSVPN_OUTER_PRIORITY,
};

/**
 * pvsvpn_outer6_init() - register the ESP handlers for IPv6
 *
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_outer6_init(void)
{
	return xfrm6_protocol_register(&outer6_protocol, IPPROTO_ESP);
}

/**
 * pvsvpn_outer6_exit() - unregister the ESP handlers, and wait for packets in them
 */
void pvsvpn_outer6_exit(void)
{
	xfrm6_protocol_deregister(&outer6_protocol, IPPROTO_ESP);
}
