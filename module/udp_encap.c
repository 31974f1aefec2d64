// SPDX-License-Identifier: GPL-2.0
/*
 * ESP in UDP (RFC 3948).
 *
 * Sending needs no socket: the header is put on like that of IP. Receiving does.
 * Where an IKE daemon holds the port, its socket hands ESP to XFRM, and XFRM to
 * outer4.c and outer6.c. Where nobody does, a socket of ours is there, one for
 * each port, as long as a peer uses it.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/udp.h>
#include <net/esp.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/udp_tunnel.h>

#include "device.h"
#include "outer.h"
#include "peer.h"
#include "udp_encap.h"

/**
 * struct pvsvpn_udp - a port that peers use
 * @list: all of them; RTNL
 * @refs: how many endpoints use it; RTNL
 * @net: birth namespace of their devices
 * @family: AF_INET or AF_INET6
 * @port: network byte order
 * @vrf: ifindex of the VRF they are in, 0 outside of any
 * @sock: ours; NULL where somebody else has the port
 */
struct pvsvpn_udp {
	struct list_head list;
	unsigned int refs;
	struct net *net;
	u16 family;
	__be16 port;
	int vrf;
	struct socket *sock;
};

static LIST_HEAD(ports);

static int udp_rcv4(struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	return pvsvpn_outer_receive(skb, AF_INET,
				    (const xfrm_address_t *)&iph->saddr,
				    (const xfrm_address_t *)&iph->daddr, true);
}

static int udp_rcv6(struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);

	return pvsvpn_outer_receive(skb, AF_INET6,
				    (const xfrm_address_t *)&ip6h->saddr,
				    (const xfrm_address_t *)&ip6h->daddr, true);
}

/*
 * From a socket of ours. Nobody reads it: what is no ESP, keepalives (one byte of
 * 0xff) and the non-ESP marker of IKE among it, ends here.
 */
static int udp_encap_rcv(struct sock *sk, struct sk_buff *skb)
{
	int err = -EINVAL;

	if (likely(pskb_may_pull(skb, PVSVPN_UDP_LEN +
				      sizeof(struct ip_esp_hdr)))) {
		__skb_pull(skb, PVSVPN_UDP_LEN);
		skb_reset_transport_header(skb);
		err = sk->sk_family == AF_INET ? udp_rcv4(skb) : udp_rcv6(skb);
	}
	if (err)
		kfree_skb(skb);
	return 0;
}

static int socket_bind(struct socket *sock, u16 family, __be16 port)
{
	struct sockaddr_in6 any6 = {
		.sin6_family = AF_INET6,
		.sin6_port = port,
	};
	struct sockaddr_in any4 = {
		.sin_family = AF_INET,
		.sin_port = port,
	};
	int err;

	if (family == AF_INET)
		return kernel_bind(sock, (struct sockaddr *)&any4,
				   sizeof(any4));
	/* The same port of IPv4 is another one's. */
	err = ip6_sock_set_v6only(sock->sk);
	if (err)
		return err;
	return kernel_bind(sock, (struct sockaddr *)&any6, sizeof(any6));
}

static struct socket *socket_open(struct net *net, u16 family, __be16 port,
				  int vrf)
{
	struct socket *sock;
	int err;

	err = sock_create_kern(net, family, SOCK_DGRAM, IPPROTO_UDP, &sock);
	if (err)
		return ERR_PTR(err);
	if (vrf)
		err = sock_bindtoindex(sock->sk, vrf, true);
	if (!err)
		err = socket_bind(sock, family, port);
	if (err) {
		sock_release(sock);
		return ERR_PTR(err);
	}
	udp_sk(sock->sk)->encap_type = UDP_ENCAP_ESPINUDP;
	WRITE_ONCE(udp_sk(sock->sk)->encap_rcv, udp_encap_rcv);
	udp_tunnel_encap_enable(sock->sk);
	return sock;
}

/* Who is receiving from it is inside an RCU read side; so is its end. */
static void socket_close(struct socket *sock)
{
	if (!sock)
		return;
	kernel_sock_shutdown(sock, SHUT_RDWR);
	sock_release(sock);
}

static struct pvsvpn_udp *port_find(struct net *net, u16 family, __be16 port,
				    int vrf)
{
	struct pvsvpn_udp *udp;

	list_for_each_entry(udp, &ports, list)
		if (udp->net == net && udp->family == family &&
		    udp->port == port && udp->vrf == vrf)
			return udp;
	return NULL;
}

/**
 * pvsvpn_udp_get() - see that ESP in UDP arrives at a port
 * @net: birth namespace of the device
 * @family: AF_INET or AF_INET6
 * @port: network byte order
 * @vrf: ifindex of the VRF by which the peer is reached, or 0
 *
 * A port that somebody else has is taken to be an IKE daemon's.
 *
 * Context: process, RTNL held.
 * Return: for pvsvpn_udp_put(); or an ERR_PTR.
 */
