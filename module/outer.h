/* SPDX-License-Identifier: GPL-2.0 */
/* The outer IP header of either family: route, send, receive. */
#ifndef _PVSVPN_OUTER_H
#define _PVSVPN_OUTER_H

#include <net/xfrm.h>

#include <uapi/linux/pvsvpn.h>

struct dst_entry;
struct ip_esp_hdr;
struct pvsvpn_device;
struct pvsvpn_endpoint;
struct pvsvpn_sa;
struct sk_buff;

#define PVSVPN_OUTER4_LEN	20
#define PVSVPN_OUTER6_LEN	40
/* The UDP header of ESP in UDP (RFC 3948 section 2.1). */
#define PVSVPN_UDP_LEN		8
#define PVSVPN_OUTER_LEN_MAX	(PVSVPN_OUTER6_LEN + PVSVPN_UDP_LEN)
/* Before the ESP handlers of VTI (100) and stock IPsec (0), which get the other packets. */
#define PVSVPN_OUTER_PRIORITY	200

/**
 * struct pvsvpn_outer - content of the outer headers of a packet to send
 * @saddr: source address
 * @daddr: destination address
 * @sport: UDP source port for ESP in UDP, else 0
 * @dport: UDP destination port for ESP in UDP, else 0
 * @family: AF_INET or AF_INET6
 * @len: bytes of the outer headers
 * @tos: DSCP and ECN
 * @ttl: TTL or hop limit; 0 for that of the route
 */
struct pvsvpn_outer {
	xfrm_address_t saddr;
	xfrm_address_t daddr;
	__be16 sport;
	__be16 dport;
	u8 family;
	u8 len;
	u8 tos;
	u8 ttl;
};

/**
 * pvsvpn_outer_len() - get the length of the outer headers
 * @family: AF_INET or AF_INET6
 * @encap: PVSVPN_ENCAP_NONE or PVSVPN_ENCAP_UDP
 *
 * Context: any.
 * Return: bytes of the IP header, and of the UDP header if any.
 */
static inline unsigned int pvsvpn_outer_len(u16 family, u8 encap)
{
	unsigned int len = encap == PVSVPN_ENCAP_UDP ? PVSVPN_UDP_LEN : 0;

	return len + (family == AF_INET ? PVSVPN_OUTER4_LEN :
					  PVSVPN_OUTER6_LEN);
}

struct dst_entry *pvsvpn_outer_route(struct pvsvpn_endpoint *endpoint,
				     struct pvsvpn_outer *outer);
enum pvsvpn_route pvsvpn_outer_look(struct pvsvpn_endpoint *endpoint,
				    u32 *path_mtu);
int pvsvpn_outer_send(struct pvsvpn_device *pvs, struct sk_buff *skb,
		      const struct pvsvpn_outer *outer);
int pvsvpn_outer_receive(struct sk_buff *skb, u16 family,
			 const xfrm_address_t *saddr,
			 const xfrm_address_t *daddr, bool in_udp);
void pvsvpn_outer_pass_on(struct sk_buff *skb, u16 family, bool in_udp);
struct pvsvpn_sa *pvsvpn_outer_quoted(struct net *net, u16 family,
				      const xfrm_address_t *daddr,
				      const struct ip_esp_hdr *esph);
int pvsvpn_outer_init(void);
void pvsvpn_outer_exit(void);

#endif /* _PVSVPN_OUTER_H */
