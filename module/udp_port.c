// SPDX-License-Identifier: GPL-2.0
/*
 * Inbound ESP in UDP (RFC 3948).
 *
 * No port is bound. A netfilter hook sees packets for this host, after all firewall rules, and
 * gives ESP for a port that peers use to our own socket, which has no address. UDP finds
 * the socket in the packet, checks the packet and calls the receiver. All other
 * packets continue, above all IKE and its port: an IKE daemon may start and stop, and
 * no user can take ESP away with a socket of his own.
 *
 * The same hook sees the ICMP errors about packets that we have sent. UDP would handle them
 * with the socket at the port, which does not have the endpoint's mark.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <linux/xarray.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include <net/udp_tunnel.h>

#include "udp_port.h"

/* The last hook before conntrack confirms the connection. */
#define PORT_PRIORITY	(NF_IP_PRI_CONNTRACK_CONFIRM - 1)

#define KEEPALIVE_LEN	1
#define KEEPALIVE	0xff

/**
 * struct pvsvpn_udp_room - the ports that peers use in one namespace and family
 * @list: in the list of all rooms; RTNL
 * @net: namespace in which the peers' devices were created
 * @family: AF_INET or AF_INET6
 * @ports: port in host byte order -> struct pvsvpn_udp_port; written under RTNL
 * @sock: receives the packets that the hook selects; not bound
 * @ops: the hook
 * @rcu: delays kfree(); packets may still be in the hook
 */
struct pvsvpn_udp_room {
	struct list_head list;
	struct net *net;
	u16 family;
	struct xarray ports;
	struct socket *sock;
	struct nf_hook_ops ops;
	struct rcu_head rcu;
};

/**
 * struct pvsvpn_udp_port - a port that peers use
 * @refs: how many endpoints use it; RTNL
 * @port: host byte order
 * @room: namespace and family of the port
 */
struct pvsvpn_udp_port {
	unsigned int refs;
	u16 port;
	struct pvsvpn_udp_room *room;
};

static LIST_HEAD(rooms);

/* The receiver of packets and errors, from pvsvpn_udp_port_init(). */
static const struct pvsvpn_udp_receiver *receiver __ro_after_init;

/* ---- packets ---- */

/*
 * True for ESP, and for a keepalive, which needs no receiver. IKE has a non-ESP marker, an
 * SPI of 0. UDP has not checked the length yet.
 */
static bool looks_like_esp(const struct sk_buff *skb, unsigned int offset)
{
	unsigned int len = skb->len - offset;
	__be32 _spi;
	const __be32 *spi;
	const u8 *byte;
	u8 _byte;

	if (likely(len >= sizeof(struct ip_esp_hdr))) {
		spi = skb_header_pointer(skb, offset, sizeof(_spi), &_spi);
		return spi && *spi;
	}
	if (len != KEEPALIVE_LEN)
		return false;
	byte = skb_header_pointer(skb, offset, sizeof(_byte), &_byte);
	return byte && *byte == KEEPALIVE;
}

/**
 * pvsvpn_udp_port_is_used() - check whether a peer uses a port
 * @room: namespace and family of the port
 * @port: network byte order
 *
 * Context: RCU read-side critical section.
 * Return: true if at least one does.
 */
bool pvsvpn_udp_port_is_used(struct pvsvpn_udp_room *room, __be16 port)
{
	return xa_load(&room->ports, ntohs(port));
}

/* RCU protects the socket until UDP is done, so the packet needs no reference. */
static unsigned int port_take(struct pvsvpn_udp_room *room, struct sk_buff *skb,
			      unsigned int offset)
{
	const struct udphdr *uh;
	struct udphdr _uh;

	uh = skb_header_pointer(skb, offset, sizeof(_uh), &_uh);
	if (!uh || !pvsvpn_udp_port_is_used(room, uh->dest) ||
	    !looks_like_esp(skb, offset + sizeof(*uh)))
		return NF_ACCEPT;
	skb_orphan(skb);
	skb->sk = room->sock->sk;
	skb->destructor = sock_pfree;
	return NF_ACCEPT;
}

/* ---- the hook ---- */

/* IPv4 has reassembled fragments before this hook. */
static unsigned int port_hook4(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct pvsvpn_udp_room *room = priv;

	switch (ip_hdr(skb)->protocol) {
	case IPPROTO_UDP:
		return port_take(room, skb, ip_hdrlen(skb));
	case IPPROTO_ICMP:
		return receiver->error4(room, room->net, skb, ip_hdrlen(skb));
	default:
		return NF_ACCEPT;
	}
}

static unsigned int port_hook6(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct pvsvpn_udp_room *room = priv;
	u8 nexthdr = ipv6_hdr(skb)->nexthdr;
	__be16 fragment = 0;
	int offset;

	offset = ipv6_skip_exthdr(skb, sizeof(struct ipv6hdr), &nexthdr, &fragment);
	if (offset < 0)
		return NF_ACCEPT;
	switch (nexthdr) {
	case IPPROTO_UDP:
		return port_take(room, skb, offset);
	case IPPROTO_ICMPV6:
		return receiver->error6(room, room->net, skb, offset);
	default:
		return NF_ACCEPT;
	}
}

/* ---- rooms ---- */

