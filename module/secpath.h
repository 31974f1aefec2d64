/* SPDX-License-Identifier: GPL-2.0 */
/* Packets whose sender must not be redirected. */
#ifndef _PVSVPN_SECPATH_H
#define _PVSVPN_SECPATH_H

struct pernet_operations;
struct sk_buff;

/* The states for pvsvpn_secpath_set(); register it before there is a device. */
extern struct pernet_operations pvsvpn_secpath_net_ops;

void pvsvpn_secpath_set(struct sk_buff *skb);

#endif /* _PVSVPN_SECPATH_H */
