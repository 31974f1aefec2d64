/* SPDX-License-Identifier: GPL-2.0 */
/* Notifications to the multicast group `events`. */
#ifndef _PVSVPN_EVENT_H
#define _PVSVPN_EVENT_H

#include <net/xfrm.h>

#include <uapi/linux/pvsvpn.h>

struct genl_family;
struct pvsvpn_device;
struct pvsvpn_peer;
struct pvsvpn_sa;

/**
 * struct pvsvpn_event - an event for user space
 * @type: type of the event
 * @reason: reason of the event, words joined by hyphens
 * @pvs: the device
 * @peer: the peer, still with its endpoint; NULL for none
 * @family: address family of @remote
 * @remote: outer address of the other end; NULL if the event is about the device
 * @port: UDP port of the other end with ESP in UDP, else 0
 * @dir: enum pvsvpn_direction of the SA
 * @spi: SPI of the SA; 0 if the event is not about an SA
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
void pvsvpn_event_sa(const struct pvsvpn_sa *sa, enum pvsvpn_event_type type, const char *reason);
void pvsvpn_event_init(const struct genl_family *family);

#endif /* _PVSVPN_EVENT_H */
