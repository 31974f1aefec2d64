/* SPDX-License-Identifier: GPL-2.0 */
/* Notifications to the multicast group `events`. */
#ifndef _PVSVPN_EVENT_H
#define _PVSVPN_EVENT_H

#include <net/xfrm.h>

#include <uapi/linux/pvsvpn.h>

struct pvsvpn_device;
struct pvsvpn_peer;
struct pvsvpn_sa;

/**
 * struct pvsvpn_event - what user space is told
 * @type: what happened
 * @reason: why; a word or two joined by hyphens
 * @pvs: the device
 * @peer: the peer, still with its endpoint; NULL for none
 * @family: of @remote
 * @remote: outer address of the other end; NULL where it is about the device
 * @port: its port with ESP in UDP, or 0
 * @dir: enum pvsvpn_direction of the SA
 * @spi: its SPI; 0 where it is not about an SA
 */
struct pvsvpn_event {
	enum pvsvpn_event_type type;
	const char *reason;
	const struct pvsvpn_device *pvs;
	const struct pvsvpn_peer *peer;
	u16 family;
	const xfrm_address_t *remote;
	__be16 port;
	u8 dir;
	__be32 spi;
};

void pvsvpn_event_send(const struct pvsvpn_event *event);
void pvsvpn_event_peer(const struct pvsvpn_peer *peer,
		       enum pvsvpn_event_type type, const char *reason);
void pvsvpn_event_sa(const struct pvsvpn_sa *sa, enum pvsvpn_event_type type,
		     const char *reason);

#endif /* _PVSVPN_EVENT_H */
