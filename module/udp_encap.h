/* SPDX-License-Identifier: GPL-2.0 */
/* ESP in UDP (RFC 3948): header, NAT keepalives. */
#ifndef _PVSVPN_UDP_ENCAP_H
#define _PVSVPN_UDP_ENCAP_H

#include <linux/types.h>

struct pvsvpn_outer;
struct pvsvpn_peer;
struct sk_buff;

void pvsvpn_udp_push(struct sk_buff *skb, const struct pvsvpn_outer *outer);
void pvsvpn_udp_keepalive_start(struct pvsvpn_peer *peer);
void pvsvpn_udp_keepalive_init(struct pvsvpn_peer *peer);
void pvsvpn_udp_keepalive_stop(struct pvsvpn_peer *peer);

#endif /* _PVSVPN_UDP_ENCAP_H */
