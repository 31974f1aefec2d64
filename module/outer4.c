// SPDX-License-Identifier: GPL-2.0
#include <linux/icmp.h>
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/dst_cache.h>
#include <net/esp.h>
#include <net/icmp.h>
#include <net/inet_common.h>
#include <net/ip.h>
#include <net/netns/generic.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "device.h"
#include "offload.h"
#include "outer.h"
#include "outer4.h"
#include "peer.h"
#include "sa.h"
#include "udp_encap.h"
#include "work.h"

/**
 * struct outer4_net - IPv4 state of a namespace
 * @errors: socket that represents an endpoint while the kernel handles an ICMP error. The
 *	kernel finds the route by its mark, link and protocol. It sends and receives nothing
 */
struct outer4_net {
	struct sock *errors;
};

static unsigned int outer4_net_id __read_mostly;

/* Protects the fields of outer4_net.errors that each error writes and the kernel reads. */
static DEFINE_SPINLOCK(errors_lock);

static struct dst_entry *route_lookup(struct pvsvpn_endpoint *endpoint,
				      struct pvsvpn_outer *outer)
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

/**
 * pvsvpn_outer4_route() - pvsvpn_outer_route() for IPv4
 * @endpoint: the peer's addresses
 * @outer: addresses; the source is filled in if it is unspecified
 *
 * Context: RCU read-side critical section with BH disabled.
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
	/* Only packets that may be fragmented need an ID (RFC 6864). */
	if (skb->ignore_df)
		__ip_select_ident(net, iph, 1);
	else
		iph->id = 0;
}

/**
 * pvsvpn_outer4_send() - pvsvpn_outer_send() for IPv4
 * @pvs: the device
 * @skb: ESP packet or keepalive; consumed
 * @outer: content of the outer headers
 *
 * Context: RCU read-side critical section with BH disabled.
 * Return: as pvsvpn_outer_send().
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

/* ESP in UDP from a socket that is not ours; XFRM has removed the UDP header. */
static int outer4_rcv_encap(struct sk_buff *skb, int nexthdr, __be32 spi,
			    int encap_type)
{
	if (encap_type != UDP_ENCAP_ESPINUDP)
		return -EINVAL;
	return outer4_receive(skb, true);
}

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

/* The socket represents @endpoint until errors_unlock(). */
static struct sock *errors_lock_for(const struct pvsvpn_endpoint *endpoint,
				    int link)
	__acquires(&errors_lock)
{
	struct net *net = endpoint->peer->pvs->net;
	struct outer4_net *outer4 = net_generic(net, outer4_net_id);
	struct sock *sk = outer4->errors;

	spin_lock_bh(&errors_lock);
	sk->sk_mark = pvsvpn_endpoint_mark(endpoint);
	sk->sk_bound_dev_if = link;
	sk->sk_protocol = endpoint->encap == PVSVPN_ENCAP_UDP ? IPPROTO_UDP :
								IPPROTO_ESP;
	return sk;
}

static void errors_unlock(void)
	__releases(&errors_lock)
{
	spin_unlock_bh(&errors_lock);
}

/**
 * pvsvpn_outer4_too_big() - handle an ICMP error that reports the MTU of a path
 * @sa: SA of the quoted packet; the caller has checked that the error is trusted
 * @skb: the error, network header at the router's IP header
 * @icmph: its ICMP header
 * @mtu: MTU in bytes
 *
 * Context: softirq, RCU read-side critical section.
 */
void pvsvpn_outer4_too_big(struct pvsvpn_sa *sa, const struct sk_buff *skb,
			   const struct icmphdr *icmph, u32 mtu)
{
	struct pvsvpn_endpoint *endpoint = pvsvpn_sa_endpoint(sa);
	int link = pvsvpn_endpoint_link(endpoint);
	struct sk_buff *error;

	/* There is no route through a link that does not exist. */
	if (unlikely(link < 0))
		return;
	error = error_about(endpoint, skb, icmph);
	if (!error)
		return;
	ipv4_sk_update_pmtu(error, errors_lock_for(endpoint, link), mtu);
	errors_unlock();
	consume_skb(error);
	pvsvpn_work_refresh(sa->peer->pvs);
}

