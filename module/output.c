// SPDX-License-Identifier: GPL-2.0
/*
 * The outer headers of a packet to send: its route, the UDP header of ESP in UDP (RFC 3948) and
 * the IP header of either family. Sending in UDP needs no socket: the header is built here, like
 * the IP header.
 */
#include <linux/bottom_half.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/dst.h>
#include <net/dst_cache.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/sock.h>

#include "device.h"
#include "output.h"
#include "peer.h"

/* ---- routes ---- */

static struct dst_entry *route4_lookup(struct pvsvpn_endpoint *endpoint, struct pvsvpn_outer *outer)
{
	struct pvsvpn_device *pvs = endpoint->peer->pvs;
	int link = pvsvpn_endpoint_link(endpoint);
	struct flowi4 fl4 = {
		.daddr = outer->daddr.a4,
		.saddr = outer->saddr.a4,
		.flowi4_oif = link,
		.flowi4_proto = outer->sport ? IPPROTO_UDP : IPPROTO_ESP,
		.fl4_sport = outer->sport,
		.fl4_dport = outer->dport,
		.flowi4_mark = pvsvpn_endpoint_mark(endpoint),
		.flowi4_uid = sock_net_uid(pvs->net, NULL),
	};
	struct rtable *rt;

	if (unlikely(link < 0))
		return ERR_PTR(link);
	/* Not ip_route_output_key(), which would apply stock IPsec's policies. */
	rt = __ip_route_output_key(pvs->net, &fl4);
	if (IS_ERR(rt))
		return ERR_CAST(rt);
	if (unlikely(rt->dst.dev == pvs->dev)) {
		ip_rt_put(rt);
		return ERR_PTR(-ELOOP);
	}
	dst_cache_set_ip4(&endpoint->dst_cache, &rt->dst, fl4.saddr);
	outer->saddr.a4 = fl4.saddr;
	return &rt->dst;
}

static struct dst_entry *lookup6(struct net *net, struct flowi6 *fl6)
{
	struct dst_entry *dst;
	int err;

	/*
	 * If a source is given, the kernel would otherwise accept a better route through another
	 * interface. Routes in a VRF's table may lead out of the VRF.
	 */
	if (unlikely(fl6->flowi6_oif) && !ipv6_addr_any(&fl6->saddr)) {
		dst = ip6_route_output_flags(net, NULL, fl6, RT6_LOOKUP_F_IFACE);
		err = dst->error;
		if (err)
			dst_release(dst);
	} else {
		/* Not ip6_dst_lookup_flow(), which would apply stock IPsec's policies. */
		err = ip6_dst_lookup(net, NULL, &dst, fl6);
	}
	return err ? ERR_PTR(err) : dst;
}

static struct dst_entry *route6_lookup(struct pvsvpn_endpoint *endpoint, struct pvsvpn_outer *outer)
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
	if (!ipv6_addr_any(&fl6.saddr) && !ipv6_chk_addr(pvs->net, &fl6.saddr, NULL, 0))
		return ERR_PTR(-EADDRNOTAVAIL);
	dst = lookup6(pvs->net, &fl6);
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
 * pvsvpn_output_route() - look up the route to a peer's remote address
 * @endpoint: the peer's addresses
 * @outer: family, addresses and ports are filled in, even if there is no route
 *
 * Context: RCU read-side critical section with BH disabled.
 * Return: the route, which the caller must dst_release(); ERR_PTR(-ELOOP) if it leads
 * back into the peer's device; ERR_PTR(-ENODEV) if the peer's link does not exist;
 * another ERR_PTR if there is no route.
 */
struct dst_entry *pvsvpn_output_route(struct pvsvpn_endpoint *endpoint, struct pvsvpn_outer *outer)
{
	struct dst_entry *dst;
	struct rtable *rt;

	outer->family = endpoint->family;
	outer->len = pvsvpn_outer_len(endpoint->family, endpoint->encap);
	outer->saddr = endpoint->local;
	outer->daddr = endpoint->remote;
	outer->sport = endpoint->sport;
	outer->dport = endpoint->dport;
	if (outer->family == AF_INET) {
		rt = dst_cache_get_ip4(&endpoint->dst_cache, &outer->saddr.a4);
		return likely(rt) ? &rt->dst : route4_lookup(endpoint, outer);
	}
	dst = dst_cache_get_ip6(&endpoint->dst_cache, &outer->saddr.in6);
	return likely(dst) ? dst : route6_lookup(endpoint, outer);
}

