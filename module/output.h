/* SPDX-License-Identifier: GPL-2.0 */
/* The outer headers of a packet to send. */
#ifndef _PVSVPN_OUTPUT_H
#define _PVSVPN_OUTPUT_H

#include "outer.h"

struct dst_entry;
struct pvsvpn_device;
struct pvsvpn_endpoint;
struct sk_buff;

struct dst_entry *pvsvpn_output_route(struct pvsvpn_endpoint *endpoint, struct pvsvpn_outer *outer);
enum pvsvpn_route pvsvpn_output_look(struct pvsvpn_endpoint *endpoint, u32 *path_mtu);
int pvsvpn_output_send(struct pvsvpn_device *pvs, struct sk_buff *skb,
		       const struct pvsvpn_outer *outer);

#endif /* _PVSVPN_OUTPUT_H */
