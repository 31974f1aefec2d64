/* SPDX-License-Identifier: GPL-2.0 */
/* Stock ESP GRO, which runs before the protocol handlers. */
#ifndef _PVSVPN_OFFLOAD_H
#define _PVSVPN_OFFLOAD_H

struct sk_buff;

int pvsvpn_offload_rcv_cb(struct sk_buff *skb, int err);
int pvsvpn_offload_init(void);
void pvsvpn_offload_exit(void);

#endif /* _PVSVPN_OFFLOAD_H */