static enum pvsvpn_route route_fault(int err)
{
	switch (err) {
	case -ELOOP:
		return PVSVPN_ROUTE_LOOP;
	case -ENODEV:
		return PVSVPN_ROUTE_NO_LINK;
	default:
		return PVSVPN_ROUTE_NONE;
	}
}

/**
 * pvsvpn_output_look() - check the route to a peer without a packet
 * @endpoint: the peer's addresses
 * @path_mtu: set to the MTU of the route in bytes, if there is a route
 *
 * Context: process, RTNL held.
 * Return: PVSVPN_ROUTE_FOUND, or why there is no usable route.
 */
enum pvsvpn_route pvsvpn_output_look(struct pvsvpn_endpoint *endpoint, u32 *path_mtu)
{
	enum pvsvpn_route route = PVSVPN_ROUTE_FOUND;
	struct pvsvpn_outer outer;
	struct dst_entry *dst;

	local_bh_disable();
	rcu_read_lock();
	dst = pvsvpn_output_route(endpoint, &outer);
	if (!IS_ERR(dst)) {
		*path_mtu = dst_mtu(dst);
		dst_release(dst);
	} else {
		route = route_fault(PTR_ERR(dst));
	}
	rcu_read_unlock();
	local_bh_enable();
	return route;
}

/* ---- sending ---- */

/*
 * While a device transmits, the kernel does not apply socket options to a tunnel's packet.
 * Keep the inner socket then: TCP small queues count the packet until the NIC has sent it.
 * After an asynchronous driver, a queue of the device or a wait for an SA, the options of
 * the inner socket would apply to the outer packet.
 */
static void output_disown(struct sk_buff *skb)
{
	if (!dev_recursion_level())
		skb_orphan(skb);
}

/* RFC 3948 section 2.1: IPv4 gets no checksum; IPv6 requires one. */
static void push_udp(struct sk_buff *skb, const struct pvsvpn_outer *outer)
{
	struct udphdr *uh = skb_push(skb, sizeof(*uh));

	skb_reset_transport_header(skb);
	uh->source = outer->sport;
	uh->dest = outer->dport;
	uh->len = htons(skb->len);
	uh->check = 0;
	if (outer->family == AF_INET6)
		udp6_set_csum(false, skb, &outer->saddr.in6, &outer->daddr.in6, skb->len);
}

static int send4(struct net *net, struct sk_buff *skb, const struct pvsvpn_outer *outer)
{
	struct iphdr *iph;

	skb_push(skb, sizeof(*iph));
	skb_reset_network_header(skb);
	iph = ip_hdr(skb);
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = outer->tos;
	iph->frag_off = skb->ignore_df ? 0 : htons(IP_DF);
	iph->ttl = outer->ttl ?: ip4_dst_hoplimit(skb_dst(skb));
	iph->protocol = outer->sport ? IPPROTO_UDP : IPPROTO_ESP;
	iph->saddr = outer->saddr.a4;
	iph->daddr = outer->daddr.a4;
	/* Only packets that may be fragmented need an ID (RFC 6864). */
	if (skb->ignore_df)
		__ip_select_ident(net, iph, 1);
	else
		iph->id = 0;
	skb->protocol = htons(ETH_P_IP);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	return ip_local_out(net, NULL, skb);
}

/* Use the hash of the inner packet, which xmit.c has computed (RFC 6438). */
static __be32 flow_label(struct net *net, struct sk_buff *skb)
{
	struct flowi6 none = {};

	return ip6_make_flowlabel(net, skb, 0, true, &none);
}

static int send6(struct net *net, struct sk_buff *skb, const struct pvsvpn_outer *outer)
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
	skb->protocol = htons(ETH_P_IPV6);
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	return ip6_local_out(net, NULL, skb);
}

/**
 * pvsvpn_output_send() - add the outer headers to a packet and send it
 * @pvs: the device
 * @skb: ESP packet or keepalive with its route and mark, ignore_df set if it may be
 *	fragmented; consumed
 * @outer: content of the outer headers
 *
 * Context: RCU read-side critical section with BH disabled.
 * Return: 0, or the error with which the stack has refused the packet.
 */
int pvsvpn_output_send(struct pvsvpn_device *pvs, struct sk_buff *skb,
		       const struct pvsvpn_outer *outer)
{
	int err;

	output_disown(skb);
	if (outer->sport)
		push_udp(skb, outer);
	else
		skb_reset_transport_header(skb);
	err = outer->family == AF_INET ? send4(pvs->net, skb, outer) :
					 send6(pvs->net, skb, outer);
	return net_xmit_eval(err);
}
