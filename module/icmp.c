// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors about the packets that we have sent: a smaller MTU of the path, and redirects
 * (RFC 4301 section 6). The ESP handlers of input.c and the hook of udp_port.c find them.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/inet_common.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/ndisc.h>
#include <net/netns/generic.h>
#include <net/route.h>
#include <net/sock.h>

#include "device.h"
#include "icmp.h"
#include "output.h"
#include "peer.h"
#include "sa.h"
#include "sad.h"
#include "stats.h"
#include "udp_port.h"
#include "work.h"

/**
 * struct icmp_net - what errors need in a namespace
 * @errors: socket that represents an endpoint while the kernel handles an ICMP error. The
 *	kernel finds the route by its mark, link and protocol. It sends and receives nothing
 */
struct icmp_net {
	struct sock *errors;
};

static unsigned int icmp_net_id __read_mostly;

/* Protects the fields of icmp_net.errors that each error writes and the kernel reads. */
static DEFINE_SPINLOCK(errors_lock);

/**
 * struct quote - the contents of an ICMP error about a packet of ours
 * @offset: of the quoted IP header in the packet
 * @mtu: the reported MTU, 0 for a redirect
 * @redirect: ICMPv6: the error is a redirect to another gateway
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

/* More packets than 1 Gbit/s of full-size packets carries in a second. */
#define RECENT_MAX	BIT(17)

/* Is a sequence number, of which @low is in the packet, among the last RECENT_MAX ones sent? */
static bool seq_recent(const struct pvsvpn_sa *sa, u32 low)
{
	u64 last = pvsvpn_sa_seq(sa);
	u32 ago = lower_32_bits(last) - low;

	return ago < RECENT_MAX && ago < last;
}

/*
 * Find the SA of the packet that an error quotes. Anyone can send an ICMP error. If it quotes an
 * SPI in use and a recent sequence number, its sender has seen our packets. Return:
 * ERR_PTR(-EINVAL) if the error is not trusted, which is counted; ERR_PTR(-ENOENT) if the packet
 * is not ours.
 */
static struct pvsvpn_sa *quoted_sa(struct net *net, u16 family,
				   const xfrm_address_t *daddr,
				   const struct ip_esp_hdr *esph)
{
	struct pvsvpn_sa *sa = pvsvpn_sad_find_out(net, family, daddr, esph->spi);

	if (!sa)
		return ERR_PTR(-ENOENT);
	if (seq_recent(sa, ntohl(esph->seq_no)))
		return sa;
	pvsvpn_stats_dropped(sa->peer->pvs, sa->peer, NULL, 0, PVSVPN_DROP_RX_ICMP);
	return ERR_PTR(-EINVAL);
}

/* ---- telling the kernel, which changes its routes ---- */

/*
 * Build an error in the form that the kernel expects. The quoted packet has the addresses
 * of the endpoint, so that the kernel finds the same route: the source is unspecified if
 * the endpoint's local address is.
 */
static struct sk_buff *error_about(const struct pvsvpn_endpoint *endpoint,
				   const struct sk_buff *skb,
				   const struct icmphdr *icmph)
{
	struct iphdr iph = {
		.version = 4,
		.ihl = sizeof(iph) / 4,
		.saddr = endpoint->local.a4,
		.daddr = endpoint->remote.a4,
	};
	struct sk_buff *error;

	error = alloc_skb(2 * sizeof(iph) + sizeof(*icmph), GFP_ATOMIC);
	if (!error)
		return NULL;
	skb_reset_network_header(error);
	skb_put_data(error, ip_hdr(skb), sizeof(iph));
	skb_set_transport_header(error, sizeof(iph));
	skb_put_data(error, icmph, sizeof(*icmph));
	__skb_pull(error, error->len);
	skb_put_data(error, &iph, sizeof(iph));
	error->dev = skb->dev;
	return error;
}

/*
 * The socket represents the endpoint while the kernel looks for the route.
 * @skb: the error, network header at the router's IP header
 * @mtu: not used for a redirect
 */
