/* SPDX-License-Identifier: GPL-2.0 */
/* Inbound ESP, in IP or in UDP. */
#ifndef _PVSVPN_INPUT_H
#define _PVSVPN_INPUT_H

#include <linux/types.h>

struct pvsvpn_udp_receiver;
struct sk_buff;

extern const struct pvsvpn_udp_receiver pvsvpn_input_udp;

int pvsvpn_input_receive(struct sk_buff *skb, u16 family, bool in_udp);
void pvsvpn_input_pass_on(struct sk_buff *skb, u16 family, bool in_udp);
int pvsvpn_input_init(void);
void pvsvpn_input_exit(void);

#endif /* _PVSVPN_INPUT_H */
