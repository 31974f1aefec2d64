/* SPDX-License-Identifier: GPL-2.0 */
/* Clamping of the TCP MSS to the size that fits the tunnel. */
#ifndef _PVSVPN_MSS_H
#define _PVSVPN_MSS_H

struct pvsvpn_peer;
struct sk_buff;

void pvsvpn_mss_clamp(const struct pvsvpn_peer *peer, struct sk_buff *skb);

#endif /* _PVSVPN_MSS_H */
