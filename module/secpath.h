/* SPDX-License-Identifier: GPL-2.0 */
/* Packets whose sender must not be redirected. */
#ifndef _PVSVPN_SECPATH_H
#define _PVSVPN_SECPATH_H

struct sk_buff;

void pvsvpn_secpath_set(struct sk_buff *skb);
int pvsvpn_secpath_init(void);
void pvsvpn_secpath_exit(void);

#endif /* _PVSVPN_SECPATH_H */
