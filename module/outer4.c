// SPDX-License-Identifier: GPL-2.0
#include <linux/icmp.h>
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/dst_cache.h>
#include <net/esp.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "device.h"
#include "offload.h"
#include "outer.h"
#include "outer4.h"
#include "peer.h"
#include "sa.h"
#include "udp_encap.h"

static struct dst_entry *route_lookup(struct pvsvpn_endpoint *endpoint,
				      struct pvsvpn_outer *outer)
{
	struct pvsvpn_device *pvs = endpoint->peer->pvs;
	struct flowi4 fl4 = {
		.daddr = outer->daddr.a4,
		.saddr = outer->saddr.a4,
		.flowi4_oif = endpoint->link,
		.flowi4_proto = outer->sport ? IPPROTO_UDP : IPPROTO_ESP,
		.fl4_sport = outer->sport,
		.fl4_dport = outer->dport,
		.flowi4_mark = pvsvpn_endpoint_mark(endpoint),
	};
	struct rtable *rt;

	/* Not ip_route_output_key(): that would ask stock IPsec's policies. */
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

/**
 * pvsvpn_outer4_route() - pvsvpn_outer_route() for IPv4
 * @endpoint: the peer's addresses
 * @outer: addresses; the source is filled in where it is unspecified
 *
 * Context: RCU read side with BH disabled.
 * Return: as pvsvpn_outer_route().
 */
struct dst_entry *pvsvpn_outer4_route(struct pvsvpn_endpoint *endpoint,
				      struct pvsvpn_outer *outer)
{
	struct rtable *rt = dst_cache_get_ip4(&endpoint->dst_cache,
					      &outer->saddr.a4);

	return likely(rt) ? &rt->dst : route_lookup(endpoint, outer);
}

static void outer4_push(struct sk_buff *skb, struct net *net,
			const struct pvsvpn_outer *outer)
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
	/* Only what may be fragmented needs an ID (RFC 6864). */
	if (skb->ignore_df)
		__ip_select_ident(net, iph, 1);
	else
		iph->id = 0;
}

/**
 * pvsvpn_outer4_send() - pvsvpn_outer_send() for IPv4
 * @pvs: the device
 * @skb: ESP packet
 * @outer: what goes into the header
 *
 * Context: RCU read side with BH disabled. Return: as pvsvpn_outer_send().
 */
int pvsvpn_outer4_send(struct pvsvpn_device *pvs, struct sk_buff *skb,
		       const struct pvsvpn_outer *outer)
{
	int err;

	if (outer->sport)
		pvsvpn_udp_push(skb, outer);
	else
		skb_reset_transport_header(skb);
	outer4_push(skb, pvs->net, outer);
	skb->protocol = htons(ETH_P_IP);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	err = ip_local_out(pvs->net, NULL, skb);
	return net_xmit_eval(err);
}

static int outer4_receive(struct sk_buff *skb, bool in_udp)
{
	const struct iphdr *iph;

	if (!pskb_may_pull(skb, sizeof(struct ip_esp_hdr)))
		return -EINVAL;
	iph = ip_hdr(skb);
	return pvsvpn_outer_receive(skb, AF_INET,
				    (const xfrm_address_t *)&iph->saddr,
				    (const xfrm_address_t *)&iph->daddr,
				    in_udp);
}

static int outer4_rcv(struct sk_buff *skb)
{
	return outer4_receive(skb, false);
}

/* ESP in UDP, from a socket that is not ours; XFRM has taken the header off. */
static int outer4_rcv_encap(struct sk_buff *skb, int nexthdr, __be32 spi,
			    int encap_type)
{
	if (encap_type != UDP_ENCAP_ESPINUDP)
		return -EINVAL;
	return outer4_receive(skb, true);
}

/* An ICMP error about a packet of ours; data is the quoted IP header. */
static int outer4_err(struct sk_buff *skb, u32 info)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	const struct ip_esp_hdr *esph =
		(const struct ip_esp_hdr *)(skb->data + iph->ihl * 4);
	struct net *net = dev_net(skb->dev);
	struct pvsvpn_sa *sa;
	int link;

	sa = pvsvpn_outer_quoted(net, AF_INET,
				 (const xfrm_address_t *)&iph->daddr, esph);
	if (IS_ERR(sa))
		return PTR_ERR(sa);
	link = pvsvpn_sa_endpoint(sa)->link;
	if (icmp_hdr(skb)->type == ICMP_REDIRECT) {
		ipv4_redirect(skb, net, link, IPPROTO_ESP);
	} else if (icmp_hdr(skb)->type == ICMP_DEST_UNREACH &&
		   icmp_hdr(skb)->code == ICMP_FRAG_NEEDED) {
		ipv4_update_pmtu(skb, net, info, link, IPPROTO_ESP);
		pvsvpn_device_refresh(sa->peer->pvs);
	}
	return 0;
}

static struct xfrm4_protocol outer4_protocol __read_mostly = {
	.handler = outer4_rcv,
	.input_handler = outer4_rcv_encap,
	.cb_handler = pvsvpn_offload_rcv_cb,
	.err_handler = outer4_err,
	.priority = PVSVPN_OUTER_PRIORITY,
};

/**
 * pvsvpn_outer4_init() - ask for ESP packets over IPv4
 *
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_outer4_init(void)
{
	return xfrm4_protocol_register(&outer4_protocol, IPPROTO_ESP);
}

/**
 * pvsvpn_outer4_exit() - get no more; none is in here on return
 */
void pvsvpn_outer4_exit(void)
{
	xfrm4_protocol_deregister(&outer4_protocol, IPPROTO_ESP);
}
