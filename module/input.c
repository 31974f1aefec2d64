// SPDX-License-Identifier: GPL-2.0
/*
 * Inbound ESP: the handlers that get it from the stack, in IP or in UDP, and the SA that it
 * belongs to. Packets that are not ours go to the next handler.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/protocol.h>
#include <net/xfrm.h>

#include "endpoint.h"
#include "icmp.h"
#include "input.h"
#include "offload.h"
#include "outer.h"
#include "peer.h"
#include "receive.h"
#include "sa.h"
#include "sad.h"
#include "stats.h"
#include "udp_port.h"
#include "xfrm_adopt.h"
#include "xfrm_park.h"
#include "xfrm_state.h"

/* The outer addresses of a packet; only the bytes of @family may be read. */
static const xfrm_address_t *outer_saddr(const struct sk_buff *skb, u16 family)
{
	return family == AF_INET ?
	       (const xfrm_address_t *)&ip_hdr(skb)->saddr :
	       (const xfrm_address_t *)&ipv6_hdr(skb)->saddr;
}

static const xfrm_address_t *outer_daddr(const struct sk_buff *skb, u16 family)
{
	return family == AF_INET ?
	       (const xfrm_address_t *)&ip_hdr(skb)->daddr :
	       (const xfrm_address_t *)&ipv6_hdr(skb)->daddr;
}

/*
 * Count an SPI that neither pvsvpn nor stock IPsec knows: the first symptom if the two
 * ends disagree about their SAs. Stock IPsec gets the packet in any case.
 */
static void input_unknown_spi(struct net *net, struct sk_buff *skb, u16 family, __be32 spi)
{
	struct pvsvpn_peer *peer;
	struct xfrm_state *x;

	peer = pvsvpn_endpoint_find(net, NULL, family, outer_saddr(skb, family));
	if (!peer)
		return;
	x = xfrm_state_lookup(net, skb->mark, outer_daddr(skb, family), spi, IPPROTO_ESP, family);
	if (x)
		xfrm_state_put(x);
	else
		pvsvpn_stats_dropped(peer->pvs, peer, NULL, skb->len, PVSVPN_DROP_RX_UNKNOWN_SPI);
}

/* As in XFRM, the mark of an adopted state must match. */
static struct pvsvpn_sa *input_sa(struct net *net, const struct sk_buff *skb,
				  u16 family, const xfrm_address_t *daddr,
				  __be32 spi)
{
	struct pvsvpn_sa *sa = pvsvpn_sad_find_in(net, family, daddr, spi);

	if (sa && unlikely(sa->x) && (skb->mark & sa->x->mark.m) != sa->x->mark.v)
		return NULL;
	return sa;
}

/**
 * pvsvpn_input_receive() - receive an ESP packet
 * @skb: the packet, from the SPI on, network header at the outer IP header;
 *	consumed if it is ours
 * @family: address family of the outer header
 * @in_udp: ESP in UDP, whose UDP header is still before skb->data
 *
 * Context: softirq, RCU read-side critical section.
 * Return: 0 if the packet is ours, even if it is dropped; -EINVAL if the next handler
 * must take it.
 */
int pvsvpn_input_receive(struct sk_buff *skb, u16 family, bool in_udp)
{
	const xfrm_address_t *daddr = outer_daddr(skb, family);
	struct net *net = dev_net(skb->dev);
	struct pvsvpn_sa *sa;
	__be32 spi;

	spi = ((const struct ip_esp_hdr *)skb->data)->spi;
	sa = input_sa(net, skb, family, daddr, spi);
	if (unlikely(!sa || pvsvpn_state_dead(sa)) &&
	    pvsvpn_adopt_wanted(pvsvpn_adopt_of(net))) {
		if (pvsvpn_park_in(net, skb, family, daddr, in_udp))
			return 0;
		sa = input_sa(net, skb, family, daddr, spi);
	}
	if (!sa) {
		input_unknown_spi(net, skb, family, spi);
		return -EINVAL;
	}
	pvsvpn_receive(sa, skb, in_udp);
	return 0;
}

/* ---- the stack's handlers ---- */

static int input_esp(struct sk_buff *skb, u16 family, bool in_udp)
{
	if (!pskb_may_pull(skb, sizeof(struct ip_esp_hdr)))
		return -EINVAL;
	return pvsvpn_input_receive(skb, family, in_udp);
}

static int input4_rcv(struct sk_buff *skb)
{
	return input_esp(skb, AF_INET, false);
}

static int input6_rcv(struct sk_buff *skb)
{
	return input_esp(skb, AF_INET6, false);
}

