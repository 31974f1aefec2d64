/* SPDX-License-Identifier: GPL-2.0 */
/* Events that may change the adopted states and their policies. */
#ifndef _PVSVPN_XFRM_NOTIFY_H
#define _PVSVPN_XFRM_NOTIFY_H

struct net_device;

void pvsvpn_notify_device_down(const struct net_device *dev);
int pvsvpn_notify_init(void);
void pvsvpn_notify_exit(void);

#endif /* _PVSVPN_XFRM_NOTIFY_H */
