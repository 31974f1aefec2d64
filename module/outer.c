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
 * pvsvpn_outer_len() - what the outer headers take
 * @family: AF_INET or AF_INET6
 * @encap: PVSVPN_ENCAP_NONE or PVSVPN_ENCAP_UDP
 *
 * Context: any. Return: bytes.
 */
unsigned int pvsvpn_outer_len(u16 family, u8 encap)
{
	unsigned int len = encap == PVSVPN_ENCAP_UDP ? PVSVPN_UDP_LEN : 0;

	return len + (family == AF_INET ? PVSVPN_OUTER4_LEN :
					  PVSVPN_OUTER6_LEN);
}

/**
 * pvsvpn_outer_route() - the route to a peer's remote address
 * @endpoint: the peer's addresses
 * @outer: family, addresses and ports are filled in, also where there is no route
 *
 * Context: RCU read side with BH disabled.
 * Return: the route, for dst_release(); ERR_PTR(-ELOOP) when it leads back into
 * the peer's device; ERR_PTR(-ENODEV) when the peer's link is not there; or another
 * ERR_PTR when there is none.
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
 * pvsvpn_outer_look() - pvsvpn_outer_route() without a packet
 * @endpoint: the peer's addresses
 * @path_mtu: filled in where there is a route, bytes
 *
 * Context: process, RTNL held. Return: whether there is a route.
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
 * Inside the transmission of a device the kernel asks no socket about the packet of a tunnel.
 * The inner socket must stay there: TCP small queues count the packet until the NIC has
 * sent it. Behind an asynchronous driver, a queue of the device or a wait for an SA, the
 * options of the inner socket would apply to the outer packet.
 */
static void outer_disown(struct sk_buff *skb)
{
	if (!dev_recursion_level())
		skb_orphan(skb);
}

/**
 * pvsvpn_outer_send() - put the outer headers on, and send
 * @pvs: the device
 * @skb: ESP packet or keepalive with its route and mark, ignore_df where it may be
 *	fragmented; consumed
 * @outer: what goes into the header
 *
 * Context: RCU read side with BH disabled.
 * Return: 0, or the errno with which the stack has refused the packet.
 */
int pvsvpn_outer_send(struct pvsvpn_device *pvs, struct sk_buff *skb,
		      const struct pvsvpn_outer *outer)
{
	outer_disown(skb);
	return outer->family == AF_INET ? pvsvpn_outer4_send(pvs, skb, outer) :
					  pvsvpn_outer6_send(pvs, skb, outer);
}

/*
 * An SPI that nobody here knows: the first thing to see when the two ends
 * disagree about their SAs. Stock IPsec gets the packet in any case.
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

/* XFRM would not find a state by another mark. */
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
 * pvsvpn_outer_receive() - an ESP packet has arrived
 * @skb: the packet, from the SPI on, network header at the outer IP header;
 *	consumed when it is ours
 * @family: of the outer header
 * @saddr: from
 * @daddr: to
 * @in_udp: ESP in UDP, whose header is still there before @skb's data
 *
 * Context: softirq, RCU read side.
 * Return: 0 when it was ours, whatever became of it; -EINVAL for the next
 * handler to have it.
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
 * pvsvpn_outer_pass_on() - a packet that has waited is not ours after all
 * @skb: the packet, as pvsvpn_outer_receive() takes it, which has said so; consumed
 * @family: of the outer header
 * @in_udp: ESP in UDP
 *
 * All handlers are asked, ours once more: its state may have become an SA just now.
 *
 * Context: RCU read side with BH disabled.
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
 * pvsvpn_outer_quoted() - whose is the packet that an ICMP error quotes?
 * @net: namespace of the error
 * @family: of the quoted packet
 * @daddr: where it was sent to
 * @esph: its ESP header
 *
 * Anybody can send an ICMP error. One that quotes an SPI in use and a sequence
 * number of a moment ago has seen our packets (RFC 4301 section 6).
 *
 * Context: softirq, RCU read side.
 * Return: the SA; ERR_PTR(-EINVAL) for one not to be believed, which is counted;
 * ERR_PTR(-ENOENT) when the packet was not ours.
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
 * pvsvpn_outer_init() - ask for ESP packets
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
 * pvsvpn_outer_exit() - get no more; none is in here on return
 */
void pvsvpn_outer_exit(void)
{
	pvsvpn_outer6_exit();
	pvsvpn_outer4_exit();
}