struct pvsvpn_udp *pvsvpn_udp_get(struct net *net, u16 family, __be16 port,
				  int vrf)
{
	struct pvsvpn_udp *udp;
	struct socket *sock;

	ASSERT_RTNL();
	udp = port_find(net, family, port, vrf);
	if (udp) {
		udp->refs++;
		return udp;
	}
	sock = socket_open(net, family, port, vrf);
	if (IS_ERR(sock) && PTR_ERR(sock) != -EADDRINUSE)
		return ERR_CAST(sock);
	if (IS_ERR(sock))
		sock = NULL;
	udp = kzalloc(sizeof(*udp), GFP_KERNEL_ACCOUNT);
	if (!udp) {
		socket_close(sock);
		return ERR_PTR(-ENOMEM);
	}
	udp->refs = 1;
	udp->net = net;
	udp->family = family;
	udp->port = port;
	udp->vrf = vrf;
	udp->sock = sock;
	list_add(&udp->list, &ports);
	return udp;
}

/**
 * pvsvpn_udp_put() - a peer uses a port no more
 * @udp: from pvsvpn_udp_get(), or NULL
 *
 * Context: process, RTNL held.
 */
void pvsvpn_udp_put(struct pvsvpn_udp *udp)
{
	ASSERT_RTNL();
	if (!udp || --udp->refs)
		return;
	list_del(&udp->list);
	socket_close(udp->sock);
	kfree(udp);
}

/**
 * pvsvpn_udp_push() - put the UDP header on (RFC 3948 section 2.1)
 * @skb: ESP packet or keepalive
 * @outer: addresses and ports
 *
 * Over IPv4 without a checksum, as the RFC asks; IPv6 must have one.
 *
 * Context: any.
 */
void pvsvpn_udp_push(struct sk_buff *skb, const struct pvsvpn_outer *outer)
{
	struct udphdr *uh = skb_push(skb, sizeof(*uh));

	skb_reset_transport_header(skb);
	uh->source = outer->sport;
	uh->dest = outer->dport;
	uh->len = htons(skb->len);
	uh->check = 0;
	if (outer->family == AF_INET6)
		udp6_set_csum(false, skb, &outer->saddr.in6, &outer->daddr.in6,
			      skb->len);
}

static struct sk_buff *keepalive_new(const struct dst_entry *dst)
{
	unsigned int head = LL_RESERVED_SPACE(dst->dev) + PVSVPN_OUTER_LEN_MAX;
	struct sk_buff *skb = alloc_skb(head + 1, GFP_ATOMIC);

	if (!skb)
		return NULL;
	skb_reserve(skb, head);
	skb_put_u8(skb, 0xff);
	return skb;
}

static void keepalive_send(struct pvsvpn_peer *peer)
{
	struct pvsvpn_endpoint *endpoint = pvsvpn_peer_endpoint(peer);
	struct pvsvpn_outer outer = {};
	struct dst_entry *dst;
	struct sk_buff *skb;

	dst = pvsvpn_outer_route(endpoint, &outer);
	if (IS_ERR(dst))
		return;
	skb = keepalive_new(dst);
	if (!skb) {
		dst_release(dst);
		return;
	}
	skb_dst_set(skb, dst);
	skb->mark = pvsvpn_endpoint_mark(endpoint);
	pvsvpn_outer_send(peer->pvs, skb, &outer);
}

/* Only where nothing else has kept the NAT's mapping (RFC 3948 section 4). */
static void keepalive_timer(struct timer_list *timer)
{
	struct pvsvpn_peer *peer = from_timer(peer, timer,
					      nat_keepalive_timer);
	unsigned long interval = READ_ONCE(peer->nat_keepalive) * HZ;
	unsigned long due = READ_ONCE(peer->last_tx) + interval;

	if (!interval || READ_ONCE(peer->deleted))
		return;
	if (time_before(jiffies, due)) {
		mod_timer(timer, due);
		return;
	}
	rcu_read_lock();
	keepalive_send(peer);
	rcu_read_unlock();
	mod_timer(timer, jiffies + interval);
}

/**
 * pvsvpn_udp_keepalive_init() - a peer is made
 * @peer: the peer
 *
 * Context: any.
 */
void pvsvpn_udp_keepalive_init(struct pvsvpn_peer *peer)
{
	timer_setup(&peer->nat_keepalive_timer, keepalive_timer, 0);
}

/**
 * pvsvpn_udp_keepalive_start() - the peer's encapsulation or interval may be new
 * @peer: the peer, with its endpoint
 *
 * Context: process, RTNL held.
 */
void pvsvpn_udp_keepalive_start(struct pvsvpn_peer *peer)
{
	ASSERT_RTNL();
	if (pvsvpn_peer_endpoint(peer)->encap != PVSVPN_ENCAP_UDP ||
	    !peer->nat_keepalive)
		del_timer(&peer->nat_keepalive_timer);
	else
		mod_timer(&peer->nat_keepalive_timer,
			  jiffies + peer->nat_keepalive * HZ);
}

/**
 * pvsvpn_udp_keepalive_stop() - a peer goes
 * @peer: the peer, marked as deleted
 *
 * Context: process. On return none is being sent.
 */
void pvsvpn_udp_keepalive_stop(struct pvsvpn_peer *peer)
{
	del_timer_sync(&peer->nat_keepalive_timer);
}
