/* SPDX-License-Identifier: GPL-2.0 */
/* The outbound packet path. */
#ifndef _PVSVPN_XMIT_H
#define _PVSVPN_XMIT_H

#include <linux/netdevice.h>

struct pvsvpn_peer;

netdev_tx_t pvsvpn_xmit(struct sk_buff *skb, struct net_device *dev);
void pvsvpn_xmit_dummy(struct pvsvpn_peer *peer);

#endif /* _PVSVPN_XMIT_H */
