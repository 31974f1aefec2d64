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
/* With the UDP header of RFC 3948. */
#define PVSVPN_OUTER_LEN_MAX	(PVSVPN_OUTER6_LEN + 8)
/* Among ESP handlers: before VTI (100) and stock ESP (0), which get the rest. */
#define PVSVPN_OUTER_PRIORITY	200

/**
 * struct pvsvpn_outer - what is in the outer header of a packet that leaves
 * @saddr: from
 * @daddr: to
 * @sport: UDP port for ESP in UDP, from; 0 without
 * @dport: to
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

unsigned int pvsvpn_outer_len(u16 family, u8 encap);
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
