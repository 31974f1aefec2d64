// SPDX-License-Identifier: GPL-2.0
/*
 * Inbound ESP in UDP (RFC 3948).
 *
 * No port is bound. A netfilter hook sees packets for this host, after all firewall rules, and
 * gives ESP for a port that peers use to our own socket, which has no address. UDP finds
 * the socket in the packet, checks the packet and calls port_encap_rcv(). All other
 * packets continue, above all IKE and its port: an IKE daemon may start and stop, and
 * no user can take ESP away with a socket of his own.
 *
 * The same hook sees the ICMP errors about packets that we have sent. UDP would handle them
 * with the socket at the port, which does not have the endpoint's mark.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <linux/xarray.h>
#include <net/esp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include <net/udp_tunnel.h>

#include "outer.h"
#include "outer4.h"
#include "outer6.h"
#include "udp_encap.h"
#include "udp_port.h"

/* The last hook before conntrack confirms the connection. */
#define PORT_PRIORITY	(NF_IP_PRI_CONNTRACK_CONFIRM - 1)

#define KEEPALIVE_LEN	1
#define KEEPALIVE	0xff

/**
 * struct port_room - the ports that peers use in one namespace and family
 * @list: in the list of all rooms; RTNL
 * @net: namespace in which the peers' devices were created
 * @family: AF_INET or AF_INET6
 * @ports: port in host byte order -> struct pvsvpn_udp_port; written under RTNL
 * @sock: receives the packets that the hook selects; not bound
 * @ops: the hook
 * @rcu: delays kfree(); packets may still be in the hook
 */
struct port_room {
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
	struct port_room *room;
};

/**
 * struct quote - the contents of an ICMP error about a packet of ours
 * @offset: of the quoted IP header in the packet
 * @mtu: the reported MTU, 0 for a redirect
 * @redirect: the error is a redirect to another gateway
 * @daddr: destination address of the quoted packet
 * @sport: its source port
 * @esph: its ESP header
 */
struct quote {
	unsigned int offset;
	u32 mtu;
	bool redirect;
	xfrm_address_t daddr;
	__be16 sport;
	struct ip_esp_hdr esph;
};

static LIST_HEAD(rooms);

/* ---- packets ---- */

static int port_receive(const struct sock *sk, struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	const struct iphdr *iph = ip_hdr(skb);

	if (sk->sk_family == AF_INET)
		return pvsvpn_outer_receive(skb, AF_INET,
					    (const xfrm_address_t *)&iph->saddr,
					    (const xfrm_address_t *)&iph->daddr,
					    true);
	return pvsvpn_outer_receive(skb, AF_INET6,
				    (const xfrm_address_t *)&ip6h->saddr,
				    (const xfrm_address_t *)&ip6h->daddr, true);
}

/*
 * Receive a packet that the hook has given to our socket. If the SPI is not ours, return the
 * packet to UDP, which then looks up the socket at the port.
 */
static int port_encap_rcv(struct sock *sk, struct sk_buff *skb)
{
	if (unlikely(!pskb_may_pull(skb, PVSVPN_UDP_LEN +
					 sizeof(struct ip_esp_hdr)))) {
		kfree_skb(skb);
		return 0;
	}
	__skb_pull(skb, PVSVPN_UDP_LEN);
	skb_reset_transport_header(skb);
	if (likely(!port_receive(sk, skb)))
		return 0;
	__skb_push(skb, PVSVPN_UDP_LEN);
	skb_reset_transport_header(skb);
	return -IPPROTO_UDP;
}

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

static bool port_is_used(struct port_room *room, __be16 port)
{
	return xa_load(&room->ports, ntohs(port));
}

/* RCU protects the socket until UDP is done, so the packet needs no reference. */
static unsigned int port_take(struct port_room *room, struct sk_buff *skb,
			      unsigned int offset)
{
	const struct udphdr *uh;
	struct udphdr _uh;

	uh = skb_header_pointer(skb, offset, sizeof(_uh), &_uh);
	if (!uh || !port_is_used(room, uh->dest) ||
	    !looks_like_esp(skb, offset + sizeof(*uh)))
		return NF_ACCEPT;
	skb_orphan(skb);
	skb->sk = room->sock->sk;
	skb->destructor = sock_pfree;
	return NF_ACCEPT;
}

/* ---- ICMP errors ---- */

/* Read the UDP and ESP headers of the quoted packet; false if the quote is too short. */
static bool quote_headers(const struct sk_buff *skb, unsigned int offset,
			  struct quote *quote)
{
	struct {
		struct udphdr uh;
		struct ip_esp_hdr esph;
	} __packed _head, *head;

