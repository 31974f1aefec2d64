// SPDX-License-Identifier: GPL-2.0
#include <linux/bottom_half.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/esp.h>
#include <net/protocol.h>

#include "device.h"
#include "outer.h"
#include "outer4.h"
#include "outer6.h"
#include "peer.h"
#include "receive.h"
#include "sa.h"
#include "sad.h"
#include "stats.h"
#include "udp_encap.h"
#include "xfrm_adopt.h"
#include "xfrm_park.h"
#include "xfrm_state.h"

/**
 * pvsvpn_outer_route() - look up the route to a peer's remote address
 * @endpoint: the peer's addresses
 * @outer: family, addresses and ports are filled in, even if there is no route
 *
 * Context: RCU read-side critical section with BH disabled.
 * Return: the route, which the caller must dst_release(); ERR_PTR(-ELOOP) if it leads
 * back into the peer's device; ERR_PTR(-ENODEV) if the peer's link does not exist;
 * another ERR_PTR if there is no route.
 */
struct dst_entry *pvsvpn_outer_route(struct pvsvpn_endpoint *endpoint,
				     struct pvsvpn_outer *outer)
{
	outer->family = endpoint->family;
	outer->len = pvsvpn_outer_len(endpoint->family, endpoint->encap);
	outer->saddr = endpoint->local;
	outer->daddr = endpoint->remote;
	outer->sport = endpoint->sport;
	outer->dport = endpoint->dport;
	return outer->family == AF_INET ?
	       pvsvpn_outer4_route(endpoint, outer) :
	       pvsvpn_outer6_route(endpoint, outer);
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
 * pvsvpn_outer_look() - check the route to a peer without a packet
 * @endpoint: the peer's addresses
 * @path_mtu: set to the MTU of the route in bytes, if there is a route
 *
 * Context: process, RTNL held.
 * Return: PVSVPN_ROUTE_FOUND, or why there is no usable route.
 */
enum pvsvpn_route pvsvpn_outer_look(struct pvsvpn_endpoint *endpoint,
				    u32 *path_mtu)
{
	enum pvsvpn_route route = PVSVPN_ROUTE_FOUND;
	struct pvsvpn_outer outer;
	struct dst_entry *dst;

	local_bh_disable();
	rcu_read_lock();
	dst = pvsvpn_outer_route(endpoint, &outer);
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

/*
 * While a device transmits, the kernel does not apply socket options to a tunnel's packet.
 * Keep the inner socket then: TCP small queues count the packet until the NIC has sent it.
 * After an asynchronous driver, a queue of the device or a wait for an SA, the options of
 * the inner socket would apply to the outer packet.
 */
static void outer_disown(struct sk_buff *skb)
{
	if (!dev_recursion_level())
		skb_orphan(skb);
}

/**
 * pvsvpn_outer_send() - add the outer headers to a packet and send it
 * @pvs: the device
 * @skb: ESP packet or keepalive with its route and mark, ignore_df set if it may be
 *	fragmented; consumed
 * @outer: content of the outer headers
 *
 * Context: RCU read-side critical section with BH disabled.
 * Return: 0, or the error with which the stack has refused the packet.
 */
int pvsvpn_outer_send(struct pvsvpn_device *pvs, struct sk_buff *skb,
		      const struct pvsvpn_outer *outer)
{
	outer_disown(skb);
	return outer->family == AF_INET ? pvsvpn_outer4_send(pvs, skb, outer) :
					  pvsvpn_outer6_send(pvs, skb, outer);
}

/*
 * Count an SPI that neither pvsvpn nor stock IPsec knows: the first symptom if the two
 * ends disagree about their SAs. Stock IPsec gets the packet in any case.
 */
static void outer_unknown_spi(struct net *net, struct sk_buff *skb, __be32 spi,
			      u16 family, const xfrm_address_t *saddr,
			      const xfrm_address_t *daddr)
{
	struct pvsvpn_peer *peer;
	struct xfrm_state *x;

	peer = pvsvpn_endpoint_find(net, NULL, family, saddr);
	if (!peer)
		return;
	x = xfrm_state_lookup(net, skb->mark, daddr, spi, IPPROTO_ESP, family);
	if (x)
		xfrm_state_put(x);
	else
		pvsvpn_stats_dropped(peer->pvs, peer, NULL, skb->len,
				     PVSVPN_DROP_RX_UNKNOWN_SPI);
}

/* As in XFRM, the mark of an adopted state must match. */
static struct pvsvpn_sa *outer_sa(struct net *net, const struct sk_buff *skb,
				  u16 family, const xfrm_address_t *daddr,
				  __be32 spi)
{
	struct pvsvpn_sa *sa = pvsvpn_sad_find_in(net, family, daddr, spi);

	if (sa && unlikely(sa->x) &&
	    (skb->mark & sa->x->mark.m) != sa->x->mark.v)
		return NULL;
	return sa;
}

/**
 * pvsvpn_outer_receive() - receive an ESP packet
 * @skb: the packet, from the SPI on, network header at the outer IP header;
 *	consumed if it is ours
 * @family: address family of the outer header
 * @saddr: outer source address
 * @daddr: outer destination address
 * @in_udp: ESP in UDP, whose UDP header is still before skb->data
 *
 * Context: softirq, RCU read-side critical section.
 * Return: 0 if the packet is ours, even if it is dropped; -EINVAL if the next handler
 * must take it.
 */
int pvsvpn_outer_receive(struct sk_buff *skb, u16 family,
			 const xfrm_address_t *saddr,
			 const xfrm_address_t *daddr, bool in_udp)
{
	struct net *net = dev_net(skb->dev);
	struct pvsvpn_sa *sa;
	__be32 spi;

	spi = ((const struct ip_esp_hdr *)skb->data)->spi;
	sa = outer_sa(net, skb, family, daddr, spi);
	if (unlikely(!sa || pvsvpn_state_dead(sa)) &&
	    pvsvpn_adopt_wanted(pvsvpn_device_adopt(net))) {
		if (pvsvpn_park_in(net, skb, family, daddr, in_udp))
			return 0;
		sa = outer_sa(net, skb, family, daddr, spi);
	}
	if (!sa) {
		outer_unknown_spi(net, skb, spi, family, saddr, daddr);
		return -EINVAL;
	}
	pvsvpn_receive(sa, skb, in_udp);
	return 0;
}

static void pass_on4(struct sk_buff *skb, __be32 spi, bool in_udp)
{
	const struct net_protocol *esp;

	if (in_udp) {
		xfrm4_rcv_encap(skb, IPPROTO_ESP, spi, UDP_ENCAP_ESPINUDP);
		return;
	}
	esp = rcu_dereference(inet_protos[IPPROTO_ESP]);
	if (esp)
		esp->handler(skb);
	else
		kfree_skb(skb);
}

static void pass_on6(struct sk_buff *skb, __be32 spi, bool in_udp)
{
	const struct inet6_protocol *esp;

	if (in_udp) {
		xfrm6_rcv_encap(skb, IPPROTO_ESP, spi, UDP_ENCAP_ESPINUDP);
		return;
	}
	esp = rcu_dereference(inet6_protos[IPPROTO_ESP]);
	if (esp)
		esp->handler(skb);
	else
		kfree_skb(skb);
}

/**
 * pvsvpn_outer_pass_on() - pass on a packet that has waited but is not ours
 * @skb: the packet, which pvsvpn_outer_receive() has refused; consumed
 * @family: address family of the outer header
 * @in_udp: ESP in UDP
 *
 * All handlers are called, ours again: its state may have become an SA just now.
 *
 * Context: RCU read-side critical section with BH disabled.
 */
void pvsvpn_outer_pass_on(struct sk_buff *skb, u16 family, bool in_udp)
{
	__be32 spi = ((const struct ip_esp_hdr *)skb->data)->spi;

	if (family == AF_INET)
		pass_on4(skb, spi, in_udp);
	else
		pass_on6(skb, spi, in_udp);
}

/**
 * pvsvpn_outer_quoted() - find the SA of the packet that an ICMP error quotes
 * @net: namespace of the error
 * @family: address family of the quoted packet
 * @daddr: its destination address
 * @esph: its ESP header
 *
 * Anyone can send an ICMP error. If it quotes an SPI in use and a recent sequence
 * number, its sender has seen our packets (RFC 4301 section 6).
 *
 * Context: softirq, RCU read-side critical section.
 * Return: the SA; ERR_PTR(-EINVAL) if the error is not trusted, which is counted;
 * ERR_PTR(-ENOENT) if the packet is not ours.
 */
struct pvsvpn_sa *pvsvpn_outer_quoted(struct net *net, u16 family,
				      const xfrm_address_t *daddr,
				      const struct ip_esp_hdr *esph)
{
	struct pvsvpn_sa *sa = pvsvpn_sad_find_out(net, family, daddr,
						   esph->spi);

	if (!sa)
		return ERR_PTR(-ENOENT);
	if (pvsvpn_sa_seq_recent(sa, ntohl(esph->seq_no)))
		return sa;
	pvsvpn_stats_dropped(sa->peer->pvs, sa->peer, NULL, 0,
			     PVSVPN_DROP_RX_ICMP);
	return ERR_PTR(-EINVAL);
}

/**
 * pvsvpn_outer_init() - register the ESP handlers
 *
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_outer_init(void)
{
	int err;

	err = pvsvpn_outer4_init();
	if (err)
		return err;
	err = pvsvpn_outer6_init();
	if (err)
		pvsvpn_outer4_exit();
	return err;
}

/**
 * pvsvpn_outer_exit() - unregister the ESP handlers, and wait for packets in them
 */
void pvsvpn_outer_exit(void)
{
	pvsvpn_outer6_exit();
	pvsvpn_outer4_exit();
}
