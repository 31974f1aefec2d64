/* SPDX-License-Identifier: GPL-2.0 */
/* Checks of packets against the policies. */
#ifndef _PVSVPN_XFRM_CHECK_H
#define _PVSVPN_XFRM_CHECK_H

struct pvsvpn_peer;
struct pvsvpn_sa;
struct sk_buff;

bool pvsvpn_check_asked(const struct pvsvpn_peer *peer);
void pvsvpn_check_select(struct pvsvpn_peer *peer, struct pvsvpn_sa *other);
bool pvsvpn_check_asks_ports(const struct pvsvpn_peer *peer);
int pvsvpn_check_out(const struct pvsvpn_peer *peer, struct sk_buff *skb, struct pvsvpn_sa **sa);
bool pvsvpn_check_if_id(const struct pvsvpn_sa *sa);
int pvsvpn_check_in(const struct pvsvpn_sa *sa, struct sk_buff *skb);

#endif /* _PVSVPN_XFRM_CHECK_H */