	head = skb_header_pointer(skb, offset, sizeof(_head), &_head);
	if (!head)
		return false;
	quote->sport = head->uh.source;
	quote->esph = head->esph;
	return true;
}

static bool quote4(const struct sk_buff *skb, struct quote *quote)
{
	const struct iphdr *iph;
	struct iphdr _iph;

	iph = skb_header_pointer(skb, quote->offset, sizeof(_iph), &_iph);
	if (!iph || iph->ihl < 5 || iph->protocol != IPPROTO_UDP ||
	    iph->frag_off & htons(IP_OFFSET))
		return false;
	quote->daddr.a4 = iph->daddr;
	return quote_headers(skb, quote->offset + iph->ihl * 4, quote);
}

static bool quote6(const struct sk_buff *skb, struct quote *quote)
{
	const struct ipv6hdr *ip6h;
	struct ipv6hdr _ip6h;

	ip6h = skb_header_pointer(skb, quote->offset, sizeof(_ip6h), &_ip6h);
	if (!ip6h || ip6h->nexthdr != IPPROTO_UDP)
		return false;
	quote->daddr.in6 = ip6h->daddr;
	return quote_headers(skb, quote->offset + sizeof(*ip6h), quote);
}

/* Same rules as icmp_unreach(), also for its hardened mode 3, because we check the quote. */
static bool error4(const struct net *net, const struct icmphdr *icmph,
		   struct quote *quote)
{
	u8 no_pmtu_disc = READ_ONCE(net->ipv4.sysctl_ip_no_pmtu_disc);

	quote->redirect = icmph->type == ICMP_REDIRECT;
	if (quote->redirect)
		return true;
	if (icmph->type != ICMP_DEST_UNREACH ||
	    icmph->code != ICMP_FRAG_NEEDED || no_pmtu_disc == 2)
		return false;
	quote->mtu = no_pmtu_disc == 1 ? 0 : ntohs(icmph->un.frag.mtu);
	return true;
}

/*
 * Find the SA of the quoted packet. An error that is not credible must not reach another
 * socket at the port either, because that would believe it.
 */
static struct pvsvpn_sa *quote_sa(struct port_room *room,
				  const struct quote *quote)
{
	if (!port_is_used(room, quote->sport) || !quote->esph.spi)
		return ERR_PTR(-ENOENT);
	return pvsvpn_outer_quoted(room->net, room->family, &quote->daddr,
				   &quote->esph);
}

static unsigned int quote_verdict(const struct pvsvpn_sa *sa)
{
	return PTR_ERR(sa) == -EINVAL ? NF_DROP : NF_ACCEPT;
}

static unsigned int icmp_look4(struct port_room *room, struct sk_buff *skb,
			       unsigned int offset)
{
	struct quote quote = { .offset = offset + sizeof(struct icmphdr) };
	const struct icmphdr *icmph;
	struct icmphdr _icmph;
	struct pvsvpn_sa *sa;

	icmph = skb_header_pointer(skb, offset, sizeof(_icmph), &_icmph);
	if (!icmph || !error4(room->net, icmph, &quote) ||
	    !quote4(skb, &quote) ||
	    nf_ip_checksum(skb, NF_INET_LOCAL_IN, offset, IPPROTO_ICMP))
		return NF_ACCEPT;
	sa = quote_sa(room, &quote);
	if (IS_ERR(sa))
		return quote_verdict(sa);
	if (quote.redirect)
		pvsvpn_outer4_redirect(sa, skb, icmph);
	else
		pvsvpn_outer4_too_big(sa, skb, icmph, quote.mtu);
	return NF_ACCEPT;
}

/* Offset of the packet that a redirect quotes (RFC 4861 section 8); 0 if there is none */
static unsigned int redirected(const struct sk_buff *skb, unsigned int offset)
{
	const struct nd_opt_hdr *opt;
	struct nd_opt_hdr _opt;

	if (ipv6_hdr(skb)->hop_limit != 255 ||
	    offset != sizeof(struct ipv6hdr))
		return 0;
	offset += sizeof(struct rd_msg);
	for (;;) {
		opt = skb_header_pointer(skb, offset, sizeof(_opt), &_opt);
		if (!opt || !opt->nd_opt_len)
			return 0;
		if (opt->nd_opt_type == ND_OPT_REDIRECT_HDR)
			return offset + 8;
		offset += opt->nd_opt_len * 8;
	}
}

static bool error6(const struct sk_buff *skb, unsigned int offset,
		   struct quote *quote)
{
	const struct icmp6hdr *icmph;
	struct icmp6hdr _icmph;