/* ESP in UDP from a socket that is not ours; XFRM has removed the UDP header. */
static int input4_rcv_encap(struct sk_buff *skb, int nexthdr, __be32 spi, int encap_type)
{
	return encap_type == UDP_ENCAP_ESPINUDP ?
	       input_esp(skb, AF_INET, true) : -EINVAL;
}

static int input6_rcv_encap(struct sk_buff *skb, int nexthdr, __be32 spi, int encap_type)
{
	return encap_type == UDP_ENCAP_ESPINUDP ?
	       input_esp(skb, AF_INET6, true) : -EINVAL;
}

/* Before the ESP handlers of VTI (100) and stock IPsec (0), which get the other packets. */
#define INPUT_PRIORITY	200

static struct xfrm4_protocol input4_protocol __read_mostly = {
	.handler = input4_rcv,
	.input_handler = input4_rcv_encap,
	.cb_handler = pvsvpn_offload_rcv_cb,
	.err_handler = pvsvpn_icmp_err4,
	.priority = INPUT_PRIORITY,
};

static struct xfrm6_protocol input6_protocol __read_mostly = {
	.handler = input6_rcv,
	.input_handler = input6_rcv_encap,
	.cb_handler = pvsvpn_offload_rcv_cb,
	.err_handler = pvsvpn_icmp_err6,
	.priority = INPUT_PRIORITY,
};

/* ---- ESP in UDP ---- */

/*
 * Receive a packet that the hook of udp_port.c has given to our socket. If the SPI is not ours,
 * return the packet to UDP, which then looks up the socket at the port.
 */
static int input_encap_rcv(struct sock *sk, struct sk_buff *skb)
{
	if (unlikely(!pskb_may_pull(skb, PVSVPN_UDP_LEN +
					 sizeof(struct ip_esp_hdr)))) {
		kfree_skb(skb);
		return 0;
	}
	__skb_pull(skb, PVSVPN_UDP_LEN);
	skb_reset_transport_header(skb);
	if (likely(!pvsvpn_input_receive(skb, sk->sk_family, true)))
		return 0;
	__skb_push(skb, PVSVPN_UDP_LEN);
	skb_reset_transport_header(skb);
	return -IPPROTO_UDP;
}

/* The receiver of all UDP ports; for pvsvpn_udp_port_init() */
const struct pvsvpn_udp_receiver pvsvpn_input_udp = {
	.packet = input_encap_rcv,
	.error4 = pvsvpn_icmp_udp4,
	.error6 = pvsvpn_icmp_udp6,
};

/* ---- packets that have waited ---- */

static void pass_on_plain(struct sk_buff *skb, u16 family)
{
	int (*handler)(struct sk_buff *skb);
	const struct inet6_protocol *esp6;
	const struct net_protocol *esp4;

	if (family == AF_INET) {
		esp4 = rcu_dereference(inet_protos[IPPROTO_ESP]);
		handler = esp4 ? esp4->handler : NULL;
	} else {
		esp6 = rcu_dereference(inet6_protos[IPPROTO_ESP]);
		handler = esp6 ? esp6->handler : NULL;
	}
	if (handler)
		handler(skb);
	else
		kfree_skb(skb);
}

/**
 * pvsvpn_input_pass_on() - pass on a packet that has waited but is not ours
 * @skb: the packet, which pvsvpn_input_receive() has refused; consumed
 * @family: address family of the outer header
 * @in_udp: ESP in UDP
 *
 * All handlers are called, ours again: its state may have become an SA just now.
 *
 * Context: RCU read-side critical section with BH disabled.
 */
void pvsvpn_input_pass_on(struct sk_buff *skb, u16 family, bool in_udp)
{
	__be32 spi = ((const struct ip_esp_hdr *)skb->data)->spi;

	if (!in_udp)
		pass_on_plain(skb, family);
	else if (family == AF_INET)
		xfrm4_rcv_encap(skb, IPPROTO_ESP, spi, UDP_ENCAP_ESPINUDP);
	else
		xfrm6_rcv_encap(skb, IPPROTO_ESP, spi, UDP_ENCAP_ESPINUDP);
}

/* ---- module ---- */

/**
 * pvsvpn_input_init() - register the ESP handlers
 *
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_input_init(void)
{
	int err;

	err = xfrm4_protocol_register(&input4_protocol, IPPROTO_ESP);
	if (err)
		return err;
	err = xfrm6_protocol_register(&input6_protocol, IPPROTO_ESP);
	if (err)
		xfrm4_protocol_deregister(&input4_protocol, IPPROTO_ESP);
	return err;
}

/**
 * pvsvpn_input_exit() - unregister the ESP handlers, and wait for packets in them
 */
void pvsvpn_input_exit(void)
{
	xfrm6_protocol_deregister(&input6_protocol, IPPROTO_ESP);
	xfrm4_protocol_deregister(&input4_protocol, IPPROTO_ESP);
}
