/* SPDX-License-Identifier: GPL-2.0 */
/* NAT keepalives of ESP in UDP. */
#ifndef _PVSVPN_UDP_KEEPALIVE_H
#define _PVSVPN_UDP_KEEPALIVE_H

struct pvsvpn_peer;

void pvsvpn_udp_keepalive_init(struct pvsvpn_peer *peer);
void pvsvpn_udp_keepalive_start(struct pvsvpn_peer *peer);

#endif /* _PVSVPN_UDP_KEEPALIVE_H */