static int room_open_socket(struct pvsvpn_udp_room *room)
{
	struct sock *sk;
	int err;

	err = sock_create_kern(room->net, room->family, SOCK_DGRAM, IPPROTO_UDP, &room->sock);
	if (err)
		return err;
	sk = room->sock->sk;
	sock_set_flag(sk, SOCK_RCU_FREE);
	udp_sk(sk)->encap_type = UDP_ENCAP_ESPINUDP;
	WRITE_ONCE(udp_sk(sk)->encap_rcv, receiver->packet);
	udp_tunnel_encap_enable(sk);
	return 0;
}

/* Packets that still have the socket, for instance in a netfilter queue, end there. */
static void room_close_socket(struct pvsvpn_udp_room *room)
{
	WRITE_ONCE(udp_sk(room->sock->sk)->encap_rcv, NULL);
	sock_release(room->sock);
}

static int room_open_hook(struct pvsvpn_udp_room *room)
{
	bool ipv6 = room->family == AF_INET6;
	int err = 0;

	room->ops.hook = ipv6 ? port_hook6 : port_hook4;
	room->ops.pf = ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	room->ops.hooknum = NF_INET_LOCAL_IN;
	room->ops.priority = PORT_PRIORITY;
	room->ops.priv = room;
	/* By default, IPv6 would reassemble fragments only after the hook. */
	if (ipv6)
		err = nf_defrag_ipv6_enable(room->net);
	if (err)
		return err;
	err = nf_register_net_hook(room->net, &room->ops);
	if (err && ipv6)
		nf_defrag_ipv6_disable(room->net);
	return err;
}

static void room_close(struct pvsvpn_udp_room *room)
{
	list_del(&room->list);
	nf_unregister_net_hook(room->net, &room->ops);
	if (room->family == AF_INET6)
		nf_defrag_ipv6_disable(room->net);
	room_close_socket(room);
	kfree_rcu(room, rcu);
}

static struct pvsvpn_udp_room *room_open(struct net *net, u16 family)
{
	struct pvsvpn_udp_room *room = kzalloc(sizeof(*room), GFP_KERNEL);
	int err;

	if (!room)
		return ERR_PTR(-ENOMEM);
	room->net = net;
	room->family = family;
	xa_init(&room->ports);
	err = room_open_socket(room);
	if (err) {
		kfree(room);
		return ERR_PTR(err);
	}
	err = room_open_hook(room);
	if (err) {
		room_close_socket(room);
		kfree(room);
		return ERR_PTR(err);
	}
	list_add(&room->list, &rooms);
	return room;
}

static struct pvsvpn_udp_room *room_get(struct net *net, u16 family)
{
	struct pvsvpn_udp_room *room;

	list_for_each_entry(room, &rooms, list)
		if (room->net == net && room->family == family)
			return room;
	return room_open(net, family);
}

static void room_put(struct pvsvpn_udp_room *room)
{
	if (xa_empty(&room->ports))
		room_close(room);
}

static struct pvsvpn_udp_port *port_new(struct pvsvpn_udp_room *room, u16 number)
{
	struct pvsvpn_udp_port *port = kzalloc(sizeof(*port), GFP_KERNEL_ACCOUNT);
	int err;

	if (!port)
		return ERR_PTR(-ENOMEM);
	port->port = number;
	port->room = room;
	err = xa_err(xa_store(&room->ports, number, port, GFP_KERNEL));
	if (!err)
		return port;
	kfree(port);
	return ERR_PTR(err);
}

/**
 * pvsvpn_udp_port_get() - receive ESP in UDP at a port
 * @net: namespace in which the device was created
 * @family: AF_INET or AF_INET6
 * @port: network byte order
 *
 * Another socket may be bound to the port, now or later.
 *
 * Context: process, RTNL held.
 * Return: a reference for pvsvpn_udp_port_put(); or an ERR_PTR.
 */
struct pvsvpn_udp_port *pvsvpn_udp_port_get(struct net *net, u16 family, __be16 port)
{
	struct pvsvpn_udp_port *found;
	struct pvsvpn_udp_room *room;

	ASSERT_RTNL();
	room = room_get(net, family);
	if (IS_ERR(room))
		return ERR_CAST(room);
	found = xa_load(&room->ports, ntohs(port)) ?:
		port_new(room, ntohs(port));
	if (IS_ERR(found))
		room_put(room);
	else
		found->refs++;
	return found;
}

/**
 * pvsvpn_udp_port_put() - drop an endpoint's reference to a port
 * @port: from pvsvpn_udp_port_get(), or NULL
 *
 * Context: process, RTNL held.
 */
void pvsvpn_udp_port_put(struct pvsvpn_udp_port *port)
{
	ASSERT_RTNL();
	if (!port || --port->refs)
		return;
	xa_erase(&port->room->ports, port->port);
	room_put(port->room);
	/* The packet path has only tested the pointer, so free without a grace period. */
	kfree(port);
}

/**
 * pvsvpn_udp_port_init() - say where packets and errors go
 * @given: their receiver
 *
 * Context: process, before the first device is created.
 */
void __init pvsvpn_udp_port_init(const struct pvsvpn_udp_receiver *given)
{
	receiver = given;
}
