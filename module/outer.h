/* SPDX-License-Identifier: GPL-2.0 */
/* The outer headers: content, lengths, addresses. */
#ifndef _PVSVPN_OUTER_H
#define _PVSVPN_OUTER_H

#include <net/xfrm.h>

#include <uapi/linux/pvsvpn.h>

#define PVSVPN_OUTER4_LEN	20
#define PVSVPN_OUTER6_LEN	40
/* The UDP header of ESP in UDP (RFC 3948 section 2.1). */
#define PVSVPN_UDP_LEN		8
#define PVSVPN_OUTER_LEN_MAX	(PVSVPN_OUTER6_LEN + PVSVPN_UDP_LEN)

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

	return len + (family == AF_INET ? PVSVPN_OUTER4_LEN : PVSVPN_OUTER6_LEN);
}

#endif /* _PVSVPN_OUTER_H */
