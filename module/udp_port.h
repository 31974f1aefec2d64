/* SPDX-License-Identifier: GPL-2.0 */
/* Inbound ESP in UDP: the ports, without binding them. */
#ifndef _PVSVPN_UDP_PORT_H
#define _PVSVPN_UDP_PORT_H

#include <linux/types.h>

struct net;
struct pvsvpn_udp_port;

struct pvsvpn_udp_port *pvsvpn_udp_port_get(struct net *net, u16 family,
					    __be16 port);
void pvsvpn_udp_port_put(struct pvsvpn_udp_port *port);

#endif /* _PVSVPN_UDP_PORT_H */
