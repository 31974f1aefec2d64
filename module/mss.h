/* SPDX-License-Identifier: GPL-2.0 */
/* TCP learns what fits the tunnel when it connects. */
#ifndef _PVSVPN_MSS_H
#define _PVSVPN_MSS_H

struct pvsvpn_peer;
struct sk_buff;

void pvsvpn_mss_clamp(const struct pvsvpn_peer *peer, struct sk_buff *skb);

#endif /* _PVSVPN_MSS_H */