static void route4_changed(struct pvsvpn_sa *sa, const struct sk_buff *skb,
			   const struct icmphdr *icmph, u32 mtu)
{
	struct pvsvpn_endpoint *endpoint = pvsvpn_sa_endpoint(sa);
	struct icmp_net *icmp = net_generic(sa->peer->pvs->net, icmp_net_id);
	int link = pvsvpn_endpoint_link(endpoint);
	struct sk_buff *error;

	/* There is no route through a link that does not exist. */
	if (unlikely(link < 0))
		return;
	error = error_about(endpoint, skb, icmph);
	if (!error)
		return;
	spin_lock_bh(&errors_lock);
	icmp->errors->sk_mark = pvsvpn_endpoint_mark(endpoint);
	icmp->errors->sk_bound_dev_if = link;
	icmp->errors->sk_protocol = endpoint->encap == PVSVPN_ENCAP_UDP ?
				    IPPROTO_UDP : IPPROTO_ESP;
	if (icmph->type == ICMP_REDIRECT)
		ipv4_sk_redirect(error, icmp->errors);
	else
		ipv4_sk_update_pmtu(error, icmp->errors, mtu);
	spin_unlock_bh(&errors_lock);
	consume_skb(error);
	if (icmph->type != ICMP_REDIRECT)
		pvsvpn_work_refresh(sa->peer->pvs);
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

static void too_big6(struct pvsvpn_sa *sa, u32 mtu)
{
	struct pvsvpn_outer outer;
	struct dst_entry *dst;
	struct sk_buff *skb;

	dst = pvsvpn_output_route(pvsvpn_sa_endpoint(sa), &outer);
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

/*
 * @skb: the error: network header at the router's IP header, transport header at that of ICMPv6,
 * data at the quoted IP header
 */
static void redirect6(struct pvsvpn_sa *sa, struct sk_buff *skb)
{
	struct net *net = sa->peer->pvs->net;

	ip6_redirect(skb, net, skb->dev->ifindex,
		     pvsvpn_endpoint_mark(pvsvpn_sa_endpoint(sa)),
		     sock_net_uid(net, NULL));
}

/* ---- errors about ESP ---- */

/**
 * pvsvpn_icmp_err4() - handle an ICMP error about ESP
 * @skb: the error, data at the quoted IP header
 * @info: the reported MTU in bytes, if the error reports one
 *
 * Context: softirq, RCU read-side critical section.
 * Return: 0 if the quoted packet is ours; a negative errno if the next handler must look.
 */
int pvsvpn_icmp_err4(struct sk_buff *skb, u32 info)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	const struct ip_esp_hdr *esph =
		(const struct ip_esp_hdr *)(skb->data + iph->ihl * 4);
	const struct icmphdr *icmph = icmp_hdr(skb);
	struct pvsvpn_sa *sa;

	sa = quoted_sa(dev_net(skb->dev), AF_INET, (const xfrm_address_t *)&iph->daddr, esph);
	if (IS_ERR(sa))
		return PTR_ERR(sa);
	if (icmph->type == ICMP_REDIRECT ||
	    (icmph->type == ICMP_DEST_UNREACH &&
	     icmph->code == ICMP_FRAG_NEEDED))
		route4_changed(sa, skb, icmph, info);
	return 0;
}

/**
 * pvsvpn_icmp_err6() - handle an ICMPv6 error about ESP
 * @skb: the error, data at the quoted IPv6 header
 * @opt: not used
 * @type: type of the error
 * @code: not used
 * @offset: offset of the quoted ESP header from the quoted IPv6 header, in bytes
 * @info: the reported MTU in bytes, if the error reports one
 *
 * Context: softirq, RCU read-side critical section.
 * Return: 0 if the quoted packet is ours; a negative errno if the next handler must look.
 */
int pvsvpn_icmp_err6(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type,
		     u8 code, int offset, __be32 info)
{
	const struct ipv6hdr *ip6h = (const struct ipv6hdr *)skb->data;
	const struct ip_esp_hdr *esph =
		(const struct ip_esp_hdr *)(skb->data + offset);
	struct pvsvpn_sa *sa;

	sa = quoted_sa(dev_net(skb->dev), AF_INET6, (const xfrm_address_t *)&ip6h->daddr, esph);
	if (IS_ERR(sa))
		return PTR_ERR(sa);
	if (type == NDISC_REDIRECT)
		redirect6(sa, skb);
	else if (type == ICMPV6_PKT_TOOBIG)
		too_big6(sa, ntohl(info));
	return 0;
}

/* ---- errors about ESP in UDP ---- */

/* Read the UDP and ESP headers of the quoted packet; false if the quote is too short. */
static bool quote_headers(const struct sk_buff *skb, unsigned int offset, struct quote *quote)
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
static bool error4(const struct net *net, const struct icmphdr *icmph, struct quote *quote)
{
	u8 no_pmtu_disc = READ_ONCE(net->ipv4.sysctl_ip_no_pmtu_disc);

	if (icmph->type == ICMP_REDIRECT)
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
static struct pvsvpn_sa *sa_at_port(struct pvsvpn_udp_room *room,
				    struct net *net, u16 family,
				    const struct quote *quote)
{
	if (!pvsvpn_udp_port_is_used(room, quote->sport) || !quote->esph.spi)
		return ERR_PTR(-ENOENT);
	return quoted_sa(net, family, &quote->daddr, &quote->esph);
}

static unsigned int quote_verdict(const struct pvsvpn_sa *sa)
{
	return PTR_ERR(sa) == -EINVAL ? NF_DROP : NF_ACCEPT;
}

/**
 * pvsvpn_icmp_udp4() - handle an ICMP error that may be about ESP in UDP
 * @room: the UDP ports in use
 * @net: namespace of the error
 * @skb: the error, data at the IP header of its sender
 * @offset: offset of the ICMP header, in bytes
 *
 * Context: softirq, RCU read-side critical section.
 * Return: NF_ACCEPT, or NF_DROP for an error that is not trusted.
 */
unsigned int pvsvpn_icmp_udp4(struct pvsvpn_udp_room *room, struct net *net,
			      struct sk_buff *skb, unsigned int offset)
{
	struct quote quote = { .offset = offset + sizeof(struct icmphdr) };
	const struct icmphdr *icmph;
	struct icmphdr _icmph;
	struct pvsvpn_sa *sa;

	icmph = skb_header_pointer(skb, offset, sizeof(_icmph), &_icmph);
	if (!icmph || !error4(net, icmph, &quote) ||
	    !quote4(skb, &quote) ||
	    nf_ip_checksum(skb, NF_INET_LOCAL_IN, offset, IPPROTO_ICMP))
		return NF_ACCEPT;
	sa = sa_at_port(room, net, AF_INET, &quote);
	if (IS_ERR(sa))
		return quote_verdict(sa);
	route4_changed(sa, skb, icmph, quote.mtu);
	return NF_ACCEPT;
}

/* Offset of the packet that a redirect quotes (RFC 4861 section 8); 0 if there is none */
static unsigned int redirected(const struct sk_buff *skb, unsigned int offset)
{
	const struct nd_opt_hdr *opt;
	struct nd_opt_hdr _opt;

	if (ipv6_hdr(skb)->hop_limit != 255 || offset != sizeof(struct ipv6hdr))
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

static bool error6(const struct sk_buff *skb, unsigned int offset, struct quote *quote)
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
static void redirect6_at(struct pvsvpn_sa *sa, struct sk_buff *skb, unsigned int offset)
{
	if (!pskb_may_pull(skb, offset + sizeof(struct ipv6hdr)))
		return;
	__skb_pull(skb, offset);
	redirect6(sa, skb);
	__skb_push(skb, offset);
}

/**
 * pvsvpn_icmp_udp6() - handle an ICMPv6 error that may be about ESP in UDP
 * @room: the UDP ports in use
 * @net: namespace of the error
 * @skb: the error, data at the IPv6 header of its sender
 * @offset: offset of the ICMPv6 header, in bytes
 *
 * Context: softirq, RCU read-side critical section.
 * Return: NF_ACCEPT, or NF_DROP for an error that is not trusted.
 */
unsigned int pvsvpn_icmp_udp6(struct pvsvpn_udp_room *room, struct net *net,
			      struct sk_buff *skb, unsigned int offset)
{
	struct quote quote = {};
	struct pvsvpn_sa *sa;

	if (!error6(skb, offset, &quote) || !quote6(skb, &quote) ||
	    nf_ip6_checksum(skb, NF_INET_LOCAL_IN, offset, IPPROTO_ICMPV6))
		return NF_ACCEPT;
	sa = sa_at_port(room, net, AF_INET6, &quote);
	if (IS_ERR(sa))
		return quote_verdict(sa);
	if (quote.redirect)
		redirect6_at(sa, skb, quote.offset);
	else
		too_big6(sa, quote.mtu);
	return NF_ACCEPT;
}

/* ---- namespaces ---- */

static int __net_init icmp_net_init(struct net *net)
{
	struct icmp_net *icmp = net_generic(net, icmp_net_id);

	return inet_ctl_sock_create(&icmp->errors, PF_INET, SOCK_RAW, IPPROTO_ESP, net);
}

static void __net_exit icmp_net_exit(struct net *net)
{
	struct icmp_net *icmp = net_generic(net, icmp_net_id);

	inet_ctl_sock_destroy(icmp->errors);
}

struct pernet_operations pvsvpn_icmp_net_ops = {
	.init = icmp_net_init,
	.exit = icmp_net_exit,
	.id = &icmp_net_id,
	.size = sizeof(struct icmp_net),
};