	icmph = skb_header_pointer(skb, offset, sizeof(_icmph), &_icmph);
	if (!icmph)
		return false;
	quote->redirect = icmph->icmp6_type == NDISC_REDIRECT;
	if (quote->redirect) {
		quote->offset = redirected(skb, offset);
		return quote->offset;
	}
	quote->offset = offset + sizeof(*icmph);
	quote->mtu = ntohl(icmph->icmp6_mtu);
	return icmph->icmp6_type == ICMPV6_PKT_TOOBIG;
}

/* The kernel's redirect code expects the data at the quoted packet, as in an error handler. */
static void redirect6(struct pvsvpn_sa *sa, struct sk_buff *skb,
		      unsigned int offset)
{
	if (!pskb_may_pull(skb, offset + sizeof(struct ipv6hdr)))
		return;
	__skb_pull(skb, offset);
	pvsvpn_outer6_redirect(sa, skb);
	__skb_push(skb, offset);
}

static unsigned int icmp_look6(struct port_room *room, struct sk_buff *skb,
			       unsigned int offset)
{
	struct quote quote = {};
	struct pvsvpn_sa *sa;

	if (!error6(skb, offset, &quote) || !quote6(skb, &quote) ||
	    nf_ip6_checksum(skb, NF_INET_LOCAL_IN, offset, IPPROTO_ICMPV6))
		return NF_ACCEPT;
	sa = quote_sa(room, &quote);
	if (IS_ERR(sa))
		return quote_verdict(sa);
	if (quote.redirect)
		redirect6(sa, skb, quote.offset);
	else
		pvsvpn_outer6_too_big(sa, quote.mtu);
	return NF_ACCEPT;
}

/* ---- the hook ---- */

/* IPv4 has reassembled fragments before this hook. */
static unsigned int port_hook4(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	switch (ip_hdr(skb)->protocol) {
	case IPPROTO_UDP:
		return port_take(priv, skb, ip_hdrlen(skb));
	case IPPROTO_ICMP:
		return icmp_look4(priv, skb, ip_hdrlen(skb));
	default:
		return NF_ACCEPT;
	}
}

static unsigned int port_hook6(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	u8 nexthdr = ipv6_hdr(skb)->nexthdr;
	__be16 fragment = 0;
	int offset;

	offset = ipv6_skip_exthdr(skb, sizeof(struct ipv6hdr), &nexthdr,
				  &fragment);
	if (offset < 0)
		return NF_ACCEPT;
	switch (nexthdr) {
	case IPPROTO_UDP:
		return port_take(priv, skb, offset);
	case IPPROTO_ICMPV6:
		return icmp_look6(priv, skb, offset);
	default:
		return NF_ACCEPT;
	}
}

/* ---- rooms ---- */

static int room_open_socket(struct port_room *room)
{
	struct sock *sk;
	int err;

	err = sock_create_kern(room->net, room->family, SOCK_DGRAM, IPPROTO_UDP,
			       &room->sock);
	if (err)
		return err;
	sk = room->sock->sk;
	sock_set_flag(sk, SOCK_RCU_FREE);
	udp_sk(sk)->encap_type = UDP_ENCAP_ESPINUDP;
	WRITE_ONCE(udp_sk(sk)->encap_rcv, port_encap_rcv);
	udp_tunnel_encap_enable(sk);
	return 0;
}

/* Packets that still have the socket, for instance in a netfilter queue, end there. */
static void room_close_socket(struct port_room *room)
{
	WRITE_ONCE(udp_sk(room->sock->sk)->encap_rcv, NULL);
	sock_release(room->sock);
}

static int room_open_hook(struct port_room *room)
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

static void room_close(struct port_room *room)
{
	list_del(&room->list);
	nf_unregister_net_hook(room->net, &room->ops);
	if (room->family == AF_INET6)
		nf_defrag_ipv6_disable(room->net);
	room_close_socket(room);
	kfree_rcu(room, rcu);
}

static struct port_room *room_open(struct net *net, u16 family)
{
	struct port_room *room = kzalloc(sizeof(*room), GFP_KERNEL);
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

static struct port_room *room_get(struct net *net, u16 family)
{
	struct port_room *room;

	list_for_each_entry(room, &rooms, list)
		if (room->net == net && room->family == family)
			return room;
	return room_open(net, family);
}

static void room_put(struct port_room *room)
{
	if (xa_empty(&room->ports))
		room_close(room);
}

static struct pvsvpn_udp_port *port_new(struct port_room *room, u16 number)
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
struct pvsvpn_udp_port *pvsvpn_udp_port_get(struct net *net, u16 family,
					    __be16 port)
{
	struct pvsvpn_udp_port *found;
	struct port_room *room;

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
