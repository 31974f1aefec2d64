/* SPDX-License-Identifier: GPL-2.0 */
/* Notifications to the multicast group `events`. */
#ifndef _PVSVPN_EVENT_H
#define _PVSVPN_EVENT_H

#include <uapi/linux/pvsvpn.h>

struct pvsvpn_peer;
struct pvsvpn_sa;

void pvsvpn_event_peer(const struct pvsvpn_peer *peer,
		       enum pvsvpn_event_type type, const char *reason);
void pvsvpn_event_sa(const struct pvsvpn_sa *sa, enum pvsvpn_event_type type,
		     const char *reason);

#endif /* _PVSVPN_EVENT_H */