/**
 * pvsvpn_outer4_redirect() - handle an ICMP redirect to another gateway
 * @sa: SA of the quoted packet; the caller has checked that the error is trusted
 * @skb: the error, network header at the router's IP header
 * @icmph: its ICMP header
 *
 * Context: softirq, RCU read-side critical section.
 */
void pvsvpn_outer4_redirect(struct pvsvpn_sa *sa, const struct sk_buff *skb,
			    const struct icmphdr *icmph)
{
	struct pvsvpn_endpoint *endpoint = pvsvpn_sa_endpoint(sa);
	int link = pvsvpn_endpoint_link(endpoint);
	struct sk_buff *error;

	/* There is no route through a link that does not exist. */
	if (unlikely(link < 0))
		return;
	error = error_about(endpoint, skb, icmph);
	if (!error)
		return;
	ipv4_sk_redirect(error, errors_lock_for(endpoint, link));
	errors_unlock();
	consume_skb(error);
}

/* An ICMP error about one of our packets; data is the quoted IP header. */
static int outer4_err(struct sk_buff *skb, u32 info)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	const struct ip_esp_hdr *esph =
		(const struct ip_esp_hdr *)(skb->data + iph->ihl * 4);
	const struct icmphdr *icmph = icmp_hdr(skb);
	struct pvsvpn_sa *sa;

	sa = pvsvpn_outer_quoted(dev_net(skb->dev), AF_INET,
				 (const xfrm_address_t *)&iph->daddr, esph);
	if (IS_ERR(sa))
		return PTR_ERR(sa);
	if (icmph->type == ICMP_REDIRECT)
		pvsvpn_outer4_redirect(sa, skb, icmph);
	else if (icmph->type == ICMP_DEST_UNREACH &&
		 icmph->code == ICMP_FRAG_NEEDED)
		pvsvpn_outer4_too_big(sa, skb, icmph, info);
	return 0;
}

static struct xfrm4_protocol outer4_protocol __read_mostly = {
	.handler = outer4_rcv,
	.input_handler = outer4_rcv_encap,
	.cb_handler = pvsvpn_offload_rcv_cb,
	.err_handler = outer4_err,
	.priority = PVSVPN_OUTER_PRIORITY,
};

static int __net_init outer4_net_init(struct net *net)
{
	struct outer4_net *outer4 = net_generic(net, outer4_net_id);

	return inet_ctl_sock_create(&outer4->errors, PF_INET, SOCK_RAW,
				    IPPROTO_ESP, net);
}

static void __net_exit outer4_net_exit(struct net *net)
{
	struct outer4_net *outer4 = net_generic(net, outer4_net_id);

	inet_ctl_sock_destroy(outer4->errors);
}

static struct pernet_operations outer4_net_ops = {
	.init = outer4_net_init,
	.exit = outer4_net_exit,
	.id = &outer4_net_id,
	.size = sizeof(struct outer4_net),
};

/**
 * pvsvpn_outer4_net_register() - register the IPv4 state of namespaces
 *
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_outer4_net_register(void)
{
	return register_pernet_subsys(&outer4_net_ops);
}

/**
 * pvsvpn_outer4_net_unregister() - unregister the state, after the last device is gone
 */
void pvsvpn_outer4_net_unregister(void)
{
	unregister_pernet_subsys(&outer4_net_ops);
}

/**
 * pvsvpn_outer4_init() - register the ESP handlers for IPv4
 *
 * Return: 0 or a negative errno.
 */
int __init pvsvpn_outer4_init(void)
{
	return xfrm4_protocol_register(&outer4_protocol, IPPROTO_ESP);
}

/**
 * pvsvpn_outer4_exit() - unregister the ESP handlers, and wait for packets in them
 */
void pvsvpn_outer4_exit(void)
{
	xfrm4_protocol_deregister(&outer4_protocol, IPPROTO_ESP);
}
