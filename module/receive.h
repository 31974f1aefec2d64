/* SPDX-License-Identifier: GPL-2.0 */
/* The inbound packet path. */
#ifndef _PVSVPN_RECEIVE_H
#define _PVSVPN_RECEIVE_H

struct pvsvpn_sa;
struct sk_buff;

void pvsvpn_receive(struct pvsvpn_sa *sa, struct sk_buff *skb, bool in_udp);
void pvsvpn_receive_decrypted(struct pvsvpn_sa *sa, struct sk_buff *skb);

#endif /* _PVSVPN_RECEIVE_H */
